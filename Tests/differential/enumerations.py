"""Every length and every flipped bit of a reference set: see enumerate.c.

    enumerations.py PROGRAM cuts|flips [FOLDER]

The set has every row codec with every file codec, in both headers, written by pybcsv (1.5) and by the independent writer
(1.3 and 1.5), with several packets each. What is in the files and where is told by the independent reader. With FOLDER the
set is left there.
"""
import os
import random
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, "..", "python"))

import bcsv  # noqa: E402
import bcsv_writer  # noqa: E402

ROWS = ("flat", "zoh", "delta")
FILES = ("packet", "packet-lz4", "batch", "stream", "stream-lz4")
TYPES = [0, 11, 9, 3, 10, 5, 0, 2, 8]
NAMES = [b"b", b"text", b"x", b"n", b"", b"i8", b"flag", b"u16", b"long"]


def rows(count):
    rng = random.Random(3)
    made = []
    for i in range(count):
        if made and i % 6 in (3, 4):
            made.append(made[-1])
            continue
        values = [i % 3 == 0, "row %d" % (i // 4) if i % 4 else "", i / 4, 100 * i, -0.0 if i % 2 else i * 1e300, -i, i > 5,
                  7, rng.getrandbits(40)]
        made.append(tuple(bcsv.cell(t, v) for t, v in zip(TYPES, values)))
    return made


def by_pybcsv(path, row_codec, file_codec, made, every):
    """In a process of its own would be safer; it only writes."""
    import pybcsv

    from reference import KINDS
    layout = pybcsv.Layout()
    for name, kind in zip(NAMES, TYPES):
        layout.add_column(name.decode() or "noname", KINDS[kind])
    flags = (4 if file_codec.startswith("stream") else 0) | (8 if file_codec == "batch" else 0)
    writer = pybcsv.Writer(layout, row_codec)
    writer.open(path, True, 0 if file_codec in ("packet", "stream") else 1, 64, pybcsv.FileFlags(flags))
    for i, row in enumerate(made):
        if i and i % every == 0:
            writer.flush()
        writer.write_row([bcsv.value(t, c) for t, c in zip(TYPES, row)])
    writer.close()


def by_hand(path, row_codec, file_codec, made, every, stride=1, **odd):
    w = bcsv_writer.Writer(NAMES, TYPES, row_codec, file_codec, **odd)
    for i, row in enumerate(made):
        if i and i % every == 0 and not file_codec.startswith("stream"):
            w.flush()
        w.row(row)
    with open(path, "wb") as f:
        f.write(w.close(stride=stride))


def write_map(f, data, path):
    units, inner = [], []
    if f.file_codec.startswith("stream"):
        start = f.data_start
        for i, end in enumerate(f.row_ends, 1):
            units.append((start, end, i))
            start = end
        footer = len(data)
    else:
        for p in f.packets:
            units.append((p.offset, p.end, p.first_row + p.rows))
            inner += [(end, p.first_row + i) for i, end in enumerate(p.row_ends, 1)]
        footer = f.packets[-1].end if f.packets else f.data_start
    kind = "stream" if f.file_codec.startswith("stream") else "batch" if f.file_codec == "batch" else "packets"
    with open(path, "w", encoding="ascii") as out:
        print(kind, f.data_start, footer, file=out)
        for unit in units:
            print(*unit, file=out)
        for end, n in inner:
            print("row", end, n, file=out)


def write_table(f, path):
    with open(path, "wb") as out:
        out.write(b"TABL" + struct.pack("<IQ", len(f.types), len(f.rows)))
        for kind, name in zip(f.types, f.names):
            name = name.encode("utf-8", "surrogateescape")
            out.write(struct.pack("<BH", kind, len(name)) + name)
        for c, kind in enumerate(f.types):
            if kind == bcsv.STRING:
                out.write(b"".join(struct.pack("<I", len(row[c])) for row in f.rows))
            out.write(b"".join(row[c] for row in f.rows))


def make(folder):
    """The reference set; the paths."""
    made = []

    def path(name):
        made.append(os.path.join(folder, name + ".bcsv"))
        return made[-1]

    few = rows(22)
    for row_codec in ROWS:
        for file_codec in FILES:
            name = "%s_%s" % (row_codec, file_codec)
            by_pybcsv(path("pybcsv_" + name), row_codec, file_codec, few, 8)
            if row_codec != "delta" and file_codec != "batch":
                by_hand(path("v13_" + name), row_codec, file_codec, few, 7, version=(1, 3, 0))
            if not file_codec.startswith("stream"):
                by_hand(path("thin_" + name), row_codec, file_codec, few, 4, version=(1, 4, 0), limit=512,
                        stride=0 if row_codec == "delta" else 2)
        by_hand(path("long_lengths_" + row_codec), row_codec, "packet", few, 9, ble=3, limit=0, stride=0)
    return made


def main():
    program, what = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as temporary:
        folder = sys.argv[3] if len(sys.argv) > 3 else temporary
        listed = os.path.join(folder, "list")
        with open(listed, "w", encoding="utf-8") as out:
            for path in make(folder):
                with open(path, "rb") as f:
                    data = f.read()
                f = bcsv.parse(data)
                assert f.rows == rows(22), path
                write_map(f, data, path + ".map")
                write_table(f, path + ".table")
                out.write("%s\t%s.table\t%s.map\n" % (path, path, path))
        sys.exit(subprocess.run([program, what, listed], timeout=900, check=False).returncode)


if __name__ == "__main__":
    main()
