#!/bin/sh
# An existing file is appended to under a kill at every call that changes a file: see faults/kill.c.
#     Tests/append.sh [quick]     half of the files, fewer rows
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/Tests/python/setup.sh"
"$root/Tests/built.sh"
gcc -shared -fPIC -std=gnu11 -O1 -Wall -Wextra -Werror "$root/Tests/faults/kill.c" -o "$work/kill.so" -ldl
timeout 600 "$root/.venv/bin/python" "$root/Tests/python/check_append.py" "$root/.build/debug/ticklog" "$work/kill.so" "$@"
