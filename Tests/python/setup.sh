#!/bin/sh
# Makes .venv with what the Python tests need: pybcsv (it brings numpy along), xxhash, pyarrow, duckdb, spdx-tools, pandas and polars, pinned in requirements.txt.
# Works for root on a bare Debian 12; quick when it is done already.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${VENV:-$here/../../.venv}
mark=$venv/.requirements

if [ -x "$venv/bin/python" ] && cmp -s "$here/requirements.txt" "$mark"; then exit 0; fi

if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    export DEBIAN_FRONTEND=noninteractive
    $sudo apt-get update -q
    $sudo apt-get install -q -y --no-install-recommends python3 python3-venv python3-pip
fi
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
cp "$here/requirements.txt" "$mark"
