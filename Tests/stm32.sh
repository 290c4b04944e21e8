#!/bin/bash
# The examples for microcontrollers, built from a bundle with arm-none-eabi-gcc alone: no Swift is found in this test. By make
# and by CMake, with newlib and picolibc; run under QEMU; the runs are the same bytes, and the command opens them.
#
#     Tests/stm32.sh [BUNDLE]      without one, it is made of build/cortex-m4f and build/cortex-m7f
#
# TICKLOG: the command of the PC; default: the debug build
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/Cross/install.sh" > /dev/null

if [ $# -gt 0 ]; then
    cp -a "$1" "$work/bundle"
else
    "$root/Packaging/bundle.sh" "$work/bundle" cortex-m4f cortex-m7f > "$work/log" || { cat "$work/log"; exit 1; }
fi
ticklog=${TICKLOG:-$root/.build/debug/ticklog}
[ -n "${TICKLOG:-}" ] || "$root/Tests/built.sh"
. "$root/Tests/without-swift.sh"
without_swift "$work/bin"
command -v arm-none-eabi-gcc > /dev/null

bad=0
fail() { echo "FAILED  $*"; bad=$((bad + 1)); }
runs=$work/runs
mkdir -p "$runs"
examples=$work/bundle/Examples

run() { # LABEL CORE-MACHINE EXAMPLE ARGUMENTS OPTIONS...: make, run, and look at the run
    local label=$1 example=$2 arguments=$3
    shift 3
    mkdir -p "$runs/$label"
    if make -s -C "$examples/$example" run RUN_IN="$runs/$label" ARGUMENTS="$arguments" TIME_LIMIT=60 "$@" > "$work/log" 2>&1; then
        echo "ok      $label: $(tr -d '\r' < "$work/log" | grep '^run ')"
    else
        fail "$label"
        tail -5 "$work/log"
    fi
}

for libc in newlib picolibc; do
    run "f4-mps2-$libc" stm32f4 "1500 . run" BOARD=mps2 LIBC=$libc
    run "f4-netduinoplus2-$libc" stm32f4 "1500 . run" BOARD=stm32f4 LIBC=$libc
    run "f7-mps2-$libc" stm32f7 "2500 . run" BOARD=mps2 LIBC=$libc
    # There is no STM32F7 in QEMU: it is linked for the chip, and not run.
    make -s -C "$examples/stm32f7" BOARD=stm32f7 LIBC=$libc > "$work/log" 2>&1 || { fail "f7-chip-$libc"; cat "$work/log"; }
done

# The C library must not be seen in the files, nor the board's clock.
for pair in "f4-mps2-newlib f4-mps2-picolibc" "f4-mps2-newlib f4-netduinoplus2-newlib" \
    "f4-mps2-newlib f4-netduinoplus2-picolibc" "f7-mps2-newlib f7-mps2-picolibc"; do
    # shellcheck disable=SC2086
    set -- $pair
    if diff -r "$runs/$1/run" "$runs/$2/run" > "$work/log" 2>&1; then
        echo "ok      $1 and $2: the same bytes"
    else
        fail "$1 and $2 differ"
        cat "$work/log"
    fi
done

for label in f4-mps2-newlib f7-mps2-picolibc; do
    if timeout 60 "$ticklog" validate "$runs/$label/run" > "$work/log" 2>&1; then
        echo "ok      $label: $(tail -1 "$work/log" | cut -c 1-100)"
    else
        fail "$label: the command does not accept the run"
        tail -5 "$work/log"
    fi
done

# By CMake, the other way to build the same.
for libc in newlib picolibc; do
    for example in stm32f4 stm32f7 freertos; do
        if cmake -S "$examples/$example" -B "$work/cmake-$example-$libc" --toolchain "$examples/firmware/arm-none-eabi.cmake" \
            -DLIBC=$libc -DBOARD=mps2 > "$work/log" 2>&1 && cmake --build "$work/cmake-$example-$libc" >> "$work/log" 2>&1; then
            echo "ok      CMake: $example with $libc"
        else
            fail "CMake: $example with $libc"
            tail -8 "$work/log"
        fi
    done
done

# FreeRTOS's tasks on the stand-in's scheduler: the program tells how often the sampler interrupted the writer.
for libc in newlib picolibc; do
    run "freertos-mps2-$libc" freertos "1000 . run" BOARD=mps2 LIBC=$libc
    run "freertos-stm32f4-$libc" freertos "1000 . run" BOARD=stm32f4 LIBC=$libc
done
run freertos-m7 freertos "1000 . run" BOARD=mps2 CORE=m7f
if timeout 60 "$ticklog" validate "$runs/freertos-mps2-newlib/run" > "$work/log" 2>&1; then
    echo "ok      freertos: $(tail -1 "$work/log" | cut -c 1-100)"
else
    fail "freertos: the command does not accept the run"
    tail -5 "$work/log"
fi

# Nothing of it has an allocator, whatever the C library.
if "$work/bundle/Cross/check-firmware.sh" "$examples"/*/build/*.elf "$work"/cmake-*/*.elf > "$work/log" 2>&1; then
    echo "ok      no allocator in $(grep -c 'no allocator' "$work/log") programs"
else
    fail "check-firmware"
    tail -5 "$work/log"
fi
echo "$bad failed"
[ "$bad" = 0 ]
