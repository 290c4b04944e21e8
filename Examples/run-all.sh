#!/bin/sh
# Builds and runs every example, on every target that it is for, and fails if one of them fails. Needs `make cross`. The
# runs that they write stay in build/examples.
set -eu
root=$(cd "$(dirname -- "$0")/.." && pwd)
build=${BUILD_DIR:-$root/build}
out=$build/examples
cc=$root/Cross/cc.sh run=$root/Cross/run.sh here=$root/Examples
rm -rf "$out"
mkdir -p "$out"
cd "$out" # a Cortex-M program's command line is short

semihosting="$here/storage/semihosting.c -- -I $here/storage"
# shellcheck disable=SC2086
{
    "$cc" cortex-m4f stm32f4.elf "$here/stm32f4/main.c" $semihosting
    "$run" cortex-m4f stm32f4.elf 2000 . m4
    MACHINE=netduinoplus2 "$cc" cortex-m4f stm32f405.elf "$here/stm32f4/main.c" $semihosting -DCORE_HZ=168000000u
    MACHINE=netduinoplus2 "$run" cortex-m4f stm32f405.elf 2000 . m4-stm32f405
    "$cc" cortex-m7f stm32f7.elf "$here/stm32f7/main.c" $semihosting
    "$run" cortex-m7f stm32f7.elf 5000 . m7
    MACHINE=stm32f7 "$cc" cortex-m7f stm32f767.elf "$here/stm32f7/main.c" $semihosting -DCORE_HZ=216000000u
}
"$root/Cross/check-firmware.sh" stm32f4.elf stm32f405.elf stm32f7.elf stm32f767.elf

for target in host linux-aarch64 linux-armv7; do
    for example in posix-logger rotation; do "$cc" $target $target-$example "$here/$example/main.c"; done
    "$run" $target $target-posix-logger . 2
    "$run" $target $target-rotation . 3 $target
    standin=$here/storage/fatfs-standin
    "$cc" $target $target-fatfs "$standin/main.c" "$standin/ff.c" "$here/storage/fatfs.c" -- -I "$here/storage" -I "$standin"
    rm -rf RUN1
    "$run" $target $target-fatfs . RUN1
done
echo "all examples ran"
