#!/bin/bash
# The tests in Swift, all or those that match: Tests/swift.sh [FILTER]. It is `swift test`, but without the lock on .build, which
# keeps other steps from building while tests run.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
[ "${TICKLOG_BUILT:-}" = 1 ] || swift build --build-tests -q
log=$(mktemp)
trap 'rm -f "$log"' EXIT
code=0
.build/debug/TickLogPackageTests.xctest --testing-library swift-testing ${1:+--filter "$1"} >"$log" 2>&1 || code=$?
[ "$code" = 0 ] || grep -v "started\.$\|passed after" "$log" | head -n 100
tail -n 1 "$log"
grep -q "Test run with [1-9][0-9]* test" "$log"
exit "$code"
