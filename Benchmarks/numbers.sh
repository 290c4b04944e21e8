#!/bin/bash
# Runs the benchmarks and puts what they print into README.md, between the marks.
#     Benchmarks/numbers.sh [numbers] [tables] [dlf] [receive] [serve]      all unless told: the logger's, tables
#     beside pybcsv, reading DLF, the receiver, the BMS server
set -eu
root=$(cd "$(dirname -- "$0")/.." && pwd)
cd "$root"
[ $# -gt 0 ] || set -- numbers tables dlf receive serve
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
Cross/build.sh linux-x86_64
for part; do
    case $part in
    numbers)
        Cross/build.sh cortex-m4f
        {
            Benchmarks/mcu/run.sh
            echo
            Benchmarks/host/run.sh
        } >"$printed" ;;
    tables)
        swift build -c release --product ticklog -q
        Benchmarks/bcsv/run.sh >"$printed" ;;
    dlf)
        swift build -c release --product ticklog -q
        Benchmarks/dlf/run.sh >"$printed" ;;
    receive)
        swift build -c release --product ticklog -q
        work=$(mktemp -d)
        { echo '```'; .build/release/ticklog bench crc32c queue receive --loss-seconds 60 --out "$work"; echo '```'; } >"$printed"
        rmdir "$work" ;;
    serve)
        swift build -c release --product ticklog -q
        work=$(mktemp -d)
        { echo '```'; .build/release/ticklog bench serve --seconds 3 --out "$work"; echo '```'; } >"$printed"
        rmdir "$work" ;;
    *) exit 64 ;;
    esac
    cat "$printed"
    awk -v file="$printed" -v begin="<!-- $part: begin -->" -v end="<!-- $part: end -->" '
    $0 == begin { print; print ""; while ((getline line < file) > 0) print line; print ""; inside = 1; next }
    $0 == end { inside = 0 }
    !inside { print }' README.md >README.md.new
    mv README.md.new README.md
done
