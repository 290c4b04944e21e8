#!/bin/sh
# The receiver, the sender and .dat files as processes: see receive/check_*.py and receive/matrix.py.
#     Tests/receive.sh [quick]      quick: fewer cells of the matrix
#     Tests/receive.sh TEST...      only these of check_receive.py
set -eu
quick=
[ "${1:-}" != quick ] || { quick=quick && shift; }
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/Tests/built.sh"
gcc -shared -fPIC -std=gnu11 -O1 -Wall -Wextra -Werror "$root/Tests/receive/slow.c" -o "$work/slow.so" -ldl
gcc -shared -fPIC -std=gnu11 -O1 -Wall -Wextra -Werror "$root/Tests/faults/kill.c" -o "$work/kill.so" -ldl
timeout 600 python3 "$root/Tests/receive/check_receive.py" "$root/.build/debug/ticklog" "$work/slow.so" "$work/kill.so" "$work" "$@"
[ $# -eq 0 ] || exit 0
timeout 300 python3 "$root/Tests/receive/check_send.py" "$root/.build/debug/ticklog"
timeout 300 python3 "$root/Tests/receive/check_files.py" "$root/.build/debug/ticklog"
# shellcheck disable=SC2086
timeout 900 python3 "$root/Tests/receive/matrix.py" "$root/.build/debug/ticklog" "$work" $quick
