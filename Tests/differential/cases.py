"""Random tables and codecs, the same for the same seed."""
import random
import struct

import numpy

import table

SPECIAL32 = numpy.array([0, 0x80000000, 1, 0x80000001, 0x007FFFFF, 0x00800000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC12345,
                         0x7F800001, 0xFFBFFFFF, 0x7FFFFFFF, 0x7F7FFFFF, 0x3F800000], "<u4")
SPECIAL64 = numpy.array([0, 1 << 63, 1, (1 << 63) + 1, (1 << 52) - 1, 1 << 52, 0x7FF0 << 48, 0xFFF0 << 48, 0x7FF8 << 48,
                         (0xFFF8 << 48) + 0x12345, (0x7FF0 << 48) + 1, (1 << 64) - 1, 0x7FEFFFFFFFFFFFFF, 0x3FF0 << 48], "<u8")
CODECS = ("packet", "packet-lz4", "batch", "stream", "stream-lz4")


class Case:
    """One table, and how each side writes it."""

    def __init__(self, seed):
        self.seed = seed
        rng = self.rng = random.Random(seed)
        self.bits = numpy.random.Generator(numpy.random.PCG64(seed))
        wide = rng.random()
        n = 1 if wide < 0.05 else rng.randint(2, 12) if wide < 0.55 else rng.randint(13, 60) if wide < 0.85 else rng.randint(61, 200)
        most = 12 if rng.random() < 0.05 else max(3, min(400, 12000 // n))
        self.rows = rng.choice((0, 1, 2)) if rng.random() < 0.06 else rng.randint(3, most)
        types = [rng.randint(0, 11) for _ in range(n)]
        if rng.random() < 0.3:  # few types, so that columns of one lie side by side
            few = [rng.randint(0, 11) for _ in range(2)]
            types = sorted(rng.choice(few) for _ in range(n))
        self.types = types
        self.names = self.make_names()
        self.row_codec = rng.choice(("flat", "zoh", "delta"))
        self.file_codec = rng.choice(CODECS)
        self.level = rng.randint(1, 9)
        old = self.row_codec != "delta" and self.file_codec != "batch" and rng.random() < 0.2
        self.version = 13 if old else 15  # that TickLog writes; pybcsv reads no 1.3
        self.long_strings = 1 if rng.random() < 0.1 else 0
        self.columns = [self.column(t) for t in types]
        if n > 1 and self.rows > 3 and rng.random() < 0.4:  # whole rows that repeat
            source = numpy.arange(self.rows)
            for i in range(1, self.rows):
                if rng.random() < 0.6:
                    source[i] = source[i - 1]
            self.columns = [[c[i] for i in source] if t == 11 else c[source] for t, c in zip(types, self.columns)]

    def make_names(self):
        rng, names, types = self.rng, [], self.types
        i = 0
        while i < len(types):
            run = 1
            while i + run < len(types) and types[i + run] == types[i] and types[i] != 11 and rng.random() < 0.8:
                run += 1
            if run > 1:
                names += [b"array%d[%d]" % (i, k) for k in range(run)]
            else:
                names.append(rng.choice(("c%d", "Temperatur %d °C", "%d" + "n" * 300, "a\t%d,\"")).replace("%d", str(i)).encode())
            i += run
        return names

    def column(self, kind):
        rng, n = self.rng, self.rows
        if kind == 11:
            return self.strings()
        code = table.TYPES[kind]
        if kind == 0:
            return numpy.array([rng.random() < 0.5 for _ in range(n)] if rng.random() < 0.7 else [True] * n, dtype=bool)
        size = numpy.dtype(code).itemsize
        words = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<u8"}[size]
        raw = numpy.frombuffer(self.bits.bytes(n * size), words).copy()
        shape = rng.random()
        if shape < 0.15:  # noise in every bit
            result = raw
        elif shape < 0.3:  # mostly the same
            result = raw.copy()
            for i in range(1, n):
                if rng.random() < 0.9:
                    result[i] = result[i - 1]
        elif shape < 0.4:
            result = numpy.full(n, raw[0] if n and rng.random() < 0.7 else 0, words)
        elif shape < 0.6 and kind in (9, 10):
            result = self.bits.choice(SPECIAL32 if kind == 9 else SPECIAL64, n)
        elif shape < 0.8:  # straight lines, broken
            step, start = rng.choice((1, 0.1, -0.25, 1e-42, 3e37)), rng.uniform(-100, 100)
            with numpy.errstate(all="ignore"):
                if kind in (9, 10):
                    line = numpy.empty(n, code)
                    total = numpy.array(start, code)
                    for i in range(n):
                        line[i] = total
                        total = numpy.array(total + numpy.array(step, code), code)
                        if rng.random() < 0.05:
                            step = rng.uniform(-1, 1)
                    result = line.view(words)
                else:
                    step = rng.choice((1, 2, 255, 1 << 8 * size - 1, rng.getrandbits(8 * size)))
                    result = numpy.array([(i * step + 7) % (1 << 8 * size) for i in range(n)], words)
        else:  # a random walk
            walk = numpy.cumsum(self.bits.integers(-3, 4, n)) + rng.randint(0, 100)
            result = (walk / 8).astype(code).view(words) if kind in (9, 10) else walk.astype("i8").astype(words)
        return result.astype(words).view(code)

    def strings(self):
        rng = self.rng
        pool = ["", "a", "a\0b", "\0", "äöü€😀", "x" * rng.randint(1, 300), "tab\t,\"quoted\"\r\n"]
        if self.long_strings:
            self.long_strings = 0
            pool += ["y" * 65535, "z€" * 10000 + "\0"]
        pool += ["%x" % rng.getrandbits(rng.randint(1, 200)) for _ in range(rng.randint(0, 20))]
        pool = [p.encode() for p in pool]
        keep = rng.choice((0, 0.5, 0.95))
        out = []
        for _ in range(self.rows):
            out.append(out[-1] if out and rng.random() < keep else rng.choice(pool))
        return out

    def packed(self):
        return table.pack(self.names, self.types, self.columns)

    def ours(self):
        """What Tests/differential/write.c reads."""
        rng = random.Random(self.seed ^ 0x5EED)
        row = {"zoh": 1, "flat": 2, "delta": 3}[self.row_codec]
        file = CODECS.index(self.file_codec) + 1
        packet = rng.choice((512, 513, 4096, 65536, 1 << 20))
        return b"CASE" + struct.pack("<BBBBIIIIIQQ", row, file, self.level, self.version, packet, rng.choice((0, 2, 3, 16)),
                                     rng.choice((0, 0, 1 << 16)), rng.choice((0, 4096, 4097, 65536)),
                                     rng.choice((0, 0, 7, 50)), rng.choice((0, 1700000000)), rng.getrandbits(64)) + self.packed()
