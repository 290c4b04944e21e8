# Included by the Makefile: the five targets.
.PHONY: cross cross-install cross-examples cross-check bench-mcu
cross: ; Cross/build.sh all
cross-install: ; Cross/install.sh
cross-examples: cross ; Examples/run-all.sh
cross-check: cross ; Cross/check-bytes.sh
bench-mcu: ; Cross/build.sh cortex-m4f && Benchmarks/mcu/run.sh
