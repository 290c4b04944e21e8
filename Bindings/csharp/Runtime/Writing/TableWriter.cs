// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.InteropServices;
using TickLog.Native;

namespace TickLog
{
    /// <summary>A column of a file that is written row by row.</summary>
    public struct ColumnDefinition
    {
        public ColumnDefinition(string name, ColumnType type)
        {
            Name = name;
            Type = type;
        }

        public string Name { get; }

        public ColumnType Type { get; }
    }

    /// <summary>
    /// Writes a BCSV file row by row, of columns that are known at run time: set the values, then WriteRow. A value stays for the
    /// next rows until it is set anew; at first it is 0, false or "".
    /// </summary>
    public sealed unsafe class TableWriter : TableFile
    {
        private const ushort TextType = 64;
        private const int MostTextBytes = 65535;

        private readonly ColumnDefinition[] columns;
        private readonly Layout layout;
        private readonly byte[][] texts;
        private byte[] text = new byte[256];

        private TableWriter(string path, bool append, Arena arena, ColumnDefinition[] columns, Layout layout, TableWriterOptions options)
            : base(path, append, arena, layout.RowBytes, layout.Fields, columns.Length, options)
        {
            this.columns = columns;
            this.layout = layout;
            texts = new byte[columns.Length][];
        }

        /// <summary>Where the values of a row lie, in the arena's memory.</summary>
        private sealed class Layout
        {
            internal readonly ticklog_field* Fields;
            internal readonly byte* Row;
            internal readonly int[] Offsets;
            internal readonly uint RowBytes;

            internal Layout(ColumnDefinition[] columns, Arena arena)
            {
                Fields = (ticklog_field*)arena.Take((long)columns.Length * sizeof(ticklog_field));
                Offsets = new int[columns.Length];
                int at = 0;
                for (int index = 0; index < columns.Length; index++)
                {
                    ColumnType type = columns[index].Type;
                    if (type < ColumnType.Bool || type > ColumnType.String) throw new ArgumentException("column " + index + ": no type " + (int)type, "columns");
                    bool isText = type == ColumnType.String;
                    if (columns[index].Name == null) throw new ArgumentException("column " + index + " has no name", "columns");
                    Fields[index].name = arena.Text(columns[index].Name, "columns");
                    Fields[index].type = isText ? TextType : (ushort)type;
                    Fields[index].count = 1;
                    Fields[index].offset = (uint)at;
                    Fields[index].size = (uint)(isText ? sizeof(ticklog_text) : ColumnTypes.Size(type));
                    Offsets[index] = at;
                    at = checked(at + (isText ? sizeof(ticklog_text) : 8));
                }
                RowBytes = (uint)Math.Max(at, 8);
                Row = arena.Take(RowBytes);
            }
        }

        /// <summary>Creates the file. TickLogException with Exists: it is there.</summary>
        public static TableWriter Create(string path, IReadOnlyList<ColumnDefinition> columns, TableWriterOptions options = null)
        {
            return Make(path, false, columns, options);
        }

        /// <summary>Goes on with a file of the same columns, closed or not.</summary>
        public static TableWriter Append(string path, IReadOnlyList<ColumnDefinition> columns)
        {
            return Make(path, true, columns, null);
        }

        private static TableWriter Make(string path, bool append, IReadOnlyList<ColumnDefinition> columns, TableWriterOptions options)
        {
            if (columns == null) throw new ArgumentNullException("columns");
            Library.Check();
            var copy = new ColumnDefinition[columns.Count];
            for (int index = 0; index < copy.Length; index++) copy[index] = columns[index];
            var arena = new Arena();
            try
            {
                return new TableWriter(path, append, arena, copy, new Layout(copy, arena), options);
            }
            catch
            {
                arena.Dispose();
                throw;
            }
        }

        public IReadOnlyList<ColumnDefinition> Columns
        {
            get { return columns; }
        }

        /// <summary>Sets a bool.</summary>
        public void Set(int column, bool value)
        {
            byte* cell = Cell(column);
            if (columns[column].Type != ColumnType.Bool) throw Wrong(column, "bool");
            *cell = value ? (byte)1 : (byte)0;
            GC.KeepAlive(this);
        }

        /// <summary>Sets a number. OverflowException: the column's integers are too small.</summary>
        public void Set(int column, long value)
        {
            byte* cell = Cell(column);
            switch (columns[column].Type)
            {
                case ColumnType.Int8: *(sbyte*)cell = checked((sbyte)value); break;
                case ColumnType.Int16: *(short*)cell = checked((short)value); break;
                case ColumnType.Int32: *(int*)cell = checked((int)value); break;
                case ColumnType.Int64: *(long*)cell = value; break;
                case ColumnType.UInt8: *cell = checked((byte)value); break;
                case ColumnType.UInt16: *(ushort*)cell = checked((ushort)value); break;
                case ColumnType.UInt32: *(uint*)cell = checked((uint)value); break;
                case ColumnType.UInt64: *(ulong*)cell = checked((ulong)value); break;
                case ColumnType.Float: *(float*)cell = value; break;
                case ColumnType.Double: *(double*)cell = value; break;
                default: throw Wrong(column, "an integer");
            }
            GC.KeepAlive(this);
        }

        public void Set(int column, ulong value)
        {
            byte* cell = Cell(column);
            if (columns[column].Type == ColumnType.UInt64) *(ulong*)cell = value;
            else if (columns[column].Type == ColumnType.Double) *(double*)cell = value;
            else if (columns[column].Type == ColumnType.Float) *(float*)cell = value;
            else Set(column, checked((long)value));
            GC.KeepAlive(this);
        }

        public void Set(int column, int value)
        {
            Set(column, (long)value);
        }

        /// <summary>Sets a number of a column of float or double.</summary>
        public void Set(int column, double value)
        {
            byte* cell = Cell(column);
            if (columns[column].Type == ColumnType.Double) *(double*)cell = value;
            else if (columns[column].Type == ColumnType.Float) *(float*)cell = (float)value;
            else throw Wrong(column, "double");
            GC.KeepAlive(this);
        }

        public void Set(int column, float value)
        {
            byte* cell = Cell(column);
            if (columns[column].Type == ColumnType.Float) *(float*)cell = value;
            else Set(column, (double)value);
            GC.KeepAlive(this);
        }

        /// <summary>Sets a text of at most 65535 bytes of UTF-8.</summary>
        public void Set(int column, string value)
        {
            Cell(column);
            if (columns[column].Type != ColumnType.String) throw Wrong(column, "string");
            if (value == null) throw new ArgumentNullException("value");
            int count = Utf8.Strict.GetByteCount(value);
            if (count > MostTextBytes)
            {
                throw new TickLogException(
                    Status.TooLarge, "column " + columns[column].Name + ": found a string of " + count + " bytes, expected at most 65535");
            }
            texts[column] = Utf8.Strict.GetBytes(value);
        }

        /// <summary>Appends the row that is set. TickLogException: it was not taken, and may be written again.</summary>
        public void WriteRow()
        {
            CheckOpen();
            int count = 0;
            foreach (byte[] bytes in texts) count += bytes == null ? 0 : bytes.Length;
            if (count > text.Length) text = new byte[Math.Max(count, 2 * text.Length)];
            fixed (byte* start = text)
            {
                int at = 0;
                for (int column = 0; column < texts.Length; column++)
                {
                    byte[] bytes = texts[column];
                    if (bytes == null) continue;
                    Buffer.BlockCopy(bytes, 0, text, at, bytes.Length);
                    var cell = (ticklog_text*)(layout.Row + layout.Offsets[column]);
                    cell->bytes = start + at;
                    cell->count = new UIntPtr((uint)bytes.Length);
                    at += bytes.Length;
                }
                WriteRows(layout.Row, 1);
            }
        }

        /// <summary>Sets one value for each column and appends the row.</summary>
        public void WriteRow(params object[] values)
        {
            CheckOpen();
            if (values == null) throw new ArgumentNullException("values");
            if (values.Length != columns.Length) throw new ArgumentException("found " + values.Length + " values, expected " + columns.Length, "values");
            for (int column = 0; column < values.Length; column++)
            {
                object value = values[column];
                if (value == null) throw new ArgumentNullException("values");
                if (value is string) Set(column, (string)value);
                else if (value is bool) Set(column, (bool)value);
                else if (value is double) Set(column, (double)value);
                else if (value is float) Set(column, (float)value);
                else if (value is ulong) Set(column, (ulong)value);
                else if (value is decimal || !(value is IConvertible) || value is DateTime || value is char) throw Wrong(column, value.GetType().Name);
                else Set(column, Convert.ToInt64(value, CultureInfo.InvariantCulture));
            }
            WriteRow();
        }

        private byte* Cell(int column)
        {
            CheckOpen();
            if ((uint)column >= (uint)columns.Length) throw new ArgumentOutOfRangeException("column", column, "The table has " + columns.Length + " columns");
            return layout.Row + layout.Offsets[column];
        }

        private InvalidCastException Wrong(int column, string found)
        {
            return new InvalidCastException("column " + columns[column].Name + " is " + columns[column].Type + ", which does not take " + found);
        }
    }
}
