#!/bin/bash
# The Debian packages: what is in them, the same bytes twice, lintian, and installed. dpkg installs those of this machine into
# a root of their own, with Debian's C library and a shell, where the command, a program linked with the library, and taking
# it all out again are tried. Those of arm64 run under QEMU.
#     Tests/deb.sh [ARCH...]      amd64 and arm64 unless given; what is built for them must be there, or is built
# Needs root, for chroot.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD_DIR:-$root/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
"$root/Tests/packaging/install.sh" || exit 1
version=$("$root/Packaging/version.sh")
abi=$("$root/Packaging/version.sh" abi)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
names="ticklog libticklog$abi libticklog-dev"
here=$(dpkg --print-architecture)

check() { # NAME COMMAND...
    local what=$1
    shift
    if "$@" > "$work/out" 2>&1 < /dev/null; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
        tail -n 8 "$work/out" | cut -c 1-300
    fi
}
says() { # TEXT COMMAND...
    local told
    told=$(timeout 60 "${@:2}" 2>&1) || { echo "exit code $?: $told"; return 1; }
    [ "$told" = "$1" ] || { echo "found '$told', expected '$1'"; return 1; }
}
file_of() { echo "$work/debs/$1_$version-1_$2.deb"; }
# Nothing can close a bug of Debian's tracker.
lint() { lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$@"; }
holds() { # DEB PATHS...: exactly these, of /usr/bin, /usr/lib, /usr/include and /etc
    diff <(printf '%s\n' "${@:2}" | LC_ALL=C sort) \
        <(dpkg-deb -c "$1" | awk '{ print $6 }' | grep -E '^\./(usr/(bin|lib|include)|etc)/.*[^/]$' | sed 's/^\.//' | LC_ALL=C sort)
}
sums() { (cd "$1" && md5sum --quiet -c DEBIAN/md5sums); }
fields() { # DEB ARCH
    dpkg-deb -f "$1" > "$work/fields" && grep -qx "Version: $version-1" "$work/fields" && grep -qx "Architecture: $2" "$work/fields" &&
        grep -q '^Depends: ..' "$work/fields" && dpkg-deb -c "$1" | awk '$2 != "root/root" { exit 1 }'
}

for arch in ${*:-amd64 arm64}; do
    case $arch in
    amd64) multiarch=x86_64-linux-gnu target=linux-x86_64 ;;
    arm64) multiarch=aarch64-linux-gnu target=linux-aarch64 ;;
    armhf) multiarch=arm-linux-gnueabihf target=linux-armv7 ;;
    esac
    lib=/usr/lib/$multiarch
    DEB_DIR=$work/debs "$root/Packaging/deb.sh" "$arch" > "$work/log" 2>&1 || { tail -20 "$work/log"; echo "deb.sh $arch failed"; exit 1; }
    grep bytes "$work/log" | sed "s|$work/debs/||"
    SKIP_BUILD=1 DEB_DIR=$work/again "$root/Packaging/deb.sh" "$arch" > "$work/log" 2>&1 || tail -20 "$work/log"
    for name in $names; do
        check "$arch $name: the same twice" cmp "$(file_of "$name" "$arch")" "$work/again/$name""_$version-1_$arch.deb"
        check "$arch $name: fields" fields "$(file_of "$name" "$arch")" "$arch"
        mkdir -p "$work/$arch/$name"
        check "$arch $name: unpacks" dpkg-deb -R "$(file_of "$name" "$arch")" "$work/$arch/$name"
        check "$arch $name: md5sums" sums "$work/$arch/$name"
    done
    check "$arch: lintian" lint $(for name in $names; do file_of "$name" "$arch"; done)
    check "$arch ticklog: files" holds "$(file_of ticklog "$arch")" /usr/bin/ticklog /etc/ticklog/receive.conf /etc/ticklog/serve.conf \
        /usr/lib/systemd/system/ticklog-receive.service /usr/lib/systemd/system/ticklog-serve.service
    check "$arch libticklog$abi: files" holds "$(file_of "libticklog$abi" "$arch")" "$lib/libticklog.so.$version" "$lib/libticklog.so.$abi"
    check "$arch libticklog-dev: files" holds "$(file_of libticklog-dev "$arch")" "$lib/libticklog.so" "$lib/libticklog.a" "$lib/libticklog-host.a" \
        "$lib"/pkgconfig/ticklog{,-host,-core}.pc "$lib"/cmake/ticklog/ticklogConfig{,Version}.cmake \
        /usr/include/ticklog.h /usr/include/ticklog_rnog.h /usr/include/ticklog/module.modulemap
    check "$arch: conffiles" diff <(printf '/etc/ticklog/%s.conf\n' receive serve) "$work/$arch/ticklog/DEBIAN/conffiles"

    # A program of somebody who has the packages.
    all=$work/$arch/all
    mkdir -p "$all"
    for name in $names; do dpkg-deb -x "$(file_of "$name" "$arch")" "$all"; done
    . "$root/Cross/targets.sh" && target "$target"
    # shellcheck disable=SC2086
    check "$arch: cc" "${prefix}gcc" $cflags -std=c11 -Wall -Wextra -Werror -I "$all/usr/include" "$root/Tests/packaging/host.c" \
        -L "$all$lib" -lticklog -o "$work/$arch/program"
    printf 'a,b\n1,x\n2,y\n' > "$work/table.csv"

    if [ "$arch" != "$here" ]; then
        case $arch in arm64) qemu="qemu-aarch64 -L $system" ;; armhf) qemu="qemu-arm -L $system" ;; *) echo "$arch: nothing runs it here"; continue ;; esac
        # shellcheck disable=SC2086
        {
            check "$arch: command" says "ticklog $version" $qemu "$all/usr/bin/ticklog" --version
            check "$arch: converts" timeout 60 $qemu "$all/usr/bin/ticklog" convert --force "$work/table.csv" "$work/table.bcsv"
            check "$arch: prints" says "$(cat "$work/table.csv")" $qemu "$all/usr/bin/ticklog" cat "$work/table.bcsv"
            mkdir -p "$work/runs-$arch"
            check "$arch: program" says "$version" $qemu -E "LD_LIBRARY_PATH=$all$lib" "$work/$arch/program" "$work/runs-$arch"
        }
        continue
    fi

    # A root with the C library and busybox, which dpkg believes to be Debian's.
    chroot=$work/root
    mkdir -p "$chroot"/{bin,proc,tmp,var/lib/dpkg/{info,updates,triggers},var/lib/runs}
    (cd "$work" && { apt-get download -qq libc6 busybox-static > "$work/log" 2>&1 || { apt-get -qq update && apt-get download -qq libc6 busybox-static; } > "$work/log" 2>&1; }) ||
        { tail -3 "$work/log"; echo "apt-get download failed"; failed=$((failed + 1)); continue; }
    for file in "$work"/libc6_*.deb "$work"/busybox-static_*.deb; do dpkg-deb -x "$file" "$chroot"; done
    for name in sh cat ls rm mkdir test grep; do ln -sf busybox "$chroot/bin/$name"; done
    for file in "$work"/libc6_*.deb; do
        { dpkg-deb -f "$file" Package Version Architecture Multi-Arch Maintainer Description | sed '/^ /d'; echo "Status: install ok installed"; echo; } >> "$chroot/var/lib/dpkg/status"
    done
    # The headers of the C library are not needed to run.
    printf 'Package: libc6-dev\nStatus: install ok installed\nVersion: 2.36\nArchitecture: %s\nMaintainer: none\nDescription: none\n\n' "$arch" >> "$chroot/var/lib/dpkg/status"
    find "$chroot" -path "$chroot/var/lib/dpkg" -prune -o -print | LC_ALL=C sort > "$work/before"
    in_root="chroot $chroot"
    check "dpkg installs" dpkg --root="$chroot" --install $(for name in $names; do file_of "$name" "$arch"; done)
    check "dpkg finds nothing wrong" says "" dpkg --root="$chroot" --verify $names
    check "dpkg has configured all" says "install ok installed,install ok installed,install ok installed," \
        dpkg-query --admindir="$chroot/var/lib/dpkg" -W -f '${Status},' $names
    cp "$work/table.csv" "$work/$arch/program" "$chroot/tmp/"
    check "installed command" says "ticklog $version" $in_root /usr/bin/ticklog --version
    check "installed command converts" $in_root /usr/bin/ticklog convert /tmp/table.csv /tmp/table.bcsv
    check "installed command prints" says "$(cat "$work/table.csv")" $in_root /usr/bin/ticklog cat /tmp/table.bcsv
    check "installed library" says "$version" $in_root /tmp/program /var/lib/runs
    check "installed command reads the program's run" $in_root /usr/bin/ticklog validate /var/lib/runs/run
    echo '# changed' >> "$chroot/etc/ticklog/serve.conf"
    check "dpkg removes" dpkg --root="$chroot" --remove $names
    check "settings stay" test -f "$chroot/etc/ticklog/serve.conf"
    check "dpkg purges" dpkg --root="$chroot" --purge $names
    rm -rf "$chroot/tmp"/* "$chroot/var/lib/runs"/*
    find "$chroot" -path "$chroot/var/lib/dpkg" -prune -o -print | LC_ALL=C sort > "$work/after"
    check "nothing stays" sh -c "diff '$work/before' '$work/after' | grep '^[<>].*ticklog' && exit 1; exit 0"
done
echo "deb: $passed passed, $failed failed"
[ "$failed" = 0 ]
