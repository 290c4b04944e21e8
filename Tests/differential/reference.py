"""pybcsv's part of the differential test, in a process of its own that has a time limit.

    reference.py write FOLDER SEED...     writes the cases of these seeds as FOLDER/SEED.bcsv
    reference.py read FOLDER SEED...      reads FOLDER/SEED.bcsv, writes what is in it to FOLDER/SEED.table
"""
import os
import random
import sys

import numpy
import pybcsv

import table
from cases import Case

KINDS = (pybcsv.BOOL, pybcsv.UINT8, pybcsv.UINT16, pybcsv.UINT32, pybcsv.UINT64, pybcsv.INT8, pybcsv.INT16, pybcsv.INT32,
         pybcsv.INT64, pybcsv.FLOAT, pybcsv.DOUBLE, pybcsv.STRING)
NO_INDEX, STREAM, BATCH = 2, 4, 8


def quiet(kind, column):
    """Whether values survive the way through Python's float: signalling NaNs in float32 do not."""
    if kind != 9:
        return True
    bits = numpy.asarray(column).view("<u4")
    return not numpy.any((bits & 0x7FFFFFFF > 0x7F800000) & (bits & 0x00400000 == 0))


def write(case, path):
    rng = random.Random(case.seed ^ 0x9BC5)
    flags, level = 0, case.level
    if case.file_codec.startswith("stream"):
        flags |= STREAM
    if case.file_codec == "batch":
        flags |= BATCH
    if case.file_codec in ("packet", "stream"):
        level = 0
        flags |= rng.choice((0, BATCH))
    if rng.random() < 0.15:
        flags |= NO_INDEX
    flags = pybcsv.FileFlags(flags)
    names = [n.decode() for n in case.names]
    columns = [[v.decode() for v in c] if t == 11 else c for t, c in zip(case.types, case.columns)]
    if rng.random() < 0.5 or not all(map(quiet, case.types, case.columns)):
        pybcsv.write_columns(path, dict(zip(names, columns)), names, [KINDS[t] for t in case.types], row_codec=case.row_codec,
                             compression_level=level, flags=flags)
        return
    layout = pybcsv.Layout()
    for name, kind in zip(names, case.types):
        layout.add_column(name, KINDS[kind])
    writer = pybcsv.Writer(layout, case.row_codec)
    if not writer.open(path, True, level, 64, flags):
        raise OSError(path)
    flush = rng.choice((0, 0, 7, 100))
    for i, row in enumerate(zip(*[c if t == 11 else c.tolist() for t, c in zip(case.types, columns)]), 1):
        writer.write_row(list(row))
        if flush and i % flush == 0:
            writer.flush()
    writer.close()


def entries(path):
    """How many entries the index has: pybcsv has no random access without."""
    with open(path, "rb") as f:
        return (int.from_bytes(f.read()[-20:-16], "little") - 28) // 16


def read(case, path):
    reader = pybcsv.Reader()
    if not reader.open(path):
        raise OSError(path)
    if case.file_codec.startswith("stream"):  # of which read_columns finds no row
        batches = pybcsv.Reader()
        batches.open(path)
        found = batches.read_batch(1 << 20)
        if found is None:
            found = pybcsv.read_columns(path)
    else:
        found = pybcsv.read_columns(path)
    names = list(found)
    types = [KINDS.index(t) for t in reader.layout().get_column_types()]
    if reader.layout().get_column_names() != names:
        raise ValueError("names")
    columns = [[v.encode() for v in found[n]] if t == 11 else found[n] for n, t in zip(names, types)]
    for kind, column in zip(types, columns):
        if kind != 11 and column.dtype != numpy.dtype(table.TYPES[kind] if kind else bool):
            raise ValueError("type %s for %d" % (column.dtype, kind))
    rows = len(columns[0])
    # The row Reader, which is other code than read_columns, and random access where there is an index.
    plain = [c if t == 11 else c.tolist() for t, c in zip(types, found.values())]
    n = 0
    while (row := reader.read_row()) is not None:
        same_row(path, n, row, plain)
        n += 1
    reader.close()
    if n != rows:
        raise ValueError("%s: %d rows by Reader, %d by read_columns" % (path, n, rows))
    if rows and not case.file_codec.startswith("stream") and entries(path):
        direct = pybcsv.ReaderDirectAccess()
        direct.open(path)
        if direct.row_count() != rows:
            raise ValueError("%s: row_count %d of %d" % (path, direct.row_count(), rows))
        rng = random.Random(case.seed)
        for i in [rng.randrange(rows) for _ in range(5)]:
            same_row(path, i, direct.read(i), plain)
    return table.pack([n.encode() for n in names], types, columns)


def same_row(path, i, row, plain):
    for c, (value, column) in enumerate(zip(row, plain)):
        if value != column[i] and not (value != value and column[i] != column[i]):
            raise ValueError("%s: row %d, column %d: %r and %r" % (path, i, c, value, column[i]))


if __name__ == "__main__":
    mode, folder = sys.argv[1:3]
    for seed in map(int, sys.argv[3:]):
        path = os.path.join(folder, "%d.bcsv" % seed)
        case = Case(seed)
        print(seed, flush=True)
        if mode == "write":
            write(case, path)
        else:
            found = read(case, path)
            with open(os.path.join(folder, "%d.table" % seed), "wb") as f:
                f.write(found)
