"""`ticklog serve`: what it answers and keeps, and what it does when a client, the medium or the machine fails.

    check_serve.py TICKLOG WORK [NAME...]"""
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request

from client import (
    ACK, CHALLENGE, DIFF, FULL, LOGIN, QUERY, REPLY, SUBSCRIBE, SYNC, RACK, Client, Model, Packet, Server, body, legacy, log_files,
    message, read_image, read_log, read_log_file)

tool = sys.argv[1].split()
work = os.path.join(sys.argv[2], "check_serve")
seed = int(os.environ.get("TICKLOG_TEST_SEED", random.randrange(1 << 32)))
rng = random.Random(seed)
tests = {}
running = []


def test(function):
    tests[function.__name__] = function
    return function


def equal(found, expected, what=""):
    if found != expected:
        raise AssertionError(f"{what}: found {repr(found)[:300]}, expected {repr(expected)[:300]}")


def folder(name):
    path = os.path.join(work, name)
    os.makedirs(path, exist_ok=True)
    return path


def server(*options, **more):
    s = Server(tool, *options, **more)
    running.append(s)
    return s


def run(*words, seconds=20):
    return subprocess.run([*tool, *map(str, words)], capture_output=True, text=True, timeout=seconds)


def words(count, value=None):
    return [(rng.randrange(65536), rng.randrange(65536) if value is None else value) for _ in range(count)]


def resident(s):
    with open(f"/proc/{s.process.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def soon(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("not within %d s: %s" % (seconds, what))
        time.sleep(0.02)


def alive(s, source=(3, 250)):
    """The server still serves others."""
    with s.connect() as c:
        value = rng.randrange(1, 65536)
        c.send(DIFF, source, [(77, value)])
        equal(c.query([77], source), [value], "another client")


# MARK: What it is for

@test
def packets_are_logged_and_applied():
    d = folder("applied")
    s = server("--log", d + "/p.log", "--image", d + "/i.bin", "--image-seconds", 0)
    sent, model = [], Model()
    with s.connect() as c:
        for i in range(300):
            data = body(rng.choice((DIFF, DIFF, FULL)), (rng.randrange(4), rng.choice((0, 1, 255))), words(rng.choice((0, 1, 2, 5, 40, 900))), i, i)
            sent.append(data)
            model.apply(Packet(data))
        # In pieces of any size.
        stream = b"".join(struct.pack("<I", len(data)) + data for data in sent)
        while stream:
            cut = rng.choice((1, 3, 19, 20, 21, 1000, 70000))
            c.raw(stream[:cut])
            stream = stream[cut:]
        c.sync(3)
        equal(read_log(d + "/p.log", checks=False), sent, "the log at the ACK")
        for source in model.images:
            offsets = [rng.randrange(65536) for _ in range(500)] + list(model.images[source])[:500]
            image = model.words(source)
            equal(c.query(offsets, source), [image[o] for o in offsets], f"image of {source}")
        equal(c.query([1, 2], (1, 77)), [0, 0], "a source that was never seen")
    s.end()
    equal(read_log(d + "/p.log"), sent, "the log at the end")
    image = read_image(d + "/i.bin")
    equal(sorted(image), sorted(model.images))
    for source in image:
        equal(image[source][1], model.words(source), f"image file, {source}")
        equal(image[source][0], 1 << 40 | os.path.getsize(d + "/p.log"), "position")


@test
def the_largest_message():
    d = folder("largest")
    s = server("--log", d + "/p.log")
    with s.connect() as c:
        all_words = [(o, o ^ 0x5A5A) for o in range(65536)]
        c.send(FULL, (1, 9), all_words)
        equal(c.query(range(65536), (1, 9)), [v for _, v in all_words])
        c.sync()
        equal(len(read_log(d + "/p.log", checks=False)[0]), 262160)
    s.end()


@test
def answers_keep_the_order_of_a_connection():
    s = server("--log", folder("order") + "/p.log")
    with s.connect() as c:
        # Unread answers of many queries fill the queue; the server waits, and goes on.
        count = 3000
        stream = b"".join(message(DIFF, (2, 2), [(5, i)]) + message(QUERY, (2, 2), [(5, 0), *[(o, 0) for o in range(500)]], seq=i)
                          for i in range(count))
        sent = 0
        c.socket.setblocking(False)
        got = b""
        end = time.monotonic() + 30
        while sent < len(stream) or len(got) < count * (20 + 4 * 501):
            assert time.monotonic() < end, (sent, len(stream), len(got))
            try:
                sent += c.socket.send(stream[sent:sent + 100000])
            except BlockingIOError:
                time.sleep(0.001)
            if sent > len(stream) // 2:
                try:
                    got += c.socket.recv(1 << 20)
                except BlockingIOError:
                    pass
        for i in range(count):
            p = Packet(got[i * 2024 + 4:(i + 1) * 2024])
            equal((p.seq, p.words[0]), (i & 255, (5, i)), "answer")
    s.end()


@test
def sync_covers_what_was_before():
    d = folder("sync")
    # Nothing is synced by time.
    s = server("--log", d + "/p.log", "--sync-ms", 60000)
    with s.connect() as a, s.connect() as b:
        for i in range(50):
            for c in (a, b):
                c.send(DIFF, (2, i), [(i, i)])
            a.sync(i, (1, i))
            assert sum(Packet(p).source == (2, i) for p in read_log(d + "/p.log", checks=False)) >= 1
        # Many at once, without waiting.
        a.raw(b"".join(message(DIFF, (2, 1), [(1, i)]) + message(SYNC, (2, 1), seq=i) for i in range(3000)))
        for i in range(3000):
            answer = a.receive()
            equal((answer.command, answer.seq), (ACK, i & 255))
        b.sync()
    s.end()
    equal(s.report["acks"], 3051)
    assert s.report["log_syncs"] < 3000, "a group of SYNCs has one sync"
    s = server()
    with s.connect() as c:
        c.send(SYNC)
        assert c.closed()
    s.until("started without --log")
    s.end()


@test
def subscribers_are_told():
    s = server()
    with s.connect() as w, s.connect() as c:
        c.send(DIFF, (2, 1), [(10, 1), (11, 2), (300, 3)])
        equal(c.query([300]), [3])
        w.subscribe([(10, 20), (300, 310)], seq=33)
        first = [w.receive(), w.receive()]
        values = {}
        for p in first:
            equal((p.command, p.source, p.seq), (REPLY, (2, 1), 33))
            values.update(p.words)
        equal(values, {o: {10: 1, 11: 2, 300: 3}.get(o, 0) for o in [*range(10, 21), *range(300, 311)]})
        # Only what has changed, and is in the ranges.
        c.send(DIFF, (2, 1), [(10, 1), (11, 5), (21, 9), (305, 6)])
        p = w.receive()
        equal((p.command, p.source, p.seq, p.words), (DIFF, (2, 1), 33, [(11, 5), (305, 6)]))
        c.send(FULL, (2, 1), [(11, 5), (12, 8), (40, 1)])
        equal(w.receive().words, [(10, 0), (12, 8), (300, 0), (305, 0)])
        c.send(DIFF, (2, 2), [(10, 4)])
        c.send(DIFF, (3, 1), [(10, 4)])
        assert w.silent()
        # Another one replaces it; none ends it.
        w.subscribe([(0, 0)])
        equal(w.receive().words, [(0, 0)])
        c.send(DIFF, (2, 1), [(10, 44)])
        c.send(DIFF, (2, 1), [(0, 44)])
        equal(w.receive().words, [(0, 44)])
        w.subscribe([])
        c.send(DIFF, (2, 1), [(0, 45)])
        assert w.silent()
        # A source that nobody has sent, all of it; overlaps are joined.
        w.subscribe([(0, 40000), (30000, 65535)], (0, 9))
        got = []
        while len(got) < 65536:
            p = w.receive()
            assert len(p.words) <= 4096
            got += p.words
        equal(got, [(o, 0) for o in range(65536)])
        c.send(FULL, (0, 9), [(o, 7) for o in range(65536)])
        got = []
        while len(got) < 65536:
            p = w.receive()
            assert p.command == DIFF and len(p.words) <= 4096
            got += p.words
        equal(got, [(o, 7) for o in range(65536)])
    s.end()


@test
def subscribers_have_a_rate():
    s = server()
    with s.connect() as w, s.connect() as c:
        w.subscribe([(0, 9)], rate=10)
        w.receive()
        start = time.monotonic()
        last = 0
        got = []
        while time.monotonic() < start + 1.05:
            last += 1
            c.send(DIFF, (2, 1), [(last % 10, last)])
            time.sleep(0.001)
            while not w.silent(0):
                got.append(w.receive())
        w.socket.settimeout(1)
        state = {}
        try:
            while True:
                got.append(w.receive())
        except socket.timeout:
            pass
        for p in got:
            state.update(p.words)
        equal(state, dict((o, next(v for v in range(last, 0, -1) if v % 10 == o)) for o in range(10)), "the newest values")
        assert len(got) <= 12, f"{len(got)} messages within a second"
    s.end()


@test
def a_subscriber_sees_the_image():
    """Whatever changes, who follows has the image in the end, through a small queue that he reads slowly."""
    s = server("--queue-bytes", 1 << 19, "--stall-seconds", 600)
    model = Model()
    with s.connect() as w, s.connect() as c:
        w.subscribe([(0, 65535)], (1, 1))
        for i in range(100):
            data = body(rng.choice((DIFF, DIFF, DIFF, FULL)), (1, 1), words(rng.choice((1, 1000, 10000))))
            model.apply(Packet(data))
            c.raw(struct.pack("<I", len(data)) + data)
        c.query([1], (1, 1))
        seen = {}
        w.socket.settimeout(1)
        try:
            while True:
                p = w.receive()
                seen.update(p.words)
                if rng.random() < 0.05:
                    time.sleep(0.01)
        except socket.timeout:
            pass
        equal(tuple(seen[o] for o in range(65536)), model.words((1, 1)))
    s.end()
    equal(s.report["dropped"], 0)


# MARK: Bad input

def closes(s, data, line, **more):
    with s.connect() as c:
        c.raw(data)
        assert c.closed(), f"{data[:30]!r}: not closed"
    s.until(line)
    s.said = ""


@test
def what_is_no_message():
    s = server("--log", folder("bad") + "/p.log")
    bad = [
        (struct.pack("<I", 0), "found 0, expected a length"), (struct.pack("<I", 0xFFFFFFFF), "found 4294967295, expected"),
        (struct.pack("<I", 15), "found 15"), (struct.pack("<I", 18) + bytes(18), "found 18"),
        (struct.pack("<I", 262164), "found 262164"), (struct.pack("<I", 20) + body(DIFF)[:16], "found 0, expected the count"),
        (struct.pack("<I", 16) + body(DIFF, words=[(1, 1)])[:16], "found 1, expected the count"),
        (struct.pack("<I", 16) + body(DIFF)[:12] + b"\xff\xff\xff\xff", "found 4294967295, expected the count"),
        (message(9), "found command 9"), (message(255), "found command 255"), (message(DIFF, (4, 0)), "found type 4"),
        (message(QUERY, (255, 0)), "found type 255"), (message(REPLY), "found command 3, which a server sends"),
        (message(ACK), "found command 5, which"), (message(CHALLENGE), "found command 7, which"),
        (message(LOGIN, words=[(0, 0)] * 16), "found a LOGIN"), (message(SYNC, words=[(1, 1)]), "found a SYNC of 1 words"),
        (message(SUBSCRIBE, words=[(1, 0)]), "found a SUBSCRIBE of 1 words"),
        (message(SUBSCRIBE, words=[(1, 0)] * 66), "found a SUBSCRIBE of 66"),
        (message(SUBSCRIBE, words=[(5, 0), (4, 0)]), "found a SUBSCRIBE of 2"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "expected a length"),
        (b"".join(message(SUBSCRIBE, (2, i), [(1, 0), (2, 0)]) for i in range(17)), "one more than 16 sources"),
    ]
    for data, line in bad:
        # What came before is good.
        closes(s, message(DIFF, (3, 1), [(1, 7)]) + data, line)
        time.sleep(0.1)  # ten lines a second
    with s.connect() as c:
        c.raw(struct.pack("<I", 262160) + body(DIFF, words=[(1, 1)] * 65536)[:9])
        c.raw(b"x" * 3)
    s.until("its last message ended after 16 bytes")
    alive(s)
    s.end()
    assert s.report["malformed"] >= 15 and s.report["forbidden"] == 5, s.report
    equal(s.report["diffs"], len(bad) + 1)


@test
def random_bytes():
    s = server("--log", folder("noise") + "/p.log", "--ring-bytes", 1 << 20)
    good = [message(rng.choice((DIFF, FULL, QUERY, SYNC, SUBSCRIBE)), (rng.randrange(4), 1), words(rng.choice((0, 2, 64, 900)))) for _ in range(30)]
    for _ in range(400):
        data = bytearray(b"".join(rng.choices(good, k=rng.randrange(1, 8))))
        for _ in range(rng.choice((0, 1, 5))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        with s.connect() as c:
            try:
                c.raw(bytes(data[:rng.randrange(len(data) + 1)]))
                if rng.random() < 0.3:
                    c.socket.shutdown(socket.SHUT_WR)
                    assert c.closed()
            except (BrokenPipeError, ConnectionResetError):
                pass
    alive(s)
    before = resident(s)
    s.end()
    assert before < 120_000, f"{before} KiB"


@test
def one_byte_a_time():
    s = server()
    with s.connect() as c:
        for byte in message(DIFF, (2, 1), [(3, 4), (5, 6)]) + message(QUERY, (2, 1), [(3, 0), (5, 0)]):
            c.raw(bytes([byte]))
            time.sleep(0.005)
        equal(c.receive().data, (4, 6))
    s.end()


@test
def who_does_not_go_on():
    s = server("--partial-seconds", 1)
    with s.connect() as quiet, s.connect() as slow:
        slow.raw(message(QUERY, words=[(1, 0)])[:9])
        quiet.send(DIFF, (2, 1), [(1, 1)])
        assert slow.closed(8), "a message that does not go on"
        s.until("did not go on for 1 s")
        equal(quiet.query([1]), [1], "a client that is merely quiet")
    s.end()
    equal(s.report["timed_out"], 1)


@test
def who_never_reads():
    s = server("--stall-seconds", 1, "--queue-bytes", 1 << 19, "--metrics", 0)
    port = s.until(r"listening metrics 127.0.0.1:(\d+)\n")[1]
    before = resident(s)
    lazy = [s.connect() for _ in range(20)]
    query = message(QUERY, (2, 1), [(o, 0) for o in range(5000)])
    left = {}

    def ask(c):
        try:
            while True:
                data = left.get(c) or query
                left[c] = data[c.socket.send(data):]
        except (BlockingIOError, ConnectionError):
            pass

    for c in lazy:
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.socket.setblocking(False)
        ask(c)
    watcher = s.connect()
    watcher.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    watcher.subscribe([(0, 65535)], (1, 1))
    with s.connect() as c:
        end = time.monotonic() + 60
        while s.process.poll() is None and time.monotonic() < end:
            value = rng.randrange(65536)
            c.send(FULL, (1, 1), [(o, value) for o in range(0, 65536, 16)])
            start = time.monotonic()
            c.query([1], (1, 1))
            assert time.monotonic() - start < 5
            for x in lazy:
                ask(x)
            text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
            if int(re.search(r"ticklog_serve_dropped_total (\d+)", text)[1]) > len(lazy):
                break
            time.sleep(0.02)
    s.until("it has read nothing for 1 s, and [0-9]+ bytes wait for it")
    soon(lambda: resident(s) < before + 60_000, "memory", 5)
    for c in [*lazy, watcher]:
        c.socket.close()
    alive(s)
    s.end()
    equal(s.report["dropped"], 21)


@test
def too_many_connects():
    s = server("--max-clients", 8, "--log", folder("connects") + "/p.log")
    kept = [s.connect() for _ in range(8)]
    for i, c in enumerate(kept):
        c.send(DIFF, (2, i), [(1, i)])
        c.query([1], (2, i))
    before = resident(s)
    for _ in range(100):
        burst = []
        for _ in range(100):
            burst.append(socket.create_connection(("127.0.0.1", s.port), timeout=20))
        for c in burst:
            c.close()
    s.until(r"refused, since there are 8 \(--max-clients\)")
    s.until("more lines like these were left out")
    for i, c in enumerate(kept):
        equal(c.query([1], (2, i)), [i], "a client that was there")
    kept.pop().socket.close()
    soon(lambda: not s.connect().closed(0.05), "a place that has become free", 5)
    assert resident(s) < before + 10_000
    s.end()
    assert s.report["refused"] >= 9000, s.report["refused"]
    assert s.said.count("\n") < 1000


@test
def more_clients_than_files():
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))  # noqa: E731
    s = server("--max-clients", 200, limit=limit)
    s.until("may open 64 files")
    kept = [socket.create_connection(("127.0.0.1", s.port), timeout=10) for _ in range(150)]
    s.until("the process may open no more files")
    for c in kept:
        c.close()
    soon(lambda: not s.connect().closed(0.2), "a place", 5)
    alive(s)
    s.end()


# MARK: Tokens

@test
def tokens():
    d = folder("tokens")
    secret, reading = b"0123456789abcdef-secret", b"only for looking at it"
    for name, text, mode in (("rw", secret + b"\n", 0o600), ("r", b"  " + reading + b" \nmore\n", 0o400), ("open", secret, 0o644), ("short", b"short", 0o600)):
        with open(f"{d}/{name}", "wb") as file:
            file.write(text)
        os.chmod(f"{d}/{name}", mode)
    s = server("--log", d + "/p.log", "--token-file", d + "/rw", "--read-token-file", d + "/r")
    with s.connect() as c, s.connect() as r:
        nonces = {c.login(secret, 77)}
        answer = c.receive()
        equal((answer.command, answer.seq), (ACK, 77))
        c.send(DIFF, (2, 1), [(1, 5)])
        c.sync()
        nonces.add(r.login(reading))
        equal(r.receive().command, ACK)
        equal(r.query([1]), [5])
        r.subscribe([(1, 1)])
        equal(r.receive().words, [(1, 5)])
        for command in (DIFF, FULL, SYNC):
            with s.connect() as x:
                nonces.add(x.login(reading))
                x.receive()
                x.send(command)
                assert x.closed()
        equal(len(nonces), 5, "challenges differ")
        # Before a login, nothing else.
        for command in (DIFF, QUERY, SYNC, SUBSCRIBE, ACK):
            with s.connect() as x:
                x.receive()
                x.send(command)
                assert x.closed()
        for data in (b"\0" * 4, message(LOGIN), message(LOGIN, words=[(0, 0)] * 17)):
            with s.connect() as x:
                x.raw(data)
                assert x.closed()
        time.sleep(1.1)  # ten lines a second
        # A wrong answer: closed, later; the others do not wait.
        wrong = [s.connect() for _ in range(5)]
        start = time.monotonic()
        for x in wrong:
            x.login(b"wrong" * 5)
            x.send(DIFF, (2, 1), [(1, 6)])
        equal(c.query([1]), [5])
        assert time.monotonic() - start < 5
        for x in wrong:
            assert x.closed()
        assert time.monotonic() - start > 0.5
        s.until("its LOGIN is wrong")
        equal(c.query([1]), [5])
    s.end()
    equal(s.report["wrong_logins"], 5)
    for options, code, text in ((["--token-file", d + "/open"], 3, "expected 600"), (["--token-file", d + "/short"], 3, "at least 16"),
                                (["--token-file", d + "/none"], 3, "open"), (["--read-token-file", d + "/r"], 2, "--token-file too"),
                                (["--legacy", "--token-file", d + "/rw"], 2, "--legacy")):
        result = run("serve", "--port", 0, *options)
        equal(result.returncode, code, f"{options}: {result.stderr}")
        assert text in result.stderr, result.stderr


# MARK: The medium

@test
def files_roll():
    d = folder("roll")
    sent = []
    for start in range(3):
        s = server("--log", d + "/p.log", "--roll-bytes", 20000, "--image", d + "/i.bin")
        with s.connect() as c:
            for i in range(500):
                data = body(DIFF, (2, i & 3), words(rng.choice((0, 1, 16, 16, 16, 100))), i)
                if i == 250:
                    data = body(FULL, (2, 1), words(8000))  # larger than a file may be
                sent.append(data)
                c.raw(struct.pack("<I", len(data)) + data)
            c.sync()
            equal(read_log(d + "/p.log", checks=False), sent)
        if start == 1:
            s.kill()
        else:
            s.end()
    files = log_files(d + "/p.log")
    assert len(files) > 6
    for number, path in files:
        records = read_log_file(path)[1]
        assert os.path.getsize(path) <= 20000 or len(records) == 1, path
    s = server("--log", d + "/p.log", "--image", d + "/i.bin")
    model = Model().apply_all(sent)
    with s.connect() as c:
        for source in model.images:
            equal(tuple(c.query(range(65536), source)), model.words(source))
    s.end()
    # Without the image, and with one that is older than some files.
    os.rename(d + "/i.bin", d + "/old")
    s = server("--log", d + "/p.log")
    equal(tuple(s.connect().query(range(65536), (2, 1))), model.words((2, 1)))
    s.end()
    # A file that is missing is damage.
    os.unlink(files[2][1])
    result = run("serve", "--port", 0, "--log", d + "/p.log")
    equal(result.returncode, 3, result.stderr)
    assert "p.log.000003: open" in result.stderr, result.stderr
    # Not if the image has it.
    s = server("--log", d + "/p.log", "--image", d + "/i.bin", wait=False)
    equal(s.process.wait(10), 3)
    os.rename(d + "/old", d + "/i.bin")
    s = server("--log", d + "/p.log", "--image", d + "/i.bin")
    equal(tuple(s.connect().query(range(65536), (2, 1))), model.words((2, 1)))
    s.end()


@test
def the_disk_is_full():
    d = folder("full")
    small = os.path.join(d, "small")
    os.makedirs(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small], capture_output=True).returncode:
        print("  (no tmpfs may be mounted here: with a file's limit instead)")
        return full(d, limit=3 << 20)
    try:
        full(small)
    finally:
        subprocess.run(["umount", "-l", small])


def full(d, limit=None):
    s = server("--log", d + "/p.log", "--ring-bytes", 1 << 20, "--roll-bytes", 1 << 30, "--stall-seconds", 60)
    if limit:
        resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    with s.connect() as c, s.connect() as q, s.connect() as y:
        q.send(DIFF, (3, 1), [(9, 9)])
        q.sync()
        sent = []
        c.socket.setblocking(False)
        end = time.monotonic() + 20
        pending = b""
        while time.monotonic() < end:
            if not pending:
                data = body(DIFF, (2, 1), [(1, len(sent))] * 2000, len(sent))
                sent.append(data)
                pending = struct.pack("<I", len(data)) + data
            try:
                pending = pending[c.socket.send(pending):]
                stuck = time.monotonic()
            except BlockingIOError:
                if time.monotonic() > stuck + 1.5:
                    break
                time.sleep(0.01)
        s.until("p.log: write: (No space left on device|File too large)")
        # Nobody's packets are read, but questions are answered.
        for _ in range(5):
            equal(q.query([9], (3, 1)), [9])
        y.send(SYNC)
        # What was synced before is synced; an ACK for more must not come.
        time.sleep(0.5)
        assert c.silent()
        before = resident(s)
        if limit:
            resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        else:
            equal(subprocess.run(["mount", "-o", "remount,size=200m", d]).returncode, 0)
        s.until("writing again after")
        c.socket.setblocking(True)
        c.raw(pending)
        c.sync()
        equal(y.receive().command, ACK)
        assert resident(s) < before + 5000
        equal(read_log(d + "/p.log", checks=False)[1:], sent)
    equal(s.said.count("No space") + s.said.count("too large"), 1, "said once")
    s.end()
    equal(read_log(d + "/p.log", checks=False)[1:], sent)
    equal(s.report["log_refusals"], 1)


@test
def full_until_the_end():
    d = folder("fullend")
    s = server("--log", d + "/p.log", "--ring-bytes", 1 << 20)
    resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
    with s.connect() as c:
        for _ in range(40):
            c.send(DIFF, words=[(1, 1)] * 1000)
        c.send(SYNC)
        assert c.silent(1), "an ACK for what is not written"
        took = s.end(code=3)
        assert took < 3, took
        assert "what was not written is lost" in s.said
        assert s.report["log_lost_bytes"] > 0


@test
def torn_and_damaged_logs():
    d = folder("torn")
    s = server("--log", d + "/p.log", "--image", d + "/i.bin", "--image-seconds", 0)
    with s.connect() as c:
        for i in range(20):
            c.send(DIFF, (2, 1), [(i, i + 1)])
        c.sync()
    s.kill()
    whole = open(d + "/p.log", "rb").read()
    records = read_log_file(d + "/p.log")[1]

    def start(data, image=None):
        with open(d + "/p.log", "wb") as file:
            file.write(data)
        for name in ("/i.bin", "/i.bin.bad"):
            if os.path.exists(d + name):
                os.unlink(d + name)
        if image:
            with open(d + "/i.bin", "wb") as file:
                file.write(image)

    for cut in [0, 1, 15, 16, 17, 47, 48, 49, *[rng.randrange(49, len(whole)) for _ in range(10)]]:
        start(whole[:cut])
        s = server("--log", d + "/p.log")
        kept = [i for i, (at, _, payload) in enumerate(records) if at + (16 + len(payload) + 7 & ~7) <= cut]
        with s.connect() as c:
            equal(c.query(range(20)), [i + 1 if i in kept else 0 for i in range(20)], f"cut at {cut}")
            c.send(DIFF, (2, 1), [(100, 1)])
            c.sync()
        equal(len(read_log(d + "/p.log")), len(kept) + 1)
        if cut not in (0, 48):
            assert (len(kept) < 20) == ("were cut from its end" in s.said) or records[len(kept)][0] == cut, (cut, s.said)
        s.end()
    again = whole[records[-1][0]:]
    for junk in (b"\0" * 9, b"\xff" * 300, again + b"x"):
        start(whole + junk)
        s = server("--log", d + "/p.log")
        equal(s.connect().query(range(20)), list(range(1, 21)))
        s.end()
        equal(len(read_log(d + "/p.log")), 20 + junk.startswith(again))
    # Damage in the middle is not cut.
    for at in (60, 100, records[10][0] + 9):
        start(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
        result = run("serve", "--port", 0, "--log", d + "/p.log")
        equal(result.returncode, 1, result.stderr)
        assert "the next good one is at offset" in result.stderr or "file's number" in result.stderr, result.stderr
    for data in (b"some notes\n", whole[:8] + b"\2" + whole[9:], whole[:12] + b"\1" + whole[13:]):
        start(data)
        result = run("serve", "--port", 0, "--log", d + "/p.log")
        equal(result.returncode, 1, result.stderr)
        equal(open(d + "/p.log", "rb").read(), data, "a file that is no log stays as it is")
    # The image.
    start(whole)
    s = server("--log", d + "/p.log", "--image", d + "/i.bin", "--image-seconds", 0)
    s.end()
    image = open(d + "/i.bin", "rb").read()
    for bad in (image[:1000], image[:40] + b"\1" + image[41:], b"", b"x" * 20, image + b"\0"):
        start(whole, bad)
        s = server("--log", d + "/p.log", "--image", d + "/i.bin", "--image-seconds", 0)
        if bad:
            s.until("i.bin.bad, and all of the log is read instead")
        equal(s.connect().query(range(20)), list(range(1, 21)))
        s.end()
        equal(open(d + "/i.bin.bad", "rb").read() if bad else b"", bad)
        equal(read_image(d + "/i.bin")[2, 1][1][:21], (*range(1, 21), 0))
    # One that knows more than the log.
    start(whole[:records[10][0]], image)
    s = server("--log", d + "/p.log", "--image", d + "/i.bin")
    s.until("the image knows more than the log")
    equal(s.connect().query(range(20)), [i + 1 if i < 10 else 0 for i in range(20)])
    s.end()


@test
def images_are_saved_while_it_runs():
    d = folder("images")
    s = server("--log", d + "/p.log", "--image", d + "/i.bin", "--image-seconds", 1)
    with s.connect() as c:
        stop = time.monotonic() + 3.5
        i = 0
        while time.monotonic() < stop:
            i += 1
            c.raw(b"".join(message(DIFF, (2, j), [(0, i & 65535), (65535, i & 65535)]) for j in range(50)))
            if i % 50 == 0:
                c.sync()
    s.kill()
    image = read_image(d + "/i.bin")
    equal(len(image), 50)
    records = [(1 << 40 | at, Packet(payload)) for at, _, payload in read_log_file(d + "/p.log", checks=False)[1]]
    for source, (position, found) in image.items():
        value = [p.data[0] for at, p in records if p.source == source and at < position]
        equal((found[0], found[65535], any(found[1:65535])), (value[-1], value[-1], False), "the image at its position")
    assert not os.path.exists(d + "/i.bin.bad")


@test
def two_servers():
    d = folder("two")
    s = server("--log", d + "/p.log", "--image", d + "/i.bin")
    for options in (["--log", d + "/p.log"], ["--image", d + "/i.bin"]):
        result = run("serve", "--port", 0, *options)
        equal(result.returncode, 3, result.stderr)
        assert "another server has it" in result.stderr, result.stderr
    result = run("serve", "--port", s.port)
    equal(result.returncode, 3, result.stderr)
    assert f"127.0.0.1:{s.port}: listen: Address already in use" in result.stderr, result.stderr
    port = s.port
    with s.connect() as c:
        c.send(DIFF, (2, 1), [(1, 1)])
        c.sync()
        s.kill()
    # The port and the log are free at once.
    again = subprocess.Popen([*tool, "serve", "--port", str(port), "--log", d + "/p.log"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        line = again.stderr.readline().decode()
        assert f":{port}\n" in line, line
    finally:
        again.kill()
        again.communicate()


@test
def the_archive():
    d = folder("archive")
    fulls = []
    for _ in range(2):
        s = server("--log", d + "/p.log", "--archive", d + "/a.log")
        with s.connect() as c:
            for i in range(100):
                data = body(rng.choice((DIFF, FULL)), (2, 1), words(10), i)
                fulls += [data] if data[9] == FULL else []
                c.raw(struct.pack("<I", len(data)) + data)
            c.sync()
        s.end()
    equal(read_log(d + "/a.log"), fulls)


@test
def legacy_packets():
    d = folder("legacy")
    s = server("--legacy", "--log", d + "/p.log", "--image", d + "/i.bin")
    sent = [legacy(1718928471.2 + i, rack, words(rng.choice((0, 1, 3, 50)))) for i in range(100) for rack in (0, 3, 255, 256, -1)]
    with s.connect() as c:
        stream = b"".join(sent)
        while stream:
            cut = rng.choice((1, 7, 16, 5000))
            c.raw(stream[:cut])
            stream = stream[cut:]
    soon(lambda: len(read_log(d + "/p.log", 1, False)) == len(sent) if os.path.exists(d + "/p.log") else False, "the log")
    for data in (struct.pack("<diI", 1, 1, 65537), struct.pack("<diI", 1, 1, 0xFFFFFFFF)):
        closes(s, data, "expected a count of at most 65536")
    s.end()
    equal(read_log(d + "/p.log", 1), sent)
    equal(s.report["other_racks"], 200)
    image = read_image(d + "/i.bin")
    equal(sorted(image), [(2, 0), (2, 3), (2, 255)])
    expected = {}
    for data in sent:
        _, rack, count = struct.unpack_from("<diI", data)
        if rack == 3:
            expected.update(zip(struct.unpack_from(f"<{count}H", data, 16), struct.unpack_from(f"<{count}H", data, 16 + 2 * count)))
    equal(image[2, 3][1], tuple(expected.get(o, 0) for o in range(65536)))
    # Another kind of log.
    result = run("serve", "--port", 0, "--log", d + "/p.log")
    equal(result.returncode, 1, result.stderr)
    assert "it was written with --legacy" in result.stderr
    s = server("--legacy", "--log", d + "/p.log")
    s.end()
    equal(s.report["replayed"], len(sent))


@test
def parquet_files():
    d = folder("parquet")
    sent, files = [], 0
    for start in range(2):
        s = server("--parquet", d + "/values", "--roll-bytes", 100_000, "--log", d + "/p.log")
        with s.connect() as c:
            for i in range(3000):
                data = body(rng.choice((DIFF, FULL)), (2, i & 255), words(rng.choice((0, 1, 16, 40))), timestamp=1718928471200000 + i)
                sent.append(data)
                c.raw(struct.pack("<I", len(data)) + data)
            c.sync()
        s.end()
        files += s.report["parquet_files"]
    expected, total = [0], 0
    half = len(sent) // 2
    for i, data in enumerate(sent):
        if total + len(data) > 100_000 or i == half:
            expected.append(0)
            total = 0
        total += len(data)
        expected[-1] += (len(data) - 16) // 4
    names = sorted((n for n in os.listdir(d + "/values") if n.startswith("log_")), key=lambda n: int(n[4:-8]))
    equal(names, [f"log_{i}.parquet" for i in range(len(expected))])
    equal(files, len(names))
    try:
        import pyarrow.parquet
    except ImportError:
        return print("  (pyarrow is missing: only the names were checked)")
    rows = []
    for name, count in zip(names, expected):
        table = pyarrow.parquet.read_table(f"{d}/values/{name}")
        equal([(f.name, str(f.type)) for f in table.schema],
              [("time", "double"), ("src_type", "uint8"), ("src_id", "uint8"), ("offset", "uint16"), ("value", "uint16")])
        equal(table.num_rows, count, name)
        rows += zip(*(table.column(i).to_pylist() for i in range(5)))
    packets = [Packet(data) for data in sent]
    equal(rows, [(p.timestamp / 1e6, p.type, p.id, o, v) for p in packets for o, v in p.words])
    s = server("--legacy", "--parquet", d + "/old")
    with s.connect() as c:
        c.raw(legacy(1.5, -7, [(1, 65535), (65535, 2)]))
    time.sleep(0.3)
    s.end()
    table = pyarrow.parquet.read_table(d + "/old/log_0.parquet")
    equal([(f.name, str(f.type)) for f in table.schema], [("time", "double"), ("rack", "int32"), ("offset", "int32"), ("value", "int32")])
    equal(table.to_pylist(), [{"time": 1.5, "rack": -7, "offset": 1, "value": 65535}, {"time": 1.5, "rack": -7, "offset": 65535, "value": 2}])


@test
def parquet_cannot_be_written():
    d = folder("noparquet")
    s = server("--parquet", d + "/values", "--log", d + "/p.log", "--roll-bytes", 100_000)
    shutil.rmtree(d + "/values")
    with s.connect() as c:
        c.send(DIFF, words=[(1, 1)])
        s.until("are not in Parquet files until")
        # The log does not wait for it.
        for i in range(200):
            c.send(DIFF, words=[(1, 1)] * 5000)
        c.sync()
        os.makedirs(d + "/values")
        time.sleep(1.2)
        for i in range(100):
            c.send(DIFF, words=[(1, 1)] * 1000)
        s.until("Parquet files are written again")
    s.end(code=3)
    assert s.report["parquet_lost_packets"] > 0 and s.report["parquet_files"] > 0


# MARK: The process

@test
def signals():
    d = folder("signals")
    for number in (signal.SIGTERM, signal.SIGINT):
        s = server("--log", d + "/p.log", "--image", d + "/i.bin", "--sync-ms", 60000, "--archive", d + "/a.log", "--parquet", d + "/q")
        with s.connect() as c, s.connect() as w:
            w.subscribe([(0, 100)])
            w.receive()
            for i in range(2000):
                c.send(DIFF, (2, 1), [(i, i)] * 16)
            c.send(SYNC)
            equal(c.receive().command, ACK)
            c.send(DIFF, (2, 1), [(5, number)])
            c.send(SYNC)
            # What it has not read when it is told to stop it does not answer: this is behind both, and has been read.
            c.send(DIFF, (2, 1), [(6, number)])
            while (6, number) not in w.receive().words:
                pass
            took = s.end(number)
            equal(c.receive().command, ACK, "it is acknowledged what is due")
        print(f"  stopped after {took * 1000:.0f} ms")
        equal(read_image(d + "/i.bin")[2, 1][1][5], number)
    # Who asks twice does not want to wait.
    s = server("--log", d + "/p.log")
    os.kill(s.process.pid, signal.SIGSTOP)
    os.kill(s.process.pid, signal.SIGTERM)
    os.kill(s.process.pid, signal.SIGINT)
    os.kill(s.process.pid, signal.SIGCONT)
    assert s.process.wait(10) in (0, 128 + signal.SIGTERM, 128 + signal.SIGINT)


@test
def it_is_watched():
    d = folder("watched")
    path = d + "/notify"
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(path)
    manager.settimeout(10)
    s = server("--metrics", 0, "--json", "--log", d + "/p.log", env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"})
    equal([manager.recv(100), manager.recv(100)], [b"READY=1", b"WATCHDOG=1"])
    port = s.until(r"listening metrics 127.0.0.1:(\d+)\n")[1]
    with s.connect() as c:
        c.send(DIFF, words=[(1, 1), (2, 2)])
        c.sync()
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    for line in ("ticklog_serve_diffs_total 1", "ticklog_serve_words_total 2", "ticklog_serve_clients 1", "ticklog_serve_acks_total 1",
                 "# TYPE ticklog_serve_ring_fill_bytes gauge", "ticklog_serve_log_refused 0"):
        assert line + "\n" in text, line
    told = []
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        told.append(manager.recv(100))
    equal(set(told), {b"WATCHDOG=1"})
    s.end()
    manager.setblocking(False)
    try:
        while True:
            told.append(manager.recv(100))
    except BlockingIOError:
        pass
    equal(told[-1], b"STOPPING=1")
    equal(s.report["diffs"], 1)


@test
def options():
    d = folder("options")
    with open(d + "/c", "w") as file:
        file.write(f"# a server\nlog = {d}/p.log\nlegacy = no\nmax-clients = 3\nseconds = 1\n")
    result = run("serve", "--port", 0, "--config", d + "/c", "--json")
    equal(result.returncode, 0, result.stderr)
    assert os.path.exists(d + "/p.log")
    assert '"listening":[{"transport":"tcp","address":"127.0.0.1","port":' in result.stdout
    result = run("serve", "--port", 0, "--bind", "0.0.0.0", "--seconds", 1)
    assert "warning" in result.stderr and "Nothing is encrypted" in result.stderr and "ssh -L" in result.stderr, result.stderr
    for words, code in ((["--port", "65536"], 2), (["--max-clients", "0"], 2), (["--roll-bytes", "1"], 2), (["--log", ""], 2), (["x"], 2),
                        (["--bind", "nowhere"], 3), (["--log", d + "/no/p.log"], 3), (["--legacy", "--archive", d + "/a"], 2),
                        (["--parquet", d + "/c"], 3), (["--image", d + "/none/i"], 3)):
        result = run("serve", "--port", 0, *words)
        equal(result.returncode, code, f"{words}: {result.stderr}")


@test
def half_closed_clients_are_answered():
    s = server("--log", folder("half") + "/p.log")
    with s.connect() as c:
        c.raw(message(DIFF, (2, 1), [(1, 9)]) + message(QUERY, (2, 1), [(1, 0)]) + message(SYNC, seq=4))
        c.socket.shutdown(socket.SHUT_WR)
        got = {c.receive().command, c.receive().command}
        equal(got, {REPLY, ACK})
        assert c.closed()
    s.end()


shutil.rmtree(work, ignore_errors=True)
os.makedirs(work)
failed = []
chosen = sys.argv[3:] or tests
for name in chosen:
    start = time.monotonic()
    try:
        tests[name]()
        print(f"ok {name} ({time.monotonic() - start:.1f} s)", flush=True)
    except Exception:
        import traceback
        traceback.print_exc()
        print(f"FAILED {name} (TICKLOG_TEST_SEED={seed})", flush=True)
        failed.append(name)
    for s in running:
        if s.process.poll() is None:
            s.kill()
        for stream in (s.process.stdout, s.process.stderr):
            stream.close()
    running.clear()
print(f"{len(chosen) - len(failed)} of {len(chosen)}")
sys.exit(bool(failed))
