SUMMARY = "The Swift compiler, as swift.org builds it"
DESCRIPTION = "The toolchain that compiles TickLog for the targets, in Embedded Swift: nothing of it is on the target. \
               Set TICKLOG_SWIFT_DIR instead if there is one on this machine."
HOMEPAGE = "https://www.swift.org"
BUGTRACKER = "https://github.com/swiftlang/swift/issues"
CVE_PRODUCT = "swift"
SECTION = "devel"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://swift-${PV}-RELEASE-${SWIFT_PLATFORM}/usr/share/swift/LICENSE.txt;md5=f6c482a0548ea60d6c2e015776534035"

# Take the one that is made for this machine's distribution, and put its checksum into local.conf, after its signature was
# checked with gpg: without one, BitBake refuses the file and says what it found.
SWIFT_PLATFORM ?= "ubuntu22.04"
SWIFT_SHA256 ?= ""
SRC_URI = "https://download.swift.org/swift-${PV}-release/${@d.getVar('SWIFT_PLATFORM').replace('.', '')}/swift-${PV}-RELEASE/swift-${PV}-RELEASE-${SWIFT_PLATFORM}.tar.gz;subdir=${BP}"
SRC_URI[sha256sum] = "${SWIFT_SHA256}"

# nooelint: oelint.var.inheritdevtool.native - there is nothing to change in it
inherit native

COMPATIBLE_HOST = "x86_64-.*-linux"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -d ${D}${libdir}/swift-toolchain
    cp -a --no-preserve=ownership ${S}/swift-${PV}-RELEASE-${SWIFT_PLATFORM}/usr ${D}${libdir}/swift-toolchain/
}

# It is prebuilt.
INHIBIT_SYSROOT_STRIP = "1"
