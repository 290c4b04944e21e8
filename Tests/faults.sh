#!/bin/sh
# Every storage call made to fail, and every argument refused: see faults/faults.c and faults/arguments.c.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=c11 -O1 -Wall -Wextra -Wpedantic -Werror"
"$root/Tests/python/setup.sh"
code=0
"$root/Cross/cc.sh" linux-x86_64 "$work/arguments" "$root/Tests/faults/arguments.c" -- $flags
timeout 60 "$work/arguments" || code=1
"$root/Cross/cc.sh" linux-x86_64 "$work/faults" "$root/Tests/faults/faults.c" -- $flags
timeout 120 "$work/faults" "$work/archive" || code=1
timeout 240 "$root/.venv/bin/python" "$root/Tests/python/check_faults.py" "$work/archive" || code=1
exit $code
