"""The layout of a Parquet file, read from the format's description: Thrift's compact protocol, the footer, page headers,
pages, the page index. Independent of other readers, for what they do not show.

    footer, row groups as dicts by field number: see parquet.thrift
"""
import struct

STOP, TRUE, FALSE, I8, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(13)


class Thrift:
    def __init__(self, data, at):
        self.data, self.at = data, at

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def zigzag(self):
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def value(self, kind):
        if kind == I8:
            self.at += 1
            return self.data[self.at - 1]
        if kind in (I16, I32, I64):
            return self.zigzag()
        if kind == BINARY:
            count = self.varint()
            self.at += count
            assert self.at <= len(self.data)
            return bytes(self.data[self.at - count:self.at])
        if kind == LIST:
            byte = self.data[self.at]
            self.at += 1
            count = byte >> 4 if byte >> 4 < 15 else self.varint()
            return [self.element(byte & 15) for _ in range(count)]
        if kind == STRUCT:
            return self.struct()
        raise AssertionError("type %d at %d" % (kind, self.at))

    def element(self, kind):
        if kind in (TRUE, FALSE):
            self.at += 1
            assert self.data[self.at - 1] in (1, 2)
            return self.data[self.at - 1] == 1
        return self.value(kind)

    def struct(self):
        fields, last = {}, 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            if byte == STOP:
                return fields
            last = last + (byte >> 4) if byte >> 4 else self.zigzag()
            kind = byte & 15
            assert last not in fields
            fields[last] = kind == TRUE if kind in (TRUE, FALSE) else self.value(kind)


def read(data, at, end=None):
    """A structure, which ends at `end` if that is given."""
    thrift = Thrift(data, at)
    fields = thrift.struct()
    assert end is None or thrift.at == end, (thrift.at, end)
    return fields, thrift.at


def footer(data):
    assert data[:4] == b"PAR1" and data[-4:] == b"PAR1"
    length = struct.unpack("<I", data[-8:-4])[0]
    return read(data, len(data) - 8 - length, len(data) - 8)[0]


def hybrid(data, at, width, count):
    """Numbers as runs and packed bits."""
    values, thrift = [], Thrift(data, at)
    while len(values) < count:
        head = thrift.varint()
        if head & 1:
            size = (head >> 1) * width
            bits = int.from_bytes(data[thrift.at:thrift.at + size], "little")
            assert thrift.at + size <= len(data)
            thrift.at += size
            values += [bits >> i * width & (1 << width) - 1 for i in range((head >> 1) * 8)]
        else:
            size = (width + 7) // 8
            values += [int.from_bytes(data[thrift.at:thrift.at + size], "little")] * (head >> 1)
            thrift.at += size
    assert thrift.at == len(data) and len(values) - count < 8, (thrift.at, len(data), len(values), count)
    assert not any(values[count:])
    return values[:count]


def plain(data, physical, count):
    """Values of a PLAIN page as their bytes; of bools, one byte each."""
    if physical == 0:
        assert len(data) == (count + 7) // 8
        return [bytes([data[i >> 3] >> (i & 7) & 1]) for i in range(count)]
    if physical == 6:
        values, at = [], 0
        for _ in range(count):
            size = struct.unpack_from("<I", data, at)[0]
            values.append(data[at + 4:at + 4 + size])
            at += 4 + size
        assert at == len(data)
        return values
    size = {1: 4, 2: 8, 4: 4, 5: 8}[physical]
    assert len(data) == size * count
    return [data[i:i + size] for i in range(0, len(data), size)]


class Page:
    """`values` are bytes; `kind`: 0 data, 2 dictionary."""

    def __init__(self, kind, encoding, offset, size, plain_size, statistics, values):
        self.kind, self.encoding, self.offset, self.size = kind, encoding, offset, size
        self.plain_size, self.statistics, self.values = plain_size, statistics, values


def pages(data, chunk, decompress):
    """The pages of a column chunk; `decompress(bytes, size)` for LZ4_RAW."""
    meta = chunk[3]
    at = meta.get(11, meta[9])
    end = at + meta[7]
    found, dictionary, plain_bytes = [], None, 0
    while at < end:
        header, start = read(data, at)
        body = data[start:start + header[3]]
        assert len(body) == header[3]
        if meta[4] == 7:
            body = decompress(body, header[2])
        assert len(body) == header[2]
        if header[1] == 2:
            assert not found
            own = header[7]
            values = dictionary = plain(body, meta[1], own[1])
            assert len(set(values)) == len(values)
        else:
            own = header[5]
            if own[2] == 8:
                values = [dictionary[i] for i in hybrid(body, 1, body[0], own[1])]
            else:
                assert own[2] == 0
                values = plain(body, meta[1], own[1])
        found.append(Page(header[1], own[2], at, start - at + header[3], header[2], own.get(5), values))
        plain_bytes += start - at + header[2]
        at = start + header[3]
    assert at == end and plain_bytes == meta[6]
    return found
