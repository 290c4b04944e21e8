#!/bin/sh
# How we know that DLF works: random runs through the C API against what really happened, as the C reader and an
# independent one tell it; runs as dlflib writes them; every length and every bit of a header.
#     Tests/dlf.sh [RUNS [SEED]]       100 runs, of a seed that it prints; needs Cross/build.sh linux-x86_64
#     TICKLOG=... Tests/dlf.sh         the command as well, on the runs as dlflib writes them
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/Tests/python/setup.sh"
runs=${1:-100} seed=${2:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
"$root/Cross/cc.sh" linux-x86_64 "$work/write" "$root/Tests/dlf/write.c" "$root/Tests/dlf/observe.c"
for program in read torn; do "$root/Cross/cc.sh" linux-x86_64 "$work/$program" "$root/Tests/dlf/$program.c"; done
python=$root/.venv/bin/python
code=0
echo "dlf: $runs runs, seed $seed"
mkdir "$work/runs" "$work/vectors"
timeout 120 "$work/write" "$work/runs" "$seed" "$runs" || code=1
timeout 600 "$python" "$root/Tests/dlf/check.py" "$work/runs" "$work/read" || code=1
timeout 300 "$python" "$root/Tests/dlf/vectors.py" "$work/read" "$work/vectors" ${TICKLOG:+"$TICKLOG"} || code=1
find "$work/vectors" "$root/Tests/Vectors/dlf" "$work/runs" -name '*.dlf' -size -2k | LC_ALL=C sort >"$work/list"
timeout 300 "$work/torn" <"$work/list" || code=1
exit $code
