"""A client of the server, and a reader of its files, written from the specification alone (spec: STREAMS C4)."""
import hashlib
import hmac
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
from children import ends_with_us

DIFF, FULL, QUERY, REPLY, SYNC, ACK, SUBSCRIBE, CHALLENGE, LOGIN = range(9)
UNKNOWN, SBMU, RACK, RTOS = range(4)


def body(command, source=(RACK, 1), words=(), seq=0, timestamp=0):
    words = list(words)
    head = struct.pack("<QBBBBI", timestamp, source[1], command, source[0], seq & 255, len(words))
    return head + struct.pack(f"<{len(words)}H", *[w[0] for w in words]) + struct.pack(f"<{len(words)}H", *[w[1] for w in words])


def message(*words, **more):
    data = body(*words, **more)
    return struct.pack("<I", len(data)) + data


def legacy(time, rack, words):
    words = list(words)
    return (struct.pack("<diI", time, rack, len(words)) + struct.pack(f"<{len(words)}H", *[w[0] for w in words])
            + struct.pack(f"<{len(words)}H", *[w[1] for w in words]))


class Packet:
    def __init__(self, data):
        self.timestamp, self.id, self.command, self.type, self.seq, count = struct.unpack_from("<QBBBBI", data)
        assert len(data) == 16 + 4 * count, (len(data), count)
        self.control = struct.unpack_from(f"<{count}H", data, 16)
        self.data = struct.unpack_from(f"<{count}H", data, 16 + 2 * count)
        self.source = (self.type, self.id)
        self.words = list(zip(self.control, self.data))
        self.raw = data


class Client:
    def __init__(self, port, seconds=10):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *words, **more):
        self.socket.sendall(message(*words, **more))

    def raw(self, data):
        self.socket.sendall(data)

    def exactly(self, count):
        while len(self.pending) < count:
            more = self.socket.recv(1 << 20)
            if not more:
                raise EOFError(f"closed after {len(self.pending)} of {count} bytes")
            self.pending += more
        data, self.pending = self.pending[:count], self.pending[count:]
        return data

    def receive(self):
        (length,) = struct.unpack("<I", self.exactly(4))
        assert length <= 262160, length
        return Packet(self.exactly(length))

    def sync(self, seq=7, source=(RACK, 1)):
        self.send(SYNC, source, seq=seq)
        answer = self.receive()
        assert (answer.command, answer.seq, answer.source, answer.words) == (ACK, seq & 255, source, []), vars(answer)

    def query(self, offsets, source=(RACK, 1), seq=0):
        self.send(QUERY, source, [(o, 0) for o in offsets], seq=seq)
        answer = self.receive()
        assert (answer.command, answer.source, answer.seq, answer.control) == (REPLY, source, seq & 255, tuple(offsets)), vars(answer)
        return list(answer.data)

    def subscribe(self, ranges, source=(RACK, 1), rate=0, seq=0):
        pairs = [o for pair in ranges for o in pair]
        self.send(SUBSCRIBE, source, [(o, rate) for o in pairs], seq=seq)

    def closed(self, seconds=5):
        """Whether the server has closed the connection, perhaps after some messages."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(1 << 16):
                pass
            return True
        except ConnectionError:
            return True
        except socket.timeout:
            return False

    def silent(self, seconds=0.3):
        return not self.pending and not select.select([self.socket], [], [], seconds)[0]

    def login(self, secret, seq=9):
        challenge = self.receive()
        assert challenge.command == CHALLENGE and challenge.control == (0,) * 16, vars(challenge)
        nonce = struct.pack("<16H", *challenge.data)
        code = struct.unpack("<16H", hmac.new(secret, nonce, hashlib.sha256).digest())
        self.send(LOGIN, (0, 0), [(0, c) for c in code], seq=seq)
        return nonce


# MARK: Files

def crc32c_table():
    table = []
    for i in range(256):
        c = i
        for _ in range(8):
            c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
        table.append(c)
    return table


TABLE = crc32c_table()


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def log_files(path):
    folder, name = os.path.split(path)
    old = sorted((int(m[1]), n) for n in os.listdir(folder) if (m := re.fullmatch(re.escape(name) + r"\.(\d{6,8})", n)))
    return [(number, os.path.join(folder, n)) for number, n in old] + ([(None, path)] if os.path.exists(path) else [])


def read_log_file(path, kind=0, checks=True):
    """The number of the file, and its records as (position in it, time, payload)."""
    data = open(path, "rb").read()
    assert data[:8] == b"TLBMSLOG" and struct.unpack_from("<II", data, 8) == (1, kind), data[:16]
    at, out, last = 16, [], 0
    while at < len(data):
        ts, size, crc = struct.unpack_from("<QII", data, at)
        payload = data[at + 16:at + 16 + size]
        assert len(payload) == size, (path, at, size)
        if checks:
            assert crc == crc32c(data[at:at + 12] + payload), (path, at)
        end = at + 16 + size + 7 & ~7
        assert not any(data[at + 16 + size:end]) and end <= len(data), (path, at)
        assert ts >= last, (path, at)
        last = ts
        out.append((at, ts, payload))
        at = end
    first = Packet(out[0][2])
    assert first.command == SYNC and not first.words and first.source == (0, 0) and first.seq == kind, vars(first)
    return first.timestamp, out[1:]


def read_log(path, kind=0, checks=True):
    """The payloads of all files."""
    out, before = [], None
    for number, name in log_files(path):
        found, records = read_log_file(name, kind, checks)
        assert number in (None, found), (number, found)
        assert before is None or found == before + 1, (before, found)
        before = found
        out += [payload for _, _, payload in records]
    return out


def read_image(path):
    """By source: the position in the log, and the words."""
    data = open(path, "rb").read()
    assert data[:8] == b"TLBMSIMG", data[:8]
    version, count = struct.unpack_from("<II", data, 8)
    assert version == 1 and len(data) == 20 + count * (16 + 131072), (version, count, len(data))
    assert len(data) > 1 << 20 or struct.unpack("<I", data[-4:])[0] == crc32c(data[:-4])
    out = {}
    for i in range(count):
        at = 16 + i * (16 + 131072)
        kind, number = data[at], data[at + 1]
        assert data[at + 2:at + 8] == bytes(6)
        (position,) = struct.unpack_from("<Q", data, at + 8)
        out[kind, number] = (position, struct.unpack_from("<65536H", data, at + 16))
    assert len(out) == count
    return out


class Model:
    """What the images must be."""

    def __init__(self):
        self.images = {}

    def apply(self, packet):
        if packet.command not in (DIFF, FULL):
            return
        image = self.images.setdefault(packet.source, {})
        if packet.command == FULL:
            image.clear()
        image.update(packet.words)

    def apply_all(self, payloads):
        for payload in payloads:
            self.apply(Packet(payload))
        return self

    def words(self, source):
        image = self.images.get(source, {})
        return tuple(image.get(o, 0) for o in range(65536))


# MARK: The server

class Server:
    def __init__(self, tool, *options, env=None, limit=None, preload=None, wait=True):
        environment = dict(os.environ, **(env or {}))
        self.process = subprocess.Popen(
            [*tool, "serve", "--port", "0", *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
            preexec_fn=ends_with_us(limit))
        os.set_blocking(self.process.stderr.fileno(), False)
        self.said = ""
        self.port = None
        self.metrics = None
        if wait:
            self.until(r"listening tcp \S+:(\d+)\n", 30)
            self.port = int(re.search(r"listening tcp \S+:(\d+)\n", self.said)[1])

    def hear(self):
        try:
            while True:
                more = os.read(self.process.stderr.fileno(), 1 << 16)
                if not more:
                    return
                self.said += more.decode(errors="replace")
        except BlockingIOError:
            pass

    def until(self, pattern, seconds=10):
        end = time.monotonic() + seconds
        while True:
            self.hear()
            if re.search(pattern, self.said):
                return re.search(pattern, self.said)
            if self.process.poll() is not None:
                self.hear()
                if re.search(pattern, self.said):
                    return re.search(pattern, self.said)
                raise AssertionError(f"the server ended with {self.process.returncode} and said {self.said!r}")
            if time.monotonic() > end:
                raise AssertionError(f"not said within {seconds} s: {pattern!r}; said {self.said!r}")
            time.sleep(0.01)

    def connect(self, **more):
        return Client(self.port, **more)

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=10)

    def end(self, number=signal.SIGTERM, code=0, seconds=10):
        """Stops it; the seconds that it took, and its report."""
        start = time.monotonic()
        self.process.send_signal(number)
        return self.ended(code, seconds, start)

    def ended(self, code=0, seconds=10, start=None):
        start = start or time.monotonic()
        out, said = self.process.communicate(timeout=seconds)
        self.said += said.decode(errors="replace")
        took = time.monotonic() - start
        assert self.process.returncode == code, (self.process.returncode, self.said)
        lines = out.decode().splitlines()
        self.report = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else None
        return took
