// SPDX-License-Identifier: MIT
using System.Collections.Generic;

namespace TickLog
{
    /// <summary>A column of a table: its name and type, and what the file tells of it.</summary>
    public sealed class Column
    {
        internal Column(int index, string name, ColumnType type, IReadOnlyDictionary<string, string> metadata)
        {
            Index = index;
            Name = name;
            Type = type;
            Metadata = metadata;
        }

        public int Index { get; }

        public string Name { get; }

        public ColumnType Type { get; }

        /// <summary>The unit, "V" for example; null if the file names none.</summary>
        public string Unit
        {
            get { return Get("unit"); }
        }

        /// <summary>Of a run, the stream that the column belongs to; null if it is of none.</summary>
        public string Stream
        {
            get { return Get("stream"); }
        }

        public string Notes
        {
            get { return Get("notes"); }
        }

        /// <summary>All that the file tells: stream, unit, notes, interval, phase, as far as they are known.</summary>
        public IReadOnlyDictionary<string, string> Metadata { get; }

        public override string ToString()
        {
            return Name + ": " + Type + (Unit == null ? "" : " [" + Unit + "]");
        }

        private string Get(string key)
        {
            string value;
            return Metadata.TryGetValue(key, out value) ? value : null;
        }
    }
}
