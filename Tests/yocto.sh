#!/bin/bash
# The layer Yocto/meta-ticklog without BitBake: oelint-adv finds nothing; the recipes' do_compile and do_install, taken from
# the recipes as they are, run with nothing but the host tools that BitBake lets through and without a network, against
# Debian's cross sysroots; the packages that come of it hold what they should; and their programs run under qemu-user.
#     Tests/yocto.sh [quick] [aarch64|arm...]
# aarch64 is compiled from the beginning, for a Cortex-A53: some six minutes of a processor. Of arm, and with `quick` of both,
# the archives of build/ are taken, of which the machine options are the same, and made if they are not there.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
build=${BUILD_DIR:-$root/build}
layer=Yocto/meta-ticklog
recipe=$layer/recipes-support/ticklog/ticklog_1.1.0.bb
example=$layer/recipes-support/ticklog-example/ticklog-example_1.0.bb
work=$build/yocto
mkdir -p "$work"
taken=" arm "
if [ "${1:-}" = quick ]; then
    taken=" aarch64 arm "
    shift
fi
[ $# -gt 0 ] || set -- aarch64 arm
Cross/packages.sh pkgconf python3-venv
fail() { echo "yocto: $*" >&2; exit 1; }

# Of the project's own: the version and the license are those of the sources.
version=$(Packaging/version.sh)
[ "$(basename "$recipe")" = "ticklog_$version.bb" ] || fail "$recipe: the version is $version"
bb() { Tests/yocto/recipe.py "$@"; }
checksums=$(bb value "$recipe" LIC_FILES_CHKSUM)

timeout 300 Tests/yocto/lint.sh "$work"

# The source as the recipe unpacks it: what git knows, and lz4 in it. Times stay, so that nothing is compiled twice.
S=$work/source
mkdir -p "$S"
git ls-files -co --exclude-standard -z | xargs -0 ls -d 2>/dev/null | tar -cf - -T - | tar -C "$S" -xf -
(cd "$S" && find . -type f ! -path './lz4-*') | sed 's|^\./||' | sort >"$work/there"
git ls-files -co --exclude-standard | sort | comm -23 "$work/there" - | while read -r gone; do rm "$S/$gone"; done
tarball=$work/lz4_1.9.4.orig.tar.gz
if [ ! -f "$tarball" ]; then
    . Cross/apt.sh
    own_apt "$work/fetch" deb-src
    # shellcheck disable=SC2086
    (cd "$work/fetch" && apt-get -qq $ours update && apt-get -qq $ours source --download-only lz4)
    cp "$work/fetch/lz4_1.9.4.orig.tar.gz" "$tarball"
    rm -rf "$work/fetch"
fi
# apt has checked it against Debian's signature.
[ "$(sha256sum <"$tarball" | cut -d' ' -f1)" = "$(bb value "$recipe" 'SRC_URI[lz4.sha256sum]')" ] || fail "lz4: the recipe's checksum is another one"
case $(bb value "$recipe" SRC_URI TICKLOG_GIT= DEBIAN_MIRROR=) in *"/main/l/lz4/$(basename "$tarball")"*) ;; *) fail "SRC_URI: not $(basename "$tarball")" ;; esac
tar -C "$S" -xzf "$tarball"
count=0
for checksum in $checksums; do
    file=${checksum#file://}
    [ "$(md5sum <"$S/${file%;*}" | cut -d' ' -f1)" = "${file#*;md5=}" ] || fail "LIC_FILES_CHKSUM: $checksum"
    count=$((count + 1))
done
[ "$count" = 2 ] || fail "LIC_FILES_CHKSUM: found $count files, expected 2"

# The host tools that BitBake lets through (HOSTTOOLS and HOSTTOOLS_NONFATAL of bitbake.conf).
hosttools="[ ar as awk basename bash bunzip2 bzip2 cat chgrp chmod chown chrpath cmp comm cp cpio cpp cut date dd diff diffstat
dirname du echo egrep env expand expr false fgrep file find flock g++ gawk gcc getconf getopt git grep gunzip gzip head hostname
iconv id install ld ldd ln ls make md5sum mkdir mkfifo mknod mktemp mv nm objcopy objdump od patch perl pr printf pwd python3
pzstd ranlib readelf readlink realpath rm rmdir rpcgen sed seq sh sha1sum sha224sum sha256sum sha384sum sha512sum sleep sort
split stat strings strip tail tar tee test touch tr true uname uniq wc wget which xargs zstd gcc-ar ld.bfd ld.gold"
swift=$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f "$(command -v swiftc)")")")")
offline=
! unshare -rn true 2>/dev/null || offline="unshare -rn"

is_compiled() { case $taken in *" $arch "*) return 1 ;; esac; }

pieces() { # ARCH: sets what BitBake's configuration would
    case $1 in
    aarch64)
        debian=aarch64-linux-gnu target=linux-aarch64 emulator=qemu-aarch64 machine=AArch64
        TUNE_CCARGS=" -mcpu=cortex-a53+crc -mbranch-protection=standard" HOST_PREFIX=aarch64-poky-linux-
        is_compiled || TUNE_CCARGS=" -march=armv8-a" ;;
    arm)
        debian=arm-linux-gnueabihf target=linux-armv7 emulator=qemu-arm machine=ARM
        TUNE_CCARGS=" -march=armv7-a -mfpu=neon -mfloat-abi=hard" HOST_PREFIX=arm-poky-linux-gnueabi- ;;
    *) fail "$1: found an architecture that is not aarch64 or arm" ;;
    esac
    at=$work/$1 B=$work/$1/build D=$work/$1/image
    is_compiled || B=$at/taken
    sysroot=$at/recipe-sysroot tools=$at/hosttools
    CC="${HOST_PREFIX}gcc $TUNE_CCARGS -fstack-protector-strong -O2 -D_FORTIFY_SOURCE=2 -Wformat -Wformat-security -Werror=format-security --sysroot=$sysroot"
    CFLAGS=" -O2 -pipe -g"
    LDFLAGS="-Wl,-O1 -Wl,--hash-style=gnu -Wl,--as-needed -Wl,-z,relro,-z,now"
    mkdir -p "$B" "$tools"
    rm -rf "$sysroot" "$D" "$at/packages"

    # The sysroot: the C library, and xxhash's header.
    mkdir -p "$sysroot/usr"
    cp -a "/usr/$debian/include" "/usr/$debian/lib" "$sysroot/usr/"
    cp /usr/include/xxhash.h "$sysroot/usr/include/"
    ln -s usr/lib "$sysroot/lib"
    # Where Debian's libc.so, which is a script, says that the library is.
    mkdir "$sysroot/usr/$debian"
    ln -s ../lib "$sysroot/usr/$debian/lib"
    # The compiler has the name and the place that BitBake gives it, and no other one is there for the target.
    rm -f "$tools"/* "$at/calls"
    local tool
    for tool in $hosttools; do ! path=$(command -v "$tool") || [ "${path#/}" = "$path" ] || ln -s "$path" "$tools/$tool"; done
    for tool in '[' echo false printf pwd test true; do ln -sf "/usr/bin/$tool" "$tools/$tool"; done
    for tool in gcc ar objcopy strip; do
        printf '#!/bin/sh\necho "%s $*" >>%s\nexec /usr/bin/%s-%s "$@"\n' "$tool" "$at/calls" "$debian" "$tool" >"$tools/$HOST_PREFIX$tool"
        chmod +x "$tools/$HOST_PREFIX$tool"
    done
    ln -s "$(command -v pkg-config)" "$(command -v $emulator)" "$tools/"
    given=(B="$B" S="$S" D="$D" TARGET_ARCH="$1" CC="$CC" CFLAGS="$CFLAGS" LDFLAGS="$LDFLAGS" HOST_PREFIX="$HOST_PREFIX"
        STAGING_DIR_HOST="$sysroot" TUNE_CCARGS="$TUNE_CCARGS" SWIFT="$swift" RUN="env $emulator -L $sysroot" prefix=/usr
        bindir=/usr/bin libdir=/usr/lib sysconfdir=/etc systemd_system_unitdir=/usr/lib/systemd/system EXTENDPKGV="$version-r0")
}

task() { # RECIPE TASK [NAME=VALUE...]: runs its body as BitBake does, with the environment that it exports
    local file=$1 name=$2
    shift 2
    bb body "$file" "$name" "${given[@]}" "$@" >"$at/run.$name"
    timeout --foreground -k 10 1800 $offline env -i HOME=/nonexistent PATH="$tools" LC_ALL=C CC="$CC" CFLAGS="$CFLAGS" LDFLAGS="$LDFLAGS" AR="${HOST_PREFIX}gcc-ar" \
        AS="${HOST_PREFIX}as" LD="${HOST_PREFIX}ld" PKG_CONFIG_SYSROOT_DIR="$sysroot" PKG_CONFIG_LIBDIR="$sysroot/usr/lib/pkgconfig" \
        /bin/sh -e "$at/run.$name" >"$at/log.$name" 2>&1 ||
        fail "$arch: $name of $(basename "$file"): $(tail -n 20 "$at/log.$name")"
}

check_packages() {
    bb split "$recipe" "$D" "${given[@]}" >"$at/split" || fail "$arch: the packages"
    local package file
    while read -r package file; do
        mkdir -p "$at/packages/$package$(dirname "$file")"
        cp -a "$D$file" "$at/packages/$package$file"
    done <"$at/split"
    (cd "$at/packages" && find . \( -type f -o -type l \) ! -path '*/man1/ticklog-*' | sed 's|^\./||' | sort) >"$at/contents"
    sed -e 's/#.*//' -e 's/ *$//' -e "s/VERSION/$version/" -e '/^$/d' Tests/yocto/packages.txt | sort | diff - "$at/contents" >"$at/diff" ||
        fail "$arch: other files are in the packages than Tests/yocto/packages.txt says: $(cat "$at/diff")"
    [ "$(find "$at/packages/ticklog-doc" -name 'ticklog-*.1' | wc -l)" -gt 15 ] || fail "$arch: the commands' man pages are missing"
}

check_binaries() {
    local so=$at/packages/libticklog/usr/lib/libticklog.so.$version tool=$at/packages/ticklog/usr/bin/ticklog file
    [ "$(readelf -d "$so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')" = "libticklog.so.$(Packaging/version.sh abi)" ] || fail "$arch: soname"
    for file in "$so" "$tool"; do
        # do_package strips; what is looked at is what is left.
        "$debian-strip" --strip-unneeded "$file"
        [ "$(readelf -h "$file" | sed -n 's/^ *Machine: *//p')" = $machine ] || fail "$file: $(readelf -h "$file")"
        readelf -d "$file" >"$at/dynamic"
        ! grep -E 'RPATH|RUNPATH|TEXTREL' "$at/dynamic" || fail "$file: see above"
        # do_package_qa: BitBake's LDFLAGS were used.
        readelf -S "$file" | grep -q '\.gnu\.hash' && ! readelf -S "$file" | grep -q ' \.hash ' || fail "$file: LDFLAGS were not used"
        ! sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' "$at/dynamic" | grep -vxE 'libc\.so\.6|libm\.so\.6|ld-linux(-aarch64|-armhf)\.so\.[13]' || fail "$file needs the libraries above"
        if [ "$arch" = arm ]; then
            readelf -A "$file" | grep -q 'Tag_ABI_VFP_args: VFP registers' || fail "$file: not hard-float"
            # do_package_qa's 32bit-time.
            ! readelf -W --dyn-syms "$file" | grep -E ' (time|gettimeofday|clock_gettime|stat|fstat|lseek|open)@' || fail "$file: 32-bit time or offsets"
        fi
    done
    ! readelf -W --dyn-syms "$so" | awk '$7 != "UND" && $5 == "GLOBAL" && $8 !~ /^(ticklog_|TICKLOG_)/' | grep . || fail "$so shows the names above"
    # Of no file may it be told where it was built.
    ! grep -rlaF -e "$work" -e "$root" "$at/packages" || fail "$arch: the files above name folders of this machine"
}

check_compiler() { # that all was compiled with the compiler and the machine options of BitBake
    grep -q '^gcc .*-shared' "$at/calls" && grep -q '^objcopy' "$at/calls" && grep -q '^gcc .*-c .*lz4\.c' "$at/calls" || fail "the compiler was not asked: $(cut -c 1-200 "$at/calls")"
    ! grep '^gcc' "$at/calls" | grep -vF -e "$TUNE_CCARGS -fstack-protector-strong" || fail "the machine options are not in the calls above"
    local flag
    for flag in $TUNE_CCARGS; do
        case $flag in -mbranch-protection=*) continue ;; esac # Yocto/README.md
        grep -qF "\"-Xcc\", \"$flag\"" "$B/ticklog.artifactbundle/$target/toolset.json" || fail "Swift was not told $flag"
    done
}

check_programs() {
    # What do_populate_sysroot does for the next recipe, and what is on the target's root file system.
    cp -a "$at"/packages/{libticklog,ticklog-dev,ticklog-staticdev}/usr/. "$sysroot/usr/"
    local E="$emulator -L $sysroot" tool=$at/packages/ticklog/usr/bin/ticklog run
    [ "$(timeout 60 $E "$tool" --version)" = "$(sed -n 's/^#define TICKLOG_VERSION "\(.*\)"/ticklog \1/p' include/ticklog.h)" ] || fail "$arch: the version"
    rm -rf "$at/runs" "$at/example"
    timeout 60 $E "$tool" demo --seconds 1 --out "$at/runs" >"$at/demo"
    timeout 60 $E "$tool" validate "$at"/runs/* >"$at/validate" || fail "$arch: $(cat "$at/validate")"

    # The example's recipe, with the shared library; and the same program with the archives.
    local own=("B=$at/example" "S=$root/$layer/recipes-support/ticklog-example/files" "D=$at/example/image")
    mkdir -p "$at/example"
    task "$example" do_compile "${own[@]}"
    task "$example" do_install "${own[@]}"
    readelf -d "$at/example/image/usr/bin/ticklog-example" | grep -q 'NEEDED.*\[libticklog\.so\.1\]' || fail "$arch: the example is not linked with libticklog.so.1"
    # shellcheck disable=SC2046,SC2086
    (
        export PATH=$tools:$PATH PKG_CONFIG_SYSROOT_DIR=$sysroot PKG_CONFIG_LIBDIR=$sysroot/usr/lib/pkgconfig
        $CC $CFLAGS $LDFLAGS -Wall -Wextra -Werror $layer/recipes-support/ticklog-example/files/temperature.c -o "$at/example/static" \
            $(pkg-config --cflags --libs ticklog-host)
    )
    ! readelf -d "$at/example/static" | grep libticklog || fail "$arch: linked with the archives, it needs the shared library"
    for program in image/usr/bin/ticklog-example static; do
        rm -rf "$at/example/runs" && mkdir "$at/example/runs"
        timeout 60 $E "$at/example/$program" "$at/example/runs" 1 || fail "$arch: $program: exit $?"
        run=$(echo "$at"/example/runs/*)
        timeout 60 $E "$tool" validate "$run" >"$at/validate" || fail "$arch: $program: $(cat "$at/validate")"
        [ "$(timeout 60 $E "$tool" cat --no-header "$run" | wc -l)" = 10 ] || fail "$arch: $program: not ten rows"
    done
}

for arch; do
    pieces "$arch"
    if ! is_compiled; then
        [ -f "$build/$target/libticklog.so.$version" ] || Cross/build.sh $target
        [ -f "$build/$target/ticklog" ] || Cross/tool.sh $target
        mkdir -p "$B/$target"
        cp -a "$build/$target"/{include,libticklog*.a,libticklog.so*,ticklog} "$B/$target/"
    else
        rm -rf "$B/$target"/{libticklog*,ticklog,share} # what SwiftPM compiled stays, if the sources do
    fi
    task "$recipe" do_compile
    task "$recipe" do_install
    check_packages
    ! is_compiled || check_compiler
    check_binaries
    check_programs
    echo "yocto: $arch: $(wc -l <"$at/split") files in $(cut -d' ' -f1 "$at/split" | sort -u | wc -l) packages; the command and programs with either library run"
done
