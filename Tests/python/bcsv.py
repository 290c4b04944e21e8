"""A strict reader of BCSV files, written from the format description and sharing no code with TickLog or pybcsv.

It reads headers 1.3 (16 bytes) and 1.5 (24 bytes), flat and ZoH rows, packet and packet-LZ4 files, and verifies all
that can be verified: packet header hashes, payload hashes, first rows, the footer's offsets, row count and hash.

A cell is the raw little-endian bytes of its value (bool: one byte; string: its bytes), so that comparisons are exact.
"""
import struct
import sys

import xxhash

TYPES = ("bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "string")
SIZES = (1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 0)
FORMATS = ("<?", "<B", "<H", "<I", "<Q", "<b", "<h", "<i", "<q", "<f", "<d", None)
BOOL, STRING = 0, 11
ZOH, NO_INDEX, STREAM, BATCH, DELTA = 1, 2, 4, 8, 16
TERMINATOR = 0x3FFFFFFF
PACKET_MAGIC = b"PKCT"


class Damage(Exception):
    """The file breaks the format at `offset`."""

    def __init__(self, offset, what):
        super().__init__("offset %d: %s" % (offset, what))
        self.offset = offset


class Packet:
    """Where a packet lies, the index of its first row and how many it has."""

    def __init__(self, offset, first_row):
        self.offset, self.first_row, self.rows, self.end = offset, first_row, 0, None


class File:
    """What a file says. `torn` is None for a closed file, else the offset behind the last whole packet; rows of the
    unfinished packet behind it are in `salvaged`, not in `rows`."""

    def __init__(self):
        self.rows, self.packets, self.salvaged, self.index, self.torn = [], [], [], None, None

    def column(self, name):
        i = self.names.index(name)
        return [value(self.types[i], row[i]) for row in self.rows]

    def dictionaries(self):
        return [{n: value(t, c) for n, t, c in zip(self.names, self.types, row)} for row in self.rows]


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


def lz4_block(block, history):
    """Decodes a raw LZ4 block whose matches may reach into `history`."""
    out = bytearray(history)
    start = len(out)
    i, n = 0, len(block)
    if n == 0:
        raise ValueError("empty LZ4 block")
    while True:
        token = block[i]
        i += 1
        count = token >> 4
        if count == 15:
            while True:
                b = block[i]
                i += 1
                count += b
                if b != 255:
                    break
        if i + count > n:
            raise ValueError("literals behind the end of the LZ4 block")
        out += block[i:i + count]
        i += count
        if i == n:
            return bytes(out[start:])
        if i + 2 > n:
            raise ValueError("cut LZ4 offset")
        distance = block[i] | block[i + 1] << 8
        i += 2
        if distance == 0 or distance > len(out):
            raise ValueError("LZ4 offset %d of %d bytes" % (distance, len(out)))
        count = (token & 15) + 4
        if token & 15 == 15:
            while True:
                b = block[i]
                i += 1
                count += b
                if b != 255:
                    break
        at = len(out) - distance
        if distance >= count:
            out += out[at:at + count]
        else:
            pattern = out[at:]
            out += (pattern * (count // distance + 1))[:count]


class RowDecoder:
    """Flat001 or ZoH001 rows; reset at every packet."""

    def __init__(self, types, zoh):
        self.types, self.zoh = types, zoh
        self.bools = [i for i, t in enumerate(types) if t == BOOL]
        self.strings = [i for i, t in enumerate(types) if t == STRING]
        if zoh:
            self.order = [i for code in range(1, 12) for i, t in enumerate(types) if t == code]
            self.header = (len(types) + 7) // 8
        else:
            self.order = [i for i, t in enumerate(types) if t not in (BOOL, STRING)]
            self.header = (len(self.bools) + 7) // 8
        self.previous = None

    def repeat(self):
        if not self.zoh:
            raise ValueError("repeat of a row in a flat file")
        if self.previous is None:
            raise ValueError("repeat as the first row of a packet")
        return self.previous

    def decode(self, data):
        bits = int.from_bytes(data[:self.header], "little")
        if len(data) < self.header:
            raise ValueError("row is shorter than its bits")
        used = len(self.types) if self.zoh else len(self.bools)
        if bits >> used:
            raise ValueError("padding bits of a row are not 0")
        row = list(self.previous) if self.zoh and self.previous is not None else [None] * len(self.types)
        for k, column in enumerate(self.bools):
            row[column] = bytes([bits >> k & 1])
        at = self.header
        if self.zoh:
            bits >>= len(self.bools)
            if self.previous is None and bits != (1 << len(self.order)) - 1:
                raise ValueError("first row of a packet is not complete")
            while bits:
                k = (bits & -bits).bit_length() - 1
                bits &= bits - 1
                column = self.order[k]
                size = SIZES[self.types[column]]
                if size == 0:
                    if at + 2 > len(data):
                        raise ValueError("cut string length")
                    size = data[at] | data[at + 1] << 8
                    at += 2
                if at + size > len(data):
                    raise ValueError("row is shorter than its values")
                row[column] = data[at:at + size]
                at += size
        else:
            for column in self.order:
                size = SIZES[self.types[column]]
                row[column] = data[at:at + size]
                at += size
            lengths = []
            for column in self.strings:
                lengths.append(int.from_bytes(data[at:at + 2], "little"))
                at += 2
            for column, size in zip(self.strings, lengths):
                row[column] = data[at:at + size]
                at += size
        if at != len(data):
            raise ValueError("row has %d bytes, its values %d" % (len(data), at))
        row = tuple(row)
        if self.zoh and row == self.previous:
            self.unneeded = getattr(self, "unneeded", 0) + 1
        self.previous = row
        return row


def ble(data, at):
    """A row length: (value, offset behind it), or None if the data end within it."""
    if at >= len(data):
        return None
    n = (data[at] & 7) + 1
    if at + n > len(data):
        return None
    return int.from_bytes(data[at:at + n], "little") >> 3, at + n


def header(data):
    """Reads the file header; the File so far."""
    f = File()
    if len(data) < 16 or data[:4] != b"BCSV":
        raise Damage(0, "not a BCSV file")
    if data[8:12] == bytes(4):
        if len(data) < 24:
            raise Damage(len(data), "cut header")
        f.created, major, minor, patch, f.level, f.flags, n, f.packet_limit = struct.unpack_from("<QBBBBHHI", data, 4)
        at = 24
        if (major, minor) < (1, 4):
            raise Damage(12, "24-byte header with the stamp %d.%d" % (major, minor))
    else:
        major, minor, patch, f.level, f.flags, n, f.packet_limit = struct.unpack_from("<BBBBHHI", data, 4)
        f.created, at = 0, 16
        if (major, minor) != (1, 3):
            raise Damage(4, "16-byte header with the stamp %d.%d" % (major, minor))
    f.version = (major, minor, patch)
    if major != 1 or minor > 5:
        raise Damage(4, "version %d.%d.%d" % f.version)
    allowed = ZOH | NO_INDEX | STREAM | (BATCH | DELTA if minor >= 4 else 0)
    if f.flags & ~allowed:
        raise Damage(16, "flags 0x%04x" % f.flags)
    if f.level > 9:
        raise Damage(15, "level %d" % f.level)
    if len(data) < at + 3 * n:
        raise Damage(len(data), "cut schema")
    f.types = list(data[at:at + n])
    if n == 0 or any(t > STRING for t in f.types):
        raise Damage(at, "column types")
    at += n
    lengths = struct.unpack_from("<%dH" % n, data, at)
    at += 2 * n
    f.names = []
    for length in lengths:
        if at + length > len(data):
            raise Damage(len(data), "cut column names")
        f.names.append(data[at:at + length].decode("utf-8"))
        at += length
    if len(set(f.names)) != n:
        raise Damage(at, "column names are not unique")
    f.data_start, f.header_bytes = at, data[:at]
    f.header_xxh64 = xxhash.xxh64_intdigest(f.header_bytes)
    f.zoh, f.lz4 = bool(f.flags & ZOH), f.level > 0
    if f.flags & (STREAM | DELTA) or (f.flags & BATCH and f.level > 0):
        raise NotImplementedError("stream, batch and delta files")
    return f


def _footer(f, data, at, row_count):
    """Checks the footer at `at`; everything behind it must be it."""
    end = data.find(b"EIDX", at)
    n = 0
    size = len(data) - at
    if size < 28 or (size - 28) % 16:
        raise Damage(at, "footer of %d bytes" % size)
    n = (size - 28) // 16
    f.index = [struct.unpack_from("<QQ", data, at + 4 + 16 * k) for k in range(n)]
    tail = at + 4 + 16 * n
    if data[tail:tail + 4] != b"EIDX":
        raise Damage(tail, "no EIDX (found at %d)" % end)
    stated, rows, digest = struct.unpack_from("<IQQ", data, tail + 4)
    if stated != size:
        raise Damage(tail + 4, "footer says %d bytes and has %d" % (stated, size))
    if rows != row_count:
        raise Damage(tail + 8, "footer says %d rows, the packets have %d" % (rows, row_count))
    if xxhash.xxh64_intdigest(data[at:-8]) != digest:
        raise Damage(tail + 16, "footer hash")
    whole = [(p.offset, p.first_row) for p in f.packets]
    stride = 1
    while f.index and whole[::stride] != f.index:
        stride *= 2
        if stride > max(1, len(whole)):
            raise Damage(at, "index entries are not every 1st, 2nd, 4th, ... packet")
    f.stride = stride if f.index else 0


def parse(data, closed=True):
    """Reads a whole file. With closed=False a file without a footer is taken as well."""
    f = header(data)
    at, rows = f.data_start, 0
    f.unneeded_rows = 0
    while True:
        if data[at:at + 4] == b"BIDX":
            try:
                _footer(f, data, at, rows)
            except Damage:
                if closed:
                    raise
                f.torn, f.index = at, None
            return f
        if at == len(data) or (not closed and len(data) - at < 16):
            if closed:
                raise Damage(at, "no footer")
            f.torn = at
            return f
        if data[at:at + 4] != PACKET_MAGIC:
            if not closed and PACKET_MAGIC.startswith(data[at:at + 4]):
                f.torn = at
                return f
            raise Damage(at, "neither a packet nor the footer")
        if len(data) < at + 16:
            raise Damage(at, "cut packet header")
        first, digest = struct.unpack_from("<QI", data, at + 4)
        if xxhash.xxh32_intdigest(data[at:at + 12]) != digest:
            raise Damage(at + 12, "packet header hash")
        if first != rows:
            raise Damage(at + 4, "first row %d, but %d rows lie before" % (first, rows))
        packet = Packet(at, first)
        start = at = at + 16
        decoder, history, here, cut = RowDecoder(f.types, f.zoh), b"", [], False
        while True:
            length = ble(data, at)
            if length is None:
                cut = True
                break
            length, behind = length
            if length == TERMINATOR:
                if data[at:behind] != b"\xfc\xff\xff\xff\x01":
                    raise Damage(at, "terminator is not minimal")
                at = behind
                break
            if length > 16777214:
                raise Damage(at, "row of %d bytes" % length)
            if behind + length > len(data):
                cut = True
                break
            try:
                if length == 0:
                    here.append(decoder.repeat())
                else:
                    stored = data[behind:behind + length]
                    if f.lz4:
                        stored = lz4_block(stored, history)
                        history = (history + stored)[-65536:]
                    here.append(decoder.decode(stored))
            except (ValueError, IndexError) as error:
                raise Damage(at, "row %d: %s" % (rows + len(here), error))
            at = behind + length
        if cut or at + 8 > len(data):
            if closed:
                raise Damage(at, "cut packet")
            f.torn, f.salvaged = packet.offset, here
            return f
        if xxhash.xxh64_intdigest(data[start:at]) != struct.unpack_from("<Q", data, at)[0]:
            raise Damage(at, "payload hash of the packet at %d" % packet.offset)
        at += 8
        packet.rows, packet.end = len(here), at
        f.unneeded_rows += getattr(decoder, "unneeded", 0)
        f.packets.append(packet)
        f.rows += here
        rows += len(here)


def read(path, closed=True):
    with open(path, "rb") as file:
        return parse(file.read(), closed)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        f = read(path, closed=False)
        print("%s: %s, %s, %s, %d columns, %d rows, %d packets, %s" % (
            path, "%d.%d.%d" % f.version, "zoh" if f.zoh else "flat", "packet-lz4" if f.lz4 else "packet",
            len(f.names), len(f.rows), len(f.packets),
            "never closed, %d rows salvaged" % len(f.salvaged) if f.torn is not None else "index %d" % len(f.index)))
