#!/bin/sh
# version.sh [abi]: prints the version of the package, or that of the C interface. include/ticklog.h says both.
set -eu
header=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)/include/ticklog.h
case ${1:-version} in
version) value=$(sed -n 's/^#define TICKLOG_VERSION "\([0-9][0-9.]*\)"$/\1/p' "$header") ;;
abi) value=$(sed -n 's/^#define TICKLOG_ABI \([0-9][0-9]*\).*$/\1/p' "$header") ;;
*) echo "usage: version.sh [abi]" >&2; exit 64 ;;
esac
[ -n "$value" ] || { echo "$header: no version" >&2; exit 1; }
echo "$value"
