#!/bin/sh
# build-lz4.sh TARGET: compiles lz4.c to build/TARGET/lz4.o and, for Linux, lz4hc.c to lz4hc.o and lz4.c once more to
# lz4-tables.o.
set -eu
. "$(dirname -- "$0")/targets.sh"
target "${1:?usage: build-lz4.sh TARGET}"
"$root/Cross/fetch-lz4.sh"

out=$build/$1/lz4.o
[ "$out" -nt "$build/lz4/source/lz4-original.c" ] && [ "$out" -nt "$0" ] && exit 0
# On Cortex-M flash counts: -Os is a sixth smaller.
case $1 in cortex-*) optimise=-Os ;; *) optimise=-O2 ;; esac
mkdir -p "$build/$1"
# LZ4_MEMORY_USAGE=12: the hash table of a stream takes 4 KB, not 16 KB. The SDK tells Swift the same, and all targets have
# the same, as the table's size decides which matches are found.
# LZ4_FREESTANDING: the functions that allocate are left out; memcpy, memmove and memset are all that it needs.
compile() { # FILE OUT OPTIONS...
    file=$1 object=$2
    shift 2
    # shellcheck disable=SC2086
    $cc $cflags $optimise -std=c99 -Wall -ffunction-sections -fdata-sections \
        -DLZ4_FREESTANDING=1 -DLZ4_memcpy=__builtin_memcpy -DLZ4_memmove=__builtin_memmove \
        '-DLZ4_memset=__builtin_memset' -DLZ4HC_HEAPMODE=0 -I "$build/lz4/source" "$@" -c "$file" -o "$object"
}
case $1 in
linux-*)
    # HC, which needs 256 KB of memory, and with the highest levels 64 KB of stack, is for Linux only.
    compile "$build/lz4/source/lz4hc.c" "$build/$1/lz4hc.o" -DLZ4_MEMORY_USAGE=12
    # Tables on Linux have memory: with a larger hash table their files are a third smaller. Only its functions of other
    # names (Sources/CLZ4/tables.h) are seen from outside.
    compile "$root/Cross/lz4-tables.c" "$build/$1/lz4-tables.o" -DLZ4_MEMORY_USAGE=15 -I "$root/Sources/CLZ4"
    "${prefix}objcopy" -G tables_lz4_state_bytes -G tables_lz4_init -G tables_lz4_reset -G tables_lz4_load \
        -G tables_lz4_save -G tables_lz4_compress "$build/$1/lz4-tables.o"
    ;;
esac
compile "$build/lz4/source/lz4.c" "$out" -DLZ4_MEMORY_USAGE=12
