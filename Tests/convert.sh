#!/bin/bash
# Runs of BCSV that `ticklog convert` makes from runs of DLF, and from a table, read by pybcsv and by the Python reader,
# which must agree. Uses the debug build, or the command that TICKLOG names.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tool=${TICKLOG:-$root/.build/debug/ticklog}
python=$root/.venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

for run in "$root"/Tests/Vectors/dlf/*/; do
    name=$(basename "$run")
    case $name in py_bad_* | py_trunc_header | py_zero_bytes) continue ;; esac
    timeout 60 "$tool" convert "$run" "$work/$name" --format bcsv 2>/dev/null
    for codec in "zoh packet" "flat packet-lz4"; do
        out=$work/${name}_${codec// /_}
        timeout 60 "$tool" convert "$run" "$out/" --row-codec "${codec% *}" --file-codec "${codec#* }" 2>/dev/null
        timeout 120 "$python" "$root/Tests/python/run.py" "$out"
    done
    timeout 120 "$python" "$root/Tests/python/run.py" "$work/$name"
    count=$((count + 3))
done

printf 'tick,a.x,a.y,b\n5,1,-1,0.5\n7,2,-2,nan\n13,3,-3,1e300\n' >"$work/table.csv"
timeout 60 "$tool" convert "$work/table.csv" "$work/table/" 2>/dev/null
timeout 120 "$python" "$root/Tests/python/run.py" "$work/table" | grep '3 rows in 1 files, 0 events, 4 losses of 8 samples'
echo "$((count + 1)) converted runs"
