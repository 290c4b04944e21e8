"""Frames as docs/FRAMES.md says, from that text alone: a builder, a reader, and a receiver that only counts.

The matrix test and the checks of `ticklog send` and of .dat files compare the command with it. The receiver here takes
the bytes of one channel, split by nothing (TCP, a .dat file) or as messages (UDP, Kafka).
"""
import ctypes
import os
import struct
import subprocess
import tempfile

MAGIC = bytes.fromhex("d3914c7ea85bf216")
HEADER, SUB = 40, 24
FIRST, LAST, STARTED, PTP = 1, 2, 1 << 13, 1 << 15
LATE = 1024

# CRC-32C, bit by bit as the polynomial says; in C if there is a compiler, since the tests have many megabytes.
C_SOURCE = """
#include <stddef.h>
#include <stdint.h>
static uint32_t table[256];
void prepare(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (c & 1 ? 0x82F63B78u : 0);
        table[i] = c;
    }
}
uint32_t crc(uint32_t before, const unsigned char *bytes, size_t count)
{
    uint32_t c = ~before;
    while (count--) c = table[(c ^ *bytes++) & 255] ^ c >> 8;
    return ~c;
}
"""
TABLE = []
for i in range(256):
    c = i
    for _ in range(8):
        c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
    TABLE.append(c)


def crc_slow(data, before=0):
    c = before ^ 0xFFFFFFFF
    for byte in data:
        c = TABLE[(c ^ byte) & 255] ^ c >> 8
    return c ^ 0xFFFFFFFF


def compiled():
    with tempfile.TemporaryDirectory() as work:
        source, library = os.path.join(work, "crc.c"), os.path.join(work, "crc.so")
        with open(source, "w") as file:
            file.write(C_SOURCE)
        try:
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", source, "-o", library], check=True, timeout=60,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError):
            return crc_slow
        code = ctypes.CDLL(library)
    code.prepare()
    code.crc.restype = ctypes.c_uint32
    code.crc.argtypes = [ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t]
    return lambda data, before=0: code.crc(before, bytes(data), len(data))


crc32c = compiled()
assert crc32c(b"123456789") == crc_slow(b"123456789") == 0xE3069283


def build(sequence, timestamp, payload, stream=0, flags=0, version=1, length=None, bad_header=0, bad_payload=0):
    """A frame; `length`, `bad_header` and `bad_payload` make a wrong one."""
    head = MAGIC + struct.pack(">BBHQQI", version, stream, flags, sequence, timestamp,
                               len(payload) if length is None else length)
    crc = crc32c(payload) ^ bad_payload
    header = crc32c(head + bytes(4) + struct.pack(">I", crc)) ^ bad_header
    return head + struct.pack(">II", header, crc) + payload


def chunk(periodic, index, count, data):
    """The payload of a chunk, and the flags that its frame must have."""
    flags = (FIRST if index == 0 else 0) | (LAST if index == count - 1 else 0)
    return struct.pack(">QIIII", periodic, index, count, len(data), 0) + data, flags


class Frame:
    __slots__ = ("offset", "bytes", "version", "stream", "flags", "sequence", "timestamp", "length")

    def __init__(self, data, offset):
        (self.version, self.stream, self.flags, self.sequence, self.timestamp,
         self.length) = struct.unpack_from(">BBHQQI", data, offset + 8)
        self.offset = offset
        self.bytes = None

    def chunk(self):
        """(periodic, index, count), or None: the payload is no chunk."""
        if self.length < SUB:
            return None
        periodic, index, count, size, reserved = struct.unpack_from(">QIIII", self.bytes, HEADER)
        if index >= count or size != self.length - SUB or reserved:
            return None
        if bool(self.flags & FIRST) != (index == 0) or bool(self.flags & LAST) != (index == count - 1):
            return None
        return periodic, index, count


def scan(data, most=1 << 20):
    """The good frames of a stream of bytes, and what else there was."""
    counts = dict(header_crc=0, payload_crc=0, length_errors=0, version_errors=0, skipped_bytes=0, truncated=0)
    frames = []
    at = 0
    while True:
        found = data.find(MAGIC, at)
        if found < 0:
            # What could still become the magic is no error yet.
            tail = next((n for n in range(min(7, len(data) - at), 0, -1) if data.endswith(MAGIC[:n])), 0)
            counts["skipped_bytes"] += len(data) - tail - at
            counts["truncated"] += tail
            return frames, counts
        counts["skipped_bytes"] += found - at
        at = found
        if len(data) - at < HEADER:
            counts["truncated"] += len(data) - at
            return frames, counts
        header, payload = struct.unpack_from(">II", data, at + 32)
        frame = Frame(data, at)
        error = None
        if crc32c(data[at:at + 32] + bytes(4) + data[at + 36:at + 40]) != header:
            error = "header_crc"
        elif frame.version != 1:
            error = "version_errors"
        elif not 0 < frame.length <= most:
            error = "length_errors"
        if error:
            counts[error] += 1
            counts["skipped_bytes"] += 1
            at += 1
            continue
        end = at + HEADER + frame.length
        if end > len(data):
            counts["truncated"] += len(data) - at
            return frames, counts
        if crc32c(data[at + HEADER:end]) != payload:
            counts["payload_crc"] += 1
        else:
            frame.bytes = data[at:end]
            frames.append(frame)
        at = end


class Receiver:
    """What a receiver of one channel reports, and which frames it writes."""

    def __init__(self, channel=0, most=1 << 20, open_periodics=8):
        self.channel, self.most, self.open_periodics = channel, most, open_periodics
        self.counts = dict.fromkeys(
            ("frames", "bytes", "gaps", "missing", "duplicates", "header_crc", "payload_crc", "length_errors",
             "version_errors", "skipped_bytes", "restarts", "late", "unassembled", "wrong_stream", "truncated"), 0)
        self.periodics = dict(complete=0, incomplete=0, missing_chunks=0)
        self.written = []
        self.expected = None
        self.newest = 0
        # Of the counts before a restart.
        self.earlier = (0, 0)
        # Numbers that have not come and could still; True: counted as missing.
        self.absent = {}
        self.open = {}

    def stream(self, data):
        """All that a connection brings, from its start to its end."""
        frames, counts = scan(data, self.most)
        for name, count in counts.items():
            self.counts[name] += count
        for frame in frames:
            self.take(frame)

    def message(self, data):
        """One datagram, or one message of Kafka."""
        frames, counts = scan(data, self.most)
        if frames == [] and counts["truncated"]:
            # A datagram does not go on: what cannot be a frame's start any more is none.
            good = data.find(MAGIC) >= 0 and len(data) - data.find(MAGIC) >= HEADER
            if not good:
                counts["skipped_bytes"] += counts["truncated"]
                counts["truncated"] = 0
        for name, count in counts.items():
            self.counts[name] += count
        for frame in frames:
            self.take(frame)

    def take(self, frame):
        c = self.counts
        if frame.stream != self.channel:
            c["wrong_stream"] += 1
            return
        s = frame.sequence
        newer = frame.timestamp > self.newest
        if self.expected is None:
            self.begin(frame)
        elif newer and (s < self.expected or frame.flags & STARTED):
            c["restarts"] += 1
            self.earlier = (max(self.earlier[0], self.expected), self.newest)
            self.end()
            self.begin(frame)
        elif (frame.flags & STARTED and frame.timestamp < 946_684_800 * 10**9
              and ((s, frame.timestamp) != self.baseline or not 0 <= self.expected - s <= 1024)):
            c["restarts"] += 1
            self.earlier = (0, 0)
            self.end()
            self.begin(frame)
        elif s != self.expected and s < self.earlier[0] and frame.timestamp <= self.earlier[1]:
            c["duplicates"] += 1
            return
        elif s < self.expected:
            if s not in self.absent or self.expected - s > LATE:
                c["duplicates"] += 1
                return
            if self.absent.pop(s):
                c["missing"] -= 1
            c["late"] += 1
        else:
            if s > self.expected:
                c["gaps"] += 1
                c["missing"] += s - self.expected
                for number in range(max(self.expected, s - LATE), s):
                    self.absent[number] = True
            self.expected = s + 1
            self.newest = max(self.newest, frame.timestamp)
        c["frames"] += 1
        c["bytes"] += len(frame.bytes)
        self.written.append(frame.bytes)
        self.assemble(frame)

    def begin(self, frame):
        self.expected = frame.sequence + 1
        self.newest = frame.timestamp
        self.baseline = (frame.sequence, frame.timestamp)
        self.absent = dict.fromkeys(range(max(0, frame.sequence - LATE), frame.sequence), False)

    def assemble(self, frame):
        part = frame.chunk()
        if part is None:
            self.counts["unassembled"] += 1
            return
        periodic, index, count = part
        if periodic not in self.open:
            if len(self.open) == self.open_periodics:
                self.give_up(next(iter(self.open)))
            self.open[periodic] = (count, set())
        chunks, there = self.open[periodic]
        if chunks != count or index in there:
            self.counts["unassembled"] += 1
            return
        there.add(index)
        if len(there) == count:
            del self.open[periodic]
            self.periodics["complete"] += 1

    def give_up(self, periodic):
        count, there = self.open.pop(periodic)
        self.periodics["incomplete"] += 1
        self.periodics["missing_chunks"] += count - len(there)

    def end(self):
        while self.open:
            self.give_up(next(iter(self.open)))
        return self

    def report(self):
        """As `ticklog send` says it in "expect"."""
        c, p = self.counts, self.periodics
        names = ("frames", "bytes", "missing", "gaps", "late", "duplicates", "header_crc", "payload_crc", "skipped_bytes",
                 "unassembled")
        return {**{name: c[name] for name in names}, "periodics_complete": p["complete"],
                "periodics_incomplete": p["incomplete"], "missing_chunks": p["missing_chunks"]}
