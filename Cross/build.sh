#!/bin/sh
# build.sh TARGET|all: builds build/TARGET/libticklog.a (lz4 included) and the headers in build/TARGET/include.
# build.sh TARGET PRODUCT DIRECTORY: the same of another product of the package, in a directory of its own.
set -eu
. "$(dirname -- "$0")/targets.sh"

if [ "${1:?usage: build.sh TARGET|all}" = all ]; then
    for name in $targets; do "$0" "$name"; done
    exit 0
fi
name=$1
target "$name"
product=${2:-$product}
out=${3:-$build/$name}
if [ ! -f "$build/sdks/ticklog.artifactbundle/info.json" ] || [ "$root/Cross/make-sdk.sh" -nt "$build/ticklog.artifactbundle/info.json" ] ||
    [ "$root/Cross/targets.sh" -nt "$build/ticklog.artifactbundle/info.json" ]; then
    "$root/Cross/make-sdk.sh"
fi
"$root/Cross/build-lz4.sh" "$name"
mkdir -p "$out"

# A scratch path for each target: SwiftPM would mix up the targets that share a triple.
swift build --package-path "$root" -c release --swift-sdks-path "$build/sdks" --swift-sdk "ticklog-$name" \
    --scratch-path "$build/$name/swift" --product "$product" --disable-sandbox -q >"$out/build.log" 2>&1 || {
    cat "$out/build.log" >&2
    exit 1
}

# One archive for the user: the product, lz4 and, for hosted code that compares strings, Swift's Unicode tables, which
# the linker takes only if they are called for.
merge=$out/merge
rm -rf "$merge" "$out/libticklog.a.new"
mkdir -p "$merge" "$out/include"
cp "$build/$name/swift/release/lib$product.a" "$out/libticklog.a.new" 2>/dev/null ||
    cp "$(find "$build/$name/swift" -name "lib$product.a" | head -n 1)" "$out/libticklog.a.new"
(
    cd "$merge"
    cp "$build/$name/lz4.o" lz4.o
    case $name in linux-*) cp "$build/$name/lz4hc.o" "$build/$name/lz4-tables.o" . ;; esac
    tables=$(dirname -- "$(readlink -f "$(command -v swiftc)")")/../lib/swift/embedded/$triple/libswiftUnicodeDataTables.a
    case $name in linux-*) "${prefix}ar" x "$tables" ;; esac
    # The tables are marked as soft-float, which the linker refuses beside hard-float objects. They take no floats at all.
    case $name in linux-armv7) for object in Unicode*.o; do "${prefix}objcopy" -R .ARM.attributes "$object"; done ;; esac
    "${prefix}ar" rcs "$out/libticklog.a.new" ./*.o
)
rm -rf "$merge"
mv "$out/libticklog.a.new" "$out/libticklog.a"
cp "$root"/include/*.h "$out/include/"
echo "$out/libticklog.a: $(wc -c <"$out/libticklog.a") bytes"
