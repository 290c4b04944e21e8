// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace TickLog.Tests
{
    /// <summary>
    /// Random tables, written in every way there is and read back here. For each file a dump of what must be in it, for
    /// Tests/csharp/compare.py, which reads the files by other programs.
    /// </summary>
    internal static class RandomTables
    {
        internal static void Run(string folder, int seed, int count)
        {
            Console.WriteLine("seed {0}", seed);
            for (int table = 0; table < count; table++)
            {
                One(folder, table, new Random(unchecked(seed * 1000003 + table)));
                if (table % 8 == 0) GC.Collect();
            }
        }

        private static void One(string folder, int number, Random random)
        {
            int columns = random.Next(1, random.Next(2, 40));
            int rows = random.Next(0, 4) == 0 ? random.Next(0, 3) : random.Next(1, random.Next(2, 3000));
            var data = new ColumnData[columns];
            var definitions = new ColumnDefinition[columns];
            for (int column = 0; column < columns; column++)
            {
                var type = (ColumnType)random.Next(0, 12);
                string name = "c" + column + (random.Next(0, 4) == 0 ? " ä☃\"," : "");
                data[column] = new ColumnData(name, Values(type, rows, random));
                Check.Equal(type, data[column].Type, "the type of an array");
                definitions[column] = new ColumnDefinition(name, type);
            }
            string path = Path.Combine(folder, "table" + number);
            Expected(path + ".expected", definitions, data, rows);

            var options = new TableWriterOptions
            {
                RowCodec = (RowCodec)random.Next(0, 4),
                FileCodec = (FileCodec)random.Next(0, 6),
                Level = (byte)random.Next(0, 10),
                PacketBytes = random.Next(0, 2) == 0 ? 0u : (uint)random.Next(512, 20000),
                TextBytes = 1u << 20,
            };
            if (options.RowCodec != RowCodec.Delta && options.FileCodec != FileCodec.Batch) options.Version13 = random.Next(0, 3) == 0;
            int half = random.Next(0, 2) == 0 ? rows : random.Next(0, rows + 1);
            TableWriter writer = TableWriter.Create(path + "_rows.bcsv", definitions, options);
            Write(writer, data, 0, half, random);
            writer.Dispose();
            if (half < rows)
            {
                using (writer = TableWriter.Append(path + "_rows.bcsv", definitions))
                {
                    Check.Equal((ulong)half, writer.RowCount, "rows that are there");
                    Write(writer, data, half, rows, random);
                }
            }
            Compare(path + "_rows.bcsv", definitions, data, rows, random);

            string[] rowCodecs = { null, "flat", "zoh", "delta", "auto" };
            string[] fileCodecs = { null, "packet", "packet-lz4", "batch", "stream", "stream-lz4" };
            string fileCodec = fileCodecs[random.Next(fileCodecs.Length)];
            Table.Write(path + "_columns.bcsv", data, new WriteOptions
            {
                RowCodec = rowCodecs[random.Next(rowCodecs.Length)], FileCodec = fileCodec,
                Level = fileCodec == "packet" || fileCodec == "stream" ? 0 : (uint)random.Next(0, 10),
            });
            Compare(path + "_columns.bcsv", definitions, data, rows, random);
            using (Table table = Table.Open(path + "_columns.bcsv"))
            {
                table.WriteTo(path + "_copy.bcsv");
                table.WriteTo(path + "_copy.jsonl");
                table.WriteTo(path + "_copy.csv");
                table.WriteTo(path + "_copy.parquet");
                Check.Fails(Status.Exists, () => table.WriteTo(path + "_copy.csv"), "a file that is there");
                table.WriteTo(path + "_copy.csv", new WriteOptions { Replace = true });
            }
            Compare(path + "_copy.bcsv", definitions, data, rows, random);
        }

        private static void Write(TableWriter writer, ColumnData[] data, int from, int to, Random random)
        {
            var values = new object[data.Length];
            for (int row = from; row < to; row++)
            {
                for (int column = 0; column < data.Length; column++) values[column] = data[column].Values.GetValue(row);
                writer.WriteRow(values);
                if (random.Next(0, 500) == 0) GC.Collect();
                if (random.Next(0, 500) == 0) writer.Flush();
            }
            Check.Equal((ulong)to, writer.RowCount, "rows so far");
        }

        private static Array Values(ColumnType type, int rows, Random random)
        {
            Array values = Array.CreateInstance(ColumnTypes.Element(type), rows);
            int kind = random.Next(0, 4); // constant, few, slow, wild
            long slow = random.Next();
            var few = new object[4];
            for (int index = 0; index < few.Length; index++) few[index] = Wild(type, random);
            for (int row = 0; row < rows; row++)
            {
                object value = kind == 0 ? few[0] : kind == 1 ? few[random.Next(0, 4)] : Wild(type, random);
                if (kind == 2 && type != ColumnType.String && type != ColumnType.Bool)
                {
                    slow = (slow + random.Next(0, 3)) % 100;
                    value = Convert.ChangeType(slow, ColumnTypes.Element(type));
                }
                values.SetValue(value, row);
            }
            return values;
        }

        private static object Wild(ColumnType type, Random random)
        {
            var bytes = new byte[8];
            random.NextBytes(bytes);
            switch (type)
            {
                case ColumnType.Bool: return random.Next(0, 2) == 1;
                case ColumnType.UInt8: return bytes[0];
                case ColumnType.UInt16: return BitConverter.ToUInt16(bytes, 0);
                case ColumnType.UInt32: return BitConverter.ToUInt32(bytes, 0);
                case ColumnType.UInt64: return BitConverter.ToUInt64(bytes, 0);
                case ColumnType.Int8: return (sbyte)bytes[0];
                case ColumnType.Int16: return BitConverter.ToInt16(bytes, 0);
                case ColumnType.Int32: return BitConverter.ToInt32(bytes, 0);
                case ColumnType.Int64: return BitConverter.ToInt64(bytes, 0);
                case ColumnType.Float:
                    // Any NaN but the usual one is another value to some readers.
                    float single = BitConverter.ToSingle(bytes, 0);
                    return float.IsNaN(single) ? float.NaN : single;
                case ColumnType.Double:
                    double number = BitConverter.ToDouble(bytes, 0);
                    return double.IsNaN(number) ? double.NaN : random.Next(0, 20) == 0 ? double.NegativeInfinity : number;
                default:
                    const string letters = "aZ0 ,\"\n\rä☃\t'\\";
                    var text = new StringBuilder();
                    int length = random.Next(0, 50) == 0 ? random.Next(0, 20000) : random.Next(0, 12);
                    for (int index = 0; index < length; index++) text.Append(letters[random.Next(letters.Length)]);
                    return text.Append(random.Next(0, 9) == 0 ? "\U0001F680" : "").ToString();
            }
        }

        private static void Expected(string path, ColumnDefinition[] definitions, ColumnData[] data, int rows)
        {
            using (var writer = new StreamWriter(path, false, new UTF8Encoding(false)))
            {
                var parts = new List<string>();
                foreach (ColumnDefinition column in definitions) parts.Add("[" + Dump.Quoted(column.Name) + "," + (int)column.Type + ",\"\"]");
                writer.WriteLine("{\"columns\":[" + string.Join(",", parts) + "]}");
                var values = new object[data.Length];
                for (int row = 0; row < rows; row++)
                {
                    for (int column = 0; column < data.Length; column++) values[column] = data[column].Values.GetValue(row);
                    Dump.Line(writer, values);
                }
                writer.WriteLine("{\"end\":" + rows + "}");
            }
        }

        private static void Compare(string path, ColumnDefinition[] definitions, ColumnData[] data, int rows, Random random)
        {
            var options = new TableOptions { BatchRows = (uint)(random.Next(0, 2) == 0 ? 0 : random.Next(1, 500)) };
            using (Table table = Table.Open(path, options))
            {
                Check.Equal(definitions.Length, table.Columns.Count, "columns");
                for (int column = 0; column < definitions.Length; column++)
                {
                    Check.Equal(definitions[column].Name, table.Columns[column].Name, "name");
                    Check.Equal(definitions[column].Type, table.Columns[column].Type, "type");
                    Array found = table.ReadColumn(column);
                    Check.Equal(rows, found.Length, path + ": rows");
                    for (int row = 0; row < rows; row++)
                    {
                        Check.That(Equals(data[column].Values.GetValue(row), found.GetValue(row)), path + ": " + definitions[column].Name + "[" + row + "]");
                    }
                }
                int from = random.Next(0, rows + 1), count = random.Next(1, rows + 2);
                using (Table part = table.Rows((ulong)from, (ulong)count))
                {
                    Array found = part.ReadColumn(0);
                    Check.Equal(Math.Min(count, rows - from), found.Length, "rows of a part");
                    for (int row = 0; row < found.Length; row++)
                    {
                        Check.That(Equals(data[0].Values.GetValue(from + row), found.GetValue(row)), path + ": a part's row " + row);
                    }
                }
            }
        }
    }
}
