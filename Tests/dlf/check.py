"""Checks the runs that Tests/dlf/write.c made, as the independent reader reads them, against what really happened.

    check.py DIRECTORY [READER]

READER is Tests/dlf/read.c: what the C reader tells must be what this one does. Of a run that was stopped everything is
there or declared, to the last sample; of one that was not, or of a moment of one, everything up to the last flush, and what
is behind is right.
"""
import os
import re
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python"))
import dlf  # noqa: E402
import dlf_encoder  # noqa: E402

POLL, WATCH, EMIT = 1, 2, 3
RING_FULL, LATE, BUSY, STORAGE = 1, 2, 3, 4
RING_FULL_STATUS = -23


class Wrong(Exception):
    pass


def require(condition, *what):
    if not condition:
        raise Wrong(" ".join(str(w) for w in what))


class Stream:
    def __init__(self, take, text):
        self.kind, self.size, self.interval, self.phase = take("<IIII")
        self.name, self.type, self.notes = text(), text(), text()
        self.samples = {}  # polled: tick -> (bytes, refused); watched: the same of each look
        self.emitted = []  # (tick, status, bytes)

    def due(self, tick):
        return (tick + self.phase) % self.interval == 0


class Truth:
    def __init__(self, data):
        self.at = 0

        def take(format):
            v = struct.unpack_from(format, data, self.at)
            self.at += struct.calcsize(format)
            return v[0] if len(v) == 1 else v

        def text():
            n = take("<I")
            self.at += n
            return data[self.at - n:self.at].decode()

        def raw(n):
            self.at += n
            return data[self.at - n:self.at]

        self.ticks, self.flushed, self.stopped, self.statistics = 0, 0, False, None
        self.streams = []
        self.late, self.full, self.newest = [], set(), []  # ranges; ticks at which a ring was full; ticks that were sampled
        while self.at < len(data):
            kind = chr(take("<B"))
            if kind == "R":
                self.seed, self.tick_us, self.epoch, self.append_only, self.limited, self.count = take("<QIIBBI")
            elif kind == "S":
                self.streams.append(Stream(take, text))
            elif kind == "T":
                tick, elapsed, status = take("<QIi")
                if elapsed > 1:
                    self.late.append((tick - elapsed + 1, tick - 1))
                if status == RING_FULL_STATUS:
                    self.full.add(tick)
                self.ticks = tick + 1
                self.newest.append(tick)
            elif kind in "PW":
                index, refused = take("<IB")
                s = self.streams[index]
                s.samples[self.ticks - 1] = (raw(s.size), bool(refused))
            elif kind == "E":
                index, tick, status = take("<IQi")
                s = self.streams[index]
                s.emitted.append((tick, status, raw(s.size)))
            elif kind == "F":
                self.flushed = take("<Q")
            elif kind == "Z":
                self.stopped, ticks, *sums = take("<BQQQQ")
                require(ticks == self.ticks, "truth: ticks", ticks, self.ticks)
                self.reasons = list(take("<5Q"))
                self.statistics = sums, [take("<QQQ") for _ in self.streams]


class Declared:
    """The losses of one stream."""

    def __init__(self, losses):
        self.losses = losses
        self.samples = sum(n for _, _, _, n in losses)

    def covers(self, tick, *reasons):
        return any(a <= tick <= b and (not reasons or r in reasons) for r, a, b, _ in self.losses)


def check_headers(truth, run):
    require((run.meta.epoch_s, run.meta.tick_us) == (truth.epoch, truth.tick_us), "meta", run.meta.epoch_s, run.meta.tick_us)
    polled = [s for s in truth.streams if s.kind == POLL]
    event = [s for s in truth.streams if s.kind != POLL]
    for log, want in ((run.polled, polled), (run.event, event)):
        require([(s.type_text, s.id, s.notes, s.size) for s in log.streams] ==
                [(s.type, s.name, s.notes, s.size) for s in want], "stream headers")
    for s, want in zip(run.polled.streams, polled):
        require(s.interval >= 1 and all(s.due(t) == want.due(t) for t in range(2 * want.interval + 1)), s.id, "schedule",
                s.interval, s.phase, "of", want.interval, want.phase)
    return polled, event


def check_polled(truth, run, polled, declared, whole):
    """Every sample is what was sampled, or held and declared. `whole`: so much of the run must be there, in ticks."""
    rows, held = {}, [bytes(s.size) for s in polled]
    for i, tick, data in run.polled.samples:
        rows.setdefault(tick, {})[i] = data
    last = run.polled.samples[-1][1] if run.polled.samples else -1
    require(last < truth.ticks, "sample of tick", last, "of", truth.ticks)
    if not (truth.limited and whole):
        want = run.polled.offset(whole)
        require(len(run.polled.data) >= want, len(run.polled.data), "bytes of polled data, not", want, "up to tick", whole)
    lost_least, lost_most = [0] * len(polled), [0] * len(polled)
    for tick in range(truth.ticks if truth.stopped else last + 1):
        due = [i for i, s in enumerate(polled) if s.due(tick)]
        row = rows.get(tick, {})
        if not due:
            continue
        sampled = {i: polled[i].samples.get(tick) for i in due}
        dropped = None  # whether the ring had no room for the row; None: cannot be told
        if tick in truth.full:
            seen = [row[i] == s[0] for i, s in sampled.items() if i in row and not s[1]]
            if False in seen:
                dropped = True
            elif any(row[i] != held[i] for i, s in sampled.items() if i in row and not s[1]):
                dropped = False
        else:
            dropped = False
        for i in due:
            s, name = sampled[i], polled[i].name
            if i not in row:
                require(whole < truth.ticks or (truth.limited and declared[i].covers(tick)), name, "at", tick, "is missing, undeclared")
                lost_least[i] += 1
                lost_most[i] += 1
                continue
            lost = s is None or s[1] or dropped
            if lost:
                require(row[i] == held[i], name, "at", tick, "was lost, but is", row[i].hex(), "not", held[i].hex())
            elif dropped is False:
                require(row[i] == s[0], name, "at", tick, "is", row[i].hex(), "not", s[0].hex())
            else:
                require(row[i] in (s[0], held[i]), name, "at", tick, "is", row[i].hex())
            if lost and tick < whole:
                # Where storage was busy, ranges and reasons are merged.
                require(declared[i].covers(tick), name, "at", tick, "was lost, undeclared", declared[i].losses)
            lost_least[i] += bool(lost)
            lost_most[i] += bool(lost or dropped is None)
            held[i] = row[i]
    if truth.stopped:
        for i, s in enumerate(polled):
            n = declared[i].samples
            if not truth.limited:
                require(lost_least[i] <= n <= lost_most[i], s.name, n, "declared of", lost_least[i], "to", lost_most[i])
            require(n >= lost_least[i], s.name, n, "declared of", lost_least[i])


def check_events(truth, run, event, declared, whole):
    mine = [[] for _ in event]
    for i, tick, data in run.event.samples:
        require(not mine[i] or tick >= mine[i][-1][0], event[i].name, "goes back to", tick)
        require(tick < max(truth.ticks, 1), "event at", tick)
        mine[i].append((tick, data))
    for i, s in enumerate(event):
        complete = bool(truth.stopped)
        if s.kind == EMIT:
            want = [(t, data) for t, status, data in s.emitted if status == 0]
            refused = sum(status != 0 for _, status, _ in s.emitted)
            if truth.limited:
                it = iter(want)
                require(all(e in it for e in mine[i]), s.name, "holds events that were not emitted")
                if complete:
                    require(len(s.emitted) == len(mine[i]) + declared[i].samples, s.name, "events")
                continue
            require(mine[i] == want[:len(mine[i])], s.name, "holds other events than were emitted")
            if complete:
                require(len(mine[i]) == len(want) and declared[i].samples == refused, s.name, len(mine[i]), "of", len(want),
                        "events,", declared[i].samples, "declared of", refused)
            # Of the flushed tick itself some events may have come behind the flush.
            require(len(mine[i]) >= sum(t < whole - 1 for t, _ in want), s.name, "lacks flushed events")
            for t, status, _ in s.emitted:
                require(status == 0 or t >= whole - 1 or declared[i].covers(t), s.name, "at", t, "was lost, undeclared")
            continue
        found = dict(mine[i])
        require(len(found) == len(mine[i]), s.name, "has two events of a tick")
        held, lost, unsure = None, 0, False
        upto = truth.ticks if complete else min(truth.ticks, mine[i][-1][0] + 1) if mine[i] else 0
        for tick in range(max(upto, whole)):
            look = s.samples.get(tick)
            if tick in found:
                require(look and not look[1], s.name, "has an event at", tick, "where nothing looked")
                require(found[tick] == look[0], s.name, "at", tick, "is", found[tick].hex(), "not", look[0].hex())
                require(unsure or found[tick] != held, s.name, "at", tick, "is what it was")
                held, unsure = found[tick], False
            elif look and not look[1] and look[0] != held:
                require(tick >= whole or declared[i].covers(tick), s.name, "at", tick, "is missing, undeclared")
                require(tick in truth.full or truth.limited or tick >= whole, s.name, "at", tick, "was lost, but the tick said nothing")
                lost += 1
                # It was logged, and lost behind the ring; or before it, where a range has both.
                if truth.limited and declared[i].covers(tick, STORAGE):
                    held, unsure = look[0], True
        if complete and not truth.limited:
            require(lost == declared[i].samples, s.name, lost, "lost,", declared[i].samples, "declared")


def check_span(truth, run, whole):
    """Never beyond the data, and with a flush what the flush says."""
    for part, log in (("polled", run.polled), ("event", run.event), ("loss", run.loss)):
        require(log.tick_span < max(truth.ticks, 1), part, "tick_span", log.tick_span, "of", truth.ticks, "ticks")
        if truth.append_only:
            require(log.tick_span == 0, part, "tick_span", log.tick_span, "on append-only storage")
    if not truth.append_only and run.polled.tick_span > 0:
        require(len(run.polled.data) >= run.polled.offset(run.polled.tick_span + 1), "tick_span", run.polled.tick_span,
                "is beyond the data")
    if whole > 0 and not truth.append_only and not truth.limited:
        span = run.polled.tick_span
        require(run.polled.offset(span + 1) >= run.polled.offset(whole), "tick_span", span, "though", whole, "ticks are flushed")
    if truth.stopped and not truth.append_only:
        spans = {log.tick_span for log in (run.polled, run.event, run.loss)}
        require(len(spans) == 1, "tick_span", spans)
        if not truth.limited:
            require(spans == {max(truth.ticks - 1, 0)}, "tick_span", spans, "of", truth.ticks, "ticks")


def check(directory):
    with open(os.path.join(directory, "truth"), "rb") as f:
        truth = Truth(f.read())
    run = dlf.Run(directory)
    require(run.lock != bool(truth.stopped), "LOCK")
    polled, event = check_headers(truth, run)
    order = polled + event
    declared = [Declared([]) for _ in order]
    for stream, reason, first, last, samples in run.losses:
        require(stream < len(order) and 1 <= reason <= 4 and first <= last < max(truth.ticks, 1) and samples, "loss",
                (stream, reason, first, last, samples))
        d = declared[stream]
        d.__init__(d.losses + [(reason, first, last, samples)])
    whole = truth.ticks if truth.stopped else truth.flushed
    # What tick_span says of the event file holds for it too.
    spans = 0 if truth.append_only or truth.stopped or truth.limited else run.event.tick_span + 1 if run.event.tick_span else 0
    check_polled(truth, run, polled, declared[:len(polled)], whole)
    check_events(truth, run, event, declared[len(polled):], max(whole, 0))
    if spans > whole and spans <= truth.ticks:
        check_events(truth, run, event, [Anything()] * len(event), spans)
    check_span(truth, run, whole)
    if truth.stopped:
        run.check()
        reasons = [sum(l[4] for l in run.losses if l[1] == r) for r in range(5)]
        require(reasons == truth.reasons, "declared by reason", reasons, "statistics", truth.reasons)
        (offered, written, lost), of = truth.statistics
        require(offered == written + lost, "offered", offered, "written", written, "lost", lost)
        for s, (o, w, n) in zip(truth.streams, of):
            i = order.index(s)
            require(o == w + n and n == declared[i].samples, s.name, "offered", o, "written", w, "lost", n, "declared",
                    declared[i].samples)
            mine = sum(k == (i if i < len(polled) else i - len(polled)) for k, _, _ in (run.polled if s.kind == POLL else run.event).samples)
            if s.kind != POLL:
                require(mine == w, s.name, "written", w, "found", mine)
    return truth, run


def same_as_dlflib(truth, run, directory):
    """A run that lost nothing, byte for byte as the model of dlflib's encoder writes it. That one knows no emitted events."""
    if not truth.stopped or run.losses or truth.late or truth.append_only or truth.ticks == 0:
        return 0
    if any(refused for s in truth.streams for _, refused in s.samples.values()):
        return 0
    kinds = {POLL: dlf_encoder.POLLED, WATCH: dlf_encoder.EVENT, EMIT: dlf_encoder.EVENT}
    streams = [dlf_encoder.Stream(s.name, s.type, lambda t, s=s: s.samples[t][0] if s.kind != EMIT else bytes(s.size),
                                  kinds[s.kind], s.size, s.notes, s.interval, s.phase) for s in truth.streams]
    same = dlf_encoder.encode(streams, truth.ticks, truth.tick_us, truth.epoch)
    for part in ("polled",) if any(s.kind == EMIT for s in truth.streams) else ("polled", "event"):
        with open(os.path.join(directory, part + ".dlf"), "rb") as f:
            data = f.read()
        want = same.files[part + ".dlf"]
        n = next((k for k, (a, b) in enumerate(zip(data, want)) if a != b), min(len(data), len(want)))
        require(data == want, part + ".dlf is not dlflib's from byte", n, "of", len(data), len(want))
    return 1


class Anything:
    """Losses of a moment, of which not all are on storage yet."""
    samples = 0

    def covers(self, tick, *reasons):
        return True


def hexed(text):
    return "x" + text.encode("utf-8", "surrogateescape").hex()


def lines(log):
    """What the C reader prints of a file."""
    types = {"bool": 0}
    types.update((n + "_t", k) for k, n in enumerate("uint8 uint16 uint32 uint64 int8 int16 int32 int64".split(), 1))
    types.update({"float": 9, "double": 10})
    out = []
    for s in log.streams:
        # A word that is no type says as little as an opaque one.
        kind = types.get(s.type_text, 254 if s.type.members else 255)
        interval = (s.interval or 1) if log.kind == 0 else 0
        members = 1 if kind <= 10 else len(s.type.members or [])
        notes = "" if s.notes == "N/A" else s.notes
        out.append("stream %s %s %s %d %d %d %d %d" % (hexed(s.id), hexed(notes), hexed(s.type_text), s.size, kind, interval,
                                                       s.phase % interval if interval else 0, members))
    return out + ["%d %d %d %s" % (i, t, log.data_start + off, b.hex()) for (i, t, b), off in zip(log.samples, log.offsets)]


def compare(reader, files):
    """What the C reader tells of (path, Log or None): it checks its ways of reading against each other, and prints what
    it found. None: it must refuse."""
    out = subprocess.run([reader], input="".join(p + "\n" for p, _ in files), capture_output=True, text=True, timeout=500)
    blocks = re.split(r"^(?=file |refused )", out.stdout, flags=re.M)[1:]
    wrong = []
    for (path, log), block in zip(files, blocks):
        head, *found = block.splitlines()
        if log is None:
            if not re.fullmatch("refused %s -4[012]" % re.escape(path), head):
                wrong.append("%s: the C reader does not refuse it: %s" % (path, head))
            continue
        want = "file %s %d %d %d %d %d" % (path, len(log.streams), log.tick_span, log.data_start, len(log.data), log.tail)
        if head != want:
            wrong.append("%s: the C reader says %s, not %s" % (path, head, want))
        elif found != lines(log):
            n = next((k for k, (a, b) in enumerate(zip(found, lines(log))) if a != b), min(len(found), len(lines(log))))
            wrong.append("%s: the C reader's line %d differs:\n  %s\n  %s" % (path, n, (found + ["end"])[n][:300],
                                                                             (lines(log) + ["end"])[n][:300]))
    if out.returncode != 0 or len(blocks) != len(files):
        wrong.append("the C reader: %s exit %d, %d of %d files" % (out.stderr.strip()[-1000:], out.returncode, len(blocks), len(files)))
    return wrong


def main(directory, reader=None):
    wrong, samples, events, losses, files, same = 0, 0, 0, 0, [], 0
    runs = sorted(os.listdir(directory))
    for name in runs:
        path = os.path.join(directory, name)
        try:
            truth, run = check(path)
            same += same_as_dlflib(truth, run, path)
            samples, events, losses = samples + len(run.polled.samples), events + len(run.event.samples), losses + len(run.losses)
            files += [(os.path.join(path, part + ".dlf"), log) for part, log in
                      (("polled", run.polled), ("event", run.event), ("loss", run.loss))]
        except (Wrong, dlf.Damage, struct.error, OSError, KeyError, ValueError) as error:
            wrong += 1
            if wrong <= 20:
                print("%s: %s: %s" % (name, type(error).__name__, error))
    if reader:
        for line in compare(reader, files):
            wrong += 1
            print(line)
    print("%d runs and moments, %d of them byte for byte dlflib's, %d samples, %d events, %d losses, %d wrong" % (
        len(runs), same, samples, events, losses, wrong))
    return 1 if wrong or not samples or not events or not losses else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
