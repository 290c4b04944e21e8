#!/bin/sh
# The command on files of RNO-G packets, beside a reader in Python: see rnog/check.py and rnog/reader.py.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/Tests/built.sh"
timeout 500 python3 "$root/Tests/rnog/check.py" "$root/.build/debug/ticklog" "$root/Tests/Vectors/rnog"
