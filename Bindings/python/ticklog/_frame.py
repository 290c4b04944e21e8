"""Conversions that a table and a batch of it share."""

from __future__ import annotations

import ctypes
import itertools
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Sequence, Tuple

from . import errors
from ._arrow import FIXED, TEXTS, Column, Part, Values, unique

if TYPE_CHECKING:
    import numpy
    import pandas
    import polars
    import pyarrow


def need(name: str, what: str) -> Any:
    """An optional package."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        if getattr(error, "name", None) != name:
            raise
        raise errors.LibraryError(f"{what} needs {name}: pip install {name}") from None


class Grown:
    """Values of a column that come piece by piece; memory grows in place, and is not touched before it is filled."""

    __slots__ = ("count", "gone", "np", "values")

    def __init__(self, np: Any, capacity: int, dtype: Any):
        self.np = np
        self.count = 0
        self.values = np.empty(capacity, dtype)
        self.gone: Any = None

    def add(self, values: Any, gone: Any) -> None:
        end = self.count + len(values)
        if end > len(self.values):
            self.values.resize(max(end, len(self.values) * 3 // 2), refcheck=False)
            if self.gone is not None:
                self.gone.resize(len(self.values), refcheck=False)
        self.values[self.count : end] = values
        if gone is not None and self.gone is None:
            self.gone = self.np.zeros(len(self.values), self.np.bool_)
        if self.gone is not None:
            self.gone[self.count : end] = False if gone is None else gone
        self.count = end

    def done(self) -> Tuple[Any, Any]:
        self.values.resize(self.count, refcheck=False)
        if self.gone is not None:
            self.gone.resize(self.count, refcheck=False)
        return self.values, self.gone


def merged(
    np: Any, columns: Sequence[Column], parts: Iterator[Part], texts: Sequence[Any]
) -> Tuple[List[Tuple[Any, Any]], int, List[Tuple[int, int, Any]]]:
    """Of each column its values and where there are none; the rows; and which columns are rows of one array. What comes in one
    piece stays where it is. A column with something in `texts` is given to that, and is (None, None) here."""
    head = list(itertools.islice(parts, 2))
    rows = 0
    if len(head) < 2:
        pairs: List[Tuple[Any, Any]] = []
        stacks = head[0].stacks(np) if head else []
        stacked = {first: (end, array) for first, end, array in stacks}
        for i, column in enumerate(columns):
            if i < len(pairs):
                continue
            if i in stacked:
                pairs += [(values, None) for values in stacked[i][1]]
                continue
            values = head[0].values(i) if head else None
            if texts[i] is not None:
                if values is not None:
                    texts[i].add(values, False)
                pairs.append((None, None))
            elif values is None:
                pairs.append((np.empty(0, object if column.dictionary or column.format in TEXTS else FIXED[column.format][2]), None))
            else:
                pairs.append((_to_numpy(np, values), values.mask(np)))
        return pairs, head[0].length if head else 0, stacks
    grown: List[Optional[Grown]] = [None] * len(columns)
    while True:
        part = head.pop(0) if head else next(parts, None)
        if part is None:
            break
        piece = None
        for i in range(len(columns)):
            values = part.values(i)
            if texts[i] is not None:
                texts[i].add(values, True)
                continue
            piece = _to_numpy(np, values)
            held = grown[i]
            if held is None:
                held = grown[i] = Grown(np, 4 * part.length, piece.dtype)
            held.add(piece, values.mask(np))
        rows += part.length
        # It goes before the next one comes.
        del part, values, piece
    return [(None, None) if held is None else held.done() for held in grown], rows, []


def _to_numpy(np: Any, values: Values) -> Any:
    """A column of a batch. Many texts become objects by pyarrow, if it is there: each different one once, if they repeat."""
    if values.length < 20000 or values.column.type != "string" or values.column.dictionary is not None:
        return values.to_numpy(np)
    try:
        import pyarrow as pa
    except ImportError:
        return values.to_numpy(np)
    array = _arrow_texts(pa, values.column, values, False)
    if array is None:
        return values.to_numpy(np)
    if array.null_count == 0 and len(array[:4096].unique()) <= 1024:
        encoded = array.dictionary_encode()
        words = np.empty(len(encoded.dictionary), object)
        words[:] = encoded.dictionary.to_pylist()
        return words[encoded.indices.to_numpy()]
    return array.to_numpy(zero_copy_only=False)


class Texts:
    """A column of texts for pandas: pyarrow's where there is one and they are UTF-8, otherwise objects."""

    def __init__(self, np: Any, pd: Any, pa: Any, column: Column):
        self.np, self.pd, self.pa, self.column = np, pd, pa, column
        self.chunks: List[Any] = []
        self.objects: Optional[List[Any]] = None if pa is not None and column.dictionary is None else []

    def add(self, values: Values, copied: bool) -> None:
        if self.objects is None:
            chunk = _arrow_texts(self.pa, self.column, values, copied)
            if chunk is not None:
                self.chunks.append(chunk)
                return
            self.objects = [text for chunk in self.chunks for text in chunk.to_pylist()]
            self.chunks = []
        self.objects += values.to_list()

    def done(self) -> Any:
        np, pd, pa = self.np, self.pd, self.pa
        if self.objects is None:
            array = pa.chunked_array(self.chunks, _text_type(pa, self.column))
            dtype = pd.Series(["a"]).dtype
            # Before its version 3 pandas has objects for texts.
            return array.to_pandas() if dtype == object else dtype.__from_arrow__(array)
        result = np.empty(len(self.objects), object)
        result[:] = self.objects
        # pandas' own texts are UTF-8.
        return result if all(map(_is_unicode, self.objects)) else pd.Series(result, dtype=object)


def _is_unicode(text: Any) -> bool:
    try:
        return text is None or text.isascii() or bool(text.encode())
    except (UnicodeEncodeError, AttributeError):
        return False


class Frame:
    """Rows and columns: a `Table`, which reads its file when it is asked, or a `Batch`, which is in memory."""

    # Filled by those that are frames.
    def _columns(self) -> Sequence[Column]:
        raise NotImplementedError

    def _parts(self, columns: Optional[Sequence[str]] = None, rows: Optional[int] = None) -> Iterator[Part]:
        raise NotImplementedError

    # What there is.

    @property
    def columns(self) -> List[str]:
        """The columns' names, in their order. Of several with one name, the second is called ``name~2``."""
        return unique([column.name for column in self._columns()])

    @property
    def types(self) -> Dict[str, str]:
        """The type of each column: bool, u8 to u64, i8 to i64, f32, f64, string or bytes."""
        return dict(zip(self.columns, (column.type for column in self._columns())))

    @property
    def units(self) -> Dict[str, str]:
        """The unit of each column that has one."""
        pairs = zip(self.columns, self._columns())
        return {name: column.metadata["unit"] for name, column in pairs if "unit" in column.metadata}

    def _indices(self, columns: Optional[Sequence[str]]) -> Tuple[List[str], List[int]]:
        names = self.columns
        if columns is None:
            return names, list(range(len(names)))
        if isinstance(columns, str):
            columns = [columns]
        places = {name: i for i, name in enumerate(names)}
        for name in columns:
            if name not in places:
                raise no_column(name, names)
        return list(columns), [places[name] for name in columns]

    # Conversions.

    def to_dict(self, columns: Optional[Sequence[str]] = None) -> Dict[str, List[Any]]:
        """A list of Python's values for each column; None where there is none. Needs no other package."""
        names, _ = self._indices(columns)
        result: List[List[Any]] = [[] for _ in names]
        for part in self._parts(names):
            for i, values in enumerate(result):
                values += part.values(i).to_list()
        return dict(zip(names, result))

    def to_numpy(self, columns: Optional[Sequence[str]] = None) -> Dict[str, "numpy.ndarray[Any, Any]"]:
        """An array for each column, of the column's own type; strings as objects.

        Columns with missing values are masked arrays. The arrays are yours, to write to and to keep: they hold the memory
        of the table that they came from, if it was not copied.
        """
        np = need("numpy", "to_numpy")
        names, indices = self._indices(columns)
        pairs, _, _ = merged(np, [self._columns()[i] for i in indices], self._parts(names), [None] * len(names))
        return {
            name: values if gone is None else np.ma.MaskedArray(values, gone) for name, (values, gone) in zip(names, pairs)
        }

    def to_pandas(self, columns: Optional[Sequence[str]] = None) -> "pandas.DataFrame":
        """A DataFrame. Numbers lie where the library has put them; strings are pandas' `str`.

        Missing values are NaN in columns of floats and in strings; integers and bools become the nullable `Int64`,
        `boolean` and so on, so that no value is changed.
        """
        np, pd = need("numpy", "to_pandas"), need("pandas", "to_pandas")
        try:
            import pyarrow as pa
        except ImportError:
            pa = None
        names, indices = self._indices(columns)
        described = [self._columns()[i] for i in indices]
        texts = [Texts(np, pd, pa, c) if c.dictionary or c.format in TEXTS else None for c in described]
        pairs, rows, stacks = merged(np, described, self._parts(names), texts)
        data: Dict[int, Any] = {}
        for i, (text, (values, gone)) in enumerate(zip(texts, pairs)):
            if text is not None:
                data[i] = text.done()
            elif gone is None:
                data[i] = values
            elif values.dtype.kind == "f":
                values[gone] = np.nan
                data[i] = values
            elif values.dtype.kind == "b":
                data[i] = pd.arrays.BooleanArray(values.copy(), gone)
            else:
                data[i] = pd.arrays.IntegerArray(values, gone)
        return _data_frame(np, pd, names, data, rows, stacks)

    def to_arrow(self, columns: Optional[Sequence[str]] = None) -> "pyarrow.Table":
        """A table of pyarrow, without a copy."""
        raise NotImplementedError

    def to_polars(self, columns: Optional[Sequence[str]] = None) -> "polars.DataFrame":
        """A DataFrame of polars, without a copy of its numbers."""
        raise NotImplementedError

    # Rows.

    def __iter__(self) -> Iterator[Dict[str, Any]]:
        names = self.columns
        for part in self._parts(rows=4096):
            for start in range(0, part.length, 4096):
                piece = part.slice(start, min(4096, part.length - start))
                for row in zip(*(piece.values(i).to_list() for i in range(len(names)))):
                    yield dict(zip(names, row))

    def __bool__(self) -> bool:
        # Not len(), which may not be known.
        return True


def no_column(name: Any, names: Sequence[str]) -> errors.ColumnError:
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return errors.ColumnError(f"found the column {name!r}, expected one of: {shown}")


def _data_frame(
    np: Any, pd: Any, names: List[str], data: Dict[int, Any], rows: int, stacks: Sequence[Tuple[int, int, Any]]
) -> Any:
    """A DataFrame of columns that stay where they are; those of a stack are one block. Through what pandas offers to packages from its version 3 on, which
    takes a third of the constructor's time for a thousand columns."""
    labels = pd.Index(names, dtype=None if names else object)
    try:
        from pandas.api.internals import create_dataframe_from_blocks as create
    except ImportError:
        create = None
    if create is not None and len(data) > 100 and all(type(values) is np.ndarray and values.dtype.kind in "biuf" for values in data.values()):
        blocks = [(array, np.arange(first, end, dtype=np.intp)) for first, end, array in stacks]
        for first, end, _ in stacks:
            for i in range(first, end):
                del data[i]
        blocks += [(values.reshape(1, -1), np.array([i], np.intp)) for i, values in data.items()]
        return create(blocks, index=pd.RangeIndex(rows), columns=labels)
    frame = pd.DataFrame(data, index=pd.RangeIndex(rows), copy=False)
    frame.columns = labels
    return frame


def _text_type(pa: Any, column: Column) -> Any:
    return pa.large_string() if TEXTS[column.format][1] == 8 else pa.string()


def _arrow_texts(pa: Any, column: Column, values: Values, copied: bool) -> Any:
    """The texts as pyarrow's, where they lie unless `copied`; None if they are no UTF-8."""
    width = TEXTS[column.format][1]
    kind = _text_type(pa, column)
    if values.length == 0:
        return pa.array([], kind)
    end = values.offset + values.length
    size = (ctypes.c_int32 if width == 4 else ctypes.c_int64).from_address((values.buffers[1] or 0) + end * width).value

    def buffer(address: Optional[int], count: int) -> Any:
        if not address or count == 0:
            return pa.py_buffer(b"")
        return pa.py_buffer(ctypes.string_at(address, count)) if copied else pa.foreign_buffer(address, count, values.owner)

    known = buffer(values.buffers[0], (end + 7) // 8) if values.null_count and values.buffers[0] else None
    buffers = [known, buffer(values.buffers[1], (end + 1) * width), buffer(values.buffers[2], size)]
    array = pa.Array.from_buffers(kind, values.length, buffers, -1, values.offset)
    if values.owner.is_text:
        return array
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return None
    return array
