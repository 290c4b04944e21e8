// SPDX-License-Identifier: MIT
using System;
using System.Threading;
using TickLog.Native;

namespace TickLog
{
    /// <summary>
    /// One recording. One thread calls Tick; one, the same or another, calls Service, Flush and Stop; notes and times come from one
    /// more, or from that of Service. A second thread in the same call gets an InvalidOperationException.
    /// </summary>
    public sealed unsafe class Run : IDisposable
    {
        private readonly RunHandle handle;
        private readonly Logger logger;
        private int ticking, serving, noting;

        internal Run(Logger logger, RunOptions options)
        {
            this.logger = logger;
            var arena = new Arena();
            bool held = false;
            try
            {
                using (var names = new Arena())
                {
                    ticklog_run_config config = default(ticklog_run_config);
                    config.size = (uint)sizeof(ticklog_run_config);
                    config.format = (byte)options.Format;
                    config.row_codec = (byte)options.RowCodec;
                    config.file_codec = (byte)options.FileCodec;
                    config.event_codec = (byte)options.EventCodec;
                    config.tick_ns = options.TickNanoseconds;
                    config.epoch_ns = options.EpochNanoseconds;
                    string name = options.Name ?? (options.ShortNames ? Guid.NewGuid().ToString("N").Substring(0, 8) : Guid.NewGuid().ToString());
                    config.name = names.Text(name, "Name");
                    config.short_names = options.ShortNames ? (byte)1 : (byte)0;
                    config.no_tick_column = options.NoTickColumn ? (byte)1 : (byte)0;
                    config.allow_wide = options.AllowWide ? (byte)1 : (byte)0;
                    config.level = options.Level;
                    config.bcsv_version = options.Version13 ? (byte)13 : (byte)0;
                    // The garbage collector and the other threads of a program stop Service for longer than an interrupt does.
                    config.ring_bytes = options.RingBytes == 0 ? 1u << 20 : options.RingBytes;
                    config.note_bytes = options.NoteBytes;
                    config.buffer_bytes = options.BufferBytes;
                    config.window_bytes = options.WindowBytes;
                    config.packet_bytes = options.PacketBytes;
                    config.index_entries = options.IndexEntries;
                    config.flush_ms = options.FlushMilliseconds;
                    config.roll_bytes = options.RollBytes;
                    config.max_bytes = options.MaxBytes;
                    if (options.Metadata != null)
                    {
                        var fields = new Fields(options.Metadata.GetType());
                        if (fields.IsPrimitive) throw new ArgumentException("the metadata are no structure", "options");
                        config.metadata = names.Pin(options.Metadata);
                        config.metadata_size = (uint)fields.Size;
                        config.metadata_field_count = (uint)fields.Count;
                        config.metadata_fields = fields.Put(names);
                    }
                    UIntPtr needed = NativeMethods.ticklog_run_size(logger.Handle, &config);
                    byte* memory = arena.Take((long)needed);
                    IntPtr run;
                    logger.Handle.DangerousAddRef(ref held);
                    TickLogException.Check(
                        NativeMethods.ticklog_start(logger.Handle, &config, memory, needed, &run), logger.Root + "/" + name);
                    handle = new RunHandle(run, logger.Handle, arena);
                    Name = name;
                }
            }
            catch
            {
                if (handle == null)
                {
                    if (held) logger.Handle.DangerousRelease();
                    arena.Dispose();
                }
                throw;
            }
        }

        /// <summary>The run's directory in the logger's root.</summary>
        public string Name { get; }

        public string Path
        {
            get { return System.IO.Path.Combine(logger.Root, Name); }
        }

        /// <summary>
        /// Advances the tick counter by `elapsed` and samples what is due. false: something was dropped, as the ring was full; it is
        /// declared. Never waits.
        /// </summary>
        public bool Tick(uint elapsed = 1)
        {
            Enter(ref ticking, "Tick");
            try
            {
                int status = NativeMethods.ticklog_tick(handle, elapsed);
                if (status == 0) return true;
                if (status == (int)Status.RingFull) return false;
                throw TickLogException.Of((Status)status, Name);
            }
            finally
            {
                Volatile.Write(ref ticking, 0);
            }
        }

        /// <summary>
        /// Writes what is there. Often enough: at least once for each ring's worth of ticks. false: storage is busy; call again.
        /// TickLogException: Full (MaxBytes: the run has stopped itself), or what storage answered.
        /// </summary>
        public bool Service()
        {
            Enter(ref serving, "Service");
            try
            {
                return NotBusy(NativeMethods.ticklog_service(handle));
            }
            finally
            {
                Volatile.Write(ref serving, 0);
            }
        }

        /// <summary>As Service, and all that was sampled before is synced when it returns true.</summary>
        public bool Flush()
        {
            Enter(ref serving, "Flush");
            try
            {
                return NotBusy(NativeMethods.ticklog_flush(handle));
            }
            finally
            {
                Volatile.Write(ref serving, 0);
            }
        }

        /// <summary>Logs a text of at most 120 bytes as the event ticklog.note. false: its ring is full. BCSV runs.</summary>
        public bool Note(string text, byte level = 1)
        {
            byte[] bytes = Utf8.Terminated(text, "text");
            Enter(ref noting, "Note");
            try
            {
                fixed (byte* start = bytes) return NotFull(NativeMethods.ticklog_note(handle, level, start));
            }
            finally
            {
                Volatile.Write(ref noting, 0);
            }
        }

        /// <summary>Tells which Unix time a tick had, as the event ticklog.clock. `source` is yours: 1 RTC, 2 GPS, 3 PTP, 4 NTP.</summary>
        public bool SetTime(ulong tick, long epochNanoseconds, uint uncertaintyNanoseconds = 0, byte source = 0)
        {
            Enter(ref noting, "SetTime");
            try
            {
                return NotFull(NativeMethods.ticklog_set_time(handle, tick, epochNanoseconds, uncertaintyNanoseconds, source));
            }
            finally
            {
                Volatile.Write(ref noting, 0);
            }
        }

        /// <summary>What the run has done so far; also after Stop, until Dispose.</summary>
        public RunStatistics Statistics
        {
            get
            {
                CheckOpen();
                ticklog_run_statistics statistics = default(ticklog_run_statistics);
                statistics.size = (uint)sizeof(ticklog_run_statistics);
                TickLogException.Check(NativeMethods.ticklog_statistics(handle, &statistics), Name);
                return new RunStatistics(ref statistics);
            }
        }

        /// <summary>The same of one stream of the run's logger.</summary>
        public StreamStatistics StatisticsOf(LogStream stream)
        {
            if (stream == null) throw new ArgumentNullException("stream");
            if (stream.Logger != logger) throw new ArgumentException("a stream of another logger", "stream");
            CheckOpen();
            ticklog_stream_statistics statistics = default(ticklog_stream_statistics);
            statistics.size = (uint)sizeof(ticklog_stream_statistics);
            TickLogException.Check(NativeMethods.ticklog_statistics_of(handle, stream.Pointer, &statistics), Name);
            return new StreamStatistics(ref statistics);
        }

        /// <summary>Ends the run, drains its rings and closes its files. TickLogException: what keeps its LOCK in place.</summary>
        public void Stop()
        {
            Enter(ref serving, "Stop");
            bool held = false;
            try
            {
                handle.DangerousAddRef(ref held);
                TickLogException.Check(handle.Stop(), Name);
            }
            finally
            {
                if (held) handle.DangerousRelease();
                Volatile.Write(ref serving, 0);
            }
        }

        /// <summary>Stops the run, unless it is, and frees its memory. TickLogException: as Stop.</summary>
        public void Dispose()
        {
            if (handle == null || handle.IsClosed) return;
            try
            {
                if (!handle.IsStopped) Stop();
            }
            catch (TickLogException exception)
            {
                // It has stopped itself.
                if (exception.Status != Status.Closed) throw;
            }
            finally
            {
                handle.Dispose();
                GC.KeepAlive(logger);
            }
        }

        private bool NotBusy(int status)
        {
            if (status == (int)Status.Busy) return false;
            TickLogException.Check(status, Name);
            return true;
        }

        private bool NotFull(int status)
        {
            if (status == (int)Status.RingFull) return false;
            TickLogException.Check(status, Name);
            return true;
        }

        private void Enter(ref int flag, string call)
        {
            CheckOpen();
            if (Interlocked.CompareExchange(ref flag, 1, 0) != 0)
            {
                throw new InvalidOperationException("run " + Name + ": another thread is in " + call + "; one thread calls it");
            }
        }

        private void CheckOpen()
        {
            if (handle.IsClosed) throw new ObjectDisposedException("Run", "run " + Name + " was disposed of");
        }
    }
}
