#!/bin/sh
# run.sh TARGET EXE [ARGS...]: runs a program of a target here. Its exit code is the program's (124: TIME_LIMIT).
#   TIME_LIMIT  seconds, default 120
#   MACHINE     Cortex-M: mps2 (default; an386 for the M4F, an500 for the M7F), netduinoplus2 (M4F, an STM32F405)
#   ICOUNT      Cortex-M: QEMU's -icount, such as shift=3: virtual time then follows instructions, and repeats exactly
#   PLUGIN      a QEMU plugin, such as one that counts instructions
# Files that a Cortex-M program writes by semihosting are relative to the current directory.
set -eu
. "$(dirname -- "$0")/targets.sh"
[ $# -ge 2 ] || { echo "usage: run.sh TARGET EXE [ARGS...]" >&2; exit 64; }
name=$1 program=$2
shift 2
[ "$name" != host ] || name=linux-x86_64
target "$name"
case $program in /*) ;; *) program=$PWD/$program ;; esac
limit="timeout ${TIME_LIMIT:-120}"
plugin=${PLUGIN:+-plugin $PLUGIN}

# shellcheck disable=SC2086
case $name in
linux-x86_64)
    if [ -n "$plugin" ]; then
        exec $limit qemu-x86_64 $plugin "$program" "$@" </dev/null
    fi
    exec $limit "$program" "$@" </dev/null ;;
linux-aarch64) exec $limit qemu-aarch64 -L "$system" $plugin "$program" "$@" </dev/null ;;
linux-armv7) exec $limit qemu-arm -L "$system" $plugin "$program" "$@" </dev/null ;;
esac
machine=${MACHINE:-mps2}
case $name-$machine in
cortex-m4f-mps2) machine=mps2-an386 ;;
cortex-m7f-mps2) machine=mps2-an500 ;;
cortex-m4f-stm32f4) machine=netduinoplus2 ;;
esac
semihosting=enable=on,target=native,chardev=console
for word in "$(basename -- "$program")" "$@"; do
    semihosting=$semihosting,arg=$(printf %s "$word" | sed 's/,/,,/g')
done
# shellcheck disable=SC2086
exec $limit qemu-system-arm -M "$machine" -display none -monitor none -serial none -chardev stdio,id=console,signal=on \
    -semihosting-config "$semihosting" \
    ${ICOUNT:+-icount $ICOUNT} $plugin -kernel "$program" </dev/null
