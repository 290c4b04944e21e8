"""Runs and tables as MCAP: see ../mcap.sh.    check.py TICKLOG WORK WHAT [ARGUMENT...]"""
import io
import json
import math
import os
import random
import shutil
import struct
import subprocess
import sys
from fractions import Fraction

from mcap.reader import NonSeekingReader, SeekingReader

from walk import walk

tool, work, what, *rest = sys.argv[1:]
WHOLE = 2**63 - 1


def run(*arguments, code=0, data=None, out=subprocess.PIPE):
    done = subprocess.run([tool, *map(str, arguments)], stdout=out, stderr=subprocess.PIPE, input=data, timeout=120)
    error = done.stderr.decode(errors="replace")
    codes = code if isinstance(code, tuple) else (code,)
    assert done.returncode in codes, f"{arguments}: exit code {done.returncode}, not {code}: {error}"
    return (done.stdout, error, done.returncode)


def parse(text):
    """Numbers stay as they are printed."""
    return json.loads(text, parse_float=lambda t: ("float", t), parse_int=lambda t: ("int", t))


def samples(path, *options, code=(0, 1)):
    out, _, _ = run("cat", path, "--samples", *options, code=code)
    return [parse(line) for line in out.splitlines()]


def read(path):
    """The file, after all checks, by the tests' reader and by both of the package."""
    data = open(path, "rb").read()
    file = walk(data)
    assert file.profile == "" and file.library.startswith("ticklog ")
    own = [(file.channels[c][1], s, t, bytes(d)) for c, s, t, d in file.messages]
    stream = io.BytesIO(data)
    theirs = [(c.topic, m.sequence, m.log_time, m.data) for _, c, m in
              NonSeekingReader(io.BytesIO(data), validate_crcs=True).iter_messages(log_time_order=False)]
    assert theirs == own, f"{path}: NonSeekingReader has other messages"
    seeking = SeekingReader(stream, validate_crcs=True)
    theirs = [(c.topic, m.sequence, m.log_time, m.data) for _, c, m in seeking.iter_messages()]
    assert sorted(theirs) == sorted(own), f"{path}: SeekingReader has other messages"
    assert [m[2] for m in theirs] == sorted(m[2] for m in own)
    summary = seeking.get_summary()
    assert summary.statistics.message_count == len(own)
    assert {c.topic for c in summary.channels.values()} == {c[1] for c in file.channels.values()}
    assert {m.name: m.metadata for m in seeking.iter_metadata()} == file.metadata
    if own:
        # A part in time, by the indexes.
        times = sorted(m[2] for m in own)
        low, high = times[len(times) // 3], times[2 * len(times) // 3]
        part = [m.log_time for _, _, m in seeking.iter_messages(starting_at=low, ending_before=high)]
        assert part == [t for t in times if low <= t < high]
    for schema, topic, encoding, _ in file.channels.values():
        name, kind, text = file.schemas[schema]
        assert (name, kind, encoding) == (topic, "jsonschema", "json")
    file.own = own
    return file


def fits(value, schema):
    kind = schema["type"]
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str)
    return isinstance(value, tuple) and (kind == "number" or value[0] == "int")


def expected(sample, schema):
    """What the message of a sample, as cat prints it, is."""
    properties = schema["properties"]
    if "hex" in sample:
        return {"hex": sample["hex"]}
    value = sample["value"]
    if not isinstance(value, dict):
        value = {"value": value}
    return {k: v for k, v in value.items()
            if v is not None and not (properties[k]["type"] == "number" and isinstance(v, str) and v in ("nan", "inf", "-inf"))}


def timeline(info, events):
    """ns of a tick, exactly."""
    points = {}
    for sample in events:
        if sample["stream"] == "ticklog.clock" and "value" in sample and int(sample["value"]["epoch_ns"][1]) > 0:
            points[int(sample["tick"][1])] = int(sample["value"]["epoch_ns"][1])
    length, epoch = info.get("tick_ns") or 1, info.get("epoch_ns") or 0
    ticks = sorted(points)

    def time(tick):
        if not points:
            ns = epoch + tick * length
        elif tick <= ticks[0]:
            ns = points[ticks[0]] - (ticks[0] - tick) * length
        elif tick >= ticks[-1]:
            ns = points[ticks[-1]] + (tick - ticks[-1]) * length
        else:
            i = next(i for i in range(len(ticks) - 1) if ticks[i] <= tick < ticks[i + 1])
            a, b = ticks[i], ticks[i + 1]
            part = Fraction((points[b] - points[a]) * (tick - a), b - a)
            ns = points[a] + (math.floor(part) if part >= 0 else math.ceil(part))
        return min(max(ns, 0), WHOLE)
    return time


def compare(path, out, *options, code=0):
    """Converts a run, and compares with what cat prints."""
    _, error, found = run("convert", path, out, *options, code=code)
    salvage = ["--salvage"] if "--salvage" in options else []
    sources = [samples(path, *salvage), samples(path, "--events", *salvage)]
    loss = os.path.join(path, "loss.dlf")
    if os.path.exists(loss):
        sources.append(samples(loss))
    info = json.loads(run("info", path, "--json", code=(0, 1))[0])
    time = timeline(info, sources[1])
    # Merged by tick, each file in its own order.
    merged = []
    heads = [0] * len(sources)
    while True:
        left = [i for i in range(len(sources)) if heads[i] < len(sources[i])]
        if not left:
            break
        i = min(left, key=lambda i: int(sources[i][heads[i]]["tick"][1]))
        merged.append(sources[i][heads[i]])
        heads[i] += 1
    file = read(out)
    schemas = {c[1]: json.loads(file.schemas[c[0]][2]) for c in file.channels.values()}
    assert len(merged) == len(file.own), f"{path}: {len(file.own)} messages, {len(merged)} samples"
    for sample, (topic, _, log, data) in zip(merged, file.own):
        tick = int(sample["tick"][1])
        assert sample["stream"] == topic, f"{path}: {topic}, not {sample['stream']}"
        message = parse(data)
        assert message == expected(sample, schemas[topic]), f"{path}: {message}, not {sample}"
        assert log == time(tick), f"{path}: tick {tick}: {log}, not {time(tick)}"
        for key, value in message.items():
            assert fits(value, schemas[topic]["properties"][key]), f"{path}: {key}: {value}"
    assert file.metadata["ticklog"]["run_id"] == info["run_id"]
    assert file.metadata["ticklog"]["tick_ns"] == str(info["tick_ns"])
    assert ("ticklog.loss" in file.metadata) == any(s["stream"] == "ticklog.loss" for source in sources for s in source)
    return file, error


def runs(paths):
    count = messages = 0
    for path in paths:
        path = path.rstrip("/")
        out = os.path.join(work, "run.mcap")
        code = run("convert", path, out, code=(0, 1, 3))[2]
        assert os.path.exists(out) == (code == 0)
        if code != 0:
            continue
        os.remove(out)
        lengths = []
        for options in ([], ["--compression", "none"], ["--chunk-bytes", "1024"], ["--compression", "none", "--chunk-bytes", "2000"]):
            file, _ = compare(path, out, "--force", *options)
            lengths.append(len(file.own))
            size = int(options[options.index("--chunk-bytes") + 1]) if "--chunk-bytes" in options else 1 << 20
            for chunk in file.chunks[:-1]:
                assert chunk["size"] >= size
            if "--chunk-bytes" in options and len(file.own) > 100:
                assert len(file.chunks) > 3
        os.remove(out)
        count += 1
        messages += lengths[0]
    assert count > 20, count
    print(f"{count} runs, {messages} messages")


def demo():
    for kind in ("bcsv", "dlf"):
        directory = os.path.join(work, "demo-" + kind)
        run("demo", "--seconds", "1", "--out", directory, "--format", kind)
        for name in os.listdir(directory):
            file, _ = compare(os.path.join(directory, name), os.path.join(work, "demo.mcap"), "--force")
            assert len(file.own) > 100
            out, _, _ = run("convert", os.path.join(directory, name), "-", "--to", "mcap")
            assert out == open(os.path.join(work, "demo.mcap"), "rb").read()
    print("two runs of demo")


def table(text, *options, name="t.csv", code=0):
    path, out = os.path.join(work, name), os.path.join(work, "t.mcap")
    open(path, "wb").write(text if isinstance(text, bytes) else text.encode())
    if os.path.exists(out):
        os.remove(out)
    _, error, _ = run("convert", path, out, *options, code=code)
    if code != 0:
        assert not os.path.exists(out)
        return error
    return read(out), error


def rows(file):
    return [(t, parse(d)) for _, _, t, d in file.own]


def tables(seed):
    seed = int(seed) if seed else random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    file, _ = table('tick,a,s,ok\n1,0.5,"x""y",true\n2,nan,\u00e9\u0001,false\n3,-inf,,true\n')
    assert rows(file) == [
        (1000000, {"tick": ("int", "1"), "a": ("float", "0.5"), "s": 'x"y', "ok": True}),
        (2000000, {"tick": ("int", "2"), "s": "\u00e9\x01", "ok": False}),
        (3000000, {"tick": ("int", "3"), "s": "", "ok": True})], rows(file)
    assert [c[1] for c in file.channels.values()] == ["t"]
    file, _ = table("tick,a\n1,-5\n300,7\n", "--tick-ns", "1000", "--epoch-ns", "1700000000000000000")
    assert [r[0] for r in rows(file)] == [1700000000000001000, 1700000000000300000]
    file, _ = table("time,a\n0.5,1\n2,3\n")
    assert [r[0] for r in rows(file)] == [500000000, 2000000000]
    file, _ = table("tick,time_ns,time\n5,17,1\n", name="a.b.csv")
    assert [r[0] for r in rows(file)] == [17] and file.channels[1][1] == "a.b"
    file, _ = table('{"time":3,"v":18446744073709551615}\n{"time":1,"v":0}\n', name="t.jsonl")
    assert [r[0] for r in rows(file)] == [3000000000, 1000000000] and rows(file)[0][1]["v"] == ("int", "18446744073709551615")
    file, error = table(b"tick,s\n1,a\xff\n", name="bad.csv")
    assert rows(file)[0][1]["s"] == "a\ufffd" and "1 strings are no UTF-8" in error
    file, _ = table("tick,a\n", "--types", "tick:u64,a:u8")
    assert rows(file) == [] and len(file.channels) == 1 and file.chunks == []
    assert "no column" in table("x,y\n1,2\n", code=1)
    assert "found -1" in table("tick,y\n-1,2\n", code=1)
    assert "found nan" in table("time,y\nnan,2\n0.5,1\n", code=1)
    assert "found 18446744073709551615" in table("time_ns,y\n18446744073709551615,2\n", code=1)
    # Every type, several chunks, frames of one block and of several.
    names = ["tick", "f", "d", "i", "u", "t", "b"]
    lines = []
    for i in range(10000):
        f = struct.unpack("<f", rng.randbytes(4))[0]
        d = struct.unpack("<d", rng.randbytes(8))[0]
        text = "".join(rng.choices("ab\u00fc\U0001f600,\"", k=rng.randrange(400)))
        lines.append([str(i), repr(f) if math.isfinite(f) else "nan", repr(d) if math.isfinite(d) else "inf", str(rng.randrange(-2**63, 2**63)),
                      str(rng.randrange(2**64)), '"%s"' % text.replace('"', '""'), rng.choice(["true", "false"])])
    text = ",".join(names) + "\n" + "".join(",".join(line) + "\n" for line in lines)
    types = "tick:u32,f:f32,d:f64,i:i64,u:u64,t:string,b:bool"
    wanted = [parse(line) for line in run("convert", "-", "-", "--to", "jsonl", "--types", types, data=text.encode())[0].splitlines()]
    wanted = [{k: v for k, v in line.items() if k not in "fd" or isinstance(v, tuple)} for line in wanted]
    for options in ([], ["--chunk-bytes", str(100 << 10)], ["--chunk-bytes", str(6 << 20)], ["--compression", "none"]):
        file, _ = table(text, "--types", types, *options)
        assert [r[1] for r in rows(file)] == wanted
        if "6291456" in options:
            assert len(file.chunks) == 1 and file.chunks[0]["size"] > 4 << 20
    print(f"{len(wanted)} rows in four ways")


def bad():
    source = os.path.join(os.path.dirname(__file__), "../Vectors/runs/format-1")
    out = os.path.join(work, "out", "x.mcap")
    os.mkdir(os.path.dirname(out))

    def nothing():
        assert os.listdir(os.path.dirname(out)) == [], os.listdir(os.path.dirname(out))

    for name, damaged in (("zoh", "polled.bcsv"), ("rolled", "event.bcsv"), ("dlf", "meta.dlf"), ("v13", "streams.bcsv")):
        copy = os.path.join(work, "bad-" + name)
        shutil.copytree(os.path.join(source, name), copy)
        path = os.path.join(copy, damaged)
        data = bytearray(open(path, "rb").read())
        data[len(data) // 2 if damaged != "meta.dlf" else 1] ^= 0x55
        open(path, "wb").write(data)
        _, error, _ = run("convert", copy, out, code=1)
        assert damaged.split(".")[0] in error or "found" in error
        nothing()
        if damaged in ("polled.bcsv", "event.bcsv"):
            compare(copy, out, "--salvage", code=1)
            os.remove(out)
    run("convert", os.path.join(source, "zoh"), out)
    before = open(out, "rb").read()
    run("convert", os.path.join(source, "losses"), out, code=2)
    run("convert", os.path.join(work, "bad-zoh"), out, "--force", code=1)
    assert open(out, "rb").read() == before
    run("convert", os.path.join(source, "losses"), out, "--force")
    assert open(out, "rb").read() != before
    os.remove(out)
    for options in (["--events"], ["--page-bytes", "4096"], ["--compression", "zstd"], ["--chunk-bytes", "5"], ["--tick-ns", "5"],
                    ["--format", "dlf", "--to", "mcap"]):
        run("convert", os.path.join(source, "zoh"), out, *options, code=2)
    run("convert", os.path.join(source, "zoh"), os.path.join(work, "x.csv"), "--chunk-bytes", "4096", code=2)
    run("convert", os.path.join(source, "zoh"), os.path.join(work, "none", "x.mcap"), code=3)
    nothing()
    with open("/dev/full", "wb") as full:
        run("convert", os.path.join(source, "zoh"), "-", "--to", "mcap", code=3, out=full)
    print("damaged runs, refusals")


def cuts():
    source, out = os.path.join(work, "cut.csv"), os.path.join(work, "cut.mcap")
    with open(source, "w") as file:
        file.write("tick,value\n" + "".join(f"{i},{i * i / 4}\n" for i in range(60)))
    for compression in ("lz4", "none"):
        run("convert", source, out, "--compression", compression, "--chunk-bytes", "1024", "--force")
        data = open(out, "rb").read()

        def messages(data):
            found = []
            try:
                for _, channel, m in NonSeekingReader(io.BytesIO(data), validate_crcs=True).iter_messages(log_time_order=False):
                    found.append((channel.topic, m.sequence, m.log_time, m.data))
            except Exception as error:  # of the package, of lz4, or of struct
                return found, error
            return found, None

        whole, error = messages(data)
        assert error is None and len(whole) == 60
        summary = int.from_bytes(data[-28:-20], "little")
        for cut in range(len(data)):
            found, _ = messages(data[:cut])
            assert found == whole[:len(found)], f"{compression}, cut at {cut}: other messages"
            try:
                SeekingReader(io.BytesIO(data[:cut]), validate_crcs=True).get_summary()
                raise SystemExit(f"{compression}, cut at {cut}: a summary")
            except Exception:
                pass
        for at in range(len(data)):
            changed = bytearray(data)
            changed[at] ^= 1 << at % 8
            found, error = messages(bytes(changed))
            # An opcode that has become another one is passed over by that reader, or ends the file; the summary it does not check.
            assert error is not None or at >= summary or set(found) <= set(whole), f"{compression}, bit changed at {at}: other messages"
            try:
                walk(bytes(changed))
                raise SystemExit(f"{compression}, bit changed at {at}: not seen")
            except Exception:
                pass
        print(f"{compression}: {len(data)} cuts")


{"runs": lambda: runs(rest), "demo": demo, "tables": lambda: tables(rest[0] if rest else ""), "bad": bad, "cuts": cuts}[what]()
