#!/bin/sh
# Plots in the terminal, as SVG and as PNG; tail, and tail of what is being written.
#     Tests/plot.sh [pin]     pin: writes the pictures of Tests/Vectors/plot anew, to be looked at
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/Tests/python/setup.sh"
"$root/Tests/built.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -shared -fPIC -std=gnu11 -O1 -Wall -Wextra -Werror "$root/Tests/faults/no-inotify.c" -o "$work/no-inotify.so"
timeout 500 "$root/.venv/bin/python" "$root/Tests/plot/check.py" "$root/.build/debug/ticklog" "$work/no-inotify.so" "$@"
