#!/bin/bash
# Parquet files that `ticklog convert` writes, read back by pyarrow, duckdb and a reader of the tests' own: see
# parquet/check.py. Uses the debug build, or the command that TICKLOG names.
#     Tests/parquet.sh [SEED [TABLES]]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tool=${TICKLOG:-$root/.build/debug/ticklog}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/Tests/python/setup.sh"
check() { timeout -k 5 600 "$root/.venv/bin/python" "$root/Tests/parquet/check.py" "$tool" "$work" "$@"; }

check errors
check vectors "$root"/Tests/Vectors/bcsv/*.bcsv "$root"/Tests/Vectors/dlf/*/ "$root"/Tests/Vectors/stream/*.bin
check tables "$@"
