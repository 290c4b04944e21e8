#!/bin/sh
# witness.sh INCLUDE OUT: compiles a library with every function of the headers and none of their code. Its debug information
# describes the C types, which that of libticklog.so, compiled from Swift, does not.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$here/header.py" witness "$1" >"$work/witness.c"
gcc -std=gnu11 -w -g -O0 -fPIC -shared -fno-eliminate-unused-debug-types -ffile-prefix-map="$work"=. -ffile-prefix-map="$1"=. \
    -Wl,-soname,libticklog.so.1 -I "$1" "$work/witness.c" -o "$2"
