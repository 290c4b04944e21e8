#!/bin/sh
# Installs the Debian packages that building and running for the five targets needs. Needs root only if one is missing.
set -eu
# Without recommended packages: QEMU would bring half a desktop along.
wanted="gcc libc6-dev binutils gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
gcc-arm-none-eabi libnewlib-arm-none-eabi picolibc-arm-none-eabi qemu-user qemu-system-arm make cmake cpio e2fsprogs
xz-utils liblz4-dev libxxhash-dev"

missing=
for package in $wanted; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
    "install ok installed") ;;
    *) missing="$missing $package" ;;
    esac
done
if [ -z "$missing" ]; then
    echo "Cross/install.sh: everything is installed"
    exit 0
fi
echo "Cross/install.sh: installs$missing"
DEBIAN_FRONTEND=noninteractive
export DEBIAN_FRONTEND
# shellcheck disable=SC2086
apt-get install -qq -y --no-install-recommends $missing >/dev/null || {
    apt-get -qq update
    apt-get install -qq -y --no-install-recommends $missing >/dev/null
}
