#!/usr/bin/env python3
"""Prints the worked examples of SPEC.md and FRAMES.md from files that the library has just written.

    docs/examples.py            writes them between the markers <!-- example NAME --> and <!-- end --> of the two
    docs/examples.py --check    changes nothing; fails if one of them is not what it would write

examples.c is the program that writes the files, built for linux-x86_64 by Cross/cc.sh. Every byte of a printed file is
accounted for, and every hash, offset and count is computed here a second time: a file that does not follow the
specification makes this script fail. Needs nothing but Python's standard library.
"""
import os
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
DOCUMENTS = ("SPEC.md", "FRAMES.md")
TYPES = ("bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "string")
FORMATS = ("?", "B", "H", "I", "Q", "b", "h", "i", "q", "f", "d", "")
FLAGS = {0x01: "zero-order hold", 0x02: "no index", 0x04: "stream", 0x08: "batch", 0x10: "delta"}
MASK32, MASK64 = (1 << 32) - 1, (1 << 64) - 1


# Hashes, seed 0

def xxh(data, bits):
    """XXH32 or XXH64."""
    if bits == 32:
        p1, p2, p3, p4, p5 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1
        mask, word, turns, turn = MASK32, 4, (1, 7, 12, 18), 13
    else:
        p1, p2, p3, p4, p5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
                              0x27D4EB2F165667C5)
        mask, word, turns, turn = MASK64, 8, (1, 7, 12, 18), 31

    def rotate(v, n):
        return (v << n | v >> (bits - n)) & mask

    def step(acc, v):
        return rotate((acc + v * p2) & mask, turn) * p1 & mask

    at = 0
    if len(data) >= 4 * word:
        lanes = [(p1 + p2) & mask, p2, 0, -p1 & mask]
        while len(data) - at >= 4 * word:
            for i in range(4):
                lanes[i] = step(lanes[i], int.from_bytes(data[at:at + word], "little"))
                at += word
        h = sum(rotate(lane, n) for lane, n in zip(lanes, turns)) & mask
        if bits == 64:
            for lane in lanes:
                h = ((h ^ step(0, lane)) * p1 + p4) & mask
    else:
        h = p5
    h = (h + len(data)) & mask
    while bits == 64 and len(data) - at >= 8:
        h = (rotate(h ^ step(0, int.from_bytes(data[at:at + 8], "little")), 27) * p1 + p4) & mask
        at += 8
    while len(data) - at >= 4:
        v = int.from_bytes(data[at:at + 4], "little")
        if bits == 64:
            h = (rotate(h ^ v * p1 & mask, 23) * p2 + p3) & mask
        else:
            h = rotate((h + v * p3) & mask, 17) * p4 & mask
        at += 4
    for byte in data[at:]:
        if bits == 64:
            h = rotate(h ^ byte * p5 & mask, 11) * p1 & mask
        else:
            h = rotate((h + byte * p5) & mask, 11) * p1 & mask
    for shift, prime in ((15, p2), (13, p3)) if bits == 32 else ((33, p2), (29, p3)):
        h = (h ^ h >> shift) * prime & mask
    return h ^ h >> (16 if bits == 32 else 32)


def expect(condition, what):
    if not condition:
        sys.exit("examples.py: " + what)


class Indented:
    """Lines of something compressed, among those of a file."""

    def __init__(self, lines):
        self.lines = lines

    def append(self, line):
        self.lines.append("      |" + line)


class Dump:
    """Walks a file and prints each piece: its offset, its bytes, what they are."""

    WIDTH = 13

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.at = 0
        self.lines = []

    def show(self, count, meaning):
        """The next bytes as one piece, of which a long one takes several lines."""
        piece = self.data[self.at:self.at + count]
        expect(len(piece) == count, "a file ends early")
        for i in range(0, max(count, 1), self.WIDTH):
            part = " ".join("%02x" % byte for byte in piece[i:i + self.WIDTH])
            self.lines.append(("%4d  %-*s  %s" % (self.at + i, 3 * self.WIDTH - 1, part, "" if i else meaning)).rstrip())
        self.at += count
        return piece

    def title(self, text):
        self.lines.append("")
        self.lines.append("      " + text)

    def number(self, code, meaning):
        size = struct.calcsize("<" + code)
        value = struct.unpack_from("<" + code, self.data, self.at)[0]
        self.show(size, meaning % {"value": value, "hex": "%#x" % value} if "%" in meaning else meaning)
        return value

    def text(self, meaning):
        end = self.data.index(b"\0", self.at)
        piece = self.data[self.at:end].decode()
        self.show(end + 1 - self.at, meaning % piece)
        return piece

    def end(self):
        expect(self.at == len(self.data), "bytes are left over at the end of a file")
        return "\n".join(self.lines).strip("\n")


# BCSV

class BCSV(Dump):
    def header(self):
        self.show(4, '"BCSV"')
        if struct.unpack_from("<I", self.data, 8)[0] == 0:
            self.number("Q", "creation time %(value)d")
        major, minor, patch = self.data[self.at:self.at + 3]
        self.show(3, "version %d.%d.%d" % (major, minor, patch))
        self.level = self.number("B", "LZ4 level %(value)d" if self.data[self.at] else "level 0: not compressed")
        set_flags = [text for bit, text in FLAGS.items() if self.data[self.at] & bit]
        flags = self.number("H", "flags: " + (", ".join(set_flags) or "none, rows are flat"))
        expect(flags & ~sum(FLAGS) == 0, "unknown flags")
        self.zoh, self.delta = flags & 0x11 == 1, flags & 0x10 != 0
        self.stream, self.batch = flags & 4 != 0, flags & 8 != 0 and self.level > 0
        columns = self.number("H", "number of columns: %(value)d")
        self.number("I", "packet size limit %(value)d")
        types = self.data[self.at:self.at + columns]
        self.types = list(types)
        self.show(columns, "types: " + " ".join(TYPES[t] for t in types))
        lengths = struct.unpack_from("<%dH" % columns, self.data, self.at)
        self.show(2 * columns, "lengths of the names")
        self.names = []
        for length in lengths:
            self.names.append(self.data[self.at:self.at + length].decode())
            self.show(length, '"%s"' % self.names[-1])
        self.offsets = []
        self.decoded = []

    def ble(self):
        width = (self.data[self.at] & 7) + 1
        return int.from_bytes(self.data[self.at:self.at + width], "little") >> 3, width

    def packets(self):
        """Every packet, then the footer; or every row of a stream. Returns how many rows there are."""
        self.rows = 0
        if self.stream:
            self.begin_rows()
            while self.at < len(self.data):
                self.row()
            return self.rows
        while self.data[self.at:self.at + 4] == b"PKCT":
            self.packet()
        return self.footer()

    def packet(self):
        start = self.at
        self.offsets.append((start, self.rows))
        expect(struct.unpack_from("<I", self.data, start + 12)[0] == xxh(self.data[start:start + 12], 32), "bad packet header")
        self.title("Packet: header")
        self.show(4, '"PKCT"')
        expect(self.number("Q", "first row %(value)d") == self.rows, "wrong first row")
        self.show(4, "XXH32 of the 12 bytes before")
        self.begin_rows()
        body, what = self.at, "all since the packet header"
        if self.batch:
            self.title("Batch")
            size = self.number("I", "%(value)d bytes of rows, not compressed")
            stored = self.number("I", "%(value)d bytes, compressed")
            block = self.data[self.at:self.at + stored]
            self.show(stored, "LZ4: %s" % lz4_text(block))
            inner = self.inside(lz4(block, b""))
            expect(len(inner.data) == size, "a batch has another size than it says")
            inner.rows_to_end()
            expect(inner.at == size, "bytes are left over in a batch")
            self.rows = inner.rows
            payload, what = inner.data, "what is in the LZ4 block"
            self.title("Packet: end")
        else:
            self.rows_to_end()
            payload = self.data[body:self.at]
        digest = xxh(payload, 64)
        expect(struct.unpack_from("<Q", self.data, self.at)[0] == digest, "bad packet hash")
        self.show(8, "XXH64 of " + what)

    def begin_rows(self):
        """A packet or a stream begins: nothing is held, and there is nothing that LZ4 could refer to."""
        self.history = bytearray()
        self.held = None
        self.gradients, self.seen = {}, 0

    def rows_to_end(self):
        while self.ble()[0] != 0x3FFFFFFF:
            self.row()
        self.title("Packet: end" if not self.batch else "End of the rows")
        self.show(5, "length 0x3fffffff: no more rows")

    def row(self):
        length, width = self.ble()
        self.title("Row %d" % self.rows)
        self.show(width, "length %d" % length if length else "length 0: all as in the row before")
        row = self.data[self.at:self.at + length]
        if length and self.level and not self.batch:
            self.show(length, "LZ4: %s" % lz4_text(row))
            inner = self.inside(lz4(row, self.history))
            self.history += inner.data
            inner.plain_row()
            expect(inner.at == len(inner.data), "bytes are left over in a row")
            self.held = inner.held
        elif length:
            end = self.at + length
            self.plain_row()
            expect(self.at == end, "a row has another length than it says")
        else:
            expect(self.zoh and self.held, "a row repeats nothing")
        if self.held:
            self.decoded.append(tuple(self.held[i] for i in range(len(self.types))))
        if self.stream and length:
            expect(struct.unpack_from("<I", self.data, self.at)[0] == xxh(row, 32), "bad row hash")
            self.show(4, "XXH32 of the row")
        self.rows += 1
        self.seen += 1

    def plain_row(self):
        self.delta_row() if self.delta else self.zoh_row() if self.zoh else self.flat()

    def inside(self, plain):
        """What was compressed, to be printed behind a line; the lines come with what is printed next."""
        inner = Dump.__new__(BCSV)
        inner.__dict__.update(self.__dict__, data=bytes(plain), at=0, lines=Indented(self.lines))
        return inner

    def order(self):
        """Column numbers in the order of ZoH rows."""
        return [i for t in range(12) for i in range(len(self.types)) if self.types[i] == t]

    def value(self, column):
        """Shows a value in a ZoH row."""
        kind = self.types[column]
        if kind == 11:
            length = struct.unpack_from("<H", self.data, self.at)[0]
            text = self.data[self.at + 2:self.at + 2 + length]
            self.show(2 + length, '%s "%s", behind its length' % (self.names[column], text.decode()))
            return text
        value = struct.unpack_from("<" + FORMATS[kind], self.data, self.at)[0]
        self.show(struct.calcsize(FORMATS[kind]), "%s %s" % (self.names[column], value))
        return value

    def zoh_row(self):
        first = self.held is None
        count = len(self.types)
        bits = int.from_bytes(self.data[self.at:self.at + (count + 7) // 8], "little")
        expect(bits >> count == 0, "padding bits are set")
        order = self.order()
        bools = ["%s %s" % (self.names[c], bool(bits >> k & 1)) for k, c in enumerate(order) if self.types[c] == 0]
        changed = [c for k, c in enumerate(order) if self.types[c] and bits >> k & 1]
        expect(not first or len(changed) == count - len(bools), "the first row of a packet is not whole")
        what = "all present" if first else "changed: " + (", ".join(self.names[c] for c in changed) or "none")
        self.show((count + 7) // 8, "bits: %s%s" % ("".join(b + "; " for b in bools), what))
        self.held = dict(self.held or {})
        self.held.update((c, bool(bits >> k & 1)) for k, c in enumerate(order) if self.types[c] == 0)
        for c in changed:
            self.held[c] = self.value(c)

    def delta_row(self):
        """A delta row, and whether the writer chose the codes that it must."""
        first = self.held is None
        order = self.order()
        widths = [(1, 2, 2, 3, 4, 2, 2, 3, 4, 3, 4, 1)[self.types[c]] for c in order]
        size = (sum(widths) + 7) // 8
        header = int.from_bytes(self.data[self.at:self.at + size], "little")
        codes = {}
        for c, width in zip(order, widths):
            codes[c] = header & (1 << width) - 1
            header >>= width
        expect(header == 0, "padding bits are set")
        held = dict(self.held or {c: 0 for c in order})
        what = [", ".join("%s %s" % (self.names[c], bool(codes[c])) for c in order if self.types[c] == 0)]
        scalars = [c for c in order if 0 < self.types[c] < 11]
        what.append("codes " + ", ".join("%s %d" % (self.names[c], codes[c]) for c in scalars))
        predicted = {c: predict(self.types[c], held[c], self.gradients.get(c, 0)) for c in scalars}
        hits = [c for c in scalars if codes[c] == 1]
        if hits:
            what.append("as predicted: " + ", ".join("%s %s" % (self.names[c], predicted[c]) for c in hits))
        changed = [c for c in order if self.types[c] == 11 and codes[c]]
        expect(not first or len(changed) == self.types.count(11), "the first row of a packet is not whole")
        if 11 in self.types:
            what.append("changed: " + (", ".join(self.names[c] for c in changed) or "none"))
        self.show(size, "; ".join(filter(None, what)))
        for c in order:
            kind, code, old = self.types[c], codes[c], held[c]
            if kind == 0:
                held[c] = bool(code)
            elif kind == 11:
                held[c] = self.value(c) if code else held[c]
            elif code == 0:
                self.gradients[c] = 0
            elif code == 1:
                expect(self.seen >= 2, "a prediction in one of the first two rows")
                held[c] = predicted[c]
            else:
                code -= 1
                expect(code <= struct.calcsize(FORMATS[kind]), "a code that the type does not have")
                stored = int.from_bytes(self.data[self.at:self.at + code], "little")
                expect(stored >> 8 * (code - 1), "a change has more bytes than it needs")
                held[c] = apply(kind, old, stored)
                expect(self.seen < 2 or held[c] != predicted[c], "a change that was predicted")
                self.gradients[c] = subtract(kind, held[c], old)
                if kind > 8:
                    self.show(code, "%s %s: XOR %#x" % (self.names[c], held[c], stored))
                else:
                    self.show(code, "%s %s: %+d" % (self.names[c], held[c], stored >> 1 ^ -(stored & 1)))
        self.held = held

    def flat(self):
        bools = [i for i, t in enumerate(self.types) if t == 0]
        if bools:
            bits = int.from_bytes(self.data[self.at:self.at + (len(bools) + 7) // 8], "little")
            self.show((len(bools) + 7) // 8, "bits: " + ", ".join(
                "%s %s" % (self.names[c], bool(bits >> k & 1)) for k, c in enumerate(bools)))
        for i, t in enumerate(self.types):
            if 0 < t < 11:
                self.value(i)
        strings = [i for i, t in enumerate(self.types) if t == 11]
        lengths = struct.unpack_from("<%dH" % len(strings), self.data, self.at)
        if strings:
            self.show(2 * len(strings), "lengths of the strings")
        for i, length in zip(strings, lengths):
            text = self.data[self.at:self.at + length].decode()
            if length:
                self.show(length, '%s "%s"' % (self.names[i], text))

    def footer(self):
        start = self.at
        self.title("Footer")
        self.show(4, '"BIDX"')
        entries = []
        while self.data[self.at:self.at + 4] != b"EIDX":
            entry = struct.unpack_from("<QQ", self.data, self.at)
            expect(entry in self.offsets, "an index entry does not point to a packet")
            self.show(16, "packet at %d, first row %d" % entry)
            entries.append(entry)
        self.show(4, '"EIDX"')
        expect(self.number("I", "size of the footer, %(value)d") == 28 + 16 * len(entries), "wrong footer size")
        expect(self.number("Q", "number of rows: %(value)d") == self.rows, "wrong row count")
        digest = xxh(self.data[start:self.at], 64)
        expect(struct.unpack_from("<Q", self.data, self.at)[0] == digest, "bad footer hash")
        self.show(8, "XXH64 of the footer before this")
        self.entries = entries
        return self.rows


def wrap(kind, value):
    """An integer as one of the type."""
    size = struct.calcsize(FORMATS[kind])
    return struct.unpack("<" + FORMATS[kind], (value & (1 << 8 * size) - 1).to_bytes(size, "little"))[0]


def rounded(kind, value):
    """A sum of two floats in their own precision. Of two f32 the f64 sum rounds to the same."""
    return struct.unpack("<" + FORMATS[kind], struct.pack("<" + FORMATS[kind], value))[0]


def predict(kind, value, gradient):
    return rounded(kind, value + gradient) if kind > 8 else wrap(kind, value + gradient)


def subtract(kind, new, old):
    return rounded(kind, new - old) if kind > 8 else wrap(kind, new - old)


def apply(kind, old, stored):
    """The value that a delta makes of the one before."""
    if kind <= 8:
        return wrap(kind, old + (stored >> 1 ^ -(stored & 1)))
    code = "<" + FORMATS[kind]
    bits = int.from_bytes(struct.pack(code, old), "little") ^ stored
    return struct.unpack(code, bits.to_bytes(struct.calcsize(code), "little"))[0]


def sequences(block):
    """An LZ4 block's (literals, offset, length); the last has offset 0."""
    at = 0
    while at < len(block):
        token = block[at]
        at += 1
        count, length = token >> 4, token & 15
        if count == 15:
            while True:
                at += 1
                count += block[at - 1]
                if block[at - 1] != 255:
                    break
        literals = block[at:at + count]
        at += count
        if at == len(block):
            yield literals, 0, 0
            return
        offset = struct.unpack_from("<H", block, at)[0]
        at += 2
        if length == 15:
            while True:
                at += 1
                length += block[at - 1]
                if block[at - 1] != 255:
                    break
        yield literals, offset, length + 4


def lz4(block, history):
    out = bytearray(history)
    for literals, offset, length in sequences(block):
        out += literals
        for _ in range(length):
            out.append(out[-offset])
    return bytes(out[len(history):])


def lz4_text(block):
    parts = []
    for literals, offset, length in sequences(block):
        if literals:
            parts.append("%d literals" % len(literals))
        if offset:
            parts.append("%d bytes from %d back" % (length, offset))
    return ", ".join(parts)


# DLF

class DLF(Dump):
    SIZES = {"bool": 1, "uint8_t": 1, "uint16_t": 2, "uint32_t": 4, "uint64_t": 8, "float": 4}
    CODES = {"bool": "?", "uint8_t": "B", "uint16_t": "H", "uint32_t": "I", "uint64_t": "Q", "float": "f"}

    def meta(self):
        self.show(2, "magic 0x8414")
        self.number("I", "epoch %(value)d s")
        self.number("I", "tick %(value)d us")
        self.text('type "%s"')
        size = self.number("I", "size %(value)d")
        self.show(size, "the metadata's bytes")
        return self.end()

    def header(self):
        self.show(2, "magic 0x8414")
        self.polled = self.number("B", "event" if self.data[self.at] else "polled") == 0
        self.span = self.number("Q", "tick_span %(value)d: the last tick")
        self.streams = []
        for i in range(self.number("H", "number of streams: %(value)d")):
            self.title("Stream %d" % i)
            kind, name = self.text('type "%s"'), self.text('name "%s"')
            self.text('notes "%s"')
            size = self.number("I", "size %(value)d")
            interval = phase = 0
            if self.polled:
                interval = self.number("Q", "interval %(value)d")
                phase = self.number("Q", "phase %(value)d")
            self.streams.append((name, size, interval, phase, kind))
        self.start = self.at

    def describe(self, kind, data):
        if ";" not in kind:
            return str(struct.unpack("<" + self.CODES[kind], data)[0])
        values = []
        for member in kind.split(";")[1:]:
            name, code, offset = member.split(":")
            values.append("%s %s" % (name, struct.unpack_from("<" + self.CODES[code], data, int(offset))[0]))
        return ", ".join(values)

    def sample(self, stream):
        name, size, _, _, kind = self.streams[stream]
        data = self.data[self.at:self.at + size]
        self.show(size, "%s: %s" % (name, self.describe(kind, data)))

    def polled_data(self):
        self.places = {}
        for tick in range(self.span + 1):
            self.title("Tick %d" % tick)
            for i, (_, _, interval, phase, _) in enumerate(self.streams):
                if (tick + phase) % interval == 0:
                    self.places[i, tick] = self.at
                    self.sample(i)
        return self.end()

    def event_data(self):
        while self.at < len(self.data):
            stream = struct.unpack_from("<H", self.data, self.at)[0]
            self.title("Record")
            self.show(2, "stream %d" % stream)
            self.number("Q", "tick %(value)d")
            self.sample(stream)
        return self.end()

    def before(self, stream, tick):
        _, _, interval, phase, _ = self.streams[stream]
        first = -phase % interval
        return 0 if tick <= first else 1 + (tick - 1 - first) // interval

    def position(self, stream, tick):
        """The position of a sample by the specification's arithmetic, in words, checked against the walk."""
        counts = [self.before(i, tick) for i in range(len(self.streams))]
        sizes = [s[1] for s in self.streams]
        earlier = [i for i in range(stream) if (tick + self.streams[i][3]) % self.streams[i][2] == 0]
        at = self.start + sum(n * s for n, s in zip(counts, sizes)) + sum(sizes[i] for i in earlier)
        expect(self.places[stream, tick] == at, "the position arithmetic fails")
        lines = ["%-10s first due tick %d, due before tick %d: %d times, %d bytes" % (
            s[0], -s[3] % s[2], tick, n, n * s[1]) for s, n in zip(self.streams, counts)]
        lines.append("earlier in tick %d: %s" % (tick, ", ".join("%s, %d bytes" % self.streams[i][:2] for i in earlier) or "none"))
        lines.append("%s at tick %d lies at %s = %d" % (
            self.streams[stream][0], tick,
            " + ".join(str(n) for n in [self.start] + [n * s for n, s in zip(counts, sizes)] + [sizes[i] for i in earlier]), at))
        return "\n".join(lines)

    def extent(self, length):
        """What the first `length` bytes of the file hold, by the arithmetic alone, checked against the walk."""
        data = length - self.start
        sizes = [s[1] for s in self.streams]

        def place(tick):
            return sum(self.before(i, tick) * size for i, size in enumerate(sizes))

        tick = 0
        while place(tick + 1) <= data:
            tick += 1
        lines = ["the file ends at %d, its data are %d bytes" % (length, data),
                 "place(%d) = %d, place(%d) = %d: ticks 0 to %d are whole" % (tick, place(tick), tick + 1, place(tick + 1), tick - 1)]
        at, last = place(tick), tick - 1
        for i, size in enumerate(sizes):
            if (tick + self.streams[i][3]) % self.streams[i][2]:
                continue
            if at + size > data:
                lines.append("%s at tick %d would end at %d: %d bytes of it are there, the torn tail" % (
                    self.streams[i][0], tick, self.start + at + size, data - at))
                break
            lines.append("%s at tick %d ends at %d: whole" % (self.streams[i][0], tick, self.start + at + size))
            at, last = at + size, tick
        ends = [self.start + place(t) for t in range(self.span + 1)]
        expect(self.start + place(tick) == max(e for e in ends if e <= length), "the extent arithmetic fails")
        lines.append("tick_span after a repair: %d" % last)
        return "\n".join(lines)


# The examples

def whole(path):
    dump = BCSV(path)
    dump.header()
    dump.packets()
    return dump.end()


def rows_of(path, first=0, last=1 << 30):
    """Packets and footer only, and of the rows those from `first` to `last`."""
    dump = BCSV(path)
    dump.header()
    dump.lines = []
    dump.packets()
    lines, row = [], None
    for line in dump.end().split("\n"):
        if line.startswith("      Row "):
            row = int(line.split()[1])
            if row == last + 1 or row == 0 and first > 0:
                lines += ["      ...", ""]
        elif line.startswith("      "):
            row = None if not line.startswith("      |") else row
        if row is None or first <= row <= last:
            lines.append(line)
    return "\n".join(lines)


def table(path, expected):
    """A whole table, whose rows must be those that examples.c wrote."""
    dump = BCSV(path)
    dump.header()
    dump.packets()
    expect(dump.decoded == expected, "%s has other rows than were written" % os.path.basename(path))
    return dump.end()


def header_of(path):
    dump = BCSV(path)
    dump.header()
    return "\n".join(dump.lines)


def footer_of(path):
    dump = BCSV(path)
    dump.header()
    dump.rows = 0
    while dump.data[dump.at:dump.at + 4] == b"PKCT":
        dump.packet()
    dump.lines = []
    dump.footer()
    packets = ["%4d  ... packet, first row %d" % place for place in dump.offsets]
    expect(len(dump.entries) < len(packets), "the index is not thinned")
    return "\n".join(packets + dump.lines)


# Frames

def crc32c(data):
    c = MASK32
    for byte in data:
        c ^= byte
        for _ in range(8):
            c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
    return c ^ MASK32


class Frames(Dump):
    FLAGS = {1: "first chunk", 2: "last chunk", 1 << 13: "first frame since the producer started", 1 << 15: "PTP"}

    def big(self, size, meaning):
        value = int.from_bytes(self.data[self.at:self.at + size], "big")
        self.show(size, meaning % value if "%" in meaning else meaning)
        return value

    def frames(self):
        while self.at < len(self.data):
            self.frame()
        return self.end()

    def frame(self):
        head = self.data[self.at:self.at + 40]
        number = int.from_bytes(head[12:20], "big")
        self.title("Frame %d: header" % number)
        self.show(8, "magic")
        self.big(1, "version %d")
        self.big(1, "stream %d")
        flags = int.from_bytes(head[10:12], "big")
        expect(flags & ~sum(self.FLAGS) == 0, "unknown flags of a frame")
        self.big(2, "flags: " + ", ".join(text for bit, text in self.FLAGS.items() if flags & bit))
        self.big(8, "sequence number %d")
        self.big(8, "time %d ns")
        size = self.big(4, "payload of %d bytes")
        expect(self.big(4, "CRC-32C of the header") == crc32c(head[:32] + bytes(4) + head[36:]), "bad header checksum")
        payload = self.data[self.at + 4:self.at + 4 + size]
        expect(self.big(4, "CRC-32C of the payload") == crc32c(payload), "bad payload checksum")
        self.title("Frame %d: payload" % number)
        if flags & 3:
            self.big(8, "periodic %d")
            index = self.big(4, "chunk %d")
            count = self.big(4, "of %d")
            expect((index == 0, index == count - 1) == (flags & 1 != 0, flags & 2 != 0), "flags contradict the chunk")
            size = self.big(4, "%d bytes of data")
            expect(self.big(4, "reserved") == 0 and size == len(payload) - 24, "a chunk contradicts its frame")
        self.show(size, '"%s"' % self.data[self.at:self.at + size].decode())


def files(directory):
    names = sorted(os.listdir(directory))
    return "\n".join("%-14s %5d bytes" % (name, os.path.getsize(os.path.join(directory, name))) for name in names)


def examples(runs):
    def at(*path):
        return os.path.join(runs, *path)

    polled = DLF(at("dlf", "polled.dlf"))
    polled.header()
    polled_text = polled.polled_data()
    event, loss = DLF(at("dlf", "event.dlf")), DLF(at("dlf", "loss.dlf"))
    event.header()
    loss.header()
    with open(os.path.join(HERE, "examples.c")) as source:
        code = source.read()
    code = code[code.index("/* Six ticks"):]
    ticks = code[:code.index("\n}\n") + 2]
    rows = [(1, True, 1.5, b"ab"), (2, True, 1.5, b"ab"), (2, True, 1.5, b"ab"), (3, False, 2.0, b"")]
    ramp = [(100, 0.5), (90, 1.0), (80, 1.5), (80, 2.0), (70, 2.0)]
    ramp_text = table(at("ramp.bcsv"), ramp)
    meta = BCSV(at("zoh", "meta.bcsv"))
    for name in ("polled", "event"):
        dump = BCSV(at("zoh", name + ".bcsv"))
        dump.header()
        digest = struct.pack("<Q", xxh(dump.data[:dump.at], 64))
        expect(digest in meta.data, "meta.bcsv does not hold the hash of a header")
    return {
        "ticks": ("c", ticks),
        "files-bcsv": ("", files(at("zoh"))),
        "polled-zoh": ("", whole(at("zoh", "polled.bcsv"))),
        "header-13": ("", header_of(at("lz4", "polled.bcsv"))),
        "polled-lz4": ("", rows_of(at("lz4", "polled.bcsv"), last=1)),
        "footer-thin": ("", footer_of(at("thin", "polled.bcsv"))),
        "delta": ("", table(at("delta.bcsv"), rows)),
        "delta-codes": ("", ramp_text[ramp_text.index("      Row 0"):ramp_text.index("      Packet: end")].rstrip()),
        "batch": ("", table(at("batch.bcsv"), rows)),
        "stream": ("", table(at("stream.bcsv"), rows)),
        "meta": ("", whole(at("zoh", "meta.bcsv"))),
        "streams": ("", rows_of(at("zoh", "streams.bcsv"), first=2, last=4)),
        "event": ("", whole(at("zoh", "event.bcsv"))),
        "files-dlf": ("", files(at("dlf"))),
        "meta-dlf": ("", DLF(at("dlf", "meta.dlf")).meta()),
        "polled-dlf": ("", polled_text),
        "position": ("", polled.position(1, 5)),
        "extent": ("", polled.extent(153)),
        "event-dlf": ("", event.event_data()),
        "loss-dlf": ("", loss.event_data()),
        "frames": ("", Frames(at("frames.dat")).frames()),
    }


def build(work):
    library = os.path.join(os.environ.get("BUILD_DIR", os.path.join(ROOT, "build")), "linux-x86_64", "libticklog-host.a")
    newest = max(os.path.getmtime(os.path.join(folder, name)) for top in ("include", "Sources")
                 for folder, _, names in os.walk(os.path.join(ROOT, top)) for name in names)
    if not os.path.exists(library) or os.path.getmtime(library) < newest:
        subprocess.run([os.path.join(ROOT, "Cross", "build.sh"), "linux-x86_64"], check=True, stdout=sys.stderr)
    program = os.path.join(work, "examples")
    subprocess.run([os.path.join(ROOT, "Cross", "cc.sh"), "linux-x86_64", program, os.path.join(HERE, "examples.c")], check=True)
    runs = os.path.join(work, "runs")
    os.mkdir(runs)
    subprocess.run([program, runs], check=True)
    return runs


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    expect(crc32c(b"123456789") == 0xE3069283, "the CRC here is wrong")
    expect(xxh(b"", 64) == 0xEF46DB3751D8E999 and xxh(b"", 32) == 0x02CC5D05, "the hashes here are wrong")
    with tempfile.TemporaryDirectory() as work:
        texts = examples(build(work))
    used = set()

    def insert(match):
        name = match.group(1)
        expect(name in texts, "there is no example " + name)
        used.add(name)
        language, text = texts[name]
        return "<!-- example %s -->\n```%s\n%s\n```\n<!-- end -->" % (name, language, text)

    for document in DOCUMENTS:
        path = os.path.join(HERE, document)
        with open(path) as file:
            old = file.read()
        new = re.sub(r"<!-- example (\S+) -->.*?<!-- end -->", insert, old, flags=re.S)
        if sys.argv[1:] == ["--check"]:
            expect(new == old, document + " is stale; docs/examples.py brings it up to date")
        elif new != old:
            with open(path, "w") as file:
                file.write(new)
    expect(used == set(texts), "no document shows: " + ", ".join(sorted(set(texts) - used)))


if __name__ == "__main__":
    main()
