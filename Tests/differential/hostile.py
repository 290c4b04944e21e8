"""Files that lie: every length, count and offset may be anything. Reading them ends, with a status, in little memory.

    hostile.py PROGRAM
"""
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, "..", "python"))

import xxhash  # noqa: E402

import bcsv  # noqa: E402
import lz4block  # noqa: E402
from bcsv_writer import Writer, file_header, length  # noqa: E402

OK_ENDINGS = (-26, -40, -41, -42)  # END, WRONG_FORMAT, DAMAGED, TOO_LARGE


def head(first=0):
    start = bcsv.PACKET_MAGIC + struct.pack("<Q", first)
    return start + struct.pack("<I", xxhash.xxh32_intdigest(start))


def packet(body, first=0):
    body += bcsv.END
    return head(first) + body + struct.pack("<Q", xxhash.xxh64_intdigest(body))


def batch(payload, first=0, size=None, stored=None, block=None):
    payload += bcsv.END
    block = lz4block.literals(payload) if block is None else block
    return head(first) + struct.pack("<II", len(payload) if size is None else size, len(block) if stored is None else stored) + \
        block + struct.pack("<Q", xxhash.xxh64_intdigest(payload))


def footer(entries, rows, size=None):
    data = b"BIDX" + b"".join(struct.pack("<QQ", *e) for e in entries) + b"EIDX"
    data += struct.pack("<IQ", len(data) + 20 if size is None else size, rows)
    return data + struct.pack("<Q", xxhash.xxh64_intdigest(data))


def bomb(count):
    """An LZ4 block of few bytes that says `count` zeros."""
    n = count - 1 - 4 - 15 - 5
    return b"\x1f\0\x01\0" + b"\xff" * (n // 255) + bytes([n % 255]) + b"\x50" + bytes(5)


def files():
    u32 = [b"x"], [3]
    text = [b"s"], [11]
    row = length(4) + b"\1\0\0\0"
    flat = file_header(*u32, "flat", "packet")
    start = len(flat)
    whole = packet(row)
    yield "nothing", b""
    yield "magic", b"BCSV"
    yield "zeros", bytes(100000)
    for bits in (0xFF, 0xFE):
        yield "length of ones %x" % bits, flat + head() + bytes([bits]) + b"\xff" * 7 + bytes(50)
    yield "row of 2^24", flat + head() + length((1 << 24) + 5) + bytes(50)
    yield "row as long as rows may be", flat + head() + length(bcsv.LONGEST_ROW) + bytes(50)
    yield "repeat in a flat file", flat + packet(row + b"\0" + row)
    yield "repeat at first", file_header(*u32, "zoh", "packet") + packet(b"\0")
    yield "repeat in a delta file", file_header(*u32, "delta", "packet") + packet(b"\0")
    yield "terminator in 8 bytes", flat + head() + row + length(bcsv.TERMINATOR, 8) + bytes(8)
    for first in ((1 << 64) - 1, (1 << 63) - 1, 1 << 63, 1 << 32):
        yield "first row %x" % first, flat + packet(row * 3, first) + packet(row, first + 3 & (1 << 64) - 1)
        yield "first row %x behind row 0" % first, flat + whole + packet(row * 3, first) + footer([(start, 0)], 1)
    yield "first rows go back", flat + packet(row * 3, 5) + packet(row * 3, 0)
    yield "the same packet twice", flat + whole * 2 + footer([(start, 0)], 1)
    for rows in (0, 2, 1 << 32, (1 << 64) - 1):
        yield "footer of %x rows" % rows, flat + whole + footer([(start, 0)], rows)
    for size in (0, 27, 28, 44, 60, 1 << 31, (1 << 32) - 1, (1 << 32) - 4):
        yield "footer of %d bytes" % size, flat + whole + footer([(start, 0)], 1, size)
    for offset in (0, start - 1, start + 1, 1 << 32, 1 << 63, (1 << 64) - 1):
        yield "index to %x" % offset, flat + whole + footer([(offset, 0)], 1)
        yield "index to %x and back" % offset, flat + packet(row * 2) + packet(row * 2, 2) + \
            footer([(start, 0), (offset, 2)], 4)
    yield "index to the other packet", flat + packet(row * 2) + packet(row * 2, 2) + \
        footer([(start + len(whole) + 5, 2), (start, 0)], 4)
    yield "index of first rows that go back", flat + packet(row * 2) + packet(row * 2, 2) + footer([(start, 9), (start, 3)], 4)
    yield "index of 10000 the same", flat + whole + footer([(start, 0)] * 10000, 1)
    yield "footer alone", flat + footer([], 0)
    yield "footer of rows that are not there", flat + footer([], 1000)
    yield "two footers", flat + whole + footer([(start, 0)], 1) * 2
    yield "packet behind the footer", flat + whole + footer([(start, 0)], 1) + packet(row, 1)
    for limit in (0, 1, 1 << 30, (1 << 30) + 1, (1 << 32) - 1):
        lying = file_header(*u32, "flat", "batch", limit=limit)
        yield "batch, limit %x" % limit, lying + batch(row)
        for size in (0, 1, 9, 11, 1 << 24, (1 << 24) + 65536, (1 << 31) - 1, 1 << 31, (1 << 32) - 1):
            yield "batch, limit %x, of %x" % (limit, size), lying + batch(row, size=size)
            yield "batch, limit %x, stored %x" % (limit, size), lying + batch(row, stored=size) + bytes(100)
    lying = file_header(*u32, "flat", "batch")
    yield "batch of nothing", lying + batch(b"", block=b"", stored=0)
    yield "batch without a terminator", lying + head() + struct.pack("<II", 5, 6) + lz4block.literals(row) + \
        struct.pack("<Q", xxhash.xxh64_intdigest(row))
    yield "batch with bytes behind", lying + batch(row + bcsv.END + row)
    yield "batch that is a bomb", lying + head() + struct.pack("<II", 16 << 20, len(bomb(16 << 20))) + bomb(16 << 20) + bytes(8)
    for row_codec in ("flat", "zoh", "delta"):
        lying = file_header(*text, row_codec, "packet-lz4")
        yield "row that is a bomb, " + row_codec, lying + packet(length(len(bomb(1 << 24))) + bomb(1 << 24))
        yield "row that is too long a bomb, " + row_codec, lying + packet(length(len(bomb(1 << 25))) + bomb(1 << 25))
        lying = file_header(*text, row_codec, "stream-lz4")
        block = bomb(1 << 24)
        yield "stream row that is a bomb, " + row_codec, lying + length(len(block)) + block + \
            struct.pack("<I", xxhash.xxh32_intdigest(block))
        yield "text longer than its row, " + row_codec, file_header(*text, row_codec, "packet") + \
            packet(length(6) + {"flat": b"", "zoh": b"\1", "delta": b"\1"}[row_codec] + b"\xff\xffabcd"[:6 if row_codec == "flat" else 5])
    for code in (1, 6, 7):
        yield "delta code %d at first" % code, file_header(*u32, "delta", "packet") + packet(length(6) + bytes([code]) + bytes(5))
    for names, kinds, name in (([b""] * 65535, [3] * 65535, "numbers"), ([b""] * 65535, [11] * 65535, "texts"),
                               ([b""] * 65535, [0] * 65535, "bools")):
        for row_codec in ("flat", "zoh", "delta"):
            lying = file_header(names, kinds, row_codec, "packet")
            yield "65535 %s, %s" % (name, row_codec), lying + packet(length(10) + bytes(10))
            yield "65535 %s, %s, stream" % (name, row_codec), file_header(names, kinds, row_codec, "stream") + length(9) + bytes(13)
    lying = bytearray(file_header([b""] * 1000, [3] * 1000, "flat", "packet"))
    lying[24 + 1000:24 + 3000] = b"\xff" * 2000
    yield "names that are not there", bytes(lying) + whole
    yield "no columns", file_header([], [], "flat", "packet") + whole
    for kind in (12, 64, 255):
        yield "type %d" % kind, file_header([b"x"], [kind], "flat", "packet") + whole
    for version in ((1, 6, 0), (0, 0, 0), (2, 5, 0), (1, 3, 1), (1, 2, 0), (255, 255, 255)):
        yield "version %d.%d.%d" % version, file_header(*u32, "flat", "packet", version=version) + whole
    for flags in (32, 0x8000, 0xFFFF, 3, 7, 31):
        yield "flags %x" % flags, file_header(*u32, "flat", "packet", more_flags=flags) + whole
    yield "level 10", file_header(*u32, "flat", "packet", level=10) + whole
    yield "a million repeats", file_header(*u32, "zoh", "packet") + packet(length(5) + b"\1\1\0\0\0" + bytes(1000000))
    yield "headers without packets", flat + head() * 50000
    yield "magic without headers", flat + b"PKCT" * 200000


def ran(program, how, path):
    done = subprocess.run([program, how, path], timeout=20, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("exit %d: %s" % (done.returncode, done.stderr[-300:]))
    return [int(w) for w in done.stdout.split()]


def main():
    program, failures, count, most = sys.argv[1], 0, 0, (0, "")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "hostile.bcsv")

        def store(data):
            with open(path, "wb") as f:
                f.write(data)

        def wrong(name, *words):
            nonlocal failures
            failures += 1
            print("%s: %s" % (name, " ".join(map(str, words))))

        # Lengths that lie cost nothing: 4 MB is the noise of a process; a bomb costs the row or packet that it is.
        store(Writer([b"x"], [3], "flat", "packet").close())
        _, _, _, least = ran(program, "read", path)
        for name, data in files():
            count += 1
            store(data)
            allowed = 4096 + 6 * len(data) // 1024 + (2 * 17000 if "bomb" in name else 0)
            for how in ("read", "path"):
                try:
                    status, rows, memory, peak = ran(program, how, path)
                except (RuntimeError, subprocess.TimeoutExpired) as error:
                    wrong(name, how, error)
                    continue
                if status not in OK_ENDINGS:
                    wrong(name, how, "status", status)
                if peak - least > allowed:
                    wrong(name, how, "takes %d KB where %d are allowed" % (peak - least, allowed))
                most = max(most, (peak - least, name))

        # What is honest: at most twice the largest packet.
        for file_codec in ("packet", "packet-lz4", "batch"):
            w = Writer([b"s"], [11], "flat", file_codec, limit=8 << 20)
            for i in range(20 * 16):
                w.row((bytes([i % 251]) * 65535,))
            data = w.close()
            store(data)
            f = bcsv.parse(data)
            largest = max(p.end - p.offset for p in f.packets) // 1024
            status, rows, memory, peak = ran(program, "read", path)
            if (status, rows) != (-26, 320):
                wrong("honest " + file_codec, "status", status, "rows", rows)
            if peak - least > 2 * largest + 2048:
                wrong("honest " + file_codec, "takes %d KB, packets have %d" % (peak - least, largest))
            print("%s: packets of %d KB, peak memory %d KB more than for an empty file" % (file_codec, largest, peak - least))

        # What is no file.
        os.mkdir(os.path.join(folder, "directory"))
        os.mkfifo(os.path.join(folder, "fifo"))
        for name in ("directory", "fifo", "nothing", "n" * 300):
            try:
                status = ran(program, "path", os.path.join(folder, name))[0]
                if status not in (-30, -33, -34, -40):
                    wrong(name, "status", status)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                wrong(name, error)
    print("%d hostile files, %d failures; the most memory, %d KB, for: %s" % (count, failures, *most))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
