// SPDX-License-Identifier: MIT
using System;
using System.Collections;
using System.Collections.Generic;
using TickLog.Native;

namespace TickLog
{
    /// <summary>
    /// The rows of a file or run: BCSV, DLF, CSV, JSON Lines, frames, RNO-G packets, a BMS log, a run's directory or archive, found
    /// out from the content. The rows are those that `ticklog cat` prints.
    /// </summary>
    /// <remarks>
    /// Each loop and each column that is read opens the file anew, so that a table takes the memory of a batch. One thread at a
    /// time uses a table; different tables are independent. After Dispose everything throws ObjectDisposedException.
    /// </remarks>
    public sealed unsafe partial class Table : IEnumerable<Row>, IDisposable
    {
        private const uint Salvage = 1, Events = 2, Binary = 8;

        private readonly TableOptions options;
        private readonly Schema schema;
        private readonly HashSet<StreamHandle> streams = new HashSet<StreamHandle>();
        private StreamHandle first;
        private bool isClosed;

        private Table(string path, TableOptions options)
        {
            Path = path;
            this.options = options;
            first = OpenStream(path, options);
            try
            {
                schema = first.Schema(pointer => new Schema(pointer));
            }
            catch
            {
                first.Dispose();
                throw;
            }
            streams.Add(first);
        }

        /// <summary>Opens a file or a run's directory. TickLogException: it is not there, not readable, or damaged at its start.</summary>
        public static Table Open(string path, TableOptions options = null)
        {
            Library.Check();
            return new Table(path, options == null ? new TableOptions() : options.Copy());
        }

        public string Path { get; }

        public IReadOnlyList<Column> Columns
        {
            get { return schema.Columns; }
        }

        /// <summary>What the file tells of itself: format, and of a run run_id, tick_ns and epoch_ns, as far as they are known.</summary>
        public IReadOnlyDictionary<string, string> Metadata
        {
            get { return schema.Metadata; }
        }

        /// <summary>The place of the first column of a name. KeyNotFoundException: there is none.</summary>
        public int IndexOf(string column)
        {
            int place;
            if (column == null) throw new ArgumentNullException("column");
            if (!schema.Places.TryGetValue(column, out place)) throw new KeyNotFoundException(Path + " has no column " + column);
            return place;
        }

        /// <summary>The same table from row `first` on, `count` rows at most (0: to the end).</summary>
        public Table Rows(ulong first, ulong count = 0)
        {
            CheckOpen();
            TableOptions part = options.Copy();
            part.FirstRow = checked(part.FirstRow + first);
            if (options.RowCount != 0)
            {
                if (first >= options.RowCount) throw new ArgumentOutOfRangeException("first", first, "The table has " + options.RowCount + " rows at most");
                ulong left = options.RowCount - first;
                count = count == 0 || count > left ? left : count;
            }
            part.RowCount = count;
            return Open(Path, part);
        }

        /// <summary>The same table with the rows of from &lt;= tick &lt; to alone (to 0: to the end).</summary>
        public Table Ticks(ulong from, ulong to = 0)
        {
            CheckOpen();
            TableOptions part = options.Copy();
            part.FromTick = from;
            part.ToTick = to;
            return Open(Path, part);
        }

        /// <summary>The rows, each valid until the next. The batches' memory is freed on the way.</summary>
        public IEnumerator<Row> GetEnumerator()
        {
            foreach (Batch batch in Batches())
            {
                using (batch)
                {
                    for (int row = 0; row < batch.Count; row++) yield return batch[row];
                }
            }
        }

        IEnumerator IEnumerable.GetEnumerator()
        {
            return GetEnumerator();
        }

        /// <summary>The rows in batches, which the caller disposes of. TickLogException: damage, behind all rows before it.</summary>
        public IEnumerable<Batch> Batches()
        {
            StreamHandle stream = Begin();
            ulong row = 0;
            try
            {
                while (true)
                {
                    CheckOpen();
                    ArrayHandle array = stream.Next();
                    if (array == null) yield break;
                    Batch batch = Make(array, row);
                    row += (ulong)batch.Count;
                    yield return batch;
                }
            }
            finally
            {
                End(stream);
            }
        }

        private Batch Make(ArrayHandle array, ulong row)
        {
            try
            {
                return new Batch(this, schema.Columns, array, row);
            }
            catch
            {
                array.Dispose();
                throw;
            }
        }

        /// <summary>How many rows there are. Reads the table.</summary>
        public ulong CountRows()
        {
            ulong count = 0;
            foreach (Batch batch in Batches())
            {
                count += (ulong)batch.Count;
                batch.Dispose();
            }
            return count;
        }

        /// <summary>
        /// A column as an array of its type, or of a wider one: only this column is decoded. InvalidCastException: it does not
        /// fit. InvalidOperationException: a value is unknown, and the type has no NaN or null.
        /// </summary>
        public T[] ReadColumn<T>(string column)
        {
            return Read(IndexOf(column), false, default(T));
        }

        /// <summary>The same, with `missing` where a value is unknown.</summary>
        public T[] ReadColumn<T>(string column, T missing)
        {
            return Read(IndexOf(column), true, missing);
        }

        /// <summary>The same of a column by its place, as columns may have the same name.</summary>
        public T[] ReadColumn<T>(int column)
        {
            return Read(Place(column), false, default(T));
        }

        /// <summary>A column as an array of its own type.</summary>
        public Array ReadColumn(int column)
        {
            return ReadPlaces(new[] { Place(column) })[0];
        }

        /// <summary>Columns as arrays of their own types, read in one go; no names: all columns.</summary>
        public Array[] ReadColumns(params string[] columns)
        {
            CheckOpen();
            if (columns == null) throw new ArgumentNullException("columns");
            var places = new int[columns.Length == 0 ? schema.Columns.Length : columns.Length];
            for (int index = 0; index < places.Length; index++) places[index] = columns.Length == 0 ? index : IndexOf(columns[index]);
            return ReadPlaces(places);
        }

        private Array[] ReadPlaces(int[] places)
        {
            Table table = Choose(ref places);
            try
            {
                var parts = new List<Array>[places.Length];
                for (int index = 0; index < places.Length; index++) parts[index] = new List<Array>();
                long count = 0;
                foreach (Batch batch in table.Batches())
                {
                    using (batch)
                    {
                        for (int index = 0; index < places.Length; index++) parts[index].Add(batch.ToArray(places[index]));
                        count += batch.Count;
                    }
                }
                var arrays = new Array[places.Length];
                for (int index = 0; index < places.Length; index++)
                {
                    arrays[index] = Join(parts[index], count, ColumnTypes.Element(table.schema.Columns[places[index]].Type));
                    parts[index] = null;
                }
                return arrays;
            }
            finally
            {
                if (table != this) table.Dispose();
            }
        }

        /// <summary>A table of these columns alone, with their places in it; or this one, where they cannot be chosen by name.</summary>
        private Table Choose(ref int[] places)
        {
            var one = new Dictionary<int, int>();
            var names = new List<string>();
            foreach (int place in places)
            {
                if (one.ContainsKey(place)) continue;
                one.Add(place, names.Count);
                names.Add(schema.Columns[place].Name);
                if (schema.Unchosen.Contains(schema.Columns[place].Name)) return this;
            }
            if (names.Count == schema.Columns.Length) return this;
            TableOptions part = options.Copy();
            part.Columns = names.ToArray();
            Table table = Open(Path, part);
            places = Array.ConvertAll(places, place => one[place]);
            return table;
        }

        private Array Join(List<Array> parts, long count, Type element)
        {
            if (parts.Count == 1) return parts[0];
            if (count > int.MaxValue) throw new TickLogException(Status.TooLarge, Path + ": found " + count + " rows, expected at most 2147483647 for an array");
            Array values = Array.CreateInstance(element, (int)count);
            int at = 0;
            foreach (Array part in parts)
            {
                Array.Copy(part, 0, values, at, part.Length);
                at += part.Length;
            }
            return values;
        }

        private int Place(int column)
        {
            CheckOpen();
            if ((uint)column >= (uint)schema.Columns.Length)
            {
                throw new ArgumentOutOfRangeException("column", column, "The table has " + schema.Columns.Length + " columns");
            }
            return column;
        }

        private T[] Read<T>(int place, bool hasMissing, T missing)
        {
            CheckOpen();
            Column column = schema.Columns[place];
            Values.Takes(column, typeof(T));
            var places = new[] { place };
            Table table = Choose(ref places);
            try
            {
                var parts = new List<Array>();
                long count = 0;
                foreach (Batch batch in table.Batches())
                {
                    using (batch)
                    {
                        var part = new T[batch.Count];
                        if (hasMissing) batch.CopyTo(places[0], part, 0, missing); else batch.CopyTo(places[0], part, 0);
                        parts.Add(part);
                        count += part.Length;
                    }
                }
                return (T[])Join(parts, count, typeof(T));
            }
            finally
            {
                if (table != this) table.Dispose();
            }
        }

        /// <summary>Ends what the table and its loops have open. Batches of it are not used again.</summary>
        public void Dispose()
        {
            isClosed = true;
            foreach (StreamHandle stream in streams) stream.Dispose();
            streams.Clear();
            first = null;
        }

        internal void CheckOpen()
        {
            if (isClosed) throw new ObjectDisposedException("Table", Path + " was disposed of");
        }

        /// <summary>A stream that stands before the first row: that of the opening, or a new one.</summary>
        private StreamHandle Begin()
        {
            CheckOpen();
            StreamHandle stream = first;
            first = null;
            if (stream == null)
            {
                stream = OpenStream(Path, options);
                streams.Add(stream);
                // The file may be another one by now.
                Schema now = stream.Schema(pointer => new Schema(pointer));
                bool isSame = now.Columns.Length == schema.Columns.Length;
                for (int index = 0; isSame && index < now.Columns.Length; index++)
                {
                    isSame = now.Columns[index].Type == schema.Columns[index].Type && now.Columns[index].Name == schema.Columns[index].Name;
                }
                if (!isSame)
                {
                    End(stream);
                    throw new TickLogException(Status.BadField, Path + ": the file has other columns than when it was opened");
                }
            }
            return stream;
        }

        private void End(StreamHandle stream)
        {
            streams.Remove(stream);
            stream.Dispose();
        }

        private static StreamHandle OpenStream(string path, TableOptions options, bool isBinary = true)
        {
            const int room = 1024;
            byte[] name = Utf8.Terminated(path, "path");
            using (var arena = new Arena())
            {
                var stream = new StreamHandle();
                try
                {
                    ticklog_arrow_config config = default(ticklog_arrow_config);
                    config.size = (uint)sizeof(ticklog_arrow_config);
                    config.flags = (isBinary ? Binary : 0) | (options.Salvage ? Salvage : 0) | (options.Events ? Events : 0);
                    config.stream = arena.Text(options.Stream, "Stream");
                    if (options.Columns != null)
                    {
                        if (options.Columns.Length == 0) throw new ArgumentException("no columns", "Columns");
                        config.columns = (byte**)arena.Take((long)options.Columns.Length * sizeof(byte*));
                        config.column_count = (uint)options.Columns.Length;
                        for (int index = 0; index < options.Columns.Length; index++)
                        {
                            if (options.Columns[index] == null) throw new ArgumentNullException("Columns");
                            config.columns[index] = arena.Text(options.Columns[index], "Columns");
                        }
                    }
                    config.batch_rows = options.BatchRows;
                    config.first_row = options.FirstRow;
                    config.row_count = options.RowCount;
                    config.from_tick = options.FromTick;
                    config.to_tick = options.ToTick;
                    config.message = arena.Take(room);
                    config.message_bytes = new UIntPtr((uint)room);
                    int status;
                    fixed (byte* bytes = name) status = NativeMethods.ticklog_arrow_open(bytes, &config, stream.Pointer);
                    if (status != 0)
                    {
                        string why = Utf8.String((IntPtr)config.message);
                        throw string.IsNullOrEmpty(why) ? TickLogException.Of((Status)status, path) : new TickLogException((Status)status, why);
                    }
                    return stream;
                }
                catch
                {
                    stream.Dispose();
                    throw;
                }
            }
        }
    }
}
