#!/bin/sh
# tool.sh TARGET: builds the command for a Linux target and links it as build/TARGET/ticklog.
set -eu
. "$(dirname -- "$0")/targets.sh"
name=${1:?usage: tool.sh TARGET}
target "$name"
case $name in
linux-*) ;;
*) echo "$name: the command needs an operating system" >&2; exit 64 ;;
esac
# The core, POSIX storage and the command's own code as one archive, with lz4 and the Unicode tables. It is not the one
# that C programs link, so it goes to a folder of its own.
archive=$build/$name/tool
"$root/Cross/build.sh" "$name" TickLogTool "$archive"
# shellcheck disable=SC2086
"${prefix}gcc" $cflags "$archive/libticklog.a" -pthread -lm -Wl,--gc-sections -s -o "$build/$name/ticklog"
echo "$build/$name/ticklog: $(wc -c <"$build/$name/ticklog") bytes"
