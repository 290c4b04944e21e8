#!/bin/bash
# Builds every Tests/fuzz/*Fuzz.swift with libFuzzer and AddressSanitizer and runs it on a corpus of seeds.
#     Tests/fuzz.sh [SECONDS [TARGET...]]      60 s each; targets by name, such as ReaderFuzz
# What crashed is left in build/fuzz/TARGET/. Comments in a target say what it needs:
#     // modules: TickLog TickLogHost       those under Sources, in the order of their imports; default: TickLog
#     // seeds: PATTERN                     default: Tests/Vectors/bcsv/*.bcsv, each behind a byte that says how it is read
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(cd Tests/fuzz && ls -- *Fuzz.swift | sed 's/\.swift$//')
[ $# -gt 0 ]
shared=build/fuzz/modules
mkdir -p "$shared"
compile="swiftc -O -sanitize=fuzzer,address -parse-as-library -suppress-warnings -I include -I Sources/CLZ4 -I Sources/CXXHash -I Sources/CCRC32C -I Sources/CKafka -I Sources/CZlib
    -I Sources/CPosix -I $shared"

named() { # TARGET KEY: the words behind `// KEY:` in the target
    sed -n "s|^// $2: *||p" "Tests/fuzz/$1.swift" | head -n 1
}

compiled() { # OUT SOURCES... -- COMMAND...: runs the command if a source is newer than OUT
    local out=$1 sources=()
    shift
    while [ "$1" != -- ]; do
        sources+=("$1")
        shift
    done
    shift
    if [ -f "$out" ] && [ -z "$(find "${sources[@]}" -newer "$out")" ]; then return 0; fi
    "$@" >"$out.log" 2>&1 && return 0
    grep 'error' "$out.log" || cat "$out.log"
    return 1
}

code=0
for target; do
    out=build/fuzz/$target
    mkdir -p "$out"
    objects=() built=1
    modules=$(named "$target" modules)
    for module in ${modules:-TickLog}; do
        # shellcheck disable=SC2046,SC2086
        compiled "$shared/$module.o" "Sources/$module" include "${objects[@]}" -- $compile -wmo -module-name "$module" \
            $(find "Sources/$module" -name '*.swift') -emit-module -emit-module-path "$shared/$module.swiftmodule" \
            -emit-object -o "$shared/$module.o" || built=
        objects+=("$shared/$module.o")
    done
    # shellcheck disable=SC2046,SC2086
    [ -z "$built" ] || compiled "$out/$target" "${objects[@]}" Tests/fuzz -- $compile -module-name Fuzz \
        "Tests/fuzz/$target.swift" $(find Tests/fuzz -name '*.swift' ! -name '*Fuzz.swift') "${objects[@]}" -llz4 \
        -o "$out/$target" || built=
    if [ -z "$built" ]; then
        code=1
        continue
    fi
    rm -rf "$out/corpus" "$out/new"
    mkdir -p "$out/corpus" "$out/new"
    seeds=$(named "$target" seeds)
    n=0
    # shellcheck disable=SC2086
    for file in ${seeds:-Tests/Vectors/bcsv/*.bcsv}; do
        [ "$(wc -c <"$file")" -le 8192 ] || continue
        n=$((n + 1))
        {
            # shellcheck disable=SC2059
            [ -n "$seeds" ] || printf "\\$(printf %03o $((n * 5 % 64)))"
            cat "$file"
        } >"$out/corpus/seed$n"
    done
    echo "$target: $n seeds, $seconds s"
    # Every input has 5 s and all 512 MB; a crash, leak, trap or hang ends it.
    if ! SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=quarantine_size_mb=16 timeout $((seconds + 120)) "$out/$target" -max_total_time="$seconds" -timeout=5 \
        -rss_limit_mb=512 -max_len=16384 -print_final_stats=1 -artifact_prefix="$out/" "$out/new" "$out/corpus" >"$out/log" 2>&1; then
        tail -n 40 "$out/log"
        echo "$target: FAILED: see $out/log and the input beside it"
        code=1
        continue
    fi
    grep -E 'DONE|number_of_executed_units|peak_rss_mb' "$out/log"
done
exit $code
