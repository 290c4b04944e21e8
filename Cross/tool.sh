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
# With the command's own code among the rest, libticklog-host.a is not the one that C programs link, so it goes to a folder
# of its own.
archive=$build/$name/tool
"$root/Cross/build.sh" "$name" TickLogTool "$archive"
# Who brings a compiler along strips it, too.
strip=-s
[ -z "${CROSS_TARGET:-}" ] || strip=
# shellcheck disable=SC2086
$cc $cflags "$archive/libticklog-host.a" "$archive/libticklog.a" -static-libgcc -pthread -lm -Wl,--gc-sections $strip ${LDFLAGS:-} -o "$build/$name/ticklog"
echo "$build/$name/ticklog: $(wc -c <"$build/$name/ticklog") bytes"
