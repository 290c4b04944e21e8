// SPDX-License-Identifier: MIT
using System;
using TickLog.Native;

namespace TickLog
{
    /// <summary>
    /// Some rows of a table, by columns, in native memory until the batch or its table is disposed of. One thread at a time
    /// uses a batch.
    /// </summary>
    /// <remarks>
    /// Getters read a column of their own type or one that fits: integers as wider integers, all numbers as double.
    /// InvalidCastException: it does not fit. InvalidOperationException: the value is unknown (before a stream's first
    /// sample), and the type has no NaN or null for that. ArgumentOutOfRangeException: no such row or column.
    /// </remarks>
    public sealed unsafe class Batch : IDisposable
    {
        private readonly Table table;
        private readonly ArrayHandle handle;
        private readonly Values[] columns;

        internal Batch(Table table, Column[] schema, ArrayHandle handle, ulong firstRow)
        {
            this.table = table;
            this.handle = handle;
            FirstRow = firstRow;
            ArrowArray* array = handle.Pointer;
            Count = checked((int)array->length);
            columns = new Values[schema.Length];
            if (array->n_children != columns.Length) throw new TickLogException(Status.Damaged, table.Path + ": a batch of other columns than its schema");
            for (int index = 0; index < columns.Length; index++)
            {
                columns[index] = new Values(schema[index], array->children[index], array->offset);
            }
        }

        /// <summary>Rows.</summary>
        public int Count { get; }

        /// <summary>The place of the batch's first row among those that the table gives.</summary>
        public ulong FirstRow { get; }

        public Table Table
        {
            get { return table; }
        }

        public Row this[int row]
        {
            get
            {
                CheckRow(row);
                return new Row(this, row);
            }
        }

        public bool IsNull(int column, int row)
        {
            bool value = At(column, row).IsNull(row);
            GC.KeepAlive(handle);
            return value;
        }

        public bool GetBoolean(int column, int row)
        {
            bool value = At(column, row).Bool(row);
            GC.KeepAlive(handle);
            return value;
        }

        public int GetInt32(int column, int row)
        {
            int value = At(column, row).Int32(row);
            GC.KeepAlive(handle);
            return value;
        }

        public uint GetUInt32(int column, int row)
        {
            uint value = At(column, row).UInt32(row);
            GC.KeepAlive(handle);
            return value;
        }

        /// <summary>OverflowException: a ulong above long.MaxValue.</summary>
        public long GetInt64(int column, int row)
        {
            long value = At(column, row).Int64(row);
            GC.KeepAlive(handle);
            return value;
        }

        public ulong GetUInt64(int column, int row)
        {
            ulong value = At(column, row).UInt64(row);
            GC.KeepAlive(handle);
            return value;
        }

        /// <summary>An unknown value is NaN.</summary>
        public float GetSingle(int column, int row)
        {
            float value = At(column, row).Float(row);
            GC.KeepAlive(handle);
            return value;
        }

        /// <summary>An unknown value is NaN. Integers of 64 bits are rounded to the nearest double.</summary>
        public double GetDouble(int column, int row)
        {
            double value = At(column, row).Double(row);
            GC.KeepAlive(handle);
            return value;
        }

        /// <summary>An unknown value is null. Bytes that are no UTF-8 become U+FFFD: GetBytes has them.</summary>
        public string GetString(int column, int row)
        {
            string value = At(column, row).String(row);
            GC.KeepAlive(handle);
            return value;
        }

        /// <summary>A string's bytes, as the file has them.</summary>
        public byte[] GetBytes(int column, int row)
        {
            byte[] value = At(column, row).Bytes(row);
            GC.KeepAlive(handle);
            return value;
        }

        /// <summary>The value in its own type; null if it is unknown.</summary>
        public object GetValue(int column, int row)
        {
            object value = At(column, row).Value(row);
            GC.KeepAlive(handle);
            return value;
        }

        /// <summary>The rows of a column as an array of its type, or of a wider one.</summary>
        public T[] ToArray<T>(int column)
        {
            var values = new T[Count];
            CopyTo(column, values, 0);
            return values;
        }

        /// <summary>The same in the column's own type.</summary>
        public Array ToArray(int column)
        {
            switch (At(column).Column.Type)
            {
                case ColumnType.Bool: return ToArray<bool>(column);
                case ColumnType.UInt8: return ToArray<byte>(column);
                case ColumnType.UInt16: return ToArray<ushort>(column);
                case ColumnType.UInt32: return ToArray<uint>(column);
                case ColumnType.UInt64: return ToArray<ulong>(column);
                case ColumnType.Int8: return ToArray<sbyte>(column);
                case ColumnType.Int16: return ToArray<short>(column);
                case ColumnType.Int32: return ToArray<int>(column);
                case ColumnType.Int64: return ToArray<long>(column);
                case ColumnType.Float: return ToArray<float>(column);
                case ColumnType.Double: return ToArray<double>(column);
                default: return ToArray<string>(column);
            }
        }

        /// <summary>Copies the column's Count values to `values`, from place `start` on.</summary>
        public void CopyTo<T>(int column, T[] values, int start)
        {
            Copy(column, values, start, false, default(T));
        }

        /// <summary>The same, with `missing` where a value is unknown.</summary>
        public void CopyTo<T>(int column, T[] values, int start, T missing)
        {
            Copy(column, values, start, true, missing);
        }

        private void Copy<T>(int column, T[] values, int start, bool hasMissing, T missing)
        {
            if (values == null) throw new ArgumentNullException("values");
            if (start < 0 || start > values.Length || values.Length - start < Count)
            {
                throw new ArgumentException("found room for " + (values.Length - Math.Max(start, 0)) + " values, expected " + Count, "values");
            }
            Values from = At(column);
            bool held = false;
            try
            {
                handle.DangerousAddRef(ref held);
                from.Copy(0, Count, values, start, hasMissing, missing);
            }
            finally
            {
                if (held) handle.DangerousRelease();
            }
        }

#if NETSTANDARD2_1 || NETCOREAPP || UNITY_2021_2_OR_NEWER || TICKLOG_SPAN
        /// <summary>
        /// The column's values where they lie, of its own type (no bools, no strings). Valid until the batch is disposed of:
        /// keep the batch. Unknown values are any value: ask IsNull.
        /// </summary>
        public ReadOnlySpan<T> AsSpan<T>(int column)
            where T : struct
        {
            return new ReadOnlySpan<T>(At(column).Start(typeof(T)), Count);
        }

        /// <summary>Copies the column's values, of its own type (no bools, no strings).</summary>
        public void CopyTo<T>(int column, Span<T> values)
            where T : struct
        {
            AsSpan<T>(column).CopyTo(values);
            GC.KeepAlive(handle);
        }
#endif

        public void Dispose()
        {
            handle.Dispose();
        }

        internal int IndexOf(string column)
        {
            return table.IndexOf(column);
        }

        internal Values At(int column)
        {
            if (handle.IsClosed) throw new ObjectDisposedException("Batch", "The batch was disposed of: a row is valid inside of its loop");
            table.CheckOpen();
            if ((uint)column >= (uint)columns.Length)
            {
                throw new ArgumentOutOfRangeException("column", column, "The table has " + columns.Length + " columns");
            }
            return columns[column];
        }

        private Values At(int column, int row)
        {
            CheckRow(row);
            return At(column);
        }

        private void CheckRow(int row)
        {
            if ((uint)row >= (uint)Count) throw new ArgumentOutOfRangeException("row", row, "The batch has " + Count + " rows");
        }
    }
}
