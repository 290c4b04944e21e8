# nooelint: oelint.var.suggestedvar.CVE_PRODUCT - an image is none
SUMMARY = "A small image with TickLog"
DESCRIPTION = "What boots, and the command with its services, the library, and a program that uses it."
SECTION = "images"
LICENSE = "MIT"

inherit core-image

IMAGE_INSTALL = "packagegroup-core-boot libticklog ticklog ticklog-example ${CORE_IMAGE_EXTRA_INSTALL}"
