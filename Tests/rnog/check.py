"""The command `ticklog` on files of RNO-G packets, beside the reader in this directory and the vectors' JSON.
    check.py TICKLOG VECTORS"""
import csv
import glob
import gzip
import io
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import reader

ticklog, vectors = sys.argv[1:3]
seed = int(os.environ.get("TICKLOG_TEST_SEED", random.randrange(1 << 32)))
rng = random.Random(seed)
print("seed", seed)
work = tempfile.TemporaryDirectory()
failures = 0


def path(name):
    return os.path.join(work.name, name)


def run(*words, code=0, data=None, env=None):
    done = subprocess.run([ticklog, *map(str, words)], capture_output=True, timeout=120, input=data, env=env)
    if done.returncode != code:
        raise AssertionError(f"{' '.join(map(str, words))}: exit {done.returncode}, expected {code}: {done.stderr.decode()[:500]}")
    return done.stdout


def lines(*words, **options):
    return [json.loads(line) for line in run(*words, **options).splitlines()]


def save(name, data):
    with open(path(name), "wb") as file:
        file.write(data)
    return path(name)


def load(name):
    with open(name, "rb") as file:
        return file.read()


def same(found, wanted, what):
    assert found == wanted, f"{what}: found {str(found)[:400]}, expected {str(wanted)[:400]}"


tests = []


def test(function):
    tests.append(function)
    return function


files = sorted(glob.glob(vectors + "/*.dat") + glob.glob(vectors + "/*.dat.gz") + glob.glob(vectors + "/genuine_old/*.dat"))
readable = [f for f in files if "waveform_v0" not in f]
# What the reference reads wrongly (docs/RNOG.md, 4): the scalers of old daqstatus packets; and those that it cannot read.
misread = set(reader.GROUPS) | {"ncycles", "scaler_counter_1Hz", "cycle_counter"}


def all_packets():
    for name in readable:
        yield from reader.packets(reader.unpacked(load(name)))


@test
def every_vector_has_the_fields_of_its_json():
    assert len(files) >= 20
    for name in readable:
        found = lines("rnog", "cat", name)
        wanted = json.load(open(name + ".json"))["packets"]
        same(len(found), len(wanted), name)
        for f, w in zip(found, wanted):
            same((f["version"], f["offset"]), (w["version"], w["offset"]), name)
            isOld = f["type"] == "daqstatus" and 2 <= f["version"] <= 5
            for key, value in w["fields"].items():
                if not (isOld and key in misread):
                    same(f["fields"][key], value, f"{name} {key}")


@test
def every_vector_is_read_as_the_reader_does():
    for name in readable:
        wanted = list(reader.packets(reader.unpacked(load(name))))
        same(lines("rnog", "cat", name), [w[0] for w in wanted], name)
        for found, w in zip(lines("rnog", "cat", "--samples", name), wanted):
            for key, value in w[1].items():
                same(found["fields"][key], value, name)


@test
def old_scalers_are_what_was_written():
    truth = json.load(open(vectors + "/genuine_old/truth.json"))["written_values_common"]["daqstatus"]
    for name in glob.glob(vectors + "/genuine_old/daqstatus*.dat"):
        f = lines("rnog", "cat", name)[0]["fields"]
        same(f["when_radiant"], truth["when_radiant"], name)
        same(f["radiant_thresholds"][3], truth["radiant_thresholds_3"], name)
        for group in reader.GROUPS:
            same(f[group]["trig_coinc"], truth[group + "_trig_coinc"], name)
        same((f["ncycles"], f["scaler_counter_1Hz"], f["station"]), (truth["ncycles"], truth["scaler_counter_1Hz"], truth["station"]), name)


@test
def waveform_version_0_is_refused_by_name():
    name = vectors + "/genuine_old/waveform_v0_3da5b62.dat"
    done = subprocess.run([ticklog, "rnog", "cat", name], capture_output=True, timeout=60)
    same(done.returncode, 1, "exit code")
    assert b"waveform of version 0" in done.stderr, done.stderr
    run("validate", name, code=1)


def made_up():
    """Old packets of every size, from random bytes: what no vector has."""
    some = []
    for magic, version, sizes in [(0xEAD1, 0, [112]), (0xEAD1, 1, [132]), (0xEAD1, 2, [136]), (0xDACC, 0, [184]), (0xDACC, 1, [184]),
                                  (0xDACC, 2, [272, 280]), (0xDACC, 3, [280, 288]), (0xDACC, 4, [296, 304]), (0xDACC, 5, [296, 304]),
                                  (0xDACC, 6, [504])]:
        for size in sizes:
            payload = bytearray(rng.randbytes(size))
            if magic == 0xDACC:
                payload[:16] = struct.pack("<dd", 1.5, -2.25)
                at = 8 if version < 3 else 16
                struct.pack_into("<f", payload, at + 168, rng.random())
            some.append(reader.packet(magic, version, bytes(payload)))
    for version in (1, 2, 3, 4):
        for nr, nl in [(0, 0), (1, 1), (1023, 3), (1024, 0), (1500, 512), (2048, 512)]:
            tail = [0, 0, 1, 1, 27][version]
            some.append(reader.packet(0xAFD1, version, struct.pack("<IIHH", rng.randrange(1 << 32), 7, nr, nl) + rng.randbytes(48 * nr + 4 * nl + tail)))
    for version, size in enumerate([196620, 196624, 196628, 196632]):
        some.append(reader.packet(0x57A1, version, rng.randbytes(size)))
    return some


@test
def packets_of_random_bytes_are_read_as_the_reader_does():
    some = made_up()
    rng.shuffle(some)
    data = b"".join(some)
    wanted = list(reader.packets(data))
    for name in (save("mixed.dat", data), save("mixed.dat.gz", gzip.compress(data[:100000]) + gzip.compress(data[100000:]))):
        found = lines("rnog", "cat", name, "--samples")
        same(len(found), len(wanted), name)
        for f, (w, samples, _) in zip(found, wanted):
            for key in samples:
                same(f["fields"].pop(key), samples[key], key)
            w = {**w, "fields": {k: v for k, v in w["fields"].items() if not k.endswith(("after_read", "adler32", "first8", "last2", "first4"))}}
            if "radiant_scaler_period" in w["fields"] and w["version"] == 0:
                period = f["fields"]["radiant_scaler_period"]
                assert abs(period - w["fields"]["radiant_scaler_period"]) < 1e-7, period
                w["fields"]["radiant_scaler_period"] = period
            elif "radiant_scaler_period" in w["fields"]:
                same(struct.pack("<f", f["fields"]["radiant_scaler_period"]), struct.pack("<f", w["fields"]["radiant_scaler_period"]), "period")
                f["fields"]["radiant_scaler_period"] = w["fields"]["radiant_scaler_period"]
            same(f, w, "packet")


@test
def what_is_written_has_the_vectors_bytes():
    for name in readable:
        data = reader.unpacked(load(name))
        out = path("again.dat")
        run("rnog", "convert", name, out, "--force")
        written = load(out)
        current = [(p, raw) for p, _, raw in reader.packets(data)]
        if all(p["version"] == reader.VERSIONS[p["type"]] for p, _ in current):
            same(written, data, name)
        # An old one is the same packet in the current version.
        again = list(reader.packets(written))
        same(len(again), len(current), name)
        for (p, _), (q, _, _) in zip(current, again):
            same(q["version"], reader.VERSIONS[q["type"]], name)
            same(q["fields"], p["fields"], name)


@test
def gzip_goes_in_and_out():
    for name in (vectors + "/header_3.dat", vectors + "/waveform_3.dat", vectors + "/pedestal_1.dat"):
        run("rnog", "convert", name, path("out.gz"), "--force")
        same(gzip.decompress(load(path("out.gz"))), load(name), name)
        same(run("rnog", "cat", path("out.gz")), run("rnog", "cat", name), name)
        same(run("rnog", "convert", name, "-", "--to", "gz")[:2], b"\x1f\x8b", name)


@test
def torn_gzip_says_where():
    whole = load(vectors + "/waveform_3.dat.gz")
    for cut in (10, 11, 100, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        name = save("torn.dat.gz", whole[:cut])
        done = subprocess.run([ticklog, "rnog", "info", "--json", name], capture_output=True, timeout=60)
        if done.returncode == 0:
            info = json.loads(done.stdout)
            assert info["damage"], cut
            assert info["damage"][-1]["offset"] == cut, (cut, info["damage"])
        else:
            assert b"torn.dat.gz" in done.stderr, done.stderr
        run("validate", name, code=1)
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0x55
    run("validate", save("bad.dat.gz", damaged), code=1)
    run("validate", save("bad.dat.gz", whole + b"garbage"), code=1)
    run("validate", save("padded.dat.gz", whole + bytes(512)))


@test
def a_bomb_takes_little_memory():
    packet = load(vectors + "/pedestal_1.dat")
    member = gzip.compress(packet * 40, 9)
    name = save("bomb.dat.gz", member * 40)
    done = subprocess.run(["bash", "-c", 'ulimit -v 300000; exec "$@"', "-", ticklog, "rnog", "info", "--json", name], capture_output=True, timeout=120)
    same(done.returncode, 0, done.stderr)
    same(json.loads(done.stdout)["packets"], 1600, "packets")


@test
def every_cut_and_every_flipped_bit_is_noticed():
    # Two versions of one size that no checksum tells apart: a flip from one to the other is another good packet.
    for name in (vectors + "/header_v0.dat", vectors + "/genuine_old/daqstatus_v3_aaa7aae.dat"):
        data = load(name)
        for cut in rng.sample(range(1, len(data)), 12):
            run("validate", save("cut.dat", data[:cut]), code=1)
        for bit in rng.sample(range(8 * len(data)), 24):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            done = subprocess.run([ticklog, "rnog", "cat", save("flip.dat", flipped)], capture_output=True, timeout=60)
            assert done.returncode == 1 and not done.stdout, (name, bit, done)


@test
def good_packets_behind_damage_are_found():
    some = [raw for _, _, raw in all_packets()] + made_up()
    for _ in range(8):
        rng.shuffle(some)
        chosen = some[:12]
        bad = rng.sample(range(len(chosen)), 3)
        data, kept = b"", []
        for i, raw in enumerate(chosen):
            raw = bytearray(raw)
            if i in bad:
                where = rng.randrange(4, len(raw))
                how = rng.choice(["flip", "cut", "insert"])
                if how == "flip":
                    raw[where] ^= 1 << rng.randrange(8)
                elif how == "cut":
                    raw = raw[:where]
                else:
                    raw = rng.randbytes(rng.randrange(1, 50)) + raw
                    kept.append(bytes(chosen[i]))
            else:
                kept.append(bytes(raw))
            data += raw
        name = save("damaged.dat", data)
        found = lines("rnog", "cat", name, "--salvage", code=1) if chosen[-1] in kept else None
        run("repair", name, "-o", path("mended.dat"))
        same(load(path("mended.dat")), b"".join(kept), f"bad {bad}")
        if found is not None:
            same(len(found), len(kept), "packets")
        run("validate", path("mended.dat"))
        os.remove(path("mended.dat"))


@test
def a_file_full_of_beginnings_takes_no_time():
    run("validate", save("beginnings.dat", bytes.fromhex("a1570300") * 500000), code=1)


@test
def hostile_counts_are_refused():
    for nr, nl in [(2049, 0), (65535, 0), (0, 513), (0, 65535), (65535, 65535)]:
        name = save("counts.dat", reader.packet(0xAFD1, 4, struct.pack("<IIHH", 1, 2, nr, nl) + bytes(400)))
        done = subprocess.run([ticklog, "rnog", "cat", name], capture_output=True, timeout=60)
        assert done.returncode == 1 and b"samples of a channel" in done.stderr, done


@test
def tables_have_the_packets():
    name = vectors + "/header_3.dat"
    rows = list(csv.DictReader(io.StringIO(run("cat", name).decode())))
    wanted = [p["fields"] for p, _, _ in reader.packets(load(name))]
    same([int(r["event_number"]) for r in rows], [w["event_number"] for w in wanted], "events")
    same(int(rows[1]["radiant_trigger_cfg[1].mask"]), wanted[1]["radiant_trigger_cfg[1]"]["mask"], "mask")
    same(int(rows[1]["radiant_start_windows[3][1]"]), wanted[1]["radiant_start_windows"][3][1], "window")
    rows = list(csv.DictReader(io.StringIO(run("cat", vectors + "/daqstatus_2.dat").decode())))
    same(rows[0]["ncycles"], "20015998343868", "ncycles")
    same(rows[0]["cal.T_times_16"], "-200", "temperature")
    # Waveforms as columns, a row a sample.
    name = vectors + "/waveform_3.dat"
    for command in (["convert"], ["rnog", "convert"]):
        run(*command, name, path("w.bcsv"), "--force")
        rows = list(csv.DictReader(io.StringIO(run("cat", path("w.bcsv")).decode())))
        at = 0
        for p, samples, _ in reader.packets(load(name)):
            count = max(p["fields"]["radiant_nsamples"], p["fields"]["lt_nsamples"], 1)
            for i in (0, 1, count // 2, count - 1):
                row = rows[at + i]
                same((int(row["event_number"]), int(row["sample"])), (p["fields"]["event_number"], i), "row")
                for channel in range(24):
                    want = samples["radiant"][channel]
                    same(int(row[f"radiant[{channel}]"]), want[i] if i < len(want) else 0, "radiant")
                for channel in range(4):
                    want = samples["lt"][channel]
                    same(int(row[f"lt[{channel}]"]), want[i] if i < len(want) else 0, "lt")
            at += count
        same(len(rows), at, "rows")
    data = load(vectors + "/header_3.dat") + load(name) + load(vectors + "/daqstatus_2.dat")
    mixed = save("all.dat", data)
    run("rnog", "convert", mixed, path("tables") + "/")
    same(sorted(os.listdir(path("tables"))), ["daqstatus.bcsv", "header.bcsv", "waveform.bcsv"], "tables")
    run("rnog", "convert", mixed, path("one.bcsv"), code=1)
    run("rnog", "convert", mixed, path("one.csv"), "--type", "daqstatus")
    run("rnog", "convert", mixed, path("all.jsonl"))
    same(len(load(path("all.jsonl")).splitlines()), 8, "lines")
    run("convert", vectors + "/pedestal_1.dat", path("p.bcsv"))
    same(json.loads(run("info", "--json", path("p.bcsv")))["rows"], 4096, "pedestal rows")


@test
def info_tells_kinds_and_versions():
    data = load(vectors + "/header_3.dat") + load(vectors + "/header_v0.dat")
    info = json.loads(run("info", "--json", save("two.dat", data)))
    same([(t["type"], t["version"], t["packets"]) for t in info["types"]], [("header", 2, 3), ("header", 0, 1)], "types")
    same(info["kind"], "rnog", "kind")
    run("rnog", "info", path("two.dat"))
    run("validate", *files[:3])
    run("rnog", "info", save("not.dat", b"neither"), code=1)


@test
def the_index_finds_packets_and_events():
    some = [p for p in made_up() if p[:2] in (b"\xd1\xea", b"\xd1\xaf")] * 3
    events = []
    data = b""
    for raw in some:
        data += raw
        events.append(struct.unpack_from("<I", raw, 4)[0])
    data += load(vectors + "/daqstatus_2.dat")
    name = save("indexed.dat", data)
    plain = run("rnog", "cat", name).splitlines()
    chosen = rng.sample(range(len(some)), 5)
    without = [run("rnog", "cat", name, "--event", events[i]) for i in chosen]
    assert not os.path.exists(name + ".idx")
    run("rnog", "index", name)
    for i, wanted in zip(chosen, without):
        same(run("rnog", "cat", name, "--packet", i).splitlines(), [plain[i]], "packet")
        same(run("rnog", "cat", name, "--event", events[i]), wanted, "event")
        same(len(wanted.splitlines()), events.count(events[i]), "packets of an event")
    same(run("rnog", "cat", name, "--packet", "3:9").splitlines(), plain[3:9], "range")
    same(run("rnog", "cat", name, "--packet", f"{len(plain) - 1}:").splitlines(), plain[-1:], "last")
    # Stale: another size, another time, other bytes; damaged.
    assert b"fresh" in run("rnog", "index", name)
    save("indexed.dat", data[len(some[0]):])
    same(run("rnog", "cat", name, "--packet", 0).splitlines()[0][:50], run("rnog", "cat", name).splitlines()[0][:50], "stale")
    assert b"fresh" in run("rnog", "index", name)
    index = bytearray(load(name + ".idx"))
    index[70] ^= 1
    save("indexed.dat.idx", index)
    assert b"made" in run("rnog", "index", name)
    for cut in (0, 10, 60, len(index) - 1):
        save("indexed.dat.idx", index[:cut])
        assert b"made" in run("rnog", "index", name)
    # Damage in the middle: what is behind it has its number among the good ones.
    damaged = bytearray(data)
    damaged[20] ^= 1
    save("indexed.dat", damaged)
    same(run("rnog", "cat", name, "--packet", 0).splitlines()[0].split(b'"fields"')[1], plain[1].split(b'"fields"')[1], "behind damage")
    os.remove(name + ".idx")


for function in tests:
    try:
        function()
        print("ok     ", function.__name__)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        failures += 1
        print("FAILED ", function.__name__, str(error)[:1500])
print(f"rnog: {len(tests) - failures} passed, {failures} failed")
sys.exit(failures > 0)
