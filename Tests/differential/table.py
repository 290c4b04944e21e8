"""Tables as the differential tests pass them between programs: see table.h. A column is a numpy array, or for strings a
list of bytes."""
import struct

import numpy

TYPES = ("bool", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8", None)
STRING = 11


def pack(names, types, columns):
    """The bytes of a table; names are bytes."""
    rows = len(columns[0])
    out = [b"TABL", struct.pack("<IQ", len(types), rows)]
    for name, kind in zip(names, types):
        out += [struct.pack("<BH", kind, len(name)), name]
    for kind, column in zip(types, columns):
        if kind == STRING:
            out += [numpy.fromiter(map(len, column), "<u4", len(column)).tobytes(), b"".join(column)]
        else:
            out.append(numpy.ascontiguousarray(column, TYPES[kind]).tobytes())
    return b"".join(out)


def unpack(data):
    """(names, types, columns)."""
    if data[:4] != b"TABL":
        raise ValueError("not a table")
    n, rows = struct.unpack_from("<IQ", data, 4)
    at, names, types, columns = 16, [], [], []
    for _ in range(n):
        kind, length = struct.unpack_from("<BH", data, at)
        names.append(data[at + 3:at + 3 + length])
        types.append(kind)
        at += 3 + length
    for kind in types:
        if kind == STRING:
            lengths = numpy.frombuffer(data, "<u4", rows, at)
            at += 4 * rows
            column = []
            for length in lengths.tolist():
                column.append(data[at:at + length])
                at += length
        else:
            column = numpy.frombuffer(data, TYPES[kind], rows, at)
            at += column.nbytes
        columns.append(column)
    if at != len(data):
        raise ValueError("table of %d bytes, %d used" % (len(data), at))
    return names, types, columns


def cells(types, columns):
    """The rows, as tuples of raw cells."""
    split = []
    for kind, column in zip(types, columns):
        if kind == STRING:
            split.append(column)
        else:
            raw, size = numpy.ascontiguousarray(column, TYPES[kind]).tobytes(), numpy.dtype(TYPES[kind]).itemsize
            split.append([raw[i:i + size] for i in range(0, len(raw), size)])
    return list(zip(*split))


def difference(a, b):
    """Says in words where two packed tables differ."""
    if a == b:
        return None
    na, ta, ca = unpack(a)
    nb, tb, cb = unpack(b)
    if (na, ta) != (nb, tb):
        return "schemas %r and %r" % (list(zip(na, ta))[:8], list(zip(nb, tb))[:8])
    if len(ca[0]) != len(cb[0]):
        return "%d and %d rows" % (len(ca[0]), len(cb[0]))
    for i, (x, y) in enumerate(zip(cells(ta, ca), cells(tb, cb))):
        for c, (v, w) in enumerate(zip(x, y)):
            if v != w:
                return "row %d, column %d (type %d): %s and %s" % (i, c, ta[c], v[:40].hex(), w[:40].hex())
    return "bytes"
