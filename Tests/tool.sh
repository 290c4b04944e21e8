#!/bin/bash
# The command on the Linux targets: it runs, logs, and tells of every file the same as the host's command, to the byte.
#     Tests/tool.sh [TARGET...]    linux-aarch64 and linux-armv7 unless told
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- linux-aarch64 linux-armv7

Tests/built.sh
gcc -O2 -shared -fPIC -std=gnu11 Tests/serve/crc32c.c -o "$work/crc32c.so"
host=$root/.build/debug/ticklog
failures=0 compared=0

result() { # COMMAND...: prints what it prints and how it ends
    local code=0
    "$@" 2>"$work/errors" </dev/null || code=$?
    echo "exit $code"
    cat "$work/errors"
}

same() { # ARGUMENTS...: host and target must agree
    result "$host" "$@" >"$work/expected"
    result Cross/run.sh "$name" "$tool" "$@" >"$work/found"
    compared=$((compared + 1))
    if ! cmp -s "$work/expected" "$work/found"; then
        echo "$name: ticklog $* differs:" >&2
        diff "$work/expected" "$work/found" | head -n 10 >&2 || true
        failures=$((failures + 1))
    fi
}

for name; do
    Cross/tool.sh "$name"
    tool=build/$name/ticklog
    same --version
    same cat --help
    same cat --rows x y
    same info "$work/nothing"
    for format in bcsv dlf; do
        for program in "$host" target; do
            runs=$work/$name-$format-$(basename "$program")
            command=("$program")
            [ "$program" = "$host" ] || command=(Cross/run.sh "$name" "$tool")
            "${command[@]}" demo --seconds 1 --out "$runs" --format $format >"$work/demo"
            grep -q '^ *cpu.user' "$work/demo"
            run=$(echo "$runs"/*)
            same info "$run"
            same info --json "$run"
            same list --json "$runs"
            same cat "$run"
            same cat --format jsonl "$run"
            same cat --events "$run"
            same cat --meta "$run"
            same cat --samples "$run"
            same cat --events --samples "$run"
            same cat --stream load --rows :3 "$run"
            same cat --from 40 --rows 3:7 "$run"
            same convert "$run" - --to parquet --compression none
            same convert "$run" - --to parquet --compression none --events
            same archive "$run" -o -
            "$host" archive "$run" -o "$run.tar" --force >"$work/archive"
            for command in info "info --json" cat "cat --events --samples" validate; do
                # shellcheck disable=SC2086
                same $command "$run.tar"
            done
        done
    done
    for path in Tests/Vectors/bcsv/*.bcsv Tests/Vectors/dlf/*/; do
        same info --json "$path"
        same cat --format jsonl --salvage "$path"
        # LZ4 has another hash table there.
        same convert "$path" - --to parquet --compression none --salvage
    done
    for path in Tests/Vectors/dlf/*/*.dlf; do same cat --samples "$path"; done
    # The tests of the host's receiver, with this one.
    case $name in
    linux-aarch64) emulator="qemu-aarch64 -L /usr/aarch64-linux-gnu" ;;
    *) emulator="qemu-arm -L /usr/arm-linux-gnueabihf" ;;
    esac
    mkdir "$work/receive-$name"
    timeout 200 python3 Tests/receive/check_receive.py "$emulator $tool" none none "$work/receive-$name" \
        tcp_of_four_channels any_split_of_a_damaged_stream datagrams_of_any_size late_and_repeated_and_restarted \
        files_are_rolled_before_they_exceed killed_and_started_again
    mkdir "$work/serve-$name"
    timeout 200 .venv/bin/python Tests/serve/smoke.py "$emulator $tool" "$work/crc32c.so" "$work/serve-$name"
done
echo "$compared outputs compared, $failures differ"
[ "$failures" = 0 ] && [ "$compared" -gt $(($# * 150)) ]
