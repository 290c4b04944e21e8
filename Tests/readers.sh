#!/bin/sh
# The readers in Python, which the other tests check with, against the vectors.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root/Tests/python"
timeout 300 ../../.venv/bin/python test_readers.py
timeout 300 ../../.venv/bin/python test_dlf.py
