"""Logging: streams that a run samples, and events."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _library, errors
from ._library import TYPE_BYTES, TYPE_CODES

if TYPE_CHECKING:
    from .table import Path

FORMATS = {"bcsv": 0, "dlf": 1}
ROW_CODECS = {None: 0, "zoh": 1, "flat": 2, "delta": 3}
FILE_CODECS = {None: 0, "packet": 1, "packet-lz4": 2, "batch": 3}
REASONS = ("", "ring full", "late", "busy", "storage")
_STRUCT = dict(zip(("bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64"), "?BHIQbhiqfd"))
_STOP_SECONDS = 10.0
# What runs have between tick and service: Python is not punctual.
RING_BYTES = 1 << 20


class Member(NamedTuple):
    """A field of what is sampled."""

    name: str
    type: str
    length: int
    offset: int
    size: int


class Shape(NamedTuple):
    """Where the fields of a stream lie. Without members it is a single value of `type`."""

    size: int
    type: str
    members: Tuple[Member, ...]


def _parse(text: str, name: str = "") -> Tuple[str, int, int]:
    """A type as text: type, count, bytes.

    >>> _parse("u8"), _parse("f32[3]"), _parse("string:16")
    (('u8', 1, 1), ('f32', 3, 12), ('string', 1, 16))
    """
    count, size = 1, 0
    kind = text
    if text.endswith("]") and "[" in text:
        kind, _, number = text[:-1].partition("[")
        count = int(number) if number.isdigit() else 0
    elif text.startswith("string:"):
        kind, _, number = text.partition(":")
        size = int(number) if number.isdigit() else 0
    if kind not in TYPE_CODES or count < 1 or count > 65535 or (kind == "string" and not 1 <= size <= 65535):
        raise errors.ColumnTypeError(f"{name or 'type'}: found {text!r}, expected bool, u8 to u64, i8 to i64, f32, f64, f32[3] or string:16")
    return kind, count, size or count * TYPE_BYTES[kind]


class Packer:
    """Makes bytes of Python's values, and refuses what does not fit."""

    def __init__(self, fields: Union[str, Mapping[str, str]]):
        single = isinstance(fields, str)
        named = {"": fields} if isinstance(fields, str) else dict(fields)
        members = []
        codes = "<"
        at = 0
        for name, text in named.items():
            kind, count, size = _parse(text, name)
            members.append(Member(name, kind, count, at, size))
            codes += f"{size}s" if kind == "string" else f"{count}{_STRUCT[kind]}"
            at += size
        if not members:
            raise errors.argument("found no fields, expected at least one")
        self.names = list(named)
        self.members = members
        self.struct = struct.Struct(codes)
        only = members[0]
        if single and (only.length > 1 or only.type == "string"):
            members = [only._replace(name="value")]
            single = False
        self.shape = Shape(at, only.type if single else "", () if single else tuple(members))
        self.is_single = self.names == [""]

    def pack(self, value: Any) -> bytes:
        if self.is_single:
            values: Sequence[Any] = [value]
        elif isinstance(value, Mapping):
            if set(value) != set(self.names):
                raise errors.argument(f"found the fields {', '.join(map(str, value))}, expected {', '.join(self.names)}")
            values = [value[name] for name in self.names]
        else:
            values = list(value)
            if len(values) != len(self.names):
                raise errors.argument(f"found {len(values)} values, expected {len(self.names)}: {', '.join(self.names)}")
        flat: List[Any] = []
        for member, one in zip(self.members, values):
            if member.type == "string":
                data = one.encode("utf-8", "surrogateescape") if isinstance(one, str) else bytes(one)
                if len(data) > member.size:
                    raise errors.argument(f"{member.name or 'value'}: found {len(data)} bytes, expected at most {member.size}")
                flat.append(data)
            elif member.length > 1:
                several = list(one)
                if len(several) != member.length:
                    raise errors.argument(f"{member.name or 'value'}: found {len(several)} values, expected {member.length}")
                flat += several
            else:
                flat.append(one)
        try:
            return self.struct.pack(*flat)
        except (struct.error, OverflowError) as error:
            kinds = ", ".join(f"{m.name} {m.type}".strip() for m in self.members)
            raise errors.argument(f"found {value!r}, expected values of {kinds} ({error})") from None


def _c_kind(kind: Any, name: str) -> Tuple[str, int]:
    """Type and count of a type of ctypes."""
    if isinstance(kind, type) and issubclass(kind, ctypes.Array):
        element: Any = kind._type_
        length: Any = kind._length_
        if element is ctypes.c_char:
            return "string", 1
        inner, count = _c_kind(element, name)
        if inner == "string":
            raise errors.ColumnTypeError(f"{name}: found an array of texts, expected single ones")
        return inner, count * int(length)
    code = getattr(kind, "_type_", None)
    if code == "c":
        return "string", 1
    size = ctypes.sizeof(kind)
    if code == "?":
        return "bool", 1
    if isinstance(code, str) and code in "bhilq":
        return f"i{8 * size}", 1
    if isinstance(code, str) and code in "BHILQ":
        return f"u{8 * size}", 1
    if code == "f" or code == "d":
        return f"f{8 * size}", 1
    raise errors.ColumnTypeError(f"{name}: found {kind.__name__}, expected bools, integers, floats, c_char arrays and arrays of these")


def _c_members(kind: Any, prefix: str, base: int) -> List[Member]:
    members = []
    for field in kind._fields_:
        name, inner = field[0], field[1]
        if len(field) > 2:
            raise errors.ColumnTypeError(f"{prefix}{name}: found a bit field, expected whole bytes")
        offset = base + getattr(kind, name).offset
        if issubclass(inner, ctypes.Structure):
            members += _c_members(inner, f"{prefix}{name}_", offset)
        else:
            type_name, count = _c_kind(inner, prefix + name)
            members.append(Member(prefix + name, type_name, count, offset, ctypes.sizeof(inner)))
    return members


def _of_ctypes(source: Any) -> Tuple[Shape, int]:
    kind = type(source)
    if isinstance(source, ctypes.Structure):
        if isinstance(source, (ctypes.BigEndianStructure,)) and sys.byteorder == "little":
            raise errors.ColumnTypeError(f"{kind.__name__}: found big-endian fields, expected little-endian ones")
        return Shape(ctypes.sizeof(kind), "", tuple(_c_members(kind, "", 0))), ctypes.addressof(source)
    type_name, count = _c_kind(kind, kind.__name__)
    size = ctypes.sizeof(kind)
    if count > 1 or type_name == "string":
        return Shape(size, "", (Member("value", type_name, count, 0, size),)), ctypes.addressof(source)
    return Shape(size, type_name, ()), ctypes.addressof(source)


def _numpy_kind(dtype: Any, name: str) -> Tuple[str, int]:
    if dtype.subdtype is not None:
        inner, shape = dtype.subdtype
        count = 1
        for length in shape:
            count *= length
        return _numpy_kind(inner, name)[0], count
    if dtype.kind == "S":
        return "string", 1
    if not dtype.isnative and dtype.itemsize > 1:
        raise errors.ColumnTypeError(f"{name}: found dtype {dtype} of the other byte order, expected this machine's")
    kind = "bool" if dtype.kind == "b" else f"{dtype.kind}{8 * dtype.itemsize}" if dtype.kind in "iuf" else str(dtype)
    if kind not in TYPE_CODES:
        raise errors.ColumnTypeError(f"{name}: found dtype {dtype}, expected bools, integers, floats and S texts")
    return kind, 1


def _of_numpy(source: Any) -> Tuple[Shape, int]:
    if not source.flags.c_contiguous or source.size == 0:
        raise errors.ColumnTypeError("found an array with gaps, or of nothing, expected one whose values lie side by side")
    dtype = source.dtype
    if dtype.names:
        if source.size != 1:
            raise errors.ColumnTypeError(f"found {source.size} structures, expected one: array[i:i+1] is a view of one")
        members = []
        for name in dtype.names:
            inner, offset = dtype.fields[name][:2]
            kind, count = _numpy_kind(inner, name)
            members.append(Member(name, kind, count, offset, inner.itemsize))
        return Shape(dtype.itemsize, "", tuple(members)), source.ctypes.data
    kind, _ = _numpy_kind(dtype, "array")
    if source.size == 1 and kind != "string":
        return Shape(dtype.itemsize, kind, ()), source.ctypes.data
    if kind == "string" and source.size > 1:
        raise errors.ColumnTypeError("found an array of texts, expected one text")
    return Shape(source.nbytes, "", (Member("value", kind, source.size, 0, source.nbytes),)), source.ctypes.data


class _Stream:
    """A stream as it is told to the library."""

    def __init__(self, name: str, kind: int, shape: Shape, address: int, keep: Any, unit: Optional[str], units: Mapping[str, str], notes: Optional[str], interval_ns: int = 0, phase_ns: int = 0, queue_bytes: int = 0):
        self.name, self.kind, self.shape, self.keep = name, kind, shape, keep
        self.config = config = _library.StreamConfig()
        config.size, config.kind = ctypes.sizeof(config), kind
        config.name, config.notes = _text(name), _text(notes)
        config.unit = _text(unit) if not shape.members else None
        config.source, config.source_size = address, shape.size
        config.type = TYPE_CODES[shape.type] if shape.type else 0
        for field in units:
            if field not in [member.name for member in shape.members]:
                raise errors.argument(f"{name}: found the unit of {field!r}, expected that of a field")
        self.fields = (_library.Field * max(len(shape.members), 1))()
        for field, member in zip(self.fields, shape.members):
            field.name, field.unit = _text(member.name), _text(units.get(member.name, unit))
            field.type, field.count, field.offset, field.size = TYPE_CODES[member.type], member.length, member.offset, member.size
        config.fields, config.field_count = self.fields, len(shape.members)
        config.interval_ns, config.phase_ns, config.queue_bytes = interval_ns, phase_ns, queue_bytes


def _text(value: Optional[str]) -> Optional[bytes]:
    if value is None:
        return None
    if "\0" in value:
        raise errors.argument(f"{value!r}: found a NUL, expected text")
    return value.encode()


class _Called(NamedTuple):
    """A function that is called when its stream is due."""

    function: Callable[[], Any]
    packer: Packer
    buffer: Any
    interval_ns: int
    phase_ns: int
    watched: bool


class Event:
    """A stream of events. `emit` may be called by any thread."""

    def __init__(self, logger: "Logger", name: str, packer: Packer):
        self.name = name
        self._logger = logger
        self._packer = packer
        self._lock = threading.Lock()
        self._index = -1

    def emit(self, value: Any = None, **fields: Any) -> bool:
        """Logs an event in every open run: a value, or the fields. False if it was dropped, which the run declares.
        Without an open run it raises `ClosedError`."""
        data = self._packer.pack(fields if fields and value is None else value)
        kept = True
        some = False
        with self._lock:
            for core in self._logger._cores:
                if not core.open:
                    continue
                core.check()
                some = True
                status = _library.library().ticklog_emit(core.streams[self._index], data, len(data))
                if status == _library.RING_FULL:
                    kept = False
                elif status == _library.CLOSED:
                    some = False
                else:
                    _library.check(status, f"event {self.name}")
        if not some:
            raise errors.ClosedError(f"event {self.name}: no run is open")
        return kept


class _Core:
    """The library's logger, in memory of ours."""

    def __init__(self, root: str, streams: Sequence[_Stream], max_runs: int):
        library = _library.library()
        self.pid = os.getpid()
        self.root = root
        self.described = list(streams)
        self.open: List[LoggedRun] = []
        config = _library.Config()
        config.size, config.max_streams, config.max_runs = ctypes.sizeof(config), max(16, len(streams)), max_runs
        config.root = _library.path_bytes(root)
        config.storage = library.ticklog_posix_storage()
        config.random = _random
        self.config = config
        size = library.ticklog_logger_size(config)
        self.memory = (ctypes.c_uint64 * (size // 8 + 1))()
        self.handle = ctypes.c_void_p()
        status = library.ticklog_logger_init(ctypes.addressof(self.memory), ctypes.sizeof(self.memory), config, ctypes.byref(self.handle))
        _library.check(status, f"logger in {root}", root)
        self.streams: List[ctypes.c_void_p] = []
        for stream in streams:
            handle = ctypes.c_void_p()
            _library.check(library.ticklog_add(self.handle, stream.config, ctypes.byref(handle)), f"stream {stream.name}")
            self.streams.append(handle)

    def check(self) -> None:
        if os.getpid() != self.pid:
            raise errors.ClosedError(f"{self.root}: the run belongs to process {self.pid}, which forked this one")


def _entropy(context: Any, out: int, count: int) -> int:
    ctypes.memmove(out, os.urandom(count), count)
    return 0


_random = _library.RANDOM(_entropy)


class Logger:
    """Streams to be sampled, and the runs that record them.

    >>> import ctypes, ticklog
    >>> class Motor(ctypes.Structure):
    ...     _fields_ = [("rpm", ctypes.c_float), ("on", ctypes.c_bool)]
    >>> motor = Motor()
    >>> logger = ticklog.Logger()
    >>> logger.poll("motor", motor, units={"rpm": "1/min"})
    >>> alarm = logger.event("alarm", {"code": "u16", "text": "string:16"})
    >>> with logger.start("runs", "first", tick_ns=10_000_000) as run:
    ...     for i in range(100):
    ...         motor.rpm = 10 * i
    ...         _ = run.tick()
    ...     _ = alarm.emit(code=7, text="hot")
    >>> with ticklog.open("runs/first") as table:
    ...     print(table.columns, table.count(), table.units)
    ['tick', 'motor.rpm', 'motor.on'] 100 {'motor.rpm': '1/min'}

    Streams are added before a run is open. What is polled or watched is memory: a structure or number of ctypes, or an array
    of numpy (one structure, one number, or several numbers), which the run reads when `tick` is called; or a function, which
    `tick` calls.
    """

    def __init__(self) -> None:
        self._streams: List[_Stream] = []
        self._called: List[_Called] = []
        self._events: List[Event] = []
        self._cores: List[_Core] = []
        self._lock = threading.RLock()

    def poll(
        self,
        name: str,
        source: Any,
        type: Union[str, Mapping[str, str], None] = None,
        unit: Optional[str] = None,
        units: Optional[Mapping[str, str]] = None,
        notes: Optional[str] = None,
        interval_ns: int = 0,
        phase_ns: int = 0,
    ) -> None:
        """Samples `source` every interval_ns (0: every tick). Of a function, `type` says what it answers: ``"f32"``,
        ``"u16[4]"``, or fields as ``{"x": "f32", "state": "string:8"}``."""
        self._sampled(_library.POLL, name, source, type, unit, units, notes, interval_ns, phase_ns)

    def watch(
        self,
        name: str,
        source: Any,
        type: Union[str, Mapping[str, str], None] = None,
        unit: Optional[str] = None,
        units: Optional[Mapping[str, str]] = None,
        notes: Optional[str] = None,
    ) -> None:
        """Logs `source` as an event at each tick at which its bytes have changed, and at the first. A function is called at
        every tick."""
        self._sampled(_library.WATCH, name, source, type, unit, units, notes, 0, 0)

    def _sampled(self, kind: int, name: str, source: Any, type: Any, unit: Optional[str], units: Optional[Mapping[str, str]], notes: Optional[str], interval_ns: int, phase_ns: int) -> None:
        called = None
        keep: Any = source
        if callable(source):
            if type is None:
                raise errors.argument(f"stream {name}: found a function without a type, expected type='f32' or fields")
            packer = Packer(type)
            buffer = (ctypes.c_char * packer.shape.size)()
            shape, address = packer.shape, ctypes.addressof(buffer)
            called = _Called(source, packer, buffer, interval_ns, phase_ns, kind == _library.WATCH)
            keep = buffer
        elif type is not None:
            raise errors.argument(f"stream {name}: found a type, expected none: memory has its own")
        elif isinstance(source, (ctypes.Structure, ctypes.Array, ctypes._SimpleCData)):
            shape, address = _of_ctypes(source)
        elif hasattr(source, "dtype") and hasattr(source, "ctypes"):
            shape, address = _of_numpy(source)
            # A view of the memory keeps numpy from moving it.
            keep = (source, memoryview(source) if source.dtype.kind not in "mM" else None)
        else:
            raise errors.ColumnTypeError(
                f"stream {name}: found {source.__class__.__name__}, expected memory that can be sampled (ctypes, an array of numpy) or a function"
            )
        self._add(_Stream(name, kind, shape, address, keep, unit, units or {}, notes, interval_ns, phase_ns))
        if called:
            self._called.append(called)

    def event(
        self,
        name: str,
        fields: Union[str, Mapping[str, str]],
        unit: Optional[str] = None,
        units: Optional[Mapping[str, str]] = None,
        notes: Optional[str] = None,
        queue_bytes: int = 16384,
    ) -> Event:
        """A stream of events of these fields, or of a single value, which ``emit`` logs."""
        packer = Packer(fields)
        event = Event(self, name, packer)
        event._index = len(self._streams)
        self._add(_Stream(name, _library.EMIT, packer.shape, 0, None, unit, units or {}, notes, queue_bytes=queue_bytes))
        self._events.append(event)
        return event

    def _add(self, stream: _Stream) -> None:
        with self._lock:
            if any(core.open for core in self._cores):
                raise errors.BusyError(f"stream {stream.name}: found an open run, expected none: streams come before")
            # The library checks the names and fields now, not at the start of a run.
            _Core("/", [*self._streams, stream], 1)
            self._streams.append(stream)
            self._cores = []

    def start(
        self,
        root: "Path",
        name: Optional[str] = None,
        tick_ns: int = 1000000,
        format: str = "bcsv",
        *,
        epoch_ns: Optional[int] = None,
        row_codec: Optional[str] = None,
        file_codec: Optional[str] = None,
        event_codec: Optional[str] = None,
        level: int = 0,
        flush_ms: int = 0,
        ring_bytes: int = 0,
        packet_bytes: int = 0,
        roll_bytes: int = 0,
        max_bytes: int = 0,
        metadata: Optional[Mapping[str, Any]] = None,
        service_ms: Optional[int] = None,
    ) -> "LoggedRun":
        """Begins a run in the directory `root`, which is made if it is not there. Its own directory there is `name`, or
        a random UUID.

        `tick_ns` is the length of a tick. `epoch_ns` is the Unix time of the first one (now, unless given; 0: unknown).
        `metadata` are values of yours (bools, whole numbers, floats, texts) that stay with the run. With `service_ms`, a
        thread writes what was sampled, that often; otherwise call `service`. The other options are those of
        ``ticklog_run_config`` in ``ticklog.h``; 0 is the default everywhere.
        """
        library = _library.library()
        place = os.fsdecode(root)
        config = _library.RunConfig()
        config.size = ctypes.sizeof(config)
        config.format = _choice("format", format, FORMATS)
        config.row_codec = _choice("row_codec", row_codec, ROW_CODECS)
        config.file_codec = _choice("file_codec", file_codec, FILE_CODECS)
        config.event_codec = _choice("event_codec", event_codec, FILE_CODECS)
        config.tick_ns = _whole("tick_ns", tick_ns, 64)
        if epoch_ns is None:
            epoch_ns = time.time_ns()
        if not -(2**63) <= epoch_ns < 2**63:
            raise errors.argument(f"epoch_ns: found {epoch_ns}, expected 64 bits")
        config.epoch_ns = epoch_ns
        config.name = _text(name)
        config.level = _whole("level", level, 8)
        config.flush_ms = _whole("flush_ms", flush_ms, 32)
        config.ring_bytes = _whole("ring_bytes", ring_bytes, 32) or RING_BYTES
        config.packet_bytes = _whole("packet_bytes", packet_bytes, 32)
        config.roll_bytes = _whole("roll_bytes", roll_bytes, 64)
        config.max_bytes = _whole("max_bytes", max_bytes, 64)
        kept = _set_metadata(config, metadata) if metadata else None
        os.makedirs(place, exist_ok=True)
        with self._lock:
            core = next((core for core in self._cores if core.root == place and core.pid == os.getpid()), None)
            if core is None:
                self._cores = [one for one in self._cores if one.open]
                core = _Core(place, self._streams, 8)
                self._cores.append(core)
            size = library.ticklog_run_size(core.handle, config)
            memory = (ctypes.c_uint64 * (size // 8 + 1))()
            handle = ctypes.c_void_p()
            what = f"run {name}" if name else "run"
            status = library.ticklog_start(core.handle, config, ctypes.addressof(memory), ctypes.sizeof(memory), ctypes.byref(handle))
            _library.check(status, f"{what} in {place}", place)
            run = LoggedRun(self, core, memory, handle, config, kept)
            core.open.append(run)
        if service_ms is not None:
            run._serve(max(1, service_ms))
        return run


def _choice(name: str, value: Any, among: Mapping[Any, int]) -> int:
    if value not in among:
        raise errors.argument(f"{name}: found {value!r}, expected one of: {', '.join(str(one) for one in among if one)}")
    return among[value]


def _whole(name: str, value: Any, bits: int) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**bits:
        raise errors.argument(f"{name}: found {value!r}, expected a whole number of {bits} bits")
    return value


def _set_metadata(config: Any, metadata: Mapping[str, Any]) -> Any:
    kinds: Dict[str, str] = {}
    values: Dict[str, Any] = {}
    for name, value in metadata.items():
        if isinstance(value, bool):
            kinds[name] = "bool"
        elif isinstance(value, int):
            kinds[name] = "i64" if value < 2**63 else "u64"
        elif isinstance(value, float):
            kinds[name] = "f64"
        elif isinstance(value, str):
            kinds[name] = f"string:{max(1, len(value.encode()))}"
        else:
            raise errors.ColumnTypeError(f"metadata {name}: found {type(value).__name__}, expected a bool, a whole number, a float or a text")
        values[name] = value
    packer = Packer(kinds)
    data = packer.pack(values)
    buffer = ctypes.create_string_buffer(data, len(data))
    fields = (_library.Field * len(packer.members))()
    for field, member in zip(fields, packer.members):
        field.name, field.type, field.count = _text(member.name), TYPE_CODES[member.type], member.length
        field.offset, field.size = member.offset, member.size
    config.metadata, config.metadata_size = ctypes.addressof(buffer), len(data)
    config.metadata_fields, config.metadata_field_count = fields, len(fields)
    return buffer, fields


class LoggedRun:
    """A run that is being recorded; made by `Logger.start`. At the end of ``with`` it is stopped.

    `tick` belongs to one thread, `service` (or the thread of ``service_ms``) to another or the same; each is guarded by a
    lock, so that more of them wait for one another. `note` and `set_time` may be called by any thread.
    """

    def __init__(self, logger: Logger, core: _Core, memory: Any, handle: Any, config: Any, kept: Any):
        self._logger, self._core, self._memory, self._handle, self._kept = logger, core, memory, handle, (config, kept)
        self._library = _library.library()
        self.name: str = self._library.ticklog_run_name(handle).decode()
        self.path: str = os.path.join(core.root, self.name)
        self.tick_ns: int = config.tick_ns
        self._format: int = config.format
        self._ticks = 0
        self._called = [(one, max(1, one.interval_ns // self.tick_ns), one.phase_ns // self.tick_ns) for one in logger._called]
        self._tick_lock, self._service_lock, self._note_lock = threading.Lock(), threading.RLock(), threading.Lock()
        self._thread: Optional[threading.Thread] = None
        self._ending = threading.Event()
        self._failure: Optional[errors.Error] = None
        self.closed = False

    def __repr__(self) -> str:
        return f"<LoggedRun {self.path}, {'closed' if self.closed else f'{self._ticks} ticks'}>"

    def __enter__(self) -> "LoggedRun":
        return self

    def __exit__(self, *_: Any) -> None:
        if not self.closed:
            self.stop()

    def _check(self) -> None:
        if self.closed:
            raise errors.ClosedError(f"{self.path}: the run is stopped")
        self._core.check()

    @property
    def ticks(self) -> int:
        """How many ticks there were."""
        return self._ticks

    def tick(self, elapsed: int = 1) -> bool:
        """The time has gone on by `elapsed` ticks: samples what is due at the newest. False if something was dropped, since
        `service` did not keep up; the run declares it."""
        with self._tick_lock:
            self._check()
            if not isinstance(elapsed, int) or not 1 <= elapsed < 2**31:
                raise errors.argument(f"elapsed: found {elapsed!r}, expected 1 to 2^31 - 1")
            newest = self._ticks + elapsed - 1
            for one, interval, phase in self._called:
                if one.watched or (newest + phase) % interval == 0:
                    ctypes.memmove(one.buffer, one.packer.pack(one.function()), one.packer.shape.size)
            status = self._library.ticklog_tick(self._handle, elapsed)
            if status == _library.CLOSED:
                self._closed_itself()
            if status not in (_library.OK, _library.RING_FULL):
                raise errors.make(status, f"{self.path}: tick: {_library.status_text(status)}", self.path)
            self._ticks += elapsed
        return bool(status == _library.OK)

    def sample(self, seconds: Optional[float] = None) -> None:
        """Ticks in real time, for so many seconds or until an exception (`KeyboardInterrupt`) ends it, and writes on the
        way. Ticks that come late count: what they would have sampled is declared lost."""
        begin = time.monotonic_ns()
        first = self._ticks
        if self._format == 0 and first == 0:
            self.tick()
            self.set_time(0, time.time_ns(), uncertainty_ns=100000)
        due = self._ticks - first
        written = begin
        while seconds is None or due * self.tick_ns < seconds * 1e9:
            wait = begin + due * self.tick_ns - time.monotonic_ns()
            if wait > 0:
                time.sleep(wait / 1e9)
            behind = max(0, time.monotonic_ns() - begin - due * self.tick_ns) // self.tick_ns
            elapsed = 1 + behind
            if seconds is not None:
                elapsed = max(1, min(elapsed, int(seconds * 1e9 // self.tick_ns) - due))
            self.tick(elapsed)
            due += elapsed
            if self._thread is None and time.monotonic_ns() - written > 20000000:
                self.service()
                written = time.monotonic_ns()

    def service(self) -> None:
        """Writes what was sampled. A run that is full (`max_bytes`) stops itself, and raises `ClosedError`."""
        self._write("service", self._library.ticklog_service)

    def flush(self) -> None:
        """As `service`; what was sampled before the call is on the medium when it returns."""
        self._write("flush", self._library.ticklog_flush)

    def _write(self, what: str, call: Any) -> None:
        with self._service_lock:
            self._check()
            status = call(self._handle)
            for _ in range(1000):
                if status != _library.BUSY:
                    break
                time.sleep(0.001)
                status = call(self._handle)
            if status in (_library.FULL, _library.CLOSED):
                self._closed_itself()
                raise errors.ClosedError(f"{self.path}: {what}: the run was full and has stopped itself")
            _library.check(status, f"{self.path}: {what}", self.path)

    def _closed_itself(self) -> None:
        self.closed = True
        self._ending.set()
        if self in self._core.open:
            self._core.open.remove(self)

    def _serve(self, every_ms: int) -> None:
        def serve() -> None:
            while not self._ending.wait(every_ms / 1000):
                try:
                    self.service()
                except errors.ClosedError:
                    return
                except errors.Error as error:
                    # Storage may come back: nothing that is encoded is dropped. The last failure is told by `stop`.
                    self._failure = error

        self._thread = threading.Thread(target=serve, name=f"ticklog {self.name}", daemon=True)
        self._thread.start()

    def note(self, text: str, level: int = 1) -> bool:
        """Logs a text of up to 120 bytes as an event. False if it was dropped. BCSV runs."""
        with self._note_lock:
            self._check()
            status = self._library.ticklog_note(self._handle, _whole("level", level, 8), _text(text))
        if status not in (_library.OK, _library.RING_FULL):
            raise errors.make(status, f"{self.path}: note: {_library.status_text(status)}", self.path)
        return bool(status == _library.OK)

    def set_time(self, tick: int, epoch_ns: int, uncertainty_ns: int = 0, source: int = 1) -> bool:
        """Logs which Unix time a tick had, as an event. False if it was dropped. BCSV runs."""
        with self._note_lock:
            self._check()
            status = self._library.ticklog_set_time(
                self._handle, _whole("tick", tick, 64), epoch_ns, _whole("uncertainty_ns", uncertainty_ns, 32), _whole("source", source, 8)
            )
        if status not in (_library.OK, _library.RING_FULL):
            raise errors.make(status, f"{self.path}: set_time: {_library.status_text(status)}", self.path)
        return bool(status == _library.OK)

    def statistics(self) -> Dict[str, Any]:
        """What the run has done so far: ticks, samples offered, written, lost (and why) and pending, bytes, and so on. It may
        be called after `stop`."""
        told = _library.RunStatistics()
        told.size = ctypes.sizeof(told)
        _library.check(self._library.ticklog_statistics(self._handle, told), f"{self.path}: statistics", self.path)
        result = {name: getattr(told, name) for name in (field[0] for field in told._fields_) if name not in ("size", "lost_by_reason")}
        result["lost_by_reason"] = {reason: told.lost_by_reason[i] for i, reason in enumerate(REASONS) if reason}
        return result

    def stop(self) -> None:
        """Ends the run: all that was sampled is written, and its files are closed."""
        self._check()
        self._ending.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        with self._tick_lock, self._service_lock, self._note_lock:
            if self.closed:
                return
            end = time.monotonic() + _STOP_SECONDS
            status = self._library.ticklog_stop(self._handle)
            while status == _library.BUSY and time.monotonic() < end:
                time.sleep(0.001)
                status = self._library.ticklog_stop(self._handle)
            if status == _library.BUSY:
                raise errors.BusyError(f"{self.path}: stop: storage is busy; call again")
            self.closed = True
            with self._logger._lock:
                if self in self._core.open:
                    self._core.open.remove(self)
        _library.check(status, f"{self.path}: stop", self.path)
