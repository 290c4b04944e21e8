// SPDX-License-Identifier: MIT
namespace TickLog
{
    /// <summary>Limits of a logger; 0 is the default.</summary>
    public sealed class LoggerOptions
    {
        /// <summary>Streams that will be added; 0: 16.</summary>
        public ushort MaxStreams { get; set; }

        /// <summary>Runs open at once; 0: 2.</summary>
        public ushort MaxRuns { get; set; }
    }

    /// <summary>What there is to say of a stream. 0 and null are the defaults.</summary>
    public sealed class StreamOptions
    {
        /// <summary>Of a stream of single values; at most 31 bytes. Structures: see FieldAttribute.</summary>
        public string Unit { get; set; }

        /// <summary>Free text, at most 127 bytes.</summary>
        public string Notes { get; set; }

        /// <summary>DLF's name of the structure; null: the stream's.</summary>
        public string TypeName { get; set; }

        /// <summary>Of a polled stream, the time between samples, a multiple of the run's tick; 0: every tick.</summary>
        public ulong IntervalNanoseconds { get; set; }

        /// <summary>Of a polled stream, a multiple of the run's tick.</summary>
        public ulong PhaseNanoseconds { get; set; }

        /// <summary>
        /// The value is set by another thread than the one that ticks, and is never sampled half set. Where the ticker comes in
        /// between, the last value stands, and a loss of the reason Busy is declared.
        /// </summary>
        public bool Guarded { get; set; }

        /// <summary>Of an event stream: 0: Emit is called by the thread that ticks; otherwise by any one thread, through a queue of
        /// this size.</summary>
        public uint QueueBytes { get; set; }
    }
}
