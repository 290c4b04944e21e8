"""A reader of DLF runs, written from the format description and sharing no code with TickLog or dlflib.

A sample is its raw bytes; `value(stream, sample)` decodes it by the type string.
"""
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
    """What a type string says: `format` for a primitive, `members` for a structure, neither for opaque bytes."""

    def __init__(self, text):
        self.name, self.format, self.members = text, None, None
        if text.startswith("!"):
            return
        parts = text.split(";")
        if len(parts) == 1 and text in PRIMITIVES:
            self.format = PRIMITIVES[text]
        else:
            self.name = parts[0]
            self.members = []
            for part in parts[1:]:
                name, primitive, offset = part.split(":")
                self.members.append((name, PRIMITIVES[primitive], int(offset)))

    def value(self, data):
        if self.format:
            return struct.unpack(self.format, data)[0]
        if self.members is None:
            return None
        return {n: struct.unpack_from(f, data, at)[0] for n, f, at in self.members}

    def check(self, size):
        """Members lie within the sample and do not overlap."""
        end = 0
        for name, format, at in sorted(self.members or [], key=lambda m: m[2]):
            if at < end or at + struct.calcsize(format) > size:
                raise Damage("member %s at %d of a sample of %d bytes" % (name, at, size))
            end = at + struct.calcsize(format)
        if self.format and struct.calcsize(self.format) != size:
            raise Damage("%s of %d bytes" % (self.name, size))


class Stream:
    def __init__(self, cursor, polled):
        self.type_text, self.id, self.notes = cursor.text(), cursor.text(), cursor.text()
        self.size = cursor.take("<I")
        self.interval, self.phase = cursor.take("<QQ") if polled else (0, 0)
        self.type = Type(self.type_text)

    def due(self, tick):
        return self.interval == 0 or (tick + self.phase) % self.interval == 0

    def due_before(self, tick):
        """How many samples lie before those of `tick`."""
        interval = self.interval or 1
        first = -self.phase % interval
        return 0 if tick <= first else 1 + (tick - 1 - first) // interval

    def value(self, sample):
        return self.type.value(sample)


class Log:
    """polled.dlf, event.dlf or loss.dlf. `samples` are (stream index, tick, bytes); `tail` counts torn bytes."""

    def __init__(self, data, kind):
        c = Cursor(data)
        magic, self.kind, self.tick_span, n = c.take("<HBQH")
        if magic != MAGIC:
            raise Damage("magic 0x%04x" % magic)
        if self.kind != kind:
            raise Damage("stream type %d" % self.kind)
        self.streams = [Stream(c, kind == 0) for _ in range(n)]
        self.data_start, self.data = c.at, data[c.at:]
        self.samples, self.error = [], None
        (self._polled if kind == 0 else self._events)()

    def offset(self, tick):
        """Of the first sample of tick or later, in the data region."""
        return sum(s.due_before(tick) * s.size for s in self.streams)

    def _polled(self):
        at, tick = 0, 0
        while self.streams and at < len(self.data):
            if self.offset(tick) != at:
                raise Damage("offset arithmetic at tick %d" % tick)
            for i, s in enumerate(self.streams):
                if s.due(tick):
                    if at + s.size > len(self.data):
                        self.tail = len(self.data) - at
                        return
                    self.samples.append((i, tick, self.data[at:at + s.size]))
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
            at += 10 + size
        self.tail = len(self.data) - at


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
        self.value = Type(self.structure).value(self.bytes)


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
                s.type.check(s.size)
            if log.kind == 1 and any(b[1] < a[1] for a, b in zip(log.samples, log.samples[1:])):
                raise Damage("events are not in order of ticks")
