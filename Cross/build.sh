#!/bin/bash
# build.sh TARGET|all: builds build/TARGET/libticklog.a (the core and lz4) and the headers in build/TARGET/include; for
# Linux also libticklog-host.a (all the rest, which needs libticklog.a behind it) and libticklog.so.
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

# The same bytes wherever the checkout is: debug information has no paths of it, and none of clang's modules, whose caches are
# named by paths. (Swift hashes a module, debug information and all, into each object, and so into what is linked.)
set -- -file-prefix-map "$build=build" -file-prefix-map "$root=ticklog" -Xfrontend -no-clang-module-breadcrumbs \
    -Xcc "-ffile-prefix-map=$root=ticklog"
reproducible=()
for flag; do reproducible+=(-Xswiftc "$flag"); done

# A scratch path for each target: SwiftPM would mix up the targets that share a triple.
swift build "${reproducible[@]}" --package-path "$root" -c release --swift-sdks-path "$build/sdks" --swift-sdk "ticklog-$name" \
    --scratch-path "$build/$name/swift" --product "$product" --disable-sandbox -q >"$out/build.log" 2>&1 || {
    cat "$out/build.log" >&2
    exit 1
}

# SwiftPM's list of the product's objects, which names none of a file that is gone; its archive still holds them.
list=$(find "$build/$name/swift" -path "*/$product.product/Objects.LinkFileList" | head -n 1)
[ -n "$list" ] || { echo "$build/$name/swift: no list of the objects of $product" >&2; exit 1; }

archive() { # OUT OBJECTS...: made anew, of nothing else, with neither times nor owners
    rm -f "$1.new"
    "${prefix}ar" rcsD "$1.new" "${@:2}"
    "${prefix}objcopy" -D -R .swift_modhash "$1.new" # a hash that differs from build to build, of use to nobody
    mv "$1.new" "$1"
}

# Two archives: libticklog.a is the core and lz4, all that there is on Cortex-M. On Linux libticklog-host.a is the rest with,
# as it compares strings, Swift's Unicode tables; the linker takes what is called for.
parts=$out/parts
rm -rf "$parts"
mkdir -p "$parts" "$out/include"
grep '/TickLog\.build/' "$list" | sed "s/^'//; s/'\$//" >"$parts/core"
grep -v '/TickLog\.build/' "$list" | sed "s/^'//; s/'\$//" >"$parts/host" || true
mapfile -t objects <"$parts/core"
# On Linux the core has tables' larger states and the higher levels of batches, by lz4's HC.
case $name in linux-*) objects+=("$build/$name/lz4hc.o" "$build/$name/lz4-tables.o") ;; esac
archive "$out/libticklog.a" "${objects[@]}" "$build/$name/lz4.o"
case $name in
linux-*)
    tables=$(dirname -- "$(readlink -f "$(command -v swiftc)")")/../lib/swift/embedded/$triple/libswiftUnicodeDataTables.a
    (cd "$parts" && "${prefix}ar" x "$tables")
    # The tables are marked as soft-float, which the linker refuses beside hard-float objects. They take no floats at all.
    case $name in linux-armv7) for object in "$parts"/Unicode*.o; do "${prefix}objcopy" -R .ARM.attributes "$object"; done ;; esac
    mapfile -t objects <"$parts/host"
    archive "$out/libticklog-host.a" "${objects[@]}" "$parts"/Unicode*.o
    ;;
esac
rm -rf "$parts"
cp "$root"/include/*.h "$root/include/module.modulemap" "$out/include/"

# The shared library is both archives in one file. It needs the C library alone (on 32-bit ARM gcc would add libgcc_s), and
# shows nothing but ticklog_*.
case $name-$product in
linux-*-TickLogHost)
    version=$("$root/Packaging/version.sh")
    soname=libticklog.so.$("$root/Packaging/version.sh" abi)
    # shellcheck disable=SC2086
    $cc $cflags -shared -static-libgcc -Wl,--whole-archive "$out/libticklog-host.a" "$out/libticklog.a" -Wl,--no-whole-archive \
        -pthread -lm -Wl,--version-script="$root/Packaging/ticklog.map" -Wl,-soname,"$soname" -Wl,--gc-sections \
        -Wl,-Bsymbolic -Wl,-z,defs -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed -Wl,--build-id=sha1 \
        ${LDFLAGS:-} -o "$out/libticklog.so.$version.new"
    rm -f "$out"/libticklog.so "$out"/libticklog.so.*[0-9]
    mv "$out/libticklog.so.$version.new" "$out/libticklog.so.$version"
    [ "$soname" = "libticklog.so.$version" ] || ln -s "libticklog.so.$version" "$out/$soname"
    ln -s "$soname" "$out/libticklog.so"
    ;;
esac
for file in "$out"/libticklog*.a "$out"/libticklog.so.*.*; do
    [ ! -f "$file" ] || echo "$file: $(wc -c <"$file") bytes"
done
