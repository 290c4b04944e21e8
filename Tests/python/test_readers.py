"""Checks the independent readers on vectors that other programs wrote."""
import json
import os
import struct
import sys
import tempfile
import unittest

import bcsv
import dlf

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors")


def plain(v):
    """A value as the vectors' JSON writes it: 64-bit integers as text."""
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    return v


def same(v, want):
    if isinstance(want, dict):
        return isinstance(v, dict) and v.keys() == want.keys() and all(same(v[k], want[k]) for k in want)
    if isinstance(v, float):
        if isinstance(want, str):
            want = float(want)
        return v == want or struct.pack("<f", v) == struct.pack("<f", want) or (v != v and want != want)
    return v == want or str(v) == want


class DLF(unittest.TestCase):
    def test_vectors(self):
        root = os.path.join(VECTORS, "dlf")
        for name in sorted(os.listdir(root)):
            with self.subTest(name), open(os.path.join(root, name, "expected.json"), encoding="utf-8") as f:
                want = json.load(f)
                self.one(os.path.join(root, name), want)

    def one(self, directory, want):
        for kind, part in enumerate(("polled", "event")):
            with open(os.path.join(directory, part + ".dlf"), "rb") as f:
                data = f.read()
            expected = want[part]
            if "streams" not in expected:
                with self.assertRaises(dlf.Damage):
                    dlf.Log(data, kind)
                continue
            if expected["magic"] != dlf.MAGIC:
                with self.assertRaises(dlf.Damage):
                    dlf.Log(data, kind)
                continue
            log = dlf.Log(data, kind)
            self.assertEqual(log.tick_span, expected["tick_span"])
            self.assertEqual(log.data_start, expected["data_start"])
            self.assertEqual([(s.type_text, s.id, s.notes, s.size) for s in log.streams],
                             [(s["type_structure"], s["id"], s["notes"], s["type_size"]) for s in expected["streams"]])
            if kind == 0:
                self.assertEqual([(s.interval, s.phase) for s in log.streams],
                                 [(s["tick_interval"], s["tick_phase"]) for s in expected["streams"]])
            self.assertEqual([(i, t, b.hex()) for i, t, b in log.samples],
                             [(s["i"], s["tick"], s["hex"]) for s in expected["samples"]])
            self.assertEqual(log.tail, expected["check"]["tail_bytes"])
            for (i, _, b), s in zip(log.samples, expected["samples"]):
                self.assertTrue(same(log.streams[i].value(b), s["v"]), (log.streams[i].value(b), s["v"]))

    def test_offsets(self):
        with open(os.path.join(VECTORS, "dlf", "real_intervals", "polled.dlf"), "rb") as f:
            log = dlf.Log(f.read(), 0)
        self.assertEqual(log.offset(7), 23)
        self.assertEqual(log.offset(log.tick_span + 1), 35)


class BCSV(unittest.TestCase):
    def expected(self, name):
        with open(os.path.join(VECTORS, "bcsv", name), encoding="utf-8") as f:
            return json.load(f)

    def vectors(self):
        for name in sorted(os.listdir(os.path.join(VECTORS, "bcsv"))):
            # Damaged ones have a test of their own; this reader knows no delta.
            if name.endswith(".bcsv") and "_bad_" not in name and "_delta_" not in name:
                yield os.path.join(VECTORS, "bcsv", name), name

    def test_vectors(self):
        for path, name in self.vectors():
            with self.subTest(name):
                f = bcsv.read(path)
                want = self.expected("expected_%s.json" % name.split("_")[1])
                self.assertEqual(f.names, [c["name"] for c in want["columns"]])
                for row, expected in zip(f.rows, want["rows"], strict=True):
                    for t, c, v in zip(f.types, row, expected, strict=True):
                        if t in (9, 10):
                            v = int(v, 16).to_bytes(bcsv.SIZES[t], "little")
                        else:
                            v = bcsv.cell(t, int(v) if t in (4, 8) else v)
                        self.assertEqual(c, v)

    def test_damaged_vectors(self):
        start = os.path.join(VECTORS, "bcsv", "v15_bad_logger_zoh_packet_lz4_flush75_")
        for name in ("flippayload1", "midpkt2", "nofooter"):
            with self.assertRaises(bcsv.Damage, msg=name):
                bcsv.read(start + name + ".bcsv")
        self.assertEqual(len(bcsv.read(start + "midpkt2.bcsv", closed=False).rows), 75)
        self.assertEqual(len(bcsv.read(start + "nofooter.bcsv", closed=False).rows), 300)

    def test_every_bit_behind_the_header_counts(self):
        path = os.path.join(VECTORS, "bcsv", "v13_const_zoh_packet_lz4.bcsv")
        with open(path, "rb") as f:
            data = f.read()
        start = bcsv.parse(data).data_start
        for at in range(start, len(data)):
            for bit in range(8):
                damaged = bytearray(data)
                damaged[at] ^= 1 << bit
                with self.assertRaises(bcsv.Damage, msg="bit %d of byte %d" % (bit, at)):
                    bcsv.parse(bytes(damaged))

    def test_cut_anywhere(self):
        for name in ("v13_alltypes_zoh_packet_lz4.bcsv", "v13_alltypes_flat_packet.bcsv"):
            with open(os.path.join(VECTORS, "bcsv", name), "rb") as f:
                data = f.read()
            whole = bcsv.parse(data)
            for n in range(whole.data_start, len(data)):
                with self.assertRaises(bcsv.Damage):
                    bcsv.parse(data[:n])
                f = bcsv.parse(data[:n], closed=False)
                rows = f.rows + f.salvaged
                self.assertEqual(rows, whole.rows[:len(rows)])
                self.assertIsNotNone(f.torn)

    def test_pybcsv_writes_what_we_read(self):
        import pybcsv
        layout = pybcsv.Layout()
        layout.add_column("a", pybcsv.INT32)
        layout.add_column("s", pybcsv.STRING)
        layout.add_column("b", pybcsv.BOOL)
        layout.add_column("x", pybcsv.DOUBLE)
        rows = [[i // 3, "text %d" % (i // 5), i % 7 == 0, i / 8] for i in range(500)]
        for codec in ("zoh", "flat"):
            for level in (0, 1, 9):
                with tempfile.TemporaryDirectory() as folder:
                    path = os.path.join(folder, "x.bcsv")
                    w = pybcsv.Writer(layout, codec)
                    w.open(path, True, level, 64, pybcsv.FileFlags.NONE)
                    for i, row in enumerate(rows):
                        w.write_row(row)
                        if i % 100 == 42:
                            w.flush()
                    w.close()
                    f = bcsv.read(path)
                    self.assertEqual([[bcsv.value(t, c) for t, c in zip(f.types, r)] for r in f.rows], rows)


if __name__ == "__main__":
    unittest.main()
