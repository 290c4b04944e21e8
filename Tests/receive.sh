#!/bin/sh
# The receiver as a process: see receive/check_receive.py.
#     Tests/receive.sh [TEST...]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
swift build --package-path "$root" --product ticklog -q
gcc -shared -fPIC -std=gnu11 -O1 -Wall -Wextra -Werror "$root/Tests/receive/slow.c" -o "$work/slow.so" -ldl
gcc -shared -fPIC -std=gnu11 -O1 -Wall -Wextra -Werror "$root/Tests/faults/kill.c" -o "$work/kill.so" -ldl
timeout 600 python3 "$root/Tests/receive/check_receive.py" "$root/.build/debug/ticklog" "$work/slow.so" "$work/kill.so" "$work" "$@"
