#!/bin/sh
# Plots in the terminal, as SVG and as PNG; tail, and tail of what is being written.
#     Tests/plot.sh [pin]     pin: writes the pictures of Tests/Vectors/plot anew, to be looked at
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/Tests/python/setup.sh"
"$root/Tests/built.sh"
timeout 500 "$root/.venv/bin/python" "$root/Tests/plot/check.py" "$root/.build/debug/ticklog" "$@"
