// SPDX-License-Identifier: MIT
namespace TickLog
{
    /// <summary>How Table.Write and WriteTo write a file. 0 and null are the defaults.</summary>
    public sealed class WriteOptions
    {
        /// <summary>Replaces the file if it is there.</summary>
        public bool Replace { get; set; }

        /// <summary>"bcsv", "csv", "jsonl" or "parquet"; null: what the path's extension says.</summary>
        public string Format { get; set; }

        /// <summary>Of BCSV: "flat", "zoh", "delta" or "auto"; null: "auto".</summary>
        public string RowCodec { get; set; }

        /// <summary>Of BCSV: "packet", "packet-lz4", "batch", "stream", "stream-lz4"; null: "batch". Of Parquet: "lz4" or "none".</summary>
        public string FileCodec { get; set; }

        /// <summary>Of the codecs with LZ4: 1 to 9; 0: 6.</summary>
        public uint Level { get; set; }

        /// <summary>Of BCSV: 512 to 2^30; 0: 8388608.</summary>
        public uint PacketBytes { get; set; }
    }
}
