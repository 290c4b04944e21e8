# Two commands on a fresh Debian 12 with a Swift toolchain, as root: `make demo` and `make test`.
include Cross/cross.mk
.DEFAULT_GOAL := help
.PHONY: help build dist wheel demo docs test test-fast test-ship test-tools bench bench-host bench-bcsv numbers packages install uninstall deb clean

SECONDS ?= 5
RUNS ?= runs
# Where the demo's run goes, and how long it logs.

help:
	@echo 'make demo        installs what it needs, builds, logs this machine for $(SECONDS) s'
	@echo 'make test        installs the test tools, runs every test on all five targets'
	@echo 'make test-fast   the tests of the host alone'
	@echo 'make test-ship   what is shipped: packages, Yocto layer, bundle, root file system, ABI'
	@echo 'make cross       libticklog for the five targets, in build/'
	@echo 'make install     libraries, headers, command and services to DESTDIR/PREFIX; make uninstall'
	@echo 'make bench-mcu   instructions for each channel-sample on Cortex-M4; make bench: all numbers'

# Debian packages that the host build needs.
host_packages = liblz4-dev libxxhash-dev python3

packages:
	@Cross/packages.sh $(host_packages)

# The release bundle, dist/ticklog-VERSION.tar.xz.
dist: packages ; Packaging/dist.sh

# The Python package, build/wheel/ticklog-VERSION-….whl.
wheel: ; Packaging/wheel.sh

# What PREFIX, DESTDIR, LIBDIR, SYSCONFDIR, UNITDIR, TARGET, STRIP and SKIP_BUILD=1 do, Packaging/install.sh says.
export PREFIX DESTDIR LIBDIR SYSCONFDIR UNITDIR TARGET STRIP SKIP_BUILD
install: $(if $(SKIP_BUILD),,packages) ; Packaging/install.sh
uninstall: ; Packaging/install.sh uninstall
# Debian packages, in dist/.
deb: packages ; Packaging/deb.sh amd64 arm64

build: packages
	swift build -c release --product ticklog

demo: build
	@.build/release/ticklog demo --seconds $(SECONDS) --out $(RUNS)

# What the command loads at run time, for Kafka, tokens and gzip; nothing is built with them.
loaded_packages = librdkafka1 libssl3 zlib1g
# Looks for errors of memory, in the tests.
checking_packages = valgrind

# Debian packages by the scripts, which name them, and these; pybcsv from PyPI into .venv.
test-tools: packages
	@Cross/packages.sh $(loaded_packages) $(checking_packages)
	@Cross/install.sh
	@Tests/packaging/install.sh
	@echo 'installs pybcsv, xxhash, pyarrow and duckdb from PyPI into .venv (python3-venv if it is missing)'
	@Tests/python/setup.sh

test: test-tools
	Tests/run.sh all

test-fast: test-tools
	Tests/run.sh fast

test-ship: test-tools
	Tests/run.sh ship

# Prints every number; `make numbers` puts them into the README.
bench: bench-mcu bench-host bench-bcsv
bench-host: ; Cross/build.sh linux-x86_64 && Benchmarks/host/run.sh
bench-bcsv: ; Cross/build.sh linux-x86_64 && Benchmarks/bcsv/run.sh
numbers: ; Benchmarks/numbers.sh

# The examples of docs/SPEC.md, from files that the library has just written.
docs: ; docs/examples.py

clean: ; rm -rf .build build
