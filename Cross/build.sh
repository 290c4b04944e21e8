#!/bin/sh
# build.sh TARGET|all: builds build/TARGET/libticklog.a (lz4 included) and build/TARGET/include/ticklog.h.
set -eu
. "$(dirname -- "$0")/targets.sh"

if [ "${1:?usage: build.sh TARGET|all}" = all ]; then
    for name in $targets; do "$0" "$name"; done
    exit 0
fi
name=$1
target "$name"
out=$build/$name
if [ ! -f "$build/sdks/ticklog.artifactbundle/info.json" ] || [ "$root/Cross/make-sdk.sh" -nt "$build/ticklog.artifactbundle/info.json" ] ||
    [ "$root/Cross/targets.sh" -nt "$build/ticklog.artifactbundle/info.json" ]; then
    "$root/Cross/make-sdk.sh"
fi
"$root/Cross/build-lz4.sh" "$name"

# A scratch path for each target: SwiftPM would mix up the targets that share a triple.
swift build --package-path "$root" -c release --swift-sdks-path "$build/sdks" --swift-sdk "ticklog-$name" \
    --scratch-path "$out/swift" --product "$product" --disable-sandbox -q >"$out/build.log" 2>&1 || {
    cat "$out/build.log" >&2
    exit 1
}

# One archive for the user: the product, lz4 and, for hosted code that compares strings, Swift's Unicode tables, which
# the linker takes only if they are called for.
merge=$out/merge
rm -rf "$merge" "$out/libticklog.a.new"
mkdir -p "$merge" "$out/include"
cp "$out/swift/release/lib$product.a" "$out/libticklog.a.new" 2>/dev/null ||
    cp "$(find "$out/swift" -name "lib$product.a" | head -n 1)" "$out/libticklog.a.new"
(
    cd "$merge"
    cp "$out/lz4.o" lz4.o
    tables=$(dirname -- "$(readlink -f "$(command -v swiftc)")")/../lib/swift/embedded/$triple/libswiftUnicodeDataTables.a
    case $name in linux-*) "${prefix}ar" x "$tables" ;; esac
    # The tables are marked as soft-float, which the linker refuses beside hard-float objects. They take no floats at all.
    case $name in linux-armv7) for object in Unicode*.o; do "${prefix}objcopy" -R .ARM.attributes "$object"; done ;; esac
    "${prefix}ar" rcs "$out/libticklog.a.new" ./*.o
)
rm -rf "$merge"
mv "$out/libticklog.a.new" "$out/libticklog.a"
cp "$root/include/ticklog.h" "$out/include/"
echo "$out/libticklog.a: $(wc -c <"$out/libticklog.a") bytes"
