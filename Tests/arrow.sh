#!/bin/bash
# Arrow streams of any file, and files of any Arrow stream, through libticklog.so: see arrow/check.py. With a sanitizer of its
# own, a C program that follows every pointer: arrow/consumer.c, under valgrind if it is there.
#     Tests/arrow.sh [SEED [TABLES]]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tool=${TICKLOG:-$root/.build/debug/ticklog}
target=$root/build/linux-x86_64
export TICKLOG_SO=${TICKLOG_SO:-$target/libticklog.so}
python=${PYTHON:-$root/.venv/bin/python}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -n "${PYTHON:-}" ] || "$root/Tests/python/setup.sh"
[ -f "$TICKLOG_SO" ] || "$root/Cross/build.sh" linux-x86_64
check() { timeout -k 5 600 "$python" "$root/Tests/arrow/check.py" "$tool" "$work" "$@"; }

cd "$root"
check errors
check shrink
check frames
check vectors Tests/Vectors/bcsv/*.bcsv Tests/Vectors/dlf/*/ Tests/Vectors/stream/*.bin Tests/Vectors/bms/*.log
for format in bcsv dlf; do
    timeout 60 "$tool" demo --seconds 1 --format "$format" --out "$work/$format" >/dev/null
    check choices "$work/$format"/* Tests/Vectors/bcsv/v15_logger_delta_batch.bcsv
done
check tables "$@"

gcc -std=c11 -O1 -g -Wall -Wextra -Wpedantic -Werror -I include -o "$work/consumer" Tests/arrow/consumer.c "$TICKLOG_SO" -Wl,-rpath,"$(dirname "$TICKLOG_SO")"
under=
! command -v valgrind >/dev/null || under="valgrind -q --error-exitcode=9 --leak-check=full"
for path in Tests/Vectors/bcsv/v15_alltypes_zoh_packet.bcsv Tests/Vectors/bcsv/v15_bad_logger_delta_packet_flush75_flippayload2.bcsv \
    Tests/Vectors/dlf/real_structs "$work"/bcsv/*; do
    # shellcheck disable=SC2086
    timeout -k 5 300 $under "$work/consumer" "$path" "$work/out.bcsv" ${under:+kept} >"$work/out.txt" || {
        echo "$path: the C consumer failed" >&2
        exit 1
    }
done
echo "arrow: C consumer, ${under:-no valgrind}"
