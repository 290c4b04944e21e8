#!/bin/sh
# fetch.sh FOLDER: Debian's arm64 kernel with the modules that the test needs, busybox and the C library, as FOLDER/vmlinuz
# and FOLDER/root. Packages of another architecture, so apt has lists of its own; nothing is installed on this machine.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/Cross/apt.sh"
to=${1:?usage: fetch.sh FOLDER}
[ -f "$to/versions" ] && exit 0
fetch=$to.fetch
rm -rf "$to" "$fetch"
mkdir -p "$to/root" "$fetch/kernel"
own_apt "$fetch" deb arm64

# shellcheck disable=SC2086
(
    cd "$fetch"
    apt-get -qq $ours update
    kernel=$(apt-cache $ours depends linux-image-arm64 | awk '$1 == "Depends:" { print $2; exit }')
    apt-get -qq $ours download "$kernel" busybox-static libc6
)
dpkg-deb --fsys-tarfile "$fetch"/linux-image-*.deb | tar -C "$fetch/kernel" -xf -
dpkg-deb --fsys-tarfile "$fetch"/busybox-static_*.deb | tar -C "$to/root" -xf - ./bin/busybox
dpkg-deb --fsys-tarfile "$fetch"/libc6_*.deb | tar -C "$to/root" -xf - ./lib

# Of the modules: the virtual disk, and ext4 with what it loads.
cp "$fetch"/kernel/boot/vmlinuz-* "$to/vmlinuz"
(
    cd "$fetch/kernel"
    tar -cf - lib/modules/*/modules.* lib/modules/*/kernel/drivers/virtio lib/modules/*/kernel/drivers/block/virtio_blk.ko \
        lib/modules/*/kernel/fs/ext4 lib/modules/*/kernel/fs/jbd2 lib/modules/*/kernel/fs/mbcache.ko \
        lib/modules/*/kernel/lib/crc16.ko lib/modules/*/kernel/lib/libcrc32c.ko lib/modules/*/kernel/crypto/crc32c_generic.ko
) | tar -C "$to/root" -xf -
(cd "$fetch" && ls ./*.deb) >"$to/versions"
rm -rf "$fetch"
echo "$to: $(tr '\n' ' ' <"$to/versions")"
