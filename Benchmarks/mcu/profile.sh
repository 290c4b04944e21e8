#!/bin/sh
# profile.sh MODE ROW_CODEC FILE_CODEC N WHAT: where channels.elf (see run.sh, which makes it) executes its instructions:
# instructions for each channel and sample, by function.
set -eu
root=$(cd "$(dirname -- "$0")/../.." && pwd)
build=${BUILD_DIR:-$root/build}
gcc -O2 -shared -fPIC "$root/Benchmarks/mcu/profile.c" -o "$build/bench/profile.so"

blocks() { # FACTOR MODE ROW FILE N WHAT
    factor=$1
    shift
    PLUGIN=$build/bench/profile.so "$root/Cross/run.sh" cortex-m4f "$build/bench/channels.elf" "$@" 2>&1 |
        awk -v factor="$factor" '$1 == "block" { print $2, 1, $3 * factor }'
}
# What N ticks more execute, so that setting up is not in it.
{
    arm-none-eabi-nm "$build/bench/channels.elf" | awk '$2 ~ /[tTwW]/ { print $1, 0, $3 }'
    blocks -1 "$1" "$2" "$3" "$4" "$5"
    blocks 1 "$1" "$2" "$3" $((2 * $4)) "$5"
} | LC_ALL=C sort -k1,1 -k2,2n | awk -v n="$4" '$2 == 0 { name = $3; next } { executed[name] += $3 }
    END { for (name in executed) printf "%9.2f  %s\n", executed[name] / n / 1000, name }' | sort -rn |
    head -n "${LINES_SHOWN:-12}" | swift demangle --simplified 2>/dev/null
