// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;

namespace TickLog.Tests
{
    /// <summary>What is refused, what ends, and what stays when things are collected.</summary>
    internal static class TableTests
    {
        internal static void Run(string folder)
        {
            string path = Make(folder);
            Read(path);
            Disposed(path);
            Wrong(folder, path);
            Huge(folder);
            Structures(folder);
            Writers(folder);
            Nulls(folder);
            Collected(folder, path);
            Reports(folder, path);
            Library_();
        }

        private static string Make(string folder)
        {
            string path = Path.Combine(folder, "read.bcsv");
            const int rows = 1000;
            Table.Write(path, new[]
            {
                new ColumnData("tick", Enumerable.Range(0, rows).Select(n => (ulong)n * 3).ToArray()),
                new ColumnData("small", Enumerable.Range(0, rows).Select(n => (byte)n).ToArray()),
                new ColumnData("x", Enumerable.Range(0, rows).Select(n => n / 4f).ToArray()),
                new ColumnData("state", Enumerable.Range(0, rows).Select(n => n % 2 == 0 ? "on" : "off").ToArray()),
                new ColumnData("ok", Enumerable.Range(0, rows).Select(n => n % 3 == 0).ToArray()),
                new ColumnData("big", Enumerable.Range(0, rows).Select(n => n == 7 ? ulong.MaxValue : 1).ToArray()),
                new ColumnData("signed", Enumerable.Range(0, rows).Select(n => (short)-n).ToArray()),
            });
            return path;
        }

        private static void Read(string path)
        {
            using (Table table = Table.Open(path, new TableOptions { BatchRows = 64 }))
            {
                Check.Equal("bcsv", table.Metadata["format"], "format");
                Check.Equal(7, table.Columns.Count, "columns");
                Check.Equal(3, table.IndexOf("state"), "a column's place");
                // Twice: each loop is a new reading.
                for (int round = 0; round < 2; round++)
                {
                    Check.Equal(1000, table.Count(), "rows");
                    Check.Equal(499.5 / 4 * 1000, table.Sum(row => row.GetDouble("x")), "a sum");
                }
                Check.Equal(334, table.Count(row => row.GetBoolean("ok")), "bools");
                Check.Equal(250L, table.First(row => row.GetInt64("tick") == 750).GetInt64Safely(), "a row by its tick");
                Check.Equal(new long[] { 0, 3, 6 }, table.ReadColumn<long>("tick").Take(3).ToArray(), "ulong as long");
                Check.Equal(new[] { 0.0, 1, 2 }, table.ReadColumn<double>("small").Take(3).ToArray(), "byte as double");
                Check.Equal(new[] { 0, -1, -2 }, table.ReadColumn<int>("signed").Take(3).ToArray(), "short as int");
                Check.Equal(new[] { "on", "off" }, table.ReadColumn<string>("state").Take(2).ToArray(), "strings");
                Check.Equal(new[] { 300ul, 303ul, 306ul }, table.Rows(100, 3).ReadColumn<ulong>("tick"), "rows");
                Check.Equal(new[] { 303ul }, table.Rows(100, 3).Rows(1, 1).ReadColumn<ulong>("tick"), "rows of rows");
                Check.Equal(new[] { 9ul, 12ul }, table.Ticks(7, 13).ReadColumn<ulong>("tick"), "ticks");
                Check.Equal(0, table.Rows(1000).Count(), "no rows");
                Array[] arrays = table.ReadColumns("state", "tick", "state");
                Check.Equal("off,300,off", arrays[0].GetValue(101) + "," + arrays[1].GetValue(100) + "," + arrays[2].GetValue(999), "columns");
                Check.Equal("7,1000", table.ReadColumns().Length + "," + table.ReadColumns()[6].Length, "all columns");
                Check.Throws<KeyNotFoundException>(() => table.ReadColumns("tick", "y"), "no such column");
                using (Table two = Table.Open(path, new TableOptions { Columns = new[] { "x", "tick" } }))
                {
                    Check.Equal("x,tick", string.Join(",", two.Columns.Select(column => column.Name)), "two columns, in this order");
                }
                var values = new float[70];
                foreach (Batch batch in table.Batches())
                {
                    using (batch)
                    {
                        if (batch.FirstRow != 128) continue;
                        batch.CopyTo(2, values, 6);
                        Check.Equal(32f, values[6], "a copied value");
                        Check.Equal(0f, values[5], "before it");
                        Check.Equal(batch.Count, batch.ToArray<string>(3).Length, "an array");
#if TICKLOG_SPAN
                        Check.Equal(35f, batch.AsSpan<float>(2)[12], "a span's value");
                        Check.Equal(batch.Count, batch.AsSpan<ulong>(0).Length, "a span");
                        batch.CopyTo(2, new Span<float>(values));
                        Check.Equal(32f, values[0], "copied to a span");
                        batch.CopyTo(2, values, 6);
                        Check.Throws<InvalidCastException>(() => batch.AsSpan<int>(2), "a span of another type");
                        Check.Throws<InvalidCastException>(() => batch.AsSpan<bool>(4), "a span of bools");
                        Check.Throws<ArgumentException>(() => batch.CopyTo(2, new Span<float>(new float[9])), "a span without room");
#endif
                        Check.Throws<ArgumentException>(() => batch.CopyTo(2, values, 7), "no room");
                        Check.Throws<ArgumentException>(() => batch.CopyTo(2, values, -1), "a place below 0");
                        Check.Throws<ArgumentNullException>(() => batch.CopyTo<float>(2, null, 0), "no array");
                        Check.Throws<ArgumentOutOfRangeException>(() => batch.GetDouble(2, 64), "a row too far");
                        Check.Throws<ArgumentOutOfRangeException>(() => batch.GetDouble(2, -1), "a row below 0");
                        Check.Throws<ArgumentOutOfRangeException>(() => batch.GetDouble(7, 0), "a column too far");
                        Check.Throws<ArgumentOutOfRangeException>(() => batch.GetDouble(-1, 0), "a column below 0");
                    }
                }
            }
        }

        private static long GetInt64Safely(this Row row)
        {
            // The row of First is behind its loop, and its batch is gone.
            Check.Throws<ObjectDisposedException>(() => row.GetInt64("tick"), "a row behind its loop");
            return (long)row.IndexOr(250);
        }

        private static ulong IndexOr(this Row row, ulong place)
        {
            return row.Index == place ? place : ulong.MaxValue;
        }

        private static void Disposed(string path)
        {
            Table table = Table.Open(path, new TableOptions { BatchRows = 10 });
            IEnumerator<Row> rows = table.GetEnumerator();
            Check.That(rows.MoveNext(), "a row");
            Row row = rows.Current;
            Batch kept = table.Batches().First();
            Check.Equal(0ul, kept.GetUInt64(0, 0), "a batch of its own");
            table.Dispose();
            table.Dispose();
            Check.Throws<ObjectDisposedException>(() => row.GetUInt64(0), "a row of a closed table");
            Check.Throws<ObjectDisposedException>(() => kept.GetUInt64(0, 0), "a batch of a closed table");
            Check.Throws<ObjectDisposedException>(() => { for (int n = 0; n < 100; n++) rows.MoveNext(); }, "a loop over a closed table");
            Check.Throws<ObjectDisposedException>(() => table.Count(), "a new loop");
            Check.Throws<ObjectDisposedException>(() => table.ReadColumn<ulong>("tick"), "ReadColumn");
            Check.Throws<ObjectDisposedException>(() => table.ReadColumn(0), "ReadColumn");
            Check.Throws<ObjectDisposedException>(() => table.ReadColumns(), "ReadColumns");
            Check.Throws<ObjectDisposedException>(() => table.Rows(1), "Rows");
            Check.Throws<ObjectDisposedException>(() => table.Ticks(1), "Ticks");
            Check.Throws<ObjectDisposedException>(() => table.WriteTo(path + ".not"), "WriteTo");
            Check.That(!File.Exists(path + ".not"), "no file");
            kept.Dispose();
            kept.Dispose();
            Check.Throws<InvalidOperationException>(() => default(Row).GetDouble(0), "a row of nothing");
        }

        private static void Wrong(string folder, string path)
        {
            Check.Fails(Status.NotFound, () => Table.Open(Path.Combine(folder, "missing")), "no such file");
            Check.Throws<ArgumentNullException>(() => Table.Open(null), "no path");
            Check.Throws<ArgumentException>(() => Table.Open(path + "\0x"), "a NUL in a path");
            Check.Throws<System.Text.EncoderFallbackException>(() => Table.Open("\uD800"), "half a surrogate");
            Check.Fails(Status.NotFound, () => Table.Open(path, new TableOptions { Columns = new[] { "y" } }), "no such column");
            Check.Throws<ArgumentException>(() => Table.Open(path, new TableOptions { Columns = new string[0] }), "no columns");
            Check.Throws<ArgumentNullException>(() => Table.Open(path, new TableOptions { Columns = new string[] { null } }), "a column of null");
            Check.Fails(Status.BadArgument, () => Table.Open(path, new TableOptions { Stream = "x" }), "a stream of a file");
            File.WriteAllBytes(Path.Combine(folder, "noise"), new byte[] { 0, 1, 2, 250, 251, 0, 0 });
            var noise = Check.Throws<TickLogException>(() => Table.Open(Path.Combine(folder, "noise")), "noise");
            Check.That(noise.Status == Status.WrongFormat || noise.Status == Status.Damaged, "noise: " + noise.Message);
            using (Table table = Table.Open(path))
            {
                Check.Throws<KeyNotFoundException>(() => table.ReadColumn<int>("y"), "no such column");
                Check.Throws<ArgumentNullException>(() => table.ReadColumn<int>(null), "no column");
                Check.Throws<ArgumentOutOfRangeException>(() => table.ReadColumn(7), "a column too far");
                Check.Throws<InvalidCastException>(() => table.ReadColumn<int>("tick"), "ulong as int");
                Check.Throws<InvalidCastException>(() => table.ReadColumn<int>("x"), "float as int");
                Check.Throws<InvalidCastException>(() => table.ReadColumn<float>("big"), "ulong as float");
                Check.Throws<InvalidCastException>(() => table.ReadColumn<sbyte>("small"), "byte as sbyte");
                Check.Throws<InvalidCastException>(() => table.ReadColumn<ushort>("signed"), "short as ushort");
                Check.Throws<InvalidCastException>(() => table.ReadColumn<double>("state"), "string as double");
                Check.Throws<InvalidCastException>(() => table.ReadColumn<string>("x"), "float as string");
                Check.Throws<InvalidCastException>(() => table.ReadColumn<double>("ok"), "bool as double");
                Check.Throws<InvalidCastException>(() => table.ReadColumn<bool>("small"), "byte as bool");
                Check.Throws<InvalidCastException>(() => table.ReadColumn<DateTime>("tick"), "ulong as a date");
                Check.Throws<InvalidCastException>(() => table.ReadColumn<object>("tick"), "ulong as an object");
                Check.Throws<OverflowException>(() => table.ReadColumn<long>("big"), "a ulong that is too large");
                foreach (Row row in table)
                {
                    Check.Throws<InvalidCastException>(() => row.GetString("x"), "GetString");
                    Check.Throws<InvalidCastException>(() => row.GetBytes("x"), "GetBytes");
                    Check.Throws<InvalidCastException>(() => row.GetDouble("state"), "GetDouble");
                    Check.Throws<InvalidCastException>(() => row.GetBoolean("small"), "GetBoolean");
                    Check.Throws<InvalidCastException>(() => row.GetInt32("tick"), "GetInt32");
                    Check.Throws<InvalidCastException>(() => row.GetUInt64("signed"), "GetUInt64");
                    Check.Throws<InvalidCastException>(() => row.GetSingle("tick"), "GetSingle");
                    Check.Throws<KeyNotFoundException>(() => row.GetDouble("y"), "no such column");
                    Check.Throws<ArgumentOutOfRangeException>(() => row.GetDouble(99), "a column too far");
                    break;
                }
            }
            string not = Path.Combine(folder, "not.bcsv");
            Check.Throws<ArgumentNullException>(() => Table.Write(not, null), "no columns");
            Check.Throws<ArgumentException>(() => new ColumnData("x", new DateTime[1]), "dates");
            Check.Throws<ArgumentException>(() => new ColumnData("x", new int[1, 1]), "a matrix");
            Check.Throws<ArgumentException>(() => new ColumnData("x", new object[1]), "objects");
            Check.Throws<ArgumentException>(() => new ColumnData("x", new char[1]), "chars");
            Check.Throws<ArgumentException>(
                () => Table.Write(not, new[] { new ColumnData("a", new int[2]), new ColumnData("b", new int[3]) }), "lengths that differ");
            Check.Throws<ArgumentException>(() => new ColumnData("x", new DateTime?[1]), "dates or null");
            Check.Throws<ArgumentException>(() => new ColumnData("x", new DayOfWeek?[1]), "enumerations or null");
            Check.Throws<ArgumentException>(() => new ColumnData("x", new int[2], new bool[1]), "a mask of another length");
            Check.Fails(Status.BadArgument, () => Table.Write(not, new[] { new ColumnData("a", new string[] { "x", null }) }), "a string of null");
            Check.Throws<System.Text.EncoderFallbackException>(() => Table.Write(not, new[] { new ColumnData("a", new[] { "\uDC00" }) }), "half a surrogate");
            Check.Fails(Status.BadArgument, () => Table.Write(not, new[] { new ColumnData("a", new int[1]) }, new WriteOptions { RowCodec = "zip" }), "a codec");
            Check.Fails(Status.BadArgument, () => Table.Write(not + ".zip", new[] { new ColumnData("a", new int[1]) }), "an extension");
            Check.Fails(Status.Exists, () => Table.Write(path, new[] { new ColumnData("a", new int[1]) }), "a file that is there");
            Check.Fails(Status.NotFound, () => Table.Write(Path.Combine(folder, "no", "x.bcsv"), new[] { new ColumnData("a", new int[1]) }), "a folder");
            Check.That(!File.Exists(not) && !File.Exists(not + ".zip"), "nothing was written");
            Check.Equal(0, Directory.GetFiles(folder, ".*").Length, "nothing is left beside it");
        }

        private static void Huge(string folder)
        {
            // The most that a cell of BCSV has, and one byte more.
            string most = new string('x', 65535), more = most + "x", wide = new string('☃', 30000);
            string path = Path.Combine(folder, "huge.bcsv");
            Table.Write(path, new[] { new ColumnData("s", new[] { "", most, "a\0b" }) });
            using (Table table = Table.Open(path)) Check.Equal(new[] { "", most, "a\0b" }, table.ReadColumn<string>("s"), "long strings");
            string not = Path.Combine(folder, "not_huge.bcsv");
            Check.Fails(Status.TooLarge, () => Table.Write(not, new[] { new ColumnData("s", new[] { "", more }) }), "a string too long");
            Check.Fails(Status.TooLarge, () => Table.Write(not, new[] { new ColumnData("s", new[] { wide }) }), "a string of too many bytes");
            Check.That(!File.Exists(not), "no file");
            path = Path.Combine(folder, "huge.csv");
            Table.Write(path, new[] { new ColumnData("s", new[] { new string('y', 10000000), "z" }) });
            Check.Equal(10000000L + 5, new FileInfo(path).Length, "a string of 10 MB in a CSV file");
            path = Path.Combine(folder, "huge_rows.bcsv");
            var columns = new[] { new ColumnDefinition("a", ColumnType.String), new ColumnDefinition("b", ColumnType.String) };
            using (TableWriter writer = TableWriter.Create(path, columns))
            {
                Check.Fails(Status.TooLarge, () => writer.Set(0, more), "a string too long");
                Check.Fails(Status.TooLarge, () => writer.Set(0, wide), "a string of too many bytes");
                Check.Throws<ArgumentNullException>(() => writer.Set(0, null), "a string of null");
                writer.WriteRow(most, "");
                Check.Fails(Status.TooLarge, () => writer.WriteRow(most, most), "more than TextBytes");
                Check.Equal(1ul, writer.RowCount, "it was not taken");
                writer.WriteRow("c", "d");
            }
            using (Table table = Table.Open(path)) Check.Equal(new[] { most, "c" }, table.ReadColumn<string>("a"), "the rows that were taken");
        }

        [StructLayout(LayoutKind.Sequential)]
        private unsafe struct Sample
        {
            public ulong Time;
            public fixed float Axis[3];
            public Bool8 IsGood;
            [Field(Text = true)] public fixed byte Name[5];
        }

        private static unsafe void Structures(string folder)
        {
            string path = Path.Combine(folder, "structures.bcsv");
            var rows = new Sample[300];
            for (int row = 0; row < rows.Length; row++)
            {
                rows[row].Time = (ulong)row;
                fixed (float* axis = rows[row].Axis) axis[2] = -row;
                rows[row].IsGood = row % 2 == 1;
                fixed (byte* name = rows[row].Name) for (int at = 0; at < row % 6; at++) name[at] = (byte)'n';
            }
            using (TableWriter<Sample> writer = TableWriter<Sample>.Create(path, new TableWriterOptions { FileCodec = FileCodec.Batch }))
            {
                writer.Write(rows[0]);
                writer.Write(rows, 1, 99);
                writer.Write(rows, 0, 0);
                Check.Throws<ArgumentOutOfRangeException>(() => writer.Write(rows, 299, 2), "rows too many");
                Check.Throws<ArgumentOutOfRangeException>(() => writer.Write(rows, -1, 1), "a row below 0");
                Check.Throws<ArgumentNullException>(() => writer.Write(null), "no rows");
            }
            using (TableWriter<Sample> writer = TableWriter<Sample>.Append(path)) writer.Write(rows, 100, 200);
            using (Table table = Table.Open(path))
            {
                Check.Equal("Time,Axis[0],Axis[1],Axis[2],IsGood,Name", string.Join(",", table.Columns.Select(column => column.Name)), "columns");
                Check.Equal(rows.Select(row => row.Time).ToArray(), table.ReadColumn<ulong>("Time"), "Time");
                Check.Equal(rows.Select(row => -(float)row.Time).ToArray(), table.ReadColumn<float>("Axis[2]"), "Axis[2]");
                Check.Equal(rows.Select(row => row.Time % 2 == 1).ToArray(), table.ReadColumn<bool>("IsGood"), "IsGood");
                Check.Equal(rows.Select(row => new string('n', Math.Min(5, (int)row.Time % 6))).ToArray(), table.ReadColumn<string>("Name"), "Name");
            }
            Check.Throws<ArgumentException>(() => TableWriter<int>.Create(path + "2"), "an int is no row");
            Check.Throws<ArgumentException>(() => TableWriter<WithReference>.Create(path + "2"), "a reference");
        }

        private static void Writers(string folder)
        {
            string path = Path.Combine(folder, "writers.bcsv");
            var columns = new[]
            {
                new ColumnDefinition("b", ColumnType.Bool), new ColumnDefinition("u8", ColumnType.UInt8), new ColumnDefinition("i16", ColumnType.Int16),
                new ColumnDefinition("f", ColumnType.Float), new ColumnDefinition("u64", ColumnType.UInt64), new ColumnDefinition("s", ColumnType.String),
            };
            TableWriter writer = TableWriter.Create(path, columns);
            Check.Throws<InvalidCastException>(() => writer.Set(0, 1), "a number for a bool");
            Check.Throws<InvalidCastException>(() => writer.Set(1, 1.5), "a double for a byte");
            Check.Throws<InvalidCastException>(() => writer.Set(1, double.NaN), "NaN for a byte");
            Check.Throws<InvalidCastException>(() => writer.Set(1, true), "a bool for a byte");
            Check.Throws<InvalidCastException>(() => writer.Set(5, 1), "a number for a string");
            Check.Throws<InvalidCastException>(() => writer.Set(1, "1"), "a string for a byte");
            Check.Throws<OverflowException>(() => writer.Set(1, 256), "256 for a byte");
            Check.Throws<OverflowException>(() => writer.Set(1, -1), "-1 for a byte");
            Check.Throws<OverflowException>(() => writer.Set(2, 40000), "40000 for a short");
            Check.Throws<OverflowException>(() => writer.Set(4, -1), "-1 for a ulong");
            Check.Throws<ArgumentOutOfRangeException>(() => writer.Set(6, 1), "a column too far");
            Check.Throws<ArgumentOutOfRangeException>(() => writer.Set(-1, 1), "a column below 0");
            Check.Throws<ArgumentException>(() => writer.WriteRow(true), "values too few");
            Check.Throws<InvalidCastException>(() => writer.WriteRow(true, DateTime.Now, 1, 1, 1, ""), "a date");
            Check.Throws<InvalidCastException>(() => writer.WriteRow(true, 1m, 1, 1, 1, ""), "a decimal");
            Check.Throws<ArgumentNullException>(() => writer.WriteRow(true, null, 1, 1, 1, ""), "null");
            writer.WriteRow();
            writer.WriteRow(true, 255, -5, 0.5f, ulong.MaxValue, "s");
            writer.Dispose();
            writer.Dispose();
            Check.Throws<ObjectDisposedException>(() => writer.Set(1, 1), "Set");
            Check.Throws<ObjectDisposedException>(() => writer.WriteRow(), "WriteRow");
            Check.Throws<ObjectDisposedException>(() => writer.WriteRow(true, 1, 1, 1, 1, ""), "WriteRow");
            Check.Throws<ObjectDisposedException>(() => writer.Flush(), "Flush");
            Check.Throws<ObjectDisposedException>(() => { ulong count = writer.RowCount; Check.Equal(0ul, count, "never"); }, "RowCount");
            Check.Fails(Status.Exists, () => TableWriter.Create(path, columns), "a file that is there");
            Check.Fails(Status.BadField, () => TableWriter.Append(path, new[] { columns[1] }), "other columns");
            Check.Fails(Status.NotFound, () => TableWriter.Append(path + "2", columns), "no file");
            Check.Fails(Status.Unsupported, () => TableWriter.Create(path + "2", columns, new TableWriterOptions { Version13 = true, RowCodec = RowCodec.Delta }), "delta in 1.3");
            Check.Fails(Status.BadArgument, () => TableWriter.Create(path + "2", columns, new TableWriterOptions { Level = 10 }), "level 10");
            using (Table table = Table.Open(path))
            {
                object[] last = table.Select(row => row.GetAll()).Last();
                Check.Equal("True,255,-5,0.5,18446744073709551615,s", string.Join(",", last), "the last row");
                Check.Equal(2ul, table.CountRows(), "rows");
            }
        }

        /// <summary>Values that are missing: nullable arrays, strings of null, and a mask; more than one batch of them.</summary>
        private static void Nulls(string folder)
        {
            const int rows = 70000;
            Func<int, int, bool> isNull = (column, row) => column != 3 && (row * 7 + column) % 5 == 0 && row >= column * 16500;
            var mask = new bool[rows];
            for (int row = 0; row < rows; row++) mask[row] = isNull(4, row);
            var columns = new[]
            {
                new ColumnData("i", Enumerable.Range(0, rows).Select(n => isNull(0, n) ? (int?)null : n).ToArray()),
                new ColumnData("b", Enumerable.Range(0, rows).Select(n => isNull(1, n) ? (bool?)null : n % 2 == 0).ToArray()),
                new ColumnData("s", Enumerable.Range(0, rows).Select(n => isNull(2, n) ? null : "s" + n % 9).ToArray()),
                new ColumnData("whole", Enumerable.Range(0, rows).Select(n => (byte?)n).ToArray()),
                new ColumnData("d", Enumerable.Range(0, rows).Select(n => n / 2.0).ToArray(), mask),
                new ColumnData("f", Enumerable.Range(0, rows).Select(n => isNull(1, n) ? (float?)null : n).ToArray()),
            };
            foreach (string extension in new[] { ".jsonl", ".csv" })
            {
                string path = Path.Combine(folder, "nulls" + extension);
                Table.Write(path, columns, new WriteOptions { Replace = true });
                int row = 0;
                foreach (string line in File.ReadLines(path).Skip(extension == ".csv" ? 1 : 0))
                {
                    string number = row.ToString(), half = (row / 2) + (row % 2 == 1 ? ".5" : ".0");
                    string none = extension == ".csv" ? "" : "null", quote = extension == ".csv" ? "" : "\"";
                    var cells = new[]
                    {
                        isNull(0, row) ? none : number, isNull(1, row) ? none : row % 2 == 0 ? "true" : "false",
                        isNull(2, row) ? none : quote + "s" + row % 9 + quote, ((byte)row).ToString(), isNull(4, row) ? none : half,
                        isNull(1, row) ? none : number + ".0",
                    };
                    if (extension == ".jsonl")
                    {
                        for (int column = 0; column < cells.Length; column++) cells[column] = "\"" + columns[column].Name + "\":" + cells[column];
                    }
                    string expected = string.Join(",", cells), found = extension == ".csv" ? line : line.Trim('{', '}');
                    Check.Equal(expected, found, path + ", row " + row);
                    row++;
                }
                Check.Equal(rows, row, path + ": rows");
            }
            foreach (string extension in new[] { ".bcsv", ".parquet" })
            {
                string path = Path.Combine(folder, "nulls" + extension);
                foreach (int column in new[] { 0, 1, 2 })
                {
                    var exception = Check.Throws<TickLogException>(() => Table.Write(path, new[] { columns[column] }), "nulls of " + columns[column].Name);
                    Check.Equal(Status.BadArgument, exception.Status, exception.Message);
                    int first = 0;
                    while (!isNull(column, first)) first++;
                    string where = "row " + first + ", column '" + columns[column].Name + "': found a null";
                    Check.That(exception.Message.Contains(where), exception.Message + ": expected " + where);
                    Check.That(!File.Exists(path), "no file of " + columns[column].Name);
                }
                Table.Write(path, columns.Skip(3).ToArray());
                Check.That(File.Exists(path), path);
            }
            using (Table table = Table.Open(Path.Combine(folder, "nulls.bcsv")))
            {
                byte[] whole = table.ReadColumn<byte>("whole");
                double[] numbers = table.ReadColumn<double>("d");
                float[] floats = table.ReadColumn<float>("f");
                Check.Equal(rows, numbers.Length, "rows");
                for (int row = 0; row < rows; row++)
                {
                    Check.Equal((byte)row, whole[row], "whole");
                    Check.Equal(isNull(4, row) ? double.NaN : row / 2.0, numbers[row], "d[" + row + "]");
                    Check.Equal(isNull(1, row) ? float.NaN : row, floats[row], "f[" + row + "]");
                }
            }
        }

        private static object[] GetAll(this Row row)
        {
            var values = new object[row.Count];
            for (int column = 0; column < values.Length; column++) values[column] = row[column];
            return values;
        }

        /// <summary>What nobody disposes of is freed when it is collected, and nothing before.</summary>
        private static void Collected(string folder, string path)
        {
            bool isOver = false;
            var collector = new Thread(() => { while (!Volatile.Read(ref isOver)) { GC.Collect(); GC.WaitForPendingFinalizers(); } });
            collector.Start();
            try
            {
                for (int round = 0; round < 30; round++)
                {
                    Table.Open(path); // left
                    Table.Open(path).First(); // left in the middle
                    var batches = new List<Batch>();
                    Table table = Table.Open(path, new TableOptions { BatchRows = 100 });
                    foreach (Batch batch in table.Batches()) batches.Add(batch);
                    ulong sum = 0;
                    foreach (Batch batch in batches) for (int row = 0; row < batch.Count; row++) sum += batch.GetUInt64(0, row);
                    Check.Equal(999ul * 1000 / 2 * 3, sum, "values of batches that are kept");
                    string left = Path.Combine(folder, "left" + round + ".bcsv");
                    TableWriter.Create(left, new[] { new ColumnDefinition("a", ColumnType.Int32) }).WriteRow(round); // left open
                    string written = Path.Combine(folder, "collected" + round + ".bcsv");
                    Table.Write(written, new[] { new ColumnData("s", Enumerable.Range(0, 2000).Select(n => "text " + n).ToArray()), new ColumnData("n", new int[2000]) });
                    using (Table back = Table.Open(written)) Check.Equal("text 1999", back.ReadColumn<string>("s")[1999], "text");
                }
            }
            finally
            {
                Volatile.Write(ref isOver, true);
                collector.Join();
            }
            GC.Collect();
            GC.WaitForPendingFinalizers();
            using (Table table = Table.Open(Path.Combine(folder, "left0.bcsv"))) Check.Equal(1ul, table.CountRows(), "rows of a writer that was left");
        }

        private static void Reports(string folder, string path)
        {
            Report report = Report.Validate(path);
            Check.That(report.IsSound && report.Json.EndsWith("}\n", StringComparison.Ordinal), "sound: " + report.Json);
            Check.That(Report.Info(path).Json.Contains("\"rows\""), "info");
            report = Report.Meta(path);
            Check.That(report.IsSound && report.Json.Contains("\"columns\":[{\"name\":\"tick\"") && !report.Json.Contains("\"rows\""), "meta: " + report.Json);
            string bad = Path.Combine(folder, "bad.bcsv");
            byte[] bytes = File.ReadAllBytes(path);
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(bad, bytes);
            report = Report.Validate(bad);
            Check.That(!report.IsSound && report.Status == Status.Damaged && report.Json.Contains("offset"), "damaged: " + report.Json);
            Check.That(Report.Meta(bad).IsSound, "meta of a file with damage behind its header");
            string repaired = Path.Combine(folder, "repaired.bcsv");
            report = Report.Repair(bad, repaired);
            Check.That(Report.Validate(repaired).IsSound, "repaired: " + report.Json);
            Check.Fails(Status.Exists, () => Report.Repair(bad, repaired), "repaired twice");
            Report.Repair(bad);
            Check.That(Report.Validate(bad).IsSound && File.Exists(bad + ".orig"), "repaired in place");
            Check.Fails(Status.NotFound, () => Report.Validate(Path.Combine(folder, "missing")), "no such file");
            Check.Fails(Status.NotFound, () => Report.Meta(Path.Combine(folder, "missing")), "no such file");
            Check.Fails(Status.NotFound, () => Report.Info(Path.Combine(folder, "missing \"quoted\"")), "no such file");
            Check.Throws<ArgumentNullException>(() => Report.Info(null), "no path");
        }

        private static void Library_()
        {
            Check.That(Library.Version.Split('.').Length == 3, "version " + Library.Version);
            Check.Equal(614L, (long)new TickLogException(Status.Damaged, "a: offset 614: found 1, expected 2").Offset, "offset");
            Check.That(new TickLogException(Status.Damaged, "a: found offset").Offset == null, "no offset");
        }
    }
}
