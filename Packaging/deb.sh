#!/bin/bash
# deb.sh [ARCH...]: Debian packages of what Packaging/install.sh installs, as DEB_DIR/NAME_VERSION_ARCH.deb: ticklog (the
# command and its services), libticklog1, libticklog-dev. ARCH: amd64, arm64, armhf; this machine's unless given.
#
# The bytes depend on build/TARGET and SOURCE_DATE_EPOCH (seconds of Unix time; default: the last commit's) alone.
#   DEB_DIR     where to; default dist
#   SKIP_BUILD  1: build/TARGET is complete
#   REVISION    behind the version; default 1
#   MAINTAINER  NAME <ADDRESS>
set -eu
root=$(cd "$(dirname -- "$0")/.." && pwd)
here=$root/Packaging
out=${DEB_DIR:-$root/dist}
version=$("$here/version.sh")
abi=$("$here/version.sh" abi)
package_version=$version-${REVISION:-1}
maintainer=${MAINTAINER:-The TickLog authors <ticklog@example.org>}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
unset TARGET PREFIX DESTDIR LIBDIR SYSCONFDIR UNITDIR
umask 022
[ $# -gt 0 ] || set -- "$(dpkg --print-architecture)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

take() { # PACKAGE PATTERN...: moves files from the stage to the package's folder
    local package=$1 path
    shift
    (cd "$stage" && for path; do [ ! -e "$path" ] && [ ! -L "$path" ] || echo "$path"; done) | while read -r path; do
        mkdir -p "$tree/$package/$(dirname -- "$path")"
        mv "$stage/$path" "$tree/$package/$path"
    done
}

libc_of() { # FILE...: the newest version of the C library that one of them asks for
    readelf -W --dyn-syms "$@" | grep -oE '@GLIBC_[0-9.]+' | cut -d _ -f 2 | sort -Vu | tail -n 1
}

package() { # NAME SECTION DEPENDS FIELDS SHORT LONG: fields and the long description as lines; its scripts are in debian/NAME.*
    local name=$1 section=$2 depends=$3 fields=$4 short=$5 long=$6 folder=$tree/$1 control=$tree/$1/DEBIAN file size
    install -D -m 644 "$work/copyright" "$folder/usr/share/doc/$name/copyright"
    printf 'ticklog (%s) unstable; urgency=medium\n\n  * Version %s.\n\n -- %s  %s\n' "$package_version" "$version" "$maintainer" \
        "$(date -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$folder/usr/share/doc/$name/changelog.Debian.gz"
    mkdir -p "$control"
    # As Debian's own tools count: files in whole KiB, and one for everything else.
    size=$(cd "$folder" && find . -path ./DEBIAN -prune -o -printf '%y %s\n' | awk '{ n += $1 == "f" ? int(($2 + 1023) / 1024) : 1 } END { print n }')
    {
        printf 'Package: %s\nSource: ticklog\nVersion: %s\nArchitecture: %s\nMaintainer: %s\n' "$name" "$package_version" "$arch" "$maintainer"
        printf 'Installed-Size: %s\nDepends: %s\n' "$size" "$depends"
        [ -z "$fields" ] || printf '%s\n' "$fields"
        printf 'Section: %s\nPriority: optional\nDescription: %s\n' "$section" "$short"
        printf '%s\n' "$long" | sed 's/^$/./; s/^/ /'
    } >"$control/control"
    (cd "$folder" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\n' | sort | xargs -r md5sum) >"$control/md5sums"
    [ ! -d "$folder/etc" ] || (cd "$folder" && find etc -type f -printf '/%p\n' | sort) >"$control/conffiles"
    for file in postinst prerm postrm; do
        [ ! -f "$here/debian/$name.$file" ] || install -m 755 "$here/debian/$name.$file" "$control/$file"
    done
    [ "$name" != "libticklog$abi" ] || {
        echo "libticklog $abi $name (>= $version)" >"$control/shlibs"
        echo "activate-noawait ldconfig" >"$control/triggers"
    }
    find "$folder" -type d -exec chmod 755 {} +
    find "$folder" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    # One thread: with several the result may depend on how many there are.
    dpkg-deb --root-owner-group --threads-max=1 -Zxz -b "$folder" "$out/${name}_${package_version}_$arch.deb" >/dev/null
    echo "$out/${name}_${package_version}_$arch.deb: $(wc -c <"$out/${name}_${package_version}_$arch.deb") bytes"
}

for arch; do
    case $arch in
    amd64) target=linux-x86_64 multiarch=x86_64-linux-gnu ;;
    arm64) target=linux-aarch64 multiarch=aarch64-linux-gnu ;;
    armhf) target=linux-armv7 multiarch=arm-linux-gnueabihf ;;
    *) echo "$arch: found no target of that name, expected amd64, arm64 or armhf" >&2; exit 64 ;;
    esac
    stage=$work/stage tree=$work/tree library=usr/lib/$multiarch
    rm -rf "$stage" "$tree"
    TARGET=$target DESTDIR=$stage PREFIX=/usr LIBDIR=/$library "$here/install.sh"

    # Where Debian has such things.
    find "$stage/usr/share/man" -name '*.1' -exec gzip -9n {} +
    mkdir -p "$stage/usr/share/zsh/vendor-completions"
    mv "$stage/usr/share/zsh/site-functions/_ticklog" "$stage/usr/share/zsh/vendor-completions/"
    mv "$stage/usr/share/doc/ticklog/copyright" "$work/copyright"
    rmdir "$stage/usr/share/zsh/site-functions"
    gzip -9n "$stage"/usr/share/doc/ticklog/*.md

    take "libticklog$abi" "$library/libticklog.so.$version" "$library/libticklog.so.$abi"
    take libticklog-dev usr/include "$library"
    take ticklog usr/bin usr/lib/systemd usr/share etc
    [ -z "$(find "$stage" ! -type d)" ] || { echo "in no package:" >&2; find "$stage" ! -type d >&2; exit 1; }

    package ticklog utils "libc6 (>= $(libc_of "$tree/ticklog/usr/bin/ticklog"))" \
        "Recommends: zlib1g
Suggests: librdkafka1, libssl3t64 | libssl3" \
        "data logger's command: reads, converts, repairs and receives logs" \
        "Logs of microcontrollers and Linux are standard files: BCSV tables, DLF runs
and streams of frames. The command tells what is in them, prints, converts
(CSV, JSON Lines, Parquet), compares, checks and repairs them.

Two services receive what devices send: ticklog-receive takes framed streams
over TCP, UDP and Kafka, ticklog-serve is the server of the BMS protocol.
Neither of them is enabled before somebody does so; their settings are in
/etc/ticklog."
    package "libticklog$abi" libs "libc6 (>= $(libc_of "$tree/libticklog$abi/$library/libticklog.so.$version"))" \
        "Multi-Arch: same
Suggests: librdkafka1, libssl3t64 | libssl3, zlib1g" \
        "data logger for programs in C (shared library)" \
        "A program's variables become streams of samples in standard files: BCSV tables
and DLF runs. The sampler never waits, nothing is lost in silence, and what was
flushed survives a power cut.

This package has the shared library. It needs the C library only."
    package libticklog-dev libdevel "libticklog$abi (= $package_version), libc6-dev" \
        "Multi-Arch: same" \
        "data logger for programs in C (headers and archives)" \
        "A program's variables become streams of samples in standard files: BCSV tables
and DLF runs. The sampler never waits, nothing is lost in silence, and what was
flushed survives a power cut.

This package has the headers, the archives libticklog.a (the core) and
libticklog-host.a, and what pkg-config, CMake and Swift need to find them."
done
