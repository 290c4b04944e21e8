"""What goes wrong, as exceptions. All of them are `Error`; those that have a brother in Python are that as well, so that
``except FileNotFoundError`` works as everywhere.

>>> issubclass(NotFoundError, FileNotFoundError) and issubclass(NotFoundError, Error)
True
"""

from __future__ import annotations

import errno as _errno
from typing import Any, Dict, Optional, Type


class Error(Exception):
    """Something that TickLog refuses, or could not do.

    The message says the file, where in it, what was found and what was expected. `status` is the number of
    ``ticklog.h`` (0 if there is none), `path` the file, `offset` the place in bytes from its start, if that is known.
    """

    status: int = 0
    path: Optional[str] = None
    offset: Optional[int] = None

    def __str__(self) -> str:
        # OSError would make "[Errno 2] ..." of it.
        return str(self.args[-1]) if self.args else ""


class ClosedError(Error, ValueError):
    """A table, run or logger was used after it was closed."""


class ArgumentError(Error, ValueError):
    """A value outside of its range, or a name that is none."""


class ColumnTypeError(Error, TypeError):
    """Values of a type that there is no column for."""


class ColumnError(Error, KeyError):
    """There is no such column or stream."""


class FormatError(Error):
    """Not a file of a format that is read, or a version of it that is not."""


class DamagedError(Error):
    """Bytes contradict their checksum, the schema or the limits; `offset` tells where."""


class TooLargeError(Error):
    """A row, packet or text beyond the limits of a format."""


class UnsupportedError(Error):
    """The format cannot do this."""


class NotFoundError(Error, FileNotFoundError):
    """No such file, directory or run."""


class ExistsError(Error, FileExistsError):
    """The file or run exists already."""


class DeniedError(Error, PermissionError):
    """Not permitted, or read-only."""


class StorageError(Error, OSError):
    """The medium failed or is full; `errno` tells which."""


class BusyError(Error):
    """Somebody else has it: another process, or a call that is under way. Try again."""


class TimedOutError(Error, TimeoutError):
    """It did not happen within its time limit."""


class LibraryError(Error, ImportError):
    """libticklog.so is missing, or one of another ABI."""


_ARGUMENT = (-1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -12, -13, -14, -15, -16, -17, -22)
CLASSES: Dict[int, Type[Error]] = {
    **{status: ArgumentError for status in _ARGUMENT},
    -11: ColumnTypeError,
    -18: UnsupportedError,
    -20: ClosedError,
    -21: BusyError,
    -24: BusyError,
    -25: StorageError,
    -30: StorageError,
    -31: StorageError,
    -32: ExistsError,
    -33: NotFoundError,
    -34: DeniedError,
    -40: FormatError,
    -41: DamagedError,
    -42: TooLargeError,
    -50: TimedOutError,
}
_ERRNO = {
    -25: _errno.ENOSPC, -30: _errno.EIO, -31: _errno.ENOSPC, -32: _errno.EEXIST, -33: _errno.ENOENT, -34: _errno.EACCES,
    -50: _errno.ETIMEDOUT,
}  # fmt: skip


def make(status: int, message: str, path: Optional[str] = None, offset: Optional[int] = None) -> Error:
    """The exception of a status of the library. An offset that the message names becomes its `offset`."""
    kind = CLASSES.get(status, Error)
    error = kind(_ERRNO.get(status, _errno.EIO), message) if issubclass(kind, OSError) else kind(message)
    error.status = status
    error.path = path
    error.offset = offset_in(message) if offset is None else offset
    if isinstance(error, OSError) and path is not None:
        error.filename = path
    return error


def offset_in(message: str) -> Optional[int]:
    """The number behind the last word `offset`.

    >>> offset_in("a.bcsv: offset 58: found 5, expected the index of a stream"), offset_in("no such file")
    (58, None)
    """
    _, word, rest = message.rpartition("offset ")
    digits = ""
    for character in rest:
        if character not in "0123456789":
            break
        digits += character
    return int(digits) if word and digits else None


def argument(message: str, **more: Any) -> ArgumentError:
    error = ArgumentError(message)
    error.status = -7
    for name, value in more.items():
        setattr(error, name, value)
    return error
