"""A batch that several threads decode is the one that a single thread makes, and so is what is wrong with it."""

import random
import unittest

import numpy as np
import pyarrow as pa

import ticklog
from support import SEED, InFolder

ROWS = 150000


def table(r):
    """Some 7 MB, of which each type is a part; texts of very different lengths, as the parts have to be put together."""
    np_random = np.random.default_rng(r.randrange(2**32))
    words = ["", "a", "é" * 7, "x" * r.randrange(1, 200), "日本"]
    columns = {
        "flag": np_random.random(ROWS) < 0.5,
        "u8": np_random.integers(0, 256, ROWS).astype("u1"),
        "i16": np_random.integers(-(2**15), 2**15, ROWS).astype("i2"),
        "steps": np.arange(ROWS).astype("u4"),
        "f64": np_random.normal(0, 1, ROWS),
        "text": [words[k] for k in np_random.integers(0, len(words), ROWS)],
        "f32": np.repeat(np_random.normal(0, 1, ROWS // 50).astype("f4"), 50),
        "u64": np_random.integers(0, 2**63, ROWS).astype("u8"),
        "last": [str(k) for k in np_random.integers(0, 2**40, ROWS)],
        "more": np_random.normal(0, 1, ROWS),
        "wide": np_random.integers(-(2**62), 2**62, ROWS),
    }
    names = list(columns)
    r.shuffle(names)
    return {name: columns[name] for name in names}


def outcome(path, threads, **options):
    """All rows up to an error, and the error."""
    batches, error = [], None
    try:
        reader = pa.RecordBatchReader.from_stream(Stream(ticklog.open(path, threads=threads, **options)))
        while True:
            batches.append(reader.read_next_batch())
    except StopIteration:
        pass
    except (ticklog.Error, OSError, pa.ArrowException) as caught:
        error = str(caught)
    return batches, error


class Stream:
    """A table in batches of as many rows as there may be."""

    def __init__(self, of):
        self.of = of

    def __arrow_c_stream__(self, requested_schema=None):
        return self.of._export(ROWS + 1)


class Parts(InFolder):
    def same(self, one, several, what):
        self.assertEqual(one[1], several[1], what)
        together = [pa.Table.from_batches(batches) if batches else None for batches in (one[0], several[0])]
        self.assertEqual(*[t and t.num_rows for t in together], what)
        if together[0] is not None:
            # By their bytes, as NaNs are not equal.
            self.assertTrue(together[0].combine_chunks().equals(together[1].combine_chunks()), what)

    def test_same_values(self):
        print(f"parts: seed {SEED}")
        r = random.Random(SEED)
        for row_codec in ("flat", "zoh", "delta"):
            for file_codec in ("batch", "packet", "packet-lz4", "stream"):
                columns = table(r)
                packet_bytes = r.choice([4096, 50000, 400000])
                what = f"seed {SEED}, {row_codec}, {file_codec}, packets of {packet_bytes}"
                ticklog.write("t.bcsv", columns, row_codec=row_codec, file_codec=file_codec, packet_bytes=packet_bytes, overwrite=True)
                arrow = ticklog.open("t.bcsv", threads=4).to_arrow()
                for name, values in columns.items():
                    got = arrow[name].to_pylist() if isinstance(values, list) else arrow[name].to_numpy()
                    self.assertTrue(got == values if isinstance(values, list) else (got == values).all(), f"{what}: {name}")
                self.same(outcome("t.bcsv", 1), outcome("t.bcsv", 4), what)
                # From somewhere within a packet to somewhere else, and some of the columns.
                first, last = sorted(r.sample(range(ROWS), 2))
                for threads in (2, 3, 64):
                    part = ticklog.open("t.bcsv", threads=threads)[first:last].to_numpy()
                    for name, values in columns.items():
                        self.assertTrue((part[name] == np.array(values[first:last], object if isinstance(values, list) else None)).all(), f"{what}: {name}, rows {first} to {last}")
                chosen = r.sample(list(columns), 6)
                some = ticklog.open("t.bcsv", threads=4, columns=chosen).to_arrow()
                self.assertTrue(some.equals(arrow.select(chosen)), f"{what}: {chosen}")

    def test_same_damage(self):
        r = random.Random(SEED + 1)
        columns = table(r)
        for file_codec in ("batch", "packet"):
            ticklog.write("good.bcsv", columns, row_codec="delta", file_codec=file_codec, packet_bytes=60000, overwrite=True)
            with open("good.bcsv", "rb") as file:
                good = file.read()
            for number in range(12):
                bad = bytearray(good)
                kind = number % 4
                at = r.randrange(2000, len(bad) - 2000)
                if kind == 0:
                    bad[at] ^= 1 << r.randrange(8)
                elif kind == 1:  # the footer's index, or what it says
                    bad[-r.randrange(1, 200)] ^= 1 << r.randrange(8)
                elif kind == 2:
                    del bad[at : at + r.randrange(1, 100000)]
                else:
                    bad = bad[:at]
                with open("bad.bcsv", "wb") as file:
                    file.write(bad)
                for options in ({}, {"salvage": True}):
                    what = f"seed {SEED}, {file_codec}, damage {number} at {at}, {options}"
                    try:
                        one = outcome("bad.bcsv", 1, **options)
                    except ticklog.Error as error:
                        with self.assertRaises(type(error), msg=what):
                            outcome("bad.bcsv", 4, **options)
                        continue
                    self.same(one, outcome("bad.bcsv", 4, **options), what)

    def test_texts_that_end_within_a_character(self):
        """Together they are UTF-8, each for itself not: the first of these is told, and those before it come."""
        r = random.Random(SEED + 3)
        for turn in range(60):
            whole = "".join(r.choice(["a", "bc", "é", "日", "𝄞", "x" * 20]) for _ in range(r.randrange(1, 400))).encode()
            ends = sorted(r.choices(range(len(whole) + 1), k=r.randrange(1, 60)))
            if turn % 3:  # between characters, but for one perhaps
                ends = [end for i, end in enumerate(ends) if end == len(whole) or whole[end] & 0xC0 != 0x80 or i == turn % 7]
            pieces = [whole[a:b] for a, b in zip([0, *ends], [*ends, len(whole)])]
            texts = [piece.decode("utf-8", "surrogateescape") for piece in pieces]
            bad = next((i for i, text in enumerate(texts) if any("\udc80" <= c <= "\udcff" for c in text)), None)
            ticklog.write("t.bcsv", {"t": texts}, row_codec=r.choice(["flat", "zoh", "delta"]), overwrite=True)
            what = f"seed {SEED}, turn {turn}"
            batches, error = outcome("t.bcsv", 1)
            got = [text for batch in batches for text in batch.column(0).to_pylist()]
            self.assertEqual(got, texts[:bad], what)
            self.assertEqual(error is None, bad is None, f"{what}: {error}")
            if bad is not None:
                self.assertIn(f"row {bad}, column 't': found bytes that are no UTF-8", error, what)
            self.assertEqual(list(ticklog.open("t.bcsv").to_numpy()["t"]), texts, what)
            self.assertEqual(ticklog.open("t.bcsv").to_pandas()["t"].tolist(), texts, what)

    def test_index_that_lies(self):
        """Packets that are not where the index says, though its checksum is right; and bytes of nobody between packets."""
        import struct

        columns = table(random.Random(SEED + 2))
        ticklog.write("t.bcsv", columns, row_codec="flat", file_codec="packet", packet_bytes=60000)
        with open("t.bcsv", "rb") as file:
            good = file.read()
        size = struct.unpack_from("<I", good, len(good) - 20)[0]
        start = len(good) - size
        self.assertEqual(good[start : start + 4], b"BIDX")
        count = (size - 28) // 16
        self.assertGreater(count, 20)
        import pyarrow  # noqa: F401

        def footer(entries, rows):
            body = b"BIDX" + b"".join(struct.pack("<QQ", *entry) for entry in entries) + b"EIDX" + struct.pack("<IQ", size, rows)
            return body + struct.pack("<Q", xxh64(body))

        entries = [struct.unpack_from("<QQ", good, start + 4 + 16 * i) for i in range(count)]
        rows = struct.unpack_from("<Q", good, len(good) - 16)[0]
        self.assertEqual(footer(entries, rows), good[start:], "the footer as the test builds it")
        middle = count // 2
        offset, row = entries[middle]
        cases = {
            "another row": good[:start] + footer([*entries[:middle], (offset, row + 1), *entries[middle + 1 :]], rows),
            "another offset": good[:start] + footer([*entries[:middle], (offset + 1, row), *entries[middle + 1 :]], rows),
            "more rows": good[:start] + footer(entries, rows + 1),
            "less rows": good[:start] + footer(entries, rows - 1),
            "bytes between": good[:offset] + b"\0" * 8 + good[offset:start]
            + footer([*entries[:middle], *[(a + 8, b) for a, b in entries[middle:]]], rows),
            "a packet left out": good[:offset] + good[entries[middle + 1][0] : start]
            + footer([*entries[:middle], *[(a - entries[middle + 1][0] + offset, b) for a, b in entries[middle + 1 :]]], rows),
        }
        for what, data in cases.items():
            with open("bad.bcsv", "wb") as file:
                file.write(data)
            one = outcome("bad.bcsv", 1)
            if what not in ("another row", "another offset"):
                self.assertIsNotNone(one[1], what)
            self.same(one, outcome("bad.bcsv", 4), what)


def xxh64(data):
    """The checksum, as its specification has it, slowly."""
    primes = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
    mask = 2**64 - 1

    def rotated(x, k):
        return (x << k | x >> (64 - k)) & mask

    def round_of(lane, word):
        return rotated((lane + word * primes[1]) & mask, 31) * primes[0] & mask

    at = 0
    if len(data) >= 32:
        lanes = [(primes[0] + primes[1]) & mask, primes[1], 0, -primes[0] & mask]
        while at + 32 <= len(data):
            for i in range(4):
                lanes[i] = round_of(lanes[i], int.from_bytes(data[at + 8 * i : at + 8 * i + 8], "little"))
            at += 32
        total = sum(rotated(lane, k) for lane, k in zip(lanes, (1, 7, 12, 18))) & mask
        for lane in lanes:
            total = ((total ^ round_of(0, lane)) * primes[0] + primes[3]) & mask
    else:
        total = primes[4]
    total = (total + len(data)) & mask
    while at + 8 <= len(data):
        total = (rotated(total ^ round_of(0, int.from_bytes(data[at : at + 8], "little")), 27) * primes[0] + primes[3]) & mask
        at += 8
    if at + 4 <= len(data):
        total = (rotated(total ^ int.from_bytes(data[at : at + 4], "little") * primes[0] & mask, 23) * primes[1] + primes[2]) & mask
        at += 4
    while at < len(data):
        total = rotated(total ^ data[at] * primes[4] & mask, 11) * primes[0] & mask
        at += 1
    total = (total ^ total >> 33) * primes[1] & mask
    total = (total ^ total >> 29) * primes[2] & mask
    return total ^ total >> 32


if __name__ == "__main__":
    unittest.main()
