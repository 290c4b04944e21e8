#!/bin/bash
# Repeats the tests that draw random cases, each time with new seeds, until the time is over; tells what failed.
#     Tests/soak.sh MINUTES [NAME...]      needs what Tests/run.sh has built; one at a time
# A fault that one run of the suite in four shows is not to be met first by somebody else.
set -u
cd "$(dirname "$0")/.." || exit 1
minutes=${1:?Tests/soak.sh MINUTES [NAME...]}
shift
export TICKLOG_BUILT=1
logs=build/soak
rm -rf "$logs"
mkdir -p "$logs"
tests=("$@")
[ $# -gt 0 ] || tests=(repair differential dlf append parquet rnog receive kafka serve logbuffer arrow mcap report csharp swift python-package)
declare -A passed failed
end=$((SECONDS + minutes * 60)) round=0
while [ "$SECONDS" -lt "$end" ]; do
    round=$((round + 1))
    for name in "${tests[@]}"; do
        [ "$SECONDS" -lt "$end" ] || break
        arguments=
        case $name in receive | logbuffer | serve | append | python-package) arguments=quick ;; esac
        began=$SECONDS log=$logs/$name.$round
        # shellcheck disable=SC2086
        if timeout -k 10 1200 "Tests/$name.sh" $arguments >"$log" 2>&1 </dev/null; then
            passed[$name]=$((${passed[$name]:-0} + 1))
            rm "$log"
        else
            failed[$name]=$((${failed[$name]:-0} + 1))
            echo "$name: FAILED after $((SECONDS - began)) s, see $log"
            tail -n 5 "$log"
        fi
    done
done
bad=0
for name in "${tests[@]}"; do
    echo "$name: ${passed[$name]:-0} passed, ${failed[$name]:-0} failed"
    bad=$((bad + ${failed[$name]:-0}))
done
[ "$bad" = 0 ]
