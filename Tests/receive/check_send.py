#!/usr/bin/env python3
"""`ticklog send` against the receiver of reader.py: check_send.py TICKLOG [SEED]

Random options; the bytes of --file, read by the rules alone, must give what "expect" says. The same seed must make the
same bytes, at any rate, and over TCP and UDP as well.
"""
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

import reader

TICKLOG = sys.argv[1]
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
random.seed(SEED)
failures = 0


def check(condition, what):
    global failures
    if not condition:
        failures += 1
        print("FAILED:", what)


def send(*words):
    run = subprocess.run([TICKLOG, "send", *map(str, words)], capture_output=True, text=True, timeout=60)
    if run.returncode:
        raise SystemExit("send %s: exit code %d: %s" % (" ".join(map(str, words)), run.returncode, run.stderr))
    return json.loads(run.stdout.splitlines()[-1])


def read(path):
    with open(path, "rb") as file:
        return file.read()


def chance():
    return random.choice((0, 0, 0.001, 0.02, 0.3, 0.9, 1))


def some_options():
    chunks = random.choice((0, 1, 1, 2, 3, 8, 100))
    size = random.choice((24, 25, 100, 1400, 9000) if chunks else (1, 7, 24, 1400))
    options = ["--count", random.choice((0, 1, 2, 50, 500, 3000)), "--size", size, "--chunks", chunks, "--channels",
               random.choice((1, 1, 2, 4)), "--seed", random.getrandbits(64)]
    for name in ("corrupt", "drop", "duplicate", "reorder"):
        options += ["--" + name, chance()]
    if random.random() < 0.3:
        options += ["--first", random.choice((1, 1000, 1 << 40))]
    return options


def check_file(work, options):
    path = os.path.join(work, "f")
    report = send("--file", path, "--force", *options)
    several = len(report["channels"]) > 1
    for channel in report["channels"]:
        k = channel["channel"]
        data = read("%s.ch%d" % (path, k) if several else path)
        receiver = reader.Receiver(k)
        receiver.stream(data)
        receiver.end()
        check(receiver.report() == channel["expect"],
              "%s, channel %d: found %s, expected %s" % (options, k, channel["expect"], receiver.report()))
        check(receiver.counts["truncated"] == 0 and len(data) == channel["bytes"], "%s: bytes" % options)
        for name in ("restarts", "wrong_stream", "length_errors", "version_errors"):
            check(receiver.counts[name] == 0, "%s: %s" % (options, name))
        size = options[options.index("--size") + 1] + reader.HEADER
        check(channel["sent"] * size == channel["bytes"], "%s: sent" % options)
        check(channel["sent"] == channel["frames"] - channel["dropped"] + channel["duplicated"], "%s: copies" % options)
        # The same as datagrams.
        receiver = reader.Receiver(k)
        for at in range(0, len(data), size):
            receiver.message(data[at:at + size])
        receiver.end()
        check(receiver.report() == channel["expect"], "%s, channel %d, as datagrams: found %s, expected %s"
              % (options, k, channel["expect"], receiver.report()))


def connections(kind, channels):
    """Sockets on ports in a row."""
    while True:
        first = random.randrange(20000, 50000)
        made = []
        try:
            for k in range(channels):
                one = socket.socket(socket.AF_INET, kind)
                made.append(one)
                one.bind(("127.0.0.1", first + k))
                one.settimeout(20)
                if kind == socket.SOCK_STREAM:
                    one.listen()
                else:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            return first, made
        except OSError:
            for one in made:
                one.close()


def check_wire(work):
    """Over TCP and UDP it is the bytes of the file; the archive is whole."""
    options = ["--count", 300, "--channels", 2, "--size", 600, "--chunks", 4, "--corrupt", 0.1, "--drop", 0.1,
               "--duplicate", 0.1, "--reorder", 0.1, "--seed", 99, "--rate", 2000]
    path = os.path.join(work, "wire")
    report = send("--file", path, *options)
    tcp_port, tcp = connections(socket.SOCK_STREAM, 2)
    udp_port, udp = connections(socket.SOCK_DGRAM, 2)
    got = {}

    def stream(k):
        one, _ = tcp[k].accept()
        one.settimeout(20)
        data = b""
        while part := one.recv(1 << 16):
            data += part
        got["tcp", k] = data

    def datagrams(k):
        parts = [udp[k].recv(1 << 16) for _ in range(report["channels"][k]["sent"])]
        got["udp", k] = b"".join(parts)

    def run(what, *ways):
        threads = [threading.Thread(target=one, args=(k,)) for one in what for k in range(2)]
        for thread in threads:
            thread.start()
        sent = send(*ways, *options)
        for thread in threads:
            thread.join()
        return sent

    def same(way, k, data):
        check(got[way, k] == data, "%s, channel %d: other bytes than in the file" % (way, k))

    spoiled = [read("%s.ch%d" % (path, k)) for k in range(2)]
    sent = run([stream], "--tcp", "127.0.0.1:%d" % tcp_port)
    check(sent["channels"] == report["channels"], "TCP: another report than with --file")
    run([datagrams], "--udp", "localhost:%d" % udp_port)
    for k in range(2):
        same("tcp", k, spoiled[k])
        same("udp", k, spoiled[k])
    both = run([stream, datagrams], "--tcp", "127.0.0.1:%d" % tcp_port, "--udp", "127.0.0.1:%d" % udp_port)
    for k in range(2):
        same("udp", k, spoiled[k])
        receiver = reader.Receiver(k)
        receiver.stream(got["tcp", k])
        check(receiver.counts["frames"] == 300 and not receiver.counts["missing"], "archive: not whole")
        # Whichever comes first, the sum is the same.
        receiver.stream(got["udp", k])
        for name, value in both["channels"][k]["expect"].items():
            if name in receiver.counts:
                check(receiver.counts[name] == value, "both ways, %s: found %d, expected %d"
                      % (name, value, receiver.counts[name]))
    for one in tcp + udp:
        one.close()


def check_usage(work):
    def code(*words):
        return subprocess.run([TICKLOG, "send", *words], capture_output=True, timeout=60).returncode

    path = os.path.join(work, "there")
    send("--file", path, "--channels", 1, "--count", 1)
    before = read(path)
    check(code("--file", path, "--channels", "1") == 2 and read(path) == before, "an existing file is replaced")
    check(code() == 2 and code("--tcp", "x") == 2 and code("--udp", "h:1", "--size", "65468") == 2, "usage")
    check(code("--tcp", "h:65535", "--channels", "2") == 2 and code("--file", "x", "--drop", "1.5") == 2, "usage")
    check(code("--tcp", "h:9223372036854775807", "--channels", "2") == 2 and code("--udp", "h:-1") == 2, "usage: ports")
    check(code("--file", os.path.join(work, "none", "f")) == 3, "no such directory")
    port, made = connections(socket.SOCK_STREAM, 1)
    made[0].close()
    check(code("--tcp", "127.0.0.1:%d" % port, "--channels", "1") == 3, "nobody listens")
    check(not [name for name in os.listdir(work) if name.startswith(".ticklog")], "files are left behind")


def check_interrupt(work):
    """Control-C: whole frames, and a report of what was sent."""
    path = os.path.join(work, "interrupted")
    run = subprocess.Popen([TICKLOG, "send", "--file", path, "--channels", "1", "--rate", "1000", "--count", "1000000",
                            "--reorder", "0.5"], stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    run.terminate()
    out, _ = run.communicate(timeout=20)
    check(run.returncode == 0, "SIGTERM: exit code %d" % run.returncode)
    receiver = reader.Receiver()
    receiver.stream(read(path))
    check(receiver.end().report() == json.loads(out)["channels"][0]["expect"], "SIGTERM: the report")


with tempfile.TemporaryDirectory() as work:
    print("check_send.py: seed %d" % SEED)
    for _ in range(int(os.environ.get("ROUNDS", 60))):
        check_file(work, some_options())
    check_wire(work)
    check_usage(work)
    check_interrupt(work)
print("check_send.py: " + ("%d FAILED" % failures if failures else "passed"))
sys.exit(failures > 0)
