"""Checks the independent readers on vectors that other programs wrote."""
import gzip
import hashlib
import json
import os
import random
import struct
import sys
import tempfile
import unittest

import bcsv
import bcsv_writer

TYPE_NAMES = ("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float", "double", "string")
VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors")


class BCSV(unittest.TestCase):
    folder = os.path.join(VECTORS, "bcsv")

    @classmethod
    def setUpClass(cls):
        with open(os.path.join(cls.folder, "manifest.json"), encoding="utf-8") as f:
            cls.manifest = json.load(f)["files"]
        cls.tables = {}
        for name in sorted({entry["expected"] for entry in cls.manifest}):
            opened = gzip.open if name.endswith(".gz") else open
            with opened(os.path.join(cls.folder, name), "rt", encoding="utf-8") as f:
                table = json.load(f)
            types = [TYPE_NAMES.index(c["type"]) for c in table["columns"]]
            rows = [tuple(cls.cell(t, v) for t, v in zip(types, row, strict=True)) for row in table["rows"]]
            cls.tables[name] = [c["name"] for c in table["columns"]], types, rows

    @staticmethod
    def cell(t, v):
        """A value as the expected values have it: floats as bits, 64-bit integers as text."""
        if t in (9, 10):
            return int(v, 16).to_bytes(bcsv.SIZES[t], "little")
        return bcsv.cell(t, int(v) if t in (4, 8) else v)

    def data(self, name):
        with open(os.path.join(self.folder, name), "rb") as f:
            return f.read()

    def valid(self):
        for entry in self.manifest:
            if entry["kind"] != "damaged":
                yield entry, self.data(entry["file"]), self.tables[entry["expected"]]

    def test_every_vector_is_here(self):
        self.assertEqual(sorted(e["file"] for e in self.manifest),
                         sorted(n for n in os.listdir(self.folder) if n.endswith(".bcsv")))
        self.assertEqual(len(self.manifest), 185)
        for entry in self.manifest:
            self.assertEqual(hashlib.sha256(self.data(entry["file"])).hexdigest(), entry["sha256"], entry["file"])

    def test_vectors(self):
        for entry, data, (names, types, rows) in self.valid():
            with self.subTest(entry["file"]):
                f = bcsv.parse(data)
                self.assertEqual((f.names, f.types), (names, types))
                self.assertEqual(f.rows, rows)
                self.assertEqual(f.row_codec, entry["row_codec"])
                self.assertEqual("%d.%d.%d" % f.version, entry["header_version"])
                if "packets" in entry and not f.file_codec.startswith("stream"):
                    self.assertEqual(len(f.packets), entry["packets"])

    def test_written_again(self):
        """With the same packets and codecs the independent writer makes the same rows, and the same bytes if they are
        not compressed."""
        same = 0
        for entry, data, (names, types, rows) in self.valid():
            with self.subTest(entry["file"]):
                f = bcsv.parse(data)
                w = bcsv_writer.Writer([n.encode() for n in names], types, f.row_codec, f.file_codec, version=f.version,
                                       level=f.level, created=f.created, limit=f.packet_limit, more_flags=f.flags)
                w.limit = 1 << 62
                starts = {p.first_row for p in f.packets}
                for i, row in enumerate(rows):
                    if i in starts:
                        w.flush()
                    w.row(row)
                w.flush()
                if f.packets and f.packets[-1].rows == 0:
                    w.open()
                again = w.close(stride=1 if f.index else 0)
                self.assertEqual(bcsv.parse(again).rows, rows)
                if not f.lz4:
                    self.assertEqual(again, data)
                    same += 1
        self.assertGreater(same, 60)

    def sound(self, entry):
        """The file that a damaged one was made of; one of them is not among the vectors, but can be written again."""
        if os.path.exists(os.path.join(self.folder, entry["derived_from"])):
            return self.data(entry["derived_from"])
        self.assertEqual(entry["derived_from"], "v15_logger_delta_packet_flush75.bcsv")
        f = bcsv.header(self.data(entry["file"]))
        w = bcsv_writer.Writer([n.encode() for n in f.names], f.types, "delta", "packet", version=f.version,
                               created=f.created, limit=f.packet_limit)
        for i, row in enumerate(self.tables[entry["expected"]][2], 1):
            w.row(row)
            if i % 75 == 0:
                w.flush()
        w.open()
        return w.close()

    def test_damaged_vectors(self):
        """Every packet whose bytes are those of the sound file is read, and no other; of a stream file every row before
        the damage."""
        for entry in self.manifest:
            if entry["kind"] != "damaged":
                continue
            with self.subTest(entry["file"]):
                data, sound = self.data(entry["file"]), self.sound(entry)
                whole = bcsv.parse(sound)
                different = next((i for i, (a, b) in enumerate(zip(data, sound)) if a != b), len(data))
                if whole.packets:
                    want = {p.first_row + i: whole.rows[p.first_row + i] for p in whole.packets for i in range(p.rows)
                            if data[p.offset:p.end] == sound[p.offset:p.end]}
                else:
                    want = {i: row for i, row in enumerate(whole.rows) if whole.row_ends[i] <= different}
                f, rows, damage = bcsv.salvage(data)
                self.assertEqual(rows, want)
                self.assertEqual(bool(damage) or f.torn is not None, not entry["file"].endswith("nofooter.bcsv"))
                if entry["damage"].startswith("cut"):
                    self.assertEqual(f.salvaged, whole.rows[len(rows):len(rows) + len(f.salvaged)])
                sequential = entry["reference_reader"]["sequential"]
                if sequential["prefix_matches"]:
                    self.assertLessEqual(len(rows), max(sequential["rows"], len(want)))
                if not whole.packets:
                    self.assertEqual(len(rows), sequential["rows"])
                if len(data) == len(sound):
                    with self.assertRaises(bcsv.Damage):
                        bcsv.parse(data)

    def test_every_bit_behind_the_header_counts(self):
        for name in ("v13_const_zoh_packet_lz4", "v15_const_delta_packet", "v15_const_zoh_batch", "v15_const_flat_stream"):
            data = self.data(name + ".bcsv")
            whole = bcsv.parse(data)
            for at in range(whole.data_start, len(data), 1 if name.startswith("v13") else 7):
                for bit in range(8):
                    damaged = bytearray(data)
                    damaged[at] ^= 1 << bit
                    with self.assertRaises(bcsv.Damage, msg="%s: bit %d of byte %d" % (name, bit, at)):
                        bcsv.parse(bytes(damaged))
                    _, rows, _ = bcsv.salvage(bytes(damaged))
                    for i, row in rows.items():
                        self.assertEqual(row, whole.rows[i], "%s: bit %d of byte %d" % (name, bit, at))

    def test_cut_anywhere(self):
        for name in ("v13_alltypes_zoh_packet_lz4", "v13_alltypes_flat_packet", "v15_alltypes_delta_batch",
                     "v15_alltypes_delta_stream", "v15_alltypes_zoh_stream_lz4"):
            data = self.data(name + ".bcsv")
            whole = bcsv.parse(data)
            for n in range(whole.data_start, len(data)):
                if n not in whole.row_ends + [whole.data_start] or whole.packets:
                    with self.assertRaises(bcsv.Damage):
                        bcsv.parse(data[:n])
                    f = bcsv.parse(data[:n], closed=False)
                    self.assertIsNotNone(f.torn)
                else:
                    f = bcsv.parse(data[:n])
                rows = f.rows + f.salvaged
                self.assertEqual(rows, whole.rows[:len(rows)])

    def test_odd_and_legal(self):
        rng = random.Random(7)
        types = [11, 0, 9, 1, 4, 10, 6, 0, 11]
        rows = []
        for _ in range(60):
            row = [bcsv.cell(t, rng.choice(["", "a\0b", "ü" * 9])) if t == 11 else
                   bcsv.cell(t, rng.random() < 0.5) if t == 0 else rng.randbytes(bcsv.SIZES[t]) for t in types]
            rows.append(tuple(row))
            if rng.random() < 0.5:
                rows.append(rows[-1])
        names = [b"c%d" % i for i in range(len(types) - 1)] + [b""]
        for row_codec in ("flat", "zoh", "delta"):
            for file_codec in ("packet", "packet-lz4", "batch", "stream", "stream-lz4"):
                for odd in ({}, {"ble": 4}, {"use_gradient": False}, {"repeats": False}, {"limit": 0}, {"limit": 512}):
                    for version in ((1, 3, 0), (1, 4, 0), (1, 5, 255)):
                        if version[1] == 3 and (row_codec == "delta" or file_codec == "batch"):
                            continue
                        w = bcsv_writer.Writer(names, types, row_codec, file_codec, version=version, **odd)
                        for i, row in enumerate(rows):
                            w.row(row)
                            if i == 20 and not file_codec.startswith("stream"):
                                w.flush()
                                w.open()  # an empty packet
                                w.flush()
                        f = bcsv.parse(w.close(stride=rng.choice((0, 1, 2))))
                        self.assertEqual(f.rows, rows, (row_codec, file_codec, odd, version))
                        self.assertEqual(f.names[-1], "Column_8")
                        if odd == {"limit": 0} and f.packets:
                            self.assertEqual(len(f.packets), len(rows) + 1)

    def test_rows_that_are_missing(self):
        w = bcsv_writer.Writer([b"x"], [3], "flat", "packet")
        for i in range(20):
            if i == 10:
                w.flush()
                w.gap = 5
            w.row((bytes([i, 0, 0, 0]),))
        data = w.close()
        with self.assertRaises(bcsv.Damage):
            bcsv.parse(data)
        _, rows, _ = bcsv.salvage(data)
        self.assertEqual(sorted(rows), list(range(10)) + list(range(15, 25)))

    def test_pybcsv_writes_what_we_read(self):
        import pybcsv
        layout = pybcsv.Layout()
        layout.add_column("a", pybcsv.INT32)
        layout.add_column("s", pybcsv.STRING)
        layout.add_column("b", pybcsv.BOOL)
        layout.add_column("x", pybcsv.DOUBLE)
        rows = [[i // 3, "text %d" % (i // 5), i % 7 == 0, i / 8] for i in range(500)]
        for codec in ("zoh", "flat", "delta"):
            for level in (0, 1, 6, 9):
                for flags in (pybcsv.FileFlags.NONE, pybcsv.FileFlags.BATCH_COMPRESS, pybcsv.FileFlags.STREAM_MODE):
                    with tempfile.TemporaryDirectory() as folder:
                        path = os.path.join(folder, "x.bcsv")
                        w = pybcsv.Writer(layout, codec)
                        w.open(path, True, level, 64, flags)
                        for i, row in enumerate(rows):
                            w.write_row(row)
                            if i % 100 == 42:
                                w.flush()
                        w.close()
                        f = bcsv.read(path)
                        self.assertEqual([[bcsv.value(t, c) for t, c in zip(f.types, r)] for r in f.rows], rows)


if __name__ == "__main__":
    unittest.main()
