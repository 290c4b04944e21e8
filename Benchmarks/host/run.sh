#!/bin/sh
# The host's numbers: growth of idle channels, stalls survived, cost of an event. Needs Cross/build.sh linux-x86_64.
set -eu
root=$(cd "$(dirname -- "$0")/../.." && pwd)
out=$root/build/bench
mkdir -p "$out"
"$root/Cross/cc.sh" linux-x86_64 "$out/host" "$root/Benchmarks/host/host.c"
printf '### Idle growth: 1000 float channels at 10 kHz\n\n'
"$out/host" growth
printf '\n### Storage stalls survived: 1000 float channels at 1 kHz, ZoH, packet-LZ4\n\n'
"$out/host" stall
printf '\n### One event of 16 bytes, on a queue of its own (a shared x86_64 machine)\n\n'
"$out/host" emit
