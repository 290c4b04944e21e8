#!/bin/sh
# Puts lz4.c, lz4hc.c and their headers, from Debian's source package, into build/lz4/source. They are fetched, never committed.
# LZ4_SOURCE=DIRECTORY takes them from there instead (its lib/ or itself), for a machine without a network.
set -eu
. "$(dirname -- "$0")/targets.sh"

to=$build/lz4/source
[ -f "$to/lz4-original.c" ] && exit 0
rm -rf "$build/lz4/fetch" "$to.new"
mkdir -p "$to.new"

if [ -n "${LZ4_SOURCE:-}" ]; then
    from=$LZ4_SOURCE
    [ -f "$from/lib/lz4.c" ] && from=$from/lib
else
    fetch=$build/lz4/fetch
    . "$root/Cross/apt.sh"
    own_apt "$fetch" deb-src || { echo "set LZ4_SOURCE" >&2; exit 1; }
    # shellcheck disable=SC2086
    (cd "$fetch" && apt-get -qq $ours update && apt-get -qq $ours source --download-only lz4)
    # Debian's patches of lz4 concern its Makefiles only.
    (cd "$fetch" && tar -xf lz4_*.orig.tar.*)
    from=$(dirname -- "$(ls "$fetch"/lz4-*/lib/lz4.c)")
fi
cp "$from/lz4.c" "$from/lz4.h" "$from/lz4hc.c" "$from/lz4hc.h" "$to.new/"
# As it is, for tables, whose bytes may depend on the machine (build-lz4.sh).
cp "$from/lz4.c" "$to.new/lz4-original.c"

# LZ4 hashes four bytes on 32-bit machines and five on 64-bit ones (LZ4_hashPosition), so the two find different matches
# and write different, equally valid, bytes. A log must not depend on the machine that wrote it, or a test on the host
# would prove nothing about the firmware. So 64-bit machines hash four bytes here, too. This one condition is all that
# is changed.
condition='if ((sizeof(reg_t)==8) && (tableType != byU16)) return LZ4_hash5('
count=$(grep -cF "$condition" "$to.new/lz4.c" || true)
[ "$count" = 1 ] || { echo "lz4.c: the condition in LZ4_hashPosition is there $count times, not once" >&2; exit 1; }
sed -i "s/$condition/if (0) return LZ4_hash5(/" "$to.new/lz4.c"
grep -q 'if (0) return LZ4_hash5(' "$to.new/lz4.c" || { echo "lz4.c: LZ4_hashPosition was not changed" >&2; exit 1; }

rm -rf "$to" "$build/lz4/fetch"
mv "$to.new" "$to"
version=$(sed -n 's/^#define LZ4_VERSION_\(MAJOR\|MINOR\|RELEASE\) *\([0-9]*\).*/\2/p' "$to/lz4.h" | tr '\n' .)
echo "lz4 ${version%.}: $to"
