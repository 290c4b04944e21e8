#!/usr/bin/env python3
"""info, cat, validate, repair and convert on .dat files against reader.py: check_files.py TICKLOG [SEED]"""
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time

import reader

TICKLOG = sys.argv[1]
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
random.seed(SEED)
MOST = (1 << 31) - 65
failures = 0


def check(condition, what):
    global failures
    if not condition:
        failures += 1
        print("FAILED:", what)


def run(*words, stdin=None):
    return subprocess.run([TICKLOG, *map(str, words)], capture_output=True, timeout=60, stdin=stdin)


def some_frames():
    """Frames as they may stand in a file: whole ones, of several streams, in any order."""
    out = []
    for i in range(random.choice((0, 1, 2, 10, 100))):
        stream = random.choice((0, 0, 0, 3, 255))
        data = random.randbytes(random.choice((1, 2, 24, 100, 1000)))
        flags = random.choice((0, 0, reader.STARTED, reader.PTP))
        if random.random() < 0.5:
            data, more = reader.chunk(i // 3, i % 3, 3, data)
            flags |= more
        elif random.random() < 0.1:
            data = data + reader.MAGIC + data
        sequence = random.choice((i, i, i, i, i - 1, i + 5, 1 << 63)) if i else 0
        out.append(reader.build(sequence, 1700000000000000000 + random.choice((1000 * i, 1000 * i, 1)), data, stream, flags))
    return out


def spoil(parts):
    """The bytes of a file, with some harm done."""
    data = bytearray()
    for part in parts:
        part = bytearray(part)
        if random.random() < 0.1:
            part[random.randrange(len(part))] ^= random.randrange(1, 256)
        if random.random() < 0.03:
            part = part[:random.randrange(len(part))]
        if random.random() < 0.03:
            part += random.choice((b"\0" * 100, reader.MAGIC, reader.MAGIC[:5], random.randbytes(50)))
        if random.random() < 0.02:
            part += reader.build(1, 1, b"x" * 9, length=random.choice((0, 0xFFFFFFFF)))
        if random.random() < 0.02:
            part += reader.build(1, 1, b"x" * 9, version=2)
        data += part
    if random.random() < 0.3:
        del data[len(data) - random.randrange(min(60, len(data) + 1)):]
    return bytes(data)


def rows(found):
    out = []
    for frame in found:
        periodic, index, count = frame.chunk() or (0, 0, 0)
        out.append(dict(stream=frame.stream, sequence=frame.sequence, timestamp_ns=frame.timestamp, flags=frame.flags,
                        payload_bytes=frame.length, periodic=periodic, chunk=index, chunks=count, offset=frame.offset,
                        payload=frame.bytes[reader.HEADER:].hex()))
    return out


def check_one(work, number):
    path = os.path.join(work, "f%d.dat" % number)
    parts = some_frames()
    data = b"".join(parts) if random.random() < 0.3 else spoil(parts)
    with open(path, "wb") as file:
        file.write(data)
    found, counts = reader.scan(data, MOST)
    what = "file %d" % number
    damaged = sum(len(frame.bytes) for frame in found) != len(data)
    if not data.startswith(reader.MAGIC[:max(4, min(8, len(data)))]) and data and not found:
        check(run("info", path).returncode == 1, what + ": no frame, but no error")
        return
    # validate
    result = run("validate", "--json", path)
    report = json.loads(result.stdout)
    check(result.returncode == damaged and report["sound"] == (not damaged), what + ": validate")
    check(report["rows"] == len(found) and report["kind"] == "frames", what + ": validate counts")
    places = report["damage"]
    # info
    info = json.loads(run("info", "--json", path).stdout)
    check((info["frames"], info["size"]) == (len(found), len(data)), what + ": info")
    check(info["damaged_bytes"] == len(data) - sum(len(frame.bytes) for frame in found), what + ": damaged bytes")
    check([d["offset"] for d in info["damage"]] == [d["offset"] for d in places], what + ": places")
    covered = sorted([(d["offset"], d["skipped_bytes"]) for d in info["damage"]]
                     + [(frame.offset, len(frame.bytes)) for frame in found])
    at = 0
    for offset, size in covered:
        check(offset == at and size > 0, what + ": bytes at %d are told of twice or never" % offset)
        at = offset + size
    check(at == len(data), what + ": the end")
    for kind, text in (("header_crc", "header checksum"), ("payload_crc", "payload checksum"), ("version_errors", "version"),
                       ("length_errors", "payload of")):
        check(counts[kind] == sum(text in d["text"] for d in info["damage"]), what + ": " + kind)
    check(sorted({frame.stream for frame in found}) == [s["stream"] for s in info["streams"]], what + ": streams")
    for stream in info["streams"]:
        own = [frame for frame in found if frame.stream == stream["stream"]]
        receiver = reader.Receiver(stream["stream"], MOST, 64)
        for frame in own:
            # The file's own order is judged; nothing is thrown away.
            receiver.take(frame)
        check(stream["frames"] == len(own) and stream["bytes"] == sum(len(frame.bytes) for frame in own), what + ": frames")
        check((stream["first_sequence"], stream["last_sequence"]) ==
              (min(f.sequence for f in own), max(f.sequence for f in own)), what + ": sequences")
        check((stream["first_timestamp_ns"], stream["last_timestamp_ns"]) ==
              (min(f.timestamp for f in own), max(f.timestamp for f in own)), what + ": timestamps")
        receiver.end()
        check(stream["periodics"] == receiver.periodics, what + ": periodics")
        for name in ("gaps", "missing", "late", "duplicates", "restarts", "unassembled"):
            check(stream[name] == receiver.counts[name] % (1 << 64), what + ": %s: found %d, expected %d"
                  % (name, stream[name], receiver.counts[name]))
    # cat
    result = run("cat", "--format", "jsonl", "--payload", "hex", "--salvage", path)
    check([json.loads(line) for line in result.stdout.splitlines()] == rows(found), what + ": cat")
    torn = bool(places) and all(d["torn"] for d in places)
    check(result.returncode == (damaged and not torn), what + ": cat's exit code")
    result = run("cat", path)
    first = next((d["offset"] for d in places), len(data))
    lines = list(csv.DictReader(io.StringIO(result.stdout.decode())))
    expected = [{k: str(v) for k, v in row.items() if k != "payload"} for row in rows(found) if row["offset"] < first]
    check(lines == expected, what + ": cat stops at the damage")
    # convert
    if found:
        result = run("convert", "--salvage", path, path + ".bcsv")
        check(result.returncode == (damaged and not torn), what + ": convert")
        result = run("cat", "--format", "jsonl", path + ".bcsv")
        check([json.loads(line) for line in result.stdout.splitlines()] ==
              [{k: v for k, v in row.items() if k != "payload"} for row in rows(found)], what + ": convert's rows")
    # repair
    good = b"".join(frame.bytes for frame in found)
    result = run("repair", path)
    if damaged and not found:
        check(result.returncode == 1 and not os.path.exists(path + ".repaired"), what + ": repaired nothing")
        return
    check(result.returncode == 0, what + ": repair")
    check(os.path.exists(path + ".repaired") == damaged, what + ": repair writes only what must be")
    if damaged:
        with open(path + ".repaired", "rb") as file:
            check(file.read() == good, what + ": repair does not keep just the good frames")
        check(run("validate", path + ".repaired").returncode == 0, what + ": repaired is not sound")
        check(run("repair", path).returncode == 3, what + ": repair replaces a file")
    check(run("repair", "--in-place", path).returncode == 0, what + ": in place")
    with open(path, "rb") as file:
        check(file.read() == good, what + ": in place")
    if damaged:
        with open(path + ".orig", "rb") as file:
            check(file.read() == data, what + ": .orig")
    result = run("repair", "--json", "--in-place", path)
    check(result.returncode == 0 and not json.loads(result.stdout)["files"][0]["repaired"], what + ": idempotent")
    # From a pipe
    with open(path, "rb") as file:
        if good:
            check(json.loads(run("info", "--json", "-", stdin=file).stdout)["frames"] == len(found), what + ": pipe")


with tempfile.TemporaryDirectory() as work:
    print("check_files.py: seed %d" % SEED)
    for number in range(int(os.environ.get("ROUNDS", 60))):
        check_one(work, number)
    check(run("cat", "--payload", "hex", TICKLOG).returncode != 0, "an option of frames on another file")
print("check_files.py: " + ("%d FAILED" % failures if failures else "passed"))
sys.exit(failures > 0)
