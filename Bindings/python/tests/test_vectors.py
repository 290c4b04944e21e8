"""Every vector, good and damaged: the same rows, and the same error, as `ticklog cat`."""

import glob
import json
import os
import subprocess
import unittest

import ticklog
from support import LIMIT, TOOL, VECTORS, InFolder, cat, finding, same, tool


def rows_of(path, **options):
    """All rows up to the damage, and the error."""
    rows = []
    try:
        with ticklog.open(path, **options) as table:
            for row in table:
                rows.append(row)
    except ticklog.Error as error:
        return rows, error
    return rows, None


@unittest.skipUnless(os.path.exists(TOOL), f"needs {TOOL}")
class Vectors(InFolder):
    def check(self, path, *options, **ours):
        code, theirs, told = cat(path, *options)
        rows, error = rows_of(path, **ours)
        where = f"{path} {options}"
        if code == 0:
            self.assertIsNone(error, where)
        else:
            self.assertIsNotNone(error, where)
            if not isinstance(error, ticklog.NotFoundError):
                findings = [finding(message) for message in told]
                if isinstance(error, ticklog.FormatError):
                    # `cat` expects other formats than what is converted.
                    findings = [(offset, "found ") for offset, _ in findings]
                offset = next((offset for offset, sentence in findings if sentence in str(error)), "none")
                self.assertNotEqual(offset, "none", f"{where}: found {error}, expected one of {told}")
                self.assertEqual(error.offset, int(offset) if offset else error.offset, where)
        self.assertEqual(len(rows), len(theirs), f"{where}: {error}")
        for i, (a, b) in enumerate(zip(rows, theirs)):
            self.assertEqual(list(a), list(b), f"{where}: row {i}")
            for name in a:
                self.assertTrue(same(a[name], b[name]), f"{where}: row {i}, {name}: found {a[name]!r}, expected {b[name]!r}")
        return len(rows), code

    def check_all(self, paths, *options, **ours):
        counts = [self.check(path, *options, **ours) for path in paths]
        return len(counts), sum(rows for rows, _ in counts), sum(code != 0 for _, code in counts)

    def test_bcsv(self):
        paths = sorted(glob.glob(f"{VECTORS}/bcsv/*.bcsv"))
        files, rows, bad = self.check_all(paths)
        self.assertGreater(files, 100)
        self.assertGreater(bad, 5)
        print(f"bcsv: {files} files, {rows} rows, {bad} with damage")

    def test_bcsv_salvage(self):
        for path in sorted(glob.glob(f"{VECTORS}/bcsv/*bad*.bcsv")):
            _, theirs, _ = cat(path, "--salvage")
            rows, error = rows_of(path, salvage=True)
            self.assertEqual(len(rows), len(theirs), f"{path}: {error}")

    def test_dlf(self):
        runs = sorted(glob.glob(f"{VECTORS}/dlf/*/"))
        files, rows, bad = self.check_all(runs)
        self.assertGreater(files, 15)
        events = self.check_all(runs, "--events", events=True)
        print(f"dlf: {files} runs, {rows} rows, {bad} with damage; {events[1]} events")

    def test_dlf_streams(self):
        count = 0
        for path in sorted(glob.glob(f"{VECTORS}/dlf/*/")):
            code, out, _ = tool("info", "--json", path)
            told = json.loads(out) if out else {}
            for stream in {s["name"]: s for s in told.get("streams", [])}.values():
                # An event stream that a polled one hides is not looked for.
                self.check(path, "--stream", stream["name"], *(["--events"] if stream["kind"] == "event" else []), stream=stream["name"], events=stream["kind"] == "event")
                count += 1
        print(f"dlf: {count} streams")

    def test_rnog(self):
        files, rows, bad = self.check_all([p for p in sorted(glob.glob(f"{VECTORS}/rnog/*.dat*")) if not p.endswith(".json")])
        self.assertGreater(files, 10)
        print(f"rnog: {files} files, {rows} rows, {bad} with damage")

    def test_bms(self):
        files, rows, bad = self.check_all(sorted(glob.glob(f"{VECTORS}/bms/*.log")))
        self.assertGreater(files, 20)
        self.assertGreater(bad, 10)
        for path in sorted(glob.glob(f"{VECTORS}/bms/bad_[!vk]*.log")):
            _, theirs, _ = cat(path, "--salvage")
            ours, error = rows_of(path, salvage=True)
            self.assertEqual((ours, error), (theirs, None), path)
        print(f"bms: {files} logs, {rows} rows, {bad} with damage")

    def test_frames(self):
        for spoiled in ("0", "0.1"):
            subprocess.run([TOOL, "send", "--file", f"frames{spoiled}.dat", "--channels", "1", "--count", "300", "--corrupt", spoiled, "--seed", "7"], capture_output=True, check=True, timeout=LIMIT)
        files, rows, bad = self.check_all(["frames0.dat", "frames0.1.dat", *sorted(glob.glob(f"{VECTORS}/stream/*.bin"))])
        print(f"frames: {files} files, {rows} rows, {bad} with damage")

    def test_text(self):
        with open("a.csv", "w") as file:
            file.write("t,x,name,on\n1,0.5,a,true\n2,nan,\"b\"\"c,\n\",false\n3,-inf,é,true\n")
        with open("a.jsonl", "w") as file:
            file.write('{"t":18446744073709551615,"o":{"x":-1}}\n{"t":0,"o":{"x":3}}\n')
        for path in ("a.csv", "a.jsonl"):
            self.assertEqual(tool("convert", path, "same.bcsv", "--force")[0], 0)
            _, theirs, _ = cat("same.bcsv")
            rows, error = rows_of(path)
            self.assertIsNone(error)
            self.assertEqual(len(rows), len(theirs))
            for a, b in zip(rows, theirs):
                self.assertTrue(all(same(a[name], b[name]) for name in b), f"found {a}, expected {b}")
        with open("bad.csv", "w") as file:
            file.write("t,x\n1,2\n3\n")
        message = tool("convert", "bad.csv", "bad.bcsv")[2]
        rows, error = rows_of("bad.csv")
        self.assertIn(finding(message.replace("\n", ""))[1], str(error))

    def test_every_prefix(self):
        """A file that is cut anywhere is what the command says that it is."""
        for name in ("v15_logger_zoh_packet_noindex.bcsv", "v15_bad_logger_delta_batch_flush75_nofooter.bcsv"):
            path = f"{VECTORS}/bcsv/{name}"
            if not os.path.exists(path):
                path = sorted(glob.glob(f"{VECTORS}/bcsv/v15_logger_zoh*.bcsv"))[0]
            with open(path, "rb") as file:
                data = file.read()
            for length in sorted({0, 5, 11, 20, 60, len(data) // 3, len(data) // 2, len(data) - 5, len(data) - 1}):
                with open("cut", "wb") as file:
                    file.write(data[:length])
                self.check("cut")

    def test_nothing(self):
        with self.assertRaises(FileNotFoundError):
            ticklog.open("nowhere.bcsv")
        os.mkdir("empty")
        with self.assertRaises(ticklog.Error):
            ticklog.open("empty")
        open("zero", "w").close()
        with self.assertRaises(ticklog.Error):
            ticklog.open("zero")


if __name__ == "__main__":
    unittest.main()
