#!/bin/bash
# Tests/firmware/signals.c on all targets and machines, in all formats: every file is the same, byte for byte, on every
# one, and the Python model agrees with what is in them.
#
#     Tests/targets.sh [MACHINE...]      machines: x86_64 aarch64 armv7 mps2-an386 netduinoplus2 mps2-an500
set -u
KEEP=${KEEP:-} # a folder to copy the x86_64 runs to
root=$(cd "$(dirname "$0")/.." && pwd)
python=$root/.venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
steps=600
machines=${*:-x86_64 aarch64 armv7 mps2-an386 netduinoplus2 mps2-an500}
case " $machines " in *" x86_64 "*) ;; *) machines="x86_64 $machines" ;; esac

"$root/Tests/python/setup.sh" || exit 1

target_of() {
    case $1 in
    x86_64) echo linux-x86_64 ;;
    aarch64) echo linux-aarch64 ;;
    armv7) echo linux-armv7 ;;
    mps2-an386 | netduinoplus2) echo cortex-m4f ;;
    mps2-an500) echo cortex-m7f ;;
    esac
}

# The semihosting storage, which every Cortex-M program brings along.
storage_of() { case $1 in cortex-*) echo "$root/Examples/storage/semihosting.c" ;; esac; }

#    name            format row  file   version short no-tick roll   options of the check
combinations="
    zoh-packet-15    bcsv zoh  packet 15 0 0 -     --packet
    zoh-lz4-15       bcsv zoh  lz4    15 0 0 -     -
    flat-packet-15   bcsv flat packet 15 0 0 -     --packet --flat
    flat-lz4-15      bcsv flat lz4    15 0 0 -     --flat
    zoh-packet-13    bcsv zoh  packet 13 0 0 -     --packet --13
    zoh-lz4-13       bcsv zoh  lz4    13 0 0 -     --13
    flat-packet-13   bcsv flat packet 13 0 0 -     --packet --flat --13
    flat-lz4-13      bcsv flat lz4    13 0 0 -     --flat --13
    delta-packet     bcsv delta packet 15 0 0 -    --packet --delta
    delta-lz4        bcsv delta lz4   15 0 0 -     --delta
    delta-batch      bcsv delta batch 15 0 0 -     --delta --batch
    zoh-batch        bcsv zoh  batch  15 0 0 -     --batch
    flat-batch       bcsv flat batch  15 0 0 -     --batch --flat
    no-tick-delta    bcsv delta packet 15 0 1 -    --packet --delta --no-tick
    rolled-delta     bcsv delta batch 15 0 0 16384 --delta --batch --rolled
    SHORT            bcsv zoh  lz4    15 1 0 -     --short
    no-tick          bcsv zoh  packet 15 0 1 -     --packet --no-tick
    no-tick-flat     bcsv flat packet 15 0 1 -     --packet --flat --no-tick
    rolled           bcsv zoh  packet 15 0 0 16384 --packet --rolled
    ROLLED           bcsv flat lz4    13 1 0 16384 --flat --13 --short --rolled
    dlf              dlf  zoh  packet 15 0 0 -     -
    DLF              dlf  zoh  packet 15 1 0 -     --short
"

export MACHINE
for MACHINE in $machines; do
    target=$(target_of "$MACHINE")
    exe=$work/signals-$MACHINE
    [ -e "$root/build/$target/libticklog.a" ] || "$root/Cross/build.sh" "$target" > "$work/log" 2>&1 || tail -20 "$work/log"
    if ! "$root/Cross/cc.sh" "$target" "$exe" "$root/Tests/firmware/signals.c" $(storage_of "$target") > "$work/log" 2>&1; then
        tail -20 "$work/log"
        echo "FAILED: signals.c does not build for $MACHINE"
        failed=$((failed + 1))
    fi
done

# run MACHINE NAME ARGUMENTS... -> files in $work/MACHINE/NAME, statistics in $work/MACHINE/NAME.json
run() {
    local machine=$1 name=$2 target
    shift 2
    target=$(target_of "$machine")
    [ -e "$work/signals-$machine" ] || return 1
    mkdir -p "$work/$machine"
    # The root is a relative path: the same arguments, and the same bytes, everywhere.
    (cd "$work/$machine" && MACHINE=$machine timeout -k 5 60 "$root/Cross/run.sh" "$target" "$work/signals-$machine" "$@") \
        > "$work/$machine/$name.out" 2>&1 < /dev/null
    local code=$?
    tr -d '\r' < "$work/$machine/$name.out" | grep '^{' | tail -1 > "$work/$machine/$name.json"
    [ "$code" = 0 ] || { tail -3 "$work/$machine/$name.out" | cut -c 1-300; echo "exit code $code"; }
    return $code
}

sums() { (cd "$1" && find . -type f | LC_ALL=C sort | xargs -r sha256sum); }

while read -r name format row file version short notick roll options; do
    [ -n "$name" ] || continue
    [ "$roll" = - ] && roll=
    [ "$options" = - ] && options=
    good="" bad=""
    for machine in $machines; do
        here=$work/$machine/$name
        if ! run "$machine" "$name" $format $row $file $version $short $notick $steps . $name $roll > "$work/log"; then
            bad="$bad $machine(run)"
            cat "$work/log"
        elif [ "$machine" = x86_64 ]; then
            if timeout -k 5 120 "$python" "$root/Tests/python/check_signals.py" "$here" "$work/$machine/$name.json" \
                --steps $steps $options > "$work/log" 2>&1; then
                good="$good model"
            else
                bad="$bad model"
                tail -1 "$work/log" | cut -c 1-600
            fi
            sums "$here" > "$work/x86_64.sums"
        else
            sums "$here" > "$work/these.sums"
            if cmp -s "$work/these.sums" "$work/x86_64.sums"; then
                good="$good $machine"
            else
                bad="$bad $machine(bytes)"
                diff "$work/x86_64.sums" "$work/these.sums" | cut -c 1-100 | head -4
            fi
        fi
    done
    [ -z "$KEEP" ] || { mkdir -p "$KEEP"; cp -r "$work/x86_64/$name" "$work/x86_64/$name.json" "$KEEP/"; }
    if [ -z "$bad" ]; then
        passed=$((passed + 1))
        echo "ok      $name:$good"
    else
        failed=$((failed + 1))
        echo "FAILED  $name:$bad; ok:$good"
    fi
done <<< "$combinations"

# Readers in unusual states, on 32 bits and on both kinds of alignment; Cortex-M has no memory for their files.
for machine in $machines; do
    case $machine in x86_64 | aarch64 | armv7) ;; *) continue ;; esac
    target=$(target_of "$machine")
    if "$root/Cross/cc.sh" "$target" "$work/states-$machine" "$root/Tests/differential/states.c" > "$work/log" 2>&1 &&
        TIME_LIMIT=120 "$root/Cross/run.sh" "$target" "$work/states-$machine" "$work" > "$work/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok      states: $machine"
    else
        failed=$((failed + 1))
        echo "FAILED  states: $machine"
        head -3 "$work/log" | cut -c 1-300
    fi
done

# BMS packets and the log buffer: one checksum of all their bytes.
packets=
for machine in $machines; do
    target=$(target_of "$machine")
    if MACHINE=$machine "$root/Cross/cc.sh" "$target" "$work/packets-$machine" "$root/Tests/firmware/packets.c" > "$work/log" 2>&1 &&
        MACHINE=$machine TIME_LIMIT=120 "$root/Cross/run.sh" "$target" "$work/packets-$machine" > "$work/log" 2>&1 &&
        told=$(tr -d '\r' < "$work/log") && [ "$told" = "${packets:=$told}" ]; then
        passed=$((passed + 1))
        echo "ok      packets: $machine"
    else
        failed=$((failed + 1))
        echo "FAILED  packets: $machine"
        head -3 "$work/log" | cut -c 1-300
    fi
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
