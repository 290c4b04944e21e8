#!/bin/bash
# The log buffer between processes and threads: see logbuffer/stress.c.
#     Tests/logbuffer.sh quick      a million records
#     Tests/logbuffer.sh            ten millions, and the same threads under ThreadSanitizer
#     Tests/logbuffer.sh tsan       only that: the core and the program compiled with -fsanitize=thread
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
work=$(mktemp -d)
export TICKLOG_TEST_NAME=/ticklog-${work##*/}
trap 'rm -rf "$work" "/dev/shm$TICKLOG_TEST_NAME"' EXIT
kind=${1:-all}
records=10000000 rounds=20
[ "$kind" != quick ] || { records=1000000 rounds=3; }
code=0

run() { # PROGRAM MODE COUNT
    echo "$2 $3"
    timeout -k 5 240 "$@" || {
        echo "FAILED: $2 $3"
        code=1
    }
    rm -f "/dev/shm$TICKLOG_TEST_NAME"
}

if [ "$kind" != tsan ]; then
    Cross/cc.sh linux-x86_64 "$work/stress" Tests/logbuffer/stress.c
    run "$work/stress" rights 0
    run "$work/stress" hostile $((records / 20))
    run "$work/stress" processes "$records"
    run "$work/stress" threads $((records / 10))
    run "$work/stress" killed "$rounds"
    run "$work/stress" crash $((rounds * 5))
fi
if [ "$kind" != quick ]; then
    # The shared memory is the host's: its functions are not called here.
    # shellcheck disable=SC2046
    swiftc -O -wmo -parse-as-library -suppress-warnings -sanitize=thread -module-name TickLog -I include -I Sources/CLZ4 \
        -I Sources/CXXHash -I Sources/CCRC32C $(find Sources/TickLog -name '*.swift') -emit-object -o "$work/TickLog.o" 2>"$work/log" ||
        { cat "$work/log"; exit 1; }
    clang=$(dirname -- "$(readlink -f "$(command -v swiftc)")")/clang
    "$clang" -std=c11 -O1 -g -fsanitize=thread -DNO_SHARED_MEMORY -I include -c -o "$work/stress.o" Tests/logbuffer/stress.c
    swiftc -sanitize=thread "$work/stress.o" "$work/TickLog.o" -llz4 -o "$work/stress-tsan"
    TSAN_OPTIONS=halt_on_error=1:exitcode=66 run "$work/stress-tsan" threads $((records / 20))
fi
[ "$code" = 0 ] && echo "log buffer: passed"
exit $code
