"""What the wheel needs beside its Python: the version, which is that of ticklog.h, libticklog.so, and the tag that says where
that runs.

The library is TICKLOG_LIBRARY (a path; `none` for a wheel without one), or build/TARGET/libticklog.so of this checkout. A
wheel without a library takes the one that is installed, libticklog.so.1.
"""

import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import tempfile

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MACHINES = {62: "x86_64", 183: "aarch64", 40: "armv7l"}
# What glibc was, before which there are no wheels of a kind.
OLDEST = (2, 17)


class CustomMetadataHook(MetadataHookInterface):
    def update(self, metadata):
        metadata["version"] = version()


def version():
    header = os.path.join(ROOT, "include", "ticklog.h")
    if os.path.exists(header):
        with open(header, encoding="utf-8") as file:
            return re.search(r'^#define TICKLOG_VERSION "([0-9.]+)"$', file.read(), re.MULTILINE).group(1)
    # A source distribution says it itself.
    with open(os.path.join(HERE, "PKG-INFO"), encoding="utf-8") as file:
        return re.search(r"^Version: (\S+)$", file.read(), re.MULTILINE).group(1)


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if self.target_name != "wheel" or version == "editable":
            return
        terms = os.path.join(ROOT, "LICENSE")
        if os.path.exists(terms):
            build_data["force_include"][terms] = "ticklog/LICENSE"
        library = find()
        if library is None:
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{tag(library)}"
        self.work = tempfile.mkdtemp()
        copy = os.path.join(self.work, "libticklog.so")
        shutil.copyfile(library, copy)
        strip(copy)
        os.chmod(copy, 0o644)
        build_data["force_include"][copy] = "ticklog/libticklog.so"

    def finalize(self, version, build_data, artifact_path):
        if hasattr(self, "work"):
            shutil.rmtree(self.work)


def find():
    named = os.environ.get("TICKLOG_LIBRARY")
    if named == "none":
        return None
    if named:
        if not os.path.isfile(named):
            raise FileNotFoundError(f"TICKLOG_LIBRARY: there is no {named}")
        return named
    target = os.environ.get("TARGET") or "linux-" + platform.machine().replace("armv7l", "armv7")
    built = os.path.join(ROOT, "build", target, "libticklog.so")
    if os.path.isfile(built):
        return built
    if os.path.isdir(os.path.join(ROOT, "Cross")):
        if os.environ.get("TARGET") or not installed():
            raise FileNotFoundError(
                f"there is no {built} and no libticklog.so.1 installed: Cross/build.sh {target} makes the one, make install the other, "
                "or TICKLOG_LIBRARY names it"
            )
    print("ticklog: a wheel without libticklog.so, which takes the one that is installed", file=sys.stderr)
    return None


def installed():
    import ctypes

    try:
        ctypes.CDLL("libticklog.so.1")
    except OSError:
        return False
    return True


def tag(library):
    """manylinux_2_N_MACHINE: what machine it is for, and the glibc that it needs."""
    with open(library, "rb") as file:
        elf = Elf(file.read())
    machine = MACHINES.get(elf.machine)
    if machine is None:
        raise ValueError(f"{library}: found machine {elf.machine}, expected one of {sorted(MACHINES)}")
    needed = [OLDEST]
    for name in elf.versions():
        if name.startswith("GLIBC_2."):
            needed.append(tuple(int(number) for number in name[len("GLIBC_") :].split(".")[:2]))
    return "manylinux_{}_{}_{}".format(*max(needed), machine)


class Elf:
    """As much of an ELF file as tells the versions of symbols that it needs."""

    def __init__(self, data):
        if data[:4] != b"\x7fELF" or data[5] != 1:
            raise ValueError("not a little-endian ELF file")
        self.data = data
        self.wide = data[4] == 2
        self.machine = struct.unpack_from("<H", data, 18)[0]
        if self.wide:
            at, size, count = struct.unpack_from("<Q", data, 40)[0], *struct.unpack_from("<HH", data, 58)
            self.sections = [struct.unpack_from("<IIQQQQIIQQ", data, at + i * size) for i in range(count)]
        else:
            at, size, count = struct.unpack_from("<I", data, 32)[0], *struct.unpack_from("<HH", data, 46)
            self.sections = [struct.unpack_from("<10I", data, at + i * size) for i in range(count)]

    def versions(self):
        for section in self.sections:
            if section[1] != 0x6FFFFFFE:  # SHT_GNU_verneed
                continue
            texts = self.sections[section[6]][4]
            at = section[4]
            for _ in range(section[7]):
                count, _, first, following = struct.unpack_from("<HIII", self.data, at + 2)
                entry = at + first
                for _ in range(count):
                    _, _, _, name, step = struct.unpack_from("<IHHII", self.data, entry)
                    begin = texts + name
                    yield self.data[begin : self.data.index(b"\0", begin)].decode()
                    entry += step
                at += following


def strip(path):
    """Takes debug information out, where there is a tool for that machine."""
    with open(path, "rb") as file:
        machine = MACHINES.get(Elf(file.read()).machine)
    prefix = {"x86_64": "x86_64-linux-gnu-", "aarch64": "aarch64-linux-gnu-", "armv7l": "arm-linux-gnueabihf-"}.get(machine, "")
    for tool in (prefix + "strip", "strip", "llvm-strip"):
        if shutil.which(tool) and subprocess.run([tool, "--strip-unneeded", path], capture_output=True).returncode == 0:
            return
