#!/bin/bash
# Programs that were compiled with an older ticklog.h work with this library (docs/VERSIONS.md):
#   - functions, types, sizes, offsets and constants are those of Tests/abi/baseline, on all five targets; what was added passes;
#   - changes that must be found are found;
#   - the libraries in build/ have the functions of the header, the shared ones nothing else;
#   - Tests/abi/client.c, compiled with each older header, runs with today's shared and static library;
#   - every function takes shorter structures and refuses sizes that it does not know, without touching what lies behind.
# Needs build/linux-x86_64 (Cross/build.sh); libraries of other targets are looked at if they are there.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
here=$root/Tests/abi
build=${BUILD_DIR:-$root/build}
. "$root/Cross/targets.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

"$root/Tests/packaging/install.sh"

check() { # WHAT COMMAND...: its output is shown if it fails
    local what=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
        head -n 40 "$work/out"
    fi
}

# 1. The headers, against the baseline; and that the comparison sees what it must.
check "the headers against the baseline" "$here/check.sh" "$root/include"
mutant() { # passes|fails WHAT SED: a copy of the headers with a change
    rm -rf "$work/include"
    cp -r "$root/include" "$work/include"
    sed -i "$3" "$work/include/ticklog.h"
    if cmp -s "$root/include/ticklog.h" "$work/include/ticklog.h"; then
        failed=$((failed + 1))
        echo "FAILED: $2: the header did not change"
        return
    fi
    if [ "$1" = passes ]; then
        check "$2 passes" "$here/check.sh" "$work/include"
    else
        check "$2 is found" bash -c '! "$@"' - "$here/check.sh" "$work/include"
    fi
}
mutant fails "another type of a parameter" 's/ticklog_tick(ticklog_run \*run, uint32_t elapsed)/ticklog_tick(ticklog_run *run, int32_t elapsed)/'
mutant fails "another type of a result" 's/^uint64_t ticklog_table_rows(/uint32_t ticklog_table_rows(/'
mutant fails "const taken from a parameter" 's/ticklog_scan(ticklog_scanner \*scanner, const void \*bytes/ticklog_scan(ticklog_scanner *scanner, void *bytes/'
mutant fails "a function that is gone" '/^ticklog_status ticklog_flush(ticklog_run \*run);/d'
mutant fails "another order of members" 's/^    const char \*host; .*/    uint32_t port;/; s/^    uint32_t port;          .*/    const char *host;/'
mutant fails "another type of the same size" 's/^    uint64_t rows;  .*/    double rows;/'
mutant fails "a member at the end of a structure without size" 's/^    uint32_t offset;   \/\* in the sample \*\//    uint32_t offset; uint32_t more[2];/'
mutant fails "another constant" 's/^#define TICKLOG_BUSY .*/#define TICKLOG_BUSY (-19)/'
mutant fails "a constant that is gone" '/^#define TICKLOG_LOSS_BUSY/d'
mutant passes "a new function" 's/^const char \*ticklog_version(void);/&\nint32_t ticklog_new(uint32_t x);/'
mutant passes "a member at the end of a structure with size" 's/^    uint32_t ring_high_water; .*/    uint32_t ring_high_water; uint64_t more;/'
mutant passes "a new constant" 's/^#define TICKLOG_OK 0/&\n#define TICKLOG_NEW 77/'

# 2. The libraries: the header's functions; on Cortex-M but for those that the list says.
python3 "$here/header.py" names "$root/include" >"$work/names"
grep -v '^#' "$here/linux-only.txt" | sort >"$work/linux"
comm -23 "$work/names" "$work/linux" >"$work/core"
same() { diff "$1" "$2" | sed -n 's/^</missing:/p; s/^>/extra:/p'; cmp -s "$1" "$2"; }
seen=
for name in $targets; do
    target "$name"
    expected=$work/names
    case $name in cortex-*) expected=$work/core ;; esac
    if [ -f "$build/$name/libticklog.a" ]; then
        "${prefix}nm" -g --defined-only "$build/$name"/libticklog*.a 2>/dev/null | sed -n 's/^[0-9a-f]* T \(ticklog_[a-z0-9_]*\)$/\1/p' |
            sort -u >"$work/found"
        check "$name: the archives' functions" same "$expected" "$work/found"
        seen="$seen $name"
    fi
    if [ -f "$build/$name/libticklog.so" ]; then
        "${prefix}nm" -D --defined-only "$build/$name/libticklog.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/found"
        check "$name: the shared library's functions" same "$expected" "$work/found"
        "${prefix}readelf" -d "$build/$name/libticklog.so" >"$work/dynamic"
        check "$name: soname" grep -qF "[libticklog.so.$("$root/Packaging/version.sh" abi)]" "$work/dynamic"
        seen="$seen $name.so"
    fi
done

# 3. Programs of older headers, with both libraries.
library=$build/linux-x86_64
[ -f "$library/libticklog.a" ] || { echo "$library/libticklog.a is missing: Cross/build.sh linux-x86_64 makes it" >&2; exit 1; }
static="$library/libticklog.a -pthread -lm"
[ ! -f "$library/libticklog-host.a" ] || static="$library/libticklog-host.a $static"
links="static"
[ ! -f "$library/libticklog.so" ] || links="static shared"
for link in $links; do
    with=$static
    [ $link = static ] || with="-L$library -lticklog -Wl,-rpath,$library"
    for header in "$here"/[0-9]*.[0-9]*.[0-9]*; do
        version=$(basename "$header")
        # shellcheck disable=SC2086
        check "header $version compiles" gcc -std=gnu11 -g -O1 -Wall -Werror -I "$header" "$here/client.c" $with -o "$work/client"
        check "header $version, $link library" timeout 60 "$work/client"
    done
    # shellcheck disable=SC2086
    check "sizes.c compiles" gcc -std=gnu11 -g -O1 -Wall -Werror -I "$root/include" "$here/sizes.c" $with -o "$work/sizes"
    check "sizes of structures, $link library" timeout 120 "$work/sizes"
done
# No function is left out: record functions trust what ticklog_record_check has checked.
python3 "$here/header.py" takers "$root/include" >"$work/takers"
while read -r function; do
    case $function in ticklog_record_next | ticklog_record_find | ticklog_record_read | ticklog_record_write) continue ;; esac
    check "sizes.c has no case of $function" grep -qE "(CASE|RESULT)\($function," "$here/sizes.c"
done <"$work/takers"

echo "abi: looked at$seen"
echo "abi: $passed passed, $failed failed"
[ "$failed" = 0 ]
