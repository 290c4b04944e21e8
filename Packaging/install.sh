#!/bin/bash
# install.sh [install|uninstall]: puts what build/TARGET holds into DESTDIR/PREFIX, or takes it out again. Builds what is
# missing in build/TARGET. Variables, of the environment:
#   TARGET      linux-x86_64, linux-aarch64, linux-armv7; this machine's unless given
#   PREFIX      /usr/local
#   DESTDIR     a folder in front of all paths, for packages
#   LIBDIR      PREFIX/lib
#   SYSCONFDIR  /etc, or PREFIX/etc if PREFIX is not one of the system's; the services read SYSCONFDIR/ticklog/*.conf
#   UNITDIR     PREFIX/lib/systemd/system
#   SKIP_BUILD  1: nothing is built, build/TARGET is complete
#   STRIP       no: debug information stays in
#   HELP        the command that tells the man pages' text, instead of Cross/run.sh TARGET build/TARGET/ticklog
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
. "$here/../Cross/targets.sh"
what=${1:-install}
machine=$(uname -m)
name=${TARGET:-linux-${machine/armv7l/armv7}}
target "$name"
case $name in linux-*) ;; *) echo "$name: install.sh is for Linux; firmware links build/$name/libticklog.a" >&2; exit 64 ;; esac
from=$build/$name
PREFIX=${PREFIX:-/usr/local} DESTDIR=${DESTDIR:-}
LIBDIR=${LIBDIR:-$PREFIX/lib}
case $PREFIX in /usr | /usr/local) : "${SYSCONFDIR:=/etc}" ;; *) : "${SYSCONFDIR:=$PREFIX/etc}" ;; esac
UNITDIR=${UNITDIR:-$PREFIX/lib/systemd/system}
for path in "$PREFIX" "$LIBDIR" "$SYSCONFDIR" "$UNITDIR"; do
    case $path in /*) ;; *) echo "$path: found a relative path, expected an absolute one" >&2; exit 64 ;; esac
    case $path in *[\ \|\&\\]*) echo "$path: found a blank, |, & or \\, which a unit's or a .pc file's paths cannot have" >&2; exit 64 ;; esac
done
include=$PREFIX/include share=$PREFIX/share doc=$PREFIX/share/doc/ticklog
version=$("$here/version.sh")
abi=$("$here/version.sh" abi)

uninstall() {
    local at=$DESTDIR service
    rm -f "$at$PREFIX/bin/ticklog" "$at$include"/ticklog.h "$at$include"/ticklog_*.h \
        "$at$LIBDIR"/libticklog.a "$at$LIBDIR"/libticklog-host.a "$at$LIBDIR"/libticklog.so "$at$LIBDIR"/libticklog.so.[0-9]* \
        "$at$LIBDIR"/pkgconfig/ticklog.pc "$at$LIBDIR"/pkgconfig/ticklog-host.pc "$at$LIBDIR"/pkgconfig/ticklog-core.pc \
        "$at$UNITDIR"/ticklog-receive.service "$at$UNITDIR"/ticklog-serve.service \
        "$at$share"/man/man1/ticklog.1 "$at$share"/man/man1/ticklog-*.1 \
        "$at$share"/bash-completion/completions/ticklog "$at$share"/zsh/site-functions/_ticklog \
        "$at$share"/fish/vendor_completions.d/ticklog.fish
    rm -rf "$at$LIBDIR/cmake/ticklog" "$at$include/ticklog" "$at$doc"
    # Settings that somebody changed stay.
    for service in receive serve; do
        ! cmp -s "$at$SYSCONFDIR/ticklog/$service.conf" "$here/conf/$service.conf" || rm -f "$at$SYSCONFDIR/ticklog/$service.conf"
    done
    [ ! -d "$at$SYSCONFDIR/ticklog" ] || rmdir --ignore-fail-on-non-empty "$at$SYSCONFDIR/ticklog"
}

build_missing() {
    [ -f "$from/libticklog-host.a" ] && [ -f "$from/libticklog.so" ] && [ -f "$from/libticklog.so.$version" ] ||
        "$root/Cross/build.sh" "$name"
    [ -f "$from/ticklog" ] || "$root/Cross/tool.sh" "$name"
}

# Man pages and completion, from what the command tells about itself.
pages() {
    local mark=$from/share/man/man1/ticklog.1
    [ ! "$mark" -nt "$from/ticklog" ] || [ ! "$mark" -nt "$here/pages.py" ] || return 0
    rm -rf "$from/share"
    # shellcheck disable=SC2086
    "$here/pages.py" "$from/share" ${HELP:-"$root/Cross/run.sh" "$name" "$from/ticklog"}
}

put() { install -D -m "$1" "$2" "$DESTDIR$3"; }

fill() { # IN OUT: a file with @NAME@ in it
    mkdir -p "$(dirname -- "$DESTDIR$2")"
    sed -e "s|@PREFIX@|$PREFIX|g" -e "s|@LIBDIR@|$libdir|g" -e "s|@INCLUDEDIR@|\${prefix}/include|g" -e "s|@VERSION@|$version|g" \
        -e "s|@ABI@|$abi|g" -e "s|@POINTER_BYTES@|$pointer|g" -e "s|@INCLUDE_FROM_HERE@|$back|g" "$1" >"$DESTDIR$2"
    chmod 644 "$DESTDIR$2"
}

stripped() { # OPTIONS FILES...
    [ "${STRIP:-}" != no ] || return 0
    "${prefix}strip" "$@"
}

bare() { # ARCHIVE: without debug information, and Swift's hash of a module
    [ "${STRIP:-}" = no ] || "${prefix}objcopy" --strip-debug --enable-deterministic-archives -R .swift_modhash "$1"
}

install_all() {
    local file libdir pointer=8 back unit
    [ "$name" != linux-armv7 ] || pointer=4
    # Relative to ${prefix} where it can be, so that pkg-config may move it.
    case $LIBDIR in "$PREFIX"/*) libdir=\${prefix}${LIBDIR#"$PREFIX"} ;; *) libdir=$LIBDIR ;; esac
    back=$(realpath -m --relative-to="$LIBDIR/cmake/ticklog" "$include")
    [ -e "$from/libticklog.so.$version" ] || { echo "$from has no libticklog.so.$version; SKIP_BUILD= builds it" >&2; exit 1; }
    [ -e "$from/ticklog" ] || { echo "$from has no ticklog; SKIP_BUILD= builds it" >&2; exit 1; }

    put 755 "$from/ticklog" "$PREFIX/bin/ticklog"
    stripped "$DESTDIR$PREFIX/bin/ticklog"
    for file in "$from"/include/ticklog*.h; do put 644 "$file" "$include/${file##*/}"; done
    # For Swift: -I PREFIX/include/ticklog and `import CTickLog`.
    put 644 "$here/module.modulemap" "$include/ticklog/module.modulemap"

    for file in libticklog.a libticklog-host.a; do
        put 644 "$from/$file" "$LIBDIR/$file"
        bare "$DESTDIR$LIBDIR/$file"
    done
    put 644 "$from/libticklog.so.$version" "$LIBDIR/libticklog.so.$version"
    stripped --strip-unneeded "$DESTDIR$LIBDIR/libticklog.so.$version"
    ln -sfn "libticklog.so.$version" "$DESTDIR$LIBDIR/libticklog.so.$abi"
    ln -sfn "libticklog.so.$abi" "$DESTDIR$LIBDIR/libticklog.so"
    for file in ticklog ticklog-host ticklog-core; do fill "$here/$file.pc.in" "$LIBDIR/pkgconfig/$file.pc"; done
    for file in ticklogConfig ticklogConfigVersion; do fill "$here/cmake/$file.cmake.in" "$LIBDIR/cmake/ticklog/$file.cmake"; done

    for unit in ticklog-receive ticklog-serve; do
        mkdir -p "$DESTDIR$UNITDIR"
        sed -e "s|/usr/bin/ticklog|$PREFIX/bin/ticklog|" -e "s|/etc/ticklog|$SYSCONFDIR/ticklog|" "$root/systemd/$unit.service" \
            >"$DESTDIR$UNITDIR/$unit.service"
        chmod 644 "$DESTDIR$UNITDIR/$unit.service"
    done
    # Settings that are there are somebody's.
    for file in receive serve; do
        [ -e "$DESTDIR$SYSCONFDIR/ticklog/$file.conf" ] || put 644 "$here/conf/$file.conf" "$SYSCONFDIR/ticklog/$file.conf"
    done

    (cd "$from/share" && find . -type f) | while read -r file; do put 644 "$from/share/$file" "$share/${file#./}"; done
    for file in README.md docs/COMMAND.md docs/BMS.md docs/FRAMES.md docs/SPEC.md; do
        put 644 "$root/$file" "$doc/$(basename -- "$file")"
    done
    sed -e "s|@HOLDER@|$(sed -n 's/^Copyright (c) //p' "$root/LICENSE")|" \
        -e "/@MIT@/{" -e "r /dev/stdin" -e d -e "}" "$here/copyright" <<T >"$DESTDIR$doc/copyright"
$(sed '1,4d; s/^$/./; s/^/ /' "$root/LICENSE")
T
    chmod 644 "$DESTDIR$doc/copyright"
}

case $what in
install)
    if [ "${SKIP_BUILD:-}" != 1 ]; then build_missing; fi
    pages
    install_all
    ;;
uninstall) uninstall ;;
*) echo "usage: install.sh [install|uninstall]" >&2; exit 64 ;;
esac
