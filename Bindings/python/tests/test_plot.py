"""Drawings: no spike disappears, losses are shaded, memory is bounded."""

import unittest

import numpy as np

import ticklog
from support import InFolder, have


@unittest.skipUnless(have("matplotlib"), "needs matplotlib")
class Plots(InFolder):
    def setUp(self):
        super().setUp()
        import matplotlib

        matplotlib.use("Agg")

    def tearDown(self):
        import matplotlib.pyplot

        matplotlib.pyplot.close("all")

    def test_spikes(self):
        rows = 300001
        y = np.sin(np.arange(rows) / 10000)
        y[123456], y[222222] = 50, -50
        gaps = y.copy()
        gaps[100000:200000] = np.nan
        ticklog.write("p.bcsv", {"tick": np.arange(rows, dtype="u8"), "y": y, "gaps": gaps, "on": y > 0, "s": ["a"] * rows})
        axes = ticklog.open("p.bcsv").plot(points=500)
        lines = {line.get_label(): line for line in axes.lines}
        self.assertEqual(list(lines), ["y", "gaps", "on"])
        for line in lines.values():
            self.assertLessEqual(len(line.get_xdata()), 500)
        x, drawn = lines["y"].get_data()
        self.assertEqual((x[np.argmax(drawn)], drawn.max()), (123456, 50))
        self.assertEqual((x[np.argmin(drawn)], drawn.min()), (222222, -50))
        self.assertTrue((np.diff(x.astype("i8")) >= 0).all())
        self.assertTrue(np.isnan(lines["gaps"].get_ydata()).any())
        axes.figure.savefig("p.png")
        self.assertEqual(ticklog.open("p.bcsv").plot("y", x="row").get_xlabel(), "row")

    def test_few(self):
        for rows in (0, 1, 2, 9):
            ticklog.write("f.bcsv", {"y": np.arange(rows, dtype="f4")}, overwrite=True)
            axes = ticklog.open("f.bcsv").plot("y", points=8)
            got = axes.lines[0].get_ydata()
            self.assertEqual((got.min(), got.max()) if rows else len(got), (0, rows - 1) if rows else 0)

    def test_run(self):
        logger = ticklog.Logger()
        a, b = np.zeros((), "f4"), np.zeros((), "f8")
        logger.poll("speed", a, unit="m/s")
        logger.poll("volt", b, unit="V")
        with logger.start("runs", "r", epoch_ns=1_700_000_000_000_000_000) as run:
            for i in range(1000):
                a[()] = i
                run.tick(1 if i != 500 else 100)
        with ticklog.open("runs/r") as t:
            axes = t.plot()
            self.assertEqual([ax.get_ylabel() for ax in axes], ["speed [m/s]", "volt [V]"])
            self.assertEqual(axes[1].get_xlabel(), "time (UTC)")
            self.assertGreaterEqual(len(axes[0].patches), 1)
            span = axes[0].patches[0].get_bbox() if hasattr(axes[0].patches[0], "get_bbox") else axes[0].patches[0].get_extents()
            self.assertGreater(span.width, 0)
            seconds = t.plot("speed", x="seconds")
            self.assertAlmostEqual(float(seconds.lines[0].get_xdata()[-1]), 1.098, places=6)
            import matplotlib.pyplot

            own = matplotlib.pyplot.figure().gca()
            self.assertIs(t.plot("speed", ax=own), own)

    def test_refused(self):
        ticklog.write("s.bcsv", {"s": ["a"], "y": [1]})
        t = ticklog.open("s.bcsv")
        with self.assertRaises(TypeError):
            t.plot("s")
        with self.assertRaises(KeyError):
            t.plot("z")
        with self.assertRaises(ticklog.UnsupportedError):
            t.plot("y", x="time")
        with self.assertRaises(ticklog.ArgumentError):
            t.plot("y", points=1)


if __name__ == "__main__":
    unittest.main()
