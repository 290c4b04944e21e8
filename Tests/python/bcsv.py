"""A strict reader of BCSV files, written from the format description and sharing no code with TickLog or pybcsv.

It reads headers 1.3 (16 bytes), 1.4 and 1.5 (24 bytes), every row codec and every file codec, and verifies all that can
be verified: hashes of packet headers, payloads and rows, first rows, the footer's offsets, row count and hash.

`parse` is strict, `salvage` reads a damaged file as the format's description recommends: a packet counts if all of it
is there and its hash agrees, and behind damage the next packet header is looked for.
"""
import struct
import sys

import xxhash

import lz4block
from bcsv_rows import BOOL, FORMATS, SIZES, STRING, TYPES, RowDecoder, cell, value  # noqa: F401: names of this module, too

ZOH, NO_INDEX, STREAM, BATCH, DELTA = 1, 2, 4, 8, 16
TERMINATOR = 0x3FFFFFFF
END = b"\xfc\xff\xff\xff\x01"
LONGEST_ROW = 16777214
PACKET_MAGIC = b"PKCT"


class Damage(Exception):
    """The file breaks the format at `offset`."""

    def __init__(self, offset, what):
        super().__init__("offset %d: %s" % (offset, what))
        self.offset = offset


class Cut(Damage):
    """The file ends too early; `rows` are the whole rows of its last packet."""

    def __init__(self, offset, what, rows=()):
        super().__init__(offset, what)
        self.rows = list(rows)


class Packet:
    """Where a packet lies, the index of its first row and how many it has. `row_ends`: where each row ends; empty for a
    batch."""

    def __init__(self, offset, first_row):
        self.offset, self.first_row, self.rows, self.end, self.row_ends = offset, first_row, 0, None, []


class File:
    """What a file says. `torn` is None for a closed file, else the offset behind the last whole packet or row; rows of
    the unfinished packet behind it are in `salvaged`, not in `rows`. `row_ends`: of a stream file, where each row
    ends."""

    def __init__(self):
        self.rows, self.packets, self.salvaged, self.index, self.torn = [], [], [], None, None
        self.row_ends, self.unneeded_rows = [], 0

    def column(self, name):
        i = self.names.index(name)
        return [value(self.types[i], row[i]) for row in self.rows]

    def dictionaries(self):
        return [{n: value(t, c) for n, t, c in zip(self.names, self.types, row)} for row in self.rows]


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
    if f.packet_limit > 1 << 30:
        raise Damage(at - 4, "packet limit %d" % f.packet_limit)
    if len(data) < at + 3 * n:
        raise Damage(len(data), "cut schema")
    f.types = list(data[at:at + n])
    if n == 0 or any(t > STRING for t in f.types):
        raise Damage(at, "column types")
    at += n
    lengths = struct.unpack_from("<%dH" % n, data, at)
    at += 2 * n
    f.names = []
    for i, length in enumerate(lengths):
        if at + length > len(data):
            raise Damage(len(data), "cut column names")
        f.names.append(data[at:at + length].decode("utf-8", "surrogateescape") or "Column_%d" % i)
        at += length
    f.data_start, f.header_bytes = at, data[:at]
    f.header_xxh64 = xxhash.xxh64_intdigest(f.header_bytes)
    f.row_codec = "delta" if f.flags & DELTA else "zoh" if f.flags & ZOH else "flat"
    f.lz4 = f.level > 0
    if f.flags & STREAM:
        f.file_codec = "stream-lz4" if f.lz4 else "stream"
    elif f.lz4:
        f.file_codec = "batch" if f.flags & BATCH else "packet-lz4"
    else:
        f.file_codec = "packet"
    f.zoh = f.row_codec == "zoh"
    return f


def footer_bytes(entries, rows):
    """A whole footer: entries are (offset of the packet header, first row)."""
    footer = b"BIDX" + b"".join(struct.pack("<QQ", *e) for e in entries) + b"EIDX"
    footer += struct.pack("<IQ", len(footer) + 20, rows)
    return footer + struct.pack("<Q", xxhash.xxh64_intdigest(footer))


def footer_at(data, at):
    """The footer that reaches from `at` to the end: (entries, row count)."""
    size = len(data) - at
    if size < 28 or (size - 28) % 16 or data[at:at + 4] != b"BIDX":
        raise Damage(at, "footer of %d bytes" % size)
    n = (size - 28) // 16
    entries = [struct.unpack_from("<QQ", data, at + 4 + 16 * k) for k in range(n)]
    tail = at + 4 + 16 * n
    if data[tail:tail + 4] != b"EIDX":
        raise Damage(tail, "no EIDX")
    stated, rows, digest = struct.unpack_from("<IQQ", data, tail + 4)
    if stated != size:
        raise Damage(tail + 4, "footer says %d bytes and has %d" % (stated, size))
    if xxhash.xxh64_intdigest(data[at:-8]) != digest:
        raise Damage(tail + 16, "footer hash")
    return entries, rows


def _footer(f, data, at, row_count):
    """Checks the footer at `at`; everything behind it must be it."""
    entries, rows = footer_at(data, at)
    if rows != row_count:
        raise Damage(at, "footer says %d rows, the packets have %d" % (rows, row_count))
    whole = [(p.offset, p.first_row) for p in f.packets]
    stride = 1
    while entries and whole[::stride] != entries:
        stride *= 2
        if stride > max(1, len(whole)):
            raise Damage(at, "index entries are not every 1st, 2nd, 4th, ... packet")
    f.index, f.stride = entries, stride if entries else 0


class _Body:
    """Rows one after the other, from `at` on."""

    def __init__(self, f, data, at, lz4):
        self.f, self.data, self.at, self.lz4 = f, data, at, lz4
        self.decoder, self.history, self.rows = RowDecoder(f.types, f.row_codec), b"", []
        self.ends = []

    def length(self):
        """The next length and the offset behind it."""
        found = ble(self.data, self.at)
        if found is None:
            raise Cut(self.at, "cut row length", self.rows)
        length, behind = found
        if length == TERMINATOR:
            if self.data[self.at:behind] != END:
                raise Damage(self.at, "terminator is not minimal")
        elif length > LONGEST_ROW:
            raise Damage(self.at, "row of %d bytes" % length)
        elif behind + length > len(self.data):
            raise Cut(self.at, "cut row", self.rows)
        return length, behind

    def row(self, length, behind):
        """Decodes the row that has its `length` bytes at `behind`."""
        try:
            if length == 0:
                row = self.decoder.repeat()
            else:
                stored = self.data[behind:behind + length]
                if self.lz4:
                    stored = lz4block.decode(stored, self.history, LONGEST_ROW)
                    self.history = (self.history + stored)[-65536:]
                row = self.decoder.decode(stored)
        except ValueError as error:
            raise Damage(self.at, "row %d of the packet: %s" % (len(self.rows), error)) from None
        self.rows.append(row)
        self.at = behind + length
        self.ends.append(self.at)

    def to_terminator(self):
        while True:
            length, behind = self.length()
            if length == TERMINATOR:
                self.at = behind
                return
            self.row(length, behind)


def packet(f, data, at):
    """The packet at `at`: (Packet, its rows). Raises Damage, or Cut if the file ends within it."""
    if len(data) < at + 16:
        raise Cut(at, "cut packet header")
    first, digest = struct.unpack_from("<QI", data, at + 4)
    if data[at:at + 4] != PACKET_MAGIC or xxhash.xxh32_intdigest(data[at:at + 12]) != digest:
        raise Damage(at, "packet header")
    result = Packet(at, first)
    start = at + 16
    if f.file_codec == "batch":
        if len(data) < start + 8:
            raise Cut(at, "cut packet")
        size, stored = struct.unpack_from("<II", data, start)
        if size > f.packet_limit + LONGEST_ROW + 16:
            raise Damage(start, "batch of %d bytes" % size)
        if len(data) < start + 8 + stored + 8:
            raise Cut(at, "cut packet")
        try:
            payload = lz4block.decode(data[start + 8:start + 8 + stored], b"", size)
        except ValueError as error:
            raise Damage(start + 8, str(error)) from None
        if len(payload) != size:
            raise Damage(start, "batch of %d bytes has %d" % (size, len(payload)))
        end, hashed = start + 8 + stored, payload
        if xxhash.xxh64_intdigest(payload) != struct.unpack_from("<Q", data, end)[0]:
            raise Damage(end, "payload hash of the packet at %d" % at)
        body = _Body(f, payload, 0, False)
        try:
            body.to_terminator()
        except Cut as cut:
            raise Damage(start, "batch without a terminator: %s" % cut) from None
        if body.at != size:
            raise Damage(start, "batch with bytes behind its terminator")
    else:
        body = _Body(f, data, start, f.lz4)
        body.to_terminator()
        end, result.row_ends = body.at, body.ends
        if end + 8 > len(data):
            raise Cut(end, "cut packet hash", body.rows)
        if xxhash.xxh64_intdigest(data[start:end]) != struct.unpack_from("<Q", data, end)[0]:
            raise Damage(end, "payload hash of the packet at %d" % at)
    result.rows, result.end = len(body.rows), end + 8
    f.unneeded_rows += body.decoder.unneeded
    return result, body.rows


def _stream(f, data, closed):
    body = _Body(f, data, f.data_start, f.lz4)
    while body.at < len(data):
        start = body.at
        try:
            length, behind = body.length()
            if length == TERMINATOR:
                raise Damage(start, "terminator in a stream")
            if length and behind + length + 4 > len(data):
                raise Cut(start, "cut row hash")
        except Cut:
            if closed:
                raise
            f.torn = start
            break
        if length:
            digest = struct.unpack_from("<I", data, behind + length)[0]
            if xxhash.xxh32_intdigest(data[behind:behind + length]) != digest:
                raise Damage(behind + length, "row hash")
        body.row(length, behind)
        body.at += 4 if length else 0
        f.row_ends.append(body.at)
        f.rows.append(body.rows[-1])
    f.unneeded_rows = body.decoder.unneeded


def parse(data, closed=True):
    """Reads a whole file. With closed=False a file without a footer, or with a torn tail, is taken as well."""
    f = header(data)
    if f.file_codec.startswith("stream"):
        _stream(f, data, closed)
        return f
    at = f.data_start
    while True:
        if data[at:at + 4] == b"BIDX":
            try:
                _footer(f, data, at, len(f.rows))
            except Damage:
                if closed:
                    raise
                f.torn, f.index = at, None
            return f
        try:
            if at == len(data):
                raise Cut(at, "no footer")
            if not (PACKET_MAGIC.startswith(data[at:at + 4]) or len(data) < at + 4 and b"BIDX".startswith(data[at:])):
                raise Damage(at, "neither a packet nor the footer")
            found, rows = packet(f, data, at)
        except Cut as cut:
            if closed:
                raise
            f.torn, f.salvaged = at, cut.rows
            return f
        if found.first_row != len(f.rows):
            raise Damage(at + 4, "first row %d, but %d rows lie before" % (found.first_row, len(f.rows)))
        f.packets.append(found)
        f.rows += rows
        at = found.end


def salvage(data):
    """What can be told of a damaged file: (File, rows by their index, offsets of the damage)."""
    f = header(data)
    rows, damage = {}, []
    if f.file_codec.startswith("stream"):
        try:
            _stream(f, data, False)
        except Damage as found:
            damage.append(found.offset)
        return f, dict(enumerate(f.rows)), damage
    at, next_row = f.data_start, 0
    while at < len(data):
        try:
            if data[at:at + 4] == b"BIDX":
                f.index, _ = footer_at(data, at)
                break
            found, here = packet(f, data, at)
            if found.first_row < next_row:
                raise Damage(at + 4, "first row %d behind row %d" % (found.first_row, next_row))
        except Damage as found:
            if not damage or damage[-1] < at:
                damage.append(found.offset)
            f.salvaged = found.rows if isinstance(found, Cut) else []
            while (at := data.find(PACKET_MAGIC, at + 1)) >= 0:
                if len(data) >= at + 16 and \
                        xxhash.xxh32_intdigest(data[at:at + 12]) == struct.unpack_from("<I", data, at + 12)[0]:
                    break
            if at < 0:
                break
            continue
        f.packets.append(found)
        for i, row in enumerate(here, found.first_row):
            rows[i] = row
        next_row, at = found.first_row + len(here), found.end
    return f, rows, damage


def read(path, closed=True):
    with open(path, "rb") as file:
        return parse(file.read(), closed)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        f = read(path, closed=False)
        print("%s: %s, %s, %s, %d columns, %d rows, %d packets, %s" % (
            path, "%d.%d.%d" % f.version, f.row_codec, f.file_codec, len(f.names), len(f.rows), len(f.packets),
            "never closed, %d rows salvaged" % len(f.salvaged) if f.torn is not None
            else "index %d" % len(f.index or ())))
