#!/bin/bash
# The release bundle: made twice, in folders of different names, it is the same bytes; its sums and its SBOM are right; no path
# of a build is in it; an example is built from it alone, without Swift; its SDK generator makes an SDK that builds.
#
#     Tests/dist.sh          build/cortex-m4f and build/linux-x86_64 (brought up to date) beside a build of both elsewhere
#     Tests/dist.sh quick    cortex-m4f alone: a minute of one core; with linux-x86_64 it is six more
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
targets="cortex-m4f linux-x86_64"
[ "${1:-}" != quick ] || targets=cortex-m4f
"$root/Cross/install.sh" > /dev/null
"$root/Tests/python/setup.sh"
bad=0
fail() { echo "FAILED  $*"; bad=$((bad + 1)); }
ok() { echo "ok      $*"; }
quietly() { "$@" > "$work/log" 2>&1 || { tail -20 "$work/log"; echo "FAILED: $*" >&2; exit 1; }; }

# The same sources elsewhere, under a longer path, where nothing was built yet.
there="$work/another/folder of builds"
there=${there// /-}
mkdir -p "$there/build"
(cd "$root" && git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf -) | tar -xf - -C "$there"
cp -a "$root/build/lz4" "$there/build/" 2> /dev/null || true
export SOURCE_DATE_EPOCH=1700000000
for target in $targets; do
    for place in "$root" "$there"; do
        quietly "$place/Cross/build.sh" "$target"
        case $target in linux-*) quietly "$place/Cross/tool.sh" "$target" ;; esac
    done
done
# Nor must the time, the user's mask or the language be seen.
# shellcheck disable=SC2086
SKIP_BUILD=1 DIST_DIR=$work/one quietly "$root/Packaging/dist.sh" $targets
# shellcheck disable=SC2086
(umask 077 && LC_ALL=C.UTF-8 TZ=Asia/Tokyo SKIP_BUILD=1 DIST_DIR=$work/two quietly "$there/Packaging/dist.sh" $targets)
name=$(cd "$work/one" && ls -d ticklog-*/)
name=${name%/}
if cmp -s "$work/one/$name.tar.xz" "$work/two/$name.tar.xz"; then
    ok "$name.tar.xz: $(wc -c < "$work/one/$name.tar.xz") bytes, the same from both folders"
else
    fail "$name.tar.xz differs between two builds"
    diff -rq "$work/one/$name" "$work/two/$name" | head -10
fi

# From here on it is what somebody unpacks.
mkdir "$work/unpacked"
tar -xf "$work/one/$name.tar.xz" -C "$work/unpacked"
bundle=$work/unpacked/$name
if (cd "$bundle" && sha256sum --quiet -c SHA256SUMS && [ "$(find . -type f | wc -l)" = $(($(wc -l < SHA256SUMS) + 1)) ]); then
    ok "$(wc -l < "$bundle/SHA256SUMS") sums"
else
    fail "SHA256SUMS does not tell what is there"
fi
(cd "$work/one" && quietly sha256sum -c "$name.tar.xz.sha256")

# A path of this build, or of the folder that things were made in.
if grep -rlaF -e "$root" -e "$work" -e "${HOME%/}/." "$bundle" > "$work/log"; then
    fail "paths of the build are in these:"
    head -5 "$work/log"
else
    ok "no path of a build in any file"
fi
tar -tvf "$work/one/$name.tar.xz" | awk '$2 != "0/0" || $4 != "2023-11-14" { bad = 1 } END { exit bad }' || fail "owners or times in the archive"

# The SBOM, by the reference implementation; and what it says of each file.
sbom=$bundle/$name.spdx.json
if timeout 120 "$root/.venv/bin/pyspdxtools" -i "$sbom" > "$work/log" 2>&1 && ! grep -qi invalid "$work/log"; then
    ok "SPDX: valid"
else
    fail "SPDX"
    tail -5 "$work/log"
fi
timeout 60 "$root/.venv/bin/python" - "$bundle" "$sbom" << 'P' || fail "SPDX: files or packages"
import hashlib, json, os, sys
bundle, sbom = sys.argv[1:]
document = json.load(open(sbom))
told = {f["fileName"]: {c["algorithm"]: c["checksumValue"] for c in f["checksums"]} for f in document["files"]}
there = {}
for folder, _, names in os.walk(bundle):
    for name in names:
        path = os.path.join(folder, name)
        if os.path.islink(path) or name == "SHA256SUMS" or name.endswith(".spdx.json"):
            continue
        data = open(path, "rb").read()
        there["./" + os.path.relpath(path, bundle)] = {"SHA1": hashlib.sha1(data).hexdigest(), "SHA256": hashlib.sha256(data).hexdigest()}
assert told == there, set(told) ^ set(there) or "checksums differ"
packages = {p["name"]: p for p in document["packages"]}
assert set(packages) == {"ticklog", "lz4", "xxHash", "Swift embedded standard library"}, packages.keys()
assert all(p["versionInfo"].count(".") >= 1 and p["versionInfo"][0].isdigit() for p in packages.values())
code = hashlib.sha1("".join(sorted(c["SHA1"] for c in told.values())).encode()).hexdigest()
assert packages["ticklog"]["packageVerificationCode"]["packageVerificationCodeValue"] == code
licences = os.listdir(os.path.join(bundle, "LICENSES"))
assert len(licences) == 4, licences
print("ok      SPDX:", ", ".join(f"{p['name']} {p['versionInfo']} {p['licenseDeclared']}" for p in packages.values()))
P

# Swift's SDK from the bundle, and with it a package that calls the bundle's library.
mkdir -p "$work/lz4" "$work/package/Sources/Mine"
cp "$root"/build/lz4/source/lz4*.[ch] "$work/lz4/"
cp "$work/lz4/lz4-original.c" "$work/lz4/lz4.c"
LZ4_SOURCE=$work/lz4 quietly "$bundle/Cross/make-sdk.sh" "$work/sdk"
cat > "$work/package/Package.swift" << 'S'
// swift-tools-version:6.0
import PackageDescription
let package = Package(name: "Mine", products: [.library(name: "Mine", type: .static, targets: ["Mine"])], targets: [.target(name: "Mine")])
S
cat > "$work/package/Sources/Mine/Mine.swift" << 'S'
import CTickLog
@_cdecl("main") public func main() -> Int32 { ticklog_abi() == 1 && ticklog_tick(nil, 1) == TICKLOG_NULL ? 0 : 1 }
S
quietly swift build --package-path "$work/package" -c release --swift-sdks-path "$work/sdk/sdks" --swift-sdk ticklog-cortex-m4f \
    --disable-sandbox -Xcc -I -Xcc "$bundle/include" --product Mine
mine=$(find "$work/package/.build/" -name libMine.a | head -n 1)

. "$root/Tests/without-swift.sh"
without_swift "$work/bin"
firmware=$bundle/Examples/firmware
quietly arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard --specs=nosys.specs -nostartfiles \
    "$firmware/start.c" "$mine" "$bundle/lib/cortex-m4f/libticklog.a" -L "$firmware" -T "$firmware/mps2.ld" -Wl,--gc-sections \
    -Wl,--no-warn-execstack -o "$work/mine.elf"
quietly "$bundle/Cross/run.sh" cortex-m4f "$work/mine.elf"
ok "the bundle's SDK builds Swift that calls the bundle's library, and runs"

# The example, from the bundle alone.
quietly make -s -C "$bundle/Examples/stm32f4" BOARD=mps2 run RUN_IN="$work" ARGUMENTS="300 . run"
quietly sh "$bundle/Cross/check-firmware.sh" "$bundle"/Examples/stm32f4/build/*.elf
ok "Examples/stm32f4: $(grep -c ticklog_tick "$bundle"/Examples/stm32f4/build/*.map > /dev/null && echo built and run without Swift)"

# And on the PC, all three ways to link.
case $targets in *linux-x86_64*)
    cat > "$work/pc.c" << 'C'
#include <ticklog.h>
int main(void) { return ticklog_posix_storage() && ticklog_abi() == TICKLOG_ABI ? 0 : 1; }
C
    lib=$bundle/lib/linux-x86_64
    quietly gcc -I "$bundle/include" "$work/pc.c" -L "$lib" -l:libticklog-host.a -l:libticklog.a -pthread -lm -o "$work/static"
    quietly gcc -I "$bundle/include" "$work/pc.c" -L "$lib" -lticklog -o "$work/shared"
    quietly "$work/static"
    LD_LIBRARY_PATH=$lib quietly "$work/shared"
    quietly "$bundle/bin/linux-x86_64/ticklog" --version
    ok "linux-x86_64: static, shared, and the command"
    ;;
esac
echo "$bad failed"
[ "$bad" = 0 ]
