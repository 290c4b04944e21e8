"""What the machine of Tests/rootfs.sh left on its disk, as pybcsv and json read it: check.py FOLDER."""
import glob
import json
import sys

import pyarrow.parquet
import pybcsv

data = sys.argv[1]


def last(name):
    """The object of the last line: the report."""
    with open(f"{data}/{name}.json") as file:
        return json.loads(file.read().splitlines()[-1])


info = last("info")
assert info["closed"] and not info["damage"], info
assert last("validate")["sound"]
polled = pybcsv.read_columns(glob.glob(f"{data}/runs/*/polled.bcsv")[0])
ticks = [int(tick) for tick in next(iter(polled.values()))]
assert len(ticks) == info["files"][0]["rows"] and ticks == sorted(set(ticks)) and 0 <= ticks[0] < ticks[-1] < 200, ticks
# An emulated processor may be too late for a tick. Then it is declared.
assert len(ticks) == ticks[-1] - ticks[0] + 1 or info["lost_samples"] > 0, (ticks, info["lost_samples"])
# It is that machine that was logged: 512 MiB.
memory = max(int(value) for value in polled["memory.total"])
assert 300_000 < memory < 512 * 1024, memory

words = last("query")["words"]
assert [word["value"] for word in words] == [198, 199, 200, 0], words
rows = sum(pyarrow.parquet.read_table(path).num_rows for path in glob.glob(f"{data}/parquet/*.parquet"))
assert rows == 200 * 3, rows
for name in "tcp", "udp":
    (sent,) = last(f"send-{name}")["channels"]
    (received,) = last(name)["channels"]
    assert received["frames"] == sent["frames"] > 0, (sent, received)
    for loss in "gaps", "missing", "header_crc", "payload_crc", "skipped_bytes", "kernel_drops", "unwritten":
        assert received[loss] == 0, (loss, received)
    assert not glob.glob(f"{data}/{name}/*.part")
