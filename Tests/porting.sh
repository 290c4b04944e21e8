#!/bin/bash
# Follows docs/PORTING.md in a clean folder: writes the files that it shows, runs its commands, with a bundle and without Swift.
#
#     Tests/porting.sh [BUNDLE]      without one, it is made of build/cortex-m4f
#
# TICKLOG: the command of the PC; default: the debug build
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
ticklog=${TICKLOG:-$root/.build/debug/ticklog}
[ -n "${TICKLOG:-}" ] || "$root/Tests/built.sh"
"$root/Cross/install.sh" > /dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $# -gt 0 ]; then
    cp -a "$1" "$work/bundle"
else
    SKIP_BUILD=1 DIST_DIR=$work/dist "$root/Packaging/dist.sh" cortex-m4f > "$work/log" || { cat "$work/log"; exit 1; }
    mv "$work"/dist/ticklog-*/ "$work/bundle"
fi
. "$root/Tests/without-swift.sh"
without_swift "$work/bin"
ln -sf "$ticklog" "$work/bin/ticklog"

# The page's files and commands, in their order.
mkdir "$work/first-log"
awk -v folder="$work/first-log" -v commands="$work/commands" '
    /^<!-- file: [A-Za-z0-9.-]+ -->$/ { out = folder "/" $3; next }
    /^<!-- run -->$/ { out = commands; next }
    /^```/ && inside { inside = 0; close(out); out = ""; next }
    /^```/ && out != "" { inside = 1; next }
    inside { print >> out }' "$root/docs/PORTING.md"
for file in Makefile board.ld main.c storage.h storage-debugger.c storage-flash.c storage-card.c run.sh; do
    [ -s "$work/first-log/$file" ] || { echo "docs/PORTING.md has no $file" >&2; exit 1; }
done
[ "$(grep -c . "$work/commands")" -ge 15 ] || { echo "docs/PORTING.md has too few commands" >&2; exit 1; }

cd "$work/first-log"
if ! BUNDLE=$work/bundle timeout 300 sh -eu "$work/commands" > "$work/log" 2>&1; then
    echo "FAILED: docs/PORTING.md; the last lines:"
    tail -15 "$work/log"
    exit 1
fi
# What it claims: nothing was lost, three runs followed each other, the file has the channels, the cut run has rows.
grep '^run ' "$work/log" | tr -d '\r' | cut -c 1-110
[ "$(grep -c '^run .*, lost 0,' "$work/log")" = 4 ] || { echo "FAILED: not four runs without a loss"; exit 1; }
[ "$(ls -d RUN00? | wc -l)" = 3 ] && [ ! -e RUN001/LOCK ]
head -1 first.csv | grep -q 'adc.channel\[7\]' && [ "$(wc -l < first.csv)" -ge 2000 ] || { echo "FAILED: first.csv"; head -2 first.csv; exit 1; }
[ ! -e from-flash/RUN001.repaired/LOCK ] || { echo "FAILED: a repaired run has a LOCK"; exit 1; }
# The card's storage compiles, against the stand-in's header.
examples=$work/bundle/Examples/storage
for file in storage-card.c "$examples/fatfs.c"; do
    arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -std=c11 -Wall -Wextra -Werror -I "$work/bundle/include" -I "$examples" -I . \
        -I "$examples/fatfs-standin" -c "$file" -o "$work/card.o"
done
echo "docs/PORTING.md: followed"
