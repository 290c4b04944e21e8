#!/bin/sh
# What reading DLF costs: a sample at a random tick, going through a file, conversion of a run to BCSV. Needs
# Cross/build.sh linux-x86_64; the command is measured if it is built (swift build -c release --product ticklog).
#     Benchmarks/dlf/run.sh [--quick]      the files are made in a temporary directory; the largest has 1 GB
set -eu
root=$(cd "$(dirname -- "$0")/../.." && pwd)
out=$root/build/bench
mkdir -p "$out"
"$root/Cross/cc.sh" linux-x86_64 "$out/dlf" "$root/Benchmarks/dlf/bench.c" -- -O2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bench() { timeout 300 "$out/dlf" "$@"; }

sizes="10 100 1000" large=200
if [ "${1:-}" = --quick ]; then sizes="1 10" large=20; fi

free=$(df -Pk "$work" | awk 'NR == 2 { print int($4 / 1024) }')
memory=$(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
printf '### The sample at a random tick: 20 streams of 4 to 64 bytes, mapped and in memory (a shared x86_64 machine)\n\n'
printf '| file | ns for each |\n|---|---|\n'
for megabytes in $sizes; do
    if [ "$((megabytes + 200))" -gt "$free" ] || [ "$((megabytes + 200))" -gt "$memory" ]; then
        printf '| %s MB | not measured: too little room |\n' "$megabytes"
        continue
    fi
    bench make "$work/polled.dlf" "${megabytes}000000" mixed
    printf '| %s MB | %s |\n' "$megabytes" "$(bench at "$work/polled.dlf")"
    rm "$work/polled.dlf"
done

printf '\n### All samples, one after the other, handed out as bytes\n\n'
printf '| streams | GB/s | million samples/s |\n|---|---|---|\n'
row() {
    bench make "$work/polled.dlf" "${large}000000" "$1"
    # shellcheck disable=SC2046
    printf '| %s | %s | %s |\n' "$2" $(bench next "$work/polled.dlf")
}
row wide '1 of 64 bytes, every tick'
row every '40 of 4 to 64 bytes, every tick'
row small '20 of 4 bytes, every 1 to 100 ticks'
row mixed '20 of 4 to 64 bytes, every 1 to 100 ticks'
for stream in '2 64-byte_one,_every_2_ticks' '0 4-byte_one,_every_tick'; do
    # shellcheck disable=SC2046
    printf '| of these only the %s | %s | %s |\n' "$(echo "${stream#* }" | tr _ ' ')" \
        $(bench read "$work/polled.dlf" "${stream%% *}")
done

ticklog=$root/.build/release/ticklog
[ -x "$ticklog" ] || exit 0
printf '\n### A run to BCSV, by the command: 20 streams, structures among them, values that change slowly\n\n'
printf '| codecs | s | million samples/s | of the size of polled.dlf |\n|---|---|---|---|\n'
mkdir "$work/run"
bench make "$work/run/polled.dlf" "$((large / 2))000000" values
bench meta "$work/run/meta.dlf"
printf '\024\204\001\000\000\000\000\000\000\000\000\000\000' >"$work/run/event.dlf"
samples=$("$ticklog" info --json "$work/run/polled.dlf" | sed -n 's/.*"samples": *\([0-9]*\).*/\1/p' | head -n 1)
[ -n "$samples" ] || samples=0
for codecs in "" "--row-codec delta --file-codec batch --level 1" "--row-codec delta --file-codec packet" \
    "--row-codec zoh --file-codec packet-lz4 --level 1" "--row-codec flat --file-codec packet"; do
    start=$(date +%s.%N)
    # shellcheck disable=SC2086
    timeout 300 "$ticklog" convert "$work/run" "$work/run.bcsv" --force $codecs
    end=$(date +%s.%N)
    awk -v start="$start" -v end="$end" -v samples="$samples" -v name="${codecs:-as the command chooses}" \
        -v from="$(wc -c <"$work/run/polled.dlf")" -v to="$(wc -c <"$work/run.bcsv")" \
        'BEGIN { printf "| %s | %.2f | %.1f | %.0f %% |\n", name, end - start, samples / (end - start) / 1e6, 100 * to / from }'
done
