#!/bin/bash
# MCAP files that `ticklog convert` writes, read back by PyPI's mcap, with its checks, and by a reader of the tests' own: see
# mcap/check.py. Uses the debug build, or the command that TICKLOG names.
#     Tests/mcap.sh [SEED | golden]      golden: makes the pinned file anew
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
tool=${TICKLOG:-$root/.build/debug/ticklog}
venv=$root/build/venvs/mcap
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
export PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1

if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    echo 'installs python3-venv'
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -y --no-install-recommends python3-venv >/dev/null 2>&1 ||
        { apt-get -qq update && apt-get install -qq -y --no-install-recommends python3-venv >/dev/null; }
fi
if ! cmp -s Tests/mcap/requirements.txt "$venv/.requirements"; then
    echo 'installs mcap, lz4, zstandard from PyPI into build/venvs/mcap'
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r Tests/mcap/requirements.txt
    cp Tests/mcap/requirements.txt "$venv/.requirements"
fi
check() { timeout -k 5 300 "$venv/bin/python" Tests/mcap/check.py "$tool" "$work" "$@"; }

if [ "${1:-}" = golden ]; then
    "$tool" convert Tests/Vectors/runs/format-1/losses Tests/mcap/losses.mcap --compression none --chunk-bytes 8192 --force
    exit
fi
check runs Tests/Vectors/runs/format-1/*/ Tests/Vectors/dlf/*/
check demo
check tables "${1:-}"
check bad
check cuts
"$tool" convert Tests/Vectors/runs/format-1/losses "$work/losses.mcap" --compression none --chunk-bytes 8192
cmp "$work/losses.mcap" Tests/mcap/losses.mcap
