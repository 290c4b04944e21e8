#!/bin/sh
# Tables beside pybcsv: rows/s, MB/s, sizes. Needs Cross/build.sh linux-x86_64; the command is measured if it is built.
#     Benchmarks/bcsv/run.sh [--quick] [--only DATASET]      the numbers as JSON: build/bench/bcsv.json
set -eu
root=$(cd "$(dirname -- "$0")/../.." && pwd)
out=$root/build/bench
mkdir -p "$out"
"$root/Tests/python/setup.sh"
"$root/Cross/cc.sh" linux-x86_64 "$out/bcsv" "$root/Benchmarks/bcsv/bench.c" -- -I "$root/Tests/differential"
gcc -std=c11 -O2 -Wall -Wextra -Werror "$root/Benchmarks/bcsv/roofs.c" -llz4 -o "$out/roofs"
ticklog=
if "$root/.build/release/ticklog" convert --help >/dev/null 2>&1; then ticklog="--ticklog $root/.build/release/ticklog"; fi
# shellcheck disable=SC2086
timeout 1200 "$root/.venv/bin/python" "$root/Benchmarks/bcsv/bench.py" "$out/bcsv" "$out/roofs" --json "$out/bcsv.json" $ticklog "$@"
