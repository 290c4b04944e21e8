#!/bin/bash
# The Python package, as a wheel in clean venvs (build/venvs): beside pybcsv, pandas, polars, pyarrow, duckdb and matplotlib; with
# numpy alone; with nothing. Each vector like `ticklog cat`, 200 random tables beside pybcsv in both directions.
#     Tests/python-package.sh [quick] [valgrind]      quick: not under valgrind; valgrind: that alone
# Needs build/linux-x86_64/libticklog.so and the command, which TICKLOG names or .build/debug has.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
tests=$root/Bindings/python/tests
venvs=$root/build/venvs
what=${1:-all}
export TICKLOG=${TICKLOG:-$root/.build/debug/ticklog}
# Not the sources beside the tests, but what was installed.
export PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1
unset PYTHONPATH TICKLOG_LIBRARY
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

Cross/packages.sh python3-venv

venv() { # NAME REQUIREMENTS: a venv with these and with the wheel
    local venv=$venvs/$1
    if ! cmp -s "$2" "$venv/.requirements"; then
        echo "installs $(sed 's/=.*//' "$2" | tr '\n' ' ')from PyPI into build/venvs/$1"
        rm -rf "$venv"
        python3 -m venv "$venv"
        if [ -s "$2" ]; then "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$2"; fi
        cp "$2" "$venv/.requirements"
    fi
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall "$wheel"
}

suite() { # VENV TEST...
    local venv=$1 test
    shift
    for test; do
        (cd "$work" && timeout -k 10 600 "$venvs/$venv/bin/python" -X faulthandler -W error::ResourceWarning "$tests/$test.py" >"$work/out" 2>&1) ||
            { cat "$work/out"; echo "$test in $venv failed" >&2; exit 1; }
        grep -v -E '^(-+|OK.*|\.*|)$|^Ran|^[.s]+$' "$work/out" | sed 's/^[.s]*//' || true
    done
}

SKIP_BUILD=1 Packaging/wheel.sh "$work/wheel" >"$work/told"
wheel=$(tail -n 1 "$work/told")
sed '$d' "$work/told"
# The tag says which glibc the library needs: no symbol may be of a later one.
needed=$(readelf -V build/linux-x86_64/libticklog.so | grep -o 'GLIBC_2\.[0-9]*' | sed 's/GLIBC_2\.//' | sort -n | tail -n 1)
tagged=$(basename "$wheel" | sed 's/.*manylinux_2_\([0-9]*\)_x86_64\.whl/\1/')
[ "$tagged" -ge "$needed" ] || { echo "$wheel: found symbols of glibc 2.$needed, expected none behind 2.$tagged" >&2; exit 1; }
readelf -d build/linux-x86_64/libticklog.so | grep NEEDED | grep -v -E 'lib(c|m|pthread|dl)\.so|ld-linux' && { echo 'libticklog.so needs more than the C library' >&2; exit 1; }

grep '^numpy==' "$tests/requirements.txt" >"$work/numpy"
: >"$work/nothing"
venv full "$tests/requirements.txt"
if [ "$what" != valgrind ]; then
    venv numpy "$work/numpy"
    venv bare "$work/nothing"
    # shellcheck disable=SC2046
    suite full $(cd "$tests" && ls test_*.py | sed 's/\.py$//')
    suite numpy test_use test_bare
    suite bare test_vectors test_bare
    # From the checkout, as a user would.
    "$venvs/bare/bin/python" -m pip uninstall --quiet --disable-pip-version-check -y ticklog
    "$venvs/bare/bin/python" -m pip install --quiet --disable-pip-version-check ./Bindings/python
    suite bare test_bare
fi
if [ "$what" != quick ]; then
    Cross/packages.sh valgrind
    # CPython itself decides by bytes that nobody has written: only addresses are checked.
    PYTHONMALLOC=malloc timeout -k 10 900 valgrind -q --error-exitcode=99 --undef-value-errors=no --leak-check=no \
        "$venvs/full/bin/python" "$tests/under_valgrind.py" "$work" || { echo 'valgrind found something' >&2; exit 1; }
fi
