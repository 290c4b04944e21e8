#!/bin/bash
# dist.sh [TARGET...]: the release bundle, dist/ticklog-VERSION/ and dist/ticklog-VERSION.tar.xz; all five targets unless told.
#
# What is missing in build/ is built (SKIP_BUILD=1: nothing is; it must be there). The bytes depend on the sources, the
# toolchains and SOURCE_DATE_EPOCH (seconds of Unix time; default: the last commit's) alone, not on folders or clocks.
#   DIST_DIR    where to; default dist
set -eu
root=$(cd "$(dirname -- "$0")/.." && pwd)
build=${BUILD_DIR:-$root/build}
dist=${DIST_DIR:-$root/dist}
[ $# -gt 0 ] || set -- linux-x86_64 linux-aarch64 linux-armv7 cortex-m4f cortex-m7f
version=$("$root/Packaging/version.sh")
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)}
export LC_ALL=C TZ=UTC

for name; do
    [ -z "${SKIP_BUILD:-}" ] || continue
    "$root/Cross/build.sh" "$name"
    case $name in linux-*) "$root/Cross/tool.sh" "$name" ;; esac
done

bundle=$dist/ticklog-$version
mkdir -p "$dist"
"$root/Packaging/bundle.sh" "$bundle" "$@"

defined() { # FILE PREFIX: the version that a header defines in three parts
    sed -n "s/^#define $2_VERSION_\(MAJOR\|MINOR\|RELEASE\) *\([0-9]*\).*/\2/p" "$1" | paste -sd .
}
lz4=$build/headers/lz4.h
[ -f "$lz4" ] || lz4=$build/lz4/source/lz4.h
swift=$(swiftc --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
"$root/Packaging/sbom.sh" "$bundle" "$version" "$(defined "$lz4" LZ4)" "$(defined "$build/headers/xxhash.h" XXH)" \
    "$swift" "$epoch" >"$dist/sbom.new"
mv "$dist/sbom.new" "$bundle/ticklog-$version.spdx.json"
chmod 644 "$bundle/ticklog-$version.spdx.json"
(cd "$bundle" && find . -type f ! -name 'SHA256SUMS*' | sort | xargs sha256sum >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS && chmod 644 SHA256SUMS)

tar --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -C "$dist" -cf - "ticklog-$version" |
    xz -T1 -6 >"$dist/ticklog-$version.tar.xz.new"
mv "$dist/ticklog-$version.tar.xz.new" "$dist/ticklog-$version.tar.xz"
(cd "$dist" && sha256sum "ticklog-$version.tar.xz" >"ticklog-$version.tar.xz.sha256")
echo "$dist/ticklog-$version.tar.xz: $(wc -c <"$dist/ticklog-$version.tar.xz") bytes, $(wc -l <"$bundle/SHA256SUMS") files"
