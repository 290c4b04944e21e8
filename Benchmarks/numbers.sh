#!/bin/bash
# Runs the benchmarks and puts what they print into README.md, between the marks.
set -eu
root=$(cd "$(dirname -- "$0")/.." && pwd)
cd "$root"
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
Cross/build.sh cortex-m4f
Cross/build.sh linux-x86_64
swift build -c release --product ticklog -q
{
    Benchmarks/mcu/run.sh
    echo
    Benchmarks/host/run.sh
    echo
    Benchmarks/bcsv/run.sh
} >"$printed"
cat "$printed"
awk -v file="$printed" '
/<!-- numbers: begin -->/ { print; print ""; while ((getline line < file) > 0) print line; print ""; inside = 1; next }
/<!-- numbers: end -->/ { inside = 0 }
!inside { print }' README.md >README.md.new
mv README.md.new README.md
