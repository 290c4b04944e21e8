#!/bin/sh
# Counts the instructions that a Cortex-M4F executes for each channel and sample, under QEMU. The numbers repeat exactly,
# whatever else this machine does: (instructions for 2N ticks) - (for N ticks), divided by N and by the channels.
#   run.sh [N]     N: ticks, default 160
set -eu
root=$(cd "$(dirname -- "$0")/../.." && pwd)
build=${BUILD_DIR:-$root/build}
library=$build/cortex-m4f/libticklog.a
[ -f "$library" ] || "$root/Cross/build.sh" cortex-m4f
n=${1:-160}
program=$build/bench/channels.elf
mkdir -p "$build/bench"
gcc -O2 -shared -fPIC "$root/Benchmarks/mcu/insn.c" -o "$build/bench/insn.so"
"$root/Cross/cc.sh" cortex-m4f "$program" "$root/Benchmarks/mcu/channels.c"

count() { # instructions of: MODE ROW FILE TICKS WHAT
    PLUGIN=$build/bench/insn.so "$root/Cross/run.sh" cortex-m4f "$program" "$@" 2>&1 |
        awk -F= '/^insns=/ { n = $2; next } { print > "/dev/stderr"; bad = 1 } END { if (bad || n == "") exit 1; print n }'
}
each_tick() { # instructions of one tick: MODE ROW FILE WHAT
    one=$(count "$1" "$2" "$3" "$n" "$4")
    two=$(count "$1" "$2" "$3" $((2 * n)) "$4")
    echo $(((two - one) / n))
}

printf 'Instructions for each channel and sample, 1000 float channels, Cortex-M4F (%s to %s ticks)\n\n' "$n" $((2 * n))
printf '| signals | tick | service: zoh packet | zoh packet-lz4 | flat packet | flat packet-lz4 |\n|---|---|---|---|---|---|\n'
for mode in idle tenth all; do
    none=$(each_tick $mode zoh packet none)
    tick=$(each_tick $mode zoh packet tick)
    case $mode in idle) name=idle ;; tenth) name='10 % change' ;; all) name='all change' ;; esac
    printf '| %s | %s |' "$name" "$(awk "BEGIN { printf \"%.2f\", ($tick - $none) / 1000 }")"
    for row in zoh flat; do
        for file in packet lz4; do
            total=$(each_tick $mode $row $file all)
            printf ' %s |' "$(awk "BEGIN { printf \"%.2f\", ($total - $tick) / 1000 }")"
        done
    done
    printf '\n'
done

printf '\nMemory (bytes), with a ring of eight rows:\n\n'
for row in zoh flat; do
    for file in packet lz4; do
        printf '    %-4s %-6s  ' $row $file
        "$root/Cross/run.sh" cortex-m4f "$program" idle $row $file 0 size
    done
done

# What of the firmware is ours: the code and constants that come from the archive, by the linker's map.
printf '\nCode and constants in flash (bytes), by origin:\n\n'
"$root/Benchmarks/mcu/flash.sh" "$program.map"
