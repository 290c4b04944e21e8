"""What the commands `info`, `validate` and `repair` report, as dicts."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Dict, Optional

from . import _library, errors

if TYPE_CHECKING:
    from .table import Path

Report = Dict[str, Any]


def _report(status: int, text: ctypes.c_void_p, path: str, refused: bool) -> Report:
    """The report of a call; raises if there is none, or with `refused` if the call has failed."""
    import json

    told: Report = {}
    if text:
        try:
            told = json.loads(ctypes.string_at(text).decode("utf-8", "surrogateescape"))
        finally:
            _library.function("ticklog_text_free")(text)
    if status != 0 and (refused or not told or "error" in told):
        message = told.get("error") or _first_damage(told) or f"{path}: {_library.status_text(status)}"
        raise errors.make(status, str(message), path)
    return told


def _first_damage(told: Report) -> Optional[str]:
    for damage in told.get("damage") or []:
        if damage.get("text"):
            place = f"offset {damage['offset']}: " if damage.get("offset") is not None else ""
            return f"{damage.get('path', '')}: {place}{damage['text']}"
    return None


def info(path: "Path") -> Report:
    """What a file or run is: format, columns and types, rows, time span, sizes, losses, damage.

    >>> import ticklog
    >>> ticklog.write("i.bcsv", {"t": [1, 2, 3]})
    >>> told = ticklog.info("i.bcsv")
    >>> told["rows"], told["closed"]
    (3, True)
    """
    return _told("ticklog_info_json", path)


def meta(path: "Path") -> Report:
    """The part of `info` that needs no rows: of a run its metadata and streams, of a file its header. In no time."""
    return _told("ticklog_meta_json", path)


def _told(function: str, path: "Path") -> Report:
    text = ctypes.c_void_p()
    status = _library.function(function)(_library.path_bytes(path), ctypes.byref(text))
    told = _report(status, text, os.fsdecode(path), refused=False)
    if status in (_NOT_FOUND, _DENIED):
        raise errors.make(status, _first_damage(told) or f"{os.fsdecode(path)}: {_library.status_text(status)}", os.fsdecode(path))
    return told


_NOT_FOUND, _DENIED = -33, -34


def validate(path: "Path") -> Report:
    """Checks every checksum and structure. ``["sound"]`` is the answer; `damage` lists what is wrong, with offsets.

    >>> import ticklog
    >>> ticklog.write("v.bcsv", {"t": list(range(1000))})
    >>> ticklog.validate("v.bcsv")["sound"]
    True
    >>> with open("v.bcsv", "r+b") as file:
    ...     _ = file.seek(100), file.write(b"?")
    >>> ticklog.validate("v.bcsv")["sound"]
    False
    """
    return _told("ticklog_validate_json", path)


def repair(path: "Path", out: Optional["Path"] = None, in_place: bool = False, keep_unverified: bool = False) -> Report:
    """Keeps all that verifies, in a new file: `out`, or PATH.repaired; with `in_place` it takes the file's place, and what was
    there stays as PATH.orig. A run's directory is repaired in place. The report tells what was kept and what was not.
    """
    name = os.fsdecode(path)
    if in_place and out is not None:
        raise errors.argument(f"{name}: found out and in_place, expected one of them")
    target = None if in_place or (out is None and os.path.isdir(name)) else out if out is not None else name + ".repaired"
    text = ctypes.c_void_p()
    flags = _KEEP_UNVERIFIED if keep_unverified else 0
    place = None if target is None else _library.path_bytes(target)
    status = _library.function("ticklog_repair_json")(_library.path_bytes(name), place, flags, ctypes.byref(text))
    return _report(status, text, name, refused=True)


_KEEP_UNVERIFIED = 1
