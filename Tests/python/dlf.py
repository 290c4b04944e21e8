"""A reader of DLF runs, written from the format description and sharing no code with TickLog or dlflib.

A sample is its raw bytes; `stream.value(sample)` decodes it by the type string. A file that was never closed is a normal
file: `tail` counts the bytes behind the last whole sample, `error` tells of an event of a stream that there is not.
"""
import itertools
import os
import struct

MAGIC = 0x8414
PRIMITIVES = {"uint8_t": "<B", "uint16_t": "<H", "uint32_t": "<I", "uint64_t": "<Q", "int8_t": "<b", "int16_t": "<h",
              "int32_t": "<i", "int64_t": "<q", "bool": "<?", "float": "<f", "double": "<d"}


class Damage(Exception):
    pass


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, format):
        size = struct.calcsize(format)
        if self.at + size > len(self.data):
            raise Damage("truncated header at %d" % len(self.data))
        v = struct.unpack_from(format, self.data, self.at)
        self.at += size
        return v[0] if len(v) == 1 else v

    def text(self):
        end = self.data.find(0, self.at)
        if end < 0:
            raise Damage("truncated header at %d" % len(self.data))
        v = self.data[self.at:end]
        self.at = end + 1
        return v.decode("utf-8", "surrogateescape")


class Type:
    """What a type string says: `format` for a primitive, `members` for a structure, neither for opaque bytes. `error` tells
    why the text is no type, or none for samples of this size."""

    def __init__(self, text, size):
        self.name, self.format, self.members, self.error = text, None, None, None
        if text.startswith("!"):
            return
        if text in PRIMITIVES:
            self.format = PRIMITIVES[text]
            if struct.calcsize(self.format) != size:
                self.error = "%s of %d bytes" % (text, size)
            return
        self.name, *parts = text.split(";")
        self.members = []
        for part in parts:
            try:
                name, primitive, offset = part.rsplit(":", 2)
                member = name, PRIMITIVES[primitive], int(offset)
                struct.unpack_from(member[1], bytes(min(size, 1 << 20)), member[2])
            except (ValueError, KeyError, struct.error):
                self.error = "member %r of a sample of %d bytes" % (part, size)
                return
            self.members.append(member)

    def value(self, data):
        if self.error:
            raise Damage(self.error)
        if self.format:
            return struct.unpack(self.format, data)[0]
        if self.members is None:
            return None
        return {n: struct.unpack_from(f, data, at)[0] for n, f, at in self.members}

    def check(self):
        """Of a file of TickLog: members lie within the sample, and do not overlap."""
        if self.error:
            raise Damage(self.error)
        end = 0
        for name, format, at in sorted(self.members or [], key=lambda m: m[2]):
            if at < end:
                raise Damage("member %s at %d" % (name, at))
            end = at + struct.calcsize(format)


class Stream:
    def __init__(self, cursor, polled, has_notes=True):
        self.type_text, self.id = cursor.text(), cursor.text()
        self.notes = cursor.text() if has_notes else ""
        self.size = cursor.take("<I")
        self.interval, self.phase = cursor.take("<QQ") if polled else (0, 0)
        self.type = Type(self.type_text, self.size)

    def is_plausible(self):
        return self.type.error is None and self.size < 1 << 24 and not any(c < " " for c in self.id + self.notes)

    def due(self, tick):
        return self.interval == 0 or (tick + self.phase) % self.interval == 0

    def due_before(self, tick):
        """How many samples lie before those of `tick`."""
        interval = self.interval or 1
        first = -self.phase % interval
        return 0 if tick <= first else 1 + (tick - 1 - first) // interval

    def next_due(self, tick):
        interval = self.interval or 1
        return tick + -(tick + self.phase) % interval

    def value(self, sample):
        return self.type.value(sample)


class Log:
    """polled.dlf, event.dlf or loss.dlf. `samples` are (stream index, tick, bytes); `offsets` tells where they, or their
    records, lie in the data."""

    def __init__(self, data, kind):
        c = Cursor(data)
        magic, self.kind, self.tick_span, n = c.take("<HBQH")
        if magic != MAGIC:
            raise Damage("magic 0x%04x" % magic)
        if self.kind != kind:
            raise Damage("stream type %d" % self.kind)
        self.streams = self._headers(data, c.at, n)
        self.data = data[self.data_start:]
        self.samples, self.offsets, self.error = [], [], None
        (self._polled if kind == 0 else self._events)()

    def _headers(self, data, start, n):
        """The stream headers as they should be. Where these make no sense, perhaps streams have no notes, not even their
        NUL: some dlflib wrote none for a null pointer (section 2). The size is then taken for notes."""
        def read(has_notes):
            c = Cursor(data)
            c.at = start
            streams = [Stream(c, self.kind == 0, h) for h in has_notes]
            return streams, c.at

        plain, error = None, None
        try:
            plain = read([True] * n)
            if all(s.is_plausible() for s in plain[0]):
                streams, self.data_start = plain
                return streams
        except Damage as e:
            error = e
        for missing in self._guesses(n):
            try:
                streams, at = read(missing)
            except Damage:
                continue
            if all(s.is_plausible() for s in streams):
                self.data_start = at
                return streams
        if plain is None:
            raise error
        streams, self.data_start = plain
        return streams

    @staticmethod
    def _guesses(n):
        yield [False] * n
        if n <= 10:
            yield from itertools.product((True, False), repeat=n)

    def offset(self, tick):
        """Of the first sample of tick or later, in the data region."""
        return sum(s.due_before(tick) * s.size for s in self.streams)

    def _polled(self):
        at, tick = 0, 0
        while self.streams and at < len(self.data):
            tick = min(s.next_due(tick) for s in self.streams)
            if tick >= 1 << 64:
                break
            if self.offset(tick) != at:
                raise Damage("offset arithmetic at tick %d" % tick)
            for i, s in enumerate(self.streams):
                if s.due(tick):
                    if at + s.size > len(self.data):
                        self.tail = len(self.data) - at
                        return
                    self.samples.append((i, tick, self.data[at:at + s.size]))
                    self.offsets.append(at)
                    at += s.size
            tick += 1
        self.tail = len(self.data) - at

    def _events(self):
        at = 0
        while at + 10 <= len(self.data):
            i, tick = struct.unpack_from("<HQ", self.data, at)
            if i >= len(self.streams):
                self.error = "unknown stream index %d at %d" % (i, at)
                break
            size = self.streams[i].size
            if at + 10 + size > len(self.data):
                break
            self.samples.append((i, tick, self.data[at + 10:at + 10 + size]))
            self.offsets.append(at)
            at += 10 + size
        self.tail = len(self.data) - at

    def window(self, start, end):
        """Indices of the samples of start <= tick < end; None: of all that follow."""
        return [k for k, (_, t, _) in enumerate(self.samples) if t >= start and (end is None or t < end)]


class Meta:
    def __init__(self, data):
        c = Cursor(data)
        magic, self.epoch_s, self.tick_us = c.take("<HII")
        if magic != MAGIC:
            raise Damage("magic 0x%04x" % magic)
        self.structure = c.text()
        self.bytes = data[c.at + 4:c.at + 4 + c.take("<I")] if len(data) >= c.at + 4 else b""
        if c.at + len(self.bytes) != len(data):
            raise Damage("metadata object")
        self.value = Type(self.structure, len(self.bytes)).value(self.bytes)


LOSS = [("stream", "<H"), ("reason", "<B"), ("first_tick", "<Q"), ("last_tick", "<Q"), ("samples", "<I")]


class Run:
    """A run directory, of long or short names (which are the same but for case)."""

    def __init__(self, directory):
        names = {n.lower(): n for n in os.listdir(directory)}

        def data(name):
            with open(os.path.join(directory, names[name]), "rb") as f:
                return f.read()

        self.lock = "lock" in names
        self.meta = Meta(data("meta.dlf"))
        self.polled = Log(data("polled.dlf"), 0)
        self.event = Log(data("event.dlf"), 1)
        self.loss = Log(data("loss.dlf"), 1) if "loss.dlf" in names else None
        self.losses = []
        if self.loss:
            if len(self.loss.streams) != 1 or self.loss.streams[0].id != "ticklog.loss":
                raise Damage("loss.dlf holds %s" % [s.id for s in self.loss.streams])
            members = [(n, f) for n, f, _ in self.loss.streams[0].type.members]
            if members != LOSS:
                raise Damage("loss members %s" % members)
            self.losses = [tuple(self.loss.streams[0].value(b)[n] for n, _ in LOSS) for _, _, b in self.loss.samples]

    def check(self):
        """What holds for a run that was closed."""
        if self.lock:
            raise Damage("LOCK is there")
        for log in (self.polled, self.event, self.loss):
            if log is None:
                continue
            if log.tail or log.error:
                raise Damage("%d torn bytes, %s" % (log.tail, log.error))
            for s in log.streams:
                s.type.check()
            if log.kind == 1 and any(b[1] < a[1] for a, b in zip(log.samples, log.samples[1:])):
                raise Damage("events are not in order of ticks")
