SUMMARY = "Logs the temperature of the processor with TickLog"
DESCRIPTION = "The smallest program that uses libticklog, to start your own from."
SECTION = "utils"
CVE_PRODUCT = "ticklog"
LICENSE = "MIT"
# nooelint: oelint.var.licenseremotefile - it is a file of this layer
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

DEPENDS = "ticklog"

SRC_URI = "file://temperature.c;subdir=${BP}"

inherit pkgconfig

do_compile() {
    ${CC} ${CFLAGS} ${LDFLAGS} ${S}/temperature.c -o ${B}/ticklog-example $(pkg-config --cflags --libs ticklog)
}

do_install() {
    install -D -m 0755 ${B}/ticklog-example ${D}${bindir}/ticklog-example
}
