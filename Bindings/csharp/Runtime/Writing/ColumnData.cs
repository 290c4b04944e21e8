// SPDX-License-Identifier: MIT
using System;

namespace TickLog
{
    /// <summary>
    /// A column to be written: a name, and an array that is not changed until the file is there. Values may be missing: CSV and
    /// JSON Lines have them as an empty cell or null; BCSV and Parquet take NaN for them in columns of float and double, and
    /// have no place for them in others, which is a TickLogException with Status.BadArgument, the column and the row.
    /// </summary>
    public sealed class ColumnData
    {
        /// <summary>
        /// `values`: an array of bool, of integers of 8 to 64 bits, float or double, all of them nullable or not (`int?[]`), or of
        /// string. What is null is missing.
        /// </summary>
        public ColumnData(string name, Array values)
            : this(name, values, null)
        {
        }

        /// <summary>`isNull`: for each value whether it is missing, whatever stands there; null: none is.</summary>
        public ColumnData(string name, Array values, bool[] isNull)
        {
            if (name == null) throw new ArgumentNullException("name");
            if (values == null) throw new ArgumentNullException("values");
            Type element = values.GetType().GetElementType(), inner = Nullable.GetUnderlyingType(element);
            ColumnType type;
            if (values.Rank != 1 || values.GetLowerBound(0) != 0 || (inner ?? element) == typeof(Bool8) || (inner ?? element).IsEnum ||
                !ColumnTypes.Of(inner ?? element, out type))
            {
                throw new ArgumentException(
                    "column " + name + ": found " + values.GetType() + ", expected an array of bool, numbers or strings", "values");
            }
            if (isNull != null && isNull.Length != values.Length)
            {
                throw new ArgumentException(
                    "column " + name + ": found " + isNull.Length + " entries, expected one for each of " + values.Length + " values", "isNull");
            }
            Name = name;
            Values = values;
            Type = type;
            Nulls = isNull;
            Data = inner == null ? values : Split(values);
        }

        public string Name { get; }

        public ColumnType Type { get; }

        public Array Values { get; }

        /// <summary>The values in an array that is not nullable.</summary>
        internal Array Data { get; }

        /// <summary>Where a value is missing, besides strings that are null; null: nowhere.</summary>
        internal bool[] Nulls { get; private set; }

        private Array Split(Array values)
        {
            switch (Type)
            {
                case ColumnType.Bool: return Split((bool?[])values);
                case ColumnType.UInt8: return Split((byte?[])values);
                case ColumnType.UInt16: return Split((ushort?[])values);
                case ColumnType.UInt32: return Split((uint?[])values);
                case ColumnType.UInt64: return Split((ulong?[])values);
                case ColumnType.Int8: return Split((sbyte?[])values);
                case ColumnType.Int16: return Split((short?[])values);
                case ColumnType.Int32: return Split((int?[])values);
                case ColumnType.Int64: return Split((long?[])values);
                case ColumnType.Float: return Split((float?[])values);
                default: return Split((double?[])values);
            }
        }

        private T[] Split<T>(T?[] values)
            where T : struct
        {
            var data = new T[values.Length];
            var nulls = new bool[values.Length];
            for (int row = 0; row < values.Length; row++)
            {
                data[row] = values[row].GetValueOrDefault();
                nulls[row] = !values[row].HasValue || (Nulls != null && Nulls[row]);
            }
            Nulls = nulls;
            return data;
        }
    }
}
