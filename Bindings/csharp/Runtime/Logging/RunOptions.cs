// SPDX-License-Identifier: MIT
namespace TickLog
{
    public enum RunFormat : byte
    {
        Bcsv = 0,
        Dlf = 1,
    }

    /// <summary>How a run is recorded: ticklog_run_config says what each means. 0 is the default, but for TickNanoseconds.</summary>
    public sealed class RunOptions
    {
        /// <summary>Length of a tick. Required. DLF: a multiple of 1000.</summary>
        public ulong TickNanoseconds { get; set; }

        public RunFormat Format { get; set; }

        /// <summary>The run's directory, 1 to 36 of [0-9A-Za-z-]; null: a new UUID.</summary>
        public string Name { get; set; }

        /// <summary>Unix time of tick 0 in nanoseconds; 0: unknown, or told by Run.SetTime.</summary>
        public long EpochNanoseconds { get; set; }

        public RowCodec RowCodec { get; set; }

        /// <summary>Of polled.bcsv: Packet, PacketLz4 or Batch; 0: PacketLz4.</summary>
        public FileCodec FileCodec { get; set; }

        /// <summary>Of event.bcsv; 0: Packet.</summary>
        public FileCodec EventCodec { get; set; }

        public bool ShortNames { get; set; }

        public bool NoTickColumn { get; set; }

        public bool AllowWide { get; set; }

        /// <summary>LZ4: 1 to 9; 0: 1.</summary>
        public byte Level { get; set; }

        /// <summary>true: readers of version 1.3 read the files.</summary>
        public bool Version13 { get; set; }

        /// <summary>The ring between Tick and Service; 0: 1 MiB. It holds the rows of the time between two services.</summary>
        public uint RingBytes { get; set; }

        public uint NoteBytes { get; set; }

        public uint BufferBytes { get; set; }

        public uint WindowBytes { get; set; }

        public uint PacketBytes { get; set; }

        public uint IndexEntries { get; set; }

        /// <summary>What is new is written and synced after as many milliseconds of ticks; 0: 1000.</summary>
        public uint FlushMilliseconds { get; set; }

        /// <summary>A file is continued in a new one when it has as many; 0: 2^31.</summary>
        public ulong RollBytes { get; set; }

        /// <summary>The run stops itself before its files take more; 0: no limit.</summary>
        public ulong MaxBytes { get; set; }

        /// <summary>A structure with values of your own for the run's metadata; null: none.</summary>
        public object Metadata { get; set; }
    }
}
