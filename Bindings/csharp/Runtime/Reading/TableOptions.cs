// SPDX-License-Identifier: MIT
namespace TickLog
{
    /// <summary>What of a file is read. 0 and null are the defaults: all of it.</summary>
    public sealed class TableOptions
    {
        /// <summary>Of a run or a DLF file, one stream with its own ticks and columns; null: the whole table.</summary>
        public string Stream { get; set; }

        /// <summary>Names of the columns, in the order wanted; only these are decoded. null: all.</summary>
        public string[] Columns { get; set; }

        /// <summary>Rows before are passed over.</summary>
        public ulong FirstRow { get; set; }

        /// <summary>How many rows, at most; 0: to the end.</summary>
        public ulong RowCount { get; set; }

        /// <summary>Rows with FromTick &lt;= tick &lt; ToTick alone, of a table that has a column `tick`.</summary>
        public ulong FromTick { get; set; }

        /// <summary>0: to the end.</summary>
        public ulong ToTick { get; set; }

        /// <summary>Rows that are decoded at once, at most; 0: 65536. Memory is that of two batches.</summary>
        public uint BatchRows { get; set; }

        /// <summary>Damage is left out, and is no error then.</summary>
        public bool Salvage { get; set; }

        /// <summary>Of a run, the event file instead of the polled one.</summary>
        public bool Events { get; set; }

        internal TableOptions Copy()
        {
            var copy = (TableOptions)MemberwiseClone();
            if (Columns != null) copy.Columns = (string[])Columns.Clone();
            return copy;
        }
    }
}
