"""Reading: `open`, tables, runs and batches."""

from __future__ import annotations

import ctypes
import operator
import os
import sys
import threading
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from . import _arrow, _library, _produce, errors
from ._arrow import FIXED, ArrowArrayStream, Column, Part
from ._frame import Frame, need, no_column

if TYPE_CHECKING:
    import datetime

    import numpy
    import polars
    import pyarrow

    Path = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]

_END = 2**64 - 1
_MESSAGE_BYTES = 8192
# What is made in one piece, without a copy: as many bytes, and so many rows, as the library allows.
_PIECE_BYTES = 1 << 30
_MOST_ROWS = (2**31 - 1) // 8


class _Choice(NamedTuple):
    """What of a file is read."""

    path: str
    salvage: bool = False
    events: bool = False
    stream: Optional[str] = None
    dictionary: bool = False
    binary: bool = False
    columns: Optional[Tuple[str, ...]] = None
    first: int = 0
    most: Optional[int] = None
    start: int = 0
    stop: Optional[int] = None
    threads: int = 0


class _State:
    """What the tables of one `open` share."""

    __slots__ = ("closed", "lock")

    def __init__(self) -> None:
        self.closed = False
        self.lock = threading.RLock()


def _open_into(choice: _Choice, names: Optional[Sequence[str]], rows: int, binary: bool, dictionary: bool, out: Any) -> None:
    config = _library.ArrowConfig()
    config.size = ctypes.sizeof(config)
    config.flags = (
        (_library.ARROW_SALVAGE if choice.salvage else 0)
        | (_library.ARROW_EVENTS if choice.events else 0)
        | (0 if dictionary else _library.ARROW_NO_DICTIONARY)
        | (_library.ARROW_BINARY if binary else 0)
    )
    if choice.stream is not None:
        config.stream = _name(choice.stream)
    if names is not None:
        config.columns = (ctypes.c_char_p * max(len(names), 1))(*map(_name, names))
        config.column_count = len(names)
    config.batch_rows = rows
    config.first_row = choice.first
    config.row_count = choice.most or 0
    config.from_tick = choice.start
    config.to_tick = 0 if choice.stop is None else choice.stop
    config.threads = choice.threads
    message = ctypes.create_string_buffer(_MESSAGE_BYTES)
    config.message, config.message_bytes = ctypes.addressof(message), len(message)
    status = _library.function("ticklog_arrow_open")(_library.path_bytes(choice.path), config, ctypes.addressof(out))
    if status != 0:
        text = message.value.decode("utf-8", "replace")
        raise errors.make(status, text or f"{choice.path}: {_library.status_text(status)}", choice.path)


def _name(text: str) -> bytes:
    if "\0" in text:
        raise errors.argument(f"{text!r}: found a NUL, expected a name")
    return text.encode("utf-8", "surrogateescape")


class Table(Frame):
    """The rows of a file, or some of them. Made by `open`; nothing is read before it is asked for.

    ``table["a"]`` is a column, ``table[10]`` a row, ``table[10:20]`` and ``table[["a", "b"]]`` are tables again. So are
    `rows`, `ticks` and `time`. Iterating gives rows as dicts; `batches` gives pieces that fit into memory.

    A table may be used by several threads: each call reads for itself. After `close`, or at the end of ``with``, a call
    raises `ClosedError`; what was read before stays good.
    """

    def __init__(self, choice: _Choice, state: Optional[_State] = None, schema: Any = None):
        self._choice = choice
        self._state = state or _State()
        self._schema: Optional[_arrow.Schema] = None
        self._run: Dict[str, str] = {}
        # The stream that `open` has made to learn the columns: the first who reads takes it.
        self._fresh: Optional[_arrow.Stream] = None
        self._count: Optional[int] = None
        if schema is not None:
            self._schema, self._run = schema
        else:
            self._learn()

    def _learn(self) -> None:
        self._fresh = self._stream(self._choice.columns, _MOST_ROWS, self._choice.binary)
        self._run = self._fresh.metadata
        self._schema = self._fresh.schema

    # Files.

    def _check(self) -> None:
        if self._state.closed:
            raise errors.ClosedError(f"{self.path}: the table is closed")

    def _stream(self, names: Optional[Sequence[str]], rows: int, binary: bool) -> _arrow.Stream:
        self._check()
        raw = ArrowArrayStream()
        _open_into(self._choice, names, rows, binary, False, raw)
        return _arrow.Stream(raw, self.path, as_text=not self._choice.binary, is_text=not binary)

    def _columns(self) -> Sequence[Column]:
        self._check()
        assert self._schema is not None
        return self._schema.columns

    def _raw_names(self, names: Sequence[str]) -> Optional[List[str]]:
        """The names as the file has them; None if one of them is not the first of its name."""
        wanted = dict(zip(self.columns, (column.name for column in self._columns())))
        return None if any(wanted[name] != name for name in names) else list(names)

    def _parts(self, columns: Optional[Sequence[str]] = None, rows: Optional[int] = None) -> Iterator[Part]:
        schema = self._columns()
        if self._choice.most == 0:
            return
        names, indices = self._indices(columns)
        every = indices == list(range(len(schema)))
        raw = None if every and self._choice.columns is None else self._raw_names(names)
        project = raw is None and not every
        if raw is None and self._choice.columns is not None:
            raw = list(self._choice.columns)
        if rows is None:
            rows = self._piece_rows()
        stream = None
        with self._state.lock:
            self._check()
            if every and rows == _MOST_ROWS:
                stream, self._fresh = self._fresh, None
        if stream is None:
            stream = self._stream(raw, rows, self._choice.binary)
        done = 0
        try:
            for part in stream:
                self._check()
                done += part.length
                yield part.choose(indices) if project else part
            return
        except errors.DamagedError:
            if not stream.found_no_text:
                raise
        # Python takes such texts too.
        for part in self._stream(raw, rows, True):
            self._check()
            skipped = min(done, part.length)
            done -= skipped
            if skipped < part.length:
                part = part.slice(skipped, part.length - skipped)
                yield part.choose(indices) if project else part

    def _piece_rows(self) -> int:
        """As many rows as may be made in one piece."""
        if _bytes_of(self.path) <= _PIECE_BYTES:
            return _MOST_ROWS
        width = sum(FIXED[c.format][1] or 1 if c.format in FIXED else 32 for c in self._columns()) or 1
        return min(max(1024, _PIECE_BYTES // width), _MOST_ROWS)

    @property
    def path(self) -> str:
        return self._choice.path

    @property
    def closed(self) -> bool:
        return self._state.closed

    def close(self) -> None:
        """Ends the use of the table, and of all that were made of it. Arrays and frames that it gave stay good."""
        with self._state.lock:
            self._state.closed = True
            self._fresh = None

    def __enter__(self) -> "Table":
        self._check()
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._state.closed:
            return f"<{type(self).__name__} of {self.path}, closed>"
        shown = ", ".join(map(repr, self._columns()[:8])) + (" ..." if len(self._columns()) > 8 else "")
        return f"<{type(self).__name__} of {self.path}: {len(self._columns())} columns, {shown}>"

    @property
    def format(self) -> str:
        """Of the files: bcsv, dlf, csv, jsonl, frames, bms or rnog."""
        return self._run.get("format", "")

    # How many rows.

    def __len__(self) -> int:
        """How many rows there are, where the file tells without being read: of a BCSV file. Otherwise TypeError; `count`
        reads, if it must."""
        count = self._known_count()
        if count is None:
            raise TypeError(f"{self.path}: how many rows there are is not known before they are read; count() reads them")
        return count

    def count(self) -> int:
        """How many rows there are; reads them if the file does not say. Time then: that of reading one column."""
        count = self._known_count()
        if count is None:
            count = sum(part.length for part in self._parts(self.columns[:1], rows=65536))
        return count

    def _known_count(self) -> Optional[int]:
        self._check()
        choice = self._choice
        if choice.most == 0:
            return 0
        if choice.salvage or choice.start or choice.stop is not None or choice.stream is not None or self.format != "bcsv":
            return None
        if self._count is None:
            self._count = _count_rows(choice.path)
        if self._count is None:
            return None
        left = max(0, self._count - choice.first)
        return left if choice.most is None else min(left, choice.most)

    # Parts of it.

    def _with(self, **changes: Any) -> "Table":
        self._check()
        return type(self)(self._choice._replace(**changes), self._state, (self._schema, self._run))

    def rows(self, first: int = 0, last: Optional[int] = None) -> "Table":
        """Rows `first` to `last`, without that one; counted from 0, in what this table has."""
        first = operator.index(first)
        last = None if last is None else operator.index(last)
        if first < 0 or (last is not None and last < 0):
            count = len(self)
            first = max(0, first + count) if first < 0 else first
            last = max(0, last + count) if last is not None and last < 0 else last
        choice = self._choice
        count_left = None if choice.most is None else max(0, choice.most - first)
        if last is not None:
            wanted = max(0, last - first)
            count_left = wanted if count_left is None else min(wanted, count_left)
        return self._with(first=min(choice.first + first, _END), most=count_left)

    def ticks(self, start: int = 0, stop: Optional[int] = None) -> "Table":
        """The rows with start <= tick < stop. Polled DLF files and the BCSV files of runs are not read before `start`."""
        choice = self._choice
        if choice.first or choice.most is not None:
            raise errors.argument("found ticks of chosen rows, expected ticks first: table.ticks(...)[a:b]")
        start = max(int(start), choice.start)
        ends = [int(end) for end in (stop, choice.stop) if end is not None]
        end = min(ends) if ends else None
        if end is not None and end <= start:
            return self._with(most=0)
        return self._with(start=start, stop=end)

    def time(self, start: Any = None, stop: Any = None) -> "Table":
        """The rows of a run from one time to another: datetimes (without a time zone they are UTC), texts as
        ``2026-01-31T12:00:00``, or seconds since the Unix epoch. By `epoch_ns` and `tick_ns`; corrections that a run has
        as `ticklog.clock` events are not taken into account."""
        tick_ns, epoch_ns = self.tick_ns, self.epoch_ns
        if tick_ns is None or epoch_ns is None:
            raise errors.UnsupportedError(f"{self.path}: found no time of tick 0, expected a run that knows it")
        first = 0 if start is None else -((epoch_ns - _nanoseconds(start)) // tick_ns)
        last = None if stop is None else max(0, -((epoch_ns - _nanoseconds(stop)) // tick_ns))
        return self._with(most=0) if last == 0 else self.ticks(max(0, first), last)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            if key not in self.columns:
                raise no_column(key, self.columns)
            try:
                import numpy  # noqa: F401
            except ImportError:
                return self.to_dict([key])[key]
            return self.to_numpy([key])[key]
        if isinstance(key, slice):
            if key.step not in (None, 1):
                raise errors.argument(f"found a step of {key.step}, expected none: slice what to_numpy() or to_pandas() gives")
            return self.rows(0 if key.start is None else key.start, key.stop)
        if hasattr(key, "__index__"):
            key = operator.index(key)
            rows = list(self.rows(key, key + 1 if key != -1 else None))
            if not rows:
                raise IndexError(f"{self.path}: there is no row {key}")
            return rows[0]
        if isinstance(key, (list, tuple)):
            names, indices = self._indices(list(key))
            raw = self._raw_names(names)
            if raw is None:
                raise errors.UnsupportedError(f"{self.path}: several columns have one name; choose when converting: to_pandas([...])")
            schema = self._columns()
            return type(self)(self._choice._replace(columns=tuple(raw)), self._state, (_arrow.Schema.of([schema[i] for i in indices]), self._run))
        raise TypeError(f"found {type(key).__name__}, expected a column, a list of columns, a row or a slice of rows")

    def head(self, count: int = 5) -> Any:
        """The first rows, as pandas shows them, or as a list of dicts without pandas."""
        table = self.rows(0, count)
        try:
            return table.to_pandas()
        except errors.LibraryError:
            return list(table)

    def batches(self, rows: int = 65536) -> Iterator["Batch"]:
        """The table in pieces of at most so many rows, one of which is in memory at a time."""
        if rows < 1:
            raise errors.argument(f"found {rows} rows, expected at least 1")
        return _Batches(self, min(rows, _MOST_ROWS))

    # For other packages.

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """For pyarrow, polars, pandas, duckdb and others: the table as a stream of batches, in the library's memory."""
        return self._export(0)

    def _export(self, rows: int) -> Any:
        """A stream with so many rows in a batch; 0: as the library does."""
        choice = self._choice
        stream = _arrow.allocated(ArrowArrayStream)
        try:
            if choice.most == 0:
                _produce.Producer(
                    [_field(column) for column in self._columns()],
                    iter(()),
                ).export(stream)
            else:
                self._check()
                _open_into(choice, choice.columns, rows, choice.binary, choice.dictionary, stream)
        except BaseException:
            _arrow.free(stream)
            raise
        return _arrow.capsule(stream, b"arrow_array_stream")

    def __arrow_c_schema__(self) -> Any:
        schema = _arrow.allocated(_arrow.ArrowSchema)
        try:
            raw = ArrowArrayStream()
            _open_into(self._choice, self._choice.columns, 0, self._choice.binary, self._choice.dictionary, raw)
            _arrow.Stream(raw, self.path, into=schema).close()
        except BaseException:
            _arrow.free(schema)
            raise
        return _arrow.capsule(schema, b"arrow_schema")

    def to_arrow(self, columns: Optional[Sequence[str]] = None) -> "pyarrow.Table":
        pa = need("pyarrow", "to_arrow")
        table = self if columns is None else self[list(columns)]
        try:
            return pa.RecordBatchReader.from_stream(_Whole(table)).read_all()
        except (pa.ArrowException, OSError) as error:
            raise _of_stream(error, self.path) from None

    def to_polars(self, columns: Optional[Sequence[str]] = None) -> "polars.DataFrame":
        pl = need("polars", "to_polars")
        table = self if columns is None else self[list(columns)]
        try:
            frame: "polars.DataFrame" = pl.DataFrame(_Whole(table))
            return frame
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _of_stream(error, self.path) from None

    # What the run says.

    @property
    def tick_ns(self) -> Optional[int]:
        """The length of a tick; None if the file does not know."""
        self._check()
        return int(self._run["tick_ns"]) if "tick_ns" in self._run else None

    @property
    def epoch_ns(self) -> Optional[int]:
        """The Unix time of tick 0 in nanoseconds; None if it is unknown."""
        self._check()
        return int(self._run.get("epoch_ns", "0")) or None

    @property
    def epoch(self) -> Optional["datetime.datetime"]:
        """The time of tick 0, in UTC, to the microsecond; None if it is unknown."""
        import datetime

        if self.epoch_ns is None:
            return None
        zero = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return zero + datetime.timedelta(microseconds=self.epoch_ns // 1000)

    def info(self) -> Dict[str, Any]:
        """What ``ticklog info --json`` tells about the file."""
        from . import reports

        self._check()
        return reports.info(self.path)

    def plot(self, columns: Union[str, Sequence[str], None] = None, **options: Any) -> Any:
        """Draws columns over their rows, ticks or time; see `ticklog.plotting.plot`. Needs matplotlib."""
        from .plotting import plot

        return plot(self, columns, **options)


class Run(Table):
    """A run: a table of its polled samples, and all the rest that was recorded."""

    @property
    def events(self) -> Table:
        """The events in their order; what another stream has is as it was, or missing."""
        self._check()
        choice = self._choice
        return Table(_Choice(self.path, choice.salvage, True, None, choice.dictionary, choice.binary, threads=choice.threads), self._state)

    @property
    def streams(self) -> Mapping[str, Table]:
        """The streams by name; each is a table of its own samples at their ticks, with their time."""
        self._check()
        return Streams(self)

    @property
    def meta(self) -> Dict[str, Any]:
        """What the run says of itself: run_id, epoch_ns, tick_ns, whether it was closed, the streams, and the user's own values
        as `user`. No samples are read; what they tell, `info` has."""
        from . import reports

        self._check()
        told = reports.meta(self.path)
        return {key: value for key, value in told.items() if key not in ("damage", "path", "size")}

    @property
    def loss(self) -> List["Loss"]:
        """Which samples were lost, and why."""
        return [
            Loss(lost["name"], lost["reason_text"], lost["first_tick"], lost["last_tick"], lost["samples"])
            for lost in self.info().get("losses", [])
        ]


class Loss(NamedTuple):
    """A range of samples that a run has declared lost."""

    stream: str
    reason: str
    first_tick: int
    last_tick: int
    samples: int


class Streams(Mapping[str, Table]):
    """The streams of a run, by name."""

    def __init__(self, run: Run):
        self._of = run
        told = [s for s in run.meta.get("streams", []) if s.get("kind") != "builtin"]
        self._names = _arrow.unique([s["name"] for s in told])
        self._events = {name: s.get("kind") != "poll" for name, s in zip(self._names, told)}

    def __getitem__(self, name: str) -> Table:
        if name not in self._events:
            raise errors.ColumnError(f"{self._of.path}: found the stream {name!r}, expected one of: {', '.join(self._names)}")
        choice = self._of._choice
        return Table(_Choice(choice.path, choice.salvage, self._events[name], name, choice.dictionary, choice.binary, threads=choice.threads), self._of._state)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<Streams: {', '.join(self._names)}>"


class Batch(Frame):
    """Some rows of a table, in memory."""

    def __init__(self, part: Part):
        self._part = part

    def _columns(self) -> Sequence[Column]:
        return self._part.columns

    def _parts(self, columns: Optional[Sequence[str]] = None, rows: Optional[int] = None) -> Iterator[Part]:
        _, indices = self._indices(columns)
        yield self._part if columns is None else self._part.choose(indices)

    def __len__(self) -> int:
        return self._part.length

    def __repr__(self) -> str:
        return f"<Batch: {len(self)} rows, {len(self._columns())} columns>"

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self.to_numpy([key])[key] if "numpy" in sys.modules else self.to_dict([key])[key]
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step != 1:
                raise errors.argument(f"found a step of {step}, expected none")
            return Batch(self._part.slice(start, max(0, stop - start)))
        if hasattr(key, "__index__"):
            key = operator.index(key)
            at = key + len(self) if key < 0 else key
            if not 0 <= at < len(self):
                raise IndexError(f"there is no row {key}")
            return next(iter(Batch(self._part.slice(at, 1))))
        raise TypeError(f"found {type(key).__name__}, expected a column, a row or a slice of rows")

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._export(range(len(self._part.columns)))

    def _export(self, indices: Sequence[int]) -> Any:
        fields, pieces = [], []
        for i in indices:
            values = self._part.values(i)
            if values.column.type == "string" and not values.is_unicode():
                raise errors.make(-41, f"column {values.column.name}: found bytes that are no UTF-8, expected text; binary=True opens them as bytes")
            fields.append(_field(values.column))
            pieces.append(_produce.Piece(values.buffers, values.owner, -1 if values.null_count else 0, values.offset))
        stream = _arrow.allocated(ArrowArrayStream)
        _produce.Producer(fields, iter([(self._part.length, pieces)])).export(stream)
        return _arrow.capsule(stream, b"arrow_array_stream")

    def to_arrow(self, columns: Optional[Sequence[str]] = None) -> "pyarrow.Table":
        pa = need("pyarrow", "to_arrow")
        return pa.table(_Chosen(self, columns))

    def to_polars(self, columns: Optional[Sequence[str]] = None) -> "polars.DataFrame":
        pl = need("polars", "to_polars")
        frame: "polars.DataFrame" = pl.DataFrame(_Chosen(self, columns))
        return frame


class _Whole:
    """A table of which all is wanted at once: what is decoded into one piece takes the least time and memory."""

    def __init__(self, table: Table):
        self._of = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._of._export(self._of._piece_rows() if self._of.format == "bcsv" else 0)


class _Chosen:
    """Some columns of a batch, for other packages."""

    def __init__(self, batch: Batch, columns: Optional[Sequence[str]]):
        self._of = batch
        self._at = batch._indices(columns)[1]

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._of._export(self._at)


def _field(column: Column) -> _produce.Field:
    return _produce.Field(column.name.encode("utf-8", "surrogateescape"), column.format.encode(), column.nullable)


class _Batches:
    """The batches of a table; may be given up at any time, and closed by another thread."""

    def __init__(self, table: Table, rows: int):
        self._lock = threading.Lock()
        self._parts = table._parts(rows=rows)

    def __iter__(self) -> "_Batches":
        return self

    def __next__(self) -> Batch:
        with self._lock:
            return Batch(next(self._parts))


def _bytes_of(path: str) -> int:
    try:
        if not os.path.isdir(path):
            return os.stat(path).st_size
        with os.scandir(path) as entries:
            return sum(entry.stat().st_size for entry in entries)
    except OSError:
        return 0


def _count_rows(path: str) -> Optional[int]:
    """How many rows a BCSV file has, by its footer or its packets' headers."""
    polled = path
    if os.path.isdir(path):
        names = [name for name in os.listdir(path) if name.lower().startswith("polled.bcs") or name.lower().startswith("polled.")]
        if len(names) != 1:
            return None
        polled = os.path.join(path, names[0])
    library = _library.library()
    reader = ctypes.c_void_p()
    if library.ticklog_reader_open_path(_library.path_bytes(polled), 0, ctypes.byref(reader)) != 0:
        return None
    try:
        rows = ctypes.c_uint64()
        return int(rows.value) if library.ticklog_reader_rows(reader, ctypes.byref(rows)) == 0 else None
    finally:
        library.ticklog_reader_close(reader)


def _of_stream(error: BaseException, path: str) -> errors.Error:
    if isinstance(error, errors.Error):
        return error
    return _arrow.stream_error(getattr(error, "errno", None) or 0, str(error), path)


def _nanoseconds(moment: Any) -> int:
    """The Unix time of what may be a datetime, a text, pandas' or numpy's time, or seconds."""
    import datetime

    if isinstance(moment, str):
        moment = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    if isinstance(moment, datetime.datetime):
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.timezone.utc)
        since = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        nanoseconds = getattr(moment, "nanosecond", 0)
        microseconds: int = (since.days * 86400 + since.seconds) * 1000000 + since.microseconds
        return microseconds * 1000 + int(nanoseconds)
    if getattr(getattr(moment, "dtype", None), "kind", "") == "M":
        return int(moment.astype("datetime64[ns]").astype("int64"))
    if isinstance(moment, int):
        return moment * 1000000000
    if isinstance(moment, float):
        return round(moment * 1e6) * 1000  # a float has no more digits
    raise TypeError(f"found {type(moment).__name__}, expected a datetime, a text or seconds")


def open(
    path: "Path",
    salvage: bool = False,
    events: bool = False,
    stream: Optional[str] = None,
    columns: Optional[Sequence[str]] = None,
    *,
    dictionary: bool = False,
    binary: bool = False,
    threads: int = 0,
) -> Table:
    """Opens any file that TickLog reads: BCSV, a run's directory or archive, DLF, CSV, JSON Lines, received frames, BMS logs,
    RNO-G packets. What it is, its content says.

    Of a run it is the polled samples; ``events=True`` opens the events, and `stream` one stream with its own ticks.

    - `salvage`: go on behind damage. Otherwise reading ends there with `DamagedError`.
    - `columns`: only these.
    - `dictionary`: texts that repeat go to Arrow as dictionaries.
    - `binary`: texts are bytes. Otherwise bytes that are no UTF-8 become half surrogates, as in file names; Arrow, which has
      no place for these, then raises `DamagedError`.
    - `threads`: that decode a closed BCSV file of more than a few MB, at most; 1: only the one that calls. Otherwise as many as
      there are processors, at most 4.

    >>> import ticklog
    >>> ticklog.write("speed.bcsv", {"t": [0, 1, 2], "v": [0.5, 1.5, 2.5], "gear": ["N", "1", "1"]})
    >>> with ticklog.open("speed.bcsv") as table:
    ...     print(table.columns, len(table), table[1:].to_dict()["v"])
    ['t', 'v', 'gear'] 3 [1.5, 2.5]
    """
    name = os.fsdecode(path)
    chosen = None if columns is None else tuple([columns] if isinstance(columns, str) else columns)
    if not 0 <= threads < 2**32:
        raise errors.argument(f"found {threads} threads, expected 0 or more")
    choice = _Choice(name, salvage, events, stream, dictionary, binary, chosen, threads=threads)
    if events or stream is not None:
        return Table(choice)
    table = Table(choice)
    if "run_id" in table._run:
        table.__class__ = Run
    return table
