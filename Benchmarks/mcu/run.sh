#!/bin/sh
# Counts the instructions that a Cortex-M4F executes for each channel and sample, under QEMU. The numbers repeat exactly,
# whatever else this machine does: (instructions for 2N ticks) - (for N ticks), divided by N and by the channels.
#   run.sh [N]     N: ticks, default 160
set -eu
typical=0
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

printf '### Instructions for each channel and sample on Cortex-M4F\n\n'
printf '1000 float channels polled every tick, service every fourth tick (%s to %s ticks). Aims, tick and service together:\n' "$n" $((2 * n))
printf 'idle 8, 10 %% change with LZ4 16, all change flat with LZ4 44.\n\n'
printf '| signals | row codec | tick | service, packet | service, packet-lz4 | together, packet | together, packet-lz4 |\n'
printf '|---|---|---|---|---|---|---|\n'
for mode in idle tenth all; do
    none=$(each_tick $mode zoh packet none)
    tick=$(each_tick $mode zoh packet tick)
    case $mode in idle) name=idle ;; tenth) name='10 % change' ;; all) name='all change' ;; esac
    for row in zoh z- flat; do
        case $row in z-) codec='zoh, no tick column' ;; *) codec=$row ;; esac
        packet=$(each_tick $mode $row packet all)
        lz4=$(each_tick $mode $row lz4 all)
        awk -v name="$name" -v codec="$codec" -v none="$none" -v tick="$tick" -v packet="$packet" -v lz4="$lz4" 'BEGIN {
            printf "| %s | %s | %.2f | %.2f | %.2f | %.2f | %.2f |\n", name, codec, (tick - none) / 1000,
                (packet - tick) / 1000, (lz4 - tick) / 1000, (packet - none) / 1000, (lz4 - none) / 1000 }'
        case $mode-$row in tenth-zoh) typical=$((lz4 - none)) ;; esac
    done
done

awk -v typical="$typical" 'BEGIN {
    printf "\n1000 channels at 10 kHz leave %.1f cycles for each sample on a 216 MHz STM32F7 and %.1f on a 168 MHz STM32F4; at 10 %% change",
        216e6 / 1e7, 168e6 / 1e7
    printf " tick and service take %.2f instructions with LZ4. These are instructions: QEMU has no cycle model.\n", typical / 1000 }'
# Of the BMS: N more calls, with the loop around them.
calls=1000
"$root/Cross/cc.sh" cortex-m4f "$build/bench/packets.elf" "$root/Tests/firmware/packets.c"
channels=$program program=$build/bench/packets.elf
diff=$((($(count $((2 * calls))) - $(count $calls)) / calls))
record=$((($(count $((2 * calls)) buffer) - $(count $calls buffer)) / calls))
program=$channels
printf '\nA BMS packet of 16 words is built with %s instructions; a record of 84 bytes goes into a log buffer and out of it with %s.\n' "$diff" "$record"
printf '\n### Memory and flash\n\nRun memory in bytes for 1000 float channels with a ring of eight rows (aim 65536):\n\n'
for row in zoh flat; do
    for file in packet lz4; do
        printf '    %-4s %-6s  ' $row $file
        "$root/Cross/run.sh" cortex-m4f "$program" idle $row $file 0 size
    done
done

# What of the firmware is ours: the code and constants that come from the archive, by the linker's map.
printf '\nCode and constants in flash in bytes, by origin; both formats are always linked (aim for TickLog and lz4: 49152):\n\n'
"$root/Benchmarks/mcu/flash.sh" "$program.map"
