#!/bin/sh
# build-lz4.sh TARGET: compiles lz4.c to build/TARGET/lz4.o and, for Linux, lz4hc.c to lz4hc.o and lz4.c to lz4table.o.
set -eu
. "$(dirname -- "$0")/targets.sh"
target "${1:?usage: build-lz4.sh TARGET}"
"$root/Cross/fetch-lz4.sh"

out=$build/$1/lz4.o
[ "$out" -nt "$build/lz4/source/lz4hc.c" ] && [ "$out" -nt "$0" ] && exit 0
# On Cortex-M flash counts: -Os is a sixth smaller.
case $1 in cortex-*) optimise=-Os ;; *) optimise=-O2 ;; esac
mkdir -p "$build/$1"
# LZ4_MEMORY_USAGE=12: the hash table of a stream takes 4 KB, not 16 KB. The SDK tells Swift the same, and all targets have
# the same, as the table's size decides which matches are found.
# LZ4_FREESTANDING: the functions that allocate are left out; memcpy, memmove and memset are all that it needs.
compile() { # FILE OUT FLAGS...
    file=$1 object=$2
    shift 2
    # shellcheck disable=SC2086
    "${prefix}gcc" $cflags $optimise -std=c99 -Wall -ffunction-sections -fdata-sections "$@" \
        -DLZ4_FREESTANDING=1 -DLZ4_memcpy=__builtin_memcpy -DLZ4_memmove=__builtin_memmove \
        '-DLZ4_memset=__builtin_memset' -DLZ4HC_HEAPMODE=0 -I "$build/lz4/source" -c "$build/lz4/source/$file" -o "$object"
}
case $1 in linux-*)
    # HC, which needs 256 KB of memory, and with the highest levels 64 KB of stack, is for Linux only.
    compile lz4hc.c "$build/$1/lz4hc.o" -DLZ4_MEMORY_USAGE=12
    # Tables, whose bytes need not be the same everywhere, have a copy with lz4's own hash table: it finds more. Only the
    # names that CLZ4/shim.h knows are visible.
    names= keep=
    for function in LZ4_initStream LZ4_resetStream_fast LZ4_compress_fast_continue LZ4_loadDict \
        LZ4_saveDict LZ4_compress_fast_extState LZ4_sizeofState; do
        names="$names -D$function=table_$function" keep="$keep --keep-global-symbol=table_$function"
    done
    # shellcheck disable=SC2086
    compile lz4.c "$build/$1/lz4table.o" -DLZ4_MEMORY_USAGE=14 -DTICKLOG_HASH5=1 $names
    # shellcheck disable=SC2086
    "${prefix}objcopy" $keep "$build/$1/lz4table.o"
    ;;
esac
compile lz4.c "$out" -DLZ4_MEMORY_USAGE=12 -DTICKLOG_HASH5=0
