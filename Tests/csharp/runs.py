#!/usr/bin/env python3
"""The runs of LoggerTests.cs, read by the command: runs.py TOOL FOLDER."""
import json
import subprocess
import sys

tool, folder = sys.argv[1:]


def cat(run, *words):
    out = subprocess.run([tool, "cat", "--format", "jsonl", *words, f"{folder}/{run}"], capture_output=True, timeout=60, check=True)
    return [json.loads(line) for line in out.stdout.decode().splitlines()]


rows = cat("simple")
assert len(rows) == 1000
for tick, row in enumerate(rows):
    expected = {
        "tick": tick, "motor.Voltage": tick / 8, "motor.Position_X": 0.0, "motor.Position_Y": float(tick), "motor.Position_Z": 0.0,
        "motor.is_on": tick % 3 == 0, "motor.Mode": tick % 2, "motor.Phase[0]": 0, "motor.Phase[1]": -tick, "motor.Phase[2]": 0,
        "motor.State": f"s{tick % 10}", "slow": tick // 10 * 10,
    }
    assert row == expected, (row, expected)
faults = cat("simple", "--stream", "fault")
assert [(f["tick"], f["fault.Code"], f["fault.When"]) for f in faults] == [(t, t, -t) for t in range(50, 1000, 100)], faults
doors = cat("simple", "--stream", "door")
assert [(d["tick"], d["door"]) for d in doors] == [(0, False), (500, True)], doors
notes = cat("simple", "--stream", "ticklog.note")
assert [(n["ticklog.note.level"], n["ticklog.note.text"]) for n in notes] == [(3, "half done, naïve ☃")], notes
(meta,) = cat("simple", "--meta")
assert (meta["user.Gain"], meta["user.Channels"], meta["tick_ns"]) == (2.5, 4, 1000000), meta
columns = json.loads(subprocess.run([tool, "info", "--json", f"{folder}/simple"], capture_output=True, timeout=60, check=True).stdout)
text = json.dumps(columns, ensure_ascii=False)
assert '"V"' in text and '"µs"' in text and "a motor" in text, text

pairs = cat("threads")
torn = [p for p in pairs if p["pair.A"] ^ p["pair.B"] not in (2**64 - 1, 0) or (p["pair.A"] ^ p["pair.B"] == 0 and p["pair.A"])]
assert not torn, torn[:3]
assert len({p["pair.A"] for p in pairs}) > 3, "the values change"
assert len(cat("outlives")) == 1
assert sum(len(cat(f"left{n}")) == 10 for n in range(10)) >= 9
print(f"runs: {len(rows) + len(pairs)} rows, {len(faults) + len(cat('threads', '--stream', 'fault'))} events by the command")
