#!/bin/sh
# What the C functions tell of files and repair in them is what the command does: over every vector, good and spoiled.
#     Tests/report.sh [TARGET [SEED]]      linux-x86_64 unless told; another one takes a few files only. Needs
#                                          Cross/build.sh TARGET
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
target=${1:-linux-x86_64}
seed=${2:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/Tests/python/setup.sh"
"$root/Tests/built.sh"
"$root/Cross/cc.sh" "$target" "$work/report" "$root/Tests/report/report.c"
few=0
case $target in linux-x86_64) set -- "$work/report" ;; *) few=8; . "$root/Cross/targets.sh"; target "$target"
    case $target in linux-aarch64) set -- qemu-aarch64 ;; linux-armv7) set -- qemu-arm ;; esac
    set -- "$@" -L "$system" "$work/report" ;;
esac
timeout 500 "$root/.venv/bin/python" "$root/Tests/report/check.py" "$root/.build/debug/ticklog" "$seed" "$few" "$@"
