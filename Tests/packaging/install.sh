#!/bin/sh
# Installs the Debian packages that Tests/packaging.sh, Tests/deb.sh and Tests/abi.sh need. Needs root only if one is missing.
set -eu
exec "$(dirname -- "$0")/../../Cross/packages.sh" gcc libc6-dev binutils python3 cmake make pkgconf man-db groff zsh fish \
    systemd dpkg-dev lintian abigail-tools
