"""Parquet files of `ticklog convert`, read by pyarrow, by duckdb and by layout.py: values, types, row counts, statistics, the
page index, filters.

    check.py TICKLOG WORK vectors FILE...     each converted as it is, and compared with `ticklog cat`
    check.py TICKLOG WORK tables [SEED [N]]   edge cases, then N random tables
    check.py TICKLOG WORK errors              what makes no file
"""
import json
import math
import os
import random
import resource
import struct
import subprocess
import sys

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python"))
import layout  # noqa: E402
from bcsv_rows import FORMATS, SIZES, STRING, TYPES, BOOL  # noqa: E402
from bcsv_writer import Writer  # noqa: E402

SECONDS = 120
TOOL, WORK = sys.argv[1], sys.argv[2]
ARROW = [pa.bool_(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.int8(), pa.int16(), pa.int32(), pa.int64(),
         pa.float32(), pa.float64(), pa.string()]
DUCK = "BOOLEAN UTINYINT USMALLINT UINTEGER UBIGINT TINYINT SMALLINT INTEGER BIGINT FLOAT DOUBLE VARCHAR".split()
PHYSICAL = [0, 1, 1, 1, 2, 1, 1, 1, 2, 4, 5, 6]
F32, F64 = 9, 10


def run(*words, code=0, **more):
    done = subprocess.run([TOOL, *words], capture_output=True, timeout=SECONDS, **more)
    assert done.returncode == code, (words, done.returncode, done.stderr.decode())
    return done


def is_nan(v):
    return isinstance(v, float) and v != v


def same(a, b):
    """Values that are the same: also the sign of a zero; any NaN is any other."""
    if is_nan(a) or is_nan(b):
        return is_nan(a) and is_nan(b)
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack("<d", a) == struct.pack("<d", b)
    return type(a) is type(b) and a == b


def same_lists(a, b, *what):
    assert len(a) == len(b), (what, len(a), len(b))
    for i, (x, y) in enumerate(zip(a, b)):
        assert same(x, y), (what, i, x, y)


# What statistics must be, from values alone.

def key(t):
    return (lambda v: v.encode()) if t == STRING else (lambda v: v)


def extremes(t, values):
    """Least and greatest value, or None."""
    # duckdb takes a row with a NaN for one between least and greatest: there are none then.
    if not values or any(v != v for v in values):
        return None
    low, high = min(values, key=key(t)), max(values, key=key(t))
    if t in (F32, F64):
        low, high = (-0.0 if low == 0 else low), (0.0 if high == 0 else high)
    return low, high


def physical_bytes(t, v):
    if t == STRING:
        return v if isinstance(v, bytes) else v.encode()
    if t in (1, 2, 5, 6):
        return struct.pack("<i", v)
    return struct.pack(FORMATS[t], v)


def check_extremes(t, values, low, high, low_exact, high_exact, *what):
    """`low` and `high` are bytes of statistics, or None."""
    wanted = extremes(t, values)
    if wanted is None:
        assert low is None and high is None, what
        return
    first, last = (physical_bytes(t, v) for v in wanted)
    if t == STRING and len(first) > 64:
        assert first.startswith(low) and 60 < len(low) <= 64 and not low_exact, what
    else:
        assert low == first and low_exact, (what, low, first)
    if t == STRING and len(last) > 64:
        # It may be missing only where no character can grow.
        assert high is None or (high > last and len(high) <= 64 and not high_exact), (what, high, last)
        assert high is not None or all(c.encode()[-1] in (0x7F, 0xBF) for c in last[:60].decode(errors="ignore")), what
    else:
        assert high == last and high_exact, (what, high, last)
    if t == STRING:
        low.decode()
        (high or b"").decode()


def check_layout(path, types, columns, page_bytes, compression):
    """The file's structure against the values. Answers how the chunks are written: (encoding, codec), counted."""
    data = open(path, "rb").read()
    foot = layout.footer(data)
    assert foot[1] == 1 and foot[6].startswith(b"ticklog version ")
    assert len(foot[7]) == len(types) and all(order == {1: {}} for order in foot[7])
    schema = foot[2]
    assert schema[0][5] == len(types) == len(schema) - 1
    count = len(columns[0]) if columns else 0
    assert foot[3] == count
    seen = {}
    first = 0
    ends = 4
    codec = pa.Codec("lz4_raw")
    for number, group in enumerate(foot[4]):
        rows = group[3]
        assert rows > 0 and group[7] == number
        assert group[5] == ends, (path, number)
        for t, chunk, values, element in zip(types, group[1], columns, schema[1:]):
            meta = chunk[3]
            what = (path, number, meta[3])
            assert meta[1] == PHYSICAL[t] == element[1] and element[3] == 0 and meta[5] == rows, what
            own = values[first:first + rows]
            assert meta.get(11, meta[9]) == ends, what
            ends += meta[7]
            found = layout.pages(data, chunk, lambda body, size: codec.decompress(body, size).to_pybytes())
            pages = [p for p in found if p.kind == 0]
            assert pages[0].offset == meta[9], what
            has_dictionary = found[0].kind == 2
            assert has_dictionary == (11 in meta), what
            assert compression or meta[4] == 0, what
            assert meta[2] == ([0, 3, 8] if has_dictionary else [0, 3]), what
            stats = [{1: 2, 2: 0, 3: 1}] if has_dictionary else []
            assert meta[13] == stats + [{1: 0, 2: 8 if has_dictionary else 0, 3: len(pages)}], what
            seen[(has_dictionary, meta[4])] = seen.get((has_dictionary, meta[4]), 0) + 1
            s = meta[12]
            assert s[3] == 0, what
            check_extremes(t, own, s.get(6), s.get(5), s.get(8), s.get(7), what)
            # Pages, and the page index.
            at, locations = 0, []
            rising = falling = True
            for p in pages:
                mine = own[at:at + len(p.values)]
                assert [physical_bytes(t, v) for v in mine] == list(p.values) or t in (F32, F64), what
                check_extremes(t, mine, p.statistics.get(6), p.statistics.get(5), p.statistics.get(8), p.statistics.get(7), what)
                locations.append({1: p.offset, 2: p.size, 3: at})
                at += len(p.values)
                assert len(p.values) == 1 or has_dictionary or p.plain_size <= page_bytes, (what, p.plain_size)
            assert at == rows, what
            assert layout.read(data, chunk[4], chunk[4] + chunk[5])[0] == {1: locations}, what
            lows, highs = [p.statistics.get(6) for p in pages], [p.statistics.get(5) for p in pages]
            assert (6 in chunk) == all(v is not None for v in highs), what
            if 6 in chunk:
                index = layout.read(data, chunk[6], chunk[6] + chunk[7])[0]
                assert index[1] == [False] * len(pages) and index[5] == [0] * len(pages), what
                assert index[2] == lows and index[3] == highs, what
                bounds = [extremes(t, own[l[3]:l[3] + len(p.values)]) for l, p in zip(locations, pages)]
                for a, b in zip(bounds, bounds[1:]):
                    for x, y in zip(a, b):
                        rising = rising and key(t)(x) <= key(t)(y)
                        falling = falling and key(t)(x) >= key(t)(y)
                assert index[4] == (1 if rising else 2 if falling else 0), (what, index[4], rising, falling)
        assert group[6] == ends - group[5], (path, number)
        assert group[2] == sum(chunk[3][6] for chunk in group[1]), path
        for chunk in group[1]:
            ends += chunk[5] + chunk.get(7, 0)
        first += rows
    assert first == count, (path, first, count)
    length = struct.unpack("<I", data[-8:-4])[0]
    assert ends == len(data) - 8 - length, path
    return seen


def check_readers(path, names, types, columns, bits=None, filters=()):
    """pyarrow and duckdb against the values; `bits`: the cells, by column, for floats bit by bit."""
    file = pq.ParquetFile(path)
    count = len(columns[0]) if columns else 0
    assert file.metadata.num_rows == count and file.metadata.num_columns == len(types), path
    table = file.read()
    assert table.column_names == names, path
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    relation = connection.sql("select * from read_parquet(?)", params=[path])
    assert [str(t) for t in relation.types] == [DUCK[t] for t in types], (path, relation.types)
    ducks = list(zip(*relation.fetchall())) or [() for _ in types]
    for i, t in enumerate(types):
        field = table.schema.field(i)
        assert field.type == ARROW[t] and not field.nullable, (path, names[i], field)
        same_lists(table.column(i).to_pylist(), columns[i], path, names[i], "pyarrow")
        same_lists(list(ducks[i]), columns[i], path, names[i], "duckdb")
        if bits is not None and t in (F32, F64) and count:
            mine = b"".join(bits[i])
            assert table.column(i).to_numpy().tobytes() == mine, (path, names[i], "bits")
    # Statistics as pyarrow tells them.
    first = 0
    for g in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(g)
        for i, t in enumerate(types):
            own = columns[i][first:first + group.num_rows]
            wanted, s = extremes(t, own), group.column(i).statistics
            if wanted is None:
                assert not s.has_min_max, (path, names[i])
            elif t != STRING or max(len(v.encode()) for v in wanted) <= 64:
                assert s.has_min_max and s.null_count == 0, (path, names[i])
                assert same(s.min, wanted[0]) and same(s.max, wanted[1]), (path, names[i], s.min, s.max, wanted)
        first += group.num_rows
    # Filters go by statistics.
    for i, v in filters:
        t = types[i]
        # To duckdb a NaN is the greatest of all, and equal to itself.
        order = (lambda x: math.inf if x != x else x) if t in (F32, F64) else key(t)
        if is_nan(v) or t == BOOL:
            continue
        for sign, test in (("<", lambda x: order(x) < order(v) and not is_nan(x)), ("=", lambda x: x == v),
                           (">=", lambda x: is_nan(x) or order(x) >= order(v))):
            wanted = sum(1 for x in columns[i] if test(x))
            name = '"' + names[i].replace('"', '""') + '"'
            got = connection.execute(
                'select count(*) from read_parquet(?) where %s %s ?::%s' % (name, sign, DUCK[t]), [path, v]).fetchone()[0]
            assert got == wanted, (path, names[i], sign, v, got, wanted)
        wanted = sum(1 for x in columns[i] if x == v)
        got = pq.read_table(path, filters=[(names[i], "==", pa.scalar(v, ARROW[t]))]).num_rows if names[i] and "." not in names[i] else wanted
        assert got == wanted, (path, names[i], v, got, wanted)


# Vectors.

def parsed(t, v):
    """A value of `cat --format jsonl` as Python has it."""
    if t == F32:
        return float(np.float32(v))
    return float(v) if t == F64 else v


def vector(path):
    name = os.path.basename(path.rstrip("/"))
    cat = subprocess.run([TOOL, "cat", "--format", "jsonl", path], capture_output=True, timeout=SECONDS)
    out = os.path.join(WORK, name + ".parquet")
    converted = subprocess.run([TOOL, "convert", path, out], capture_output=True, timeout=SECONDS)
    if cat.returncode != 0:
        assert converted.returncode != 0 and not os.path.exists(out), (path, cat.returncode, converted.returncode)
        cat = subprocess.run([TOOL, "cat", "--format", "jsonl", "--salvage", path], capture_output=True, timeout=SECONDS)
        converted = subprocess.run([TOOL, "convert", "--salvage", path, out], capture_output=True, timeout=SECONDS)
        assert converted.returncode == 1, (path, converted.returncode, converted.stderr)
        if not os.path.exists(out):
            return "bad"
        compare(path, cat.stdout, out)
        return "salvaged"
    if b"no UTF-8" in converted.stderr:
        return "bytes"
    assert converted.returncode == 0, (path, converted.stderr)
    compare(path, cat.stdout, out)
    return "good"


def compare(path, lines, out):
    """What `cat` printed with a file, which is removed."""
    schema = pq.ParquetFile(out).schema_arrow
    names, types = schema.names, [ARROW.index(f.type) for f in schema]
    # Of a run, a table is a part.
    info = subprocess.run([TOOL, "info", "--json", path], capture_output=True, timeout=SECONDS)
    told = json.loads(info.stdout)
    if "columns" in told:
        assert [TYPES[t] for t in types] == [c["type"] for c in told["columns"]], path
        assert names == [c["name"] for c in told["columns"]], path
    columns = [[] for _ in names]
    held = [{BOOL: False, STRING: ""}.get(t, 0.0 if t in (F32, F64) else 0) for t in types]
    for line in lines.decode().splitlines():
        row = json.loads(line)
        assert len(row) == len(names) or not names, path
        for column, t, v, zero in zip(columns, types, row.values(), held):
            # Before a stream's first sample, a file of required columns has zeros.
            column.append(zero if v is None else parsed(t, v))
    # A sample of opaque bytes is zeros as well then, which `cat` does not print.
    check_readers(out, names, types, columns)
    check_layout(out, types, columns, 256 << 10, True)
    os.remove(out)


def vectors(paths):
    counts = {}
    for path in paths:
        result = vector(path)
        counts[result] = counts.get(result, 0) + 1
    print(", ".join("%d %s" % (n, what) for what, n in sorted(counts.items())), "vectors")
    assert counts.get("good", 0) > 0.6 * len(paths) and counts.get("salvaged", 0) > 0


# Tables.

def value(t, cell):
    return cell.decode() if t == STRING else struct.unpack(FORMATS[t], cell)[0]


def edge_cells(t):
    if t == BOOL:
        return [b"\0", b"\1"]
    if t == STRING:
        texts = ["", "a", "é", "\U0010ffff" * 40, "\x7f" * 100, "x" * 63 + "é" + "y", "x" * 64, "x" * 65, "\uffff" * 30,
                 "\0", "a\0b", "z" * 65535, "\ud7ff" * 22 + "b" * 10, "\U0003ffff" * 17]
        return [text.encode() for text in texts]
    n = SIZES[t]
    if t in (F32, F64):
        f = FORMATS[t]
        big = 3.4028234663852886e38 if t == F32 else 1.7976931348623157e308
        cells = [struct.pack(f, v) for v in (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, big, -big)]
        cells += [b"\1" + bytes(n - 1), b"\1" + bytes(n - 2) + b"\x80"]
        quiet = b"\0\0\xc0\x7f" if t == F32 else b"\0\0\0\0\0\0\xf8\x7f"
        odd = b"\1\2\xe0\xff" if t == F32 else b"\1\2\3\4\5\6\xfc\xff"
        return cells + [quiet, odd]
    return [b"\0" * n, b"\xff" * n, b"\xff" * (n - 1) + b"\x7f", b"\0" * (n - 1) + b"\x80", b"\1" + b"\0" * (n - 1)]


def random_cells(t, count, dice):
    """A column, of one of several characters."""
    kind = dice.randrange(7)
    n = SIZES[t]
    draw = (lambda: "".join(dice.choice("abcé€\U00010348\x7f") for _ in range(dice.choice((0, 1, 3, 8, 70, 200)))).encode()) \
        if t == STRING else (lambda: bytes([dice.randrange(2)])) if t == BOOL else (lambda: dice.randbytes(n))
    if kind == 0:
        return [draw() for _ in range(count)]
    if kind == 1:
        return [draw()] * count
    if kind == 2:  # few values
        few = [draw() for _ in range(dice.choice((2, 3, 5, 200)))]
        return [dice.choice(few) for _ in range(count)]
    if kind == 3:  # it stays for a while
        cells = []
        while len(cells) < count:
            cells += [draw()] * dice.choice((1, 2, 7, 8, 9, 15, 16, 17, 100, 1000))
        return cells[:count]
    if kind == 4:
        return [dice.choice(edge_cells(t)) for _ in range(count)]
    if kind == 5 and t not in (BOOL, STRING):  # it rises or falls
        rises = dice.random() < 0.5
        if t in (F32, F64):
            values = [float(i if rises else count - i) for i in range(count)]
            return [struct.pack(FORMATS[t], v) for v in values]
        most = (1 << 8 * n - 1) - 1
        return [struct.pack(FORMATS[t], min(i if rises else count - i, most)) for i in range(count)]
    if t in (F32, F64):
        nan = edge_cells(t)[-1]
        cut = dice.randrange(count + 1)
        return [nan] * cut + [draw() for _ in range(count - cut)]
    return [draw() for _ in range(count)]


def check_table(names, types, cells, options, dice, what):
    """`cells` by column."""
    count = len(cells[0])
    bcsv, out = os.path.join(WORK, "in.bcsv"), os.path.join(WORK, "out.parquet")
    w = Writer([n.encode() for n in names], types, "zoh", "packet-lz4")
    for row in zip(*cells):
        w.row(list(row))
    open(bcsv, "wb").write(w.close())
    words = []
    for name, v in options.items():
        words += ["--" + name, str(v)]
    run("convert", bcsv, out, "--force", *words)
    columns = [[value(t, c) for c in column] for t, column in zip(types, cells)]
    filters = []
    if count and dice is not None:
        for _ in range(3):
            i = dice.randrange(len(types))
            v = dice.choice(columns[i])
            if not (isinstance(v, str) and ("\0" in v or len(v) > 1000)):
                filters.append((i, v))
    # A column of BCSV without a name has one all the same.
    names = [n or "Column_%d" % i for i, n in enumerate(names)]
    check_readers(out, names, types, columns, cells, filters)
    return check_layout(out, types, columns, options.get("page-bytes", 256 << 10), options.get("compression") != "none")


def tables(seed=None, number=40):
    seed = int(seed) if seed is not None else random.SystemRandom().randrange(1 << 32)
    print("tables of seed", seed)
    dice = random.Random(seed)
    seen = {}

    def note(more):
        for k, v in more.items():
            seen[k] = seen.get(k, 0) + v

    types = list(range(12))
    names = [TYPES[t] for t in types]
    # Every edge value of every type, in one row group, and in groups and pages of a few rows.
    longest = max(len(edge_cells(t)) for t in types)
    cells = [[edge_cells(t)[i % len(edge_cells(t))] for i in range(longest)] for t in types]
    for options in ({}, {"row-group-rows": 1}, {"row-group-rows": 5, "page-bytes": 64}, {"compression": "none"}):
        note(check_table(names, types, cells, options, dice, "edges"))
    for count in (0, 1):
        note(check_table(names, types, [c[:count] for c in cells], {}, dice, "%d rows" % count))
    note(check_table(["", "a.b", 'q"', "é", "x" * 300], [3, 4, 9, 11, 0], [c[:9] for c in (cells[3], cells[4], cells[9], cells[11], cells[0])], {}, None, "names"))
    # NaNs alone; zeros of one sign.
    for t in (F32, F64):
        zero, minus = edge_cells(t)[0], edge_cells(t)[1]
        for column in ([edge_cells(t)[-1]] * 20, [zero] * 20, [minus] * 20, [minus, zero] * 10, [zero, edge_cells(t)[-1]] * 10):
            note(check_table(["x"], [t], [column], {"page-bytes": 64}, dice, "zeros"))
    # More different values than a dictionary has entries, or bytes, behind rows that suggest one.
    for t, values in ((7, 70000), (10, 70000), (11, 9000)):
        few = [random_cells(t, 1, random.Random(i))[0] for i in range(50)]
        if t == STRING:
            many = [("%d" % i).encode() + b"y" * 150 for i in range(values)]
        else:
            many = [struct.pack(FORMATS[t], i * 3) for i in range(values)]
        cells = [few[i % 50] for i in range(20000)] + many + many
        seen_here = check_table(["x"], [t], [cells], {}, dice, "overflow")
        # Of i32 and f64, 65535 entries are too few.
        assert list(seen_here)[0][0] is False, seen_here
        note(seen_here)
        # And 5000 are not.
        if t != STRING:
            seen_here = check_table(["x"], [t], [many[:5000] * 20], {"compression": "none"}, dice, "dictionary")
            assert list(seen_here)[0][0] is True, seen_here
    # What comes again too late for LZ4, but not its indices.
    few = [struct.pack("<d", dice.random()) for _ in range(300)]
    seen_here = check_table(["x"], [F64], [[dice.choice(few) for _ in range(20000)] * 5], {}, dice, "both")
    assert seen_here == {(True, 7): 1}, seen_here
    note(seen_here)
    # 2^k values and one: each width of an index.
    for k in range(1, 15):
        for more in (0, 1):
            distinct = (1 << k) + more
            cells = [struct.pack("<I", (i * 7919) % distinct * 77777 & 0xFFFFFFFF) for i in range(max(distinct * 3, 100))]
            note(check_table(["x"], [3], [cells], {"compression": "none", "page-bytes": dice.choice((400, 262144))}, dice, "width"))
    for i in range(int(number)):
        own = [dice.randrange(12) for _ in range(dice.choice((1, 2, 5, 13)))]
        count = dice.choice((1, 7, 8, 9, 100, 1000, 3000))
        options = {}
        if dice.random() < 0.5:
            options["row-group-rows"] = dice.choice((1, 8, 64, 100, 999)) if count <= 1000 else dice.choice((64, 100, 999))
        if dice.random() < 0.5:
            options["row-group-bytes"] = dice.choice((4096, 5000, 65536))
        if dice.random() < 0.6:
            options["page-bytes"] = dice.choice((64, 100, 1000, 10000))
        if dice.random() < 0.3:
            options["compression"] = "none"
        cells = [random_cells(t, count, dice) for t in own]
        try:
            note(check_table(["c%d" % k for k in range(len(own))], own, cells, options, dice, i))
        except Exception:
            print("table", i, [TYPES[t] for t in own], count, options)
            raise
    print("column chunks by (dictionary, codec):", dict(sorted(seen.items())))
    assert len(seen) == 4


# Errors.

def errors():
    def path(name):
        return os.path.join(WORK, name)

    def write(name, data):
        open(path(name), "wb").write(data)
        return path(name)

    def left():
        return [n for n in os.listdir(WORK) if n.startswith(".ticklog") or n.endswith(".parquet")]

    def refused(code, words, *texts, **more):
        done = run("convert", *words, code=code, **more)
        for text in texts:
            assert text in done.stderr.decode(), (words, done.stderr)
        assert left() == [], (words, left())

    out = path("x.parquet")
    text = write("bytes.csv", b"a,b\n1,good\n2,\xff\xfe\n")
    refused(1, [text, out], "bytes.csv", "row 1", "column 'b'", "UTF-8")
    run("convert", text, out, "--binary")
    assert pq.read_table(out).column("b").to_pylist() == [b"good", b"\xff\xfe"]
    assert str(duckdb.sql("select b from '%s'" % out).types[0]) == "BLOB"
    assert duckdb.sql("select a from '%s' where b = '\\xFF\\xFE'::blob" % out).fetchall() == [(2,)]
    # What is there stays, without --force.
    before = open(out, "rb").read()
    done = run("convert", text, out, "--binary", code=2)
    assert b"--force" in done.stderr and open(out, "rb").read() == before
    # It is not read.
    for words in (["convert", out, path("y.csv")], ["cat", out], ["info", out], ["diff", out, out]):
        done = run(*words, code=1)
        assert b"Parquet" in done.stderr, (words, done.stderr)
    done = run("convert", "-", path("y.csv"), code=1, input=before)
    assert b"Parquet" in done.stderr, done.stderr
    os.remove(out)
    refused(1, [write("double.csv", b"a,a\n1,2\n"), out], "two columns 'a'")
    refused(1, [write("ragged.csv", b"a,b\n" + b"1,2\n" * 100 + b"1,2,3\n"), out])
    refused(2, [text, out, "--page-bytes", "1"], "--page-bytes")
    refused(2, [text, out, "--compression", "zstd"], "--compression")
    refused(2, [text, path("y.csv"), "--binary"], "--binary")
    # Types that only a later row tells.
    late = write("late.csv", b"a,b\n" + b"1,2\n" * 300000 + b"70000,text\n")
    run("convert", late, out)
    table = pq.read_table(out)
    assert [str(f.type) for f in table.schema] == ["uint32", "string"] and table.num_rows == 300001, table.schema
    os.remove(out)
    # Through pipes: the same bytes.
    good = write("good.csv", b"t,x\n" + b"".join(b"%d,%d\n" % (i, i * i % 1000) for i in range(5000)))
    run("convert", good, out)
    piped = run("convert", "-", "-", "--to", "parquet", input=open(good, "rb").read()).stdout
    assert piped == open(out, "rb").read()
    os.remove(out)
    # The disk is full, early and late.
    big = write("big.csv", b"a,b\n" + b"".join(b"%d,%f\n" % (i, math.sin(i)) for i in range(100000)))
    for most in (0, 3, 100, 4096, 65536, 600000):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # noqa: B023, E731
        refused(3, [big, out, "--row-group-rows", "30000"], "large", preexec_fn=limit)
    # The same without a limit is longer than all of those.
    run("convert", big, out)
    assert os.path.getsize(out) > 600000
    os.remove(out)
    print("errors: good")


if sys.argv[3] == "vectors":
    vectors(sys.argv[4:])
elif sys.argv[3] == "tables":
    tables(*sys.argv[4:])
else:
    errors()
