#!/bin/bash
# Every test of the project: `make test` installs what they need and calls this.
#     Tests/run.sh fast    the host alone
#     Tests/run.sh all     the five targets, the examples and the README as well
# Each step says whether it passed; the last line counts them.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
passed=0 failed=0 failures=

step() { # NAME COMMAND...
    local name=$1 start=$SECONDS
    shift
    echo "== $name"
    if "$@"; then
        passed=$((passed + 1))
        echo "== $name: passed in $((SECONDS - start)) s"
    else
        failed=$((failed + 1))
        failures="$failures $name"
        echo "== $name: FAILED after $((SECONDS - start)) s"
    fi
}

# Some steps have more to do if there is time.
quick=$([ "${1:-all}" = all ] || echo quick)

step header Tests/header.sh
step swift timeout 900 swift test
step readers bash -c 'cd Tests/python && timeout 300 ../../.venv/bin/python test_readers.py && timeout 300 ../../.venv/bin/python test_dlf.py'
step cross-x86_64 Cross/build.sh linux-x86_64
step differential timeout 600 Tests/differential.sh
step dlf timeout 900 Tests/dlf.sh
step append timeout 900 Tests/append.sh $quick
step convert timeout 600 Tests/convert.sh
step parquet timeout 900 Tests/parquet.sh
step repair timeout 600 Tests/repair.sh
step receive timeout 900 Tests/receive.sh quick
step rnog timeout 600 Tests/rnog.sh
step kafka timeout 600 Tests/kafka.sh
step serve timeout 900 Tests/serve.sh $quick
step spec timeout 300 docs/examples.py --check
step faults timeout 600 Tests/faults.sh
step logbuffer timeout 1500 Tests/logbuffer.sh $quick
step readme timeout 300 Tests/readme.sh
if [ "${1:-all}" = all ]; then
    step cross timeout 1800 Cross/build.sh all
    step lz4 timeout 600 Cross/check-bytes.sh
    step targets timeout 900 Tests/targets.sh
    step rnog-targets timeout 600 Tests/rnog-targets.sh
    step examples timeout 900 Examples/run-all.sh
    step tool timeout 1500 Tests/tool.sh
    step fuzz timeout 900 Tests/fuzz.sh 12
fi
[ -z "$failures" ] || echo "failed:$failures"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
