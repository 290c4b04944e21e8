#!/bin/bash
# Whoever installs TickLog can use it: an installed tree, staged and moved, is used by plain cc, pkg-config, CMake and Swift,
# each by a small project of its own in Tests/packaging; what is in the libraries, man pages, completion and services is
# checked, and uninstalling leaves nothing.
#     Tests/packaging.sh [quick]      quick: without the package that builds TickLog from its sources
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD_DIR:-$root/build}
here=$root/Tests/packaging
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

"$here/install.sh" || exit 1
machine=$(uname -m)
multiarch=$(gcc -print-multiarch)
export TARGET=linux-$machine
version=$("$root/Packaging/version.sh")
abi=$("$root/Packaging/version.sh" abi)
unset PREFIX LIBDIR SYSCONFDIR UNITDIR STRIP DESTDIR PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH CFLAGS LDFLAGS

check() { # NAME COMMAND...: it succeeds, and says nothing on stderr
    local name=$1
    shift
    if "$@" > "$work/out" 2> "$work/err" < /dev/null && [ ! -s "$work/err" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name"
        tail -qn 5 "$work/out" "$work/err" | cut -c 1-400
    fi
}
tells_version() { # COMMAND...
    local told
    told=$(timeout 60 "$@") || { echo "exit code $?"; return 1; }
    echo "$told"
    [ "$told" = "$version" ]
}
needs_library() { readelf -d "$1" | grep -q 'NEEDED.*\[libticklog\.so\.'"$abi"'\]'; }
needs_no_library() { ! readelf -d "$1" | grep -q 'NEEDED.*libticklog'; }
install_to() { env "$@" "$root/Packaging/install.sh"; }
flags="-std=c11 -O1 -Wall -Wextra -Wpedantic -Werror"

# --- Installed to where it stays, with nothing but PREFIX, and staged as packages are.
opt=$work/opt stage=$work/stage
"$root/Packaging/install.sh" uninstall PREFIX="$work/nothing" > /dev/null 2>&1
install_to PREFIX="$opt" > "$work/log" 2>&1 || { tail -20 "$work/log"; echo "install.sh failed"; exit 1; }
export SKIP_BUILD=1
check "staged install" install_to DESTDIR="$stage" PREFIX=/usr LIBDIR="/usr/lib/$multiarch"
check "nothing but /usr and /etc is staged" test "$(ls "$stage" | tr '\n' ' ')" = "etc usr "
check "installed again" install_to DESTDIR="$stage" PREFIX=/usr LIBDIR="/usr/lib/$multiarch"

# --- What the libraries are.
header_functions() {
    printf '#include "ticklog.h"\n#include "ticklog_rnog.h"\n' | gcc -E -P -I "$root/include" -x c - | grep -oE '\bticklog_[a-z0-9_]+\(' | tr -d '(' | sort -u
}
library_functions() { nm -D --defined-only "$1" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort; }
library() { # FILE PREFIX-OF-TOOLS
    local file=$1
    readelf -d "$file" > "$work/dynamic"
    grep -q "SONAME.*\[libticklog\.so\.$abi\]" "$work/dynamic" || { echo "no soname"; return 1; }
    grep -q 'BIND_NOW' "$work/dynamic" || { echo "not bound at once"; return 1; }
    grep -q 'SYMBOLIC' "$work/dynamic" || { echo "not symbolic"; return 1; }
    ! grep -qE 'TEXTREL|RPATH|RUNPATH' "$work/dynamic" || { echo "text relocations, or a path"; return 1; }
    readelf -lW "$file" | grep -q 'GNU_RELRO' || { echo "no relro"; return 1; }
    readelf -lW "$file" | grep 'GNU_STACK' | grep -qv 'RWE' || { echo "executable stack"; return 1; }
    readelf -n "$file" 2> /dev/null | grep -q 'Build ID' || { echo "no build id"; return 1; }
    ! grep NEEDED "$work/dynamic" | grep -vE '\[(libc\.so\.6|libm\.so\.6|ld-linux[a-z0-9_.-]*)\]' || { echo "needs more than the C library"; return 1; }
    header_functions > "$work/declared"
    library_functions "$file" > "$work/shown"
    [ -s "$work/declared" ] && diff "$work/declared" "$work/shown"
}
for target in x86_64 aarch64 armv7; do
    [ -e "$build/linux-$target/libticklog.so" ] || continue
    check "libticklog.so of $target shows what the headers declare, and needs the C library alone" library "$build/linux-$target/libticklog.so"
done
check "installed libticklog.so" library "$opt/lib/libticklog.so"
for archive in libticklog.a libticklog-host.a; do
    check "$archive: no member twice" test -z "$(ar t "$opt/lib/$archive" | sort | uniq -d)"
    check "$archive: no debug information" sh -c "! readelf -SW '$opt/lib/$archive' | grep -q '\.debug_info'"
done
check "command" tells_version sh -c "'$opt/bin/ticklog' --version | sed 's/^ticklog //'"

# --- Plain cc.
run=$work/runs
mkdir "$run"
check "cc, shared" gcc $flags -I "$opt/include" "$here/host.c" -L "$opt/lib" -lticklog -o "$work/shared"
check "cc, shared: runs" tells_version env LD_LIBRARY_PATH="$opt/lib" "$work/shared" "$run"
check "cc, shared: needs the library" needs_library "$work/shared"
check "cc, archives" gcc $flags -I "$opt/include" "$here/host.c" -L "$opt/lib" -Wl,-Bstatic -lticklog-host -lticklog -Wl,-Bdynamic -pthread -lm -o "$work/static"
rm -rf "$run"/*
check "cc, archives: runs" tells_version "$work/static" "$run"
check "cc, archives: needs no library" needs_no_library "$work/static"
check "the command reads the run" "$opt/bin/ticklog" validate "$run/run"
check "cc, core" gcc $flags -I "$opt/include" "$here/core.c" "$opt/lib/libticklog.a" -o "$work/core"
check "cc, core: runs" tells_version "$work/core"

# --- pkg-config: where it is, staged, and moved.
moved=$work/moved
with_pkg_config() { # NAME OPTIONS-OF-PKG-CONFIG LIBRARIES
    local name=$1 options=$2 libraries=$3 out=$work/pkg-$1
    # shellcheck disable=SC2046,SC2086
    check "pkg-config $name: version" test "$(pkg-config $options --modversion ticklog)" = "$version"
    # shellcheck disable=SC2046,SC2086
    check "pkg-config $name, shared" gcc $flags "$here/host.c" $(pkg-config $options --cflags --libs ticklog) -o "$out"
    rm -rf "$run"/*
    check "pkg-config $name, shared: runs" tells_version env LD_LIBRARY_PATH="$libraries" "$out" "$run"
    check "pkg-config $name, shared: needs the library" needs_library "$out"
    # --static is for a program that is static as a whole; glibc warns of dlopen and getaddrinfo then.
    # shellcheck disable=SC2046,SC2086
    check "pkg-config $name, static" sh -c 'gcc "$@" 2> "$0" || { cat "$0"; exit 1; }' "$work/warnings" $flags -static "$here/host.c" \
        $(pkg-config $options --static --cflags --libs ticklog) -o "$out-static"
    rm -rf "$run"/*
    check "pkg-config $name, static: runs" tells_version "$out-static" "$run"
    # shellcheck disable=SC2046,SC2086
    check "pkg-config $name, host" gcc $flags "$here/host.c" $(pkg-config $options --cflags --libs ticklog-host) -o "$out-host"
    rm -rf "$run"/*
    check "pkg-config $name, host: runs" tells_version "$out-host" "$run"
    check "pkg-config $name, host: needs no library" needs_no_library "$out-host"
    # shellcheck disable=SC2046,SC2086
    check "pkg-config $name, core" gcc $flags "$here/core.c" $(pkg-config $options --cflags --libs ticklog-core) -o "$out-core"
    check "pkg-config $name, core: runs" tells_version "$out-core"
}
export PKG_CONFIG_PATH=$opt/lib/pkgconfig
with_pkg_config installed "" "$opt/lib"

# --- Swift: the installed library as a system library; the sources as a package.
swift_consumer() { # FOLDER
    (cd "$work/$1" && timeout 1200 swift build -q --disable-sandbox > "$work/swift.log" 2>&1) || { tail -20 "$work/swift.log"; return 1; }
    tells_version env LD_LIBRARY_PATH="$opt/lib" "$work/$1/.build/debug/Consumer"
}
cp -r "$here/system" "$here/swift" "$work/"
check "Swift, installed library by pkg-config" swift_consumer system
check "Swift, installed library without a package" sh -c 'echo "import CTickLog; print(String(cString: ticklog_version()))" > main.swift &&
    swiftc -module-cache-path "$0/modules" -I "$1/include/ticklog" -L "$1/lib" main.swift -o "$0/bare"' "$work" "$opt"
rm -f main.swift
check "Swift, installed library without a package: runs" tells_version env LD_LIBRARY_PATH="$opt/lib" "$work/bare"
if [ "${1:-}" != quick ]; then TICKLOG=$root check "Swift, package by path" swift_consumer swift; fi

# --- CMake: where it is, moved, and staged under lib/<multiarch>.
with_cmake() { # NAME PREFIX LIBRARIES
    local out=$work/cmake-$1 program
    check "CMake $1: finds it" cmake -S "$here/cmake" -B "$out" -DCMAKE_PREFIX_PATH="$2" -DWANTED="${version%.*}" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror"
    check "CMake $1: it is that one" grep -q "^ticklog_DIR:PATH=$2/" "$out/CMakeCache.txt"
    check "CMake $1: builds" cmake --build "$out"
    for program in ticklog host core; do
        rm -rf "$run"/*
        check "CMake $1, $program: runs" tells_version env LD_LIBRARY_PATH="$3" "$out/consumer-$program" "$run"
    done
    check "CMake $1: shared" needs_library "$out/consumer-ticklog"
    check "CMake $1: archives" needs_no_library "$out/consumer-host"
}
refuses() { ! cmake -S "$here/cmake" -B "$work/refused" -DCMAKE_PREFIX_PATH="$1" -DWANTED="$2" 2>&1; }
with_cmake installed "$opt" "$opt/lib"
check "CMake refuses another major" refuses "$opt" $((${version%%.*} + 1)).0
with_cmake staged "$stage/usr" "$stage/usr/lib/$multiarch"

mv "$opt" "$moved"
export PKG_CONFIG_PATH=$moved/lib/pkgconfig
with_pkg_config moved --define-prefix "$moved/lib"
with_cmake moved "$moved" "$moved/lib"
export PKG_CONFIG_PATH=$stage/usr/lib/$multiarch/pkgconfig
export PKG_CONFIG_SYSROOT_DIR=$stage
with_pkg_config staged "" "$stage/usr/lib/$multiarch"
unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
mv "$moved" "$opt"

# --- Man pages: of each command one, which man and groff take without a warning, and whatis finds.
man1=$opt/share/man/man1
page() {
    MANROFFSEQ='' MANWIDTH=80 LC_ALL=C.UTF-8 timeout 60 man --warnings -E UTF-8 -l -Tutf8 -Z "$1" > /dev/null
    groff -man -ww -z -Tutf8 "$1" 1>&2
    lexgrog "$1"
}
"$opt/bin/ticklog" --help | sed -n '/^Examples/q; s/^  \([a-z][a-z-]*\) .*/ticklog-\1.1/p' > "$work/pages"
echo ticklog.1 >> "$work/pages"
check "a page of each command" diff <(LC_ALL=C sort "$work/pages") <(cd "$man1" && printf '%s\n' * | LC_ALL=C sort)
for file in "$man1"/*; do check "$(basename "$file")" page "$file"; done

# --- The table of options: each is one, takes an argument or none, and none is missing.
"$root/Packaging/pages.py" --table "$opt/bin/ticklog" > "$work/table" || failed=$((failed + 1))
option() { # COMMAND OPTION ARGUMENT: a command line with a wrong option, so that nothing is done
    local told expected
    told=$(timeout 20 "$opt/bin/ticklog" "$1" "--$2=1" --no-such-option 2>&1 < /dev/null) && return 1
    case $told in
    *"'--$2'"*"doesn't allow an argument"*) expected=none ;;
    *"option '--$2"*) echo "$told" && return 1 ;;
    *) expected=some ;;
    esac
    [ "$expected" = "$([ -n "$3" ] && echo some || echo none)" ] || { echo "$1 --$2 '$3': $told"; return 1; }
}
while IFS=$'\t' read -r command name argument _; do option "$command" "$name" "$argument" || echo "bad"; done < "$work/table" > "$work/options"
check "options as the table says" diff /dev/null "$work/options"
grep -rhoE 'Option\("[a-z0-9-]+"' "$root/Sources/TickLogTool" | cut -d '"' -f 2 | grep -vxE 'help|version' | sort -u > "$work/in-sources"
check "no option is missing in the help" diff "$work/in-sources" <(cut -f 2 "$work/table" | sort -u)

# --- Completion.
check "bash completion" bash "$here/complete.bash" "$opt/share/bash-completion/completions/ticklog"
check "zsh completion: parses" zsh -n "$opt/share/zsh/site-functions/_ticklog"
check "fish completion: parses" fish --no-config -n "$opt/share/fish/vendor_completions.d/ticklog.fish"
fish_offers() {
    [ "$(fish --no-config -c "source '$opt/share/fish/vendor_completions.d/ticklog.fish'; complete -C '$1'" | cut -f 1 | LC_ALL=C sort | tr '\n' ' ')" = "$2 " ]
}
check "fish completion: commands" fish_offers 'ticklog rep' 'repair replay'
check "fish completion: options" fish_offers 'ticklog cat --fo' '--format'
check "fish completion: words" fish_offers 'ticklog cat --format ' 'csv jsonl'
check "zsh completion: offers" timeout 60 zsh -f "$here/complete.zsh" "$opt/share/zsh/site-functions"

# --- Services. Verify's exit code is 0 for most of what it finds.
for unit in ticklog-receive ticklog-serve; do
    check "$unit" systemd-analyze verify --man=no "$opt/lib/systemd/system/$unit.service"
    check "$unit: paths" test "$(grep -c "^ExecStart=$opt/bin/ticklog .*--config $opt/etc/ticklog/" "$opt/lib/systemd/system/$unit.service")" = 1
    check "$unit: paths of packages" test "$(grep -c '^ExecStart=/usr/bin/ticklog .*--config /etc/ticklog/' "$stage/usr/lib/systemd/system/$unit.service")" = 1
done
# Their settings are settings: the command takes the file, and then refuses what is behind it.
for service in receive serve; do
    settings() { timeout 20 "$opt/bin/ticklog" "$service" --config "$opt/etc/ticklog/$service.conf" --seconds nonsense 2>&1 | grep -q "^ticklog $service: --seconds: found 'nonsense'"; }
    check "$service.conf" settings
    sed -e '/token-file/d' -e 's/^#\([a-z]\)/\1/' "$root/Packaging/conf/$service.conf" > "$opt/etc/ticklog/$service.conf"
    check "$service.conf, with all that is in it" settings
done

# --- Uninstalling takes away what is there, but no settings that somebody changed.
check "uninstall" env PREFIX="$opt" "$root/Packaging/install.sh" uninstall
check "uninstall: changed settings stay" diff <(printf '%s\n' "$opt/etc/ticklog/receive.conf" "$opt/etc/ticklog/serve.conf") <(find "$opt" ! -type d | sort)
rm -rf "$opt/etc/ticklog"
check "uninstall: nothing else does" test -z "$(find "$opt" -name '*ticklog*')"
check "uninstall, staged" env DESTDIR="$stage" PREFIX=/usr LIBDIR="/usr/lib/$multiarch" "$root/Packaging/install.sh" uninstall
check "uninstall, staged: nothing is left" test -z "$(find "$stage" ! -type d; find "$stage" -name '*ticklog*')"

echo "packaging: $passed passed, $failed failed"
[ "$failed" = 0 ]
