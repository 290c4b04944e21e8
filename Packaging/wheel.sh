#!/bin/bash
# wheel.sh [DIRECTORY]: makes the Python package's wheel, with libticklog.so in it, in build/wheel unless told. TARGET is
# linux-x86_64, linux-aarch64 or linux-armv7, this machine's unless given; SKIP_BUILD=1 takes build/TARGET as it is. The same
# sources give the same bytes.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
. "$here/../Cross/targets.sh"
machine=$(uname -m)
name=${TARGET:-linux-${machine/armv7l/armv7}}
target "$name"
case $name in linux-*) ;; *) echo "$name: wheels are for Linux" >&2; exit 64 ;; esac
out=${1:-$build/wheel}
library=$build/$name/libticklog.so
if [ "${SKIP_BUILD:-}" != 1 ] && [ ! -e "$library" ]; then "$root/Cross/build.sh" "$name"; fi
[ -e "$library" ] || { echo "$library is missing; SKIP_BUILD= builds it" >&2; exit 1; }

# pip takes the build backend from PyPI, into a folder of its own.
venv=$build/venvs/wheel
requirements=$root/Bindings/python/tests/requirements-wheel.txt
if ! cmp -s "$requirements" "$venv/.requirements"; then
    echo 'installs hatchling from PyPI into build/venvs/wheel'
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$venv/.requirements"
fi
mkdir -p "$out"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1577836800}
TICKLOG_LIBRARY=$(readlink -f "$library") "$venv/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-deps \
    --no-build-isolation --wheel-dir "$out" "$root/Bindings/python"
ls "$out"/ticklog-*"${triple%%-*}"*.whl 2>/dev/null || ls "$out"/ticklog-*.whl
