#!/usr/bin/env python3
"""Makes Tests/Vectors/bms: small logs of the BMS server, good and damaged, by the model. The same bytes each time.

    vectors.py           writes them anew
    vectors.py --check   compares those that are there with what it would write
"""
import os
import struct
import sys
import tempfile

import model
from model import DIFF, FULL, QUERY, SUBSCRIBE, body, legacy

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors", "bms")


def crc32c(data, before=0):
    """Without a C compiler."""
    rest = ~before & 0xFFFFFFFF
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (0x82F63B78 if rest & 1 else 0)
    return ~rest & 0xFFFFFFFF


model.crc32c = crc32c
assert crc32c(b"123456789") == 0xE3069283


def log(payloads, **more):
    with tempfile.TemporaryDirectory() as folder:
        return model.write_log(os.path.join(folder, "log"), payloads, **more)


def places(data):
    """Where the records begin, and the end."""
    at, found = 16, []
    while at < len(data):
        found.append(at)
        at += 16 + struct.unpack_from("<I", data, at + 8)[0] + 7 & ~7
    return [*found, at]


def changed(data, at, new):
    return data[:at] + new + data[at + len(new) :]


def flipped(data, at):
    return changed(data, at, bytes([data[at] ^ 0x10]))


def vectors():
    words = [[(7 * i + 3 * k) % 65536 for k in range(i % 6)] for i in range(40)]
    packets = [
        body(FULL if i % 13 == 0 else QUERY if i % 17 == 5 else SUBSCRIBE if i % 19 == 7 else DIFF, (1 + i % 3, 40 * (i % 4)),
             words[i], [65535 - w for w in words[i]], timestamp=1_700_000_000_000_000 + 12345 * i, sequence=i % 256)
        for i in range(40)
    ]  # fmt: skip
    data = log(packets)
    at = places(data)
    old = log([legacy(1718928471.25 + i / 8, i % 5 - 1, words[i], words[-i]) if len(words[i]) == len(words[-i]) else
               legacy(1718928471.25 + i / 8, 300, words[i], words[i]) for i in range(20)], kind=1, number=7)  # fmt: skip
    old_at = places(old)
    first = data[: at[1]]
    yield "data", data
    yield "legacy", old
    yield "rolled", log(packets[:5], number=2**20)
    yield "no_packets", first
    yield "unknown_command", log([packets[1], body(200, (1, 2), [3], [4], timestamp=5), packets[2]])
    yield "torn_header", data[:9]
    yield "torn_first", data[: at[0] + 20]
    yield "torn_last", data[:-5]
    yield "torn_record_header", data[: at[-2] + 7]
    yield "torn_legacy", old[:-9]
    yield "zeros_behind", data + bytes(64)
    yield "bad_payload", flipped(data, at[10] + 18)
    yield "bad_time", flipped(data, at[10] + 2)
    yield "bad_size", changed(data, at[10] + 8, struct.pack("<I", 0xFFFFFFF0))
    yield "bad_two_places", flipped(flipped(data, at[8] + 12), at[20] + 17)
    yield "bad_padding", flipped(data, at[2] - 1)
    yield "bad_inserted", data[: at[12]] + b"TLBMSLOGxyz" + data[at[12] :]
    yield "bad_cut_out", data[: at[12] + 8] + data[at[14] + 3 :]
    yield "bad_time_falls", data[: at[20]] + data[at[5] : at[7]] + data[at[20] :]
    yield "bad_count", log([packets[3], packets[8][:12] + struct.pack("<I", 9) + packets[8][16:], packets[9]])
    yield "bad_first", flipped(data, at[0] + 16)
    yield "bad_last", flipped(data, at[-2] + 16)
    yield "bad_legacy", flipped(old, old_at[6] + 17)
    yield "bad_version", changed(data, 8, struct.pack("<I", 2))
    yield "bad_kind", changed(data, 12, struct.pack("<I", 2))


def main():
    made = {name + ".log": data for name, data in vectors()}
    if sys.argv[1:] == ["--check"]:
        there = {name: open(os.path.join(FOLDER, name), "rb").read() for name in os.listdir(FOLDER)}
        wrong = sorted(name for name in {*made, *there} if made.get(name) != there.get(name))
        if wrong:
            sys.exit("Tests/Vectors/bms: not as Tests/serve/vectors.py makes them: " + ", ".join(wrong))
        return
    os.makedirs(FOLDER, exist_ok=True)
    for name, data in made.items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(data)


main()
