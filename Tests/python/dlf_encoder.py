"""A model of dlflib's encoder, with its faults, written from the format description and sharing no code with the readers.

    encode(streams, ticks, ...) -> Encoded      the three files as dlflib would write them, and what it knows of them

A stream's source is a function of the tick that gives bytes. What the encoder does wrong it does here too: events are
compared by hashes that start at 0, a record that finds the buffer full comes later, under a later tick, tick_span stays
what lay on the stack until it is patched, and a polled buffer that is full ends the run in silence (sections 4, 6, 8).
"""
import struct

MAGIC = struct.pack("<H", 0x8414)
POLLED, EVENT = 0, 1
SIZES = {"uint8_t": 1, "uint16_t": 2, "uint32_t": 4, "uint64_t": 8, "int8_t": 1, "int16_t": 2, "int32_t": 4, "int64_t": 8,
         "bool": 1, "float": 4, "double": 8}
NO_NOTES = None  # a null pointer


def fnv1(data):
    h = 0x811C9DC5
    for byte in data:
        h = h * 0x01000193 & 0xFFFFFFFF ^ byte
    return h


def cut(text, most):
    """Bytes of a text that is kept in a buffer, wherever they end (section 2)."""
    return (text if isinstance(text, bytes) else text.encode())[:most]


class Stream:
    """Section 3: interval and phase in ticks; `sample_us` and `phase_us` go through dlflib's divisions instead."""

    def __init__(self, id, type, source, kind=POLLED, size=None, notes="", interval=1, phase=0):
        self.id, self.type, self.source, self.kind, self.notes = id, type, source, kind, notes
        self.size = size if size is not None else SIZES[type]
        self.interval, self.phase = interval, phase

    def schedule(self, sample_us, phase_us, tick_us):
        self.interval = max(sample_us // tick_us, 1) if sample_us else 0
        self.phase = phase_us // tick_us if sample_us else 0
        return self

    def due(self, tick):
        return self.interval == 0 or (tick + self.phase) % self.interval == 0

    def header(self, null_notes):
        out = cut(self.type, None) + b"\0" + cut(self.id, 31) + b"\0"
        out += null_notes if self.notes is NO_NOTES else cut(self.notes, 127) + b"\0"
        out += struct.pack("<I", self.size)
        return out + struct.pack("<QQ", self.interval, self.phase) if self.kind == POLLED else out


class File:
    """One LogFile: a buffer of `capacity` bytes that the flusher empties (section 7)."""

    def __init__(self, kind, streams, span, null_notes, capacity):
        self.kind, self.capacity = kind, capacity
        self.streams = [s for s in streams if s.kind == kind]
        header = MAGIC + struct.pack("<BQH", kind, span, len(self.streams))
        header += b"".join(s.header(null_notes) for s in self.streams)
        self.data_start = len(header)
        self.pushed = bytearray(header)
        self.drained = 0
        self.samples = []  # (stream, tick, offset in the data, bytes): everything that was pushed whole
        self.hashes = [0] * len(self.streams)
        self.full = False

    def fits(self, count):
        return self.capacity is None or len(self.pushed) - self.drained + count <= self.capacity

    def push(self, record):
        self.pushed += record
        if self.capacity is not None and len(self.pushed) - self.drained == self.capacity and self.kind == POLLED:
            self.full = True  # exactly full counts as too full

    def sample(self, tick):
        for i, s in enumerate(self.streams):
            if self.kind == POLLED and s.due(tick):
                value = s.source(tick)
                assert len(value) == s.size
                if self.full or not self.fits(len(value)):
                    self.full = True
                    return
                self.samples.append((i, tick, len(self.pushed) - self.data_start, value))
                self.push(value)
            elif self.kind == EVENT:
                value = s.source(tick)
                assert len(value) == s.size
                h = fnv1(value)
                record = struct.pack("<HQ", i, tick) + value
                if h == self.hashes[i] or not self.fits(len(record)):
                    continue  # the same, or deferred: the hash of what was logged stays, so the next tick tries again
                self.hashes[i] = h
                self.samples.append((i, tick, len(self.pushed) - self.data_start, value))
                self.push(record)

    def patch(self, span):
        self.pushed[3:11] = struct.pack("<Q", span)

    def bytes(self):
        return bytes(self.pushed)


class Encoded:
    """files: name -> bytes; log: the File objects by name, which know every sample; tick_us, epoch, metadata."""


def encode(streams, ticks, tick_us=1000, epoch=1763485651, metadata=("double", struct.pack("<d", 1.0)), stack=0, flush_at=None,
           close=True, capacity=None, drains=lambda tick, file: True, null_notes=b"\0"):
    """A run of `ticks` ticks. `stack`: what tick_span is before it is patched. `flush_at`: explicit flushes, at these
    ticks. `close` False: the process ends without Run::close(). `capacity`: of the buffers; `drains(tick, file)`: whether
    the flusher empties a file's buffer behind a tick."""
    run = Encoded()
    type, data = metadata
    run.tick_us, run.epoch, run.metadata = tick_us & 0xFFFFFFFF, epoch & 0xFFFFFFFF, metadata
    run.files = {"meta.dlf": MAGIC + struct.pack("<II", run.epoch, run.tick_us) + cut(type, None) + b"\0" +
                 struct.pack("<I", len(data)) + data}
    polled, event = (File(kind, streams, stack, null_notes, capacity) for kind in (POLLED, EVENT))
    last = stack
    for tick in range(ticks):
        if polled.full:
            break
        polled.sample(tick)
        event.sample(tick)
        last = tick
        for file in (polled, event):
            if not file.full and drains(tick, file):
                file.drained = len(file.pushed)
        if flush_at and tick in flush_at:
            polled.patch(tick), event.patch(tick)
    run.overflowed = polled.full
    if close and not run.overflowed:
        polled.patch(last), event.patch(last)
    run.log = {"polled": polled, "event": event}
    for name, file in run.log.items():
        data = file.bytes()
        if run.overflowed:  # what stands in the buffer stays there
            data = data[:file.drained]
        run.files[name + ".dlf"] = data
    if not close and not run.overflowed:
        run.files["LOCK"] = b"\0"
    return run
