"""BMS packets, the image and the log as the specification has them, made here a second time, from its tables alone."""
import ctypes
import os
import struct

import numpy

DIFF, FULL, QUERY, REPLY, SYNC, ACK, SUBSCRIBE, CHALLENGE, LOGIN = range(9)
MOST = 65536
LOG_MAGIC, IMAGE_MAGIC = b"TLBMSLOG", b"TLBMSIMG"

_library = None


def use(library):
    """Takes the CRC of a built crc32c.c."""
    global _library
    _library = ctypes.CDLL(library).crc32c
    _library.restype = ctypes.c_uint32
    _library.argtypes = [ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t]
    assert crc32c(b"123456789") == 0xE3069283


def crc32c(data, before=0):
    return _library(before, bytes(data), len(data))


# Packets


def body(command, source=(0, 0), control=(), data=(), timestamp=0, sequence=0):
    count = len(control)
    assert len(data) == count
    head = struct.pack("<QBBBBI", timestamp, source[1], command, source[0], sequence, count)
    return head + numpy.asarray(control, "<u2").tobytes() + numpy.asarray(data, "<u2").tobytes()


def message(*arguments, **more):
    made = body(*arguments, **more)
    return struct.pack("<I", len(made)) + made


class Packet:
    __slots__ = ("timestamp", "source", "command", "sequence", "control", "data", "body")

    def __init__(self, body):
        if len(body) < 16:
            raise ValueError(f"a body of {len(body)} bytes")
        self.timestamp, number, self.command, kind, self.sequence, count = struct.unpack_from("<QBBBBI", body)
        if count > MOST or len(body) != 16 + 4 * count:
            raise ValueError(f"count {count} in {len(body)} bytes")
        self.source = (kind, number)
        self.control = numpy.frombuffer(body, "<u2", count, 16)
        self.data = numpy.frombuffer(body, "<u2", count, 16 + 2 * count)
        self.body = body


class Stream:
    """Cuts what is received into packets."""

    def __init__(self):
        self.buffer = bytearray()

    def feed(self, data):
        self.buffer += data
        packets, at = [], 0
        while len(self.buffer) - at >= 4:
            (length,) = struct.unpack_from("<I", self.buffer, at)
            assert length % 4 == 0 and 16 <= length <= 16 + 4 * MOST, length
            if len(self.buffer) - at - 4 < length:
                break
            packets.append(Packet(bytes(self.buffer[at + 4 : at + 4 + length])))
            at += 4 + length
        del self.buffer[:at]
        return packets


def legacy(time, rack, control=(), data=()):
    return (
        struct.pack("<diI", time, rack, len(control))
        + numpy.asarray(control, "<u2").tobytes()
        + numpy.asarray(data, "<u2").tobytes()
    )


# The image


class Images:
    """The newest value of every word of every source."""

    def __init__(self, words=None):
        self.words = words or {}

    def of(self, source):
        if source not in self.words:
            self.words[source] = numpy.zeros(MOST, "<u2")
        return self.words[source]

    def apply(self, packet):
        if packet.command not in (DIFF, FULL):
            return
        image = self.of(packet.source)
        if packet.command == FULL:
            image[:] = 0
        control, data = packet.control, packet.data
        if len(control) > 1 and len(numpy.unique(control)) != len(control):
            for offset, value in zip(control.tolist(), data.tolist()):  # of a word that comes twice the last wins
                image[offset] = value
        else:
            image[control] = data

    def copy(self):
        return Images({source: image.copy() for source, image in self.words.items()})

    def differences(self, other):
        """Sources that differ; one that has never had a value is one of zeros."""
        found = []
        for source in sorted(set(self.words) | set(other.words)):
            a, b = self.of(source), other.of(source)
            if not numpy.array_equal(a, b):
                offset = int(numpy.nonzero(a != b)[0][0])
                found.append((source, offset, int(a[offset]), int(b[offset])))
        return found


def read_image(path):
    """{source: (position, words)} of an image file."""
    data = open(path, "rb").read()
    assert data[:8] == IMAGE_MAGIC, data[:8]
    version, count = struct.unpack_from("<II", data, 8)
    assert version == 1 and len(data) == 16 + count * (16 + 2 * MOST) + 4, (version, count, len(data))
    assert struct.unpack("<I", data[-4:])[0] == crc32c(data[:-4]), "the image's checksum"
    found = {}
    for i in range(count):
        at = 16 + i * (16 + 2 * MOST)
        kind, number, zeros, position = struct.unpack_from("<BB6sQ", data, at)
        assert zeros == bytes(6) and (kind, number) not in found
        found[kind, number] = (position, numpy.frombuffer(data, "<u2", MOST, at + 16).copy())
    return found


# The log


class Log:
    """Reads a log as it grows: each call of `read` goes on where the one before ended."""

    def __init__(self, path):
        self.path = path
        self.number = 1  # of the file that is read
        self.at = 0
        self.last = 0
        self.torn = 0  # bytes behind the last good record
        self.kind = None

    def name(self, number):
        return f"{self.path}.{number:06d}"

    def numbers(self):
        directory = os.path.dirname(self.path)
        prefix = os.path.basename(self.path) + "."
        return sorted(int(n[len(prefix) :]) for n in os.listdir(directory) if n.startswith(prefix) and n[len(prefix) :].isdigit())

    def read(self):
        """New records: (position, time, payload)."""
        records = []
        rolled = self.numbers()
        assert rolled == list(range(1, len(rolled) + 1)), rolled
        while self.number in rolled:
            self._file(self.name(self.number), records)
            assert self.torn == 0, f"{self.name(self.number)}: {self.torn} bytes behind the last record"
            self.number, self.at = self.number + 1, 0
        if os.path.exists(self.path):
            self._file(self.path, records)
        return records

    def _file(self, path, records):
        with open(path, "rb") as file:
            file.seek(self.at)
            data = file.read()
        at = 0
        self.torn = 0
        if self.at == 0:
            if len(data) < 16:
                self.torn = len(data)
                return
            assert data[:8] == LOG_MAGIC, data[:8]
            version, kind = struct.unpack_from("<II", data, 8)
            assert version == 1 and self.kind in (None, kind), (version, kind)
            self.kind = kind
            at = 16
        while at < len(data):
            found = self._record(data, at)
            if found is None:
                self.torn = len(data) - at
                break
            time, payload, whole = found
            assert time >= self.last, (path, self.at + at, time, self.last)
            self.last = time
            if self.at + at == 16:
                first = Packet(payload)
                assert (first.command, len(first.control), first.timestamp) == (SYNC, 0, self.number), (path, first.command, first.timestamp)
            else:
                records.append((self.number << 40 | (self.at + at), time, payload))
            at += whole
        self.at += at

    @staticmethod
    def _record(data, at):
        if len(data) - at < 16:
            return None
        time, size, crc = struct.unpack_from("<QII", data, at)
        whole = 16 + size + 7 & ~7
        if not 16 <= size <= 16 + 4 * MOST or len(data) - at < whole:
            return None
        payload = data[at + 16 : at + 16 + size]
        if crc32c(payload, crc32c(data[at : at + 12])) != crc or any(data[at + 16 + size : at + whole]):
            return None
        return time, payload, whole


def write_log(path, payloads, number=1, kind=0, time=1_700_000_000_000_000):
    """A log file, for tests of readers."""

    def record(time, payload):
        head = struct.pack("<QI", time, len(payload))
        made = head + struct.pack("<I", crc32c(payload, crc32c(head))) + payload
        return made + bytes(-len(made) % 8)

    data = LOG_MAGIC + struct.pack("<II", 1, kind) + record(time, body(SYNC, timestamp=number))
    for i, payload in enumerate(payloads):
        data += record(time + 1000 * (i + 1), payload)
    with open(path, "wb") as file:
        file.write(data)
    return data
