#!/bin/sh
# flash.sh MAP: adds up, from a GNU linker map, the .text and .rodata that each origin has in the firmware.
set -eu
awk '
function hex(text,  i, n) { n = 0; text = tolower(substr(text, 3))
    for (i = 1; i <= length(text); i++) n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
    return n }
/^Linker script and memory map/ { in_map = 1 }
!in_map { next }
/^ \.(text|rodata)[^ ]*$/ { waiting = 1; next }                 # a long name: the numbers are in the next line
/^ \.(text|rodata)/ { add($3, $4) ; waiting = 0; next }
waiting && /^ +0x/ { add($2, $3) }
{ waiting = 0 }
function add(size, file) {
    if (file ~ /libticklog\.a\(lz4\.o\)/) where = "libticklog.a: lz4"
    else if (file ~ /libticklog\.a/) where = "libticklog.a: TickLog, with xxHash"
    else if (file ~ /lib(c|g|gcc|rdimon|nosys)[^\/]*\.a/) where = "memcpy and the like, of the toolchain"
    else where = "the program itself"
    bytes[where] += hex(size)
    if (file ~ /libticklog\.a/) ours += hex(size) }
END { for (where in bytes) printf "    %7d  %s\n", bytes[where], where | "sort -rn"
      close("sort -rn"); printf "    %7d  libticklog.a in all\n", ours }
' "${1:?usage: flash.sh MAP}"
