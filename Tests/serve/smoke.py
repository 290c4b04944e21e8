"""One server, one sender, one question and a kill, where nothing more is to be seen than that it works: a target under an
emulator.

    smoke.py TICKLOG CRC32C.SO WORK"""
import json
import os
import subprocess
import sys

import model
from clients import Server
from model import Images, Packet

tool, library, work = sys.argv[1].split(), sys.argv[2], sys.argv[3]
model.use(library)


def ticklog(*words):
    return subprocess.run([*tool, *map(str, words)], check=True, capture_output=True, timeout=60).stdout.decode()


server = Server(tool, work)
address = f"127.0.0.1:{server.port}"
report = json.loads(ticklog("bms-send", address, "--count", 200, "--delay", 0, "--words", 5, "--random", "--full-every", 50, "--sync", "--json"))
assert (report["packets"], report["synced"]) == (200, True), report
server.kill()
images = Images()
records = model.Log(server.log).read()
assert len(records) == 200, len(records)
for _, _, payload in records:
    images.apply(Packet(payload))
server = Server(tool, work)
address = f"127.0.0.1:{server.port}"
words = json.loads(ticklog("query", address, "--source", "rack:3", "--offsets", "0x1000-0x1006", "--json"))["words"]
expected = images.of((2, 3))[0x1000:0x1007].tolist()
assert [word["value"] for word in words] == expected and any(expected), (words, expected)
lines = ticklog("watch", address, "--source", "rack:3", "--count", "5", "--json").splitlines()
assert [json.loads(line)["value"] for line in lines] == expected[:5], lines
server.stop()
assert not Images({s: w for s, (_, w) in model.read_image(server.image).items()}).differences(images)
image = os.path.join(work, "rack3.img")
ticklog("replay", server.log, "--source", "rack:3", "--image", image)
assert open(image, "rb").read() == images.of((2, 3)).tobytes()
rows = ticklog("replay", server.log, "-o", "-").splitlines()
assert len(rows) == 1 + 200 * 5, len(rows)
print("serve, bms-send, query, watch, replay: ok")
