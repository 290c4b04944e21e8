#!/bin/bash
# The Python package beside pybcsv: rows/s to pandas, numpy, Arrow and polars and back, memory, import. Needs Cross/build.sh linux-x86_64.
#     Benchmarks/python/run.sh [--quick] [--only WORD]      the numbers as JSON: build/bench/python.json
set -eu
root=$(cd "$(dirname -- "$0")/../.." && pwd)
out=$root/build/bench
venv=$root/build/venvs/full
requirements=$root/Bindings/python/tests/requirements.txt
mkdir -p "$out"
if ! cmp -s "$requirements" "$venv/.requirements"; then
    python3 -c 'import venv, ensurepip' 2>/dev/null || { apt-get -qq update && apt-get install -qq -y --no-install-recommends python3-venv >/dev/null; }
    echo "installs $(sed 's/=.*//' "$requirements" | tr '\n' ' ')from PyPI into build/venvs/full" >&2
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$venv/.requirements"
fi
SKIP_BUILD=1 "$root/Packaging/wheel.sh" "$out/wheel" >"$out/wheel.txt"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall "$(tail -n 1 "$out/wheel.txt")"
timeout 1200 "$venv/bin/python" "$root/Benchmarks/python/bench.py" --json "$out/python.json" "$@"
