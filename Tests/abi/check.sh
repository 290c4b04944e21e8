#!/bin/sh
# check.sh INCLUDE [BASELINE]: fails if programs that were compiled with the header of the baseline (default: here) do not
# work with a library that follows the headers in INCLUDE. Nothing but the headers is looked at.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
. "$here/../../Cross/targets.sh"
include=$(CDPATH= cd -- "$1" && pwd)
baseline=${2:-$here/baseline}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failed=0
for name in $targets; do
    target "$name"
    case $name in linux-aarch64 | linux-x86_64) bits=64 ;; *) bits=32 ;; esac
    # shellcheck disable=SC2086
    python3 "$here/header.py" layout "$include" "${prefix}gcc" $cflags >"$work/layout"
    python3 "$here/header.py" compare "$baseline/layout-$bits.txt" <"$work/layout" >"$work/faults" || {
        sed "s/^/$name: /" "$work/faults"
        failed=1
    }
done

# Types of parameters, of results and of members, which sizes do not tell.
"$here/witness.sh" "$include" "$work/witness.so"
python3 "$here/suppress.py" "$include" >"$work/suppress.ini"
abidiff --no-added-syms --no-show-locs --suppressions "$work/suppress.ini" "$baseline/libticklog.abi" "$work/witness.so" >"$work/faults" || {
    cat "$work/faults"
    failed=1
}
exit $failed
