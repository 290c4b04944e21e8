#!/bin/sh
# Installs the Debian packages that building and running for the five targets needs. Needs root only if one is missing.
set -eu
exec "$(dirname -- "$0")/packages.sh" gcc libc6-dev binutils gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
    gcc-arm-linux-gnueabihf libc6-dev-armhf-cross gcc-arm-none-eabi libnewlib-arm-none-eabi picolibc-arm-none-eabi qemu-user \
    qemu-system-arm make cmake cpio e2fsprogs xz-utils liblz4-dev libxxhash-dev
