"""Writing tables: `write` and `convert`."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Optional

from . import _arrow, _library, _produce, errors
from .table import open as open_table

if TYPE_CHECKING:
    from .table import Path

_MESSAGE_BYTES = 8192


def write(
    path: "Path",
    frame: Any,
    format: Optional[str] = None,
    row_codec: Optional[str] = None,
    file_codec: Optional[str] = None,
    level: Optional[int] = None,
    overwrite: bool = False,
    packet_bytes: int = 0,
) -> None:
    """Writes a table as a file, which appears whole or not at all.

    `frame` is a DataFrame of pandas or polars, a table of pyarrow, a relation of duckdb, a dict of columns (lists, arrays of
    numpy, `array.array`), a structured array of numpy, a `Table`, or anything with ``__arrow_c_stream__``. The index of
    pandas is not written: `reset_index()` makes a column of it.

    `format` is bcsv, csv, jsonl or parquet; otherwise the path's extension says it. Of BCSV, `row_codec` is flat, zoh, delta or
    auto (what makes the first rows smallest; it is the default), `file_codec` packet, packet-lz4, batch, stream or stream-lz4 (batch, unless it
    is given); of Parquet, `file_codec` is lz4 or none. `level` is that of LZ4, 1 to 9 (6). An existing file is replaced with
    ``overwrite=True`` alone.

    Every column keeps its type. What there is no type for is refused with `ColumnTypeError`, and so is a missing value in
    a column of integers, bools or strings, which files have no place for; in one of floats it becomes NaN.

    >>> import ticklog
    >>> ticklog.write("a.bcsv", {"t": [1, 2], "x": [0.5, float("nan")]})
    >>> ticklog.write("a.bcsv", {"t": [1]})
    Traceback (most recent call last):
    ...
    ticklog.errors.ExistsError: a.bcsv: it is there already; overwrite=True replaces it
    """
    name = os.fsdecode(path)
    if os.path.exists(name) and not overwrite:
        error = errors.make(-32, f"{name}: it is there already; overwrite=True replaces it", name)
        raise error
    function = _library.function("ticklog_arrow_write")
    producer, exporter = _produce.of_frame(frame)
    if producer is not None:
        raw = _arrow.ArrowArrayStream()
        producer.export(raw)
    else:
        raw = _arrow.take_stream(exporter.__arrow_c_stream__())
    config = _library.ArrowWriteConfig()
    config.size = ctypes.sizeof(config)
    config.flags = _library.ARROW_REPLACE if overwrite else 0
    config.format = None if format is None else format.encode()
    config.row_codec = None if row_codec is None else row_codec.encode()
    config.file_codec = None if file_codec is None else file_codec.encode()
    try:
        config.level = _number("level", level or 0, 9)
        config.packet_bytes = _number("packet_bytes", packet_bytes, 1 << 30)
        message = ctypes.create_string_buffer(_MESSAGE_BYTES)
        config.message, config.message_bytes = ctypes.addressof(message), len(message)
        status = function(ctypes.addressof(raw), _library.path_bytes(name), config)
    finally:
        # The library has released it, unless it was not called.
        _arrow._release(raw)
    if producer is not None and producer.failure is not None:
        raise producer.failure
    if status != 0:
        text = message.value.decode("utf-8", "replace")
        raise errors.make(status, text or f"{name}: {_library.status_text(status)}", name)


def _number(name: str, value: int, most: int) -> int:
    if not isinstance(value, int) or not 0 <= value <= most:
        raise errors.argument(f"{name}: found {value!r}, expected a whole number up to {most}")
    return value


def convert(source: "Path", target: "Path", salvage: bool = False, **options: Any) -> None:
    """Reads a file of any format and writes it as another one; options as for `write`.

    >>> import ticklog
    >>> ticklog.write("b.bcsv", {"t": [1, 2], "on": [True, False]})
    >>> ticklog.convert("b.bcsv", "b.csv")
    >>> ticklog.open("b.csv").to_dict()
    {'t': [1, 2], 'on': [True, False]}
    """
    with open_table(source, salvage=salvage, binary=True) as table:
        write(target, table, **options)
