// SPDX-License-Identifier: MIT
namespace TickLog
{
    public enum RowCodec : byte
    {
        Default = 0,
        Zoh = 1,
        Flat = 2,
        Delta = 3,
    }

    public enum FileCodec : byte
    {
        Default = 0,
        Packet = 1,
        PacketLz4 = 2,
        Batch = 3,
        Stream = 4,
        StreamLz4 = 5,
    }

    /// <summary>How a TableWriter writes: ticklog_table_config says what each means. 0 is the default everywhere.</summary>
    public sealed class TableWriterOptions
    {
        public RowCodec RowCodec { get; set; }

        public FileCodec FileCodec { get; set; }

        /// <summary>LZ4: 1 to 9; 0: 1.</summary>
        public byte Level { get; set; }

        /// <summary>512 to 2^30; 0: 65536.</summary>
        public uint PacketBytes { get; set; }

        /// <summary>The most that the strings of one row have together; 0: 65536.</summary>
        public uint TextBytes { get; set; }

        /// <summary>true: readers of version 1.3 read the file; no delta, no batch.</summary>
        public bool Version13 { get; set; }
    }
}
