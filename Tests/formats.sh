#!/bin/bash
# Runs of every released run_format are read as the release that wrote them meant: Tests/Vectors/runs/format-N/NAME and what
# it holds, NAME.csv and NAME.events.csv. A run of a newer run_format is refused. formats.sh make N: writes what is held anew.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
vectors=$root/Tests/Vectors/runs
tool=${TICKLOG:-$root/.build/debug/ticklog}
[ -n "${TICKLOG:-}" ] || "$root/Tests/built.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
check() { # WHAT COMMAND...
    local what=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
        head -n 10 "$work/out"
    fi
}
convert() { timeout 60 "$tool" convert "$@"; }

if [ "${1:-}" = make ]; then
    for run in "$vectors/format-$2"/*/; do
        run=${run%/}
        convert "$run" "$run.csv" --force
        convert "$run" "$run.events.csv" --events --force
    done
    exit 0
fi

count=0
for run in "$vectors"/format-*/*/; do
    run=${run%/}
    name=${run#"$vectors/"}
    flat=${name//\//-}
    count=$((count + 1))
    check "$name is read" convert "$run" "$work/$flat.csv"
    check "$name has its rows" cmp "$work/$flat.csv" "$run.csv"
    check "$name: events are read" convert "$run" "$work/$flat.events.csv" --events
    check "$name has its events" cmp "$work/$flat.events.csv" "$run.events.csv"
    # Repair of a run that was closed has nothing to do; that of others ends in a run with the same rows.
    cp -r "$run" "$work/$flat"
    rm -f "$work/$flat/LOCK"
    check "$name is repaired" timeout 60 "$tool" repair "$work/$flat"
    check "$name is read again" convert "$work/$flat" "$work/again.csv" --force
    check "$name has its rows after repair" cmp "$work/again.csv" "$run.csv"
done
[ "$count" -ge 12 ] || { failed=$((failed + 1)); echo "FAILED: only $count runs"; }

# A newer run_format: a good file that says 2, and one that says 257, whose low byte is 1.
for number in 2 257; do
    rm -rf "$work/newer"
    cp -r "$vectors/format-1/zoh" "$work/newer"
    python3 - "$work/newer/meta.bcsv" "$number" "$root" <<'P'
import struct
import sys
sys.path.insert(0, sys.argv[3] + "/docs")
from examples import xxh
with open(sys.argv[1], "rb") as file:
    data = bytearray(file.read())
start = data.index(b"PKCT") + 16
end = data.index(b"BIDX") - 8
assert data[start + 2:start + 4] == b"\1\0" and data[end:end + 8] == struct.pack("<Q", xxh(bytes(data[start:end]), 64))
data[start + 2:start + 4] = struct.pack("<H", int(sys.argv[2]))
data[end:end + 8] = struct.pack("<Q", xxh(bytes(data[start:end]), 64))
with open(sys.argv[1], "wb") as file:
    file.write(data)
P
    for command in "convert $work/newer $work/newer.csv" "info $work/newer" "convert $work/newer $work/newer-dlf/ --format dlf"; do
        # shellcheck disable=SC2086
        status=0; timeout 60 "$tool" $command >"$work/said" 2>&1 || status=$?
        check "run_format $number: ${command%% *} fails" test "$status" -ne 0 -a "$status" -lt 64
        check "run_format $number: ${command%% *} says why" grep -q "found run_format $number, expected at most 1" "$work/said"
        [ ! -e "$work/newer.csv" ] || { failed=$((failed + 1)); echo "FAILED: run_format $number: there is a file"; }
    done
done
echo "formats: $count runs, $passed passed, $failed failed"
[ "$failed" = 0 ]
