"""What works with numpy alone, and without any package; and how long the import takes is said."""

import os
import sys
import unittest

import ticklog
from support import InFolder, have, python


class Bare(InFolder):
    def test_import_takes_nothing_along(self):
        code, out, err = python("import sys, ticklog; print([m for m in ('numpy', 'pandas', 'pyarrow', 'polars', 'json', 'datetime', 'inspect') if m in sys.modules])")
        self.assertEqual((code, out.strip()), (0, "[]"), err)

    def test_everything_without_packages(self):
        columns = {"i": [1, -2, 3], "b": [True, False, True], "f": [0.5, float("inf"), -0.0], "s": ["a", "", "é"], "u": [2**64 - 1, 0, 1]}
        ticklog.write("t.bcsv", columns)
        with ticklog.open("t.bcsv") as t:
            self.assertEqual(repr(t.to_dict()), repr(columns))
            self.assertEqual(list(t)[1], {"i": -2, "b": False, "f": float("inf"), "s": "", "u": 0})
            self.assertEqual(t[1:].to_dict(["i"]), {"i": [-2, 3]})
            self.assertEqual(list(t["i"]), [1, -2, 3])
            self.assertEqual([len(b) for b in t.batches(2)], [2, 1])
            ticklog.write("u.bcsv", t)
            self.assertTrue(ticklog.validate("u.bcsv")["sound"])
            for name in ("numpy", "pandas", "polars", "pyarrow"):
                if not have(name):
                    call = {"numpy": t.to_numpy, "pandas": t.to_pandas, "polars": t.to_polars, "pyarrow": t.to_arrow}[name]
                    with self.assertRaises(ImportError) as caught:
                        call()
                    self.assertIn("pip install", str(caught.exception))
            if have("numpy"):
                self.assertEqual(t.to_numpy()["i"].tolist(), [1, -2, 3])
                self.assertEqual(t.to_numpy()["b"].tolist(), [True, False, True])
                self.assertEqual(t.to_numpy()["s"].tolist(), ["a", "", "é"])
        logger = ticklog.Logger()
        logger.poll("x", lambda: 3, type="u8")
        event = logger.event("e", "f32")
        with logger.start("runs", "r") as run:
            run.tick()
            event.emit(1.5)
        self.assertEqual(ticklog.open("runs/r").to_dict(), {"tick": [0], "x": [3]})
        ticklog.convert("t.bcsv", "t.csv")
        self.assertEqual(ticklog.info("t.bcsv")["rows"], 3)

    def test_library_is_told_of(self):
        code, _, err = python("import ticklog; ticklog.open('x')", TICKLOG_LIBRARY="/nowhere/libticklog.so")
        self.assertEqual(code, 1)
        self.assertIn("LibraryError", err)
        self.assertIn("TICKLOG_LIBRARY", err)
        with open("libc.so", "w") as file:
            file.write("none")
        self.assertEqual(python("import ticklog; ticklog.open('x')", TICKLOG_LIBRARY=os.path.abspath("libc.so"))[0], 1)

    def test_version(self):
        from importlib.metadata import PackageNotFoundError, version

        try:
            self.assertEqual(version("ticklog"), ticklog.__version__)
        except PackageNotFoundError:
            self.assertIn("Bindings", ticklog.__file__)


if __name__ == "__main__":
    unittest.main()
