#!/bin/sh
# check-firmware.sh ELF...: fails if a firmware contains an allocator, Swift's reference counting, or a global that is made at
# first use (swift_once: not safe in an interrupt).
set -eu
[ $# -gt 0 ] || { echo "usage: check-firmware.sh ELF..." >&2; exit 64; }
forbidden='_?(malloc|calloc|realloc|free|posix_memalign|aligned_alloc|memalign|_(malloc|calloc|realloc|free|memalign|sbrk)_r|_?sbrk|_Zn[wa].*|_Zd[la].*|arc4random.*|swift_(once|retain|release|alloc|dealloc|slowAlloc|slowDealloc|initStackObject|bridgeObject|nativeBridge).*|putchar|printf|__aeabi_unwind.*_swift.*)'
bad=0
for elf in "$@"; do
    names=$(arm-none-eabi-nm "$elf") || { echo "$elf: not an ELF file" >&2; exit 1; }
    case $names in *ticklog_tick*) ;; *) echo "$elf: no ticklog_tick in it, so this proves nothing" >&2; bad=1 ;; esac
    if printf '%s\n' "$names" | awk '{ print $NF }' | grep -xE "$forbidden" >&2; then
        echo "$elf: the symbols above do not belong in firmware" >&2
        bad=1
    else
        echo "$elf: no allocator, no lazy globals"
    fi
done
exit $bad
