"""A server with fifty clients of all kinds is killed at random moments and started again: after each start the image is what
the log says, every packet that an ACK covered is in the log, each once, and in the order of its connection. Now and then the
power fails as well: what no ACK covered is gone from some byte on, or is zeros or anything.

    kills.py TICKLOG CRC32C.SO WORK ROUNDS SECONDS LAST

ROUNDS kills, each within SECONDS, and LAST seconds that end with SIGTERM."""
import os
import random
import subprocess
import sys
import time

import numpy

import model
from clients import Asker, Crowd, Server, Sender, Subscriber
from model import DIFF, FULL, Images, Packet

tool, library, work = sys.argv[1].split(), sys.argv[2], sys.argv[3]
rounds, seconds, last = int(sys.argv[4]), float(sys.argv[5]), float(sys.argv[6])
seed = int(os.environ.get("TICKLOG_TEST_SEED", random.randrange(1 << 32)))
print(f"seed {seed}", flush=True)
model.use(library)
rng = random.Random(seed)
numbers = numpy.random.default_rng(seed)

options = ["--image-seconds", 1, "--roll-bytes", 8 << 20, "--sync-ms", 100, "--max-clients", 200, "--stall-seconds", 2]
sources = [(rng.randrange(4), rng.randrange(100)) for _ in range(10)]
images = Images()
kept = []  # newer records than any image file is old: (position, packet)
total = {"packets": 0, "acked": 0, "torn": 0, "acks": 0, "replies": 0, "changes": 0, "spoilt": 0, "images": 0, "cuts": 0}


def take(log, crowd):
    """Compares the log's new records with what was sent, and feeds the model. Answers behind which place of the log an ACK
    covers nothing."""
    before = len(kept)
    covered = 0
    for position, _, payload in log.read():
        kept.append((position, Packet(payload)))
    following = {}
    for position, packet in kept[before:]:
        assert packet.command in (DIFF, FULL), packet.command
        images.apply(packet)
        connection, number = packet.timestamp >> 32, packet.timestamp & 0xFFFFFFFF
        if connection == 0:
            continue  # of no sender that is judged
        expected = following.get(connection, 0)
        assert number == expected, f"connection {connection}: found packet {number} at {position:#x}, expected {expected}"
        assert packet.body == crowd.sent[connection][number], f"connection {connection}, packet {number}: other bytes"
        following[connection] = expected + 1
        total["packets"] += 1
        if number < crowd.acked[connection]:
            covered = position + (16 + len(packet.body) + 7 & ~7)
    for connection, acked in crowd.acked.items():
        found = following.get(connection, 0)
        assert found >= acked, f"connection {connection}: {found} packets in the log, {acked} were covered by an ACK"
        total["acked"] += acked
    for name in ("acks", "replies", "changes", "spoilt"):
        total[name] += getattr(crowd, name)
    return covered


def fail_power(log, least, before, snapshot):
    """Takes away a part of what is behind `least`, and everything that the model has of it."""
    global images
    if least >> 40 > log.number:
        return
    first = (least & (1 << 40) - 1) if least >> 40 == log.number else 48
    size = os.path.getsize(log.path) if os.path.exists(log.path) else 0
    if size <= first:
        return
    cut = rng.randrange(first, size + 1)
    behind = rng.choice([b"", b"", bytes(rng.randrange(1, 5000)), rng.randbytes(rng.randrange(1, 5000))])
    with open(log.path, "r+b") as file:
        file.truncate(cut)
        file.seek(cut)
        file.write(behind)
    images = snapshot
    place = log.number << 40 | cut
    del kept[next((i for i in range(before, len(kept)) if kept[i][0] + (16 + len(kept[i][1].body) + 7 & ~7) > place), len(kept)) :]
    for _, packet in kept[before:]:
        images.apply(packet)
    end = kept[-1][0] + (16 + len(kept[-1][1].body) + 7 & ~7) if kept else 0
    log.at = end & (1 << 40) - 1 if end >> 40 == log.number else 48
    log.torn = cut + len(behind) - log.at
    log.last = 0
    total["cuts"] += 1


def check_image(path):
    """An image file and the log behind its positions make the image."""
    if not os.path.exists(path):
        return
    file = model.read_image(path)
    found = Images({source: words for source, (_, words) in file.items()})
    least = min((position for position, _ in file.values()), default=0)
    if not kept or kept[0][0] > least:
        return  # what lies between is not kept
    for position, packet in kept:
        if position >= file.get(packet.source, (least, None))[0]:
            found.apply(packet)
    assert not found.differences(images), f"image file and log: {found.differences(images)[:3]}"
    total["images"] += 1


def check_server(server):
    asker = Asker(server)
    for source in sorted(set(images.words) | set(sources)):
        answer, expected = asker.image(source), images.of(source)
        if not numpy.array_equal(answer, expected):
            at = int(numpy.nonzero(answer != expected)[0][0])
            raise AssertionError(f"source {source}, word {at}: the server says {answer[at]}, the log {expected[at]}")
    asker.close()


server = Server(tool, work, *options)
log = model.Log(server.log)
begun = time.monotonic()
for number in range(rounds):
    crowd = Crowd(server, rng, numbers, sources)
    crowd.run(rng.uniform(0.1, seconds))
    server.kill()
    crowd.drain()
    before, snapshot = len(kept), images.copy()
    least = take(log, crowd)
    check_image(server.image)
    crowd.close()
    if rng.random() < 0.5:
        if os.path.exists(server.image):
            least = max([least] + [position for position, _ in model.read_image(server.image).values()])
        fail_power(log, least, before, snapshot)
    torn = log.torn
    total["torn"] += torn > 0
    server = Server(tool, work, *options)
    size = os.path.getsize(server.log) if os.path.exists(server.log) else 0
    assert size == log.at or (log.at == 0 and size == 48), f"the log has {size} bytes, expected {log.at}: {torn} were torn"
    check_server(server)
    # Older records than the image file that is there now will not be needed.
    del kept[: max(0, len(kept) - 200_000)]
print(f"{rounds} kills in {time.monotonic() - begun:.0f} s: {total}", flush=True)

crowd = Crowd(server, rng, numbers, sources)
crowd.run(last)
for sender in crowd.of(Sender):
    sender.sync()
crowd.sends = False
assert crowd.run(30, lambda: not any(s.syncs or s.out for s in crowd.of(Sender))), "not all ACKs have come"
view = Subscriber(crowd)
crowd.clients.append(view)
take(log, crowd)
differing = lambda: [d for s in crowd.of(Subscriber) if (d := s.differs(images)) is not None]
assert crowd.run(30, lambda: not differing()), f"views differ from the image: {differing()[:3]}"
check_server(server)
crowd.run(20, lambda: os.path.exists(server.image))
check_image(server.image)
crowd.may_end = True
stopped = time.monotonic()
report = server.stop()
stopped = time.monotonic() - stopped
crowd.close()
assert not log.read() and log.torn == 0
file = model.read_image(server.image)
found = Images({source: words for source, (_, words) in file.items()})
assert not found.differences(images), f"the last image file: {found.differences(images)[:3]}"

# What the command reads of it.
def ticklog(*words):
    done = subprocess.run([*tool, *map(str, words)], capture_output=True, timeout=300)
    assert done.returncode == 0, (words, done.returncode, done.stderr[-500:])
    return done.stdout


files = [log.name(n) for n in log.numbers()] + ([server.log] if os.path.exists(server.log) else [])
ticklog("validate", *files)
out = os.path.join(work, "replayed.img")
ticklog("replay", server.log, "--image", out)
found = Images({source: words for source, (_, words) in model.read_image(out).items()})
assert not found.differences(images), f"replay: {found.differences(images)[:3]}"
bare = os.path.join(work, "bare.img")
source = rng.choice(sources)
ticklog("replay", server.log, "--image", bare, "--source", f"{source[0]}:{source[1]}")
assert open(bare, "rb").read() == images.of(source).tobytes(), "the bare image of one source"
print(f"serve: {total}, {len(files)} log files, stopped in {stopped:.2f} s", flush=True)
assert total["acks"] > rounds and total["replies"] > rounds and total["changes"] > 0 and total["images"] > 0 and total["torn"] > 0
