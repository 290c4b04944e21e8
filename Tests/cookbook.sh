#!/bin/bash
# Runs docs/COOKBOOK.md in a new folder, with the command and the Python package that were built: see cookbook/run.py. Needs
# the venv of Tests/python-package.sh.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/Tests/built.sh"
venv=$root/build/venvs/full
[ -x "$venv/bin/python" ] || { echo "$venv is missing: Tests/python-package.sh makes it" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/here"
ln -s "${TICKLOG:-$root/.build/debug/ticklog}" "$work/bin/ticklog"
cd "$work/here"
PATH=$work/bin:$venv/bin:$PATH timeout 600 python3 "$root/Tests/cookbook/run.py" "$root/docs/COOKBOOK.md" "$venv/bin/python"
