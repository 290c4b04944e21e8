"""The reports of the C functions are those of the command: the same bytes, and the status that its exit code means. Repairs
leave the same files.   check.py COMMAND SEED FEW PROGRAM...

FEW: so many of the vectors' files only; 0: all."""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

command, seed, few, program = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
rng = random.Random(seed)
vectors = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors")
work = tempfile.mkdtemp()
checks = failures = 0
REFUSED, DAMAGED = (-40,), (-41, -42)


def complain(text):
    global failures
    failures += 1
    print("report: " + text, file=sys.stderr)


def ran(*words):
    done = subprocess.run([command, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def tree(*paths):
    """The files at these paths, by name."""
    found = []
    for path in paths:
        if os.path.isfile(path):
            found.append((path, hashlib.sha1(open(path, "rb").read()).hexdigest()))
        for folder, _, names in sorted(os.walk(path)):
            found += [(os.path.join(folder, n), hashlib.sha1(open(os.path.join(folder, n), "rb").read()).hexdigest()) for n in sorted(names)]
    return found


def remove(*paths):
    for path in paths:
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.remove(path)


def copy(path, to):
    shutil.copytree(path, to) if os.path.isdir(path) else shutil.copy(path, to)


def make_damaged(files):
    """Cut, flipped and patched copies."""
    made = []
    for i, path in enumerate(files):
        data = bytearray(open(path, "rb").read())
        if not data:
            continue
        for how in "cut", "flip", "insert":
            spoiled = bytearray(data)
            at = rng.randrange(len(data))
            if how == "cut":
                del spoiled[at:]
            elif how == "flip":
                spoiled[at] ^= 1 << rng.randrange(8)
            else:
                spoiled[at:at] = rng.randbytes(rng.randrange(1, 40))
            name = os.path.join(work, "%d-%s-%s" % (i, how, os.path.basename(path)))
            open(name, "wb").write(spoiled)
            made.append(name)
    return made


class Functions:
    def __init__(self, path):
        self.process = subprocess.Popen([*program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words):
        self.process.stdin.write(b" ".join(os.fsencode(str(word)) for word in words) + b"\n")
        self.process.stdin.flush()
        head = self.process.stdout.readline().split()
        if len(head) != 2:
            raise SystemExit("report: the program ended at %r" % (words,))
        return int(head[0]), self.process.stdout.read(int(head[1]))

    def end(self):
        self.process.stdin.close()
        if self.process.wait(timeout=30) != 0:
            complain("the program itself has failed")


def means(code, status):
    return {0: status == 0, 1: status in REFUSED + DAMAGED, 3: status < 0 and status not in REFUSED + DAMAGED}.get(code, False)


def same(what, by_command, by_function, prefix):
    global checks
    checks += 1
    code, out, errors = by_command
    status, text = by_function
    if code == 2 and status == -7:  # wrong usage
        return
    if not means(code, status):
        return complain("%s: exit code %d, status %d" % (what, code, status))
    if out:
        if out != text:
            complain("%s: the command says\n%r\nthe function\n%r" % (what, out, text))
        return
    told = json.loads(text)
    expected = errors.decode(errors="replace").rstrip("\n")
    if sorted(told) != ["error", "offset", "path"] or prefix + told["error"] != expected:
        complain("%s: the command says\n%s\nthe function\n%s" % (what, expected, text))


def report(functions, path):
    same("info %s" % path, ran("info", "--json", path), functions.ask("info", path), "ticklog: ")
    same("validate %s" % path, ran("validate", "--json", path), functions.ask("validate", path), "ticklog: ")


META = {"path", "kind", "size", "version", "row_codec", "file_codec", "level", "packet_limit", "created", "columns", "format", "run_format",
        "run_id", "ticklog_version", "epoch_ns", "start", "tick_ns", "closed", "user", "metadata_hex", "streams", "packet_kind",
        "compressed", "type", "metadata_bytes"}


def meta(functions, path):
    """What info tells as well, as far as it needs no samples."""
    global checks
    checks += 1
    (code, info_text), (status, text) = functions.ask("info", path), functions.ask("meta", path)
    told, info = json.loads(text), json.loads(info_text)
    if "error" in told or "error" in info:
        if (status, told) != (code, info):
            complain("meta %s: %r, info %r" % (path, told, info))
        return
    expected = {key: value for key, value in info.items() if key in META}
    if info["kind"] == "frames":
        del expected["streams"]
    if info["kind"].startswith("dlf-") and info["kind"] != "dlf-meta":
        expected.pop("closed")
    elif info["kind"] == "bcsv":
        expected.pop("closed")
    for stream in expected.get("streams", []):
        stream.pop("samples", None)
        if "type" not in stream:
            # Where one of the files cannot be read, info does not count.
            for other in told["streams"]:
                for key in ("type", "sample_bytes", "interval_s", "phase_s"):
                    other.pop(key, None)
    for damage in told.pop("damage", []):
        if damage not in info["damage"]:
            complain("meta %s: %r, which info does not have" % (path, damage))
    if told != expected or (status != 0 and code == 0):
        complain("meta %s: %d\n%r\nexpected %d\n%r" % (path, status, told, code, expected))


def check_meta_reads_no_samples(functions):
    """Samples that are spoiled are no damage to it; streams that are, are."""
    global checks
    for kind, name in ("bcsv", "polled.bcsv"), ("dlf", "event.dlf"):
        run = demo(kind, "meta-" + kind)
        before = functions.ask("meta", run)
        path = os.path.join(run, name)
        data = bytearray(open(path, "rb").read())
        for at in range(len(data) - 200, len(data) - 60):
            data[at] ^= 0x55
        open(path, "wb").write(data)
        checks += 1
        if before[0] != 0 or functions.ask("meta", run) != before:
            complain("meta of %s: %r, with other samples %r" % (run, before, functions.ask("meta", run)))
        if functions.ask("info", run)[0] != -41:
            complain("info of %s with other samples: expected DAMAGED" % run)
    for name, damage in ("streams.bcsv", True), ("polled.bcsv", False):
        other = os.path.join(work, "meta-without")
        remove(other)
        copy(os.path.join(work, "meta-bcsv"), other)
        os.remove(os.path.join(other, name))
        status, text = functions.ask("meta", other)
        checks += 1
        if status != -41 or name.split(".")[0] not in json.loads(text)["damage"][0]["text"]:
            complain("meta without %s: %d %r" % (name, status, text))


def demo(kind, name):
    """A run of some files that are larger than a few pages."""
    folder = os.path.join(work, "demo-" + name)
    code, _, error = ran("demo", "--seconds", "5", "--out", folder, "--format", kind)
    if code != 0:
        raise SystemExit("report: ticklog demo: %r" % error)
    run = os.path.join(work, name)
    os.rename(os.path.join(folder, os.listdir(folder)[0]), run)
    return run


SHORTER = "found a file that became shorter while it was read"


def check_shrinking(functions):
    """Each file that a call maps is cut right behind: an answer, no signal, and no file made of what is missing."""
    global checks
    csv = os.path.join(work, "shrink.csv")
    with open(csv, "w") as file:
        file.write("a,b\n" + "".join("%d,%d\n" % (i, i * i) for i in range(20000)))
    bcsv, frames = os.path.join(work, "shrink.bcsv"), os.path.join(work, "shrink.dat")
    if ran("convert", csv, bcsv, "--packet-size", "4096")[0] != 0:
        return complain("ticklog convert")
    if ran("send", "--file", frames, "--channels", "1", "--count", "3000")[0] != 0:
        return complain("ticklog send --file")
    originals = [bcsv, frames, demo("bcsv", "shrink-bcsv"), demo("dlf", "shrink-dlf")]
    here, out = os.path.join(work, "shrinking"), os.path.join(work, "out")
    beside = [os.path.join(work, name) for name in ("shrinking", "shrinking.orig", "out", "out.part")]
    for original in originals:
        for words in ("info", here), ("validate", here), ("repair", 0, out, here), ("repair", 0, "-", here):
            found = number = 0
            while number < 60:
                number += 1
                for bytes_left in 0, 5000:
                    remove(*beside)
                    copy(original, here)
                    functions.ask("cut", number, bytes_left)
                    status, text = functions.ask(*words)
                    came = functions.ask("cut", 0, 0)[0]
                    checks += 1
                    told = json.loads(text)
                    what = "%s of %s, file %d cut to %d: %d %r" % (words[0], original, number, bytes_left, status, text[:300])
                    if SHORTER in told.get("error", ""):
                        found += 1
                        if status != -41 or sorted(told) != ["error", "offset", "path"]:
                            complain(what)
                        if os.path.exists(out) or os.path.exists(out + ".part") or (os.path.isfile(here) and os.path.exists(here + ".orig")):
                            complain(what + ": it has made a file")
                    if [name for name in os.listdir(work) if name.startswith(".ticklog")]:
                        complain(what + ": it has left a file")
                if not came:
                    break
            # Of polled DLF data info reads nothing; frames are found twice.
            if found == 0:
                complain("%s of %s: no file that became shorter was noticed in %d" % (words[0], original, number))
    remove(*beside)


def repair(functions, path):
    global checks
    here = os.path.join(work, "here" + os.path.basename(path))
    out = os.path.join(work, "out")
    beside = (here, here + ".orig", here + ".repaired", out, out + ".part")
    for flags, words, to in ((0, ["-o", out], out), (1, ["-o", out, "--keep-unverified"], out),
                             (2, [], here + ".repaired"), (0, ["--in-place"], "-")):
        results = []
        for run in (lambda: ran("repair", "--json", *words, here), lambda: functions.ask("repair", flags, to, here)):
            remove(*beside)
            copy(path, here)
            results += [run(), tree(*beside)]
        same("repair %s (%d %s)" % (path, flags, to), results[0], results[2], "ticklog repair: ")
        checks += 1
        if results[1] != results[3]:
            complain("repair %s (%d %s): other files" % (path, flags, to))
    remove(*beside)


def check_append_only(functions):
    """tick_span stays 0 where storage can only append: loss.dlf tells such a run from one that overflowed."""
    global checks
    run = os.path.join(work, "append")
    if ran("demo", "--seconds", "1", "--out", run, "--format", "dlf")[0] != 0:
        return complain("ticklog demo")
    run = os.path.join(run, os.listdir(run)[0])
    names = ["polled.dlf", "event.dlf", "loss.dlf"]
    for zeroed, sound in ((3, True), (1, False)):
        other = os.path.join(work, "append%d" % zeroed)
        copy(run, other)
        for name in names[:zeroed]:
            with open(os.path.join(other, name), "r+b") as file:
                file.seek(3)
                file.write(bytes(8))
        status, text = functions.ask("validate", other)
        told = json.loads(text)
        checks += 1
        if (status == 0, told["sound"], told["closed"]) != (sound, sound, sound) or (sound and "tick_span 0" not in told["notes"][0]["text"]):
            complain("validate of a run with tick_span 0 in %d files: %r" % (zeroed, text))
        report(functions, other)
        repair(functions, other)
    os.remove(os.path.join(work, "append3", "loss.dlf"))
    checks += 1
    if functions.ask("validate", os.path.join(work, "append3"))[0] != -41:
        complain("validate of a run with tick_span 0 and no loss.dlf: expected DAMAGED")


def main():
    files = [os.path.join(f, n) for f, _, names in sorted(os.walk(vectors)) for n in sorted(names)
             if n.split(".")[-1] in ("bcsv", "dat", "gz", "dlf", "tar", "bin", "log")]
    runs = [os.path.join(vectors, "dlf", n) for n in sorted(os.listdir(os.path.join(vectors, "dlf")))]
    if few:
        files, runs = rng.sample(files, few), rng.sample(runs, min(few, len(runs)))
    damaged = make_damaged(rng.sample(files, min(len(files), few or 60)))
    odd = {name: os.path.join(work, name) for name in ("empty", 'a "b"\\c', "\u00e4\u20ac", "huge", "pipe", "empty directory")}
    for name in list(odd)[:3]:
        open(odd[name], "wb").write(b"" if name == "empty" else b"BCSVxx")
    with open(odd["huge"], "wb") as file:
        file.truncate(1 << 40)
    os.mkfifo(odd["pipe"])
    os.mkdir(odd["empty directory"])
    forbidden = os.path.join(work, "forbidden")
    open(forbidden, "wb").write(b"BCSV")
    os.chmod(forbidden, 0)
    specials = [*odd.values(), forbidden, "", "/", ".", "/dev/null", "/dev/zero", "/nothing/there", odd["empty"] + "/x", "x" * 5000]
    functions = Functions(files[0])
    for path in files + runs + damaged + specials:
        report(functions, path)
        meta(functions, path)
    for path in rng.sample(files, min(len(files), 25)) + runs + damaged[:: 3 if few else 2]:
        repair(functions, path)
    check_append_only(functions)
    check_meta_reads_no_samples(functions)
    if not few:
        check_shrinking(functions)
    functions.end()
    print("report: %d compared, %d failures (seed %d)" % (checks, failures, seed))


try:
    main()
finally:
    remove(work)
sys.exit(failures != 0)
