"""libticklog.so: where it is, and its functions and structures as ticklog.h declares them."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_int32,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any, List, Optional, Tuple

from . import errors

ABI = 1

OK = 0
RING_FULL = -23
BUSY = -24
FULL = -25
END = -26
CLOSED = -20

TYPES = ("bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "string")
TYPE_CODES = {name: code for code, name in enumerate(TYPES)}
TYPE_BYTES = {"bool": 1, "u8": 1, "u16": 2, "u32": 4, "u64": 8, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "f32": 4, "f64": 8}
OPAQUE = 255
POLL, WATCH, EMIT = 1, 2, 3

RANDOM = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_size_t)


class Config(Structure):
    _fields_ = [
        ("size", c_uint32), ("max_streams", c_uint16), ("max_runs", c_uint16), ("root", c_char_p), ("storage", c_void_p),
        ("random", RANDOM), ("random_context", c_void_p),
    ]  # fmt: skip


class Field(Structure):
    _fields_ = [
        ("name", c_char_p), ("unit", c_char_p), ("type", c_uint16), ("count", c_uint16), ("offset", c_uint32),
        ("size", c_uint32),
    ]  # fmt: skip


class StreamConfig(Structure):
    _fields_ = [
        ("size", c_uint32), ("kind", c_uint16), ("type", c_uint16), ("name", c_char_p), ("unit", c_char_p),
        ("notes", c_char_p), ("type_name", c_char_p), ("source", c_void_p), ("source_size", c_uint32),
        ("field_count", c_uint32), ("fields", POINTER(Field)), ("interval_ns", c_uint64), ("phase_ns", c_uint64),
        ("queue_bytes", c_uint32), ("reserved", c_uint32), ("try_lock", c_void_p), ("unlock", c_void_p),
        ("lock_context", c_void_p),
    ]  # fmt: skip


class RunConfig(Structure):
    _fields_ = [
        ("size", c_uint32), ("format", c_uint8), ("row_codec", c_uint8), ("file_codec", c_uint8), ("event_codec", c_uint8),
        ("tick_ns", c_uint64), ("epoch_ns", c_int64), ("name", c_char_p), ("short_names", c_uint8),
        ("no_tick_column", c_uint8), ("allow_wide", c_uint8), ("level", c_uint8), ("bcsv_version", c_uint8),
        ("reserved", c_uint8 * 3), ("ring_bytes", c_uint32), ("note_bytes", c_uint32), ("buffer_bytes", c_uint32),
        ("window_bytes", c_uint32), ("packet_bytes", c_uint32), ("index_entries", c_uint32), ("flush_ms", c_uint32),
        ("roll_bytes", c_uint64), ("max_bytes", c_uint64), ("metadata", c_void_p), ("metadata_size", c_uint32),
        ("metadata_field_count", c_uint32), ("metadata_fields", POINTER(Field)), ("metadata_type_name", c_char_p),
    ]  # fmt: skip


class RunStatistics(Structure):
    _fields_ = [
        ("size", c_uint32), ("last_error", c_int32), ("ticks", c_uint64), ("offered", c_uint64), ("written", c_uint64),
        ("lost", c_uint64), ("pending", c_uint64), ("lost_by_reason", c_uint64 * 8), ("rows", c_uint64),
        ("bytes", c_uint64), ("packets", c_uint64), ("syncs", c_uint64), ("storage_errors", c_uint64),
        ("longest_gap", c_uint64), ("ring_bytes", c_uint32), ("ring_high_water", c_uint32),
    ]  # fmt: skip


class StreamStatistics(Structure):
    _fields_ = [
        ("size", c_uint32), ("index", c_uint32), ("offered", c_uint64), ("written", c_uint64), ("lost", c_uint64),
        ("pending", c_uint64),
    ]  # fmt: skip


class ArrowConfig(Structure):
    _fields_ = [
        ("size", c_uint32), ("flags", c_uint32), ("stream", c_char_p), ("columns", POINTER(c_char_p)),
        ("column_count", c_uint32), ("batch_rows", c_uint32), ("first_row", c_uint64), ("row_count", c_uint64),
        ("from_tick", c_uint64), ("to_tick", c_uint64), ("message", c_void_p), ("message_bytes", c_size_t),
        ("threads", c_uint32), ("reserved", c_uint32),
    ]  # fmt: skip


class ArrowWriteConfig(Structure):
    _fields_ = [
        ("size", c_uint32), ("flags", c_uint32), ("format", c_char_p), ("row_codec", c_char_p), ("file_codec", c_char_p),
        ("level", c_uint32), ("packet_bytes", c_uint32), ("message", c_void_p), ("message_bytes", c_size_t),
    ]  # fmt: skip


ARROW_SALVAGE, ARROW_EVENTS, ARROW_NO_DICTIONARY, ARROW_BINARY = 1, 2, 4, 8
ARROW_REPLACE = 1

# name: result, arguments
_FUNCTIONS = {
    "ticklog_version": (c_char_p, []),
    "ticklog_abi": (c_uint32, []),
    "ticklog_status_text": (c_char_p, [c_int32]),
    "ticklog_posix_storage": (c_void_p, []),
    "ticklog_logger_size": (c_size_t, [POINTER(Config)]),
    "ticklog_logger_init": (c_int32, [c_void_p, c_size_t, POINTER(Config), POINTER(c_void_p)]),
    "ticklog_add": (c_int32, [c_void_p, POINTER(StreamConfig), POINTER(c_void_p)]),
    "ticklog_run_size": (c_size_t, [c_void_p, POINTER(RunConfig)]),
    "ticklog_start": (c_int32, [c_void_p, POINTER(RunConfig), c_void_p, c_size_t, POINTER(c_void_p)]),
    "ticklog_tick": (c_int32, [c_void_p, c_uint32]),
    "ticklog_emit": (c_int32, [c_void_p, c_void_p, c_size_t]),
    "ticklog_note": (c_int32, [c_void_p, c_uint8, c_char_p]),
    "ticklog_set_time": (c_int32, [c_void_p, c_uint64, c_int64, c_uint32, c_uint8]),
    "ticklog_service": (c_int32, [c_void_p]),
    "ticklog_flush": (c_int32, [c_void_p]),
    "ticklog_stop": (c_int32, [c_void_p]),
    "ticklog_statistics": (c_int32, [c_void_p, POINTER(RunStatistics)]),
    "ticklog_statistics_of": (c_int32, [c_void_p, c_void_p, POINTER(StreamStatistics)]),
    "ticklog_run_name": (c_char_p, [c_void_p]),
    "ticklog_reader_open_path": (c_int32, [c_char_p, c_uint32, POINTER(c_void_p)]),
    "ticklog_reader_rows": (c_int32, [c_void_p, POINTER(c_uint64)]),
    "ticklog_reader_close": (c_int32, [c_void_p]),
    "ticklog_arrow_open": (c_int32, [c_char_p, POINTER(ArrowConfig), c_void_p]),
    "ticklog_arrow_write": (c_int32, [c_void_p, c_char_p, POINTER(ArrowWriteConfig)]),
    "ticklog_info_json": (c_int32, [c_char_p, POINTER(c_void_p)]),
    "ticklog_validate_json": (c_int32, [c_char_p, POINTER(c_void_p)]),
    "ticklog_repair_json": (c_int32, [c_char_p, c_char_p, c_uint32, POINTER(c_void_p)]),
    "ticklog_text_free": (None, [c_void_p]),
}

_library: Optional[ctypes.CDLL] = None
_lock = threading.Lock()


def candidates() -> List[Tuple[str, bool]]:
    """The places in their order, and whether the library must be there."""
    named = os.environ.get("TICKLOG_LIBRARY")
    if named:
        return [(named, True)]
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.dirname(os.path.dirname(os.path.dirname(here)))
    machine = os.uname().machine if hasattr(os, "uname") else ""
    return [
        (os.path.join(here, "libticklog.so"), False),
        # A checkout that is used where it is.
        (os.path.join(root, "build", f"linux-{machine.replace('armv7l', 'armv7')}", "libticklog.so"), False),
        (f"libticklog.so.{ABI}", True),
    ]


def _open(path: str) -> ctypes.CDLL:
    try:
        loaded = ctypes.CDLL(path)
        abi = loaded.ticklog_abi
    except (OSError, AttributeError) as error:
        raise errors.LibraryError(
            f"libticklog is not to be had ({error}): install it (make install), or name it in TICKLOG_LIBRARY"
        ) from None
    abi.restype, abi.argtypes = c_uint32, []
    if abi() != ABI:
        raise errors.LibraryError(f"{path}: found ABI {abi()}, expected {ABI}")
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(loaded, name)
        except AttributeError:
            continue  # an older library: whoever calls it is told
        function.restype, function.argtypes = result, arguments
    return loaded


def library() -> Any:
    """The library, loaded when it is first needed."""
    global _library
    if _library is None:
        with _lock:
            if _library is None:
                if not sys.platform.startswith("linux"):
                    raise errors.LibraryError(f"found the platform {sys.platform}, expected linux")
                for path, last in candidates():
                    if last or os.path.exists(path):
                        _library = _open(path)
                        break
    return _library


def function(name: str) -> Any:
    """A function that an older library of the same ABI may not have."""
    try:
        return getattr(library(), name)
    except AttributeError:
        raise errors.LibraryError(f"this libticklog.so has no {name}: a newer one is needed") from None


def status_text(status: int) -> str:
    text: bytes = library().ticklog_status_text(status)
    return text.decode("utf-8", "replace")


def check(status: int, what: str, path: Optional[str] = None) -> None:
    """Raises what a status means; `what` says which call, with its subject."""
    if status != OK:
        raise errors.make(status, f"{what}: {status_text(status)}", path)


def path_bytes(path: Any) -> bytes:
    """A path for C: any that `os.fspath` takes, without a NUL."""
    name = os.fsencode(path)
    if b"\0" in name:
        raise errors.argument("a path has no NUL")
    return name


def version() -> str:
    text: bytes = library().ticklog_version()
    return text.decode()
