// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace TickLog.Tests
{
    /// <summary>
    /// Tables as lines of JSON that lose nothing: the columns, each row, the end or the error. Floats are their bits, strings the
    /// hexadecimal digits of their bytes. Tests/csharp/compare.py reads them.
    /// </summary>
    internal static class Dump
    {
        /// <summary>Jobs: lines of OUT, PATH and options, separated by tabs.</summary>
        internal static void Jobs(string list)
        {
            foreach (string line in File.ReadAllLines(list))
            {
                string[] words = line.Split('\t');
                var options = new TableOptions();
                for (int index = 2; index < words.Length; index++)
                {
                    string[] pair = words[index].Split(new[] { '=' }, 2);
                    switch (pair[0])
                    {
                        case "salvage": options.Salvage = true; break;
                        case "events": options.Events = true; break;
                        case "stream": options.Stream = pair[1]; break;
                        case "columns": options.Columns = pair[1].Split('|'); break;
                        case "first": options.FirstRow = ulong.Parse(pair[1]); break;
                        case "count": options.RowCount = ulong.Parse(pair[1]); break;
                        case "from": options.FromTick = ulong.Parse(pair[1]); break;
                        case "to": options.ToTick = ulong.Parse(pair[1]); break;
                        case "batch": options.BatchRows = uint.Parse(pair[1]); break;
                        default: throw new ArgumentException(words[index]);
                    }
                }
                using (var writer = new StreamWriter(words[0], false, new UTF8Encoding(false))) One(writer, words[1], options);
            }
        }

        internal static void One(TextWriter writer, string path, TableOptions options)
        {
            var rows = new List<object[]>();
            try
            {
                using (Table table = Table.Open(path, options))
                {
                    Header(writer, table.Columns);
                    foreach (Row row in table)
                    {
                        Check.Equal((ulong)rows.Count, row.Index, "a row's place");
                        var values = new object[row.Count];
                        for (int column = 0; column < values.Length; column++)
                        {
                            values[column] = row[column];
                            Getters(table.Columns[column], row, column, values[column]);
                            if (values[column] is string) values[column] = row.GetBytes(column);
                        }
                        rows.Add(values);
                        Line(writer, values);
                        if (rows.Count % 50 == 0) GC.Collect(0);
                    }
                    Arrays(table, rows);
                    Check.Equal((ulong)rows.Count, table.CountRows(), "rows");
                }
                writer.WriteLine("{\"end\":" + rows.Count + "}");
            }
            catch (TickLogException exception)
            {
                writer.WriteLine(
                    "{\"error\":" + Quoted(exception.Message) + ",\"status\":\"" + exception.Status + "\",\"offset\":" +
                    (exception.Offset.HasValue ? exception.Offset.Value.ToString() : "null") + "}");
            }
        }

        /// <summary>The typed getters tell what the value is, or refuse.</summary>
        private static void Getters(Column column, Row row, int place, object value)
        {
            Check.Equal(value == null, row.IsNull(place), "IsNull");
            if (value == null) return;
            Check.Equal(ColumnTypes.Element(column.Type), value.GetType(), "the type of " + column.Name);
            if (value is string) Check.That((string)value == row.GetString(place), "GetString");
            else if (value is bool) Check.That((bool)value == row.GetBoolean(place), "GetBoolean");
            else
            {
                double number = Convert.ToDouble(value);
                double found = row.GetDouble(place);
                Check.That(number.Equals(found), "GetDouble of " + value + ": " + found);
                if (column.Type <= ColumnType.UInt64) Check.That(Convert.ToUInt64(value) == row.GetUInt64(place), "GetUInt64");
                else if (column.Type <= ColumnType.Int64) Check.That(Convert.ToInt64(value) == row.GetInt64(place), "GetInt64");
                else if (value is float) Check.That(((float)value).Equals(row.GetSingle(place)), "GetSingle");
            }
        }

        /// <summary>Columns as arrays have the same values.</summary>
        private static void Arrays(Table table, List<object[]> rows)
        {
            int step = Math.Max(1, table.Columns.Count / 20);
            for (int place = 0; place < table.Columns.Count; place += step)
            {
                bool hasNull = false;
                foreach (object[] row in rows) hasNull |= row[place] == null;
                ColumnType type = table.Columns[place].Type;
                if (hasNull && type != ColumnType.String && type != ColumnType.Float && type != ColumnType.Double)
                {
                    Check.Throws<InvalidOperationException>(() => table.ReadColumn(place), "unknown values");
                    if (type != ColumnType.Bool) Check.Equal(rows.Count, table.ReadColumn<double>(place).Length, "as NaN");
                    continue;
                }
                Array values = table.ReadColumn(place);
                Check.Equal(rows.Count, values.Length, "length of " + table.Columns[place].Name);
                for (int row = 0; row < rows.Count; row++)
                {
                    object expected = rows[row][place], found = values.GetValue(row);
                    if (expected is byte[]) expected = Encoding.UTF8.GetString((byte[])expected);
                    if (expected == null && type == ColumnType.Float) expected = float.NaN;
                    if (expected == null && type == ColumnType.Double) expected = double.NaN;
                    Check.That(Equals(expected, found), table.Columns[place].Name + "[" + row + "]: found " + found + ", expected " + expected);
                }
            }
        }

        internal static void Header(TextWriter writer, IEnumerable<Column> columns)
        {
            var parts = new List<string>();
            foreach (Column column in columns) parts.Add("[" + Quoted(column.Name) + "," + (int)column.Type + "," + Quoted(column.Unit ?? "") + "]");
            writer.WriteLine("{\"columns\":[" + string.Join(",", parts) + "]}");
        }

        internal static void Line(TextWriter writer, object[] values)
        {
            writer.Write('[');
            for (int index = 0; index < values.Length; index++)
            {
                if (index > 0) writer.Write(',');
                writer.Write(Cell(values[index]));
            }
            writer.WriteLine(']');
        }

        private static string Cell(object value)
        {
            if (value == null) return "null";
            if (value is bool) return (bool)value ? "true" : "false";
            if (value is string) value = Encoding.UTF8.GetBytes((string)value);
            if (value is byte[]) return "\"" + BitConverter.ToString((byte[])value).Replace("-", "") + "\"";
            if (value is float) return BitConverter.ToUInt32(BitConverter.GetBytes((float)value), 0).ToString();
            if (value is double) return unchecked((ulong)BitConverter.DoubleToInt64Bits((double)value)).ToString();
            return ((IFormattable)value).ToString(null, System.Globalization.CultureInfo.InvariantCulture);
        }

        internal static string Quoted(string text)
        {
            var quoted = new StringBuilder("\"");
            foreach (char character in text)
            {
                if (character == '"' || character == '\\' || character < ' ') quoted.Append("\\u").Append(((int)character).ToString("x4"));
                else quoted.Append(character);
            }
            return quoted.Append('"').ToString();
        }
    }
}
