#!/bin/bash
# bundle.sh OUT TARGET...: makes the folder OUT of the release bundle from what is in build/TARGET (Cross/build.sh, and for
# bin/ Cross/tool.sh, made it). dist.sh packs it.
set -eu
[ $# -ge 2 ] || { echo "usage: bundle.sh OUT TARGET..." >&2; exit 64; }
out=$1
shift
here=$(cd "$(dirname -- "$0")/.." && pwd)
wanted=$*
. "$here/Cross/targets.sh"
root=$here build=${BUILD_DIR:-$here/build}
version=$("$root/Packaging/version.sh")
rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)

# Debug information is as large as the code five times over, and of use beside the sources only; what a debugger needs to
# go up the stack stays on Cortex-M.
without_debug() { # FILE...
    local keep=
    case $name in cortex-*) keep="--keep-section=.debug_frame --keep-section=.rel.debug_frame" ;; esac
    # shellcheck disable=SC2086
    "${prefix}objcopy" --strip-debug --enable-deterministic-archives $keep "$1"
}
for name in $wanted; do
    target "$name"
    from=$build/$name to=$out/lib/$name
    [ -f "$from/libticklog.a" ] || { echo "$from/libticklog.a is missing: Cross/build.sh $name makes it" >&2; exit 1; }
    mkdir -p "$to"
    for archive in "$from"/libticklog.a "$from"/libticklog-host.a; do
        [ -f "$archive" ] || continue
        cp "$archive" "$to/"
        without_debug "$to/${archive##*/}"
    done
    for library in "$from"/libticklog.so*; do
        [ -e "$library" ] || continue
        cp -P "$library" "$to/"
        [ -L "$library" ] || "${prefix}strip" --strip-unneeded "$to/${library##*/}"
    done
    if [ -f "$from/ticklog" ]; then
        mkdir -p "$out/bin/$name"
        cp "$from/ticklog" "$out/bin/$name/ticklog"
    fi
done

# What is in the repository, without what was built there.
copy() { # FILE|FOLDER...
    (cd "$root" && find "$@" -name build -prune -o -name __pycache__ -prune -o -type f ! -name '*.o' ! -name '*.elf' ! -name '*.map' -print) | LC_ALL=C sort |
        while read -r file; do
            mkdir -p "$out/$(dirname -- "$file")"
            cp "$root/$file" "$out/$file"
        done
}
copy include LICENSE systemd Examples Packaging/version.sh
rm "$out/Examples/run-all.sh" # it needs the repository
for file in targets.sh make-sdk.sh fetch-lz4.sh install.sh check-firmware.sh run.sh; do copy "Cross/$file"; done
for page in PORTING COMMAND SPEC FRAMES PACKETS BMS RNOG PARQUET SCALING; do
    [ ! -f "$root/docs/$page.md" ] || copy "docs/$page.md"
done
sed "s/@VERSION@/$version/g; s/@TARGETS@/$wanted/g" "$root/Packaging/bundle.md" >"$out/README.md"

# The licences of what is inside, as their authors wrote them.
licenses=$out/LICENSES
mkdir -p "$licenses"
cp "$root/LICENSE" "$licenses/TickLog-MIT.txt"
comment() { sed -n '1,/\*\//p' "$1"; } # the comment that a file begins with
lz4=$build/headers/lz4.h
[ -f "$lz4" ] || lz4=$build/lz4/source/lz4.h
comment "$lz4" >"$licenses/lz4-BSD-2-Clause.txt"
comment "$build/headers/xxhash.h" >"$licenses/xxHash-BSD-2-Clause.txt"
toolchain=$(dirname -- "$(readlink -f "$(command -v swiftc)")")/..
cp "$toolchain/share/swift/LICENSE.txt" "$licenses/Swift-Apache-2.0-WITH-Swift-exception.txt"
for text in lz4-BSD-2-Clause xxHash-BSD-2-Clause; do
    grep -q 'BSD 2-Clause License' "$licenses/$text.txt" || { echo "$text: no licence in the header" >&2; exit 1; }
done
grep -q 'Runtime Library Exception' "$licenses/Swift-Apache-2.0-WITH-Swift-exception.txt"

# Modes do not depend on who copied.
chmod -R u=rwX,go=rX "$out"
