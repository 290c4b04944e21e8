// SPDX-License-Identifier: MIT
using System;
using TickLog.Native;

namespace TickLog
{
    /// <summary>One column of a batch, where it lies in native memory.</summary>
    internal sealed unsafe class Values
    {
        internal readonly Column Column;
        private readonly ColumnType type;
        private readonly byte* validity;
        private readonly byte* data;
        private readonly int* ends; // of strings, where they begin and end in data
        private readonly long offset;
        private readonly bool mayBeNull;
        private readonly Values dictionary;
        private readonly long count;
        private string[] texts; // of a dictionary, each decoded once

        internal Values(Column column, ArrowArray* array, long before)
        {
            Column = column;
            type = column.Type;
            offset = array->offset + before;
            count = array->length;
            validity = array->null_count == 0 ? null : (byte*)array->buffers[0];
            mayBeNull = validity != null;
            if (array->dictionary != null)
            {
                data = (byte*)array->buffers[1];
                dictionary = new Values(column, array->dictionary, 0);
                dictionary.texts = new string[checked((int)array->dictionary->length)];
            }
            else if (type == ColumnType.String)
            {
                ends = (int*)array->buffers[1];
                data = (byte*)array->buffers[2];
            }
            else
            {
                data = (byte*)array->buffers[1];
            }
        }

        internal bool IsNull(long row)
        {
            return mayBeNull && !Bit(validity, row + offset);
        }

        private static bool Bit(byte* bits, long at)
        {
            return (bits[at >> 3] >> (int)(at & 7) & 1) != 0;
        }

        internal bool Bool(long row)
        {
            if (type != ColumnType.Bool) throw Wrong("bool");
            Known(row);
            return Bit(data, row + offset);
        }

        internal long Int64(long row)
        {
            long at = row + offset;
            switch (type)
            {
                case ColumnType.Int64: Known(row); return ((long*)data)[at];
                case ColumnType.Int32: Known(row); return ((int*)data)[at];
                case ColumnType.Int16: Known(row); return ((short*)data)[at];
                case ColumnType.Int8: Known(row); return ((sbyte*)data)[at];
                case ColumnType.UInt64:
                    Known(row);
                    ulong value = ((ulong*)data)[at];
                    if (value > long.MaxValue) throw TooLarge(row, value, "long");
                    return (long)value;
                case ColumnType.UInt32: Known(row); return ((uint*)data)[at];
                case ColumnType.UInt16: Known(row); return ((ushort*)data)[at];
                case ColumnType.UInt8: Known(row); return data[at];
                default: throw Wrong("long");
            }
        }

        internal ulong UInt64(long row)
        {
            long at = row + offset;
            switch (type)
            {
                case ColumnType.UInt64: Known(row); return ((ulong*)data)[at];
                case ColumnType.UInt32: Known(row); return ((uint*)data)[at];
                case ColumnType.UInt16: Known(row); return ((ushort*)data)[at];
                case ColumnType.UInt8: Known(row); return data[at];
                default: throw Wrong("ulong");
            }
        }

        internal int Int32(long row)
        {
            switch (type)
            {
                case ColumnType.Int32: case ColumnType.Int16: case ColumnType.Int8: case ColumnType.UInt16: case ColumnType.UInt8:
                    return (int)Int64(row);
                default: throw Wrong("int");
            }
        }

        internal uint UInt32(long row)
        {
            switch (type)
            {
                case ColumnType.UInt32: case ColumnType.UInt16: case ColumnType.UInt8: return (uint)UInt64(row);
                default: throw Wrong("uint");
            }
        }

        /// <summary>Of an unknown value NaN. Integers of 64 bits are rounded.</summary>
        internal double Double(long row)
        {
            long at = row + offset;
            switch (type)
            {
                case ColumnType.Double: return IsNull(row) ? double.NaN : ((double*)data)[at];
                case ColumnType.Float: return IsNull(row) ? double.NaN : ((float*)data)[at];
                case ColumnType.UInt64: return IsNull(row) ? double.NaN : ((ulong*)data)[at];
                case ColumnType.Bool: case ColumnType.String: throw Wrong("double");
                default: return IsNull(row) ? double.NaN : Int64(row);
            }
        }

        internal float Float(long row)
        {
            switch (type)
            {
                case ColumnType.Float: return IsNull(row) ? float.NaN : ((float*)data)[row + offset];
                case ColumnType.Int8: case ColumnType.UInt8: case ColumnType.Int16: case ColumnType.UInt16:
                    return IsNull(row) ? float.NaN : Int64(row);
                default: throw Wrong("float");
            }
        }

        /// <summary>Of an unknown value null.</summary>
        internal string String(long row)
        {
            if (type != ColumnType.String) throw Wrong("string");
            if (IsNull(row)) return null;
            if (dictionary != null)
            {
                int place = Place(row);
                return dictionary.texts[place] ?? (dictionary.texts[place] = dictionary.String(place));
            }
            int from = ends[row + offset];
            return Utf8.String(data + from, ends[row + offset + 1] - from);
        }

        internal byte[] Bytes(long row)
        {
            if (type != ColumnType.String) throw Wrong("bytes");
            if (IsNull(row)) return null;
            if (dictionary != null) return dictionary.Bytes(Place(row));
            int from = ends[row + offset];
            var bytes = new byte[ends[row + offset + 1] - from];
            if (bytes.Length > 0) System.Runtime.InteropServices.Marshal.Copy((IntPtr)(data + from), bytes, 0, bytes.Length);
            return bytes;
        }

        private int Place(long row)
        {
            int place = ((int*)data)[row + offset];
            if (place < 0 || place >= dictionary.count) throw new TickLogException(Status.Damaged, "column " + Column.Name + ": an index beyond its dictionary");
            return place;
        }

        internal object Value(long row)
        {
            if (IsNull(row)) return null;
            switch (type)
            {
                case ColumnType.Bool: return Bool(row);
                case ColumnType.UInt8: return (byte)UInt64(row);
                case ColumnType.UInt16: return (ushort)UInt64(row);
                case ColumnType.UInt32: return (uint)UInt64(row);
                case ColumnType.UInt64: return UInt64(row);
                case ColumnType.Int8: return (sbyte)Int64(row);
                case ColumnType.Int16: return (short)Int64(row);
                case ColumnType.Int32: return (int)Int64(row);
                case ColumnType.Int64: return Int64(row);
                case ColumnType.Float: return Float(row);
                case ColumnType.Double: return Double(row);
                default: return String(row);
            }
        }

        /// <summary>Copies rows to an array of their own type, or of a wider one that keeps every value.</summary>
        internal void Copy<T>(long from, int count, T[] values, int at, bool hasMissing, T missing)
        {
            if (count == 0)
            {
                Takes(typeof(T));
                return;
            }
            bool isKnown = !mayBeNull;
            if (isKnown && type != ColumnType.Bool && type != ColumnType.String && typeof(T) == ColumnTypes.Element(type))
            {
                int size = ColumnTypes.Size(type);
                var pin = System.Runtime.InteropServices.GCHandle.Alloc(values, System.Runtime.InteropServices.GCHandleType.Pinned);
                try
                {
                    Buffer.MemoryCopy(
                        data + (from + offset) * size, (byte*)pin.AddrOfPinnedObject() + (long)at * size,
                        (long)(values.Length - at) * size, (long)count * size);
                }
                finally
                {
                    pin.Free();
                }
                return;
            }
            Takes(typeof(T));
            // Each loop reads into an array that is known by its type, without boxing.
            object any = values;
            if (typeof(T) == typeof(double)) Each(from, count, values, at, hasMissing, missing, (double[])any, (v, r) => v.Double(r));
            else if (typeof(T) == typeof(float)) Each(from, count, values, at, hasMissing, missing, (float[])any, (v, r) => v.Float(r));
            else if (typeof(T) == typeof(long)) Each(from, count, values, at, hasMissing, missing, (long[])any, (v, r) => v.Int64(r));
            else if (typeof(T) == typeof(ulong)) Each(from, count, values, at, hasMissing, missing, (ulong[])any, (v, r) => v.UInt64(r));
            else if (typeof(T) == typeof(int)) Each(from, count, values, at, hasMissing, missing, (int[])any, (v, r) => v.Int32(r));
            else if (typeof(T) == typeof(uint)) Each(from, count, values, at, hasMissing, missing, (uint[])any, (v, r) => v.UInt32(r));
            else if (typeof(T) == typeof(short)) Each(from, count, values, at, hasMissing, missing, (short[])any, (v, r) => (short)v.Int64(r));
            else if (typeof(T) == typeof(ushort)) Each(from, count, values, at, hasMissing, missing, (ushort[])any, (v, r) => (ushort)v.UInt64(r));
            else if (typeof(T) == typeof(sbyte)) Each(from, count, values, at, hasMissing, missing, (sbyte[])any, (v, r) => (sbyte)v.Int64(r));
            else if (typeof(T) == typeof(byte)) Each(from, count, values, at, hasMissing, missing, (byte[])any, (v, r) => (byte)v.UInt64(r));
            else if (typeof(T) == typeof(bool)) Each(from, count, values, at, hasMissing, missing, (bool[])any, (v, r) => v.Bool(r));
            else Each(from, count, values, at, hasMissing, missing, (string[])any, (v, r) => v.String(r));
        }

        private void Each<T, V>(
            long from, int count, T[] values, int at, bool hasMissing, T missing, V[] typed, Func<Values, long, V> read)
        {
            for (int place = 0; place < count; place++)
            {
                if (hasMissing && IsNull(from + place)) values[at + place] = missing;
                else typed[at + place] = read(this, from + place);
            }
        }

        /// <summary>Whether an array of these elements can take the column. Refuses what would lose values.</summary>
        internal void Takes(Type element)
        {
            Takes(Column, element);
        }

        internal static void Takes(Column column, Type element)
        {
            ColumnType type = column.Type;
            ColumnType wanted;
            if (element == ColumnTypes.Element(type)) return;
            bool isInteger = type >= ColumnType.UInt8 && type <= ColumnType.Int64;
            if (element.IsEnum || !ColumnTypes.Of(element, out wanted)) throw Wrong(column, element.Name);
            int size = ColumnTypes.Size(type), room = ColumnTypes.Size(wanted);
            bool isUnsigned = isInteger && type <= ColumnType.UInt64;
            switch (wanted)
            {
                case ColumnType.Double:
                    if (isInteger || type == ColumnType.Float) return;
                    break;
                case ColumnType.Float:
                    if (isInteger && size <= 2) return;
                    break;
                case ColumnType.UInt8: case ColumnType.UInt16: case ColumnType.UInt32: case ColumnType.UInt64:
                    if (isUnsigned && size <= room) return;
                    break;
                case ColumnType.Int64:
                    if (isInteger) return; // each value of a UInt64 is looked at
                    break;
                case ColumnType.Int8: case ColumnType.Int16: case ColumnType.Int32:
                    if (isInteger && (isUnsigned ? size < room : size <= room)) return;
                    break;
            }
            throw Wrong(column, element.Name);
        }

        private void Known(long row)
        {
            if (IsNull(row))
            {
                throw new InvalidOperationException(
                    "column " + Column.Name + ": row " + row + " of the batch is unknown; ask IsNull, or give a value for missing ones");
            }
        }

        private InvalidCastException Wrong(string wanted)
        {
            return Wrong(Column, wanted);
        }

        private static InvalidCastException Wrong(Column column, string wanted)
        {
            return new InvalidCastException("column " + column.Name + " is " + column.Type + ", which is not read as " + wanted);
        }

        private OverflowException TooLarge(long row, ulong value, string wanted)
        {
            return new OverflowException("column " + Column.Name + ": row " + row + " of the batch: " + value + " is too large for a " + wanted);
        }

        /// <summary>Where the values of a fixed size begin; only without unknown ones.</summary>
        internal byte* Start(Type element)
        {
            if (type == ColumnType.Bool || type == ColumnType.String || element != ColumnTypes.Element(type)) throw Wrong(element.Name);
            return data + offset * ColumnTypes.Size(type);
        }
    }
}
