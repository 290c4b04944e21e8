"""Arrow's C data interface by ctypes: streams, batches and columns that the library hands out, without pyarrow.

A batch's memory belongs to its `Owner`. Every array that is made of it refers to the owner, and the last one that goes
calls the batch's release callback: arrays may outlive their table.
"""

from __future__ import annotations

import ctypes
import errno
import os
import threading
import weakref
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int64, c_void_p
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from . import errors


class ArrowSchema(Structure):
    pass


class ArrowArray(Structure):
    pass


class ArrowArrayStream(Structure):
    _fields_ = [
        ("get_schema", c_void_p), ("get_next", c_void_p), ("get_last_error", c_void_p), ("release", c_void_p),
        ("private_data", c_void_p),
    ]  # fmt: skip


ArrowSchema._fields_ = [
    ("format", c_char_p), ("name", c_char_p), ("metadata", c_void_p), ("flags", c_int64), ("n_children", c_int64),
    ("children", POINTER(POINTER(ArrowSchema))), ("dictionary", POINTER(ArrowSchema)), ("release", c_void_p),
    ("private_data", c_void_p),
]  # fmt: skip
ArrowArray._fields_ = [
    ("length", c_int64), ("null_count", c_int64), ("offset", c_int64), ("n_buffers", c_int64), ("n_children", c_int64),
    ("buffers", POINTER(c_void_p)), ("children", POINTER(POINTER(ArrowArray))), ("dictionary", POINTER(ArrowArray)),
    ("release", c_void_p), ("private_data", c_void_p),
]  # fmt: skip

RELEASE = CFUNCTYPE(None, c_void_p)
GET = CFUNCTYPE(c_int, c_void_p, c_void_p)
LAST_ERROR = CFUNCTYPE(c_void_p, c_void_p)

NULLABLE = 2

# The format strings of columns that tables have: our type's name, bytes of a value, code of `memoryview`.
FIXED = {
    "b": ("bool", 0, "?"), "C": ("u8", 1, "B"), "S": ("u16", 2, "H"), "I": ("u32", 4, "I"), "L": ("u64", 8, "Q"),
    "c": ("i8", 1, "b"), "s": ("i16", 2, "h"), "i": ("i32", 4, "i"), "l": ("i64", 8, "q"), "f": ("f32", 4, "f"),
    "g": ("f64", 8, "d"),
}  # fmt: skip
TEXTS = {"u": ("string", 4), "U": ("string", 8), "z": ("bytes", 4), "Z": ("bytes", 8)}


def _release(structure: Any, call: Callable[..., Any] = RELEASE, address: Callable[..., Any] = ctypes.addressof) -> None:
    if structure.release:
        call(structure.release)(address(structure))
        structure.release = None


class Column:
    """What a stream's schema says of a column."""

    __slots__ = ("dictionary", "format", "metadata", "name", "nullable", "type")

    def __init__(self, schema: Any):
        self.name: str = (schema.name or b"").decode("utf-8", "surrogateescape")
        self.format: str = (schema.format or b"").decode("ascii", "replace")
        self.nullable = bool(schema.flags & NULLABLE)
        self.metadata = _metadata(schema.metadata)
        self.dictionary: Optional[Column] = None
        if schema.dictionary:
            self.dictionary = Column(schema.dictionary.contents)
            self.type: str = self.dictionary.type
        elif self.format in FIXED:
            self.type = FIXED[self.format][0]
        elif self.format in TEXTS:
            self.type = TEXTS[self.format][0]
        else:
            raise errors.UnsupportedError(f"column {self.name}: found Arrow's format {self.format!r}, expected a number or text")

    def be_text(self) -> None:
        """Bytes are taken for texts, which need not be UTF-8."""
        if self.dictionary is not None:
            self.dictionary.be_text()
            self.type = self.dictionary.type
        elif self.format in "zZ":
            self.format = "u" if self.format == "z" else "U"
            self.type = "string"

    def __repr__(self) -> str:
        return f"{self.name}: {self.type}"


def _metadata(address: Optional[int]) -> Dict[str, str]:
    if not address:
        return {}
    at = address

    def number() -> int:
        nonlocal at
        value: int = ctypes.c_int32.from_address(at).value
        at += 4
        return value

    def text() -> str:
        nonlocal at
        size = number()
        value = ctypes.string_at(at, size).decode("utf-8", "replace")
        at += size
        return value

    result = {}
    for _ in range(number()):
        key = text()
        result[key] = text()
    return result


class Owner:
    """Keeps a batch's memory until nobody needs it."""

    __slots__ = ("__weakref__", "array", "is_text")

    def __init__(self, array: ArrowArray, is_text: bool = False):
        self.array = array
        # All of its texts are UTF-8.
        self.is_text = is_text
        last = _Last(self, RELEASE(array.release))
        last._as_parameter_ = ctypes.addressof(array)
        last.array = array
        _lasts[id(last)] = last
        global _most
        if len(_lasts) > _most:
            for key in [key for key, one in list(_lasts.items()) if one() is None]:
                _lasts.pop(key, None)
            _most = 2 * len(_lasts) + 64


class _Last(weakref.ref):  # type: ignore[type-arg]
    """What is called when an owner goes: the batch's release callback itself, with the array's address. No Python runs
    then, in which an interrupt would be lost, as it is in `__del__`."""

    __slots__ = ("_as_parameter_", "array")
    _as_parameter_: int
    array: ArrowArray


_lasts: Dict[int, _Last] = {}
_most = 64


class Memory:
    """A piece of a batch's memory, from which numpy makes an array that keeps the batch."""

    __slots__ = ("__array_interface__", "owner")

    def __init__(self, owner: Any, address: int, shape: Union[int, Tuple[int, int]], kind: str, strides: Optional[Tuple[int, int]] = None):
        self.owner = owner
        self.__array_interface__ = {
            "data": (address, False), "shape": shape if isinstance(shape, tuple) else (shape,), "typestr": kind, "strides": strides,
            "version": 3,
        }  # fmt: skip


class Values:
    """A column of a batch, or of a part of its rows."""

    __slots__ = ("buffers", "column", "dictionary", "length", "null_count", "offset", "owner")

    def __init__(self, owner: Any, column: Column, array: Any, first: int = 0, length: Optional[int] = None):
        count = array.n_buffers
        self.owner = owner
        self.column = column
        self.length: int = array.length if length is None else length
        self.offset: int = array.offset + first
        self.null_count: int = array.null_count
        self.buffers: List[Optional[int]] = array.buffers[:count] if count else []
        self.dictionary = None
        if column.dictionary is not None:
            self.dictionary = Values(owner, column.dictionary, array.dictionary.contents)

    # Without numpy.

    def _bits(self, address: int) -> List[bool]:
        start, count = self.offset, self.length
        data = ctypes.string_at(address + start // 8, (start % 8 + count + 7) // 8)
        first = start % 8
        return [bool(data[i >> 3] >> (i & 7) & 1) for i in range(first, first + count)]

    def validity(self) -> Optional[List[bool]]:
        """True for each value that is there; None if all are."""
        if self.null_count == 0 or not self.buffers or not self.buffers[0]:
            return None
        bits = self._bits(self.buffers[0])
        return None if all(bits) else bits

    def to_list(self) -> List[Any]:
        """As values of Python; None where there is none."""
        values = self._all_to_list()
        known = self.validity()
        if known is not None:
            values = [value if there else None for value, there in zip(values, known)]
        return values

    def _all_to_list(self) -> List[Any]:
        if self.length == 0:
            return []
        code = self.column.format
        if code in FIXED:
            _, size, kind = FIXED[code]
            address = self.buffers[1] or 0
            if code == "b":
                numbers: List[Any] = self._bits(address)
            else:
                raw = ctypes.string_at(address + self.offset * size, self.length * size)
                numbers = memoryview(raw).cast(kind).tolist()  # type: ignore[call-overload]
            if self.dictionary is not None:
                words = self.dictionary.to_list()
                known = self.validity()
                if known is not None:
                    return [words[i] if there else None for i, there in zip(numbers, known)]
                return [words[i] for i in numbers]
            return numbers
        kind, width = TEXTS[code]
        bounds = self.bounds(width)
        first = bounds[0]
        data = ctypes.string_at(self.buffers[2] or 0, bounds[-1])[first:] if bounds[-1] > first else b""
        ends = [end - first for end in bounds]
        if kind == "bytes":
            return [data[a:b] for a, b in zip(ends, ends[1:])]
        if data.isascii():
            text = data.decode("ascii")
            return [text[a:b] for a, b in zip(ends, ends[1:])]
        return [data[a:b].decode("utf-8", "surrogateescape") for a, b in zip(ends, ends[1:])]

    def is_unicode(self) -> bool:
        """Whether all texts are UTF-8."""
        if self.owner.is_text:
            return True
        if self.dictionary is not None:
            return self.dictionary.is_unicode()
        bounds = self.bounds(TEXTS[self.column.format][1])
        size = bounds[-1] - bounds[0]
        data = ctypes.string_at((self.buffers[2] or 0) + bounds[0], size) if size else b""
        if data.isascii():
            return True
        try:
            for text in self.to_list():
                if text is not None:
                    text.encode()
        except UnicodeEncodeError:
            return False
        return True

    def bounds(self, width: int) -> List[int]:
        """Where the texts begin, and the last one ends."""
        raw = ctypes.string_at((self.buffers[1] or 0) + self.offset * width, (self.length + 1) * width)
        return memoryview(raw).cast("i" if width == 4 else "q").tolist()

    # With numpy.

    def mask(self, np: Any) -> Any:
        """True where there is no value; None if there is one everywhere."""
        if self.null_count == 0 or not self.buffers or not self.buffers[0] or self.length == 0:
            return None
        known = self._bools(np, self.buffers[0])
        return None if known.all() else ~known

    def _bools(self, np: Any, address: int) -> Any:
        start = self.offset
        data = np.asarray(Memory(self.owner, address + start // 8, (start % 8 + self.length + 7) // 8, "|u1"))
        return np.unpackbits(data, count=start % 8 + self.length, bitorder="little")[start % 8 :].view(np.bool_)

    def to_numpy(self, np: Any) -> Any:
        """Numbers where they lie, without a copy; texts as an array of objects. What is not known has any value."""
        code = self.column.format
        if self.dictionary is None and code in FIXED:
            _, size, kind = FIXED[code]
            if self.length == 0:
                return np.empty(0, kind)
            address = self.buffers[1] or 0
            if code == "b":
                return self._bools(np, address)
            return np.asarray(Memory(self.owner, address + self.offset * size, self.length, dtype_text(code)))
        result = np.empty(self.length, object)
        result[:] = self._texts(np) if self.dictionary is None and self.type_is_text() else self.to_list()
        return result

    def type_is_text(self) -> bool:
        return self.column.type == "string" and self.length > 0

    def _texts(self, np: Any) -> List[Any]:
        """As `to_list`, of texts: all are decoded at once."""
        width = TEXTS[self.column.format][1]
        bounds = np.asarray(Memory(self.owner, (self.buffers[1] or 0) + self.offset * width, self.length + 1, f"<i{width}"))
        first, size = int(bounds[0]), int(bounds[-1] - bounds[0])
        data = ctypes.string_at((self.buffers[2] or 0) + first, size) if size else b""
        ends = bounds - first
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return self.to_list()
        if len(text) < size:
            starts = (np.frombuffer(data, np.int8) >= -64).astype(np.int64)  # bytes that begin a character
            before = np.concatenate([[0], np.cumsum(starts)])
            inner = ends[ends < size]
            if not starts[inner].all():
                return self.to_list()
            ends = before[ends]
        at = ends.tolist()
        known = self.validity()
        values: List[Any] = [text[a:b] for a, b in zip(at, at[1:])]
        return values if known is None else [value if there else None for value, there in zip(values, known)]


def dtype_text(code: str) -> str:
    _, size, kind = FIXED[code]
    letter = "f" if code in "fg" else "b" if code == "b" else "i" if code in "csil" else "u"
    return f"{'<' if size > 1 else '|'}{letter}{max(size, 1)}"


class Part:
    """Rows that came together: a record batch, or a range of its rows, or some of its columns."""

    __slots__ = ("chosen", "columns", "first", "length", "owner")

    def __init__(self, columns: Sequence[Column], owner: Owner, first: int = 0, length: Optional[int] = None, chosen: Optional[Sequence[int]] = None):
        self.columns = columns
        self.owner = owner
        self.first = first
        self.length: int = owner.array.length if length is None else length
        self.chosen = chosen

    def slice(self, first: int, length: int) -> Part:
        return Part(self.columns, self.owner, self.first + first, length, self.chosen)

    def choose(self, indices: Sequence[int]) -> Part:
        if self.chosen is not None:
            indices = [self.chosen[i] for i in indices]
        elif list(indices) == list(range(len(self.columns))):
            return self
        return Part(self.columns, self.owner, self.first, self.length, indices)

    def values(self, index: int) -> Values:
        if self.chosen is not None:
            index = self.chosen[index]
        array = self.owner.array
        first = self.first + array.offset
        return Values(self.owner, self.columns[index], array.children[index].contents, first, self.length)

    def stacks(self, np: Any) -> List[Tuple[int, int, Any]]:
        """Neighbouring columns of the same kind of numbers whose values lie at equal distances, as they do in a batch of
        one piece: the first, the end, and an array with a row for each. Of few columns none: `values` does."""
        count = len(self.columns)
        if self.chosen is not None or count < _STACK or self.length == 0 or ctypes.sizeof(c_void_p) != 8:
            return []
        array = self.owner.array
        whole = ctypes.sizeof(ArrowArray)
        pointers = np.asarray(Memory(self.owner, ctypes.cast(array.children, c_void_p).value or 0, count, "<u8"))
        if (np.diff(pointers) != whole).any():
            return []
        fields = np.asarray(Memory(self.owner, int(pointers[0]), (count, whole // 8), "<i8"))
        _, nulls, offset, buffer_count, _, buffers, _, dictionary = fields[:, :8].T
        apart = int(buffers[1] - buffers[0])
        if apart < 16 or (np.diff(buffers) != apart).any():
            return []
        # Two buffers have all columns, at least.
        places = np.asarray(Memory(self.owner, int(buffers[0]), (count, 2), "<u8", (apart, 8)))[:, 1].tolist()
        plain = ((nulls == 0) & (offset == 0) & (buffer_count == 2) & (dictionary == 0)).tolist()
        kinds = [column.format if column.format in FIXED and is_plain else "" for column, is_plain in zip(self.columns, plain)]
        found = []
        i = 0
        while i < count - 1:
            j, code, step = i + 1, kinds[i], places[i + 1] - places[i]
            while j < count and kinds[j] == code and places[j] - places[j - 1] == step:
                j += 1
            size = FIXED[code][1] if code else 0
            if j - i >= _STACK and size and step >= self.length * size and step % size == 0:
                start = places[i] + (self.first + array.offset) * size
                found.append((i, j, np.asarray(Memory(self.owner, start, (j - i, self.length), dtype_text(code), (step, size)))))
            i = j
        return found


# For fewer columns it is not worth its while.
_STACK = 32


class Schema:
    """A stream's columns, which are made when somebody asks for them."""

    def __init__(self, structure: Any, as_text: bool):
        self._structure = structure
        self._as_text = as_text
        self._lock = threading.Lock()
        self._columns: Optional[List[Column]] = None

    @classmethod
    def of(cls, columns: List[Column]) -> Schema:
        made = cls(None, False)
        made._columns = columns
        return made

    @property
    def columns(self) -> List[Column]:
        if self._columns is None:
            with self._lock:
                if self._columns is None:
                    schema = self._structure
                    columns = [Column(schema.children[i].contents) for i in range(schema.n_children)]
                    if self._as_text:
                        for column in columns:
                            column.be_text()
                    _release(schema)
                    self._columns = columns
        return self._columns

    def __del__(self, release: Callable[..., None] = _release) -> None:
        if self._structure is not None:
            release(self._structure)


class Stream:
    """An ArrowArrayStream that is read. Who calls `next` does so alone; `close` may be called by the last who has it."""

    def __init__(self, raw: ArrowArrayStream, path: str = "", as_text: bool = False, into: Any = None, is_text: bool = False):
        """`into`: the schema goes there, for somebody else. `is_text`: texts that are no UTF-8 end it, `found_no_text` then."""
        self.raw = raw
        self.path = path
        self.is_text = is_text
        self.found_no_text = False
        structure = ArrowSchema() if into is None else into
        code = GET(raw.get_schema)(ctypes.addressof(raw), ctypes.addressof(structure))
        if code != 0:
            error = self._error(code)
            self.close()
            raise error
        self.metadata: Dict[str, str] = _metadata(structure.metadata)
        self.schema = Schema(structure if into is None else None, as_text)

    @property
    def columns(self) -> List[Column]:
        return self.schema.columns

    def _error(self, code: int) -> errors.Error:
        text = LAST_ERROR(self.raw.get_last_error)(ctypes.addressof(self.raw)) if self.raw.get_last_error else None
        message = ctypes.string_at(text).decode("utf-8", "replace") if text else os.strerror(code)
        return stream_error(code, message, self.path)

    def next(self) -> Optional[Part]:
        """The next rows; None behind the last."""
        if not self.raw.release:
            return None
        array = ArrowArray()
        code = GET(self.raw.get_next)(ctypes.addressof(self.raw), ctypes.addressof(array))
        if code != 0:
            self.found_no_text = self.is_text and code == errno.EINVAL
            raise self._error(code)
        if not array.release:
            return None
        return Part(self.columns, Owner(array, self.is_text))

    def close(self) -> None:
        _release(self.raw)

    def __del__(self, release: Callable[..., None] = _release) -> None:
        release(self.raw)

    def __iter__(self) -> Iterator[Part]:
        try:
            while True:
                part = self.next()
                if part is None:
                    return
                yield part
        finally:
            self.close()


def stream_error(code: int, message: str, path: str) -> errors.Error:
    """What a stream's errno means, which is all that the interface has for it."""
    # What was expected is told of damage alone.
    damage = -41 if ", expected" in message else -30
    status = {
        errno.EIO: damage, errno.ENOMEM: -42, errno.ENOENT: -33, errno.EACCES: -34, errno.ENOSPC: -31, errno.EEXIST: -32,
    }.get(code, -41)  # fmt: skip
    return errors.make(status, message, path)


# Capsules, by which other packages take a stream or an array.

_capsule_new = ctypes.pythonapi.PyCapsule_New
_capsule_new.restype, _capsule_new.argtypes = ctypes.py_object, [c_void_p, c_char_p, c_void_p]
_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype, _capsule_pointer.argtypes = c_void_p, [ctypes.py_object, c_char_p]
# The destructor gets an object that is being destroyed: no reference to it may be made.
_dying_pointer = ctypes.PyDLL(None).PyCapsule_GetPointer
_dying_pointer.restype, _dying_pointer.argtypes = c_void_p, [c_void_p, c_char_p]
_allocate = ctypes.pythonapi.PyMem_RawCalloc
_allocate.restype, _allocate.argtypes = c_void_p, [ctypes.c_size_t, ctypes.c_size_t]
_free = ctypes.pythonapi.PyMem_RawFree
_free.restype, _free.argtypes = None, [c_void_p]

_KINDS = {b"arrow_schema": ArrowSchema, b"arrow_array": ArrowArray, b"arrow_array_stream": ArrowArrayStream}


def _destructor(name: bytes, kind: Any) -> Any:
    def destroy(capsule: int) -> None:
        address = _dying_pointer(capsule, name)
        if address:
            _release(kind.from_address(address))
            _free(address)

    return ctypes.PYFUNCTYPE(None, c_void_p)(destroy)


_DESTRUCTORS = {name: _destructor(name, kind) for name, kind in _KINDS.items()}


def allocated(kind: Any) -> Any:
    """A structure, all zero, in memory that a capsule will free."""
    address = _allocate(1, ctypes.sizeof(kind))
    if not address:
        raise MemoryError
    return kind.from_address(address)


def free(structure: Any) -> None:
    _release(structure)
    _free(ctypes.addressof(structure))


def capsule(structure: Any, name: bytes) -> Any:
    """A capsule of a structure from `allocated`, whose content it releases if nobody takes it."""
    return _capsule_new(ctypes.addressof(structure), name, ctypes.cast(_DESTRUCTORS[name], c_void_p))


def capsule_address(capsule: Any, name: bytes) -> int:
    address: int = _capsule_pointer(capsule, name)
    return address


def take_stream(capsule: Any) -> ArrowArrayStream:
    """Moves the stream out of a capsule."""
    source = ArrowArrayStream.from_address(capsule_address(capsule, b"arrow_array_stream"))
    taken = ArrowArrayStream()
    ctypes.memmove(byref(taken), byref(source), ctypes.sizeof(taken))
    source.release = None
    return taken


def unique(names: Sequence[str]) -> List[str]:
    """Further columns of one name are called name~2, name~3, as in JSON Lines.

    >>> unique(["a", "b", "a", "a~2", "a"])
    ['a', 'b', 'a~2', 'a~2~2', 'a~3']
    """
    seen: Dict[str, int] = {}
    result = []
    for name in names:
        free_name = name
        if name in seen:
            count = seen[name]
            while free_name in seen:
                count += 1
                free_name = f"{name}~{count}"
            seen[name] = count
        seen[free_name] = seen.get(free_name, 1)
        result.append(free_name)
    return result

