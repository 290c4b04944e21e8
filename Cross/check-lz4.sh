#!/bin/sh
# Runs lz4-identity.c on all five targets and fails if they do not print the same.
set -eu
. "$(dirname -- "$0")/targets.sh"
expected=
for name in $targets; do
    program=$build/$name/lz4-identity
    "$root/Cross/cc.sh" "$name" "$program" "$root/Cross/lz4-identity.c" -- -I "$build/headers" -DLZ4_MEMORY_USAGE=12
    found=$("$root/Cross/run.sh" "$name" "$program")
    echo "$name: $found"
    [ -z "$expected" ] || [ "$found" = "$expected" ] || { echo "$name differs" >&2; exit 1; }
    expected=$found
done
