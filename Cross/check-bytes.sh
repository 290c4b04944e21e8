#!/bin/sh
# The bytes that are written must not depend on the target: runs lz4-identity.c and run-identity.c on all five and fails if
# they do not print the same everywhere.
set -eu
. "$(dirname -- "$0")/targets.sh"
for test in lz4-identity run-identity; do
    expected=
    for name in $targets; do
        program=$build/$name/$test
        "$root/Cross/cc.sh" "$name" "$program" "$root/Cross/$test.c" -- -I "$build/headers" -DLZ4_MEMORY_USAGE=12
        found=$("$root/Cross/run.sh" "$name" "$program") || { echo "$name: $found" >&2; exit 1; }
        echo "$name: $found"
        [ -z "$expected" ] || [ "$found" = "$expected" ] || { echo "$test: $name differs" >&2; exit 1; }
        expected=$found
    done
done
