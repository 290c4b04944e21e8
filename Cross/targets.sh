# Sourced by the scripts beside it: what the five targets are.
#
#   target NAME     sets triple, product, prefix (of the cross binutils), cc (the C compiler), cflags (its machine options),
#                   system (the folder with include/ of the Linux targets) for that target, or ends the script if there is
#                   none of that name.
#
# A build system with a compiler and a sysroot of its own says so. CROSS_TARGET is the one Linux target that there is then,
# CROSS_CC its C compiler with all that belongs to it, CROSS_PREFIX the prefix of its ar, objcopy and strip, CROSS_FLAGS the
# machine options, which Swift gets too, and CROSS_SYSTEM the folder with include/.

targets=${CROSS_TARGET:-linux-aarch64 linux-armv7 cortex-m4f cortex-m7f linux-x86_64}

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
while [ ! -f "$root/Cross/targets.sh" ] && [ "$root" != / ]; do root=$(dirname -- "$root"); done
build=${BUILD_DIR:-$root/build}

# Where clang's own headers (stddef.h, stdint.h, arm_acle.h) are: with the Swift toolchain.
clang_headers() {
    for directory in "$(dirname -- "$(readlink -f "$(command -v swiftc)")")"/../lib/clang/*/include; do
        [ -f "$directory/stddef.h" ] && (cd "$directory" && pwd) && return
    done
    echo "no clang headers beside swiftc" >&2
    exit 1
}

target() {
    case $1 in
    linux-aarch64)
        triple=aarch64-none-none-elf product=TickLogHost prefix=aarch64-linux-gnu- cflags=-fPIC
        system=/usr/aarch64-linux-gnu ;;
    linux-armv7)
        triple=armv7-none-none-eabi product=TickLogHost prefix=arm-linux-gnueabihf-
        cflags="-march=armv7-a -mfpu=neon -mfloat-abi=hard -fPIC" system=/usr/arm-linux-gnueabihf ;;
    linux-x86_64)
        triple=x86_64-unknown-linux-gnu product=TickLogHost prefix= cflags=-fPIC system=/ ;;
    cortex-m4f)
        triple=armv7em-none-none-eabi product=TickLog prefix=arm-none-eabi-
        cflags="-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard" system= ;;
    cortex-m7f)
        triple=armv7em-none-none-eabi product=TickLog prefix=arm-none-eabi-
        cflags="-mcpu=cortex-m7 -mthumb -mfpu=fpv5-d16 -mfloat-abi=hard" system= ;;
    *)
        echo "$1: no such target; there are: $targets" >&2
        exit 64 ;;
    esac
    if [ -n "${CROSS_TARGET:-}" ]; then
        [ "$1" = "$CROSS_TARGET" ] || { echo "$1: no such target; CROSS_TARGET is $CROSS_TARGET" >&2; exit 64; }
        prefix=$CROSS_PREFIX system=$CROSS_SYSTEM
        [ -z "$CROSS_FLAGS" ] || cflags="$CROSS_FLAGS -fPIC"
    fi
    cc=${CROSS_CC:-${prefix}gcc}
}
