#!/bin/bash
# A machine of its own: Debian's arm64 kernel, a root file system of busybox, the C library and the command for
# linux-aarch64, and a disk, under qemu-system-aarch64. It logs, serves and receives (Tests/rootfs/init), and what it left on
# its disk is checked here, with this machine's command and with pybcsv.
#     Tests/rootfs.sh [FOLDER]       FOLDER: what `make install DESTDIR=FOLDER PREFIX=/usr` made
# TICKLOG names another command for this machine than the debug build's. Needs the Debian packages of Cross/install.sh.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
build=${BUILD_DIR:-$root/build}
work=$(mktemp -d)
qemu=
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true; rm -rf "$work"' EXIT
PATH=$PATH:/usr/sbin:/sbin
host=${TICKLOG:-$root/.build/debug/ticklog}
[ -n "${TICKLOG:-}" ] || Tests/built.sh
Tests/python/setup.sh
timeout 300 Tests/rootfs/fetch.sh "$build/rootfs"

fail() {
    echo "rootfs: $*" >&2
    [ ! -f "$work/console" ] || tail -n 30 "$work/console" >&2
    exit 1
}

cp -a "$build/rootfs/root" "$work/root"
if [ $# -gt 0 ]; then
    cp -a "$1/." "$work/root/"
else
    TARGET=linux-aarch64 PREFIX=/usr DESTDIR=$work/root Packaging/install.sh >"$work/install"
fi
ln -s busybox "$work/root/bin/sh"
for name in $(timeout 10 qemu-aarch64 "$work/root/bin/busybox" --list); do
    [ -e "$work/root/bin/$name" ] || ln -s busybox "$work/root/bin/$name"
done
mkdir -p "$work/root/sbin" "$work/root/tests"
for name in modprobe depmod; do ln -s ../bin/busybox "$work/root/sbin/$name"; done # the kernel asks for /sbin/modprobe
install Tests/rootfs/init "$work/root/init"
# frames, bytes of each, seed and rate; all of UDP's fit into a socket's buffer, so none may be missing
tcp="2000 1400 7 100000" udp="100 200 8 500"
printf 'tcp="%s"\nudp="%s"\n' "$tcp" "$udp" >"$work/root/tests/sizes"
(cd "$work/root" && find . | cpio -o -H newc -R 0:0 --quiet | gzip -1) >"$work/root.cpio.gz"
truncate -s 64M "$work/disk"
mke2fs -q -t ext4 "$work/disk"

started() { # DISK WORDS...: the machine with that disk, and words for its kernel; sets $qemu
    local disk=$1
    shift
    timeout -k 5 400 qemu-system-aarch64 -M virt -cpu cortex-a53 -smp 2 -m 512 -nographic -nic none -no-reboot \
        -kernel "$build/rootfs/vmlinuz" -initrd "$work/root.cpio.gz" -append "console=ttyAMA0 loglevel=1 panic=-1 $*" \
        -drive file="$disk",format=raw,if=none,id=disk -device virtio-blk-device,drive=disk </dev/null >"$work/console" 2>&1 &
    qemu=$!
}

started "$work/disk"
code=0
wait $qemu || code=$?
qemu=
sed -i 's/\r//g' "$work/console"
[ $code = 0 ] || fail "the machine did not switch itself off: exit $code"

sed -n 's/^step \([^ ]*\) .*/rootfs: \1: ok/p' Tests/rootfs/init >"$work/expected"
echo "rootfs: passed" >>"$work/expected"
[ "$(wc -l <"$work/expected")" -gt 15 ] || fail "the steps were not found in Tests/rootfs/init"
grep '^rootfs: ' "$work/console" >"$work/found" || true
cmp -s "$work/expected" "$work/found" || fail "its steps did not all pass"

# What it wrote, from its disk. It was unmounted; had it not been, the file system would be found dirty.
e2fsck -fn "$work/disk" >"$work/fsck" 2>&1 || fail "its file system: $(cat "$work/fsck")"
mkdir "$work/data"
debugfs -R "rdump / $work/data" "$work/disk" >"$work/debugfs" 2>&1
data=$work/data
run=$(echo "$data"/runs/*)
[ -d "$run" ] || fail "no run on the disk: $(ls "$data")"
# Both tell the same of it.
for command in info validate; do
    timeout 60 "$host" $command --json "$run" | sed "s|$data/|/data/|g" >"$work/$command"
    cmp "$work/$command" "$data/$command.json" || fail "$command: this machine's command tells something else"
done
timeout 60 "$host" cat --format jsonl "$run" | cmp - "$data/rows.jsonl" || fail "cat: this machine's command tells something else"
timeout 60 .venv/bin/python Tests/python/run.py "$run" >"$work/run" || fail "pybcsv does not read the run"
timeout 60 .venv/bin/python Tests/rootfs/check.py "$data" || fail "what it wrote is not what it should be"

# The bytes that were received are the bytes that the same command makes here.
received() { # TRANSPORT FRAMES SIZE SEED RATE
    timeout 60 "$host" send --file "$work/$1.frames" --channels 1 --count "$2" --size "$3" --seed "$4" >"$work/sent"
    cat "$data/$1"/ch0_*.dat | cmp - "$work/$1.frames" || fail "$1: other frames than were sent"
}
# shellcheck disable=SC2086
{ received tcp $tcp; received udp $udp; }
# PACKETS.LOG: the last packet of rack 2 of 200 is number 198, and has the words 198, 199, 200.
replayed() {
    timeout 60 "$host" replay "$1" --source rack:2 --image "$work/rack2" --force >"$work/replay" || fail "$1: $(cat "$work/replay")"
    values=$(od -A n -t u2 -j $((0x1000 * 2)) -N 8 "$work/rack2" | tr -s ' ')
    [ "$values" = " 198 199 200 0" ] || fail "$1: rack 2 ended with$values"
}
replayed "$data/packets.log"
system=$(head -n 1 "$work/console")

# Another machine, whose power is cut as soon as a client was told that all it sent is on the medium.
truncate -s 64M "$work/cut"
mke2fs -q -t ext4 "$work/cut"
started "$work/cut" cut
for _ in $(seq 3000); do
    ! grep -q '^rootfs: on the medium' "$work/console" || break
    kill -0 $qemu 2>/dev/null || break
    sleep 0.1
done
grep -q '^rootfs: on the medium' "$work/console" || fail "nothing came onto the medium"
pkill -KILL -P $qemu || true # timeout's child: the machine itself
wait $qemu 2>/dev/null || true
qemu=
# What fsck mends is ext4's journal; 1: it did.
code=0
e2fsck -fy "$work/cut" >"$work/fsck" 2>&1 || code=$?
[ $code -le 1 ] || fail "its file system after the power was cut: $(cat "$work/fsck")"
mkdir "$work/after"
debugfs -R "rdump / $work/after" "$work/cut" >"$work/debugfs" 2>&1
replayed "$work/after/packets.log"
echo "$system: $(($(wc -l <"$work/expected") - 1)) steps passed, and what they wrote is sound, also after a power cut; $(sed -n '$s/^[^:]*: //p' "$work/run")"
