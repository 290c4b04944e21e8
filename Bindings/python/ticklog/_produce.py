"""Columns of Python as an ArrowArrayStream: what `write` takes when nobody else exports it.

Numpy arrays and what has the buffer protocol are handed out where they lie; lists, texts and bools are copied, some rows
at a time.
"""

from __future__ import annotations

import ctypes
import itertools
import sys
from ctypes import POINTER, byref, c_void_p
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from . import errors
from ._arrow import FIXED, GET, LAST_ERROR, NULLABLE, RELEASE, ArrowArray, ArrowArrayStream, ArrowSchema

BATCH_ROWS = 65536

# What consumers still hold: by the number in `private_data`.
_kept: Dict[int, Any] = {}
_numbers = itertools.count(1)


def _keep(thing: Any) -> int:
    number = next(_numbers)
    _kept[number] = thing
    return number


def _release_tree(kind: Any) -> Any:
    def release(address: int) -> None:
        structure = kind.from_address(address)
        for i in range(structure.n_children):
            child = structure.children[i]
            if child and child.contents.release:
                RELEASE(child.contents.release)(ctypes.addressof(child.contents))
        if structure.dictionary and structure.dictionary.contents.release:
            RELEASE(structure.dictionary.contents.release)(ctypes.addressof(structure.dictionary.contents))
        structure.release = None
        _kept.pop(structure.private_data, None)

    return RELEASE(release)


_release_schema = _release_tree(ArrowSchema)
_release_array = _release_tree(ArrowArray)


def _address(callback: Any) -> int:
    return ctypes.cast(callback, c_void_p).value or 0


def _children(kind: Any, count: int) -> Tuple[Any, Any]:
    structures = (kind * max(count, 1))()
    pointers = (POINTER(kind) * max(count, 1))(*[ctypes.pointer(structures[i]) for i in range(count)])
    return structures, pointers


class Field(NamedTuple):
    name: bytes
    format: bytes
    nullable: bool = False


def export_schema(fields: Sequence[Field], out: Any) -> None:
    """Fills `out` with the schema of a table."""
    structures, pointers = _children(ArrowSchema, len(fields))
    for structure, field in zip(structures, fields):
        structure.format, structure.name = field.format, field.name
        structure.flags = NULLABLE if field.nullable else 0
        structure.release, structure.private_data = _address(_release_schema), _keep(field)
    out.format, out.name, out.metadata, out.flags = b"+s", b"", None, 0
    out.n_children, out.children = len(fields), ctypes.cast(pointers, POINTER(POINTER(ArrowSchema)))
    out.dictionary = None
    # ctypes keeps the texts with the structures that it allocated, but not with `out`, which may be somebody's memory.
    texts = (out._objects, fields)
    out.release, out.private_data = _address(_release_schema), _keep((structures, pointers, texts))


class Piece(NamedTuple):
    """Some rows of a column."""

    buffers: Sequence[Optional[int]]
    keep: Any
    nulls: int = 0
    offset: int = 0
    moved: Optional[ArrowArray] = None  # an array of somebody else's, which goes along as it is


def export_batch(length: int, pieces: Sequence[Piece], out: Any) -> None:
    """Fills `out` with a record batch."""
    structures, pointers = _children(ArrowArray, len(pieces))
    for structure, piece in zip(structures, pieces):
        if piece.moved is not None:
            ctypes.memmove(byref(structure), byref(piece.moved), ctypes.sizeof(ArrowArray))
            piece.moved.release = None
            continue
        buffers = (c_void_p * len(piece.buffers))(*piece.buffers)
        structure.length, structure.null_count, structure.offset = length, piece.nulls, piece.offset
        structure.n_buffers, structure.buffers = len(piece.buffers), ctypes.cast(buffers, POINTER(c_void_p))
        structure.release, structure.private_data = _address(_release_array), _keep((buffers, piece.keep))
    nothing = (c_void_p * 1)()
    out.length, out.null_count, out.offset, out.n_buffers = length, 0, 0, 1
    out.buffers = ctypes.cast(nothing, POINTER(c_void_p))
    out.n_children, out.children = len(pieces), ctypes.cast(pointers, POINTER(POINTER(ArrowArray)))
    out.dictionary = None
    out.release, out.private_data = _address(_release_array), _keep((structures, pointers, nothing))


class Producer:
    """A stream of batches. What goes wrong in Python is kept in `failure`, as C can tell a text at most."""

    def __init__(self, fields: Sequence[Field], batches: Iterator[Tuple[int, Sequence[Piece]]]):
        self.fields = fields
        self.batches = batches
        self.failure: Optional[BaseException] = None
        self.text = b""

    def export(self, out: Any) -> None:
        out.get_schema, out.get_next = _address(_get_schema), _address(_get_next)
        out.get_last_error, out.release = _address(_get_last_error), _address(_release_stream)
        out.private_data = _keep(self)

    def fail(self, error: BaseException) -> int:
        self.failure = error
        self.text = (str(error) or type(error).__name__).replace("\0", " ").encode("utf-8", "replace")
        return 22  # EINVAL


def _producer(address: int) -> Producer:
    producer: Producer = _kept[ArrowArrayStream.from_address(address).private_data]
    return producer


def _on_schema(stream: int, out: int) -> int:
    producer = _producer(stream)
    try:
        export_schema(producer.fields, ArrowSchema.from_address(out))
    except BaseException as error:
        return producer.fail(error)
    return 0


def _on_next(stream: int, out: int) -> int:
    producer = _producer(stream)
    array = ArrowArray.from_address(out)
    array.release = None
    if producer.failure is not None:
        return 22
    try:
        for length, pieces in producer.batches:
            export_batch(length, pieces, array)
            break
    except BaseException as error:  # KeyboardInterrupt too: C hears of it, and `write` raises it again
        return producer.fail(error)
    return 0


def _on_last_error(stream: int) -> int:
    return ctypes.cast(ctypes.c_char_p(_producer(stream).text), c_void_p).value or 0


def _on_release(stream: int) -> None:
    structure = ArrowArrayStream.from_address(stream)
    structure.release = None
    _kept.pop(structure.private_data, None)


_get_schema, _get_next = GET(_on_schema), GET(_on_next)
_get_last_error, _release_stream = LAST_ERROR(_on_last_error), RELEASE(_on_release)


# Columns.


class Source(NamedTuple):
    """A column that is to be written."""

    format: str
    length: int
    piece: Callable[[int, int], Piece]  # of the rows from .. to
    nullable: bool = False


def _bits(flags: Sequence[Any]) -> bytes:
    packed = bytearray((len(flags) + 7) // 8)
    for i, flag in enumerate(flags):
        if flag:
            packed[i >> 3] |= 1 << (i & 7)
    return bytes(packed)


def _place(data: Any) -> Tuple[int, Any]:
    """Where bytes lie, and what keeps them there."""
    buffer = (ctypes.c_char * len(data)).from_buffer_copy(data) if len(data) else (ctypes.c_char * 1)()
    return ctypes.addressof(buffer), buffer


def _refuse(name: str, found: str, hint: str = "") -> errors.ColumnTypeError:
    more = f" ({hint})" if hint else ""
    return errors.ColumnTypeError(f"column {name}: found {found}, expected bools, integers of up to 64 bits, floats or strings{more}")


def from_list(name: str, values: Sequence[Any]) -> Source:
    """A list, of one kind of values, where None is none. The type is bool, i64 (u64 where it must be), f64 or string."""
    kinds = set(map(type, values))
    kinds.discard(type(None))
    nullable = None in values if kinds != set(map(type, values)) else False
    if not kinds:
        if len(values):
            raise _refuse(name, "only None")
        return Source("g", 0, lambda a, b: Piece([None, None], None))
    scalars = {kind for kind in kinds if kind.__module__ == "numpy" and hasattr(kind, "item")}
    if scalars:
        values = [value.item() if type(value) in scalars else value for value in values]
        return from_list(name, values)
    code = ""
    if kinds == {bool}:
        code = "b"
    elif kinds == {int}:
        known = [value for value in values if value is not None]
        low, high = min(known), max(known)
        if low >= -(2**63) and high < 2**63:
            code = "l"
        elif low >= 0 and high < 2**64:
            code = "L"
        else:
            raise _refuse(name, f"the integer {low if low < -(2**63) else high}")
    elif kinds <= {int, float} and float in kinds:
        for row, value in enumerate(values):
            if type(value) is int and (abs(value) > 2**53 and int(float(value)) != value):
                raise _refuse(name, f"{value} among floats in row {row}", "it is none of them exactly")
        code = "g"
    elif kinds == {str}:
        code = "u"
    elif kinds <= {bytes, bytearray}:
        code = "z"
    else:
        found = " and ".join(sorted(kind.__name__ for kind in kinds))
        raise _refuse(name, found, _hint(kinds))

    def piece(start: int, end: int) -> Piece:
        part = values[start:end]
        known = None
        nulls = 0
        if nullable:
            flags = [value is not None for value in part]
            nulls = len(flags) - sum(flags)
            empty: Any = "" if code == "u" else b"" if code == "z" else 0
            part = [empty if value is None else value for value in part]
            known = _place(_bits(flags)) if nulls else None
        if code in "uz":
            return _texts(name, part, start, code, known, nulls)
        if code == "b":
            data: Any = _bits(part)
        else:
            import array

            data = memoryview(array.array({"l": "q", "L": "Q", "g": "d"}[code], part)).cast("B")
        address, keep = _place(data)
        return Piece([known[0] if known else None, address], (keep, known), nulls)

    return Source(code, len(values), piece, nullable)


def _hint(kinds: Any) -> str:
    names = {kind.__name__ for kind in kinds}
    if names & {"datetime", "Timestamp", "timedelta", "date", "time"}:
        return "make integers of times, or an array of datetime64"
    if "Decimal" in names or "complex" in names:
        return "make floats or strings of them"
    return ""


def _texts(name: str, part: Sequence[Any], start: int, code: str, known: Any, nulls: int) -> Piece:
    import array

    encoded = [text.encode("utf-8", "surrogateescape") for text in part] if code == "u" else part
    sizes = list(map(len, encoded))
    ends = array.array("i", [0])
    try:
        ends.extend(itertools.accumulate(sizes))
    except OverflowError:
        raise errors.TooLargeError(f"column {name}: found 2^31 bytes of text in {len(part)} rows behind row {start}") from None
    offsets, data = _place(memoryview(ends).cast("B")), _place(b"".join(encoded))
    return Piece([known[0] if known else None, offsets[0], data[0]], (offsets, data, known), nulls)


_NUMPY = {
    "b1": "b", "i1": "c", "i2": "s", "i4": "i", "i8": "l", "u1": "C", "u2": "S", "u4": "I", "u8": "L", "f4": "f", "f8": "g",
}  # fmt: skip


def from_numpy(name: str, values: Any, mask: Any = None) -> Source:
    """A numpy array of one dimension; masked ones have nulls."""
    np = sys.modules["numpy"]
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        values = values.data
    if mask is not None and not mask.any():
        mask = None
    kind = values.dtype.kind
    if kind in "OTU":
        listed = values.tolist()
        if mask is not None:
            listed = [None if gone else value for value, gone in zip(listed, mask.tolist())]
        return from_list(name, listed) if listed or kind == "O" else Source("u", 0, lambda a, b: Piece([None, None, None], None))
    if kind == "S":
        return from_list(name, values.tolist())
    code = _NUMPY.get(f"{kind}{values.dtype.itemsize}") or _time_format(np, name, values)
    if code is None:
        raise _refuse(name, f"dtype {values.dtype}", "widen them with .astype('float32')" if values.dtype == np.float16 else "")

    def piece(start: int, end: int) -> Piece:
        part = values[start:end]
        known, nulls = None, 0
        if mask is not None:
            gone = mask[start:end]
            nulls = int(gone.sum())
            known = np.packbits(~gone, bitorder="little") if nulls else None
        if code == "b":
            part = np.packbits(part, bitorder="little")
        elif not part.dtype.isnative:
            part = part.astype(part.dtype.newbyteorder("="))
        part = np.ascontiguousarray(part)
        return Piece([known.ctypes.data if known is not None else None, part.ctypes.data], (part, known), nulls)

    return Source(code, len(values), piece, mask is not None)


def _time_format(np: Any, name: str, values: Any) -> Optional[str]:
    """Times are written as the integers that they are."""
    if values.dtype.kind not in "mM":
        return None
    unit, count = np.datetime_data(values.dtype)
    if count != 1 or unit not in ("s", "ms", "us", "ns"):
        return None
    gone = np.isnat(values)
    if gone.any():
        raise errors.ColumnTypeError(f"column {name}: found NaT in row {int(gone.argmax())}, expected a time: integers have no missing values")
    letter = {"s": "s", "ms": "m", "us": "u", "ns": "n"}[unit]
    return f"ts{letter}:" if values.dtype.kind == "M" else f"tD{letter}"


def from_pyarrow(name: str, values: Any) -> Source:
    """An array or chunked array of pyarrow, or any that has `__arrow_c_array__` and `slice`."""
    pa = sys.modules["pyarrow"]
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
        if isinstance(values, pa.ChunkedArray):  # too large for one
            values = pa.concat_arrays([chunk.cast(pa.large_string()) for chunk in values.chunks])
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_string_view(values.type) or pa.types.is_binary_view(values.type):
        values = values.cast(pa.large_string() if pa.types.is_string_view(values.type) else pa.large_binary())
    schema, array = values.slice(0, 0).__arrow_c_array__()
    from ._arrow import capsule_address

    code = ArrowSchema.from_address(capsule_address(schema, b"arrow_schema")).format.decode()
    if code not in FIXED and code not in ("u", "U", "z", "Z") and not code.startswith("t"):
        raise _refuse(name, str(values.type))

    def piece(start: int, end: int) -> Piece:
        _, taken = values.slice(start, end - start).__arrow_c_array__()
        moved = ArrowArray()
        source = ArrowArray.from_address(capsule_address(taken, b"arrow_array"))
        ctypes.memmove(byref(moved), byref(source), ctypes.sizeof(ArrowArray))
        source.release = None
        return Piece((), None, moved=moved)

    return Source(code, len(values), piece, values.null_count > 0)


def from_pandas(name: str, series: Any) -> Source:
    """A column of pandas. NaN in a column of floats stays the NaN that it is."""
    np = sys.modules["numpy"]
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return _objects(name, series.to_numpy()) if dtype.kind == "O" else from_numpy(name, series.to_numpy())
    if dtype.name == "category":
        series = series.astype(dtype.categories.dtype)
        return from_pandas(name, series)
    numpy_dtype = getattr(dtype, "numpy_dtype", None)
    if numpy_dtype is not None and numpy_dtype.kind in "biuf" and not hasattr(dtype, "pyarrow_dtype"):
        gone = series.isna().to_numpy()
        return from_numpy(name, series.to_numpy(dtype=numpy_dtype, na_value=numpy_dtype.type(0)), gone)
    try:
        import pyarrow

        return from_pyarrow(name, pyarrow.array(series.array, from_pandas=True))
    except ImportError:
        if dtype.name in ("str", "string"):
            gone = series.isna().to_numpy()
            texts = series.to_numpy(dtype=object)
            return from_list(name, [None if lost else text for text, lost in zip(texts.tolist(), gone.tolist())])
        raise _refuse(name, f"dtype {dtype}") from None


def from_polars(name: str, series: Any) -> Source:
    """A column of polars, whose texts are views, which are copied."""
    if series.null_count() == 0 and (series.dtype.is_numeric() or series.dtype.is_temporal() or str(series.dtype) == "Boolean"):
        try:
            import numpy  # noqa: F401
        except ImportError:
            pass
        else:
            return from_numpy(name, series.to_numpy())
    return from_list(name, series.to_list())


def _objects(name: str, values: Any) -> Source:
    """Objects of pandas: NaN among texts is none."""
    listed = values.tolist()
    if any(type(value) is str for value in listed):
        listed = [None if type(value) is float and value != value else value for value in listed]
    return from_list(name, listed)


def column(name: str, values: Any) -> List[Tuple[str, Source]]:
    """The column of any values, or, of an array of two dimensions, its columns name[0], name[1] ..."""
    module = type(values).__module__.partition(".")[0]
    if module == "pandas" and hasattr(values, "dtype"):
        return [(name, from_pandas(name, values))]
    if module == "pyarrow":
        return [(name, from_pyarrow(name, values))]
    if module == "polars" and hasattr(values, "to_list"):
        return [(name, from_polars(name, values))]
    if module == "numpy" and hasattr(values, "dtype"):
        if values.ndim == 2:
            return [(f"{name}[{i}]", from_numpy(f"{name}[{i}]", values[:, i])) for i in range(values.shape[1])]
        if values.ndim != 1:
            raise _refuse(name, f"an array of {values.ndim} dimensions")
        return [(name, from_numpy(name, values))]
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__len__"):
        if hasattr(values, "__iter__") and not isinstance(values, (str, bytes, Mapping)):
            return [(name, from_list(name, list(values)))]
        raise errors.ColumnTypeError(f"column {name}: found {type(values).__name__}, expected an array or a list")
    if isinstance(values, (list, tuple, range)):
        return [(name, from_list(name, list(values)))]
    try:
        view = memoryview(values)
    except TypeError:
        return [(name, from_list(name, list(values)))]
    return [(name, from_buffer(name, view))]


def from_buffer(name: str, view: memoryview) -> Source:
    """What has the buffer protocol, array.array for example."""
    kinds = {**{c: "c s i l".split() for c in "bhilqn"}, **{c: "C S I L".split() for c in "BHILQN"}}
    width = {1: 0, 2: 1, 4: 2, 8: 3}.get(view.itemsize, -1)
    letter = view.format.lstrip("@=<") if sys.byteorder == "little" else view.format.lstrip("@=")
    code = {"f": "f", "d": "g"}.get(letter) or (kinds[letter][width] if letter in kinds and width >= 0 else None)
    if code is None or view.ndim != 1:
        raise _refuse(name, f"a buffer of format {view.format!r}")

    def piece(start: int, end: int) -> Piece:
        address, keep = _place(view[start:end].tobytes())
        return Piece([None, address], keep)

    return Source(code, len(view), piece)


def of_columns(columns: Sequence[Tuple[Any, Any]]) -> Producer:
    """A stream of named columns, which must be of one length."""
    sources: List[Tuple[str, Source]] = []
    for name, values in columns:
        if not isinstance(name, (str, int)):
            raise errors.ColumnTypeError(f"found a column named {name!r}, expected a text")
        sources += column(str(name), values)
    if not sources:
        raise errors.argument("found no columns, expected at least one")
    length = sources[0][1].length
    for name, source in sources:
        if source.length != length:
            raise errors.argument(f"column {name}: found {source.length} values, expected {length} as in column {sources[0][0]}")
        if "\0" in name:
            raise errors.argument(f"column {name!r}: found a NUL in its name")
    fields = [
        Field(name.encode("utf-8", "surrogateescape"), source.format.encode(), source.nullable) for name, source in sources
    ]

    def batches() -> Iterator[Tuple[int, Sequence[Piece]]]:
        step = BATCH_ROWS if len(sources) <= 100 else 8192
        for start in range(0, length, step):
            end = min(start + step, length)
            yield end - start, [source.piece(start, end) for _, source in sources]

    return Producer(fields, batches())


def of_frame(frame: Any) -> Tuple[Optional[Producer], Any]:
    """What exports `frame`: a producer of ours, or an object with `__arrow_c_stream__`."""
    module = type(frame).__module__.partition(".")[0]
    if module == "pandas" and hasattr(frame, "columns"):
        return of_columns([(name, frame.iloc[:, i]) for i, name in enumerate(frame.columns)]), None
    if module == "polars" and hasattr(frame, "iter_columns"):
        return of_columns([(values.name, values) for values in frame.iter_columns()]), None
    if module == "polars" and hasattr(frame, "collect"):
        return of_frame(frame.collect())
    if isinstance(frame, Mapping):
        return of_columns(list(frame.items())), None
    if module == "numpy" and getattr(frame, "dtype", None) is not None and frame.dtype.names:
        return of_columns([(name, frame[name]) for name in frame.dtype.names]), None
    if hasattr(frame, "__arrow_c_stream__"):
        return None, frame
    raise errors.ColumnTypeError(
        f"found {type(frame).__name__}, expected a table: of pandas, polars, pyarrow or duckdb, a dict of columns, a structured "
        "array of numpy, or anything with __arrow_c_stream__"
    )

