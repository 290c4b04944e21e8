"""The model of dlflib's encoder against vectors of the real one, and the independent reader against both."""
import hashlib
import json
import os
import struct
import tempfile
import unittest

import dlf
import dlf_vectors
from dlf_encoder import EVENT, NO_NOTES, POLLED, Stream, encode
from dlf_vectors import GPS, gps, phases, poll, primitive, watch

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors", "dlf")


def same(v, want):
    """Values as JSON has them: integers beyond 2^53 and floats that are none as text."""
    if isinstance(want, dict):
        return isinstance(v, dict) and v.keys() == want.keys() and all(same(v[k], want[k]) for k in want)
    if isinstance(v, float):
        want = float(want)
        return v == want or (v != v and want != want)
    return v == want or str(v) == want



class Vector:
    def __init__(self, directory):
        self.name = os.path.basename(directory)
        with open(os.path.join(directory, "expected.json"), encoding="utf-8") as f:
            self.expected = json.load(f)
        self.files = {}
        for name in os.listdir(directory):
            if name != "expected.json":
                with open(os.path.join(directory, name), "rb") as f:
                    self.files[name] = f.read()


def golden():
    return [Vector(os.path.join(VECTORS, name)) for name in sorted(os.listdir(VECTORS))]


class Encoder(unittest.TestCase):
    """It makes the runs of the real encoder again, byte for byte."""

    def streams(self, expected):
        """Streams whose sources hold what the vector says."""
        out = []
        for part, kind in (("polled", POLLED), ("event", EVENT)):
            for k, s in enumerate(expected[part]["streams"]):
                values = {x["tick"]: bytes.fromhex(x["hex"]) for x in expected[part]["samples"] if x["i"] == k}

                def source(tick, values=values):
                    return values[max(t for t in values if t <= tick)]
                out.append(Stream(s["id"], s["type_structure"], source, kind, s["type_size"], s["notes"],
                                  s.get("tick_interval", 1), s.get("tick_phase", 0)))
        return out

    def test_real_runs(self):
        count = 0
        for v in golden():
            if not v.name.startswith("real_") or v.name == "real_crash":
                continue
            count += 1
            with self.subTest(v.name):
                e = v.expected
                meta = e["meta"]["meta_structure"], bytes.fromhex(e["meta"]["meta_hex"])
                run = encode(self.streams(e), e["polled"]["tick_span"] + 1, e["meta"]["tick_base_us"],
                             e["meta"]["epoch_time_s"], meta)
                self.assertEqual(run.files, v.files)
                mine = dlf_vectors.expected(v.name, "", run)
                for part in ("polled", "event"):
                    for s in mine[part]["streams"]:
                        del s["id_hex"]
                    for a, b in zip(mine[part]["samples"], e[part]["samples"]):
                        self.assertTrue(same(a.pop("v"), b.pop("v")) or (a["hex"] == b["hex"]))
                    self.assertEqual(mine[part], e[part])
                self.assertEqual({k: v for k, v in mine["meta"].items() if k != "meta"},
                                 {k: v for k, v in e["meta"].items() if k != "meta"})
                for w in mine["windows"]:
                    self.assertTrue(w in e.get("windows", []) or not any((w["start"], w["end"]) == (x["start"], x["end"])
                                                                        for x in e.get("windows", [])), w)
        self.assertGreaterEqual(count, 8)

    def test_the_run_that_crashed(self):
        v = Vector(os.path.join(VECTORS, "real_crash"))
        run = encode([poll("gps", GPS, 2, source=gps, size=20), poll("u32", "uint32_t"), watch("ev", "uint32_t")], 2000,
                     close=False)
        self.assertEqual(run.files, v.files)

    def test_where_samples_lie(self):
        """The data offsets of the real encoder's run of phases (section 5)."""
        run = encode(phases(), 23)
        at = {(i, t): off for i, t, off, _ in run.log["polled"].samples}
        self.assertEqual([at[i, 3] for i in range(6)], [16, 17, 19, 23, 25, 33])
        for i in (2, 3):
            self.assertEqual([t for k, t in sorted(at) if k == i][:2], [3, 8])
        self.assertEqual([t for k, t in sorted(at) if k == 1][:3], [1, 3, 5])

    def test_divisions(self):
        s = poll("a", "uint8_t").schedule(350000, 170000, 100000)
        self.assertEqual((s.interval, s.phase), (3, 1))
        self.assertEqual((s.schedule(10, 0, 100000).interval, s.schedule(0, 500000, 100000).phase), (1, 0))

    def test_faults(self):
        runs = {name: run for name, _, run, _ in dlf_vectors.vectors()}
        events = lambda name: [(i, t) for i, t, _, _ in runs[name].log["event"].samples]
        self.assertFalse([e for e in events("fnvzero") if e[0] == 0])
        self.assertEqual([t for i, t in events("fnvzero") if i == 2], [0, 2])
        self.assertEqual(events("collision"), [(0, 0), (0, 6), (0, 7)])
        deferred = events("deferred")
        self.assertIn((1, 1), deferred)
        self.assertNotIn((1, 0), deferred)
        self.assertGreater([t for i, t in deferred if i == 0][1], 100)
        self.assertEqual(runs["overflowed_empty"].files["polled.dlf"], b"")
        self.assertNotIn("LOCK", runs["overflowed"].files)
        self.assertEqual(runs["overflowed"].files["polled.dlf"][3:11], struct.pack("<Q", 2**63))


class Reader(unittest.TestCase):
    def one(self, v):
        for kind, part in enumerate(("polled", "event")):
            e = v.expected[part]
            data = v.files[part + ".dlf"]
            if "streams" not in e:
                with self.assertRaises(dlf.Damage):
                    dlf.Log(data, kind)
                continue
            log = dlf.Log(data, kind)
            self.assertEqual((log.tick_span, log.data_start, len(log.data), log.tail),
                             (e["tick_span"], e["data_start"], e["check"]["data_len"], e["check"]["tail_bytes"]))
            self.assertEqual(len(log.samples), e["check"]["complete_samples"])
            if "samples_total" not in e:
                self.assertEqual([(i, t, off, b.hex()) for (i, t, b), off in zip(log.samples, log.offsets)],
                                 [(s["i"], s["tick"], s["off"], s["hex"]) for s in e["samples"]])
            for s in e["samples"]:
                k = log.offsets.index(s["off"])
                i, _, b = log.samples[k]
                if "v" in s and log.streams[i].type.error is None:
                    self.assertTrue(same(log.streams[i].value(b), s["v"]), (log.streams[i].value(b), s["v"]))
            for s, x in zip(log.streams, e["streams"]):
                self.assertEqual((s.type_text, s.size), (x["type_structure"], x["type_size"]))
                if "id_hex" in x:
                    self.assertEqual(s.id.encode("utf-8", "surrogateescape").hex(), x["id_hex"])
                else:
                    self.assertEqual((s.id, s.notes), (x["id"], x["notes"]))
                if kind == 0:
                    self.assertEqual((s.interval, s.phase), (x["tick_interval"], x["tick_phase"]))
            self.assertEqual(bool(log.error), bool(e["check"].get("error")))
        for w in v.expected.get("windows", []):
            log = dlf.Log(v.files["polled.dlf"], 0)
            found = log.window(w["start"], w["end"])
            rows = [[log.samples[k][0], log.samples[k][1], log.offsets[k]] for k in found]
            self.assertEqual((log.offset(w["start"]), len(rows), rows[:1] or None, rows[-1:] or None),
                             (w["offset_of_start"], w["count"], w["first"] and [w["first"]], w["last"] and [w["last"]]))

    def test_golden(self):
        for v in golden():
            with self.subTest(v.name):
                self.one(v)

    def test_made(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in dlf_vectors.write(folder):
                with self.subTest(name):
                    self.one(Vector(os.path.join(folder, name)))

    def test_refused(self):
        for name, _, data in dlf_vectors.refused():
            with self.subTest(name), self.assertRaises(dlf.Damage):
                dlf.Log(data, 0)

    def test_missing_notes(self):
        """A revision wrote nothing at all for a null pointer (section 2)."""
        mixes = [[NO_NOTES] * 4, ["", NO_NOTES, "n", NO_NOTES], [NO_NOTES, "notes", NO_NOTES, ""]]
        for notes in mixes:
            streams = [poll("a", "uint8_t", 3, 1, notes[0]), poll("g", GPS, 2, 1, notes[1], gps, 20),
                       watch("m", "int32_t", notes=notes[2]), watch("d", "double", notes=notes[3])]
            run = encode(streams, 9, null_notes=b"")
            for kind, part in enumerate(("polled", "event")):
                log = dlf.Log(run.files[part + ".dlf"], kind)
                self.assertEqual([(s.type_text, s.id, s.notes) for s in log.streams],
                                 [(s.type, s.id, s.notes or "") for s in streams if s.kind == kind])
                self.assertEqual([(i, t, off, b) for (i, t, b), off in zip(log.samples, log.offsets)],
                                 run.log[part].samples)


if __name__ == "__main__":
    unittest.main()
