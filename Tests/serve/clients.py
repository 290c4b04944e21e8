"""A server's process, and clients of all kinds in one loop: what they sent and what they were promised is kept."""
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

import numpy

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
from children import ends_with_us

from model import ACK, DIFF, FULL, MOST, QUERY, REPLY, SUBSCRIBE, SYNC, Stream, body, message


class Server:
    """`ticklog serve` as a process; its port is the system's choice."""

    def __init__(self, tool, directory, *options, environment=None):
        self.log = os.path.join(directory, "packets.log")
        self.image = os.path.join(directory, "image.bin")
        words = [*tool, "serve", "--port", "0", "--json", "--log", self.log, "--image", self.image, *map(str, options)]
        self.errors = open(os.path.join(directory, "serve.stderr"), "a+")
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=dict(os.environ, **(environment or {})),
            preexec_fn=ends_with_us())
        first = self.process.stdout.readline()
        if not first:
            self.process.wait(20)
            raise RuntimeError(f"exit {self.process.returncode}: {self.error_text()[-1000:]}")
        self.port = json.loads(first)["listening"][0]["port"]

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read()

    def connect(self, timeout=20):
        made = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self, seconds=30):
        """The last report."""
        self.process.send_signal(signal.SIGTERM)
        try:
            output, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert self.process.returncode == 0, (self.process.returncode, self.error_text()[-1000:])
        return json.loads(output.splitlines()[-1])


class Asker:
    """A client that waits for its answers."""

    def __init__(self, server):
        self.socket = server.connect()
        self.stream = Stream()
        self.packets = []
        self.sequence = 0

    def close(self):
        self.socket.close()

    def next(self):
        while not self.packets:
            data = self.socket.recv(1 << 18)
            assert data, "the server closed the connection"
            self.packets += self.stream.feed(data)
        return self.packets.pop(0)

    def query(self, source, offsets):
        self.sequence = (self.sequence + 1) & 255
        self.socket.sendall(message(QUERY, source, offsets, numpy.zeros(len(offsets), "<u2"), sequence=self.sequence))
        reply = self.next()
        assert (reply.command, reply.sequence, reply.source) == (REPLY, self.sequence, source), (reply.command, reply.source)
        assert numpy.array_equal(reply.control, offsets), "the offsets of a REPLY"
        return reply.data

    def image(self, source):
        return self.query(source, numpy.arange(MOST, dtype="<u2"))


# Of every packet that is sent: which connection, and which of its packets. They stand in its timestamp.
def stamp(connection, number):
    return connection << 32 | number


class Client:
    """One connection, never waiting. `out` is what is to be sent, `each` gets what comes."""

    connections = 0

    def __init__(self, crowd):
        self.crowd = crowd
        self.out = bytearray()
        self.stream = Stream()
        self.number = None
        self.socket = None
        self.connect()

    def connect(self):
        Client.connections += 1
        self.number = Client.connections
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", self.crowd.server.port))
        self.out.clear()
        self.stream = Stream()
        self.crowd.selector.register(self.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, self)
        self.began()

    def close(self):
        if self.socket is not None:
            self.crowd.selector.unregister(self.socket)
            self.socket.close()
            self.socket = None

    def ready(self, events):
        try:
            if events & selectors.EVENT_READ:
                data = self.socket.recv(self.most())
                if not data:
                    return self.ended()
                for packet in self.stream.feed(data):
                    self.each(packet)
            if events & selectors.EVENT_WRITE and self.socket is not None:
                if len(self.out) < 1 << 16:
                    self.fill()
                if self.out:
                    sent = self.socket.send(self.out[: self.piece()])
                    del self.out[:sent]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self.ended()

    def drain(self):
        """What has come before the end."""
        try:
            while self.socket is not None and (data := self.socket.recv(1 << 18)):
                for packet in self.stream.feed(data):
                    self.each(packet)
        except OSError:
            pass

    # What kinds differ in.
    def began(self): ...
    def fill(self): ...
    def each(self, packet): ...
    def ended(self):
        self.close()
        assert self.crowd.may_end, f"{type(self).__name__} {self.number}: the server closed the connection"
    def most(self):
        return 1 << 18
    def piece(self):
        return 1 << 18


class Sender(Client):
    """DIFFs and FULLs of random sizes, and now and then a SYNC."""

    def began(self):
        self.sent = self.crowd.sent[self.number] = []  # bodies
        self.crowd.acked[self.number] = 0
        self.syncs = {}
        self.sequence = 0
        self.rng = self.crowd.rng
        self.often = self.rng.choice([0.3, 1, 1])
        self.closes = self.rng.random() < 0.2
        self.closing = False

    def size(self):
        r = self.rng.random()
        return int(self.rng.choice([0, 1, 2, 3, 16])) if r < 0.6 else self.rng.randrange(300) if r < 0.95 else self.rng.randrange(5000) if r < 0.998 else MOST

    def packet(self):
        count = self.size()
        numbers = self.crowd.numpy
        control = numbers.permutation(MOST)[:count] if count > 4096 else numbers.integers(0, self.rng.choice([32, 4096, MOST]), count)
        self.sequence = (self.sequence + 1) & 255
        return body(
            FULL if self.rng.random() < 0.05 else DIFF, self.rng.choice(self.crowd.sources), control, numbers.integers(0, MOST, count),
            timestamp=stamp(self.number, len(self.sent)), sequence=self.sequence)

    def fill(self):
        if not self.crowd.sends or self.closing or self.rng.random() > self.often:
            return
        for _ in range(self.rng.randrange(1, 20)):
            made = self.packet()
            self.sent.append(made)
            self.out += struct.pack("<I", len(made)) + made
        if self.rng.random() < 0.2:
            self.sync()
        elif self.closes and self.rng.random() < 0.01:
            self.out += b"\x13"  # ends within a message
            self.closing = True

    def sync(self):
        if len(self.syncs) > 100 or self.closing:
            return
        self.sequence = (self.sequence + 1) & 255
        while self.sequence in self.syncs:
            self.sequence = (self.sequence + 1) & 255
        self.syncs[self.sequence] = len(self.sent)
        self.out += message(SYNC, sequence=self.sequence)

    def each(self, packet):
        assert packet.command == ACK and packet.sequence in self.syncs, (packet.command, packet.sequence)
        self.crowd.acked[self.number] = max(self.crowd.acked[self.number], self.syncs.pop(packet.sequence))
        self.crowd.acks += 1

    def ready(self, events):
        super().ready(events)
        if self.socket is not None and self.closing and not self.out:
            self.close()
            self.connect()


class Checker(Sender):
    """Reads what it has just written, of a source that is its own."""

    def began(self):
        super().began()
        self.closes = False
        self.source = (3, 100 + self.number % 100)
        self.asked = {}

    def fill(self):
        if not self.crowd.sends or self.asked:
            return
        offsets = self.crowd.numpy.permutation(200)[: self.rng.randrange(1, 50)]
        values = self.crowd.numpy.integers(0, MOST, len(offsets))
        made = body(DIFF, self.source, offsets, values, timestamp=stamp(self.number, len(self.sent)))
        self.sent.append(made)
        self.sequence = (self.sequence + 1) & 255
        self.asked[self.sequence] = (offsets, values)
        self.out += struct.pack("<I", len(made)) + made
        self.out += message(QUERY, self.source, offsets, numpy.zeros(len(offsets)), sequence=self.sequence)

    def each(self, packet):
        if packet.command == ACK:
            return super().each(packet)
        assert packet.command == REPLY and packet.source == self.source and packet.sequence in self.asked
        offsets, values = self.asked.pop(packet.sequence)
        assert numpy.array_equal(packet.control, offsets) and numpy.array_equal(packet.data, values), "a QUERY behind a DIFF"
        self.crowd.replies += 1


class Querier(Client):
    """Asks for anything, also of sources that there are not."""

    def began(self):
        self.asked = []

    def fill(self):
        if len(self.asked) > 8 or not self.crowd.sends:
            return
        rng = self.crowd.rng
        source = rng.choice(self.crowd.sources + [(rng.randrange(4), rng.randrange(256))])
        offsets = self.crowd.numpy.integers(0, MOST, rng.choice([0, 1, 5, 100, 3000]))
        sequence = rng.randrange(256)
        self.asked.append((source, sequence, offsets))
        self.out += message(QUERY, source, offsets, numpy.zeros(len(offsets)), sequence=sequence)

    def each(self, packet):
        source, sequence, offsets = self.asked.pop(0)
        assert (packet.command, packet.source, packet.sequence) == (REPLY, source, sequence), "answers come in order"
        assert numpy.array_equal(packet.control, offsets)
        self.crowd.replies += 1


class Subscriber(Client):
    """Follows some ranges of some sources: its view is what it was told."""

    def began(self):
        rng = self.crowd.rng
        self.views = {}
        self.initial = {}
        for source in rng.sample(self.crowd.sources, rng.randrange(1, 4)):
            ranges = []
            for _ in range(rng.randrange(1, 4)):
                first = rng.choice([0, rng.randrange(MOST)])
                ranges.append((first, rng.choice([MOST - 1, rng.randrange(first, MOST)])))
            mask = numpy.zeros(MOST, bool)
            for first, last in ranges:
                mask[first : last + 1] = True
            control = [offset for pair in ranges for offset in pair]
            data = [rng.choice([0, 0, 20])] + [0] * (len(control) - 1)
            self.views[source] = (mask, numpy.zeros(MOST, "<u2"), numpy.zeros(MOST, bool))
            self.out += message(SUBSCRIBE, source, control, data, sequence=7)

    def each(self, packet):
        mask, view, seen = self.views[packet.source]
        assert packet.command in (REPLY, DIFF), packet.command
        assert mask[packet.control].all(), "a word that nobody asked for"
        if packet.command == REPLY:
            seen[packet.control] = True
        else:
            assert seen[packet.control].all(), "a change before the value"
            assert len(packet.control), "an empty change"
            self.crowd.changes += 1
        view[packet.control] = packet.data

    def differs(self, images):
        for source, (mask, view, seen) in self.views.items():
            image = images.of(source)
            if not seen[mask].all():
                return f"{source}: {int((~seen & mask).sum())} words never came"
            if not numpy.array_equal(view[mask], image[mask]):
                at = int(numpy.nonzero((view != image) & mask)[0][0])
                return f"{source}: word {at} is {view[at]} in the view, {image[at]} in the image"
        return None


class Dripper(Sender):
    """A few bytes at a time."""

    def size(self):
        return self.rng.randrange(30)

    def piece(self):
        return self.rng.randrange(1, 9)


class Deaf(Client):
    """Asks for much and never reads; the server drops it some day."""

    def began(self):
        for source in self.crowd.sources:
            self.out += message(SUBSCRIBE, source, [0, MOST - 1], [0, 0])

    def fill(self):
        if self.crowd.sends:
            self.out += message(QUERY, self.crowd.sources[0], range(3000), [0] * 3000)

    def ready(self, events):
        super().ready(events & selectors.EVENT_WRITE)

    def ended(self):
        self.close()
        if self.crowd.sends:
            self.connect()


class Spoiler(Client):
    """What is no message."""

    def fill(self):
        rng = self.crowd.rng
        kind = rng.randrange(7)
        if kind == 0:
            self.out += bytes(rng.randrange(256) for _ in range(rng.randrange(1, 200)))
        elif kind == 1:
            self.out += struct.pack("<I", rng.choice([0, 15, 17, 262161, 1 << 31, 0xFFFFFFFF]))
        elif kind == 2:
            self.out += struct.pack("<I", 16 + 4 * 7) + body(DIFF, (1, 1), [1], [1])[:12] + struct.pack("<I", rng.choice([6, 8, 1 << 30]))
        elif kind == 3:
            self.out += message(rng.choice([3, 5, 7, 8, 9, 255]), (1, 1))
        elif kind == 4:
            self.out += message(DIFF, (rng.randrange(4, 256), 1))
        elif kind == 5:
            self.out += message(SUBSCRIBE, (1, 1), [5, 4], [0, 0]) if rng.random() < 0.5 else message(SUBSCRIBE, (1, 1), [1], [0])
        self.going = True

    def ready(self, events):
        super().ready(events)
        if self.socket is not None and getattr(self, "going", False) and not self.out:
            self.going = False
            if self.crowd.rng.random() < 0.7:
                self.ended()

    def ended(self):
        self.close()
        self.crowd.spoilt += 1
        if self.crowd.sends:
            self.connect()


class Crowd:
    """Clients of one server's life."""

    KINDS = [(Sender, 18), (Checker, 6), (Querier, 8), (Subscriber, 8), (Dripper, 4), (Deaf, 2), (Spoiler, 4)]

    def __init__(self, server, rng, numbers, sources):
        self.server, self.rng, self.numpy, self.sources = server, rng, numbers, sources
        self.selector = selectors.DefaultSelector()
        self.sent, self.acked = {}, {}
        self.acks = self.replies = self.changes = self.spoilt = 0
        self.sends = True
        self.may_end = False
        self.clients = [kind(self) for kind, count in self.KINDS for _ in range(count)]

    def run(self, seconds, until=None):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for key, events in self.selector.select(0.01):
                if key.data.socket is not None:
                    key.data.ready(events)
            if until is not None and until():
                return True
        return False

    def of(self, kind):
        return [client for client in self.clients if isinstance(client, kind)]

    def drain(self):
        self.may_end = True
        for client in self.clients:
            if not isinstance(client, (Deaf, Spoiler)):
                client.drain()

    def close(self):
        self.sends = False
        for client in self.clients:
            client.close()
        self.selector.close()
