"""Where things are, and what several tests need."""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
VECTORS = os.path.join(ROOT, "Tests", "Vectors")
TOOL = os.environ.get("TICKLOG", os.path.join(ROOT, ".build", "debug", "ticklog"))
LIMIT = 120  # seconds for any foreign program

SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 2**32)


def have(module):
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def tool(*arguments):
    """What the command prints: code, standard output, standard error."""
    done = subprocess.run([TOOL, *arguments], capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def python(code, *arguments, **environment):
    """Another Python with this code: code, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def cat(path, *options):
    """The rows that the command prints, as dicts, and the sentences about damage."""
    code, out, err = tool("cat", "--format", "jsonl", *options, path)
    rows = [json.loads(line) for line in out.decode("utf-8", "surrogateescape").splitlines()]
    told = [line.partition(": ")[2] for line in err.splitlines() if re.match("ticklog( cat)?: (?!note:)", line)]
    return code, rows, told


def finding(message):
    """Of a sentence about damage: the offset, and what was found and expected."""
    found = re.search(r"(?:offset (\d+): )?(found .*?, expected [^;]*)", message)
    return (found.group(1), found.group(2)) if found else (None, message)


def same(ours, theirs):
    """A value of Python and one of JSON Lines."""
    if isinstance(theirs, str) and theirs in ("nan", "inf", "-inf") and isinstance(ours, float):
        return repr(ours) == theirs
    if isinstance(ours, float) and not isinstance(theirs, str) and theirs is not None:
        # Of float32, the shortest text.
        import struct

        return ours == theirs or struct.unpack("f", struct.pack("f", float(theirs)))[0] == ours
    return type(ours) is type(theirs) and ours == theirs


class InFolder(unittest.TestCase):
    """Each test has an empty folder, which is the working directory."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        self.folder = folder.name
