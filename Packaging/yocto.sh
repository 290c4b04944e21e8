#!/bin/bash
# yocto.sh compile|install: what do_compile and do_install of Yocto/meta-ticklog do. The recipe hands BitBake's variables
# over, in the environment and under their own names:
#   B TARGET_ARCH CC HOST_PREFIX STAGING_DIR_HOST TUNE_CCARGS LDFLAGS, and for install D prefix bindir libdir sysconfdir
#   systemd_system_unitdir
# and these:
#   LZ4_SOURCE  the unpacked source of lz4
#   SWIFT       the folder of the Swift toolchain, with usr/bin/swiftc in it
#   RUN         runs a program of the target here; the man pages are made from what the command tells about itself
# Nothing is fetched. What is in B/TARGET already is not built again.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
case $TARGET_ARCH in
aarch64) TARGET=linux-aarch64 ;;
arm) TARGET=linux-armv7 ;;
*) echo "TARGET_ARCH: found $TARGET_ARCH, expected aarch64 or arm" >&2; exit 64 ;;
esac
export TARGET LZ4_SOURCE LDFLAGS
export BUILD_DIR=$B CROSS_TARGET=$TARGET CROSS_CC=$CC CROSS_PREFIX=$HOST_PREFIX CROSS_FLAGS=$TUNE_CCARGS
export CROSS_SYSTEM=$STAGING_DIR_HOST/usr

case ${1:-} in
compile)
    [ -x "$SWIFT/usr/bin/swiftc" ] || { echo "$SWIFT: no Swift toolchain: found no usr/bin/swiftc in it" >&2; exit 1; }
    # SwiftPM compiles Package.swift for this machine, and takes a compiler from the environment if one is named there; it
    # keeps its caches in HOME.
    unset CC CPP CXX LD AR AS NM RANLIB OBJCOPY OBJDUMP STRIP READELF CFLAGS CPPFLAGS CXXFLAGS
    export HOME=$B/home PATH=$SWIFT/usr/bin:$PATH
    unset XDG_CACHE_HOME XDG_CONFIG_HOME
    mkdir -p "$HOME"
    [ -f "$B/$TARGET/libticklog.so" ] || "$root/Cross/build.sh" "$TARGET"
    [ -f "$B/$TARGET/ticklog" ] || "$root/Cross/tool.sh" "$TARGET"
    # shellcheck disable=SC2086
    "$root/Packaging/pages.py" "$B/$TARGET/share" $RUN "$B/$TARGET/ticklog"
    ;;
install)
    [ "$bindir" = "$prefix/bin" ] || { echo "bindir: found $bindir, expected $prefix/bin" >&2; exit 64; }
    DESTDIR=$D PREFIX=$prefix LIBDIR=$libdir SYSCONFDIR=$sysconfdir UNITDIR=$systemd_system_unitdir SKIP_BUILD=1 \
        STRIP=no "$root/Packaging/install.sh"
    # BitBake makes a -dbg package of the rest's debug information, but not of archives', which names this machine's folders.
    "${HOST_PREFIX}strip" --strip-debug --enable-deterministic-archives "$D$libdir"/libticklog*.a
    ;;
*)
    echo "usage: yocto.sh compile|install" >&2
    exit 64
    ;;
esac
