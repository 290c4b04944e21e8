"""`ticklog receive` over TCP and UDP: what it writes, what it tells, and what it does when the medium, a peer or the
machine fails.

    check_receive.py TICKLOG SLOW.SO KILL.SO WORK [NAME...]"""
import fcntl
import json
import os
import pty
import random
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

from frames import FIRST, LAST, STARTED, MAGIC, Receiver, chunk, frame

tool = sys.argv[1].split()
slow = sys.argv[2]
kill = sys.argv[3]
work = sys.argv[4]
seed = int(os.environ.get("TICKLOG_TEST_SEED", random.randrange(1 << 32)))
rng = random.Random(seed)
tests = {}


def test(function):
    tests[function.__name__] = function
    return function


def equal(found, expected, what=""):
    if found != expected:
        raise AssertionError(f"{what}: found {repr(found)[:300]}, expected {repr(expected)[:300]}")


def receiver(name, *options, **more):
    directory = os.path.join(work, name)
    os.makedirs(directory, exist_ok=True)
    return Receiver(tool, directory, *options, **more)


def frames(count, size=100, chunks=4, start=0, **more):
    return [chunk(i, i // chunks, i % chunks, chunks, bytes([i & 255]) * size, **more) for i in range(start, start + count)]


def resident(process):
    with open(f"/proc/{process.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


@test
def tcp_of_four_channels():
    r = receiver("four", channels=4)
    sent = {}
    for k in range(4):
        sent[k] = frames(200 + k, stream=k)
        with r.connect(k) as s:
            s.sendall(b"".join(sent[k]))
    r.until(lambda c: all(c[k]["frames"] == 200 + k for k in range(4)))
    report = r.stop()
    for k in range(4):
        equal(r.content(k), b"".join(sent[k]), f"channel {k}")
        equal(report[k]["frames"], 200 + k)
        equal(report[k]["bytes"], len(r.content(k)))
        equal(report[k]["periodics"], {"complete": (200 + k) // 4, "incomplete": 1 if k else 0, "missing_chunks": (4 - k) % 4})
        equal(r.files(k), [f"ch{k}_00000000.dat"])
        equal([record["kind"] for record in r.losses(k)], ["periodic", "ended"] if k else ["ended"])
    equal(r.losses(3)[0]["missing"], "08")


@test
def any_split_of_a_damaged_stream():
    good = frames(60)
    damaged = bytearray()
    expected = []
    header = payload = skipped = 0
    for i, f in enumerate(good):
        kind = rng.randrange(8)
        bad = bytearray(f)
        if kind == 0:
            bad[rng.randrange(12, 40)] ^= 0xFF  # behind the magic, so that it is seen to be a header
            header += 1
            skipped += len(bad)
        elif kind == 1:
            bad[rng.randrange(64, len(bad))] ^= 0xFF
            payload += 1
        else:
            expected.append(i)
        damaged += bad
        if kind == 2:
            noise = bytes(rng.randrange(256) for _ in range(rng.randrange(50))).replace(MAGIC[:1], b"")
            damaged += noise
            skipped += len(noise)
    r = receiver("split", "--ring-bytes", 65536)
    with r.connect() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        at = 0
        while at < len(damaged):
            size = rng.randrange(1, 200)
            s.send(damaged[at : at + size])
            at += size
            if rng.random() < 0.1:
                time.sleep(0.002)
    r.until(lambda c: c[0]["frames"] == len(expected))
    report = r.stop()[0]
    equal(r.content(), b"".join(good[i] for i in expected))
    equal((report["header_crc"], report["payload_crc"], report["skipped_bytes"]), (header, payload, skipped))
    equal(report["missing"], (expected[-1] - expected[0] + 1) - len(expected), "missing")
    equal(sum(x["missing"] for x in r.losses() if x["kind"] == "gap"), report["missing"])
    equal(sum(x["skipped_bytes"] for x in r.losses() if x["kind"] == "damage"), skipped)


@test
def connections_do_not_mix():
    """Several at once, each cut within its frames; the frames of all are kept."""
    r = receiver("mix", "--ring-bytes", 65536, udp=True)
    each = [frames(40, size=700, start=40 * i) for i in range(5)]
    streams = [b"".join(x) for x in each[:4]]
    sockets = [r.connect() for _ in streams]
    udp = r.datagrams()
    datagrams = list(each[4])
    at = [0] * 4
    while any(at[i] < len(streams[i]) for i in range(4)) or datagrams:
        i = rng.randrange(5)
        if i == 4:
            if datagrams:
                udp.send(datagrams.pop(0))
        elif at[i] < len(streams[i]):
            size = rng.randrange(1, 2000)
            sockets[i].sendall(streams[i][at[i] : at[i] + size])
            at[i] += size
        if rng.random() < 0.3:
            time.sleep(0.001)
    for s in sockets:
        s.close()
    r.until(lambda c: c[0]["frames"] == 200)
    report = r.stop()[0]
    equal((report["missing"], report["skipped_bytes"], report["truncated"], report["duplicates"]), (0, 0, 0, 0))
    content = r.content()
    equal(len(content), sum(len(f) for x in each for f in x))
    for x in each:
        for f in x:
            assert f in content


@test
def datagrams_of_any_size():
    r = receiver("udp", "--max-frame", 65536, tcp=False, udp=True)
    s = r.datagrams()
    sizes = [1, 100, 1400, 1400, 1400, 8000, 60000, 10, 9000, 65000] * 12 + [rng.randrange(1, 3000) for _ in range(300)]
    sent = [frame(i, bytes([i & 255]) * size) for i, size in enumerate(sizes)]
    for i, f in enumerate(sent):
        s.send(f)
        if i % 8 == 0:
            time.sleep(0.001)
    s.send(b"")
    s.send(MAGIC)
    s.send(sent[1][:100])
    s.send(sent[0] + b"behind")
    r.until(lambda c: c[0]["frames"] == len(sent) and c[0]["duplicates"] == 1)
    report = r.stop()[0]
    equal(r.content(), b"".join(sent))
    equal(report["unassembled"], len(sent))
    equal((report["skipped_bytes"], report["truncated"], report["missing"]), (8 + 6, 100, 0))


@test
def late_and_repeated_and_restarted():
    r = receiver("late", tcp=False, udp=True)
    s = r.datagrams()
    f = frames(2000)
    order = [10, 11, 13, 12, 12, 9, 20, 11, 15]
    for i in order:
        s.send(f[i])
    for i in range(21, 1600):
        s.send(f[i])
        if i % 20 == 0:
            time.sleep(0.001)
    s.send(f[14])  # too old
    s.send(f[1599])
    new = [chunk(i, i, 0, 1, timestamp=2 * 10**18 + i, flags=STARTED if i == 0 else 0) for i in range(3)]
    for x in new:
        s.send(x)
    s.send(frame(3, b"wrong", stream=1))
    r.until(lambda c: c[0]["restarts"] == 1 and c[0]["wrong_stream"] == 1)
    report = r.stop()[0]
    equal(r.content(), b"".join(f[i] for i in [10, 11, 13, 12, 9, 20, 15]) + b"".join(f[21:1600]) + b"".join(new))
    equal({k: report[k] for k in ("gaps", "missing", "late", "duplicates", "restarts", "wrong_stream")},
          {"gaps": 2, "missing": 5, "late": 3, "duplicates": 4, "restarts": 1, "wrong_stream": 1})
    kinds = [x["kind"] for x in r.losses()]
    assert kinds.count("gap") == 2 and kinds.count("restart") == 1 and kinds.count("late") == 3, kinds


@test
def an_archive_fills_what_datagrams_left():
    r = receiver("archive", udp=True)
    s = r.datagrams()
    f = frames(6000)
    live = [i for i in range(1000, 6000) if rng.random() < 0.7 or i in (1000, 5999)]
    for n, i in enumerate(live):
        s.send(f[i])
        if n % 20 == 0:
            time.sleep(0.0005)
    r.until(lambda c: c[0]["frames"] == len(live))
    with r.connect() as archive:
        archive.sendall(b"".join(f))
    r.until(lambda c: c[0]["frames"] == 6000)
    report = r.stop()[0]
    equal((report["missing"], report["duplicates"], report["late"]), (0, len(live), 6000 - len(live)))
    content = r.content()
    equal(len(content), len(b"".join(f)))
    at = {content[i : i + len(f[0])] for i in range(0, len(content), len(f[0]))}
    equal(at, set(f))


@test
def a_stalled_medium_stalls_the_sender():
    hold = os.path.join(work, "hold")
    open(hold, "w").close()
    r = receiver("stall", "--ring-bytes", 1 << 20, "--max-frame", 65536, preload=slow, environment={"HOLD_WRITES": hold})
    f = frames(400, size=60000)
    data = b"".join(f)
    s = r.connect()
    s.setblocking(False)
    at = 0
    last = time.monotonic()
    while at < len(data) and time.monotonic() - last < 1:
        select.select([], [s], [], 0.1)
        try:
            at += s.send(data[at : at + 65536])
            last = time.monotonic()
        except BlockingIOError:
            pass
    assert at < len(data), "the sender was not stalled"
    report = r.until(lambda c: c[0]["pauses"] > 0)[0]
    assert report["ring_fill"] > report["ring_bytes"] // 2
    os.unlink(hold)
    s.settimeout(20)
    s.sendall(data[at:])
    s.close()
    r.until(lambda c: c[0]["frames"] == 400)
    report = r.stop()[0]
    equal((report["missing"], report["frames"], report["unwritten"]), (0, 400, 0))
    equal(r.content(), data)


@test
def a_full_medium_is_waited_for():
    full = os.path.join(work, "is-full")
    open(full, "w").close()
    r = receiver("full", "--ring-bytes", 1 << 20, "--max-frame", 65536, preload=slow, environment={"REFUSE_WRITES": full})
    f = frames(100, size=60000)
    s = r.connect()
    s.sendall(b"".join(f[:10]))
    r.until(lambda c: c[0]["refusals"] == 1)
    assert "No space left" in r.error_text(), r.error_text()
    os.unlink(full)
    s.sendall(b"".join(f[10:]))
    r.until(lambda c: c[0]["frames"] == 100)
    report = r.stop()[0]
    equal((report["missing"], report["unwritten"]), (0, 0))
    equal(r.content(), b"".join(f))
    assert "writing again after" in r.error_text()
    assert any(x["kind"] == "medium_refused" for x in r.losses())


@test
def a_sync_that_fails_is_not_forgotten():
    fail = os.path.join(work, "fail-sync")
    open(fail, "w").close()
    r = receiver("fail-sync-out", "--fsync-ms", 10, preload=slow, environment={"FAIL_SYNC": fail})
    with r.connect() as s:
        s.sendall(b"".join(frames(20)))
        equal(r.process.wait(20), 3)
    assert "may be lost" in r.error_text(), r.error_text()
    equal(r.files(), ["ch0_00000000.dat.part"])


@test
def a_medium_that_stays_full_is_given_up():
    full = os.path.join(work, "stays-full")
    r = receiver("given-up", preload=slow, environment={"REFUSE_WRITES": full})
    f = frames(20, size=60000)
    s = r.connect()
    s.sendall(b"".join(f[:10]))
    r.until(lambda c: c[0]["frames"] == 10)
    time.sleep(0.2)
    open(full, "w").close()
    s.sendall(b"".join(f[10:]))
    r.until(lambda c: c[0]["refusals"] == 1)
    r.stop(code=3)
    os.unlink(full)
    equal(r.content(), b"".join(f[:10]))
    equal(r.files(), ["ch0_00000000.dat.part"])


@test
def chunks_that_contradict_are_kept_and_told():
    r = receiver("chunks", "--open-periodics", 2)
    sent = [
        chunk(0, 7, 0, 3), chunk(1, 7, 1, 4),  # of three, or of four?
        chunk(2, 7, 0, 3),  # there already
        chunk(3, 8, 69999, 70000),  # more than are kept in mind
        chunk(4, 9, 4000, 5000), chunk(5, 9, 10, 5000),
        frame(6, b"no chunk"), frame(7, bytes(24), flags=FIRST),
        chunk(8, 10, 0, 1), chunk(9, 11, 0, 2),  # 7 is given up
    ]
    with r.connect() as s:
        s.sendall(b"".join(sent))
    r.until(lambda c: c[0]["frames"] == 10)
    report = r.stop()[0]
    equal(r.content(), b"".join(sent))
    equal(report["unassembled"], 5)
    equal(report["periodics"], {"complete": 1, "incomplete": 3, "missing_chunks": 2 + 4998 + 1})
    losses = [x for x in r.losses() if x["kind"] == "periodic"]
    equal([x["periodic"] for x in losses], [7, 9, 11])
    equal(losses[0]["missing"], "06")
    equal(losses[1]["missing_ranges"], [[0, 9], [11, 3999], [4001, 4999]])
    equal([x["sequence"] for x in losses], [0, 4, 9])


@test
def losses_are_told_soon():
    r = receiver("soon", "--fsync-ms", 0)
    with r.connect() as s:
        s.sendall(b"noise" + chunk(0, 0, 0, 1) + chunk(2, 1, 0, 1))
        end = time.monotonic() + 10
        while len(r.losses()) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        equal([x["kind"] for x in r.losses()], ["gap", "damage"])
    r.stop()


@test
def a_reader_of_the_output_that_goes_away_or_sleeps():
    for goes in (True, False):
        r = receiver(f"output{goes}", channels=64)
        if goes:
            r.process.stdout.close()
        f = frames(40)
        with r.connect() as s:
            s.sendall(b"".join(f[:20]))
            # Some lines, each of more than 20 KB: a pipe holds three.
            time.sleep(6 if not goes else 1.5)
            s.sendall(b"".join(f[20:]))
            end = time.monotonic() + 10
            while len(r.content()) < len(b"".join(f)) and time.monotonic() < end:
                time.sleep(0.01)
        equal(r.content(), b"".join(f))
        if goes:
            r.process.send_signal(signal.SIGTERM)
            equal(r.process.wait(10), 3)
        else:
            r.stop()


@test
def a_reader_that_sleeps_does_not_keep_it_from_ending():
    """What came is on the medium, and the service manager hears that all is well, though nobody reads the report."""
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    path = os.path.join(work, "notify-sleeps")
    manager.bind(path)
    manager.settimeout(10)
    r = receiver("sleeps", channels=64, environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000"})
    f = frames(20)
    with r.connect() as s:
        s.sendall(b"".join(f))
        # The pipe is smaller than a line of the report.
        fcntl.fcntl(r.process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        time.sleep(3)
        equal(manager.recv(100), b"READY=1")
        while select.select([manager], [], [], 0)[0]:
            manager.recv(100)
        equal(manager.recv(100), b"WATCHDOG=1")
    r.process.send_signal(signal.SIGTERM)
    end = time.monotonic() + 10
    while r.files() != ["ch0_00000000.dat"] and time.monotonic() < end:
        time.sleep(0.05)
    equal(r.files(), ["ch0_00000000.dat"])
    equal(r.content(), b"".join(f))
    output, _ = r.process.communicate(timeout=20)
    equal(json.loads(output.splitlines()[-1])["channels"][0]["frames"], 20)
    equal(r.process.returncode, 0)


class Screen:
    """What a terminal of so many lines and columns shows of what is written to it."""

    def __init__(self, lines, columns):
        self.size = lines, columns
        self.lines, self.scrolled, self.at, self.wraps, self.rest = [""], [], 0, True, ""

    def down(self):
        self.at += 1
        if self.at == len(self.lines):
            self.lines.append("")
        if len(self.lines) > self.size[0]:
            self.scrolled.append(self.lines.pop(0))
            self.at -= 1

    def feed(self, text):
        text = self.rest + text
        at = self.column = 0
        while at < len(text):
            found = re.compile(r"\x1b\[(\??)(\d*)([A-Za-z])").match(text, at)
            if found:
                at = found.end()
                if found[3] == "A":
                    self.at = max(0, self.at - int(found[2] or 1))
                elif found[3] == "J":
                    self.lines[self.at :] = [""]
                elif found[3] in "hl" and found[2] == "7":
                    self.wraps = found[3] == "h"
                elif found[3] == "K":
                    self.lines[self.at] = self.lines[self.at][: self.column]
                continue
            if text[at] == "\x1b":
                break
            if text[at] == "\n":
                self.down()
                self.column = 0
            elif text[at] == "\r":
                self.column = 0
            elif self.column == self.size[1] and not self.wraps:
                pass
            else:
                if self.column == self.size[1]:
                    self.down()
                    self.column = 0
                line = self.lines[self.at]
                self.lines[self.at] = line[: self.column] + text[at] + line[self.column + 1 :]
                self.column += 1
            at += 1
        self.rest = text[at:]


@test
def what_is_shown_on_a_terminal_keeps_its_place():
    """Lines that are too long are cut, messages stay, and there are never more lines than the terminal has."""
    refuse = os.path.join(work, "refuse-terminal")
    for lines, channels in ((24, 3), (8, 20)):
        directory = os.path.join(work, f"terminal{channels}")
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 70, 0, 0))
        process = subprocess.Popen([*tool, "receive", "--udp", "0", "--channels", str(channels), "--out", directory],
                                   stdin=its, stdout=its, stderr=its, env=dict(os.environ, LD_PRELOAD=slow, REFUSE_WRITES=refuse))
        os.close(its)
        screen = Screen(lines, 70)
        text = ""

        def shows(condition):
            nonlocal text
            end = time.monotonic() + 20
            while not condition():
                assert time.monotonic() < end, screen.lines
                if select.select([ours], [], [], 0.1)[0]:
                    try:
                        new = os.read(ours, 65536).decode()
                    except OSError:
                        break
                    text += new
                    screen.feed(new)

        shows(lambda: any(line.startswith("ch0 ") for line in screen.lines))
        port = int(re.search(r"udp 127.0.0.1:(\d+) channel 0\b", text)[1])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            # Much that is wrong: more than a line has room for.
            for f in frames(20) + frames(5, start=30) + [frames(1, start=40)[0][:90], b"x" * 200] + frames(10):
                s.sendto(f, ("127.0.0.1", port))
        shows(lambda: any("missing 10" in line for line in screen.lines))
        open(refuse, "w").close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for f in frames(5, start=35):
                s.sendto(f, ("127.0.0.1", port))
        shows(lambda: "nothing is read until" in text)
        seen = text.count("ch0 ")
        shows(lambda: text.count("ch0 ") >= seen + 2)
        os.unlink(refuse)
        shows(lambda: "writing again" in text)
        seen = text.count("ch0 ")
        shows(lambda: text.count("ch0 ") >= seen + 2)
        shown = [line for line in screen.lines if line]
        if channels == 3:
            equal([line[:3] for line in shown[-3:]], ["ch0", "ch1", "ch2"], shown)
            assert any("nothing is read until" in line for line in shown) and any("writing again" in line for line in shown), shown
        else:
            equal([line[:7] for line in shown[-7:]], [f"ch{k}  0 " for k in range(6)] + ["14 more"], shown)
        process.send_signal(signal.SIGTERM)
        shows(lambda: process.poll() is not None)
        equal(process.wait(10), 0)
        os.close(ours)


@test
def a_connection_that_waits_for_the_medium_is_not_idle():
    hold = os.path.join(work, "hold-idle")
    open(hold, "w").close()
    r = receiver("not-idle", "--ring-bytes", 65536, "--max-frame", 30000, "--idle-seconds", 1, preload=slow, environment={"HOLD_WRITES": hold})
    f = frames(20, size=20000)
    with r.connect() as s:
        s.sendall(b"".join(f))
        time.sleep(3)
        os.unlink(hold)
        r.until(lambda c: c[0]["frames"] == 20)
        report = r.stop()[0]
    equal((report["idle_closed"], report["truncated"]), (0, 0))
    equal(r.content(), b"".join(f))


@test
def files_are_rolled_before_they_exceed():
    f = frames(50, size=100) + [chunk(50, 99, 0, 1, b"y" * 5000)] + frames(9, start=51)
    r = receiver("roll", "--roll-bytes", 1000)
    with r.connect() as s:
        s.sendall(b"".join(f))
    r.until(lambda c: c[0]["frames"] == 60)
    report = r.stop()[0]
    names = r.files()
    equal(r.content(), b"".join(f))
    equal(report["files"], len(names))
    equal(names, [f"ch0_{i:08d}.dat" for i in range(len(names))])
    sizes = [os.path.getsize(os.path.join(r.directory, name)) for name in names]
    equal(sorted(sizes)[-2:], [6 * 164, 5064])
    equal(len(names), 12)


@test
def files_that_may_not_grow_are_finished():
    f = frames(60, size=60000)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    r = receiver("limited", "--ring-bytes", 1 << 20, "--max-frame", 100000, before=limit)
    with r.connect() as s:
        s.sendall(b"".join(f))
    r.until(lambda c: c[0]["frames"] == 60)
    r.stop()
    equal(r.content(), b"".join(f))
    assert len(r.files()) >= 4 and all(os.path.getsize(os.path.join(r.directory, name)) % len(f[0]) == 0 for name in r.files())


@test
def killed_and_started_again():
    directory = "killed"
    f = frames(3000, size=200)
    for round in range(6):
        r = receiver(directory, "--roll-bytes", 50000, "--fsync-ms", rng.choice([1, 50, 1000]))
        s = r.connect()
        # The producer repeats what the receiver has not kept, and some of what it has.
        next_frame = max(0, len(r.content()) // len(f[0]) - rng.randrange(200))
        count = rng.randrange(100, 400)
        for at in range(next_frame, next_frame + count, 20):
            s.sendall(b"".join(f[at : at + 20]))
            if rng.random() < 0.2:
                time.sleep(0.003)
        time.sleep(rng.random() * 0.1)
        r.kill()
        s.close()
        if rng.random() < 0.5:
            part = [name for name in r.files() if name.endswith(".part")]
            if part:
                with open(os.path.join(r.directory, part[0]), "ab") as file:
                    file.write(f[5][: rng.randrange(1, len(f[5]))])
    r = receiver(directory)
    with r.connect() as s:
        s.sendall(b"".join(f))
    r.until(lambda c: c[0]["frames"] + c[0]["duplicates"] >= 3000)
    r.stop()
    content = r.content()
    equal(sorted(content[i : i + len(f[0])] for i in range(0, len(content), len(f[0]))), sorted(f), "every frame once")
    assert all(not name.endswith(".part") for name in r.files())


@test
def killed_at_every_call_that_changes_a_file():
    """With the producer sending everything again, every frame is in the files once; without a torn one."""
    # The second: batches that pass the page cache.
    killed_at_every_call(frames(24), 700, 40)
    killed_at_every_call(frames(24, size=60001), 700_000, 20)


def killed_at_every_call(f, roll, least):
    ended = 0
    for half in ({}, {"KILL_HALF": "1"}):
        at = 1
        while True:
            directory = f"kill{roll}-{len(half)}-{at}"
            # The calls of the start count too.
            try:
                r = receiver(directory, "--roll-bytes", roll, "--fsync-ms", 1, preload=kill, environment={"KILL_AT": str(at), **half})
            except RuntimeError:
                r = None
            if r:
                try:
                    with r.connect() as s:
                        for i in range(0, 24, 8):
                            s.sendall(b"".join(f[i : i + 8]))
                            time.sleep(0.02)
                    time.sleep(0.03)
                except OSError:
                    pass
                r.process.send_signal(signal.SIGTERM)
                code = r.process.wait(20)
                r.process.stdout.close()
                if code == 0:
                    break
                equal(code, 137)
            ended += 1
            torn = receiver(directory)
            before = torn.content()
            with torn.connect() as s:
                s.sendall(b"".join(f))
                end = time.monotonic() + 10
                while len(torn.content()) < len(b"".join(f)) and time.monotonic() < end:
                    time.sleep(0.005)
            torn.stop()
            content = torn.content()
            assert content.startswith(before), f"call {at}: what was there has changed"
            assert content == b"".join(f), f"call {at}: found {len(content)} bytes, expected {len(b''.join(f))}"
            at += 1
    assert ended > least, ended


@test
def bad_input_does_not_hurt():
    r = receiver("bad", "--max-frame", 100000, udp=True)
    size = resident(r.process)
    good = frames(40)
    inputs = [
        bytes(rng.randrange(256) for _ in range(200000)),
        MAGIC * 20000,
        frame(0, b"x", length=0) * 100,
        frame(0, b"x", length=100001) * 100,
        frame(0, b"x", length=0xFFFFFFFF) * 100,
        frame(0, b"x", version=2) * 100,
        frame(1 << 63, b"x", stream=1, timestamp=1) * 3,
        bytes(1 << 20),
        frame(7, b"x" * 50)[:60],
    ]
    u = r.datagrams()
    for data in inputs:
        with r.connect() as s:
            s.sendall(data)
        for at in range(0, len(data), 60000):
            u.send(data[at : at + 60000])
            time.sleep(0.001)
    report = r.until(lambda c: c[0]["connections"] == len(inputs) and c[0]["length_errors"] >= 600 and c[0]["truncated"] >= 120)[0]
    with r.connect() as s:
        s.sendall(b"".join(good))
    r.until(lambda c: c[0]["frames"] == 40)
    assert resident(r.process) - size < 60000, "memory grew"
    report = r.stop()[0]
    equal(r.content(), b"".join(good))
    equal((report["version_errors"], report["wrong_stream"]), (200, 6))
    equal(report["length_errors"], 600)


@test
def connections_are_limited_and_idle_ones_closed():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    r = receiver("limit", "--idle-seconds", 2)
    sockets = [r.connect() for _ in range(300)]
    report = r.until(lambda c: c[0]["connections"] + c[0]["refused"] == 300)[0]
    equal((report["connections"], report["refused"]), (64, 236))
    r.until(lambda c: c[0]["idle_closed"] == 64)
    for s in sockets:
        equal(s.recv(1), b"")
        s.close()
    f = frames(4)
    with r.connect() as s:
        s.sendall(b"".join(f))
    r.until(lambda c: c[0]["frames"] == 4)
    r.stop(signal.SIGINT)
    equal(r.content(), b"".join(f))


@test
def many_channels_have_their_files():
    """Though the system allows few open files unless it is asked for more."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    r = receiver("many", channels=24, udp=True, before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, limit)))
    for k in range(24):
        with r.connect(k) as s:
            s.sendall(b"".join(frames(4, stream=k)))
    report = r.until(lambda c: all(channel["frames"] == 4 for channel in c))
    report = r.stop()
    equal([len(r.content(k)) for k in range(24)], [len(b"".join(frames(4)))] * 24)
    equal(sum(channel["refusals"] for channel in report), 0)


@test
def files_that_are_taken_away_are_not_written_again():
    """Offline processing may move finished files: numbers go on, and an archive that sends again brings nothing twice."""
    f = frames(60)
    size = len(f[0])
    r = receiver("taken", "--roll-bytes", 20 * size, udp=True)
    with r.connect() as s:
        s.sendall(b"".join(f[:50]))
    r.until(lambda c: c[0]["frames"] == 50)
    time.sleep(0.1)
    r.kill()
    for name in ("ch0_00000000.dat", "ch0_00000001.dat"):
        os.unlink(os.path.join(r.directory, name))
    r = receiver("taken", "--roll-bytes", 20 * size, udp=True)
    with r.connect() as s:
        s.sendall(b"".join(f))
    r.until(lambda c: c[0]["frames"] + c[0]["duplicates"] == 60)
    equal(r.stop()[0]["frames"], 10)
    equal(r.content(), b"".join(f[40:]))
    for name in r.files():
        os.unlink(os.path.join(r.directory, name))
    r = receiver("taken")
    with r.connect() as s:
        s.sendall(b"".join(f[:4]))
    r.until(lambda c: c[0]["frames"] == 4)
    r.stop()
    equal(r.files(), ["ch0_00000003.dat"])
    equal([line["file"] for line in r.losses() if line["kind"] == "ended"], [3, 4])


@test
def wrong_use():
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    port = taken.getsockname()[1]

    def run(*words):
        done = subprocess.run([*tool, "receive", "--out", os.path.join(work, "use"), *words], capture_output=True, text=True, timeout=20)
        return done.returncode, done.stderr

    code, text = run("--tcp", str(port), "--channels", "1")
    equal(code, 3)
    assert "Address already in use" in text and str(port) in text, text
    equal(run()[0], 2)
    equal(run("--tcp", "65535")[0], 2)
    equal(run("--tcp", "x")[0], 2)
    equal(run("--tcp", "0", "--bind", "nowhere")[0], 2)
    equal(run("--tcp", "0", "--bind", "192.0.2.1")[0], 3)
    r = receiver("use")
    code, text = run("--tcp", "0")
    equal(code, 3)
    assert "another receiver" in text, text
    r.stop()


@test
def what_was_sent_before_the_end_is_kept():
    """A sender that has ended, and a receiver that is told to end at once: what the kernels have in between is read."""
    f = b"".join(frames(20000, size=400))
    for udp in (False, True):
        r = receiver(f"sent{udp}", udp=udp, tcp=not udp)
        # The receive thread sees nothing of it before the signal.
        r.process.send_signal(signal.SIGSTOP)
        if udp:
            with r.datagrams() as s:
                for one in frames(100):
                    s.send(one)
        else:
            with r.connect() as s:
                s.setblocking(False)
                sent = 0
                try:
                    while sent < len(f):
                        sent += s.send(f[sent : sent + 65536])
                except BlockingIOError:
                    pass
        r.process.send_signal(signal.SIGTERM)
        r.process.send_signal(signal.SIGCONT)
        output, _ = r.process.communicate(timeout=20)
        equal(r.process.returncode, 0)
        report = json.loads(output.splitlines()[-1])["channels"][0]
        if udp:
            equal((report["frames"], report["kernel_drops"]), (100, 0))
        else:
            assert sent > 100000, sent
            equal(report["frames"] * len(frames(1, size=400)[0]) + report["truncated"], sent)
    # One that never ends does not keep it.
    r = receiver("sender")
    sender = subprocess.Popen([*tool, "send", "--tcp", f"127.0.0.1:{r.ports['tcp', 0]}", "--channels", "1", "--count", "1000000000", "--rate", "5000"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    r.until(lambda c: c[0]["frames"] > 0)
    r.stop(seconds=15)
    equal(sender.wait(20), 3)


@test
def a_flood_of_damage_is_few_lines():
    r = receiver("flood", udp=True)
    with r.datagrams() as s:
        for i in range(5000):
            s.send(b"x" * 300)
            if i % 50 == 0:
                time.sleep(0.001)
    r.until(lambda c: c[0]["skipped_bytes"] + 300 * c[0]["kernel_drops"] == 1500000)
    report = r.stop()[0]
    lines = [x for x in r.losses() if x["kind"] == "damage"]
    equal(sum(x["skipped_bytes"] for x in lines), report["skipped_bytes"])
    assert len(lines) < 20, len(lines)


@test
def a_signal_that_comes_twice_at_once_is_one():
    """As timeout(1) sends it: to the process, and to its group."""
    r = receiver("doubled")
    f = frames(20)
    with r.connect() as s:
        s.sendall(b"".join(f))
    r.process.send_signal(signal.SIGTERM)
    time.sleep(0.02)
    equal(r.stop()[0]["frames"], 20)
    equal((r.files(), r.content()), (["ch0_00000000.dat"], b"".join(f)))


@test
def a_second_signal_ends_at_once():
    hold = os.path.join(work, "hold2")
    r = receiver("twice", preload=slow, environment={"HOLD_WRITES": hold})
    open(hold, "w").close()
    with r.connect() as s:
        s.sendall(b"".join(frames(10)))
    r.until(lambda c: c[0]["frames"] == 10)
    r.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert r.process.poll() is None
    r.process.send_signal(signal.SIGTERM)
    equal(r.process.wait(10), 128 + signal.SIGTERM)
    os.unlink(hold)


@test
def metrics_options_from_a_file_and_the_service_manager():
    config = os.path.join(work, "receive.conf")
    with open(config, "w") as file:
        file.write("# what the command line does not say\nmetrics = 0\n roll-bytes = 1000 \nfsync-ms=5\n")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    path = os.path.join(work, "notify")
    manager.bind(path)
    manager.settimeout(10)
    r = receiver("metrics", "--config", config, environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"})
    equal(manager.recv(100), b"READY=1")
    equal(manager.recv(100), b"WATCHDOG=1")
    with r.connect() as s:
        s.sendall(b"".join(frames(30) + frames(5, start=40)))
    r.until(lambda c: c[0]["frames"] == 35)
    port = int(next(line for line in r.error_text().splitlines() if "metrics" in line).rsplit(":", 1)[1])

    def ask(request):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
            s.sendall(request)
            return b"".join(iter(lambda: s.recv(65536), b"")).decode()

    head, text = ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").split("\r\n\r\n", 1)
    assert head.startswith("HTTP/1.1 200 ") and f"Content-Length: {len(text)}" in head, head
    numbers = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    equal(numbers['ticklog_receive_frames_total{channel="0"}'], "35")
    equal(numbers['ticklog_receive_missing_frames{channel="0"}'], "10")
    names = ("read_pauses", "medium_refusals", "unwritten_frames", "idle_connections")
    assert all(f'ticklog_receive_{name}_total{{channel="0"}}' in numbers for name in names), numbers
    typed = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    equal({name.split("{")[0] for name in numbers}, typed, "every number has a type")
    assert ask(b"GET / HTTP/1.0\r\n\r\n").startswith("HTTP/1.1 404 ")
    assert ask(b"POST /metrics HTTP/1.0\r\n\r\n").startswith("HTTP/1.1 405 ")
    assert ask(b"nonsense\r\n\r\n").startswith("HTTP/1.1 400 ")
    try:
        equal(ask(b"x" * 5000), "", "a request that is too long")
    except ConnectionResetError:
        pass
    # One that never ends its request does not keep the others waiting.
    with socket.create_connection(("127.0.0.1", port), timeout=10) as silent:
        silent.sendall(b"GET ")
        assert ask(b"GET /metrics HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 200 ")

    def drain():
        told = b""
        manager.setblocking(False)
        try:
            while True:
                told = manager.recv(100)
        except BlockingIOError:
            return told

    # What the manager does not read does not stop the receiver; what it reads comes again.
    time.sleep(2)
    with r.connect() as s:
        s.sendall(b"".join(frames(5, start=45)))
    r.until(lambda c: c[0]["frames"] == 40)
    equal(drain(), b"WATCHDOG=1")
    r.stop()
    equal(drain(), b"STOPPING=1")
    # The file's roll-bytes was obeyed.
    assert len(r.files()) > 3, r.files()
    with open(config, "a") as file:
        file.write("seconds = 1\nbogus = 1\n")
    done = subprocess.run([*tool, "receive", "--config", config], capture_output=True, text=True, timeout=20)
    equal(done.returncode, 2)
    assert "receive.conf:6: found 'bogus'" in done.stderr, done.stderr


@test
def for_some_seconds():
    r = receiver("seconds", "--seconds", 1)
    equal(r.process.wait(10), 0)


names = sys.argv[5:] or list(tests)
print(f"seed {seed}")
failed = 0
for name in names:
    start = time.monotonic()
    try:
        tests[name]()
        print(f"{name}: ok, {time.monotonic() - start:.1f} s", flush=True)
    except Exception as error:
        failed += 1
        print(f"{name}: FAILED (seed {seed}): {type(error).__name__} {str(error)[:2000]}", flush=True)
print(f"{len(names) - failed} passed, {failed} failed")
sys.exit(failed > 0)
