#!/usr/bin/env python3
"""ticklog send and receive over Kafka, against a mock cluster in a process of its own.

    run.py TICKLOG [CASE...]

Each case is a function below. What is random has its seed printed: give it as SEED to have it again. Every process has a
time limit, and none is left running.
"""
import atexit
import concurrent.futures
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TICKLOG = os.path.abspath(sys.argv[1])
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
LIMIT = 60
children = []


@atexit.register
def end_all():
    for child in children:
        if child.poll() is None:
            child.kill()
            child.wait()


def start(command, **options):
    child = subprocess.Popen(command, text=True, **options)
    children.append(child)
    return child


def check(truth, text):
    if not truth:
        raise AssertionError(text)


def same(found, expected, what):
    check(found == expected, "%s: found %s, expected %s" % (what, found, expected))


def until(what, condition, limit=LIMIT):
    end = time.monotonic() + limit
    while not condition():
        check(time.monotonic() < end, "waited %d s for: %s" % (limit, what))
        time.sleep(0.05)


# ---- The cluster


class Cluster:
    def __init__(self, topics, brokers=3):
        self.topics = topics
        command = [sys.executable, os.path.join(HERE, "mock.py"), str(brokers)] + ["%s:%d" % entry for entry in topics.items()]
        self.process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.brokers = self.process.stdout.readline().strip()
        check(self.brokers, "the mock cluster does not start (librdkafka1 is needed)")

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        check(answer and not answer.startswith("error"), "the mock cluster: %s: %s" % (words, answer))
        return answer

    def ends(self):
        return {(t, p): int(self.tell("end", t, p)) for t, count in self.topics.items() for p in range(count)}

    def committed(self, group="ticklog"):
        answers = {(t, p): self.tell("committed", group, t, p) for t, count in self.topics.items() for p in range(count)}
        return {key: max(0, int(answer.split()[0])) for key, answer in answers.items()}

    def wait_until_committed(self, group="ticklog"):
        ends = self.ends()
        until("all offsets to be committed", lambda: self.committed(group) == ends)

    def close(self):
        self.process.stdin.close()
        same(self.process.wait(10), 0, "the mock cluster's exit code")


# ---- Sender and receivers

CONFIG = "session.timeout.ms=3000\nheartbeat.interval.ms=300\nmax.poll.interval.ms=4000\ntopic.metadata.refresh.interval.ms=1000\n"


def config(work, text=CONFIG, name="config"):
    path = os.path.join(work, name)
    with open(path, "w") as file:
        file.write("# as Kafka's own tools have it\n" + text)
    return path


def send(*options, code=0):
    done = subprocess.run(["timeout", "-k", "1", str(LIMIT), TICKLOG, "send", *options], text=True, capture_output=True)
    same(done.returncode, code, "send's exit code (%s)" % done.stderr.strip())
    return json.loads(done.stdout.splitlines()[-1]) if code == 0 else done.stderr


class Receiver:
    def __init__(self, work, cluster, name, *options, topic="t", channels=4, settings=CONFIG):
        self.out = os.path.join(work, name)
        self.log = open(os.path.join(work, name + ".log"), "a+")
        # It ends by itself, even if this process is killed.
        self.process = start(
            [TICKLOG, "receive", "--seconds", str(2 * LIMIT), "--kafka", cluster.brokers, "--topic", topic, "--channels", str(channels), "--json", "--out", self.out,
             "--kafka-config", config(work, settings, name + ".config"), *options],
            stdout=self.log, stderr=subprocess.STDOUT)

    def stop(self, number=signal.SIGTERM, code=0):
        self.process.send_signal(number)
        same(self.process.wait(LIMIT), code, "receive's exit code (%s)" % self.text()[-500:])
        return [channel for channel in self.report()["channels"]]

    def kill(self):
        self.process.kill()
        self.process.wait(LIMIT)

    def text(self):
        with open(self.log.name) as file:
            return file.read()

    def report(self):
        reports = [line for line in self.text().splitlines() if line.startswith('{"channels"')]
        return json.loads(reports[-1]) if reports else {"channels": []}

    def frames(self):
        return sum(channel["frames"] for channel in self.report()["channels"])


def expect(sent, reports):
    """The receivers' reports together are what the sender says."""
    for truth in sent["channels"]:
        k = truth["channel"]
        for name, value in truth["expect"].items():
            found = 0
            for report in reports:
                here = report[k]
                if name in ("missing_chunks",) or name.startswith("periodics_"):
                    found += here["periodics"][name.replace("periodics_", "")]
                else:
                    found += here[name]
            same(found, value, "channel %d: %s" % (k, name))


# ---- Frames, by this test's own reading of the format

MAGIC = bytes.fromhex("d3914c7ea85bf216")
TABLE = []
for i in range(256):
    for _ in range(8):
        i = i >> 1 ^ (0x82F63B78 if i & 1 else 0)
    TABLE.append(i)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def frame(stream, sequence, payload, timestamp=None, flags=0):
    head = MAGIC + struct.pack(">BBHQQI", 1, stream, flags, sequence, timestamp or 10**18 + sequence, len(payload))
    tail = struct.pack(">I", crc32c(payload))
    return head + struct.pack(">I", crc32c(head + bytes(4) + tail)) + tail + payload


def frames(data):
    """(sequence, bytes) of the good frames, however often they are there."""
    return [(sequence, whole) for sequence, whole, _ in frames_at(data)]


def frames_at(data):
    """The same, and where they begin."""
    at = 0
    while (at := data.find(MAGIC, at)) >= 0 and at + 40 <= len(data):
        head = data[at:at + 40]
        sequence, _, length = struct.unpack(">QQI", head[12:32])
        if struct.unpack(">I", head[32:36])[0] != crc32c(head[:32] + bytes(4) + head[36:]):
            at += 1
            continue
        whole = data[at:at + 40 + length]
        at += 40 + length
        if crc32c(whole[40:]) == struct.unpack(">I", head[36:])[0]:
            yield sequence, whole, at - len(whole)


def stored(receiver, channel):
    """What a receiver has of a channel: frames in the order of the files, which hold nothing else."""
    names = sorted(n for n in os.listdir(receiver.out) if n.startswith("ch%d_" % channel) and ".dat" in n)
    data = b"".join(open(os.path.join(receiver.out, n), "rb").read() for n in names)
    found = frames(data)
    same(sum(len(whole) for _, whole in found), len(data), "%s: channel %d: bytes of frames, and of files" % (receiver.out, channel))
    return found


def good(work, options, channels=4):
    """The good frames that the same options make, each once, in the order in which they are sent."""
    path = os.path.join(work, "sent")
    send("--file", path, "--force", "--channels", str(channels), *options)
    result = []
    for k in range(channels):
        seen = {}
        name = path if channels == 1 else "%s.ch%d" % (path, k)
        for sequence, whole in frames(open(name, "rb").read()):
            seen.setdefault(sequence, whole)
        result.append(list(seen.items()))
    return result


def once(good_frames, receivers, ordered=True):
    """Every good frame is in exactly one place."""
    for k, expected in enumerate(good_frames):
        found = [entry for receiver in receivers for entry in stored(receiver, k)]
        if not ordered:
            found, expected = sorted(found), sorted(expected)
        if found != expected:
            numbers, wanted = [s for s, _ in found], [s for s, _ in expected]
            twice = sorted({s for s in numbers if numbers.count(s) > 1})[:10]
            lost = sorted(set(wanted) - set(numbers))[:10]
            check(False, "channel %d: %d frames in the files, expected %d; twice: %s, lost: %s"
                  % (k, len(found), len(expected), twice, lost))


SPOILED = ["--corrupt", "0.01", "--drop", "0.01", "--duplicate", "0.01", "--reorder", "0.01", "--chunks", "4", "--size", "200"]


def options(count, *more):
    return ["--count", str(count), "--seed", str(SEED), *SPOILED, *more]


# ---- Cases


def matrix(work):
    """Key = channel, four channels on six partitions: every counter, and every frame, are as the sender says."""
    cluster = Cluster({"t": 6})
    a = Receiver(work, cluster, "a")
    sent = send("--kafka", cluster.brokers, "--topic", "t", *options(1500))
    cluster.wait_until_committed()
    expect(sent, [a.stop()])
    once(good(work, options(1500)), [a])
    cluster.close()


def topics(work):
    """A topic for each channel."""
    cluster = Cluster({"t0x": 2, "t1x": 1, "t2x": 3})
    a = Receiver(work, cluster, "a", topic="t%dx", channels=3)
    sent = send("--kafka", cluster.brokers, "--topic", "t%dx", "--channels", "3", *options(500))
    cluster.wait_until_committed()
    expect(sent, [a.stop()])
    once(good(work, options(500), 3), [a])
    cluster.close()


def rebalance(work):
    """A second receiver comes, then goes: every frame is in exactly one of the two directories, and the numbers that the
    first one did not see itself are no gaps.

    Unlike Kafka, the mock cluster takes no commit while other members join. Then the receiver says so, the frames since its
    last commit are in both directories, and it is tried again."""
    for _ in range(4):
        if rebalanced(work):
            return
    check(False, "no rebalance in which the offsets could be committed")


def rebalanced(work):
    work = tempfile.mkdtemp(dir=work)
    cluster = Cluster({"t": 8})
    a = Receiver(work, cluster, "a", channels=8)
    sender = start([TICKLOG, "send", "--kafka", cluster.brokers, "--topic", "t", "--channels", "8", *options(30000, "--rate", "300")],
                   stdout=subprocess.PIPE)
    until("frames at the first receiver", lambda: a.frames() > 0)
    b = Receiver(work, cluster, "b", channels=8)
    until("frames at the second receiver", lambda: b.frames() > 300)
    first = b.stop()
    seen = [channel["frames"] for channel in a.report()["channels"]]
    until("more frames of all channels at the first receiver",
          lambda: all(now["frames"] > before for now, before in zip(a.report()["channels"], seen)))
    sender.send_signal(signal.SIGINT)
    sent = json.loads(sender.communicate(timeout=LIMIT)[0].splitlines()[-1])
    same(sender.returncode, 0, "send's exit code")
    cluster.wait_until_committed()
    reports = [a.stop(), first]
    shared = [k for k in range(8) if first[k]["frames"] > 0]
    check(0 < len(shared) < 8, "the second receiver had the channels %s" % shared)
    print("   channels %s moved, %d of %d frames" % (shared, sum(c["frames"] for c in first), sum(c["frames"] for r in reports for c in r)))
    counts = [truth["frames"] for truth in sent["channels"]]
    made = good(work, options(max(counts)), 8)
    made = [[entry for entry in made[k] if entry[0] < counts[k]] for k in range(8)]
    if "comes again" in a.text() + b.text():
        print("   the cluster refused a commit")
        for k in range(8):
            same(sorted({**dict(stored(a, k)), **dict(stored(b, k))}.items()), sorted(made[k]), "channel %d: the union" % k)
            for receiver in (a, b):
                numbers = [s for s, _ in stored(receiver, k)]
                same(len(numbers), len(set(numbers)), "channel %d: frames of one directory" % k)
        cluster.close()
        return False
    once(made, [a, b], ordered=False)
    for truth in sent["channels"]:
        k = truth["channel"]
        for name in ("frames", "bytes", "gaps", "late", "duplicates", "header_crc", "payload_crc", "skipped_bytes"):
            same(sum(report[k][name] for report in reports), truth["expect"][name], "channel %d: %s" % (k, name))
        # What one receiver misses may come late to the other.
        more = sum(report[k]["missing"] for report in reports) - truth["expect"]["missing"]
        check(0 <= more <= 3, "channel %d: %d more missing than the sender says" % (k, more))
    cluster.close()
    return True


def killed(work):
    """kill -9, and again on the same directory: every frame is in the files once."""
    cluster = Cluster({"t": 4})
    sender = start([TICKLOG, "send", "--kafka", cluster.brokers, "--topic", "t", *options(2000, "--rate", "400")], stdout=subprocess.DEVNULL)
    for round in range(3):
        a = Receiver(work, cluster, "a")
        seen = a.frames()
        until("frames", lambda: a.frames() != seen)
        time.sleep(random.Random(SEED + round).uniform(0, 0.7))
        if round < 2:
            a.kill()
    same(sender.wait(LIMIT), 0, "send's exit code")
    cluster.wait_until_committed()
    a.stop()
    once(good(work, options(2000)), [a])
    cluster.close()


def taken_over(work):
    """kill -9 of one receiver of two: the other one gets again what the first had not committed, and only that. The
    frames of both directories, each sequence number once, are all that were sent."""
    cluster = Cluster({"t": 4})
    a = Receiver(work, cluster, "a")
    sender = start([TICKLOG, "send", "--kafka", cluster.brokers, "--topic", "t", *options(1500, "--rate", "300")], stdout=subprocess.DEVNULL)
    until("frames", lambda: a.frames() > 400)
    before = cluster.committed()
    a.kill()
    b = Receiver(work, cluster, "b")
    same(sender.wait(LIMIT), 0, "send's exit code")
    cluster.wait_until_committed()
    b.stop()
    copies = 0
    for k, expected in enumerate(good(work, options(1500))):
        mine, theirs = stored(a, k), stored(b, k)
        both = {s for s, _ in mine} & {s for s, _ in theirs}
        copies += len(both)
        # Messages are all of one length: which offset a frame first came at.
        offset = {}
        with open(os.path.join(work, "sent.ch%d" % k), "rb") as file:
            for sequence, whole, at in frames_at(file.read()):
                offset.setdefault(sequence, at // len(whole))
        check(min(offset[s] for s, _ in theirs) >= before["t", k], "channel %d: what was committed came again" % k)
        same({s for s, _ in mine[len(mine) - len(both):]}, both, "channel %d: what is in both is the end of the first" % k)
        same(sorted({**dict(mine), **dict(theirs)}.items()), sorted(expected), "channel %d: the union" % k)
    print("   %d frames in both directories" % copies)
    cluster.close()


def brokers(work):
    """Brokers that go away and come back: nothing is lost, nothing is there twice."""
    cluster = Cluster({"t": 4})
    a = Receiver(work, cluster, "a")
    sender = start([TICKLOG, "send", "--kafka", cluster.brokers, "--topic", "t", *options(1500, "--rate", "300")], stdout=subprocess.DEVNULL)
    until("frames", lambda: a.frames() > 100)
    for broker in (1, 2, 3):
        cluster.tell("down", broker)
        time.sleep(0.5)
        cluster.tell("up", broker)
    for broker in (1, 2, 3):
        cluster.tell("down", broker)
    time.sleep(1)
    for broker in (1, 2, 3):
        cluster.tell("up", broker)
    same(sender.wait(LIMIT), 0, "send's exit code")
    cluster.wait_until_committed()
    a.stop()
    once(good(work, options(1500)), [a])
    cluster.close()


def nobody(work):
    """No broker at all: the sender says what it could not deliver; the receiver says so, waits, and ends when told to."""
    cluster = Cluster({"t": 1}, brokers=1)
    cluster.tell("down", 1)
    text = send("--kafka", cluster.brokers, "--topic", "t", "--count", "10", "--channels", "2", "--kafka-config",
                config(work, "message.timeout.ms=1500\n"), code=3)
    check("0 messages delivered" in text and "failed" in text, "found '%s', expected the counts" % text)
    a = Receiver(work, cluster, "a")
    until("a note", lambda: "Kafka" in a.text())
    a.stop()
    check(a.text().count("ticklog receive: ") < 40, "it repeats itself: " + a.text()[-300:])
    cluster.close()


def damaged(work):
    """Keys that are no channel, values that are no frame: each is counted, none is written, the rest goes on."""
    cluster = Cluster({"t": 3})
    whole = [[frame(k, i, bytes([k, i]) * 30) for i in range(4)] for k in range(2)]
    put = lambda key, value: cluster.tell("put", "t", 0 if key in ("0", "-") else 1, key, value.hex())
    put("0", whole[0][0])
    put("1", whole[1][0])
    for key in ("x", "2", "01", "-1", "4294967296", "9999999999", "-"):
        put(key, whole[1][1])  # 7 strays, told with the channel that the frame names
    put("0", whole[1][1])  # channel 1's frame in channel 0
    put("0", b"no frame at all")  # 15 bytes skipped
    put("0", whole[0][1][:-1])  # cut: 99 bytes
    put("0", whole[0][1][:39])  # less than a header
    spoiled = bytearray(whole[0][1])
    spoiled[-1] ^= 1
    put("0", bytes(spoiled))  # a payload's checksum
    put("x", b"\0")  # a stray of nobody
    cluster.tell("put", "t", 0, "0")  # no value
    put("0", whole[0][1])
    put("1", whole[1][1])
    a = Receiver(work, cluster, "a", channels=2)
    cluster.wait_until_committed()
    report = a.stop()
    wanted = [{"frames": 2, "wrong_stream": 3, "payload_crc": 1, "header_crc": 0, "skipped_bytes": 15 + 39, "truncated": 99},
              {"frames": 2, "wrong_stream": 7, "payload_crc": 0, "header_crc": 0, "skipped_bytes": 0, "truncated": 0}]
    for k in range(2):
        for name, value in wanted[k].items():
            same(report[k][name], value, "channel %d: %s" % (k, name))
        same([f for _, f in stored(a, k)], whole[k][:2], "channel %d: frames" % k)
    cluster.close()


def stalled(work):
    """A channel whose files cannot be written, for longer than the group waits for a poll: its partition stands still, the
    others go on, the receiver stays in the group, and nothing is lost. Then rings that are much too small."""
    cluster = Cluster({"t": 4})
    a = Receiver(work, cluster, "a", "--ring-bytes", "1", "--max-frame", "1000")
    until("the directory", lambda: os.path.exists(os.path.join(a.out, "ch3_loss.jsonl")))
    # In the way of the file, so that creating it fails.
    stone = os.path.join(a.out, "ch2_00000000.dat.part")
    os.symlink("nowhere", stone)
    sent = send("--kafka", cluster.brokers, "--topic", "t", *options(3000))
    ends = cluster.ends()
    until("the other channels", lambda: all(cluster.committed()["t", p] == ends["t", p] for p in (0, 1, 3)))
    time.sleep(6)
    here = cluster.committed()["t", 2]
    same(here, 0, "the offset of what is not on the medium")
    report = a.report()["channels"]
    check(report[2]["pauses"] > 0 and report[2]["ring_fill"] > report[2]["ring_bytes"] // 2, "no back pressure: %s" % report[2])
    os.unlink(stone)
    cluster.wait_until_committed()
    check("max.poll" not in a.text() and "Maximum application poll" not in a.text(), "it did not poll: " + a.text()[-400:])
    expect(sent, [a.stop()])
    once(good(work, options(3000)), [a])
    cluster.close()


def without(work):
    """No librdkafka: both commands say how to get it."""
    fake = os.path.join(work, "librdkafka.so.1")
    with open(fake, "w") as file:
        file.write("no library\n")
    for command in ("send", "receive"):
        done = subprocess.run(["timeout", "20", TICKLOG, command, "--kafka", "127.0.0.1:9"], text=True, capture_output=True, cwd=work,
                              env={**os.environ, "LD_LIBRARY_PATH": work})
        same(done.returncode, 3, command + "'s exit code")
        check("apt install librdkafka1" in done.stderr, "found '%s', expected how to install it" % done.stderr)
    done = subprocess.run(["timeout", "20", TICKLOG, "send", "--file", os.path.join(work, "f"), "--count", "3"], capture_output=True,
                          env={**os.environ, "LD_LIBRARY_PATH": work})
    same(done.returncode, 0, "the exit code of what needs no Kafka")


def arguments(work):
    """What is asked for wrongly."""
    for words, text, code in [
        (["receive", "--topic", "t", "--tcp", "0"], "--topic without --kafka", 2),
        (["receive", "--kafka", "a:1", "--tcp", "0"], "--kafka", 2),
        (["send", "--kafka", ""], "found nothing", 2),
        (["receive", "--kafka", "a:1", "--kafka-config", config(work, "no equals sign\n", "a")], "line 2: found 'no equals sign'", 2),
        (["receive", "--kafka", "a:1", "--kafka-config", config(work, "no.such.name=1\n", "b")], "no.such.name", 3),
        (["receive", "--kafka", "a:1", "--kafka-config", os.path.join(work, "none")], "none", 3),
    ]:
        done = subprocess.run(["timeout", "20", TICKLOG, *words], text=True, capture_output=True, cwd=work)
        same(done.returncode, code, " ".join(words))
        check(text in done.stderr, "%s: found '%s', expected '%s'" % (" ".join(words), done.stderr, text))


CASES = [matrix, topics, rebalance, killed, taken_over, brokers, nobody, damaged, stalled, without, arguments]


def run(case):
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        try:
            case(work)
            print("%-10s passed in %.1f s" % (case.__name__, time.monotonic() - began), flush=True)
            return True
        except (AssertionError, subprocess.TimeoutExpired) as error:
            print("%-10s FAILED: %s" % (case.__name__, error), flush=True)
            return False
        finally:
            end_all()


def apart(case):
    """A process for each case: they wait most of the time, so some of them wait together."""
    done = subprocess.run([sys.executable, *sys.argv[:2], case.__name__], text=True, capture_output=True, timeout=5 * LIMIT,
                          env={**os.environ, "SEED": str(SEED)})
    print(done.stdout.split("\n", 1)[-1] + done.stderr, end="", flush=True)
    return done.returncode == 0


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
print("seed", SEED, flush=True)
chosen = [case for case in CASES if len(sys.argv) == 2 or case.__name__ in sys.argv[2:]]
if len(chosen) == 1:
    passed = [run(chosen[0])]
else:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        passed = list(pool.map(apart, chosen))
sys.exit(0 if passed and all(passed) else 1)
