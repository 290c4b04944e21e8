#!/bin/sh
# make-sdk.sh [BUILD_DIR]: generates BUILD_DIR/ticklog.artifactbundle (default: build), a Swift SDK bundle for the five
# targets, and installs it in BUILD_DIR/sdks, so that nothing outside is changed. Its paths are this machine's.
set -eu
[ $# -eq 0 ] || BUILD_DIR=$(mkdir -p "$1" && cd "$1" && pwd)
. "$(dirname -- "$0")/targets.sh"
BUILD_DIR=$build "$root/Cross/fetch-lz4.sh"

bundle=$build/ticklog.artifactbundle
clang=$(clang_headers)
version=$(sed -n 's/^#define TICKLOG_VERSION "\(.*\)"$/\1/p' "$root/include/ticklog.h")
rm -rf "$bundle"
mkdir -p "$bundle"

# lz4.h (of the lz4.c that is linked) and xxhash.h, but not the rest of /usr/include: newlib and glibc do not mix.
headers=$build/headers
mkdir -p "$headers"
cp "$build/lz4/source/lz4.h" "$build/lz4/source/lz4hc.h" "${CROSS_SYSTEM:-/usr}/include/xxhash.h" "$headers/"

strings() { # prints its arguments as the elements of a JSON array
    separator=
    for word in "$@"; do
        printf '%s"%s"' "$separator" "$word"
        separator=', '
    done
}

artifacts=
for name in $targets; do
    target "$name"
    mkdir -p "$bundle/$name"
    case $name in
    linux-x86_64) includes="$clang /usr/include/x86_64-linux-gnu /usr/include" sysroot=/ ;;
    linux-*) includes="$clang $system/include" sysroot=$system ;;
    *) includes="$clang /usr/include/newlib" sysroot=/usr/lib/arm-none-eabi ;;
    esac

    # All of a module is optimised as one piece (otherwise SwiftPM makes an object of each file: C inlines are there several
    # times, and nothing is inlined across files), and traps of one function share their code: a ninth less flash.
    set -- -enable-experimental-feature Embedded -wmo -Xfrontend -function-sections \
        -Xfrontend -enable-single-module-llvm-emission -Xfrontend -mergeable-traps
    # No libc's stack guard on bare metal. gcc's enums are as short as they can be there. -Osize: a third less flash than
    # -O, and the instructions that Benchmarks/mcu counts are nearly the same.
    case $name in cortex-*) set -- "$@" -D BARE_METAL -Xcc -DBARE_METAL -Osize -Xfrontend -disable-stack-protector -Xcc -fshort-enums ;; esac
    for flag in $cflags; do
        case $flag in
        -mthumb) ;; # the triple says so
        -mbranch-protection=*) ;; # Swift's runtime does not stand it: Yocto/README.md
        *) set -- "$@" -Xcc "$flag" ;;
        esac
    done
    # 32-bit Linux, too, has files above 2 GB and a clock that goes on after 2038.
    case $name in linux-*) set -- "$@" -Xcc -D_FILE_OFFSET_BITS=64 -Xcc -D_TIME_BITS=64 -Xcc -DTICKLOG_LZ4_TABLES ;; esac
    set -- "$@" -Xcc -DLZ4_MEMORY_USAGE=12 -Xcc -nostdinc
    for directory in "$headers" $includes; do set -- "$@" -Xcc "-isystem$directory"; done

    cat >"$bundle/$name/toolset.json" <<J
{ "schemaVersion": "1.0", "swiftCompiler": { "extraCLIOptions": [ $(strings "$@") ] } }
J
    cat >"$bundle/$name/swift-sdk.json" <<J
{ "schemaVersion": "4.0",
  "targetTriples": { "$triple": { "sdkRootPath": "$sysroot", "toolsetPaths": [ "toolset.json" ] } } }
J
    artifacts="$artifacts${artifacts:+,
    }\"ticklog-$name\": { \"type\": \"swiftSDK\", \"version\": \"$version\", \"variants\": [ { \"path\": \"$name\" } ] }"
done
cat >"$bundle/info.json" <<J
{ "schemaVersion": "1.0", "artifacts": {
    $artifacts } }
J

# SwiftPM refuses to install a bundle of the same name again.
rm -rf "$build/sdks"
mkdir -p "$build/sdks"
swift sdk install --swift-sdks-path "$build/sdks" "$bundle" >"$build/sdk-install.log" 2>&1 || {
    cat "$build/sdk-install.log" >&2
    exit 1
}
echo "Swift SDKs in $build/sdks: $(printf 'ticklog-%s ' $targets)"
