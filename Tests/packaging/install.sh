#!/bin/sh
# Installs the Debian packages that Tests/packaging.sh and Tests/deb.sh need. Needs root only if one is missing.
set -eu
wanted="gcc libc6-dev binutils python3 cmake make pkgconf man-db groff zsh fish systemd dpkg-dev lintian"
missing=
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "Tests/packaging/install.sh: installs$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 || {
    apt-get -qq update
    apt-get install -qq -y --no-install-recommends $missing >/dev/null
}
