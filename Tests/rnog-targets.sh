#!/bin/sh
# Tests/rnog/packets.c on every target and machine: it says the same everywhere.
#     Tests/rnog-targets.sh [MACHINE...]
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
for machine in x86_64 ${*:-aarch64 armv7 mps2-an386 netduinoplus2 mps2-an500}; do
    case $machine in
    x86_64 | aarch64 | armv7) target=linux-$machine storage= ;;
    mps2-an500) target=cortex-m7f storage=$root/Examples/storage/semihosting.c ;;
    *) target=cortex-m4f storage=$root/Examples/storage/semihosting.c ;;
    esac
    [ -e "$root/build/$target/libticklog.a" ] && [ -e "$root/build/$target/include/ticklog_rnog.h" ] ||
        "$root/Cross/build.sh" "$target" > "$work/log" 2>&1 || tail -20 "$work/log"
    # shellcheck disable=SC2086
    if "$root/Cross/cc.sh" "$target" "$work/$machine" "$root/Tests/rnog/packets.c" $storage > "$work/log" 2>&1 &&
        (cd "$work" && MACHINE=$machine timeout -k 5 60 "$root/Cross/run.sh" "$target" "$work/$machine" > "$work/out" 2>&1 < /dev/null) &&
        tr -d '\r' < "$work/out" > "$work/$machine.txt" && cmp "$work/$machine.txt" "$work/x86_64.txt" > "$work/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $machine"
        tail -5 "$work/log"
        tail -5 "$work/out"
    fi
done
grep -q '^ok$' "$work/x86_64.txt" || failed=$((failed + 1))
echo "rnog-targets: $passed passed, $failed failed"
[ "$failed" = 0 ]
