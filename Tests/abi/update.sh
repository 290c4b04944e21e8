#!/bin/sh
# update.sh: makes the baseline of the headers as they are: what the next release must not take away (docs/VERSIONS.md).
# Says what the old one had and the new one has not; with a new major version only.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)
. "$root/Cross/targets.sh"
command -v abidw >/dev/null || { echo "abidw is missing: Tests/abi.sh installs it (abigail-tools)" >&2; exit 1; }
baseline=$here/baseline
mkdir -p "$baseline"
if [ -f "$baseline/libticklog.abi" ]; then
    "$here/check.sh" "$root/include" || echo "update.sh: the new baseline breaks programs of the old one: see above"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in linux-x86_64 linux-armv7; do
    target "$name"
    case $name in linux-x86_64) bits=64 ;; *) bits=32 ;; esac
    # shellcheck disable=SC2086
    python3 "$here/header.py" layout "$root/include" "${prefix}gcc" $cflags >"$baseline/layout-$bits.txt"
done
"$here/witness.sh" "$root/include" "$work/libticklog.so.1"
abidw --no-show-locs --no-corpus-path --no-comp-dir-path --out-file "$baseline/libticklog.abi" "$work/libticklog.so.1"
version=$("$root/Packaging/version.sh")
mkdir -p "$here/$version"
cp "$root/include/ticklog.h" "$root/include/ticklog_rnog.h" "$here/$version/"
echo "Tests/abi/baseline and Tests/abi/$version are made anew"
