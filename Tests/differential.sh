#!/bin/sh
# The table writer and the readers against pybcsv, the independent reader, cuts, flipped bits and files that lie.
#     Tests/differential.sh [CASES [SEED]]       300 random tables; needs Cross/build.sh linux-x86_64
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/Tests/python/setup.sh"
for program in read write enumerate hostile states; do
    "$root/Cross/cc.sh" linux-x86_64 "$work/$program" "$root/Tests/differential/$program.c"
done
python=$root/.venv/bin/python
code=0
"$python" "$root/Tests/differential/run.py" "$work" "${1:-300}" ${2:+"$2"} || code=1
"$python" "$root/Tests/differential/hostile.py" "$work/hostile" || code=1
"$work/states" "$work" || code=1
"$python" "$root/Tests/differential/enumerations.py" "$work/enumerate" cuts || code=1
"$python" "$root/Tests/differential/enumerations.py" "$work/enumerate" flips || code=1
exit $code
