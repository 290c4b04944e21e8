"""TickLog: open what was logged, in Python.

>>> import ticklog
>>> ticklog.write("drive.bcsv", {"tick": [0, 1, 2, 3], "speed": [0.0, 1.5, 3.0, 2.5]})
>>> table = ticklog.open("drive.bcsv")
>>> max(table.to_dict()["speed"])
3.0
>>> table[2:].to_dict()
{'tick': [2, 3], 'speed': [3.0, 2.5]}

`open` reads every format of TickLog, `write` writes tables, `Logger` records runs; `info`, `validate`, `repair` and `convert`
do what the commands do. Everything that fails raises a kind of `Error`.

pandas, polars, pyarrow, numpy and matplotlib are used where they are there, and imported when they are needed.

Threads. Every call may be made by any thread. What takes long (reading, writing, service of a run) lets others run
meanwhile. A table opens its file for each conversion, so that two threads may read from one at the same time; an iterator
of batches hands each to one of those who ask. A run takes ticks from one thread, service from another.

Processes. After a fork, tables go on in the child; a run stays with its parent, and raises an error in the child.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import (
        ArgumentError,
        BusyError,
        ClosedError,
        ColumnError,
        ColumnTypeError,
        DamagedError,
        DeniedError,
        Error,
        ExistsError,
        FormatError,
        LibraryError,
        NotFoundError,
        StorageError,
        TimedOutError,
        TooLargeError,
        UnsupportedError,
    )
    from .logger import Event, LoggedRun, Logger
    from .reports import info, repair, validate
    from .table import Batch, Loss, Run, Table, open
    from .writing import convert, write

    __version__: str

__all__ = [
    "ArgumentError", "Batch", "BusyError", "ClosedError", "ColumnError", "ColumnTypeError", "DamagedError", "DeniedError",
    "Error", "Event", "ExistsError", "FormatError", "LibraryError", "LoggedRun", "Logger", "Loss", "NotFoundError", "Run",
    "StorageError", "Table", "TimedOutError", "TooLargeError", "UnsupportedError", "convert", "info", "open", "repair",
    "validate", "write",
]  # fmt: skip

# Where each name is: what is not used is not loaded, so that the import takes no time.
_MODULES = {
    **dict.fromkeys(("Event", "LoggedRun", "Logger"), "logger"),
    **dict.fromkeys(("info", "repair", "validate"), "reports"),
    **dict.fromkeys(("Batch", "Loss", "Run", "Table", "open"), "table"),
    **dict.fromkeys(("convert", "write"), "writing"),
}


def __getattr__(name):  # type: ignore[no-untyped-def]
    if name in __all__:
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
        globals()[name] = value
        return value
    if name == "__version__":
        from ._library import version

        return version()
    raise AttributeError(f"module 'ticklog' has no attribute {name!r}")


def __dir__():  # type: ignore[no-untyped-def]
    return [*globals(), *__all__, "__version__"]
