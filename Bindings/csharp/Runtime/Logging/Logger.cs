// SPDX-License-Identifier: MIT
using System;
using TickLog.Native;

namespace TickLog
{
    /// <summary>
    /// A logger: streams, of which runs are recordings. Add all streams, then start runs. Dispose of it when its last run has ended;
    /// runs that are still open keep its memory.
    /// </summary>
    /// <example>
    /// <code>
    /// using (var logger = new Logger("runs"))
    /// {
    ///     Variable&lt;Motor&gt; motor = logger.Poll&lt;Motor&gt;("motor");
    ///     using (Run run = logger.Start(new RunOptions { TickNanoseconds = 1000000 }))
    ///     {
    ///         motor.Value = new Motor { Speed = 12 };
    ///         run.Tick();       // each millisecond, from one thread
    ///         run.Service();    // now and then, from another or the same
    ///     }
    /// }
    /// </code>
    /// </example>
    public sealed unsafe class Logger : IDisposable
    {
        private const ushort PollKind = 1, WatchKind = 2, EmitKind = 3;

        internal readonly LoggerHandle Handle;
        private readonly object setUp = new object();

        /// <summary>`root`: the directory that will hold the runs. It exists.</summary>
        public Logger(string root, LoggerOptions options = null)
        {
            Library.Check();
            options = options ?? new LoggerOptions();
            Root = root;
            var arena = new Arena();
            try
            {
                ticklog_config config = default(ticklog_config);
                config.size = (uint)sizeof(ticklog_config);
                config.max_streams = options.MaxStreams;
                config.max_runs = options.MaxRuns;
                if (root == null) throw new ArgumentNullException("root");
                config.root = arena.Text(root, "root");
                config.storage = NativeMethods.ticklog_posix_storage();
                UIntPtr needed = NativeMethods.ticklog_logger_size(&config);
                byte* memory = arena.Take((long)needed);
                IntPtr logger;
                TickLogException.Check(NativeMethods.ticklog_logger_init(memory, needed, &config, &logger), "logger " + root);
                Handle = new LoggerHandle(logger, arena);
            }
            catch
            {
                arena.Dispose();
                throw;
            }
        }

        public string Root { get; }

        /// <summary>Adds a variable that is sampled at each tick, or each interval of `options`.</summary>
        public Variable<T> Poll<T>(string name, StreamOptions options = null)
            where T : struct
        {
            return AddVariable<T>(PollKind, name, options);
        }

        /// <summary>Adds a variable that is logged at ticks at which it has changed.</summary>
        public Variable<T> Watch<T>(string name, StreamOptions options = null)
            where T : struct
        {
            return AddVariable<T>(WatchKind, name, options);
        }

        /// <summary>Adds a stream of events.</summary>
        public EventStream<T> Events<T>(string name, StreamOptions options = null)
            where T : struct
        {
            CheckOpen();
            Fields fields = FieldsOf<T>.Fields;
            var cell = new T[1];
            lock (setUp)
            {
                byte* source = Handle.Arena.Pin(cell);
                var stream = new EventStream<T>(this, name, cell, source, fields.Size);
                stream.Pointer = Add(EmitKind, name, options ?? new StreamOptions(), fields, null, null);
                return stream;
            }
        }

        private Variable<T> AddVariable<T>(ushort kind, string name, StreamOptions options)
            where T : struct
        {
            CheckOpen();
            options = options ?? new StreamOptions();
            Fields fields = FieldsOf<T>.Fields;
            var cell = new T[1];
            int[] guard = options.Guarded ? new int[1] : null;
            lock (setUp)
            {
                byte* source = Handle.Arena.Pin(cell);
                byte* lockContext = guard == null ? null : Handle.Arena.Pin(guard);
                var stream = new Variable<T>(this, name, cell, guard);
                stream.Pointer = Add(kind, name, options, fields, source, lockContext);
                return stream;
            }
        }

        private IntPtr Add(ushort kind, string name, StreamOptions options, Fields fields, byte* source, byte* lockContext)
        {
            if (name == null) throw new ArgumentNullException("name");
            Arena arena = Handle.Arena;
            ticklog_stream_config config = default(ticklog_stream_config);
            config.size = (uint)sizeof(ticklog_stream_config);
            config.kind = kind;
            config.type = (ushort)fields.Primitive;
            config.name = arena.Text(name, "name");
            config.unit = fields.IsPrimitive ? arena.Text(options.Unit, "Unit") : null;
            config.notes = arena.Text(options.Notes, "Notes");
            config.type_name = arena.Text(options.TypeName, "TypeName");
            config.source = source;
            config.source_size = (uint)fields.Size;
            config.field_count = (uint)fields.Count;
            config.fields = fields.Put(arena);
            config.interval_ns = options.IntervalNanoseconds;
            config.phase_ns = options.PhaseNanoseconds;
            config.queue_bytes = options.QueueBytes;
            if (lockContext != null)
            {
                config.try_lock = Guard.TryLock;
                config.unlock = Guard.Unlock;
                config.lock_context = lockContext;
            }
            IntPtr stream;
            TickLogException.Check(NativeMethods.ticklog_add(Handle, &config, &stream), "stream " + name);
            return stream;
        }

        /// <summary>
        /// Starts a run. A run that is open already goes on. TickLogException: what the configuration lacks, or storage's answer.
        /// </summary>
        public Run Start(RunOptions options)
        {
            if (options == null) throw new ArgumentNullException("options");
            CheckOpen();
            lock (setUp)
            {
                return new Run(this, options);
            }
        }

        public void Dispose()
        {
            Handle.Dispose();
        }

        private void CheckOpen()
        {
            if (Handle.IsClosed) throw new ObjectDisposedException("Logger");
        }
    }
}
