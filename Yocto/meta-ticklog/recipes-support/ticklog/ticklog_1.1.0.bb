SUMMARY = "Data logger for firmware and Linux"
DESCRIPTION = "Logs signals and events by a plain C interface into BCSV and DLF files, receives framed streams over \
               TCP and UDP, serves packets of battery management systems, and checks, repairs and converts what was written."
SECTION = "libs"
CVE_PRODUCT = "ticklog lz4"
# lz4 is part of the libraries: its hash is changed so that all targets write the same bytes, which lz4's own recipe cannot.
LICENSE = "MIT & BSD-2-Clause"
LIC_FILES_CHKSUM = "\
    file://LICENSE;md5=3d9912999c37c5c9a7a31cc3b9a613e7 \
    file://lz4-1.9.4/lib/LICENSE;md5=5cd5f851b52ec832b10eedb3f01f885a \
"

# The folder of a Swift toolchain that is on this machine already; if there is none, a recipe fetches it.
TICKLOG_SWIFT_DIR ?= ""
# Of xxhash the header alone is used.
DEPENDS = "${@'' if d.getVar('TICKLOG_SWIFT_DIR') else 'swift-toolchain-native'} qemu-native xxhash"

# The source is the checkout that this layer is part of, unless these name another one and what is to be taken of it.
TICKLOG_GIT ?= "git://${@os.path.normpath(d.getVar('THISDIR') + '/../../../..')};protocol=file;nobranch=1;usehead=1"
TICKLOG_REVISION ?= "${AUTOREV}"
# lz4 goes into the source's folder, behind it in this order. Both end up in the default S, of every release.
# nooelint: oelint.vars.downloadfilename - it has a version of its own
SRC_URI = "\
    ${TICKLOG_GIT};destsuffix=${BP} \
    ${DEBIAN_MIRROR}/main/l/lz4/lz4_1.9.4.orig.tar.gz;name=lz4;subdir=${BP} \
"
SRC_URI[lz4.sha256sum] = "0b0e3aa07c8c063ddf40b082bdf7e37a1562bda40a0ff5272957f3e987e0e54b"
SRCREV = "${TICKLOG_REVISION}"

B = "${WORKDIR}/build"

inherit bash-completion qemu systemd

# ARM means hard-float and the instructions of ARMv7-A here, and only glibc was tried.
COMPATIBLE_HOST = "(aarch64|arm)-.*-linux"
COMPATIBLE_HOST:armv4 = "null"
COMPATIBLE_HOST:armv5 = "null"
COMPATIBLE_HOST:armv6 = "null"
COMPATIBLE_HOST:libc-musl = "null"

SWIFT = "${@d.getVar('TICKLOG_SWIFT_DIR') or '${STAGING_LIBDIR_NATIVE}/swift-toolchain'}"
RUN = "env ${@qemu_wrapper_cmdline(d, d.getVar('STAGING_DIR_HOST'), [])}"

do_compile() {
    B='${B}' TARGET_ARCH='${TARGET_ARCH}' CC='${CC}' HOST_PREFIX='${HOST_PREFIX}' LDFLAGS='${LDFLAGS}' \
        STAGING_DIR_HOST='${STAGING_DIR_HOST}' TUNE_CCARGS='${TUNE_CCARGS}' LZ4_SOURCE='${S}/lz4-1.9.4' \
        SWIFT='${SWIFT}' RUN='${RUN}' \
        ${S}/Packaging/yocto.sh compile
}
do_compile[cleandirs] = "${B}"

do_install() {
    B='${B}' TARGET_ARCH='${TARGET_ARCH}' CC='${CC}' HOST_PREFIX='${HOST_PREFIX}' LDFLAGS='${LDFLAGS}' \
        STAGING_DIR_HOST='${STAGING_DIR_HOST}' TUNE_CCARGS='${TUNE_CCARGS}' LZ4_SOURCE='${S}/lz4-1.9.4' \
        D='${D}' prefix='${prefix}' bindir='${bindir}' libdir='${libdir}' sysconfdir='${sysconfdir}' \
        systemd_system_unitdir='${systemd_system_unitdir}' \
        ${S}/Packaging/yocto.sh install
}

# The tool has the libraries in it; libticklog is for programs of your own.
PACKAGES =+ "libticklog ${PN}-zsh-completion ${PN}-fish-completion"
FILES:libticklog += "${libdir}/libticklog${SOLIBS}"
FILES:${PN}-zsh-completion += "${datadir}/zsh"
FILES:${PN}-fish-completion += "${datadir}/fish"
RDEPENDS:${PN}-dev += "libticklog (= ${EXTENDPKGV})"
CONFFILES:${PN} = "${sysconfdir}/ticklog/receive.conf ${sysconfdir}/ticklog/serve.conf"

# Both listen on the network: they are started by whoever sets them up.
SYSTEMD_SERVICE:${PN} = "ticklog-receive.service ticklog-serve.service"
SYSTEMD_AUTO_ENABLE = "disable"
