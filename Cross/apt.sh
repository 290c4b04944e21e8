# Sourced: apt with lists of its own, so that /etc and the architectures of the machine's dpkg stay as they are.
#
#   own_apt FOLDER deb-src         sets $ours: options of apt-get for Debian's source packages
#   own_apt FOLDER deb arm64       the same for packages of another architecture, none of which counts as installed
own_apt() {
    mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
    # The mirror and the release that this machine's apt uses.
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v release="$release" '$2 == release && $3 == "main" { print $1; exit }')
    [ -n "$mirror" ] || { echo "apt knows no mirror of $release" >&2; return 1; }
    cat >"$1/own.sources" <<S
Types: $2
URIs: $mirror
Suites: $release
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
S
    ours="-o Dir::Etc::sourcelist=$1/own.sources -o Dir::Etc::sourceparts=- -o Dir::State::lists=$1/lists
        -o Dir::Cache=$1/cache -o APT::Get::List-Cleanup=0 -o APT::Sandbox::User="
    [ $# -lt 3 ] || ours="$ours -o APT::Architecture=$3 -o APT::Architectures::=$3 -o Dir::State::status=/dev/null"
}
