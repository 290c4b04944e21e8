"""The C reader and the command on runs as dlflib writes them: the vectors, and those that dlf_vectors.py makes.

    vectors.py READER WORK [TICKLOG]

READER is Tests/dlf/read.c. Without TICKLOG the command is left out.
"""
import glob
import json
import os
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python"))
import check  # noqa: E402
import dlf  # noqa: E402
import dlf_vectors  # noqa: E402
import test_dlf  # noqa: E402


def refused(work):
    for name, _, data in dlf_vectors.refused():
        path = os.path.join(work, "refused_" + name)
        with open(path, "wb") as f:
            f.write(data)
        yield path, None


def logs(directory):
    for kind, part in enumerate(("polled", "event")):
        path = os.path.join(directory, part + ".dlf")
        with open(path, "rb") as f:
            data = f.read()
        try:
            yield path, dlf.Log(data, kind)
        except dlf.Damage:
            yield path, None


def command(ticklog, directory):
    """`cat --samples` against expected.json (CLI.md)."""
    with open(os.path.join(directory, "expected.json"), encoding="utf-8") as f:
        expected = json.load(f)
    for part, options in (("polled", []), ("event", ["--events"])):
        e = expected[part]
        out = subprocess.run([ticklog, "cat", "--samples", *options, directory], capture_output=True, timeout=60)
        if out.returncode not in (0, 1):
            yield "%s: cat of %s: exit %d: %s" % (directory, part, out.returncode, out.stderr[-300:])
            continue
        found = [json.loads(line) for line in out.stdout.decode("utf-8", "replace").splitlines()]
        if "streams" not in e:
            if found:
                yield "%s: cat of %s tells of samples where there are none" % (directory, part)
            continue
        if len(found) != e["check"]["complete_samples"]:
            yield "%s: cat of %s: %d samples, not %d: %s" % (directory, part, len(found), e["check"]["complete_samples"], out.stderr[-200:])
            continue
        if out.returncode != (1 if e["check"].get("error") else 0):
            yield "%s: cat of %s: exit %d: %s" % (directory, part, out.returncode, out.stderr[-200:])
        for line, s in zip(found, e["samples"]):
            stream = e["streams"][s["i"]]
            name = stream["id"] if "id_hex" not in stream else bytes.fromhex(stream["id_hex"]).decode("utf-8", "replace")
            value = line.get("value")
            if isinstance(value, bool):
                value = int(value)
            bad = None
            if (line["stream"], line["tick"]) != (name, s["tick"]):
                bad = "stream or tick"
            elif s["v"] is None or s["v"] == {} and "hex" in line:
                bad = None if line.get("hex") == s["hex"] else "hex"
            elif not same(value, s["v"]):
                bad = "value"
            if bad:
                yield "%s: cat of %s: %s: %s, not %s" % (directory, part, bad, json.dumps(line)[:200], json.dumps(s)[:200])
                break


def same(v, want):
    if isinstance(want, dict):
        return isinstance(v, dict) and v.keys() == want.keys() and all(same(v[k], want[k]) for k in want)
    if isinstance(v, bool):
        v = int(v)
    if isinstance(want, float) or want in ("nan", "inf", "-inf"):
        v, want = float(v), float(want)
        return v == want or (v != v and want != want) or struct.pack("<f", v) == struct.pack("<f", want)
    return v == want or str(v) == str(want)


def main(reader, work, ticklog=None):
    made = os.path.join(work, "made")
    dlf_vectors.write(made)
    directories = sorted(glob.glob(os.path.join(test_dlf.VECTORS, "*"))) + sorted(glob.glob(made + "/*"))
    files = [x for d in directories for x in logs(d)] + list(refused(work)) + list(missing(work))
    wrong = check.compare(reader, files)
    if ticklog:
        wrong += [w for d in directories for w in command(ticklog, d)]
    for line in wrong[:40]:
        print(line)
    print("%d runs, %d files, %d wrong" % (len(directories), len(files), len(wrong)))
    return 1 if wrong else 0


def missing(work):
    """Notes of a null pointer, of the revision that wrote nothing for them."""
    for n, notes in enumerate((["", None, "n", None], [None] * 4)):
        streams = [dlf_vectors.poll("a", "uint8_t", 3, 1, notes[0]), dlf_vectors.poll("g", dlf_vectors.GPS, 2, 1, notes[1], dlf_vectors.gps, 20),
                   dlf_vectors.watch("m", "int32_t", notes=notes[2]), dlf_vectors.watch("d", "double", notes=notes[3])]
        run = dlf_vectors.encode(streams, 9, null_notes=b"")
        for kind, part in enumerate(("polled", "event")):
            path = os.path.join(work, "missing_%d_%s" % (n, part))
            with open(path, "wb") as f:
                f.write(run.files[part + ".dlf"])
            yield path, dlf.Log(run.files[part + ".dlf"], kind)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
