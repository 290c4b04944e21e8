#!/bin/sh
# Copies libticklog.so of build/linux-x86_64 and build/linux-aarch64 into the package, as far as they are built.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
build=${BUILD:-$here/../../build}
count=0
for machine in x86_64 aarch64; do
    from=$build/linux-$machine/libticklog.so
    [ -f "$from" ] || continue
    to=$here/Runtime/Plugins/$machine/libticklog.so
    mkdir -p "$(dirname -- "$to")"
    cp -L "$from" "$to.new"
    mv "$to.new" "$to"
    count=$((count + 1))
done
[ "$count" -gt 0 ] || { echo "$build: found no linux-*/libticklog.so; build them with Cross/build.sh linux-x86_64" >&2; exit 1; }
