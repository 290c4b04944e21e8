"""Frames as the specification has them, made here a second time, and a receiver's process to send them to."""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
from children import ends_with_us

MAGIC = bytes.fromhex("d3914c7ea85bf216")
FIRST, LAST, STARTED = 1, 2, 1 << 13

_table = []
for n in range(256):
    for _ in range(8):
        n = n >> 1 ^ 0x82F63B78 if n & 1 else n >> 1
    _table.append(n)


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def frame(sequence, payload, stream=0, flags=0, timestamp=None, length=None, payload_crc=None, version=1):
    timestamp = 10**18 + sequence * 1000 if timestamp is None else timestamp
    length = len(payload) if length is None else length
    head = MAGIC + struct.pack(">BBHQQI", version, stream, flags, sequence, timestamp, length)
    tail = struct.pack(">I", crc32c(payload) if payload_crc is None else payload_crc)
    return head + struct.pack(">I", crc32c(head + bytes(4) + tail)) + tail + payload


def chunk(sequence, periodic, index, count, data=b"x" * 100, **more):
    """A frame that is one chunk of a periodic."""
    flags = (FIRST if index == 0 else 0) | (LAST if index == count - 1 else 0) | more.pop("flags", 0)
    return frame(sequence, struct.pack(">QIIII", periodic, index, count, len(data), 0) + data, flags=flags, **more)


class Receiver:
    """`ticklog receive` as a process; its ports are the system's choice."""

    def __init__(self, tool, directory, *options, preload=None, environment=None, channels=1, tcp=True, udp=False, before=None):
        self.directory = str(directory)
        words = [*tool, "receive", "--out", self.directory, "--channels", str(channels), "--json"]
        words += ["--tcp", "0"] * tcp + ["--udp", "0"] * udp + [str(option) for option in options]
        environ = dict(os.environ, **(environment or {}))
        if preload:
            environ["LD_PRELOAD"] = str(preload)
        self.errors = open(self.directory + ".stderr", "w+")
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=self.errors, env=environ, text=True, preexec_fn=ends_with_us(before))
        first = self.process.stdout.readline()
        if not first:
            self.process.wait(10)
            raise RuntimeError(f"exit {self.process.returncode}: {self.error_text()}")
        self.ports = {(port["transport"], port["channel"]): port["port"] for port in json.loads(first)["listening"]}

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read()

    def connect(self, channel=0):
        return socket.create_connection(("127.0.0.1", self.ports["tcp", channel]), timeout=20)

    def datagrams(self, channel=0):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.connect(("127.0.0.1", self.ports["udp", channel]))
        return made

    def until(self, condition, seconds=20):
        """Reads reports until one of them fulfils the condition."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            report = json.loads(self.process.stdout.readline())["channels"]
            if condition(report):
                return report
        raise AssertionError(f"not within {seconds} s: {report}")

    def stop(self, number=signal.SIGTERM, code=0, seconds=20):
        """The last report."""
        self.process.send_signal(number)
        try:
            output, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert self.process.returncode == code, (self.process.returncode, self.error_text())
        return json.loads(output.splitlines()[-1])["channels"] if code == 0 else None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def files(self, channel=0):
        """The names of a channel's files."""
        return sorted(name for name in os.listdir(self.directory) if name.startswith(f"ch{channel}_") and ".dat" in name)

    def content(self, channel=0):
        """The bytes of a channel's files, one behind another."""
        data = b""
        for name in self.files(channel):
            with open(os.path.join(self.directory, name), "rb") as file:
                data += file.read()
        return data

    def losses(self, channel=0):
        with open(os.path.join(self.directory, f"ch{channel}_loss.jsonl")) as file:
            return [json.loads(line) for line in file]
