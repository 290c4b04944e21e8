"""Plots and tail: what is in the pictures is looked for in the pictures.   check.py COMMAND NO-INOTIFY.SO [pin]"""
import math
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
import zlib

import numpy
import pybcsv

for folder in ("receive", "serve"):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", folder))
import frames
import model

command, no_inotify, pin = sys.argv[1], sys.argv[2], sys.argv[3:] == ["pin"]
vectors = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors")
runs = os.path.join(vectors, "runs", "format-1")
work = tempfile.mkdtemp()
checks = failures = 0
SVG = "{http://www.w3.org/2000/svg}"


def check(truth, text):
    global checks, failures
    checks += 1
    if not truth:
        failures += 1
        print("plot: " + text, file=sys.stderr)


def ran(*words, code=0, **environment):
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES", "LC_ALL", "LC_CTYPE", "LANG")}
    done = subprocess.run([command, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                          env={**clean, "LANG": "C.UTF-8", **environment})
    check(done.returncode == code, "%s: exit code %d, expected %d: %s" % (" ".join(words), done.returncode, code, done.stderr[:300]))
    return done


def written(name, text):
    path = os.path.join(work, name)
    with open(path, "w") as file:
        file.write(text)
    return path


class Picture:
    """A PNG of colour numbers, decoded, every checksum checked."""

    def __init__(self, path):
        data = open(path, "rb").read()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        at, parts = 8, {}
        while at < len(data):
            size, name = struct.unpack(">I4s", data[at:at + 8])
            body = data[at + 8:at + 8 + size]
            assert struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0] == zlib.crc32(name + body), name
            parts[name] = parts.get(name, b"") + body
            at += 12 + size
        assert at == len(data) and name == b"IEND"
        self.width, self.height, depth, kind, a, b, c = struct.unpack(">IIBBBBB", parts[b"IHDR"])
        assert (depth, kind, a, b, c) == (8, 3, 0, 0, 0)
        raw = zlib.decompress(parts[b"IDAT"])
        assert len(raw) == (self.width + 1) * self.height
        rows = numpy.frombuffer(raw, numpy.uint8).reshape(self.height, self.width + 1)
        assert not rows[:, 0].any()
        self.rows = rows[:, 1:]
        assert self.rows.max() < len(parts[b"PLTE"]) // 3


def plot(path, kind, *words, code=0):
    out = os.path.join(work, "out." + kind)
    done = ran("plot", path, "-o", out, "--force", *words, code=code)
    if code == 0:
        again = os.path.join(work, "again." + kind)
        ran("plot", path, "-o", again, "--force", *words)
        check(open(out, "rb").read() == open(again, "rb").read(), "%s: the same rows made different bytes" % path)
    return Picture(out) if kind == "png" else ElementTree.parse(out).getroot(), done


def lines(svg):
    """The lines of a picture: name, and pieces of points that are joined."""
    found = {}
    for path in svg.iter(SVG + "path"):
        if path.get("class") != "series":
            continue
        pieces, x, y = [], 0, 0
        for letter, numbers in re.findall(r"([MLHVh])([^MLHVh]*)", path.get("d")):
            numbers = [float(n) for n in numbers.split()]
            if letter in "ML":
                x, y = numbers
            elif letter == "H":
                x = numbers[0]
            elif letter == "V":
                y = numbers[0]
            if letter == "M":
                pieces.append([])
            pieces[-1].append((x, y))
        found[path.find(SVG + "title").text] = pieces
    return found


def texts(svg):
    return [text.text for text in svg.iter(SVG + "text")]


def spikes():
    for place, count in ((7_654_321, 10_000_000), (0, 200_000), (1, 200_000), (99_999, 200_000), (123_457, 200_000), (199_999, 200_000)):
        values = numpy.zeros(count, numpy.float32)
        values[place] = 1
        path = os.path.join(work, "spike.bcsv")
        pybcsv.write_columns(path, {"v": values}, ["v"], [pybcsv.FLOAT], row_codec="zoh", compression_level=0)
        out = os.path.join(work, "spike.svg")
        ran("plot", path, "-o", out, "--force")
        points = [p for piece in lines(ElementTree.parse(out).getroot())["v"] for p in piece]
        top = min(y for _, y in points)
        bottom = max(y for _, y in points)
        at = [x for x, y in points if y == top]
        left, right = min(x for x, _ in points), max(x for x, _ in points)
        check(bottom - top > 50, "spike at %d: not there" % place)
        check(abs((at[0] - left) / (right - left) - place / count) < 0.002, "spike at %d: at %r of %r to %r" % (place, at, left, right))
        if place == 123_457:
            png, _ = plot(path, "png")
            rows = numpy.where((png.rows == 5).any(axis=1))[0]
            rows = [row for row in rows if row > 100]
            columns = numpy.where((png.rows == 5)[rows[len(rows) // 2]])[0]
            check(1 <= len(columns) <= 3, "spike: %d pixels wide in the PNG" % len(columns))
            shown = ran("plot", path, "--width", "80", "--height", "20").stdout.decode()
            check(sum(any("\u2800" < c <= "\u28FF" for c in line) for line in shown.splitlines()) > 10, "spike: not in the terminal")


def gaps():
    rows = ["tick,v,w"] + ["%d,%s,%d" % (i, "nan" if 300 <= i < 500 else "inf" if i == 700 else "-inf" if i == 800 else i % 10, i) for i in range(1000)]
    svg, _ = plot(written("gaps.csv", "\n".join(rows) + "\n"), "svg")
    pieces = lines(svg)["v"]
    joined = [(piece[0][0], piece[-1][0]) for piece in pieces if len(piece) > 2]
    x = [p[0] for piece in lines(svg)["w"] for p in piece]
    where = lambda tick: min(x) + (max(x) - min(x)) * tick / 999
    check(len(lines(svg)["w"]) == 1, "a whole column is in pieces")
    for tick in (310, 400, 490, 700, 800):
        check(not any(a < where(tick) < b for a, b in joined), "tick %d: a line goes over a gap" % tick)
    for tick in (10, 290, 510, 690, 710):
        check(any(a < where(tick) < b for a, b in joined), "tick %d: no line" % tick)
    check(any(abs(piece[0][0] - where(700)) < 1 and len(piece) == 2 for piece in pieces), "no mark of inf")
    lonely = "v\n" + "\n".join("nan" if i != 5 else "3" for i in range(11)) + "\n"
    svg, _ = plot(written("lonely.csv", lonely), "svg")
    check("h0" in ElementTree.tostring(svg).decode(), "a single value is not there")


def losses():
    for name in ("losses", "dlf-losses"):
        svg, _ = plot(os.path.join(runs, name), "svg")
        shaded = [r for r in svg.iter(SVG + "rect") if r.get("class") == "loss"]
        check(len(shaded) > 5, "%s: nothing is shaded" % name)
        # No line stands in what is shaded, where that is wide.
        for rect in shaded:
            x, y, width, height = (float(rect.get(k)) for k in ("x", "y", "width", "height"))
            if width < 30 or height < 30:
                continue
            for series, pieces in lines(svg).items():
                for piece in pieces:
                    inside = [p for p in piece if x + 3 < p[0] < x + width - 3 and y <= p[1] <= y + height]
                    if name == "dlf-losses":
                        check(not inside, "%s: %s is drawn where it was lost" % (name, series))
        png, _ = plot(os.path.join(runs, name), "png")
        check((png.rows == 4).sum() > 500, "%s: nothing is shaded in the PNG" % name)
    svg, _ = plot(os.path.join(runs, "flat"), "svg")
    check("time (UTC)" in texts(svg) and "2026-01-01" in texts(svg), "no dates: %r" % texts(svg))
    check(any("[V]" in t for t in texts(svg)), "no units")


def windows():
    run = os.path.join(runs, "flat")
    whole = ran("cat", run, "--columns", "tick").stdout.split()[1:]
    first, last = int(whole[0]), int(whole[-1])
    middle = (first + last) // 2
    a, _ = plot(run, "svg", "--from", str(middle), "--columns", "adc.volts")
    b, _ = plot(run, "svg", "--columns", "adc.volts")
    count = lambda svg: sum(len(piece) for pieces in lines(svg).values() for piece in pieces)
    check(0 < count(a) < count(b), "a window has %d points of %d" % (count(a), count(b)))
    for words in (["--from", "0.5s", "--to", "1s"], ["--from", "2026-01-01T00:00:00.5Z"]):
        check(0 < count(plot(run, "svg", "--columns", "adc.volts", *words)[0]) < count(b), "%r: no window" % words)
    # Before a window nothing is looked at, neither within a file nor in the files before.
    many = os.path.join(work, "many")
    ran("convert", run, many + "/", "--format", "bcsv", "--packet-size", "512", "--row-codec", "flat", "--file-codec", "packet")
    rolled = os.path.join(work, "spoiled")
    shutil.copytree(os.path.join(runs, "rolled"), rolled)
    for path, start in ((many, "90"), (rolled, "90")):
        polled = os.path.join(path, "polled.bcsv")
        sound = open(polled, "rb").read()
        wanted = plot(path, "svg", "--from", start)[0]
        check(lines(wanted), "%s --from %s: nothing" % (path, start))
        for place in (len(sound) // 4, len(sound) // 3):
            spoiled = bytearray(sound)
            spoiled[place] ^= 1
            open(polled, "wb").write(spoiled)
            ran("plot", path, code=1)
            check(lines(plot(path, "svg", "--from", start)[0]) == lines(wanted), "%s --from %s: damage before it changes it" % (path, start))
        open(polled, "wb").write(sound)
    for words in (["--from", "x"], ["--from", "9", "--to", "3"], ["--columns", "nothing"], ["--stream", "nothing"], ["--size", "1x1"],
                  ["--size", "99999x99999"], ["--x", "nothing"], ["--force"], ["-o", "x.gif"], ["--width", "3"], ["--x", "tick", "--from", "3"]):
        ran("plot", run, *words, code=2)
    by = written("by.csv", "a,b\n" + "".join("%g,%g\n" % (math.cos(i) * 1e-3, i) for i in range(2000)))
    svg, _ = plot(by, "svg", "--x", "a")
    check(texts(svg).count("a") == 1 and list(lines(svg)) == ["b"], "--x: %r" % list(lines(svg)))
    left = "\n".join([",".join("c%d" % i for i in range(20)), ",".join("1" for _ in range(20))]) + "\n"
    done = ran("plot", written("many.csv", left))
    check(b"c8, c9" in done.stderr and b"c19" in done.stderr, "what is left out is not said")


def hostile():
    name = '"<a href=""x"">&\'</svg>]]>\x1b[2J","é µΩ°²"'
    svg, _ = plot(written("na<me&.csv", name + "\n1,2\n2,3\n"), "svg")
    check(any("</svg>" in text and "\x1b" not in text for text in lines(svg)), "names: %r" % list(lines(svg)))
    plot(os.path.join(work, "na<me&.csv"), "png")
    shown = ran("plot", os.path.join(work, "na<me&.csv")).stdout
    check(b"\x1b" not in shown and b"\\x1b" in shown, "a control character goes to the terminal")
    bad = {
        "text.csv": "a,b\nx,y\nz,w\n", "empty.csv": "", "empty.bcsv": "", "none.jsonl": "\n", "header.csv": "a\n",
    }
    for file, content in bad.items():
        path = written(file, content)
        out = os.path.join(work, "never.svg")
        ran("plot", path, "-o", out, code=1)
        check(not os.path.exists(out), "%s: a picture of nothing" % file)
    ran("plot", os.path.join(work, "missing"), code=3)
    good = {
        "one.csv": "a\n5\n", "two.csv": "a\n5\n5\n", "nan.csv": "a\nnan\nnan\n", "inf.csv": "a\ninf\n-inf\n",
        "huge.csv": "a\n1.7976931348623157e308\n-1.7976931348623157e308\n", "tiny.csv": "a\n5e-324\n0\n", "close.csv": "a\n1\n1.0000000000000002\n",
        "ints.csv": "a,b\n18446744073709551615,-9223372036854775808\n0,9223372036854775807\n", "zero.csv": "a\n0\n0\n",
        "ticks.csv": "tick,a\n18446744073709551615,1\n0,2\n", "back.csv": "tick,a\n" + "".join("%d,%d\n" % (100000 - i * 7, i) for i in range(9000)),
        "wild.csv": "x,a\n1e300,1\n1e-300,2\n-1e300,3\n0,4\n",
    }
    for file, content in good.items():
        path = written(file, content)
        for words in ([], ["--x", "x"]) if file == "wild.csv" else ([],):
            svg, _ = plot(path, "svg", *words)
            for pieces in lines(svg).values():
                for piece in pieces:
                    check(all(-1 <= x <= 1201 and -1 <= y <= 3000 for x, y in piece), "%s: outside of the picture" % file)
            plot(path, "png", *words, "--size", "137x101")
            ran("plot", path, *words, "--ascii", "--width", "30", "--height", "8")
    for root, _, names in os.walk(os.path.join(vectors, "bcsv")):
        for file in sorted(names)[::5]:
            if file.endswith(".bcsv"):
                done = subprocess.run([command, "plot", os.path.join(root, file)], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
                check(done.returncode in (0, 1), "%s: exit code %d" % (file, done.returncode))


def terminal():
    run = os.path.join(runs, "flat")
    done = ran("plot", run, COLUMNS="64", LINES="30")
    shown = done.stdout.decode().splitlines()
    check(b"\x1b" not in done.stdout, "colours where there is no terminal")
    check(max(len(line) for line in shown) in (62, 63, 64), "%d columns, expected 64" % max(len(line) for line in shown))
    check(any("\u2800" < c <= "\u28FF" for line in shown for c in line), "no dots")
    for words, environment in ((["--ascii"], {}), ([], {"LANG": "C"})):
        check(ran("plot", run, *words, **environment).stdout.isascii(), "not ASCII")
    # On a terminal there are colours, unless NO_COLOR is set.
    import fcntl, pty, termios
    for no_color in (False, True):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 70, 0, 0))
        environment = {**os.environ, "LANG": "C.UTF-8", "TERM": "xterm"}
        environment.pop("NO_COLOR", None)
        if no_color:
            environment["NO_COLOR"] = "1"
        child = subprocess.Popen([command, "plot", run, "--columns", "adc.volts"], stdin=subprocess.DEVNULL, stdout=slave, env=environment)
        os.close(slave)
        got = b""
        while True:
            try:
                block = os.read(master, 65536)
            except OSError:
                break
            if not block:
                break
            got += block
        check(child.wait(timeout=60) == 0, "on a terminal: failed")
        os.close(master)
        check((b"\x1b[38;5;" in got) != no_color, "colours: NO_COLOR %s" % no_color)
        widest = max(len(re.sub("\x1b[^m]*m", "", line)) for line in got.decode().splitlines())
        check(68 <= widest <= 70, "terminal of 70 columns: %d are used" % widest)


def pictures():
    for name in ("losses", "dlf", "rolled"):
        for kind in ("svg", "png"):
            plot(os.path.join(runs, name), kind, "--size", "900x500")
            made = open(os.path.join(work, "out." + kind), "rb").read()
            path = os.path.join(vectors, "plot", name + "." + kind)
            if pin:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "wb").write(made)
            check(made == open(path, "rb").read(), "%s: the picture is another one" % path)


# ------------------------------------------------------------------------------------------------------------------ tail


class Follower:
    started = []

    def __init__(self, *words, **environment):
        self.file = open(os.path.join(work, "followed"), "w+b")
        self.child = subprocess.Popen(
            [command, "tail", *words], stdin=subprocess.DEVNULL, stdout=self.file, stderr=subprocess.PIPE, env={**os.environ, **environment})
        Follower.started.append(self.child)

    def rows(self):
        return open(self.file.name, "rb").read().decode().splitlines()

    def is_told(self):
        """By the system, of changes."""
        names = ["/proc/%d/fd/%s" % (self.child.pid, name) for name in os.listdir("/proc/%d/fd" % self.child.pid)]
        return any("inotify" in os.readlink(name) for name in names)

    def until(self, truth, what):
        end = time.time() + 60
        while time.time() < end:
            if truth(self.rows()):
                return check(True, what)
            time.sleep(0.05)
        check(False, "tail: %s: %r" % (what, self.rows()[-3:]))

    def stop(self, code=0, signalled=True):
        if signalled:
            self.child.send_signal(signal.SIGINT)
        try:
            _, error = self.child.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.child.kill()
            _, error = self.child.communicate()
        check(self.child.returncode == code, "tail: exit code %d, expected %d: %s" % (self.child.returncode, code, error[:300]))
        self.file.close()
        return error.decode()


def tails():
    for name in sorted(os.listdir(runs)):
        run = os.path.join(runs, name)
        if not os.path.isdir(run):
            continue
        for words in ([], ["--events"]):
            whole = ran("cat", run, *words).stdout.splitlines()
            for count in ("0", "3", "10", "1000000"):
                some = ran("tail", run, "-n", count, *words).stdout.splitlines()
                check(some == whole[:1] + (whole[1:][-int(count):] if count != "0" else []), "%s: tail -n %s %r" % (name, count, words))
    run = os.path.join(runs, "rolled")
    for words in (["--stream", "slow"], ["--format", "jsonl"], ["--columns", "tick", "--no-header"]):
        whole = ran("cat", run, *words).stdout.splitlines()
        if "jsonl" not in words and "--no-header" not in words:
            whole = whole[1:]
        some = ran("tail", run, "--lines", "4", "--no-header", *[w for w in words if w != "--no-header"]).stdout.splitlines()
        check(some == whole[-4:], "tail %r: %r" % (words, some))
    for file in ("v13_wide1000_flat_packet.bcsv", "v15_alltypes_zoh_packet_lz4.bcsv", "v15_alltypes_zoh_packet.bcsv"):
        path = os.path.join(vectors, "bcsv", file)
        if os.path.exists(path):
            whole = ran("cat", path).stdout.splitlines()
            check(ran("tail", path, "-n", "2").stdout.splitlines() == whole[:1] + whole[1:][-2:], "%s: tail" % file)
    ran("tail", run, "-n", "x", code=2)
    ran("tail", os.path.join(work, "missing"), code=3)


def follows():
    # A run that is being written, in whole packets.
    out = os.path.join(work, "runs")
    writer = subprocess.Popen([command, "demo", "--seconds", "4", "--out", out], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.time() + 30
    while time.time() < end and not (os.path.isdir(out) and any(os.path.exists(os.path.join(out, d, "LOCK")) for d in os.listdir(out))):
        time.sleep(0.02)
    run = os.path.join(out, os.listdir(out)[0])
    follower = Follower(run, "-f", "-n", "1000000")
    check(writer.wait(timeout=120) == 0, "the demo failed")
    said = follower.stop(signalled=False) if follower.child.wait(timeout=60) is not None else ""
    check("closed" in said, "tail does not say that the run is closed: %r" % said)
    check(open(os.path.join(work, "followed"), "rb").read() == ran("cat", run).stdout, "tail -f of a run: other rows than cat's")
    # The same bytes in pieces: torn ends that grow, a roll, and a writer that is killed.
    source = os.path.join(runs, "rolled")
    copy = os.path.join(work, "growing")
    os.mkdir(copy)
    for name in ("meta.bcsv", "streams.bcsv", "event.bcsv"):
        shutil.copy(os.path.join(source, name), copy)
    open(os.path.join(copy, "LOCK"), "w").close()
    follower = None
    want = ran("cat", source).stdout.decode().splitlines()
    for name in ("polled.bcsv", "polled.1.bcsv"):
        data = open(os.path.join(source, name), "rb").read()
        with open(os.path.join(copy, name), "wb", buffering=0) as file:
            step = len(data) // 7 + 1
            for at in range(0, len(data), step):
                file.write(data[at:at + step])
                time.sleep(0.25)
                if follower is None:
                    follower = Follower(copy, "-f", "-n", "1000000")
                rows = follower.rows()
                check(rows == want[:len(rows)], "tail -f of a torn file: other rows")
    if os.path.exists(os.path.join(source, "polled.2.bcsv")):
        for i in range(2, 99):
            if os.path.exists(os.path.join(source, "polled.%d.bcsv" % i)):
                shutil.copy(os.path.join(source, "polled.%d.bcsv" % i), copy)
    follower.until(lambda rows: rows == want, "all rows of a rolled run")
    os.remove(os.path.join(copy, "LOCK"))
    check(follower.child.wait(timeout=60) == 0, "tail -f does not end with the run")
    check("closed" in follower.stop(signalled=False), "it does not say so")
    # A file of a writer that died with a torn packet: the whole ones, and SIGINT ends it well.
    torn = os.path.join(work, "torn.bcsv")
    data = open(os.path.join(source, "polled.bcsv"), "rb").read()
    open(torn, "wb").write(data[:len(data) * 2 // 3])
    follower = Follower(torn, "-f", "-n", "1000000")
    whole = ran("cat", torn).stdout.decode().splitlines()
    follower.until(lambda rows: rows == whole, "the whole packets of a torn file")
    time.sleep(0.5)
    check(follower.rows() == whole, "a torn end has rows")
    follower.stop()
    # Damage that stays.
    spoiled = bytearray(data)
    spoiled[len(data) // 2] ^= 0x55
    bad = os.path.join(work, "bad.bcsv")
    open(bad, "wb").write(spoiled)
    follower = Follower(bad, "-f", "-n", "1000000")
    check(follower.child.wait(timeout=60) == 1, "damage does not end it")
    check("offset" in follower.stop(1, signalled=False), "damage is not told")
    # DLF, and texts, lines in pieces.
    dlf = os.path.join(work, "polled.dlf")
    data = open(os.path.join(runs, "dlf", "polled.dlf"), "rb").read()
    want = ran("cat", os.path.join(runs, "dlf", "polled.dlf")).stdout.decode().splitlines()
    open(dlf, "wb").write(data[:len(data) // 2])
    follower = Follower(dlf, "-f", "-n", "1000000")
    follower.until(lambda rows: len(rows) > 1, "half of a DLF file")
    open(dlf, "ab").write(data[len(data) // 2:])
    follower.until(lambda rows: rows == want, "the rest of a DLF file")
    follower.stop()
    for name, text in (("grow.csv", ['a,b\n1,"x\ny"\n', "2,", "3\n4,5", "\n"]), ("grow.jsonl", ['{"a":1}\n', '{"a"', ":2}\n"])):
        path = written(name, text[0])
        follower = Follower(path, "-f")
        follower.until(lambda rows: "\n".join(rows) + "\n" == text[0], "the beginning of " + name)
        for part in text[1:]:
            with open(path, "a") as file:
                file.write(part)
            time.sleep(0.3)
        follower.until(lambda rows: "\n".join(rows) + "\n" == "".join(text), "the rest of " + name)
        follower.stop()
    path = written("short.csv", "a\n1\n2\n")
    follower = Follower(path, "-f")
    follower.until(lambda rows: len(rows) == 3, "a file before it becomes shorter")
    written("short.csv", "a\n")
    check(follower.child.wait(timeout=60) == 1, "a file that became shorter")
    follower.stop(1, signalled=False)


def goes_on():
    """What was read is not read again: if it is spoiled meanwhile, nobody sees that."""
    model.crc32c = lambda data, before=0: frames.crc32c(bytes(data), before)
    path = os.path.join(work, "all.dat")
    log = os.path.join(work, "all.log")
    open(path, "wb").write(b"".join(frames.frame(i, b"payload %d" % i) for i in range(400)))
    model.write_log(log, [model.body(model.DIFF, (3, 1), range(i % 4), range(i % 4), timestamp=1_700_000_000_000_000 + i) for i in range(400)])
    run = os.path.join(work, "part")
    shutil.copytree(os.path.join(work, "many"), run)
    polled = os.path.join(run, "polled.bcsv")
    for source, place, spoiled, words in ((path, path + "2", 45, []), (log, log + "2", 100, []), (run, polled, 800, ["--stream", "adc"]), (run, polled, 800, [])):
        want = ran("cat", source, *words).stdout.decode().splitlines()
        data = open(polled if source == run else source, "rb").read()
        half = len(data) // 2 + 3
        if source == run:
            open(os.path.join(run, "LOCK"), "w").close()
        open(place, "wb").write(data[:half])
        follower = Follower(run if source == run else place, "-f", "-n", "1000000", *words)
        follower.until(lambda rows: len(rows) > len(want) // 3 and rows == want[:len(rows)], "half of %s" % place)
        # Until it waits.
        time.sleep(0.3)
        check(follower.is_told(), "tail -f asks the time, not the system")
        with open(place, "r+b") as file:
            file.seek(spoiled)
            file.write(bytes([data[spoiled] ^ 1]))
            file.seek(half)
            file.write(data[half:])
        follower.until(lambda rows: rows == want, "the rest of %s %r" % (place, words))
        follower.stop()
        open(place, "wb").write(data)


def untold():
    """Where the system cannot tell of changes: a file, and a run that gets another one."""
    path = written("untold.csv", "a\n1\n")
    follower = Follower(path, "-f", LD_PRELOAD=no_inotify)
    follower.until(lambda rows: rows == ["a", "1"], "a file without inotify")
    time.sleep(0.3)
    check(not follower.is_told(), "inotify is there though it fails")
    for i in range(2, 5):
        with open(path, "a") as file:
            file.write("%d\n" % i)
        follower.until(lambda rows: rows == ["a", *map(str, range(1, i + 1))], "row %d without inotify" % i)
    follower.stop()
    source, run = os.path.join(runs, "rolled"), os.path.join(work, "untold")
    want = ran("cat", source).stdout.decode().splitlines()
    parts = sorted(name for name in os.listdir(source) if re.fullmatch(r"polled\.[1-9]\.bcsv", name))
    shutil.copytree(source, run)
    open(os.path.join(run, "LOCK"), "w").close()
    for name in parts:
        os.remove(os.path.join(run, name))
    follower = Follower(run, "-f", "-n", "1000000", LD_PRELOAD=no_inotify)
    follower.until(lambda rows: len(rows) > 1 and rows == want[:len(rows)], "the first file of a run without inotify")
    check(len(follower.rows()) < len(want), "the first file has all rows")
    for name in parts:
        shutil.copy(os.path.join(source, name), run)
    follower.until(lambda rows: rows == want, "the other files without inotify")
    os.remove(os.path.join(run, "LOCK"))
    check(follower.child.wait(timeout=60) == 0, "tail -f without inotify does not end with the run")
    check("closed" in follower.stop(signalled=False), "it does not say so")


try:
    for part in (gaps, losses, windows, hostile, terminal, pictures, tails, follows, goes_on, untold, spikes):
        began = time.time()
        part()
        if os.environ.get("VERBOSE"):
            print("%s: %.1f s" % (part.__name__, time.time() - began))
finally:
    for child in Follower.started:
        if child.poll() is None:
            child.kill()
    shutil.rmtree(work)
print("plot: %d checks, %d failures" % (checks, failures))
sys.exit(1 if failures or checks < 100 else 0)
