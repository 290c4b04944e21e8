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
             if n.split(".")[-1] in ("bcsv", "dat", "gz", "dlf", "tar", "bin")]
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
    for path in rng.sample(files, min(len(files), 25)) + runs + damaged[:: 3 if few else 2]:
        repair(functions, path)
    check_append_only(functions)
    functions.end()
    print("report: %d compared, %d failures (seed %d)" % (checks, failures, seed))


try:
    main()
finally:
    remove(work)
sys.exit(failures != 0)
