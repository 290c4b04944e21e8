#!/bin/sh
# Runs in the format DLF are repaired under a kill at every call that changes a file (see faults/kill.c), and random runs,
# cut and spoiled, are held against a reader of its own.
#     Tests/repair.sh [SEED]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/Tests/python/setup.sh"
"$root/Tests/built.sh"
gcc -shared -fPIC -std=gnu11 -O1 -Wall -Wextra -Werror "$root/Tests/faults/kill.c" -o "$work/kill.so" -ldl
timeout 500 "$root/.venv/bin/python" "$root/Tests/python/check_repair.py" "$root/.build/debug/ticklog" "$work/kill.so" "$@"
