"""Runs that are logged from Python."""

import ctypes
import os
import threading
import time
import unittest

import numpy as np

import ticklog
from support import LIMIT, InFolder, have, python


class Inner(ctypes.Structure):
    _fields_ = [("x", ctypes.c_double), ("y", ctypes.c_double)]


class Motor(ctypes.Structure):
    _fields_ = [("rpm", ctypes.c_float), ("on", ctypes.c_bool), ("name", ctypes.c_char * 8), ("a", ctypes.c_int16 * 3), ("at", Inner)]


class Logging(InFolder):
    def test_every_source(self):
        motor, number, array, structure = Motor(), ctypes.c_uint8(), np.zeros(3, "f8"), np.zeros(1, [("p", "u2", (2,)), ("q", "?"), ("s", "S4")])
        zero, state = np.zeros((), "i8"), ctypes.c_int(0)
        calls = []
        logger = ticklog.Logger()
        logger.poll("motor", motor, units={"rpm": "1/min"})
        logger.poll("number", number, unit="V")
        logger.poll("array", array)
        logger.poll("structure", structure)
        logger.poll("zero", zero, interval_ns=4_000_000)
        logger.poll("called", lambda: calls.append(1) or len(calls), type="u16", interval_ns=2_000_000)
        logger.poll("several", lambda: {"a": 1.5, "b": "x"}, type={"a": "f32", "b": "string:3"})
        logger.watch("state", state)
        with logger.start("runs", "r", tick_ns=1_000_000, metadata={"device": "d1", "n": -3, "k": 0.5, "b": True}) as run:
            for i in range(10):
                motor.rpm, motor.on, motor.name, motor.a[1], motor.at.y = i, i % 2, b"m%d" % i, -i, i / 4
                number.value, array[2], zero[()] = i, i * 1.5, -i
                structure["p"], structure["q"], structure["s"] = [i, i + 1], True, b"ab"
                state.value = i // 4
                self.assertTrue(run.tick())
        self.assertEqual(len(calls), 5)
        with ticklog.open("runs/r") as t:
            self.assertIsInstance(t, ticklog.Run)
            got = t.to_dict()
            self.assertEqual(got["motor.rpm"], list(range(10)))
            self.assertEqual(got["motor.name"][7], "m7")
            self.assertEqual(got["motor.a[1]"][7], -7)
            self.assertEqual(got["motor.at_y"][7], 1.75)
            self.assertEqual((got["number"][9], got["array.value[2]"][4], got["structure.p[1]"][3]), (9, 6.0, 4))
            self.assertEqual(got["zero"], [0, 0, 0, 0, -4, -4, -4, -4, -8, -8])
            self.assertEqual(got["called"], [1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
            self.assertEqual((got["several.a"][0], got["several.b"][0]), (1.5, "x"))
            self.assertEqual(t.units, {"motor.rpm": "1/min", "number": "V"})
            self.assertEqual(t.meta["user"], {"device": "d1", "n": -3, "k": 0.5, "b": True})
            self.assertEqual((t.meta["run_id"], t.meta["tick_ns"], t.meta["closed"]), (t.info()["run_id"], t.tick_ns, True))
            self.assertEqual(t.meta["streams"], t.info()["streams"])
            self.assertEqual(t.streams["state"].to_dict()["state"], [0, 1, 2])
            self.assertEqual(t.streams["zero"].to_dict()["tick"], [0, 4, 8])
            self.assertEqual(list(t.streams)[:2], ["motor", "number"])
            self.assertEqual(t.events.to_dict(["state"])["state"][-1], 2)
            self.assertEqual(t.loss, [])
            with self.assertRaises(KeyError):
                t.streams["nothing"]
            self.assertEqual(ticklog.open("runs/r", stream="state", events=True).count(), 3)

    def test_events_and_statistics(self):
        logger = ticklog.Logger()
        logger.poll("x", ctypes.c_uint8())
        alarm = logger.event("alarm", {"code": "u16", "text": "string:8"}, units={"code": "1"})
        one = logger.event("one", "f32[2]")
        with self.assertRaises(ticklog.ClosedError):
            alarm.emit(code=1, text="")
        run = logger.start("runs", "e")
        with self.assertRaises(ticklog.BusyError):
            logger.poll("late", ctypes.c_uint8())
        run.tick()
        self.assertTrue(alarm.emit(code=7, text="hot"))
        self.assertTrue(alarm.emit({"code": 8, "text": "é"}))
        self.assertTrue(one.emit([0.5, 1.5]))
        for bad in (lambda: alarm.emit(code=70000, text=""), lambda: alarm.emit(code=1, text="x" * 9), lambda: alarm.emit(code=1), lambda: one.emit([1]), lambda: alarm.emit(code="a", text="")):
            with self.assertRaises(ticklog.ArgumentError):
                bad()
        self.assertTrue(run.note("remark"))
        run.set_time(0, 1_700_000_000_000_000_000)
        with self.assertRaises(ticklog.ArgumentError):
            run.note("x" * 200)
        run.flush()
        told = run.statistics()
        self.assertEqual((told["ticks"], told["lost"], told["pending"]), (1, 0, 0))
        run.stop()
        self.assertEqual(run.statistics()["written"], told["offered"])
        for call in (run.tick, run.service, run.flush, run.stop, lambda: run.note("x"), lambda: alarm.emit(code=1, text="")):
            with self.assertRaises(ticklog.ClosedError):
                call()
        events = ticklog.open("runs/e").events.to_dict()
        self.assertEqual(sorted(events["stream"]), ["alarm", "alarm", "one", "ticklog.clock", "ticklog.note"])
        with self.assertRaises(FileExistsError):
            logger.start("runs", "e")

    def test_two_runs_and_dlf(self):
        logger = ticklog.Logger()
        value = np.zeros((), "u4")
        logger.poll("v", value)
        ping = logger.event("ping", "u8")
        with logger.start("a", "one") as first, logger.start("b", "two", format="dlf") as second:
            for i in range(50):
                value[()] = i
                first.tick()
                second.tick()
                ping.emit(i)
        for path in ("a/one", "b/two"):
            with ticklog.open(path) as t:
                self.assertEqual(t["v"].tolist(), list(range(50)))
                self.assertEqual(t.streams["ping"].count(), 50)
        self.assertEqual(ticklog.open("b/two").format, "dlf")
        with self.assertRaises(ticklog.UnsupportedError):
            logger.start("b", "three", format="dlf").note("x")

    def test_losses(self):
        logger = ticklog.Logger()
        logger.poll("v", np.zeros(50, "u8"))
        with logger.start("runs", "l", ring_bytes=4096) as run:
            kept = [run.tick() for _ in range(100)]
            self.assertIn(False, kept)
            run.service()
            run.tick()
            run.service()
            run.tick(elapsed=5)
        with ticklog.open("runs/l") as t:
            lost = t.loss
            self.assertEqual({loss.reason for loss in lost}, {"ring full", "late"})
            self.assertEqual(sum(loss.samples for loss in lost) + t.count(), 106)

    def test_threads(self):
        logger = ticklog.Logger()
        value = np.zeros((), "u8")
        logger.poll("v", value)
        ping = logger.event("ping", "u32", queue_bytes=1 << 20)
        with logger.start("runs", "t", service_ms=5) as run:
            threads = [threading.Thread(target=lambda: [ping.emit(i) for i in range(500)]) for _ in range(4)]
            for thread in threads:
                thread.start()
            for i in range(2000):
                value[()] = i
                run.tick()
            for thread in threads:
                thread.join(LIMIT)
        told = run.statistics()
        self.assertEqual((told["offered"], told["lost"]), (4000, 0))
        self.assertEqual(ticklog.open("runs/t").streams["ping"].count(), 2000)

    def test_real_time(self):
        logger = ticklog.Logger()
        logger.poll("t", time.monotonic, type="f64", unit="s")
        with logger.start("runs", "s", tick_ns=2_000_000) as run:
            run.sample(0.2)
        self.assertEqual(run.ticks, 100)
        with ticklog.open("runs/s") as t:
            self.assertEqual(t.count() + sum(loss.samples for loss in t.loss), 100)

    def test_function_that_fails(self):
        logger = ticklog.Logger()
        logger.poll("x", lambda: 1 // 0, type="u8")
        with self.assertRaises(ZeroDivisionError):
            with logger.start("runs", "z") as run:
                run.tick()
        self.assertTrue(run.closed)
        self.assertTrue(ticklog.validate("runs/z")["sound"])

    def test_full(self):
        logger = ticklog.Logger()
        noise = np.zeros(100, "u8")
        logger.poll("n", noise)
        run = logger.start("runs", "full", max_bytes=100000)
        with self.assertRaises(ticklog.ClosedError):
            for _ in range(10000):
                noise[:] = np.random.randint(0, 2**63, 100)
                run.tick()
                run.service()
        self.assertTrue(run.closed)
        self.assertTrue(ticklog.validate("runs/full")["sound"])

    def test_given_up(self):
        """A run that nobody has stopped is an unclosed one, and its process ends quietly."""
        code = """
import ticklog
logger = ticklog.Logger()
logger.poll("x", lambda: 3, type="u8")
run = logger.start("runs", "g", service_ms=1)
for _ in range(100): run.tick()
run.flush()
"""
        self.assertEqual(python(code), (0, "", ""))
        self.assertTrue(os.path.exists("runs/g/LOCK"))
        self.assertEqual(ticklog.open("runs/g").count(), 100)

    def test_refused(self):
        logger = ticklog.Logger()
        logger.poll("x", ctypes.c_uint8())

        class Bits(ctypes.Structure):
            _fields_ = [("a", ctypes.c_int, 3)]

        class Pointer(ctypes.Structure):
            _fields_ = [("p", ctypes.c_void_p)]

        for kind, call in [
            (ticklog.ArgumentError, lambda: logger.poll("x", ctypes.c_uint8())), (ticklog.ArgumentError, lambda: logger.poll("a b", ctypes.c_uint8())),
            (ticklog.ArgumentError, lambda: logger.poll("f", lambda: 1)), (ticklog.ColumnTypeError, lambda: logger.poll("f", lambda: 1, type="u9")),
            (ticklog.ColumnTypeError, lambda: logger.poll("l", [1, 2])), (ticklog.ColumnTypeError, lambda: logger.poll("b", Bits())),
            (ticklog.ColumnTypeError, lambda: logger.poll("p", Pointer())), (ticklog.ColumnTypeError, lambda: logger.poll("n", np.zeros(4)[::2])),
            (ticklog.ColumnTypeError, lambda: logger.poll("n", np.zeros(1, "f2"))), (ticklog.ColumnTypeError, lambda: logger.poll("n", np.zeros(1, ">u4"))),
            (ticklog.ArgumentError, lambda: logger.poll("m", Motor(), units={"speed": "m"})), (ticklog.ColumnTypeError, lambda: logger.event("e", {"s": "string"})),
            (ticklog.ArgumentError, lambda: logger.event("e", {})), (ticklog.ArgumentError, lambda: logger.start("runs", "n", tick_ns=0)),
            (ticklog.ArgumentError, lambda: logger.start("runs", "n", format="csv")), (ticklog.ArgumentError, lambda: logger.start("runs", "n", file_codec="zip")),
            (ticklog.ArgumentError, lambda: logger.start("runs", "a/b")), (ticklog.ColumnTypeError, lambda: logger.start("runs", "n", metadata={"x": None})),
        ]:  # fmt: skip
            with self.assertRaises(kind):
                call()
        # What was refused is not there.
        with logger.start("runs", "n") as run:
            run.tick()
        self.assertEqual(ticklog.open("runs/n").columns, ["tick", "x"])

    @unittest.skipUnless(have("pybcsv"), "needs pybcsv")
    def test_pybcsv_reads_it(self):
        import pybcsv

        logger = ticklog.Logger()
        value = np.zeros((), "f4")
        logger.poll("v", value)
        with logger.start("runs", "p") as run:
            for i in range(100):
                value[()] = i
                run.tick()
        self.assertEqual(pybcsv.read_columns("runs/p/polled.bcsv")["v"].tolist(), list(range(100)))


if __name__ == "__main__":
    unittest.main()
