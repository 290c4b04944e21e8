// SPDX-License-Identifier: MIT
using System;

namespace TickLog
{
    /// <summary>
    /// A row of a table, valid in the loop over the table that gave it: copy what is kept. Columns go by place or by name; a
    /// place is faster. What getters take and throw, Batch tells; KeyNotFoundException: no column of that name.
    /// </summary>
    public struct Row
    {
        private readonly Batch batch;
        private readonly int row;

        internal Row(Batch batch, int row)
        {
            this.batch = batch;
            this.row = row;
        }

        /// <summary>The place among the rows that the table gives.</summary>
        public ulong Index
        {
            get { return Batch.FirstRow + (ulong)row; }
        }

        public int Count
        {
            get { return Batch.Table.Columns.Count; }
        }

        public object this[int column]
        {
            get { return Batch.GetValue(column, row); }
        }

        public object this[string column]
        {
            get { return Batch.GetValue(Batch.IndexOf(column), row); }
        }

        public bool IsNull(int column) { return Batch.IsNull(column, row); }
        public bool GetBoolean(int column) { return Batch.GetBoolean(column, row); }
        public int GetInt32(int column) { return Batch.GetInt32(column, row); }
        public uint GetUInt32(int column) { return Batch.GetUInt32(column, row); }
        public long GetInt64(int column) { return Batch.GetInt64(column, row); }
        public ulong GetUInt64(int column) { return Batch.GetUInt64(column, row); }
        public float GetSingle(int column) { return Batch.GetSingle(column, row); }
        public double GetDouble(int column) { return Batch.GetDouble(column, row); }
        public string GetString(int column) { return Batch.GetString(column, row); }
        public byte[] GetBytes(int column) { return Batch.GetBytes(column, row); }

        public bool IsNull(string column) { return Batch.IsNull(Batch.IndexOf(column), row); }
        public bool GetBoolean(string column) { return Batch.GetBoolean(Batch.IndexOf(column), row); }
        public int GetInt32(string column) { return Batch.GetInt32(Batch.IndexOf(column), row); }
        public uint GetUInt32(string column) { return Batch.GetUInt32(Batch.IndexOf(column), row); }
        public long GetInt64(string column) { return Batch.GetInt64(Batch.IndexOf(column), row); }
        public ulong GetUInt64(string column) { return Batch.GetUInt64(Batch.IndexOf(column), row); }
        public float GetSingle(string column) { return Batch.GetSingle(Batch.IndexOf(column), row); }
        public double GetDouble(string column) { return Batch.GetDouble(Batch.IndexOf(column), row); }
        public string GetString(string column) { return Batch.GetString(Batch.IndexOf(column), row); }
        public byte[] GetBytes(string column) { return Batch.GetBytes(Batch.IndexOf(column), row); }

        private Batch Batch
        {
            get
            {
                if (batch == null) throw new InvalidOperationException("a row of no table");
                return batch;
            }
        }
    }
}
