"""Every call once, on good and damaged files, for valgrind. Without numpy, whose own code valgrind does not know well."""

import ctypes
import gc
import glob
import os
import sys

import ticklog
from support import VECTORS
from ticklog import _arrow, _produce

os.chdir(sys.argv[1])
rows = errors = 0
paths = sorted(glob.glob(f"{VECTORS}/bcsv/*bad*.bcsv")) + sorted(glob.glob(f"{VECTORS}/bcsv/*alltypes*.bcsv")) + sorted(glob.glob(f"{VECTORS}/dlf/*/")) + sorted(glob.glob(f"{VECTORS}/rnog/*[0-9].dat")) + sorted(glob.glob(f"{VECTORS}/bms/*.log"))
for path in paths:
    for options in ({}, {"salvage": True}):
        try:
            with ticklog.open(path, **options) as table:
                for batch in table.batches(50):
                    rows += len(batch)
                    kept = [batch._part.values(i) for i in range(len(batch.columns))]
                    for values in kept:
                        values.to_list()
                table.__arrow_c_stream__()
                next(iter(table), None)
        except ticklog.Error:
            errors += 1
        gc.collect()
    for call in (ticklog.info, ticklog.validate):
        try:
            call(path)
        except ticklog.Error:
            errors += 1
columns = {"i": list(range(1000)), "b": [True, False] * 500, "f": [0.5] * 1000, "s": ["text", ""] * 500}
for extension in ("bcsv", "csv", "jsonl", "parquet"):
    ticklog.write(f"v.{extension}", columns, overwrite=True)
assert ticklog.open("v.bcsv").to_dict() == columns
for bad in ({"i": [1, None]}, {"s": ["x" * 70000]}):
    try:
        ticklog.write("w.bcsv", bad)
        raise SystemExit("not refused")
    except ticklog.Error:
        errors += 1
with open("v.bcsv", "r+b") as file:
    file.seek(300)
    file.write(b"damage")
for call in (ticklog.validate, ticklog.repair):
    try:
        call("v.bcsv")
    except ticklog.Error:
        errors += 1


class Motor(ctypes.Structure):
    _fields_ = [("a", ctypes.c_uint8), ("b", ctypes.c_double)]


motor = Motor()
logger = ticklog.Logger()
logger.poll("motor", motor)
event = logger.event("e", {"x": "u16", "s": "string:5"})
with logger.start("runs", "v") as run:
    for i in range(300):
        motor.a = i % 256
        run.tick()
        event.emit(x=i, s="abc")
        run.service()
assert ticklog.open("runs/v").count() == 300
assert ticklog.open("runs/v").meta["closed"]
assert _produce._kept == {}
print(f"valgrind: {len(paths)} files, {rows} rows, {errors} errors, none of memory")
assert _arrow
