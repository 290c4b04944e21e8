// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;

namespace TickLog.Tests
{
    internal struct Vector
    {
        public float X, Y, Z;
    }

    internal enum Mode : byte
    {
        Off,
        On,
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct Motor
    {
        [Field(Unit = "V")] public double Voltage;
        public Vector Position;
        [Field(Name = "is_on")] public Bool8 IsOn;
        public Mode Mode;
        public fixed short Phase[3];
        [Field(Text = true)] public fixed byte State[8];
        [Field(Ignore = true)] public long Secret;
    }

    internal struct Fault
    {
        public uint Code;
        public long When;
    }

    internal struct Settings
    {
        public double Gain;
        public int Channels;
    }

    internal struct WithBool
    {
        public bool Wrong;
    }

    internal struct WithReference
    {
        public string Wrong;
    }

    internal struct WithHiddenReference
    {
        public int Right;
        [Field(Ignore = true)] public object Wrong;
    }

    internal static unsafe class LoggerTests
    {
        private const int Ticks = 1000;

        /// <summary>Logs a run; Tests/csharp.sh reads it by the command.</summary>
        internal static void Run(string root)
        {
            Simple(root);
            Threads(root);
            Refused(root);
            Disposed(root);
            Collected(root);
        }

        private static Motor MotorAt(int tick)
        {
            var motor = new Motor { Voltage = tick / 8.0, IsOn = tick % 3 == 0, Mode = tick % 2 == 0 ? Mode.Off : Mode.On, Secret = 7 };
            motor.Position.Y = tick;
            motor.Phase[1] = (short)-tick;
            motor.State[0] = (byte)'s';
            motor.State[1] = (byte)('0' + tick % 10);
            return motor;
        }

        private static void Simple(string root)
        {
            using (var logger = new Logger(root))
            {
                Variable<Motor> motor = logger.Poll<Motor>("motor", new StreamOptions { Notes = "a motor" });
                Variable<uint> slow = logger.Poll<uint>("slow", new StreamOptions { IntervalNanoseconds = 10000000, Unit = "µs" });
                Variable<Bool8> door = logger.Watch<Bool8>("door");
                EventStream<Fault> fault = logger.Events<Fault>("fault");
                using (Run run = logger.Start(new RunOptions
                {
                    TickNanoseconds = 1000000, Name = "simple", Metadata = new Settings { Gain = 2.5, Channels = 4 },
                }))
                {
                    for (int tick = 0; tick < Ticks; tick++)
                    {
                        motor.Value = MotorAt(tick);
                        slow.Value = (uint)tick;
                        door.Reference = tick >= 500;
                        Check.That(run.Tick(), "a tick");
                        if (tick % 100 == 50)
                        {
                            Check.That(fault.Emit(new Fault { Code = (uint)tick, When = -tick }), "an event");
                            GC.Collect();
                        }
                        if (tick % 16 == 0) run.Service();
                    }
                    Check.Equal(500 <= Ticks, (bool)door.Value, "a value is read back");
                    Check.That(run.Note("half done, naïve ☃", 3), "a note");
                    run.SetTime(0, 1700000000000000000, 1000, 4);
                    Check.That(run.Flush(), "flushed");
                    RunStatistics statistics = run.Statistics;
                    Check.Equal((ulong)Ticks, statistics.Ticks, "ticks");
                    Check.Equal(0ul, statistics.Lost, "lost");
                    Check.Equal(statistics.Offered, statistics.Written + statistics.Pending, "offered");
                    Check.Equal(0ul, statistics.LostBy(LossReason.RingFull) + statistics.LostBy(LossReason.Late), "by reason");
                    Check.Equal(10ul, run.StatisticsOf(fault).Offered, "events");
                    Check.Equal((ulong)Ticks, run.StatisticsOf(motor).Written, "of one stream");
                    Check.That(File.Exists(Path.Combine(run.Path, "LOCK")), "LOCK while it is open");
                    run.Stop();
                    Check.That(!File.Exists(Path.Combine(run.Path, "LOCK")), "no LOCK when it is stopped");
                    Check.Equal(0ul, run.Statistics.Pending, "nothing is left");
                    Check.Fails(Status.Closed, () => run.Tick(), "a tick after the end");
                    Check.Fails(Status.Closed, () => run.Stop(), "stopped twice");
                    Check.That(!fault.Emit(default(Fault)), "an event after the end");
                }
            }
        }

        /// <summary>A ticker, a writer, an emitter and one that collects garbage; every sample is accounted for.</summary>
        private static void Threads(string root)
        {
            using (var logger = new Logger(root))
            {
                Variable<Pair> pair = logger.Poll<Pair>("pair", new StreamOptions { Guarded = true });
                EventStream<Fault> fault = logger.Events<Fault>("fault", new StreamOptions { QueueBytes = 4096 });
                using (Run run = logger.Start(new RunOptions { TickNanoseconds = 1000000, Name = "threads" }))
                {
                    int emitted = 0, refused = 0, sets = 0;
                    bool isOver = false;
                    Exception failure = null;
                    var threads = new[]
                    {
                        new Thread(() => Guarded(ref failure, () =>
                        {
                            for (int t = 0; t < 20000; t++)
                            {
                                run.Tick();
                                // The other threads have their turn, on machines of one processor as well.
                                if (t % 500 != 0) continue;
                                for (int seen = Volatile.Read(ref sets); Volatile.Read(ref sets) == seen;) Thread.Sleep(0);
                            }
                        })),
                        new Thread(() => Guarded(ref failure, () => { while (!Volatile.Read(ref isOver)) { run.Service(); Thread.Yield(); } })),
                        new Thread(() => Guarded(ref failure, () =>
                        {
                            for (uint n = 0; n < 2000; n++) { if (fault.Emit(new Fault { Code = n })) emitted++; else refused++; }
                        })),
                        new Thread(() => Guarded(ref failure, () =>
                        {
                            for (ulong n = 0; !Volatile.Read(ref isOver); n++)
                            {
                                pair.Value = new Pair { A = n, B = ~n };
                                Interlocked.Increment(ref sets);
                            }
                        })),
                    };
                    foreach (Thread thread in threads) thread.Start();
                    for (int round = 0; round < 50; round++)
                    {
                        GC.Collect();
                        RunStatistics now = run.Statistics;
                        Check.That(now.Written + now.Lost <= now.Offered, "accounted");
                    }
                    threads[0].Join();
                    threads[2].Join();
                    Volatile.Write(ref isOver, true);
                    foreach (Thread thread in threads) thread.Join();
                    if (failure != null) throw failure;
                    run.Stop();
                    RunStatistics statistics = run.Statistics;
                    Check.Equal(statistics.Offered, statistics.Written + statistics.Lost, "every sample is written or declared lost");
                    Check.Equal(2000, emitted + refused, "events");
                    Check.Equal(2000ul, run.StatisticsOf(fault).Offered, "events offered");
                    Check.Equal((ulong)refused, run.StatisticsOf(fault).Lost, "events lost");
                    Check.Equal(20000ul, run.StatisticsOf(pair).Offered, "samples offered");
                    Console.WriteLine("threads: {0} events in the file, {1} samples lost", emitted, statistics.Lost);
                }
            }
        }

        private struct Pair
        {
            public ulong A, B;
        }

        private static void Guarded(ref Exception failure, Action action)
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        }

        private static void Refused(string root)
        {
            Check.Throws<ArgumentNullException>(() => new Logger(null), "no root");
            Check.Throws<ArgumentException>(() => new Logger("a\0b"), "a NUL in a path");
            Check.Fails(Status.NameTooLong, () => new Logger(new string('r', 300)), "a long root");
            using (var logger = new Logger(root, new LoggerOptions { MaxStreams = 2, MaxRuns = 1 }))
            {
                Check.Throws<ArgumentException>(() => logger.Poll<WithBool>("a"), "a bool of C#");
                Check.Throws<ArgumentException>(() => logger.Poll<WithReference>("a"), "a reference");
                Check.Throws<ArgumentException>(() => logger.Poll<WithHiddenReference>("a"), "a reference that is not logged");
                Check.Throws<ArgumentException>(() => logger.Poll<char>("a"), "a char");
                Check.Throws<ArgumentException>(() => logger.Poll<DateTime>("a"), "a date");
                Check.Throws<ArgumentException>(() => logger.Events<decimal>("a"), "a decimal");
                Check.Throws<ArgumentNullException>(() => logger.Poll<int>(null), "no name");
                Check.Fails(Status.BadName, () => logger.Poll<int>("1a"), "an illegal name");
                Check.Fails(Status.NameTooLong, () => logger.Poll<int>(new string('n', 32)), "a long name");
                Check.Throws<ArgumentNullException>(() => logger.Start(null), "no options");
                Check.Fails(Status.BadTick, () => logger.Start(new RunOptions()), "no tick");
                Variable<int> one = logger.Poll<int>("one");
                Check.Fails(Status.DuplicateName, () => logger.Poll<int>("one"), "a name twice");
                logger.Poll<int>("two");
                Check.Fails(Status.TooMany, () => logger.Poll<int>("three"), "a stream too many");
                Check.Fails(Status.Exists, () => logger.Start(new RunOptions { TickNanoseconds = 1000, Name = "simple" }), "a run that is there");
                Check.Fails(Status.BadName, () => logger.Start(new RunOptions { TickNanoseconds = 1000, Name = "../x" }), "a bad run name");
                using (Run run = logger.Start(new RunOptions { TickNanoseconds = 1000, Name = "refused" }))
                {
                    Check.Fails(Status.RunOpen, () => logger.Poll<int>("late"), "a stream while a run is open");
                    Check.Fails(Status.TooMany, () => logger.Start(new RunOptions { TickNanoseconds = 1000, Name = "more" }), "a run too many");
                    Check.Fails(Status.BadTick, () => run.Tick(0), "no tick");
                    Check.Fails(Status.NameTooLong, () => run.Note(new string('x', 121)), "a long note");
                    Check.Throws<ArgumentNullException>(() => run.StatisticsOf(null), "no stream");
                    using (var other = new Logger(root))
                    {
                        Variable<int> stranger = other.Poll<int>("one");
                        Check.Throws<ArgumentException>(() => run.StatisticsOf(stranger), "another logger's stream");
                    }
                    Check.Equal(0ul, run.StatisticsOf(one).Offered, "nothing was logged");
                }
            }
            using (var logger = new Logger(Path.Combine(root, "missing")))
            {
                logger.Poll<int>("one");
                Check.Fails(Status.NotFound, () => logger.Start(new RunOptions { TickNanoseconds = 1000 }), "a root that is not there");
            }
        }

        private static void Disposed(string root)
        {
            var logger = new Logger(root);
            EventStream<int> events = logger.Events<int>("events");
            Variable<int> variable = logger.Poll<int>("variable");
            Run run = logger.Start(new RunOptions { TickNanoseconds = 1000, Name = "disposed" });
            run.Dispose();
            run.Dispose();
            Check.Throws<ObjectDisposedException>(() => run.Tick(), "Tick");
            Check.Throws<ObjectDisposedException>(() => run.Service(), "Service");
            Check.Throws<ObjectDisposedException>(() => run.Flush(), "Flush");
            Check.Throws<ObjectDisposedException>(() => run.Stop(), "Stop");
            Check.Throws<ObjectDisposedException>(() => run.Note("x"), "Note");
            Check.Throws<ObjectDisposedException>(() => run.SetTime(0, 0), "SetTime");
            Check.Throws<ObjectDisposedException>(() => { RunStatistics s = run.Statistics; }, "Statistics");
            Check.Throws<ObjectDisposedException>(() => run.StatisticsOf(variable), "StatisticsOf");
            // A run outlives its logger.
            run = logger.Start(new RunOptions { TickNanoseconds = 1000, Name = "outlives" });
            logger.Dispose();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            variable.Value = 3;
            Check.That(run.Tick(), "a tick of a run whose logger was disposed of");
            run.Service();
            run.Dispose();
            Check.Throws<ObjectDisposedException>(() => logger.Poll<int>("x"), "Poll");
            Check.Throws<ObjectDisposedException>(() => logger.Start(new RunOptions { TickNanoseconds = 1 }), "Start");
            Check.Throws<ObjectDisposedException>(() => events.Emit(1), "Emit");
            variable.Value = 4;
        }

        /// <summary>Loggers and runs that nobody disposes of end when they are collected, with their files closed.</summary>
        private static void Collected(string root)
        {
            // On a thread of its own: no value that is left on a stack keeps the runs.
            var thread = new Thread(() =>
            {
                for (int index = 0; index < 10; index++) Leave(root, index);
            });
            thread.Start();
            thread.Join();
            int closed = 0;
            for (int round = 0; round < 10; round++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            for (int index = 0; index < 10; index++)
            {
                if (!File.Exists(Path.Combine(root, "left" + index, "LOCK"))) closed++;
            }
            Check.That(closed >= 9, "runs that were left are closed: found " + closed + ", expected at least 9 of 10");
        }

        private static void Leave(string root, int index)
        {
            var logger = new Logger(root);
            Variable<double> value = logger.Poll<double>("value");
            Run run = logger.Start(new RunOptions { TickNanoseconds = 1000, Name = "left" + index });
            for (int tick = 0; tick < 10; tick++)
            {
                value.Value = tick;
                run.Tick();
            }
        }
    }
}
