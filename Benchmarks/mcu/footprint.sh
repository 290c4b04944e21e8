#!/bin/bash
# What a firmware pays: flash by what it calls, memory of loggers and runs, and stack of the functions, on Cortex-M4F and M7F.
# Prints Markdown, which Benchmarks/numbers.sh puts into docs/PORTING.md. None of it depends on this machine's speed; QEMU runs
# stack.c.
set -eu
root=$(cd "$(dirname -- "$0")/../.." && pwd)
build=${BUILD_DIR:-$root/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
targets="cortex-m4f cortex-m7f"
for target in $targets; do
    [ -f "$build/$target/libticklog.a" ] || "$root/Cross/build.sh" "$target" >&2
    "$root/Cross/cc.sh" "$target" "$work/stack-$target" "$root/Benchmarks/mcu/stack.c"
    "$root/Cross/run.sh" "$target" "$work/stack-$target" | tr -d '\r' >"$work/stack-$target.txt"
    "$root/Cross/run.sh" "$target" "$work/stack-$target" sizes | tr -d '\r' >"$work/sizes-$target.txt"
done

logger="logger_size logger_init add run_size start tick emit service stop run_name"
parts="
A logger, BCSV and DLF: every row and file codec|$logger
... with notes, times, flush and statistics|$logger note set_time flush statistics statistics_of status_text
Tables: writing BCSV rows of your own|table_size table_create write_row table_flush table_close
A BCSV reader|reader_size reader_open reader_next reader_value reader_seek reader_column
Frames: building|frame_build chunk_build crc32c
Frames: finding them in a stream of bytes|scanner_size scanner_create scan
BMS packets|packet_build packet_read image_apply image_values image_diff image_changes
The log buffer|log_buffer_size log_buffer_create log_buffer_write log_buffer_finish log_buffer_open log_buffer_read
Records of your own|record_check record_next record_find record_read record_write
RNO-G packets|rnog_next rnog_find rnog_read rnog_write"

# Only what is called is linked: the functions are the linker's roots, and nothing else is.
echo 'int main(void); int main(void) { return 0; }' >"$work/empty.c"
flash() { # TARGET FUNCTIONS...: bytes of TickLog, of lz4 and of the C library
    local target=$1 flags=
    shift
    for function; do flags="$flags -Wl,--undefined=ticklog_$function,--require-defined=ticklog_$function"; done
    # shellcheck disable=SC2086
    "$root/Cross/cc.sh" "$target" "$work/part" "$work/empty.c" -- $flags
    "$root/Benchmarks/mcu/flash.sh" "$work/part.map" | awk '
        /libticklog.a: TickLog/ { ticklog = $1 } /libticklog.a: lz4/ { lz4 = $1 } /of the toolchain/ { other = $1 }
        END { printf "%d %d %d\n", ticklog, lz4, other }'
}

variables() { # of libticklog.a, in the program that calls nearly everything
    awk '/^ \.(data|bss|COMMON)/ { if (NF == 1) { wait = 1; next } if ($0 ~ /libticklog\.a/) print $3; next }
        wait { wait = 0; if ($0 ~ /libticklog\.a/) print $2 }' "$work/stack-cortex-m4f.map" |
        { sum=0; while read -r size; do sum=$((sum + size)); done; echo "$sum"; }
}

print() {
    echo '### Flash'
    echo
    echo 'Bytes of code and constants, linked with `--gc-sections`, by what a firmware calls: TickLog with xxHash + lz4 + `memcpy` and'
    echo 'the like from newlib. What two parts share is counted in both.'
    echo
    echo '| called | Cortex-M4F | Cortex-M7F |'
    echo '|---|---|---|'
    printf '%s\n' "$parts" | while IFS='|' read -r name functions; do
        [ -n "$name" ] || continue
        cells=
        for target in $targets; do
            # shellcheck disable=SC2086
            read -r ticklog lz4 other < <(flash "$target" $functions)
            cells="$cells $((ticklog + lz4 + other)) ($ticklog + $lz4 + $other) |"
        done
        echo "| $name |$cells"
    done
    echo
    echo '### Memory'
    echo
    cmp -s "$work/sizes-cortex-m4f.txt" "$work/sizes-cortex-m7f.txt" || { echo "the sizes differ by target" >&2; exit 1; }
    echo 'Bytes that `ticklog_logger_size` and `ticklog_run_size` ask for, on either. Besides, the library has'
    echo "$(variables) bytes of variables. A run is of one polled stream of as many floats and one event stream, with the default ring (eight"
    echo 'rows and 2048 bytes) and blocks of 512 bytes:'
    echo
    awk '{ size[$1] = $2 }
    END {
        split("zoh-packet zoh-lz4 flat-packet delta-batch dlf", kinds); split("8 32 100 1000", counts)
        printf "| floats | zoh, packet | zoh, packet-lz4 (default) | flat, packet | delta, batch of 4096 bytes | DLF |\n|---|---|---|---|---|---|\n"
        for (c = 1; c <= 4; c++) {
            printf "| %d |", counts[c]
            for (k = 1; k <= 5; k++) printf " %d |", size[kinds[k] "-" counts[c]]
            printf "\n"
        }
        printf "\nThe logger: %d for 4 streams and 1 run, %d for 16 and 2, %d for 64 and 2.\n", size["logger-4-1"], size["logger-16-2"], size["logger-64-2"] }' \
        "$work/sizes-cortex-m4f.txt"
    echo
    echo '### Stack'
    echo
    echo 'The most that each function was seen to take, in bytes: the stack is painted before every call, in nine kinds of runs with'
    echo 'full rings, storage that fails, guards that refuse, rolled and full files, and four of tables. Add what your storage takes'
    echo '(below), and for an interrupt its entry: 32 bytes, 104 if the interrupted code uses the FPU.'
    echo
    echo '| function | Cortex-M4F | Cortex-M7F |'
    echo '|---|---|---|'
    paste -d ' ' "$work/stack-cortex-m4f.txt" "$work/stack-cortex-m7f.txt" | awk '{ printf "| `%s` | %d | %d |\n", $1, $2, $4 }'
    echo
    echo 'Of the C parts, by `-fstack-usage` (each function alone; lz4 is in the measured numbers already):'
    echo
    echo '| function | Cortex-M4F | Cortex-M7F |'
    echo '|---|---|---|'
    for target in $targets; do usage "$target"; done
    # One line a file: its largest functions.
    join "$work/usage-cortex-m4f" "$work/usage-cortex-m7f" | sort -k1,1 | awk '{ split($1, n, ":"); printf "| %s in `%s` | %d | %d |\n", "`" n[2] "`", n[1], $2, $3 }'
}

usage() { # TARGET
    (
        . "$root/Cross/targets.sh"
        target "$1"
        cd "$work"
        rm -f ./*.su
        flags="$cflags -std=c11 -ffunction-sections -fstack-usage -I $build/$1/include -I $root/Examples/firmware -I $root/Examples/storage"
        # shellcheck disable=SC2086
        {
            arm-none-eabi-gcc $flags -O2 -c "$root/Examples/storage/semihosting.c" -o semihosting.o
            arm-none-eabi-gcc $flags -O2 -I "$root/Examples/storage/fatfs-standin" -c "$root/Examples/storage/fatfs.c" -o fatfs.o
            arm-none-eabi-gcc $flags -Os -DLZ4_FREESTANDING=1 -DLZ4_memcpy=__builtin_memcpy -DLZ4_memmove=__builtin_memmove \
                '-DLZ4_memset=__builtin_memset' -DLZ4_MEMORY_USAGE=12 -c "$build/lz4/source/lz4.c" -o lz4.o
        }
        arm-none-eabi-nm "stack-$1" | awk '{ print $3 }' >linked
        for file in semihosting fatfs lz4; do
            # Of lz4 what is linked: its other functions have their state on the stack.
            awk -v file="$file.c" -F '[:\t]' 'NR == FNR { linked[$1]; next }
                file != "lz4.c" || $4 in linked { print $5, file ":" $4 }' linked "$file.su" |
                sort -k1,1nr -k2 | head -n 3 | awk '{ print $2, $1 }'
        done | LC_ALL=C sort >"$work/usage-$1"
    )
}

print
