#!/bin/bash
# Builds every Tests/fuzz/*Fuzz.swift with libFuzzer and AddressSanitizer and runs it on a corpus made of Tests/Vectors.
#     Tests/fuzz.sh [SECONDS [TARGET...]]      60 s each; targets by name, such as ReaderFuzz
# What crashed is left in build/fuzz/TARGET/. A line `// sources: DIRECTORY...` in a target names the modules that it needs
# besides the core, whose files are compiled into it; a line `// seeds: PATTERN` its seeds, with `// seed: BYTES` before each.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(cd Tests/fuzz && ls -- *Fuzz.swift | sed 's/\.swift$//')
[ $# -gt 0 ]

named() { # TARGET KEY: the words behind `// KEY:` in the target
    sed -n "s|^// $2: *||p" "Tests/fuzz/$1.swift" | head -n 1
}

code=0
for target; do
    out=build/fuzz/$target
    mkdir -p "$out"
    directories=$(named "$target" sources)
    # shellcheck disable=SC2046,SC2086
    sources=$(find Sources/TickLog ${directories:-} -name '*.swift' | sort)
    shared=$(find Tests/fuzz -name '*.swift' ! -name '*Fuzz.swift')
    # One module: the imports of modules that are compiled into it go.
    # shellcheck disable=SC2086
    if [ -z "$(find $sources $shared "Tests/fuzz/$target.swift" include -newer "$out/$target" 2>&1)" ]; then
        built=1
    else
        built=
    fi
    rm -rf "$out/sources"
    mkdir -p "$out/sources"
    for file in $sources $shared "Tests/fuzz/$target.swift"; do
        sed -E 's/^((@testable|public|internal|private) )?import (TickLog|TickLogHost|TickLogTool)$//' "$file" \
            >"$out/sources/$(echo "$file" | tr / _)"
    done
    [ -n "$built" ] || swiftc -O -sanitize=fuzzer,address -parse-as-library -module-name Fuzz -suppress-warnings -I include -I Sources/CLZ4 \
        -I Sources/CXXHash -I Sources/CPosix "$out"/sources/*.swift -llz4 -o "$out/$target" >"$out/build.log" 2>&1 || {
        grep -E 'error' "$out/build.log" || cat "$out/build.log"
        code=1
        continue
    }
    rm -rf "$out/corpus" "$out/new"
    mkdir -p "$out/corpus" "$out/new"
    seeds=$(named "$target" seeds)
    n=0
    # shellcheck disable=SC2086
    for file in ${seeds:-Tests/Vectors/bcsv/*.bcsv}; do
        [ "$(wc -c <"$file")" -le 8192 ] || continue
        n=$((n + 1))
        # The first byte says how the input is read: take them all in turn.
        { printf "\\$(printf %03o $((n * 5 % 64)))"; cat "$file"; } >"$out/corpus/seed$n"
    done
    echo "$target: $n seeds, $seconds s"
    # Every input has 5 s and all 512 MB; a crash, leak, trap or hang ends it.
    if ! SWIFT_BACKTRACE=enable=no timeout $((seconds + 120)) "$out/$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=512 -max_len=16384 \
        -print_final_stats=1 -artifact_prefix="$out/" "$out/new" "$out/corpus" >"$out/log" 2>&1; then
        tail -n 40 "$out/log"
        echo "$target: FAILED: see $out/log and the input beside it"
        code=1
        continue
    fi
    grep -E 'DONE|number_of_executed_units|peak_rss_mb' "$out/log"
done
exit $code
