#!/bin/bash
# Every test of the project: `make test` installs what they need and calls this.
#     Tests/run.sh fast    the host alone
#     Tests/run.sh ship    what is shipped: packages, layers, bundles, the ABI
#     Tests/run.sh all     everything: the five targets, the examples and the README as well
#     Tests/run.sh STEP... steps by name, and what they need
# As many steps run at once as there are processors (JOBS=N: N). A step begins when those that it needs have passed. What it
# prints comes when it ends, the end of what failed once more at the end; the last line counts.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
kinds=${*:-all}
# Some steps have more to do if there is time.
quick=$([ "$kinds" = fast ] && echo quick)
jobs=${JOBS:-$(nproc)}
export TICKLOG_BUILT=1 # by the step `build`
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 143' TERM INT HUP

names=() # in the order in which they begin
declare -A kind needs limit command state began

# step KIND NAME LIMIT NEEDS COMMAND...: seconds; the names of steps, with commas, or -
step() {
    local name=$2
    names+=("$name")
    kind[$name]=$1 limit[$name]=$3 needs[$name]=${4//,/ } state[$name]=unused
    shift 4
    command[$name]=$*
}

# The builds that others wait for come first.
step fast build          1800 -                   swift build --build-tests
step fast cross-x86_64   1800 -                   Cross/build.sh linux-x86_64
step fast header          300 -                   Tests/header.sh
step fast swift          1200 build               Tests/swift.sh
step all  tool-x86_64    1800 cross-x86_64        Cross/tool.sh linux-x86_64
step all  cross-aarch64  1800 cross-x86_64        Cross/build.sh linux-aarch64
step all  tool-aarch64   1800 cross-aarch64       Cross/tool.sh linux-aarch64
step all  cross-armv7    1800 cross-x86_64        Cross/build.sh linux-armv7
step all  tool-armv7     1800 cross-armv7         Cross/tool.sh linux-armv7
step all  cross-m4f      1200 cross-x86_64        Cross/build.sh cortex-m4f
step all  cross-m7f      1200 cross-x86_64        Cross/build.sh cortex-m7f
step all  fuzz           1500 -                   Tests/fuzz.sh 12
step all  demo            900 build               make demo SECONDS=1 RUNS=build/demo-runs
step all  python-package 1500 build,cross-x86_64  Tests/python-package.sh quick
step fast serve           900 build               Tests/serve.sh $quick
step fast receive         900 build               Tests/receive.sh quick
step fast kafka           600 build               Tests/kafka.sh
step fast readers         600 -                   Tests/readers.sh
step fast differential    600 cross-x86_64        Tests/differential.sh
step fast dlf             900 build,cross-x86_64  Tests/dlf.sh
step fast append          900 build               Tests/append.sh $quick
step fast convert         600 build               Tests/convert.sh
step fast parquet         900 build               Tests/parquet.sh
step fast repair          600 build               Tests/repair.sh
step fast rnog            600 build               Tests/rnog.sh
step fast spec            300 cross-x86_64        docs/examples.py --check
step fast faults          600 build,cross-x86_64  Tests/faults.sh
step fast logbuffer      1500 build,cross-x86_64  Tests/logbuffer.sh $quick
step fast readme          300 cross-x86_64        Tests/readme.sh
step ship packaging      1800 tool-x86_64         Tests/packaging.sh
step ship deb             900 tool-x86_64,tool-aarch64  Tests/deb.sh
step ship rootfs          600 build,tool-aarch64  Tests/rootfs.sh
step ship yocto          1800 tool-aarch64,tool-armv7  Tests/yocto.sh quick
step ship dist           1800 cross-m4f,cross-m7f,tool-x86_64  Tests/dist.sh quick
step ship stm32           900 build,cross-m4f,cross-m7f  Tests/stm32.sh
step ship porting         600 build,cross-m4f     Tests/porting.sh
step ship abi             900 cross-aarch64,cross-armv7,cross-m4f,cross-m7f  Tests/abi.sh
step ship formats         600 build,cross-x86_64  Tests/formats.sh
step all  arrow          1200 build,cross-x86_64  Tests/arrow.sh
step all  cookbook        600 python-package      Tests/cookbook.sh
step all  csharp          900 build,cross-x86_64  Tests/csharp.sh
step all  error-register  300 cross-x86_64,cross-aarch64  Tests/error-register.sh
step all  valgrind        900 python-package  Tests/python-package.sh valgrind
step all  arrow-targets   600 cross-aarch64,cross-armv7  Tests/arrow-targets.sh
step all  mcap            900 build               Tests/mcap.sh
step all  plot            900 build               Tests/plot.sh
step all  report          600 build,cross-x86_64  Tests/report.sh
step all  lz4             600 cross-aarch64,cross-armv7,cross-m4f,cross-m7f  Cross/check-bytes.sh
step all  targets         900 cross-aarch64,cross-armv7,cross-m4f,cross-m7f  Tests/targets.sh
step all  rnog-targets    600 cross-aarch64,cross-armv7,cross-m4f,cross-m7f  Tests/rnog-targets.sh
step all  examples        900 cross-aarch64,cross-armv7,cross-m4f,cross-m7f  Examples/run-all.sh
step all  tool           1500 build,tool-aarch64,tool-armv7  Tests/tool.sh

choose() { # NAME: and what it needs
    [ -n "${state[$1]:-}" ] || { echo "$1: no such step; there are: ${names[*]}" >&2; exit 64; }
    [ "${state[$1]}" = unused ] || return 0
    state[$1]=waits
    local need
    for need in ${needs[$1]}; do [ "$need" = - ] || choose "$need"; done
}

for word in $kinds; do
    case $word in
    all) for name in "${names[@]}"; do choose "$name"; done ;;
    fast | ship) for name in "${names[@]}"; do [ "${kind[$name]}" != "$word" ] || choose "$name"; done ;;
    *) choose "$word" ;;
    esac
done

passed=0 failed=0 failures= running=0

begin() { # NAME
    state[$1]=runs began[$1]=$SECONDS
    running=$((running + 1))
    # shellcheck disable=SC2086
    (timeout -k 10 "${limit[$1]}" ${command[$1]} >"$work/$1" 2>&1 </dev/null; echo $? >"$work/$1.code") &
}

ended() { # NAME CODE TIME
    echo "== $1"
    cat "$work/$1"
    if [ "$2" = 0 ]; then
        passed=$((passed + 1)) state[$1]=passed
        echo "== $1: passed in $3 s"
    else
        failed=$((failed + 1)) failures="$failures $1" state[$1]=failed
        echo "== $1: FAILED ($2) after $3 s"
    fi
}

while :; do
    left=0
    for name in "${names[@]}"; do
        [ "${state[$name]}" = waits ] || continue
        ready=1
        for need in ${needs[$name]}; do
            case ${state[$need]:-passed} in
            passed) ;;
            failed) ready=; echo "it needs $need" >"$work/$name"; ended "$name" "not run" 0; break ;;
            *) ready=; break ;;
            esac
        done
        [ "${state[$name]}" = waits ] || continue
        left=$((left + 1))
        if [ -n "$ready" ] && [ "$running" -lt "$jobs" ]; then begin "$name"; fi
    done
    [ "$running" -gt 0 ] || { [ "$left" -gt 0 ] && continue; break; }
    wait -n
    for name in "${names[@]}"; do
        [ "${state[$name]}" = runs ] && [ -s "$work/$name.code" ] || continue
        running=$((running - 1))
        ended "$name" "$(cat "$work/$name.code")" $((SECONDS - began[$name]))
    done
done
# Once more, as the last thing, where whoever sees only the end of it finds it.
for name in $failures; do
    echo "== $name, its last lines:"
    tail -n 25 "$work/$name"
done
[ -z "$failures" ] || echo "failed:$failures"
echo "$passed passed, $failed failed, $((SECONDS / 60)) min"
[ "$failed" = 0 ]
