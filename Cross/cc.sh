#!/bin/sh
# cc.sh TARGET OUT SOURCES... [-- FLAGS...]: compiles C sources and links them with build/TARGET/libticklog.a, and on Linux
# with libticklog-host.a in front of it.
# TARGET `host` is plain gcc and the archive of linux-x86_64. Cortex-M programs get Examples/firmware/start.c and a linker
# script: that of QEMU's MPS2 boards, or with MACHINE=netduinoplus2, stm32f4 or stm32f7 that of the chip.
set -eu
. "$(dirname -- "$0")/targets.sh"
[ $# -ge 3 ] || { echo "usage: cc.sh TARGET OUT SOURCES... [-- FLAGS...]" >&2; exit 64; }
name=$1 out=$2
shift 2
[ "$name" != host ] || name=linux-x86_64
target "$name"
library=$build/$name/libticklog.a
case $name in linux-*) library="$build/$name/libticklog-host.a $library" ;; esac
for archive in $library; do
    [ -f "$archive" ] || { echo "$archive is missing: Cross/build.sh $name makes it" >&2; exit 1; }
done

firmware=$root/Examples/firmware
sources= flags=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    sources="$sources $1"
    shift
done
[ $# -eq 0 ] || shift
flags="$*"
mkdir -p "$(dirname -- "$out")"

# shellcheck disable=SC2086
case $name in
cortex-*)
    case ${MACHINE:-mps2} in
    mps2*) script=$firmware/mps2.ld ;;
    netduinoplus2 | stm32f4) script=$root/Examples/stm32f4/stm32f4.ld ;;
    stm32f7) script=$root/Examples/stm32f7/stm32f7.ld ;;
    *) echo "MACHINE=$MACHINE: no linker script" >&2; exit 64 ;;
    esac
    start=$firmware/start.c
    if grep -q '<stdio.h>' $sources; then start="$start $firmware/stdio.c"; fi
    exec $cc $cflags -std=c11 -O2 -g -Wall -Wextra -Wpedantic -Werror -ffunction-sections -fdata-sections \
        -I "$build/$name/include" -I "$firmware" $sources $start $flags "$library" --specs=rdimon.specs \
        -nostartfiles -L "$firmware" -T "$script" -Wl,--gc-sections -Wl,--no-warn-execstack -Wl,-Map="$out.map" -o "$out"
    ;;
*)
    exec $cc $cflags -std=c11 -O2 -g -Wall -Wextra -Wpedantic -Werror -ffunction-sections -fdata-sections \
        -I "$build/$name/include" $sources $flags $library -pthread -lm -Wl,--gc-sections -o "$out"
    ;;
esac
