"""The commands bms-send, query, watch and replay, the C API's clients, and what the command reads of packets and logs, beside
the model.

    check_clients.py TICKLOG CRC32C.SO WORK [CLIENT [NAME...]]     CLIENT: client.c, built"""
import json
import os
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time

import numpy

import model
from clients import Asker, Server
from model import ACK, DIFF, FULL, MOST, QUERY, REPLY, SUBSCRIBE, SYNC, Images, Packet, Stream, body, legacy, message

tool, library, work = sys.argv[1].split(), sys.argv[2], sys.argv[3]
client = sys.argv[4].split() if len(sys.argv) > 4 and sys.argv[4] != "none" else None
seed = int(os.environ.get("TICKLOG_TEST_SEED", random.randrange(1 << 32)))
rng = random.Random(seed)
model.use(library)
vectors = os.path.join(os.path.dirname(__file__), "..", "Vectors", "stream")
tests = {}


def test(function):
    tests[function.__name__] = function
    return function


def equal(found, expected, what=""):
    if found != expected:
        raise AssertionError(f"{what}: found {repr(found)[:600]}, expected {repr(expected)[:600]}")


def place(name):
    return os.path.join(work, name)


def folder(name):
    os.makedirs(place(name))
    return place(name)


def ticklog(*words, code=0, stdin=None):
    done = subprocess.run([*tool, *map(str, words)], capture_output=True, timeout=60, input=stdin)
    assert done.returncode == code, (words, done.returncode, done.stdout[-300:], done.stderr[-600:])
    ticklog.errors = done.stderr.decode()
    return done.stdout.decode() if code or b"\0" not in done.stdout else done.stdout


def lines(*words):
    return [json.loads(line) for line in ticklog(*words).splitlines()]


class Listener:
    """A server that says what the test wants, to one connection."""

    def __init__(self, behave):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.failure = None
        self.thread = threading.Thread(target=self.run, args=(behave,), daemon=True)
        self.thread.start()

    def run(self, behave):
        try:
            self.socket.settimeout(20)
            connection, _ = self.socket.accept()
            connection.settimeout(20)
            with connection:
                behave(connection)
        except Exception as error:  # noqa: told by end()
            self.failure = error

    def end(self):
        self.thread.join(30)
        self.socket.close()
        assert not self.thread.is_alive()
        if self.failure:
            raise self.failure


def receive(connection, count):
    """The next packets."""
    stream, packets = Stream(), []
    while len(packets) < count:
        data = connection.recv(1 << 16)
        assert data, f"the end after {len(packets)} packets"
        packets += stream.feed(data)
    return packets


def all_of(connection):
    data = b""
    while piece := connection.recv(1 << 16):
        data += piece
    return data


# Files


def golden(name):
    with open(os.path.join(vectors, "expected.json")) as file:
        return next(entry["packets"] for entry in json.load(file) if entry["name"] == name)


@test
def golden_packets_as_rows():
    rows = [
        {"time": p["time"], "rack": p["rack"], "offset": c, "value": v}
        for p in golden("bms_packets") for c, v in zip(p["control"], p["data"])
    ]
    assert len(rows) == 4
    path = os.path.join(vectors, "bms_packets.bin")
    equal(open(path, "rb").read().hex(), "".join(p["hex"] for p in golden("bms_packets")))
    equal(lines("convert", "--from", "bms-legacy", path, "-", "--to", "jsonl"), rows)
    # The same from a server's log.
    log = place("golden-legacy.log")
    model.write_log(log, [bytes.fromhex(p["hex"]) for p in golden("bms_packets")], kind=1)
    equal(lines("cat", "--format", "jsonl", log), rows)
    equal(lines("replay", log, "-o", "-", "--format", "jsonl"), rows)

    rows = [
        {"time": p["timestamp_us"] / 1e6, "src_type": p["type"], "src_id": p["src_id"], "offset": c, "value": v}
        for p in golden("datapackets_proposed") for c, v in zip(p["control"], p["data"])
    ]
    assert len(rows) == 10
    path = os.path.join(vectors, "datapackets_proposed.bin")
    equal(lines("convert", "--from", "bms-packets", path, "-", "--to", "jsonl"), rows)
    log = place("golden.log")
    model.write_log(log, [bytes.fromhex(p["hex"])[4:] for p in golden("datapackets_proposed")])
    equal(lines("cat", "--format", "jsonl", log), rows)
    equal(lines("replay", log, "-o", "-", "--format", "jsonl"), rows)
    # The second one is FULL: of the first nothing is left.
    ticklog("replay", log, "--source", "rack:2", "--image", place("golden.img"))
    image = numpy.fromfile(place("golden.img"), "<u2")
    equal(image[:9].tolist(), [0, 7, 14, 21, 28, 35, 42, 49, 0])
    equal((len(image), int(image.sum())), (MOST, 196))
    # The first form, without a time.
    old = b"".join(
        struct.pack("<IBBBB", 4 + 4 * len(p["control"]), p["cmd"], p["type"], p["seq"], p["src_id"])
        + numpy.array(p["control"], "<u2").tobytes() + numpy.array(p["data"], "<u2").tobytes()
        for p in golden("datapackets_proposed"))
    open(place("old.bin"), "wb").write(old)
    equal(lines("convert", "--from", "bms-v0", place("old.bin"), "-", "--to", "jsonl"), [dict(row, time=0) for row in rows])


@test
def tables_of_every_format():
    import pyarrow.parquet

    path = place("many.bin")
    packets = [(rng.uniform(0, 2e9), rng.randrange(-5, 300), [rng.randrange(MOST) for _ in range(rng.randrange(20))]) for _ in range(500)]
    values = [[rng.randrange(MOST) for _ in control] for _, _, control in packets]
    with open(path, "wb") as file:
        for (when, rack, control), data in zip(packets, values):
            file.write(legacy(when, rack, control, data))
    rows = [(when, rack, c, v) for (when, rack, control), data in zip(packets, values) for c, v in zip(control, data)]
    for extension in ("csv", "jsonl", "bcsv", "parquet"):
        ticklog("convert", "--from", "bms-legacy", path, place(f"many.{extension}"))
    table = pyarrow.parquet.read_table(place("many.parquet"))
    equal([(f.name, str(f.type)) for f in table.schema], [("time", "double"), ("rack", "int32"), ("offset", "int32"), ("value", "int32")])
    equal(list(zip(*(table.column(i).to_pylist() for i in range(4)))), rows)
    equal([tuple(row.values()) for row in lines("cat", "--format", "jsonl", place("many.bcsv"))], rows)
    for extension in ("csv", "bcsv"):
        ticklog("diff", place(f"many.{extension}"), place("many.jsonl"))
    # Of a log.
    log = place("many.log")
    made = [body(rng.choice([DIFF, FULL]), (rng.randrange(4), rng.randrange(256)), control, data, timestamp=int(when * 1e6))
            for (when, _, control), data in zip(packets, values)]
    model.write_log(log, made)
    expected = [(p.timestamp / 1e6, *p.source, c, v) for p in map(Packet, made) for c, v in zip(p.control.tolist(), p.data.tolist())]
    for extension in ("csv", "jsonl", "bcsv", "parquet"):
        ticklog("replay", log, "-o", place(f"log.{extension}"))
        ticklog("convert", log, place(f"converted.{extension}"))
    table = pyarrow.parquet.read_table(place("log.parquet"))
    equal([(f.name, str(f.type)) for f in table.schema],
          [("time", "double"), ("src_type", "uint8"), ("src_id", "uint8"), ("offset", "uint16"), ("value", "uint16")])
    equal(list(zip(*(table.column(i).to_pylist() for i in range(5)))), expected)
    equal(open(place("log.parquet"), "rb").read(), open(place("converted.parquet"), "rb").read(), "replay and convert")
    for extension in ("csv", "jsonl", "bcsv"):
        ticklog("diff", log, place(f"log.{extension}"))
    images = Images()
    for one in made:
        images.apply(Packet(one))
    ticklog("replay", log, "--image", place("log.img"))
    equal({s: w.tobytes() for s, (_, w) in model.read_image(place("log.img")).items()}, {s: w.tobytes() for s, w in images.words.items()})
    ticklog("replay", log, "--image", place("log.img"), code=2)
    ticklog("replay", log, "--image", place("log.img"), "--force")


@test
def damaged_files():
    log = place("damage.log")
    made = [body(DIFF, (2, i % 3), range(i), range(i), timestamp=i) for i in range(40)]
    whole = model.write_log(log, made)
    equal(json.loads(ticklog("validate", "--json", log))["sound"], True)
    info = json.loads(ticklog("info", "--json", log))
    equal((info["packets"], info["words"], info["number"], len(info["sources"])), (40, sum(range(40)), 1, 3))
    places = []
    at = 16
    while at < len(whole):
        (size,) = struct.unpack_from("<I", whole, at + 8)
        places.append(at)
        at += 16 + size + 7 & ~7
    # A spoiled byte costs one record, wherever it is.
    for _ in range(30):
        at = rng.randrange(places[1], places[39])
        hurt = next(i for i, p in enumerate(places) if p <= at < (places + [len(whole)])[i + 1])
        data = bytearray(whole)
        data[at] ^= rng.randrange(1, 256)
        open(log, "wb").write(data)
        ticklog("validate", log, code=1)
        ticklog("cat", log, code=1)
        ticklog("convert", log, place("never.csv"), code=1)
        assert not os.path.exists(place("never.csv"))
        ticklog("replay", log, "-o", place("never.csv"), code=1)
        ticklog("replay", log, "--image", place("never.csv"), code=1)
        assert not os.path.exists(place("never.csv"))
        expected = [(w, w) for i in range(40) if i != hurt - 1 for w in range(i)]
        found = [(row["offset"], row["value"]) for row in map(json.loads, ticklog("cat", "--salvage", "--format", "jsonl", log, code=1).splitlines())]
        equal(found, expected, f"offset {at}, record {hurt}")
        ticklog("repair", log, "-o", place("repaired.log"))
        ticklog("validate", place("repaired.log"))
        equal([(row["offset"], row["value"]) for row in lines("replay", place("repaired.log"), "-o", "-", "--format", "jsonl")], expected)
        os.unlink(place("repaired.log"))
    # Cut anywhere: what is whole is there.
    for _ in range(20):
        cut = rng.randrange(places[1], len(whole))
        open(log, "wb").write(whole[:cut] + rng.choice([b"", bytes(rng.randrange(100))]))
        count = sum(1 for p in (places + [len(whole)])[2:] if p <= cut)
        # Zeros behind a cut may complete a record whose end is zeros.
        found = json.loads(ticklog("info", "--json", log, code=None_or(0, 1)))["packets"]
        assert found in (count, count + 1), (cut, found, count)
    # Nothing but the starts of records.
    open(log, "wb").write(whole[: places[2]] + struct.pack("<QIIQII", 1 << 60, 262160, 1, 0, 0, 65536) * 60000)
    begun = time.monotonic()
    ticklog("validate", log, code=1)
    print(f"  a hostile log in {time.monotonic() - begun:.1f} s")
    open(log, "wb").write(whole[:12])
    ticklog("info", log, code=1)
    open(log, "wb").write(whole[:8] + struct.pack("<II", 2, 0) + whole[16:])
    ticklog("cat", log, code=1)
    assert "version" in ticklog.errors
    # Without a header.
    data = b"".join(legacy(i, i, [i], [i]) for i in range(10))
    open(place("cut.bin"), "wb").write(data[:-3])
    equal(len(lines("convert", "--from", "bms-legacy", place("cut.bin"), "-", "--to", "jsonl")), 9)
    open(place("bad.bin"), "wb").write(data[:40] + struct.pack("<diI", 0, 0, 65537) + data)
    ticklog("convert", "--from", "bms-legacy", place("bad.bin"), place("never.csv"), code=1)
    assert "offset 40" in ticklog.errors and "65537" in ticklog.errors, ticklog.errors
    assert not os.path.exists(place("never.csv"))


class None_or:
    """One of several exit codes."""

    def __init__(self, *codes):
        self.codes = codes

    def __eq__(self, other):
        return other in self.codes

    def __bool__(self):
        return True


@test
def replay_until():
    log = place("until.log")
    made = [body(FULL if i == 5 else DIFF, (1, 2), [i], [i + 1]) for i in range(10)]
    model.write_log(log, made, time=1_772_366_400_000_000)  # 2026-03-01T12:00:00Z; packet I comes I + 1 ms later
    def values(until):
        ticklog("replay", log, "--until", until, "--source", "1:2", "--image", place("until.img"), "--force")
        return [i for i in numpy.fromfile(place("until.img"), "<u2")[:10].tolist() if i]
    equal(values("1772366400"), [])
    equal(values("1772366400.001"), [1])
    equal(values("2026-03-01T12:00:00.0030Z"), [1, 2, 3])
    equal(values("2026-03-01T13:00:00.005+01:00"), [1, 2, 3, 4, 5])
    equal(values("2026-03-01 12:00:00.0069"), [6])
    equal(values("2026-03-02"), [6, 7, 8, 9, 10])
    equal(values("2026-03-01"), [])
    for bad in ("", "x", "2026-13-01", "2026-02-29", "2026-03-01T25:00", "-1", "1e5", "1772366400.", "99999999999999"):
        ticklog("replay", log, f"--until={bad}", code=2)


# The seed's test sender


@test
def the_test_sender():
    sent = []

    def behave(connection):
        sent.append((time.monotonic(), all_of(connection)))

    listener = Listener(behave)
    report = lines("bms-send", listener.address, "--count", 20, "--delay", 10, "--json")[0]
    listener.end()
    packets = Stream().feed(sent[0][1])
    equal(len(packets), 20)
    now = time.time() * 1e6
    for i, packet in enumerate(packets):
        equal((packet.command, packet.source), (DIFF, (2, i % 4)))
        equal((packet.control.tolist(), packet.data.tolist()), ([0x1000, 0x1001, 0x1002], [i, i + 1, i + 2]))
        assert now - 30e6 < packet.timestamp < now, packet.timestamp
    equal((report["packets"], report["bytes"]), (20, len(sent[0][1])))
    assert report["seconds"] >= 0.19
    # The old form.
    listener = Listener(behave)
    ticklog("bms-send", listener.address, "--count", 5, "--delay", 0, "--legacy", "--racks", 3, "--words", 2)
    listener.end()
    data = sent[1][1]
    equal(len(data), 5 * 24)
    for i in range(5):
        when, rack, count, *words = struct.unpack_from("<diI4H", data, 24 * i)
        equal((rack, count, words), (i % 3, 2, [0x1000, 0x1001, i, i + 1]))
        assert abs(when - time.time()) < 60
    # The same seed, the same values.
    bodies = []
    for _ in range(2):
        listener = Listener(behave)
        ticklog("bms-send", listener.address, "--count", 300, "--delay", 0, "--words", 40, "--random", "--seed", 7, "--full-every", 10, "--source", "sbmu")
        listener.end()
        packets = Stream().feed(sent.pop()[1])
        equal([p.command for p in packets], [FULL if i % 10 == 0 else DIFF for i in range(300)])
        equal({p.source[0] for p in packets}, {1})
        bodies.append([p.body[8:] for p in packets])
    equal(bodies[0], bodies[1])
    assert len(set(bodies[0])) == 300


@test
def servers_that_misbehave():
    def silent(connection):
        all_of(connection)
        time.sleep(0.5)

    def closes(connection):
        receive(connection, 1)

    def talks(*answers):
        def behave(connection):
            receive(connection, 1)
            for answer in answers:
                connection.sendall(answer)
            connection.recv(1)
        return behave

    query = ["query", "{}", "--source", "rack:1", "--offsets", "1,2", "--timeout-ms", "300"]
    for behave, text in [
        (silent, "time limit"),
        (closes, "closed the connection"),
        (talks(struct.pack("<I", 0xFFFFFFFF)), "4294967295"),
        (talks(struct.pack("<I", 17) + bytes(17)), "17"),
        (talks(message(REPLY, (2, 1), [1, 3], [0, 0], sequence=1)), "other offsets"),
        (talks(message(REPLY, (2, 1), [1], [0], sequence=1)), "other offsets"),
        (talks(message(SUBSCRIBE, (2, 1), [1, 1], [0, 0], sequence=1)), "command 6"),
        (talks(message(7, (0, 0), [0] * 16, [5] * 16)), "asks for a token"),
        (talks(message(REPLY, (2, 1), [1, 2], [5, 6], sequence=1)[:20]), "time limit"),
        (talks(message(REPLY, (2, 2), [1, 2], [5, 6], sequence=1)), "time limit"),
    ]:
        listener = Listener(behave)
        ticklog(*[word.format(listener.address) for word in query], code=3)
        listener.end()
        assert text in ticklog.errors, (text, ticklog.errors)
    # Late and foreign answers before the right one do not disturb it.
    listener = Listener(talks(
        message(ACK, (0, 0), sequence=9), message(REPLY, (2, 1), [1, 2], [8, 8], sequence=200),
        message(REPLY, (2, 1), [1, 2], [5, 6], sequence=1)))
    equal(ticklog(*[word.format(listener.address) for word in query]), "0x0001 5\n0x0002 6\n")
    listener.end()
    # A flood is no answer.
    def flood(connection):
        receive(connection, 1)
        try:
            while True:
                connection.sendall(message(DIFF, (2, 1), range(1000), range(1000), sequence=5) * 50)
        except OSError:
            pass
    listener = Listener(flood)
    ticklog(*[word.format(listener.address) for word in query], code=3)
    listener.end()
    # Nobody listens.
    free = socket.create_server(("127.0.0.1", 0))
    address = "127.0.0.1:%d" % free.getsockname()[1]
    free.close()
    ticklog("query", address, "--source", "rack:1", "--offsets", "1", code=3)
    ticklog("bms-send", address, "--count", "1", code=3)
    for bad in (["query", "nohost", "--source", "rack:1", "--offsets", "1"], ["query", address, "--source", "rack:256", "--offsets", "1"],
                ["query", address, "--source", "rack:1", "--offsets", "65536"], ["query", address, "--source", "rack:1", "--offsets", "5-4"],
                ["query", address, "--source", "rack:1", "--offsets", "0-65535,1"], ["query", address, "--source", "rack:1"],
                ["watch", address, "--source", "rack:1", "--offsets", ",".join(str(2 * i) for i in range(33))],
                ["bms-send", address, "--legacy", "--sync"], ["bms-send", address, "--words", "65537"]):
        ticklog(*bad, code=2)


# With the server


@test
def query_and_watch():
    server = Server(tool, folder("watch"))
    address = f"127.0.0.1:{server.port}"
    asker = Asker(server)
    asker.socket.sendall(message(DIFF, (1, 9), [5, 6, 70], [50, 60, 700], timestamp=1_772_366_400_123_000))
    asker.query((1, 9), [5])
    equal(ticklog("query", address, "--source", "sbmu:9", "--offsets", "70,0x5-0x7,70"), "0x0046 700\n0x0005 50\n0x0006 60\n0x0007 0\n0x0046 700\n")
    equal(json.loads(ticklog("query", address, "--source", "1:9", "--offsets", "5", "--json")),
          {"source": "sbmu:9", "type": 1, "id": 9, "words": [{"offset": 5, "value": 50}]})
    watch = subprocess.Popen([*tool, "watch", address, "--source", "sbmu:9", "--json", "--count", "5"], stdout=subprocess.PIPE, text=True)
    first = [json.loads(watch.stdout.readline()) for _ in range(3)]
    equal([(line["offset"], line["value"], line["initial"]) for line in first], [(5, 50, True), (6, 60, True), (70, 700, True)])
    asker.socket.sendall(message(DIFF, (1, 9), [5, 6, 7], [50, 61, 70]))
    rest = [json.loads(line) for line in watch.stdout]
    equal([(line["offset"], line["value"], line["initial"], line["source"]) for line in rest], [(6, 61, False, "sbmu:9"), (7, 70, False, "sbmu:9")])
    equal(watch.wait(20), 0)
    watch = subprocess.Popen([*tool, "watch", address, "--source", "sbmu:9", "--offsets", "7-8,7", "--rate", "1000"], stdout=subprocess.PIPE, text=True)
    text = watch.stdout.readline() + watch.stdout.readline()
    assert re.fullmatch(r"(20\d\d-\S+Z sbmu:9 0x000[78] (70|0)\n){2}", text), text
    watch.send_signal(2)
    equal(watch.wait(20), 0)
    # A server that ends.
    watch = subprocess.Popen([*tool, "watch", address, "--source", "sbmu:9"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watch.stdout.readline()
    asker.close()
    server.stop()
    errors = watch.communicate(timeout=20)[1]
    equal(watch.returncode, 3)
    assert "closed the connection" in errors, errors


@test
def send_and_replay_to_another():
    first = Server(tool, folder("first"), "--roll-bytes", 100_000)
    ticklog("bms-send", f"127.0.0.1:{first.port}", "--count", 5000, "--delay", 0, "--words", 10, "--random", "--full-every", 100, "--sync")
    first.stop()
    log = model.Log(first.log)
    records = [Packet(payload) for _, _, payload in log.read()]
    equal(len(records), 5000)
    assert log.number > 3
    second = Server(tool, folder("second"))
    address = f"127.0.0.1:{second.port}"
    ticklog("replay", first.log, "--to", address, "--speed", "max")
    equal([p.body for p in (Packet(payload) for _, _, payload in model.Log(second.log).read())], [p.body for p in records])
    # At ten times the speed: the time between the first and the last.
    begun = time.monotonic()
    slow = place("slow.log")
    model.write_log(slow, [body(DIFF, (1, 1), [1], [i]) for i in range(3001)])
    ticklog("replay", slow, "--to", address, "--speed", "10")
    assert time.monotonic() - begun >= 0.3
    equal(ticklog("query", address, "--source", "1:1", "--offsets", "1"), "0x0001 3000\n")
    second.stop()


@test
def legacy_server():
    server = Server(tool, folder("legacy"), "--legacy")
    address = f"127.0.0.1:{server.port}"
    ticklog("bms-send", address, "--legacy", "--count", 100, "--delay", 0)
    with server.connect() as s:
        s.sendall(legacy(1.5, -7, [1], [2]) + legacy(2.5, 300, [3], [4]))
    until = time.monotonic() + 20
    while len(records := model.Log(server.log).read()) < 102:
        assert time.monotonic() < until, len(records)
        time.sleep(0.1)
    server.stop()
    rows = lines("replay", server.log, "-o", "-", "--format", "jsonl")
    equal(len(rows), 302)
    equal(rows[-2:], [{"time": 1.5, "rack": -7, "offset": 1, "value": 2}, {"time": 2.5, "rack": 300, "offset": 3, "value": 4}])
    equal([(r["rack"], r["offset"], r["value"]) for r in rows[:6]], [(0, 4096, 0), (0, 4097, 1), (0, 4098, 2), (1, 4096, 1), (1, 4097, 2), (1, 4098, 3)])
    equal(len(lines("replay", server.log, "--source", "rack:2", "-o", "-", "--format", "jsonl")), 75)
    image = model.read_image(server.image)
    equal(sorted(image), [(2, 0), (2, 1), (2, 2), (2, 3)])
    equal(image[2, 3][1][0x1000:0x1003].tolist(), [99, 100, 101])
    again = Server(tool, folder("legacy-again"), "--legacy")
    ticklog("replay", server.log, "--to", f"127.0.0.1:{again.port}", "--speed", "max")
    time.sleep(0.3)
    again.stop()
    equal([p for _, _, p in model.Log(again.log).read()], [p for _, _, p in records])


@test
def tokens():
    secret, reader, wrong = place("secret"), place("reader"), place("wrong")
    for path, text in [(secret, "a secret of 16 bytes"), (reader, "only for looking at it"), (wrong, "not the right secret")]:
        with open(path, "w") as file:
            file.write("  " + text + " \nsecond line\n")
        os.chmod(path, 0o600)
    server = Server(tool, folder("tokens"), "--token-file", secret, "--read-token-file", reader)
    address = f"127.0.0.1:{server.port}"
    send = ["bms-send", address, "--count", 3, "--delay", 0]
    query = ["query", address, "--source", "rack:2", "--offsets", "0x1000"]
    ticklog(*send, "--sync", "--token-file", secret)
    equal(ticklog(*query, "--token-file", secret), "0x1000 2\n")
    equal(ticklog(*query, "--token-file", reader), "0x1000 2\n")
    ticklog(*send, "--sync", "--token-file", reader, code=3)
    ticklog(*send, "--token-file", wrong, code=3)
    assert "does not take this token" in ticklog.errors, ticklog.errors
    ticklog(*send, code=3)
    ticklog(*query, code=3)
    assert "asks for a token" in ticklog.errors, ticklog.errors
    os.chmod(secret, 0o644)
    ticklog(*send, "--token-file", secret, code=3)
    assert "600" in ticklog.errors, ticklog.errors
    os.chmod(secret, 0o600)
    if client:
        equal(subprocess.run([*client, str(server.port), secret], timeout=60).returncode, 0)
    server.stop()
    server = Server(tool, folder("no-tokens"))
    ticklog("query", f"127.0.0.1:{server.port}", "--source", "rack:2", "--offsets", "1", "--token-file", secret, "--timeout-ms", 300, code=3)
    assert "asks for no token" in ticklog.errors, ticklog.errors
    server.stop()


@test
def c_clients():
    if client is None:
        return print("  no client.c here")
    server = Server(tool, folder("c"))
    equal(subprocess.run([*client, str(server.port)], timeout=60).returncode, 0)
    server.stop()


names = sys.argv[5:] or list(tests)
print(f"seed {seed}")
for name in names:
    begun = time.monotonic()
    tests[name]()
    print(f"{name}: {time.monotonic() - begun:.1f} s", flush=True)
