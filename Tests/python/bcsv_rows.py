"""Rows of BCSV files, written from the format's description: cells, and the three row codecs both ways.

A cell is the raw little-endian bytes of its value (bool: one byte; string: its bytes), so that comparisons are exact.
"""
import struct

TYPES = ("bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "string")
SIZES = (1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 0)
FORMATS = ("<?", "<B", "<H", "<I", "<Q", "<b", "<h", "<i", "<q", "<f", "<d", None)
BOOL, STRING = 0, 11
FLOATS = (9, 10)
CODE_BITS = {1: 2, 2: 2, 4: 3, 8: 4}


def value(type_code, cell):
    """The Python value of a raw cell."""
    if type_code == STRING:
        return cell.decode("utf-8", "surrogateescape")
    return struct.unpack(FORMATS[type_code], cell)[0]


def cell(type_code, v):
    """The raw cell of a Python value."""
    if type_code == STRING:
        return v.encode("utf-8", "surrogateescape") if isinstance(v, str) else bytes(v)
    return struct.pack(FORMATS[type_code], v)


def _rounded(type_code, v):
    """The bits of a sum. Sums of two float32 are exact in a double or rounded once more without harm: 53 >= 2 * 24 + 2."""
    try:
        return struct.pack(FORMATS[type_code], v)
    except OverflowError:
        return struct.pack(FORMATS[type_code], float("inf") if v > 0 else float("-inf"))


def add(type_code, a, b):
    """Cell a + b as delta rows mean it: IEEE in the column's precision, or modulo 2^n."""
    if type_code in FLOATS:
        return _rounded(type_code, struct.unpack(FORMATS[type_code], a)[0] + struct.unpack(FORMATS[type_code], b)[0])
    n = len(a)
    return (int.from_bytes(a, "little") + int.from_bytes(b, "little") & (1 << 8 * n) - 1).to_bytes(n, "little")


def subtract(type_code, a, b):
    if type_code in FLOATS:
        return _rounded(type_code, struct.unpack(FORMATS[type_code], a)[0] - struct.unpack(FORMATS[type_code], b)[0])
    n = len(a)
    return (int.from_bytes(a, "little") - int.from_bytes(b, "little") & (1 << 8 * n) - 1).to_bytes(n, "little")


def is_nan(type_code, a):
    v = struct.unpack(FORMATS[type_code], a)[0] if type_code in FLOATS else 0
    return v != v


def difference(type_code, now, before):
    """A delta as a number that is small if the values are near: XOR of floats, zigzag of integers."""
    n = len(now)
    a, b = int.from_bytes(now, "little"), int.from_bytes(before, "little")
    if type_code in FLOATS:
        return a ^ b
    d = a - b & (1 << 8 * n) - 1
    return (d << 1 ^ (-(d >> 8 * n - 1))) & (1 << 8 * n) - 1


def undo(type_code, delta, before):
    n = len(before)
    b = int.from_bytes(before, "little")
    if type_code in FLOATS:
        return (delta ^ b).to_bytes(n, "little")
    return (b + (delta >> 1 ^ -(delta & 1)) & (1 << 8 * n) - 1).to_bytes(n, "little")


class Columns:
    """The orders in which a row codec has the columns of a schema."""

    def __init__(self, types):
        self.types = types
        self.bools = [i for i, t in enumerate(types) if t == BOOL]
        self.strings = [i for i, t in enumerate(types) if t == STRING]
        self.scalars = [i for i, t in enumerate(types) if t not in (BOOL, STRING)]
        self.grouped = [i for code in range(1, 11) for i, t in enumerate(types) if t == code]
        self.code_bits = sum(CODE_BITS[SIZES[types[i]]] for i in self.grouped)

    def bits(self, codec):
        if codec == "flat":
            return len(self.bools)
        if codec == "zoh":
            return len(self.types)
        return len(self.bools) + self.code_bits + len(self.strings)


class _Bytes:
    """What is left of a row."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if self.at + n > len(self.data):
            raise ValueError("row is shorter than its values")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n):
        return int.from_bytes(self.take(n), "little")

    def end(self):
        if self.at != len(self.data):
            raise ValueError("row has %d bytes, its values %d" % (len(self.data), self.at))


class RowDecoder:
    """Flat001, ZoH001 or Delta002 rows; reset at every packet. `unneeded` counts rows that could have been a repeat."""

    def __init__(self, types, codec):
        self.columns, self.codec = Columns(types), codec
        self.header = (self.columns.bits(codec) + 7) // 8
        self.previous, self.seen, self.unneeded = None, 0, 0
        self.gradients = [bytes(SIZES[t]) for t in types]

    def repeat(self):
        if self.codec != "zoh":
            raise ValueError("repeat of a row in a %s file" % self.codec)
        if self.previous is None:
            raise ValueError("repeat as the first row of a packet")
        return self.previous

    def decode(self, data):
        columns = self.columns
        data = _Bytes(data)
        bits = data.number(self.header)
        if bits >> columns.bits(self.codec):
            raise ValueError("padding bits of a row are not 0")
        row = list(self.previous) if self.previous is not None else [bytes(SIZES[t]) for t in columns.types]
        for column in columns.bools:
            row[column] = bytes([bits & 1])
            bits >>= 1
        getattr(self, "_" + self.codec)(columns, row, bits, data)
        data.end()
        row = tuple(row)
        if self.codec == "zoh" and row == self.previous:
            self.unneeded += 1
        self.previous = row
        self.seen += 1
        return row

    def _flat(self, columns, row, bits, data):
        for column in columns.scalars:
            row[column] = data.take(SIZES[columns.types[column]])
        lengths = [data.number(2) for _ in columns.strings]
        for column, length in zip(columns.strings, lengths):
            row[column] = data.take(length)

    def _zoh(self, columns, row, bits, data):
        order = columns.grouped + columns.strings
        if self.previous is None and bits != (1 << len(order)) - 1:
            raise ValueError("first row of a packet is not complete")
        while bits:
            column = order[(bits & -bits).bit_length() - 1]
            bits &= bits - 1
            size = SIZES[columns.types[column]] or data.number(2)
            row[column] = data.take(size)

    def _delta(self, columns, row, bits, data):
        for column in columns.grouped:
            kind = columns.types[column]
            size = SIZES[kind]
            code = bits & (1 << CODE_BITS[size]) - 1
            bits >>= CODE_BITS[size]
            before = row[column]
            if code == 0:
                self.gradients[column] = bytes(size)
                continue
            if code > size + 1:
                raise ValueError("delta code %d of a %d-byte column" % (code, size))
            if code == 1:
                if self.seen < 2:
                    raise ValueError("delta code 1 in row %d of a packet" % self.seen)
                row[column] = add(kind, before, self.gradients[column])
                if is_nan(kind, row[column]):
                    raise ValueError("delta code 1 gives a NaN")
                continue
            row[column] = undo(kind, data.number(code - 1), before)
            self.gradients[column] = subtract(kind, row[column], before)
        if self.seen == 0 and bits != (1 << len(columns.strings)) - 1:
            raise ValueError("first row of a packet has not all strings")
        for column in columns.strings:
            if bits & 1:
                row[column] = data.take(data.number(2))
            bits >>= 1


class RowEncoder:
    """The other way. `use_gradient` False never writes delta code 1; `repeats` False writes ZoH rows in which nothing
    changed in full length, with no flag set. Both are legal."""

    def __init__(self, types, codec, use_gradient=True, repeats=True):
        self.columns, self.codec, self.use_gradient, self.repeats = Columns(types), codec, use_gradient, repeats
        self.reset()

    def reset(self):
        self.previous, self.seen = None, 0
        self.gradients = [bytes(SIZES[t]) for t in self.columns.types]

    def encode(self, row):
        columns, codec = self.columns, self.codec
        if codec == "zoh" and self.repeats and row == self.previous:
            return b""
        bits = at = 0
        for column in columns.bools:
            bits |= row[column][0] << at
            at += 1
        out = bytearray()
        if codec == "flat":
            for column in columns.scalars:
                out += row[column]
            for column in columns.strings:
                out += len(row[column]).to_bytes(2, "little")
            for column in columns.strings:
                out += row[column]
        elif codec == "zoh":
            for column in columns.grouped + columns.strings:
                if self.previous is None or row[column] != self.previous[column]:
                    bits |= 1 << at
                    if columns.types[column] == STRING:
                        out += len(row[column]).to_bytes(2, "little")
                    out += row[column]
                at += 1
        else:
            for column in columns.grouped:
                code, payload = self._code(column, row[column])
                bits |= code << at
                at += CODE_BITS[SIZES[columns.types[column]]]
                out += payload
            for column in columns.strings:
                if self.previous is None or row[column] != self.previous[column]:
                    bits |= 1 << at
                    out += len(row[column]).to_bytes(2, "little") + row[column]
                at += 1
        self.previous = row
        self.seen += 1
        return bits.to_bytes((columns.bits(codec) + 7) // 8, "little") + out

    def _code(self, column, now):
        kind = self.columns.types[column]
        size = len(now)
        before = self.previous[column] if self.previous is not None else bytes(size)
        if now == before:
            self.gradients[column] = bytes(size)
            return 0, b""
        if self.use_gradient and self.seen >= 2:
            guess = add(kind, before, self.gradients[column])
            if guess == now and not is_nan(kind, guess):
                return 1, b""
        self.gradients[column] = subtract(kind, now, before)
        delta = difference(kind, now, before)
        n = max(1, (delta.bit_length() + 7) // 8)
        return n + 1, delta.to_bytes(n, "little")
