"""Drawing tables by matplotlib, of any size in bounded memory."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple, Union

from . import errors
from ._frame import need

if TYPE_CHECKING:
    from .table import Table

MOST_COLUMNS = 16
_TIMES = ("tick", "time_ns")


class Decimated:
    """Points of a curve, of which each group of neighbours is replaced by its least and its greatest value, at their
    places, as soon as there are more than `most`: no spike disappears. Values that are none leave a gap where a whole group
    has none.

    >>> import numpy as np
    >>> points = Decimated(np, 64)
    >>> y = np.zeros(100000); y[77777] = 5.0; y[12345] = -3.0
    >>> for start in range(0, len(y), 1000):
    ...     points.add(np.arange(start, start + 1000), y[start:start + 1000])
    >>> x, drawn = points.done()
    >>> len(x) <= 64, int(x[drawn.argmax()]), int(x[drawn.argmin()])
    (True, 77777, 12345)
    """

    def __init__(self, np: Any, most: int):
        self.np = np
        self.most = max(8, most)
        self.group = 1  # values that two points stand for; 1: each stands for itself
        self.x: List[Any] = []
        self.y: List[Any] = []
        self.count = 0
        self.rest: Tuple[Any, Any] = (np.empty(0, np.int64), np.empty(0))

    def add(self, x: Any, y: Any) -> None:
        np = self.np
        if self.group > 1:
            x, y = np.concatenate([self.rest[0], x]), np.concatenate([self.rest[1], y])
            whole = len(x) // self.group * self.group
            self.rest = x[whole:].copy(), y[whole:].copy()
            x, y = self._extremes(x[:whole], y[:whole], self.group)
        if len(x):
            self.x.append(x)
            self.y.append(y)
            self.count += len(x)
        while self.count > self.most:
            self._halve()

    def _extremes(self, x: Any, y: Any, group: int) -> Tuple[Any, Any]:
        np = self.np
        if len(x) == 0:
            return x, y
        rows = y.reshape(-1, group)
        unknown = ~np.isfinite(rows)
        low = np.where(unknown, np.inf, rows).argmin(1)
        high = np.where(unknown, -np.inf, rows).argmax(1)
        first = np.arange(len(rows)) * group
        at = np.stack([np.minimum(low, high), np.maximum(low, high)], 1) + first[:, None]
        at = at.reshape(-1)
        return x[at], y[at]

    def _halve(self) -> None:
        np = self.np
        x, y = np.concatenate(self.x), np.concatenate(self.y)
        size = 4
        whole = len(x) // size * size
        left_x, left_y = x[whole:], y[whole:]
        x, y = self._extremes(x[:whole], y[:whole], size)
        if self.group == 1:
            self.group = size
            self.rest = left_x, left_y
        else:
            self.group *= 2
            # Too few for a group of the new size: they stay two points, which the next halving takes.
            x, y = np.concatenate([x, left_x]), np.concatenate([y, left_y])
        self.x, self.y, self.count = [x], [y], len(x)

    def done(self) -> Tuple[Any, Any]:
        """The points; at most `most`, and the few that did not make a group, as their extremes."""
        np = self.np
        x, y = self.rest
        if len(x) > 2:
            x, y = self._extremes(x, y, len(x))
        xs, ys = np.concatenate([*self.x, x]), np.concatenate([*self.y, y])
        while len(xs) > self.most:
            self.x, self.y, self.count = [xs], [ys], len(xs)
            self.rest = np.empty(0, np.int64), np.empty(0)
            self._halve()
            xs, ys = np.concatenate([*self.x, self.rest[0]]), np.concatenate([*self.y, self.rest[1]])
        return xs, ys


def plot(
    table: "Table",
    columns: Union[str, Sequence[str], None] = None,
    x: Optional[str] = None,
    ax: Any = None,
    loss: bool = True,
    points: int = 4000,
    title: Optional[str] = None,
    **line: Any,
) -> Any:
    """Draws columns of a table, and answers matplotlib's axes: one for each unit, below one another, or `ax` alone.

    `x` is ``time`` (of a run that knows its epoch), ``seconds`` (since the start of the run), ``tick``, ``row``, or a
    column; the first of these that there is, unless given. `points` is how many a curve has at most: of each group of
    rows its least and greatest value are drawn, so that no spike disappears, and a file of any size takes bounded memory.
    `loss` shades what a run has declared lost. Other options go to matplotlib's lines.
    """
    np = need("numpy", "plot")
    if ax is None:
        need("matplotlib", "plot")
        import matplotlib.pyplot as pyplot
    names, types = table.columns, table.types
    numbers = [name for name in names if types[name] not in ("string", "bytes")]
    if columns is None:
        chosen = [name for name in numbers if name not in _TIMES]
        if len(chosen) > MOST_COLUMNS:
            warnings.warn(f"{table.path}: drew {MOST_COLUMNS} of {len(chosen)} columns; choose them", stacklevel=3)
            chosen = chosen[:MOST_COLUMNS]
    else:
        chosen = [columns] if isinstance(columns, str) else list(columns)
    if not chosen:
        raise errors.argument(f"{table.path}: found no column of numbers to draw")
    table._indices(chosen)
    for name in chosen:
        if name not in numbers:
            raise errors.ColumnTypeError(f"{table.path}: column {name}: found {types[name]}, expected numbers")
    if points < 8:
        raise errors.argument(f"points: found {points}, expected at least 8")
    if x is None:
        known = table.tick_ns is not None and "tick" in names
        x = "time" if known and table.epoch_ns is not None else "seconds" if known else "tick" if "tick" in names else "row"
    base = "tick" if x in ("time", "seconds") else None if x == "row" and "row" not in names else x
    tick_ns, epoch_ns = table.tick_ns, table.epoch_ns
    if x in ("time", "seconds") and (tick_ns is None or (x == "time" and epoch_ns is None)):
        raise errors.UnsupportedError(f"{table.path}: found no time of its ticks, expected a run that knows it")
    if base is not None and base not in numbers:
        raise errors.ColumnError(f"{table.path}: found x={x!r}, expected time, seconds, tick, row or a column of numbers")

    curves = {name: Decimated(np, points) for name in chosen}
    row = 0
    wanted = list(dict.fromkeys([*([base] if base else []), *chosen]))
    for batch in table.batches(65536):
        values = batch.to_numpy(wanted)
        place = values[base] if base else np.arange(row, row + len(batch))
        for name in chosen:
            curve = values[name]
            if isinstance(curve, np.ma.MaskedArray):
                curve = curve.astype(np.float64).filled(np.nan)
            elif curve.dtype.kind != "f":
                curve = curve.astype(np.float64)
            curves[name].add(np.asarray(place), curve)
        row += len(batch)

    def moment(ticks: Any) -> Any:
        assert tick_ns is not None or x not in ("time", "seconds")
        if x == "time":
            return (np.asarray(ticks).astype(np.int64) * tick_ns + epoch_ns).astype("datetime64[ns]")
        return np.asarray(ticks).astype(np.float64) * ((tick_ns or 0) / 1e9) if x == "seconds" else ticks

    units = table.units
    by_unit: Dict[str, List[str]] = {}
    for name in chosen:
        by_unit.setdefault(units.get(name, ""), []).append(name)
    if ax is None:
        _, grid = pyplot.subplots(len(by_unit), 1, sharex=True, squeeze=False, figsize=(10, 1.5 + 2.5 * len(by_unit)), layout="constrained")
        axes = list(grid[:, 0])
        pairs = list(zip(axes, by_unit.items()))
    else:
        axes = [ax]
        pairs = [(ax, item) for item in by_unit.items()]
    line.setdefault("linewidth", 1)
    for one, (unit, group) in pairs:
        for name in group:
            xs, ys = curves[name].done()
            style = {"drawstyle": "steps-post"} if types[name] == "bool" else {}
            one.plot(moment(xs), ys, label=name, **{**style, **line})
        label = group[0] if len(group) == 1 else ""
        one.set_ylabel(f"{label} [{unit}]".strip() if unit else label)
        one.grid(True, alpha=0.3)
    if loss and base == "tick" and hasattr(table, "loss"):
        xs = curves[chosen[0]].done()[0]
        for first, last in _spans(table.loss, int(xs.min()) if len(xs) else 0, int(xs.max()) if len(xs) else 0, points):
            for one in axes:
                one.axvspan(moment(first), moment(last), color="tab:red", alpha=0.2, linewidth=0)
    for one in axes:
        one.legend(loc="upper right", fontsize="small")
    axes[-1].set_xlabel({"time": "time (UTC)", "seconds": "time [s]"}.get(x, x))
    axes[0].set_title(title if title is not None else table.path)
    return axes[0] if len(axes) == 1 else axes


def _spans(losses: Sequence[Any], first: int, last: int, most: int) -> List[Tuple[int, int]]:
    """The ranges of ticks in which something was lost, within those that are drawn; what is closer than a point is one."""
    least = max(1, (last - first) // most)
    spans: List[Tuple[int, int]] = []
    for begin, end in sorted((loss.first_tick, loss.last_tick + 1) for loss in losses):
        begin, end = max(begin, first), min(max(end, begin + least), max(last, first + 1))
        if end <= begin:
            continue
        if spans and begin <= spans[-1][1] + least:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((begin, end))
    return spans
