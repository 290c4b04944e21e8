#!/bin/bash
# Runs the benchmarks and puts what they print into README.md, or docs/PORTING.md, between the marks.
#     Benchmarks/numbers.sh [numbers] [tables] [dlf] [receive] [serve] [formats] [python] [footprint]      all unless told: the logger's,
#     tables beside pybcsv, reading DLF, the receiver, the BMS server, Parquet, RNO-G packets and the log buffer; flash,
#     memory and stack on Cortex-M
set -eu
root=$(cd "$(dirname -- "$0")/.." && pwd)
cd "$root"
[ $# -gt 0 ] || set -- numbers tables dlf receive serve formats python footprint
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
bench() { # NAME... OPTION...
    local work
    swift build -c release --product ticklog -q
    work=$(mktemp -d)
    { echo '```'; .build/release/ticklog bench "$@" --out "$work"; echo '```'; } >"$printed"
    rmdir "$work"
}

for part; do
    page=README.md
    case $part in
    numbers)
        Cross/build.sh linux-x86_64
        Cross/build.sh cortex-m4f
        {
            Benchmarks/mcu/run.sh
            echo
            Benchmarks/host/run.sh
        } >"$printed" ;;
    tables)
        Cross/build.sh linux-x86_64
        swift build -c release --product ticklog -q
        Benchmarks/bcsv/run.sh >"$printed" ;;
    dlf)
        Cross/build.sh linux-x86_64
        swift build -c release --product ticklog -q
        Benchmarks/dlf/run.sh >"$printed" ;;
    receive) bench crc32c queue receive --loss-seconds 60 ;;
    serve) bench serve --seconds 3 ;;
    python)
        Cross/build.sh linux-x86_64
        Benchmarks/python/run.sh >"$printed" ;;
    formats) bench parquet rnog logbuffer ;;
    footprint)
        Cross/build.sh cortex-m4f
        Cross/build.sh cortex-m7f
        page=docs/PORTING.md
        Benchmarks/mcu/footprint.sh >"$printed" ;;
    *) exit 64 ;;
    esac
    cat "$printed"
    awk -v file="$printed" -v begin="<!-- $part: begin -->" -v end="<!-- $part: end -->" '
    $0 == begin { print; print ""; while ((getline line < file) > 0) print line; print ""; inside = 1; next }
    $0 == end { inside = 0 }
    !inside { print }' "$page" >"$page.new"
    mv "$page.new" "$page"
done
