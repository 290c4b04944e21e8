#!/bin/sh
# packages.sh PACKAGE...: installs those Debian packages that are missing, and says so in one line. Needs root only if one is.
set -eu
missing=
for package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "installs$missing"
export DEBIAN_FRONTEND=noninteractive
# Without recommended packages: QEMU would bring half a desktop along. Steps of the tests may come here at the same time.
get() { flock "${TMPDIR:-/tmp}/ticklog-packages.lock" apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >/dev/null; }
# shellcheck disable=SC2086
get install -y --no-install-recommends $missing 2>/dev/null || { get update && get install -y --no-install-recommends $missing; }
