#!/bin/sh
# The debug build of the command that tests run, .build/debug/ticklog; with TICKLOG_BUILT=1 it is there already (run.sh).
set -eu
[ "${TICKLOG_BUILT:-}" = 1 ] || swift build --package-path "$(dirname -- "$0")/.." --product ticklog -q
