#!/bin/bash
# The C# package under mono: compiled as C# 7, its structures beside ticklog.h by the C compiler, every vector beside `ticklog
# cat`, random tables beside pybcsv and the command, runs, the Unity samples, misuse. Uses the debug build, or the command that
# TICKLOG names, and build/linux-x86_64/libticklog.so, or that of the folder that LIBRARY names.
#     Tests/csharp.sh [SEED [TABLES]]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
package=$root/Bindings/csharp
library=${LIBRARY:-$root/build/linux-x86_64}
seed=${1:-$RANDOM} tables=${2:-60}
"$root/Cross/packages.sh" mono-mcs mono-runtime
if [ -z "${TICKLOG:-}" ]; then "$root/Tests/built.sh"; fi
tool=${TICKLOG:-$root/.build/debug/ticklog}
[ -f "$library/libticklog.so" ] || "$root/Cross/build.sh" linux-x86_64
"$root/Tests/python/setup.sh"
python=$root/.venv/bin/python

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/runs" "$work/dumps" "$work/tables" "$work/random" "$work/samples"
export MONO_REGISTRY_PATH=$work MONO_SHARED_DIR=$work LD_LIBRARY_PATH=$library

# No warnings. -langversion:7.2 is the newest that mono's compiler has; Unity 2020 has 7.3.
compile() { timeout 120 mcs -langversion:7.2 -warn:4 -warnaserror -unsafe -debug "$@"; }
mapfile -t sources < <(find "$package/Runtime" -name '*.cs' | sort)
# Without Span, as netstandard2.0 is; and with it, which mono has, for the tests.
compile -target:library -out:"$work/Plain.dll" "${sources[@]}"
compile -target:library -d:TICKLOG_SPAN -doc:"$work/TickLog.xml" -nowarn:1591 -out:"$work/TickLog.dll" "${sources[@]}"
compile -d:TICKLOG_SPAN -r:"$work/TickLog.dll" -out:"$work/TickLog.Tests.exe" "$package"/Tests~/*.cs "$package"/Samples~/*/*.cs

# A small nursery: the collector moves what is not pinned all the time.
export MONO_GC_PARAMS=nursery-size=256k
tests() { # LIMIT WORDS...: in the work folder, where mono leaves its report if it crashes
    (cd "$work" && exec timeout -k 5 "$1" mono --debug "$work/TickLog.Tests.exe" "${@:2}")
}

# The package as Unity and NuGet want it.
"$package/meta.py" --check
cmp "$root/LICENSE" "$package/LICENSE.md"
version=$("$root/Packaging/version.sh")
grep -q "\"version\": \"$version\"" "$package/package.json" || { echo "package.json: expected version $version" >&2; exit 1; }
grep -q "<Version>$version</Version>" "$package/TickLog.csproj" || { echo "TickLog.csproj: expected version $version" >&2; exit 1; }
"$python" -c 'import json, sys; [json.load(open(p)) for p in sys.argv[1:]]' "$package/package.json" "$package/Runtime/TickLog.asmdef"

# Each structure and field has the size and offset that the header gives it: here, on 64-bit ARM and on 32-bit ARM.
tests 60 layouts 8 >"$work/layouts.c"
tests 60 layouts 4 >"$work/layouts32.c"
gcc -std=c11 -I"$root/include" -c "$work/layouts.c" -o "$work/layouts.o"
for cc in aarch64-linux-gnu-gcc:layouts.c arm-linux-gnueabihf-gcc:layouts32.c; do
    ! command -v "${cc%:*}" >/dev/null || "${cc%:*}" -std=c11 -I"$root/include" -c "$work/${cc#*:}" -o "$work/layouts.o"
done
tests 60 functions
# A wrong one is noticed.
sed 's/sizeof(ticklog_run_config) == /&1/' "$work/layouts.c" >"$work/wrong.c"
if gcc -std=c11 -I"$root/include" -c "$work/wrong.c" -o "$work/wrong.o" 2>/dev/null; then
    echo "layouts.c: a wrong size is not noticed" >&2
    exit 1
fi
echo "layouts: $(grep -c _Static_assert "$work/layouts.c") sizes and offsets"

# Runs.
tests 120 logger "$work/runs"
timeout 60 "$tool" validate "$work"/runs/*/ >"$work/validate" || { cat "$work/validate"; exit 1; }
"$python" "$root/Tests/csharp/runs.py" "$tool" "$work/runs"
timeout 120 "$python" "$root/Tests/python/run.py" "$work/runs/simple"

# Misuse and collection; the samples; a file that shrinks.
tests 120 tables "$work/tables"
tests 60 samples "$work/samples"
"$python" -c '
import sys
for k in range(20000): print(k, k * k, "text %d" % k, sep="," if k else ",")' | sed '1s/.*/a,b,c/' >"$work/shrink.csv"
for format in bcsv csv jsonl; do
    file=$work/shrink1.$format
    timeout 60 "$tool" convert "$work/shrink.csv" "$file" --packet-size 4096 2>/dev/null
    tests 60 shrink "$file" 5000
done

# Every vector.
"$python" "$root/Tests/csharp/compare.py" jobs "$work/jobs" "$work/dumps"
tests 300 dump "$work/jobs"
"$python" "$root/Tests/csharp/compare.py" vectors "$work/jobs" "$tool"

# Random tables, both ways.
tests 300 random "$work/random" "$seed" "$tables"
"$python" "$root/Tests/csharp/compare.py" random "$work/random" "$tool"
