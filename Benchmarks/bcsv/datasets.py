"""The benchmark's tables, the same at every run. Columns are numpy arrays, strings lists of bytes."""
import numpy


def _random():
    return numpy.random.Generator(numpy.random.PCG64(20240229))


INTEGERS = {1: ("u1", 0, 200), 2: ("u2", 0, 60000), 3: ("u4", 0, 4 * 10 ** 9), 4: ("u8", 0, 2 ** 63), 5: ("i1", -100, 100),
            6: ("i2", -30000, 30000), 7: ("i4", -2 * 10 ** 9, 2 * 10 ** 9), 8: ("i8", -2 ** 62, 2 ** 62)}
WORDS = [w.encode() for w in ("idle", "heating", "cooling", "fault: over-temperature", "standby", "charging", "maintenance",
                              "Ω-Messung läuft", "", "calibration of sensor 3")]


def _mixed(rows, series):
    """33 columns: 3 bools, 3 of each integer type, 2 float32, 2 float64, 2 strings."""
    rng = _random()
    types = [0] * 3 + [t for t in range(1, 9) for _ in range(3)] + [9] * 2 + [10] * 2 + [11] * 2
    columns = []
    for i, kind in enumerate(types):
        every = (1, 10, 100)[i % 3]  # how often a series changes
        index = numpy.arange(rows) // every
        if kind == 0:
            column = index % 7 == 0 if series else rng.random(rows) < 0.5
        elif kind in INTEGERS:
            code, low, high = INTEGERS[kind]
            if series:
                column = ((index * (i + 1)) % 100 + low // 2).astype(code)
            else:
                column = rng.integers(low, high, rows).astype(code)
        elif kind in (9, 10):
            code = "f4" if kind == 9 else "f8"
            column = numpy.sin(index / 50 + i).astype(code) if series else rng.normal(0, 1e3, rows).astype(code)
        else:
            pick = (index // 20) % len(WORDS) if series else rng.integers(0, len(WORDS), rows)
            column = [WORDS[k] for k in pick.tolist()]
        columns.append(column)
    return types, columns


def _floats(rows, mode):
    rng, n = _random(), 1000
    values = numpy.empty((rows, n), "f4")
    now = rng.normal(0, 10, n).astype("f4")
    for i in range(rows):
        if mode == "noisy":
            now = rng.normal(0, 10, n).astype("f4")
        elif mode == "10 %":
            change = rng.random(n) < 0.1
            now = numpy.where(change, rng.normal(0, 10, n).astype("f4"), now)
        values[i] = now
    return [9] * n, [numpy.ascontiguousarray(values[:, k]) for k in range(n)]


def _sparse(rows):
    """100 columns of all scalar types, of which one or two change in a row."""
    rng = _random()
    types = [(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)[k % 11] for k in range(100)]
    columns = []
    for kind in types:
        changes = numpy.cumsum(rng.random(rows) < 0.015)
        if kind == 0:
            columns.append(changes % 2 == 1)
        elif kind in INTEGERS:
            code, low, high = INTEGERS[kind]
            columns.append(rng.integers(low, high, rows + 1).astype(code)[changes])
        else:
            columns.append(rng.normal(0, 1, rows + 1).astype("f4" if kind == 9 else "f8")[changes])
    return types, columns


def _strings(rows):
    """A counter, a time, a value, and 27 strings of which most change now and then."""
    rng = _random()
    types = [4, 10, 9] + [11] * 27
    columns = [numpy.arange(rows).astype("u8"), numpy.arange(rows) * 0.01, rng.normal(0, 1, rows).astype("f4")]
    for k in range(27):
        every = (1, 5, 50)[k % 3]
        if k % 4 == 0:
            column = [b"%08x-%d" % (v, k) for v in rng.integers(0, 2 ** 32, rows // every + 1).tolist()]
        else:
            column = [WORDS[v] for v in rng.integers(0, len(WORDS), rows // every + 1).tolist()]
        columns.append([column[i // every] for i in range(rows)])
    return types, columns


# name: what makes (types, columns)
ALL = {
    "33 mixed columns, time series": lambda scale: _mixed(20000 // scale, True),
    "33 mixed columns, random": lambda scale: _mixed(20000 // scale, False),
    "1000 float32, noisy": lambda scale: _floats(2000 // scale, "noisy"),
    "1000 float32, 10 % changing": lambda scale: _floats(2000 // scale, "10 %"),
    "1000 float32, idle": lambda scale: _floats(2000 // scale, "idle"),
    "100 sparse columns": lambda scale: _sparse(20000 // scale),
    "30 columns, mostly strings": lambda scale: _strings(10000 // scale),
}


def plain_bytes(types, columns):
    """What the values take without any codec: a string its bytes and a length of two."""
    return sum(sum(map(len, c)) + 2 * len(c) if t == 11 else c.nbytes for t, c in zip(types, columns))
