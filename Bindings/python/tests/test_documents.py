"""The examples in docstrings and in README.md; the structures are those of ticklog.h; types are checked."""

import ctypes
import doctest
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import unittest

import ticklog
from support import LIMIT, ROOT, InFolder, have
from ticklog import _arrow, _library

STRUCTURES = {
    "ticklog_config": _library.Config, "ticklog_field": _library.Field, "ticklog_stream_config": _library.StreamConfig,
    "ticklog_run_config": _library.RunConfig, "ticklog_run_statistics": _library.RunStatistics,
    "ticklog_stream_statistics": _library.StreamStatistics, "ticklog_arrow_config": _library.ArrowConfig,
    "ticklog_arrow_write_config": _library.ArrowWriteConfig, "struct ArrowSchema": _arrow.ArrowSchema,
    "struct ArrowArray": _arrow.ArrowArray, "struct ArrowArrayStream": _arrow.ArrowArrayStream,
}  # fmt: skip


class Documents(InFolder):
    def test_docstrings(self):
        tried = 0
        for module in pkgutil.iter_modules(ticklog.__path__, "ticklog."):
            if module.name == "ticklog.libticklog" or (module.name == "ticklog.plotting" and not have("numpy")):
                continue
            result = doctest.testmod(importlib.import_module(module.name), optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
            self.assertEqual(result.failed, 0, module.name)
            tried += result.attempted
        result = doctest.testmod(ticklog)
        self.assertEqual(result.failed, 0)
        self.assertGreater(tried + result.attempted, 20)
        print(f"doctests: {tried + result.attempted} examples")

    @unittest.skipUnless(have("pandas") and have("polars") and have("duckdb") and have("matplotlib"), "needs all packages")
    def test_readme(self):
        path = os.path.join(ROOT, "Bindings", "python", "README.md")
        result = doctest.testfile(path, module_relative=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        self.assertEqual(result.failed, 0)
        self.assertGreater(result.attempted, 20)

    @unittest.skipUnless(shutil.which("gcc"), "needs gcc")
    def test_structures(self):
        lines = []
        for name, kind in STRUCTURES.items():
            lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
            lines += [f'printf("{name}.{field[0]} %zu\\n", offsetof({name}, {field[0]}));' for field in kind._fields_]
        with open("layout.c", "w") as file:
            file.write('#include <stdio.h>\n#include "ticklog.h"\nint main(void) {\n' + "\n".join(lines) + "\nreturn 0;\n}\n")
        subprocess.run(["gcc", "-I", os.path.join(ROOT, "include"), "layout.c", "-o", "layout"], check=True, timeout=LIMIT)
        told = dict(line.rsplit(" ", 1) for line in subprocess.run(["./layout"], capture_output=True, text=True, check=True, timeout=LIMIT).stdout.splitlines())
        for name, kind in STRUCTURES.items():
            self.assertEqual(int(told[name]), ctypes.sizeof(kind), name)
            for field in kind._fields_:
                self.assertEqual(int(told[f"{name}.{field[0]}"]), getattr(kind, field[0]).offset, f"{name}.{field[0]}")

    def test_constants(self):
        with open(os.path.join(ROOT, "include", "ticklog.h"), encoding="utf-8") as file:
            told = dict(re.findall(r"^#define (TICKLOG_\w+) \(?(-?\d+)u?\)?", file.read(), re.MULTILINE))
        self.assertEqual(int(told["TICKLOG_ABI"]), _library.ABI)
        for name, value in {
            "ARROW_SALVAGE": _library.ARROW_SALVAGE, "ARROW_EVENTS": _library.ARROW_EVENTS, "ARROW_NO_DICTIONARY": _library.ARROW_NO_DICTIONARY,
            "ARROW_BINARY": _library.ARROW_BINARY, "ARROW_REPLACE": _library.ARROW_REPLACE, "POLL": 1, "WATCH": 2, "EMIT": 3, "STRING": 11,
            "RING_FULL": _library.RING_FULL, "BUSY": _library.BUSY, "FULL": _library.FULL, "CLOSED": _library.CLOSED, "REPAIR_KEEP_UNVERIFIED": 1,
        }.items():  # fmt: skip
            self.assertEqual(int(told["TICKLOG_" + name]), value, name)
        from ticklog import errors

        for status in (value for name, value in told.items() if int(value) < 0 and name != "TICKLOG_END"):
            if int(status) not in (-23, -51):
                self.assertIn(int(status), errors.CLASSES)

    @unittest.skipUnless(have("mypy"), "needs mypy")
    def test_types(self):
        env = dict(os.environ)
        if "site-packages" not in ticklog.__file__:
            env["MYPYPATH"] = os.path.dirname(os.path.dirname(ticklog.__file__))
        done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--disable-error-code=import-untyped", "--cache-dir", self.folder, "-p", "ticklog"], capture_output=True, text=True, timeout=300, env=env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
