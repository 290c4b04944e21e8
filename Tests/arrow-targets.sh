#!/bin/sh
# The C consumer of Arrow streams (arrow/consumer.c) on the Linux targets: it reads the same bytes everywhere, and what one
# writes the next one reads.
#     Tests/arrow-targets.sh [TARGET...]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"
for target in linux-x86_64 ${*:-linux-aarch64 linux-armv7}; do
    [ -e "build/$target/libticklog.a" ] && grep -q ticklog_arrow_open "build/$target/include/ticklog.h" || Cross/build.sh "$target" >/dev/null
    Cross/cc.sh "$target" "$work/$target" Tests/arrow/consumer.c
    for path in Tests/Vectors/bcsv/v15_alltypes_delta_batch.bcsv Tests/Vectors/bcsv/v15_logger_zoh_packet_lz4.bcsv \
        Tests/Vectors/bcsv/v15_bad_logger_delta_packet_flush75_flippayload2.bcsv Tests/Vectors/dlf/real_structs Tests/Vectors/stream/clean5.bin; do
        echo "$path"
        TIME_LIMIT=60 Cross/run.sh "$target" "$work/$target" "$path" "$work/out.bcsv" || echo "code $?"
        [ ! -e "$work/out.bcsv" ] || sha256sum <"$work/out.bcsv"
        rm -f "$work/out.bcsv"
    done >"$work/$target.txt" </dev/null
    if grep -q '^code' "$work/$target.txt" || ! cmp "$work/$target.txt" "$work/linux-x86_64.txt"; then
        cat "$work/$target.txt"
        echo "arrow-targets: FAILED on $target" >&2
        exit 1
    fi
done
echo "arrow-targets: ${*:-linux-aarch64 linux-armv7} say the same as linux-x86_64"
