#!/bin/sh
# No throwing function of the libraries for 64 bits ends with a jump to C that loses the error: error-register.py tells why.
set -eu
cd "$(dirname "$0")/.."
. Cross/targets.sh
version=$(Packaging/version.sh)
for name in linux-x86_64 linux-aarch64; do
    target "$name"
    echo "$name"
    python3 Tests/error-register.py "${prefix}objdump" "build/$name/libticklog.so.$version"
done
