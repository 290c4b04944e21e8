"""`ticklog send` into `ticklog receive`: what is received is what was sent, in every counter and every byte.

    matrix.py TICKLOG WORK [quick]

A cell is a transport, a size, a number of chunks and of channels, and what is spoiled. The same seed also makes a file:
the receiver of reader.py says from it which frames must be written, and in which order. TICKLOG_TEST_SEED repeats a run.
"""
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time

import frames
import reader

tool = sys.argv[1].split()
work = tempfile.mkdtemp(dir=sys.argv[2])
quick = "quick" in sys.argv[3:]
seed = int(os.environ.get("TICKLOG_TEST_SEED", random.randrange(1 << 32)))
rng = random.Random(seed)

# What nothing of this may bring forth.
NEVER = ("restarts", "wrong_stream", "length_errors", "version_errors", "truncated", "kernel_drops", "refused", "idle_closed",
         "unwritten")


def equal(found, expected, what):
    assert found == expected, f"{what}: found {found!r}, expected {expected!r}"


def send(*words, timeout=120):
    run = subprocess.run([*tool, "send", *map(str, words)], capture_output=True, text=True, timeout=timeout)
    assert run.returncode == 0, f"send {words}: exit code {run.returncode}: {run.stderr}"
    return json.loads(run.stdout.splitlines()[-1])


def ports(kind, channels):
    """The first of so many free ports in a row."""
    for _ in range(200):
        first = rng.randrange(20000, 32000)
        made = []
        try:
            for k in range(channels):
                made.append(socket.socket(socket.AF_INET, kind))
                made[-1].bind(("127.0.0.1", first + k))
            return first
        except OSError:
            pass
        finally:
            for one in made:
                one.close()
    raise RuntimeError("there are no free ports")


def receiver(name, channels, transports, *options):
    directory = os.path.join(work, name)
    os.makedirs(directory, exist_ok=True)
    for attempt in range(5):
        where = {t: ports(socket.SOCK_STREAM if t == "tcp" else socket.SOCK_DGRAM, channels) for t in transports}
        words = [word for t in transports for word in ("--" + t, where[t])]
        try:
            made = frames.Receiver(tool, directory, *words, *options, channels=channels, tcp="tcp" in where, udp="udp" in where)
        except RuntimeError:
            # Somebody else has taken one of the ports.
            if attempt == 4:
                raise
            continue
        made.where = [word for t in transports for word in ("--" + t, f"127.0.0.1:{where[t]}")]
        made.words = words
        return made


def flat(report):
    """A receiver's report with the names of "expect"."""
    out = dict(report)
    periodics = out.pop("periodics")
    out.update(periodics_complete=periodics["complete"], periodics_incomplete=periodics["incomplete"],
               missing_chunks=periodics["missing_chunks"])
    return out


def has_come(channels, sent):
    names = ("frames", "duplicates", "header_crc", "payload_crc", "skipped_bytes")
    return all(found[name] >= one["expect"][name] for found, one in zip(channels, sent) for name in names)


def dropped(channels):
    return any(channel["kernel_drops"] for channel in channels)


def expected_of(options, channels, name):
    """What --file says, and what the rules make of its bytes: for each channel the report and the frames."""
    path = os.path.join(work, name + ".frames")
    report = send("--file", path, "--force", *options)["channels"]
    written = []
    for k, channel in enumerate(report):
        one = path if channels == 1 else f"{path}.ch{k}"
        with open(one, "rb") as file:
            data = file.read()
        os.remove(one)
        model = reader.Receiver(k, open_periodics=64)
        model.stream(data)
        equal(channel["expect"], model.end().report(), f"{name}, channel {k}: what send expects")
        written.append(model.written)
    return report, written


def cell(name, transport, options, channels, rate, roll):
    report, written = expected_of(options, channels, name)
    for attempt in range(4):
        r = receiver(f"{name}-{attempt}", channels, [transport], "--roll-bytes", roll)
        paced = ["--rate", rate] if rate else []
        sent = send(*r.where, *options, *paced)["channels"]
        equal(sent, report, f"{name}: what was sent, and what --file has")
        try:
            r.until(lambda c: has_come(c, sent) or dropped(c))
        except AssertionError:
            pass  # The comparison says what is wrong.
        found = r.stop()
        # The machine may be too slow for datagrams. Then it is no test of the receiver.
        if transport != "udp" or not dropped(found) or attempt == 3:
            break
        rate = max(10, rate // 4)
    for k in range(channels):
        got = flat(found[k])
        for key, value in sent[k]["expect"].items():
            equal(got[key], value, f"{name}, channel {k}, {key}")
        for key in NEVER:
            equal(got[key], 0, f"{name}, channel {k}, {key}")
        equal(r.content(k) == b"".join(written[k]), True, f"{name}, channel {k}: the files hold just the good frames, in order")
        sizes = [os.path.getsize(os.path.join(r.directory, file)) for file in r.files(k)]
        equal(len(sizes), got["files"], f"{name}, channel {k}: files")
        assert all(size <= roll for size in sizes) or roll < max(map(len, written[k])), f"{name}: {sizes} exceed {roll}"
        assert all(file.endswith(".dat") for file in r.files(k)), f"{name}: {r.files(k)}"
        lost = sum(x["missing"] for x in r.losses(k) if x["kind"] == "gap")
        late = sum(x["last"] - x["first"] + 1 for x in r.losses(k) if x["kind"] == "late")
        assert lost - late <= got["missing"] <= lost, f"{name}, channel {k}: the loss file tells of {lost} and {late}"
        equal(sum(x["skipped_bytes"] for x in r.losses(k) if x["kind"] == "damage"), got["skipped_bytes"], f"{name}: loss file")
        equal(sum(x["received"] > 0 for x in r.losses(k) if x["kind"] == "periodic"), got["periodics_incomplete"], f"{name}: loss file")
    for k in range(channels):
        for file in r.files(k):
            os.remove(os.path.join(r.directory, file))


def cells():
    sizes = {"tcp": (1, 24, 1400, 8192, 65467, 1 << 20), "udp": (1, 24, 1400, 8192, 65467)}
    harms = {"clean": {}, "corrupt": {"corrupt": 0.1}, "drop": {"drop": 0.1}, "duplicate": {"duplicate": 0.2},
             "reorder": {"reorder": 0.2}, "all": {"corrupt": 0.1, "drop": 0.1, "duplicate": 0.1, "reorder": 0.1},
             "worst": {"corrupt": 0.5, "drop": 0.3, "duplicate": 0.5, "reorder": 0.9}}
    number = 0
    for transport in ("tcp", "udp"):
        for size in sizes[transport]:
            for harm in harms if not quick else ("all",):
                number += 1
                chunks = rng.choice((0, 1, 2, 3, 8)) if size >= 24 else 0
                channels = 4 if harm == "all" and size == 1400 else rng.choice((1, 1, 2))
                count = min(2000, (4 << 20) // size, 300 if size > 60000 else 2000)
                options = ["--count", max(count, 8), "--size", size, "--chunks", chunks, "--channels", channels, "--seed",
                           rng.getrandbits(63)]
                for key, p in harms[harm].items():
                    options += ["--" + key, p]
                rate = 0 if transport == "tcp" else 4000 if size < 2000 else 800 if size < 10000 else 150
                # A file costs a sync or two: not one for every frame.
                roll = rng.choice((1 << 30, 300_000, max(count, 8) * (size + 40) // 15))
                yield f"{transport}-{size}-{harm}", transport, options, channels, rate, roll


def both_ways():
    """Live over UDP, spoiled; the archive over TCP fills what is missing."""
    options = ["--count", 1500, "--size", 1000, "--chunks", 4, "--channels", 2, "--seed", rng.getrandbits(63), "--corrupt", 0.1,
               "--drop", 0.1, "--duplicate", 0.1, "--reorder", 0.1, "--rate", 1500]
    for _ in range(3):
        r = receiver(f"both-{_}", 2, ["tcp", "udp"])
        sent = send(*r.where, *options)["channels"]
        try:
            r.until(lambda c: has_come(c, sent) or dropped(c))
        except AssertionError:
            pass
        found = r.stop()
        if not dropped(found):
            break
    for k in range(2):
        got = flat(found[k])
        for key, value in sent[k]["expect"].items():
            equal(got[key], value, f"both ways, channel {k}, {key}")
        good, counts = reader.scan(r.content(k))
        equal(sorted(frame.sequence for frame in good), list(range(1500)), f"both ways, channel {k}: every frame once")
        equal(counts["skipped_bytes"], 0, "both ways: the files")


def killed():
    """kill -9 in the middle, and a new receiver on the same ports: what was in files stays, and nothing is there twice."""
    # Fifteen seconds: more than three kills take on a busy machine.
    count = 120000
    r = receiver("killed", 1, ["tcp"], "--roll-bytes", 400_000, "--fsync-ms", 20)
    sender = subprocess.Popen([*tool, "send", *r.where, "--channels", "1", "--count", str(count), "--size", "200", "--seed", str(seed),
                               "--rate", "8000", "--chunks", "4", "--retry", "60"], stdout=subprocess.PIPE, text=True)
    try:
        seen = set()
        for _ in range(3):
            # Losses are told within a second.
            time.sleep(rng.uniform(1.6, 2.0))
            before = b"".join(open(os.path.join(r.directory, file), "rb").read() for file in r.files() if os.path.exists(
                os.path.join(r.directory, file)))
            seen |= {frame.sequence for frame in reader.scan(before)[0]}
            r.kill()
            r = frames.Receiver(tool, r.directory, *r.words, "--roll-bytes", 400_000, "--fsync-ms", 20)
            r.words = ["--tcp", r.ports["tcp", 0]]
        out, _ = sender.communicate(timeout=120)
        check_killed(r, seen, count, sender, out)
    finally:
        sender.kill()
        r.kill()


def check_killed(r, seen, count, sender, out):
    assert sender.returncode == 0, f"killed: send's exit code {sender.returncode}"
    r.until(lambda c: c[0]["ring_fill"] == 0 and c[0]["frames"] > 0)
    time.sleep(1)
    r.stop()
    good, counts = reader.scan(r.content())
    numbers = [frame.sequence for frame in good]
    equal(counts["skipped_bytes"] + counts["truncated"] + counts["payload_crc"], 0, "killed: damage in the files")
    equal(len(numbers), len(set(numbers)), "killed: a frame is there twice")
    assert seen and seen <= set(numbers), f"killed: {len(seen - set(numbers))} frames that were in files are gone"
    equal(numbers[-1], count - 1, "killed: the last frame")
    # What was in flight at the kill is a gap, and declared.
    declared = set()
    for x in r.losses():
        if x["kind"] == "gap":
            declared |= set(range(x["first"], x["last"] + 1))
        elif x["kind"] == "late":
            declared -= set(range(x["first"], x["last"] + 1))
    equal(set(range(count)) - set(numbers), declared, "killed: what is missing and what is declared")
    # A receiver that is being killed may still take a connection.
    assert json.loads(out)["reconnects"] >= 3, "killed: connections made again"
    print(f"killed: {len(declared)} frames in flight, all declared", flush=True)


print(f"matrix.py: seed {seed}", flush=True)
failed = total = 0
todo = [(one[0], lambda one=one: cell(*one)) for one in cells()] + [("both ways", both_ways), ("killed", killed)]
only = [word for word in sys.argv[3:] if word != "quick"]
for name, run in todo:
    if only and name not in only:
        continue
    total += 1
    try:
        run()
    except (AssertionError, subprocess.SubprocessError, RuntimeError, OSError) as error:
        failed += 1
        print(f"FAILED {name}: {str(error)[:600]}", flush=True)
print(f"matrix.py: {total - failed} passed, {failed} failed")
sys.exit(failed > 0)
