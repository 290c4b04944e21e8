// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using TickLog.Native;

namespace TickLog
{
    /// <summary>
    /// Arrays of C# as an ArrowArrayStream. Numbers are not copied: they are pinned where they lie. No exception leaves a
    /// callback.
    /// </summary>
    internal sealed unsafe class Producer
    {
        private const int BatchRows = 65536;
        private const int EIO = 5;
        private const long ArrowNullable = 2;

        // Kept for ever: native code has their addresses.
        private static readonly GetSchema getSchema = OnGetSchema;
        private static readonly GetNext getNext = OnGetNext;
        private static readonly GetLastError getLastError = OnGetLastError;
        private static readonly Release releaseStream = OnReleaseStream;
        private static readonly Release releaseSchema = OnReleaseSchema;
        private static readonly Release releaseArray = OnReleaseArray;

        private readonly ColumnData[] columns;
        private readonly int rows;
        private readonly Arena errors = new Arena();
        private byte* error;
        private int row;

        /// <summary>What went wrong in a callback; for the caller of the native function.</summary>
        internal Exception Failure { get; private set; }

        internal Producer(IReadOnlyList<ColumnData> columns)
        {
            this.columns = new ColumnData[columns.Count];
            for (int index = 0; index < columns.Count; index++)
            {
                ColumnData column = columns[index];
                if (column == null) throw new ArgumentNullException("columns");
                this.columns[index] = column;
                if (index == 0) rows = column.Values.Length;
                if (column.Values.Length != rows)
                {
                    throw new ArgumentException("column " + column.Name + ": found " + column.Values.Length + " values, expected " + rows, "columns");
                }
            }
        }

        /// <summary>Makes *stream, which keeps the producer until it is released.</summary>
        internal void Fill(ArrowArrayStream* stream)
        {
            stream->private_data = GCHandle.ToIntPtr(GCHandle.Alloc(this));
            stream->get_schema = Marshal.GetFunctionPointerForDelegate(getSchema);
            stream->get_next = Marshal.GetFunctionPointerForDelegate(getNext);
            stream->get_last_error = Marshal.GetFunctionPointerForDelegate(getLastError);
            stream->release = Marshal.GetFunctionPointerForDelegate(releaseStream);
        }

        /// <summary>Memory of a structure and its children, freed when all of them are released.</summary>
        private sealed class Shared
        {
            internal readonly Arena Arena = new Arena();
            internal int Count;
        }

        [MonoPInvokeCallback(typeof(GetSchema))]
        private static int OnGetSchema(ArrowArrayStream* stream, ArrowSchema* schema)
        {
            var producer = (Producer)GCHandle.FromIntPtr(stream->private_data).Target;
            try
            {
                producer.Schema(schema);
                return 0;
            }
            catch (Exception exception)
            {
                return producer.Fail(exception);
            }
        }

        [MonoPInvokeCallback(typeof(GetNext))]
        private static int OnGetNext(ArrowArrayStream* stream, ArrowArray* array)
        {
            var producer = (Producer)GCHandle.FromIntPtr(stream->private_data).Target;
            try
            {
                *array = default(ArrowArray);
                if (producer.row < producer.rows) producer.Next(array);
                return 0;
            }
            catch (Exception exception)
            {
                return producer.Fail(exception);
            }
        }

        [MonoPInvokeCallback(typeof(GetLastError))]
        private static IntPtr OnGetLastError(ArrowArrayStream* stream)
        {
            return (IntPtr)((Producer)GCHandle.FromIntPtr(stream->private_data).Target).error;
        }

        [MonoPInvokeCallback(typeof(Release))]
        private static void OnReleaseStream(void* structure)
        {
            var stream = (ArrowArrayStream*)structure;
            GCHandle handle = GCHandle.FromIntPtr(stream->private_data);
            ((Producer)handle.Target).errors.Dispose();
            handle.Free();
            stream->release = IntPtr.Zero;
        }

        [MonoPInvokeCallback(typeof(Release))]
        private static void OnReleaseSchema(void* structure)
        {
            var schema = (ArrowSchema*)structure;
            for (long child = 0; child < schema->n_children; child++)
            {
                if (schema->children[child]->release != IntPtr.Zero) OnReleaseSchema(schema->children[child]);
            }
            schema->release = IntPtr.Zero;
            Leave(schema->private_data);
        }

        [MonoPInvokeCallback(typeof(Release))]
        private static void OnReleaseArray(void* structure)
        {
            var array = (ArrowArray*)structure;
            for (long child = 0; child < array->n_children; child++)
            {
                if (array->children[child]->release != IntPtr.Zero) OnReleaseArray(array->children[child]);
            }
            array->release = IntPtr.Zero;
            Leave(array->private_data);
        }

        private static void Leave(IntPtr data)
        {
            GCHandle handle = GCHandle.FromIntPtr(data);
            var shared = (Shared)handle.Target;
            handle.Free();
            if (System.Threading.Interlocked.Decrement(ref shared.Count) == 0) shared.Arena.Dispose();
        }

        private static IntPtr Enter(Shared shared)
        {
            shared.Count++;
            return GCHandle.ToIntPtr(GCHandle.Alloc(shared));
        }

        private int Fail(Exception exception)
        {
            Failure = exception;
            try
            {
                error = errors.Text(exception.Message.Replace('\0', ' '), "message");
            }
            catch (Exception)
            {
                error = null;
            }
            return EIO;
        }

        private void Schema(ArrowSchema* schema)
        {
            var shared = new Shared();
            Arena arena = shared.Arena;
            *schema = default(ArrowSchema);
            schema->format = arena.Text("+s", "format");
            schema->name = arena.Text("", "name");
            schema->n_children = columns.Length;
            schema->children = (ArrowSchema**)arena.Take((long)columns.Length * sizeof(ArrowSchema*));
            var children = (ArrowSchema*)arena.Take((long)columns.Length * sizeof(ArrowSchema));
            for (int index = 0; index < columns.Length; index++)
            {
                ArrowSchema* child = schema->children[index] = children + index;
                child->format = arena.Text(Format(columns[index].Type), "format");
                child->name = arena.Text(columns[index].Name, "name");
                child->flags = MayBeNull(columns[index]) ? ArrowNullable : 0;
            }
            IntPtr release = Marshal.GetFunctionPointerForDelegate(releaseSchema);
            for (int index = 0; index < columns.Length; index++)
            {
                children[index].private_data = Enter(shared);
                children[index].release = release;
            }
            schema->private_data = Enter(shared);
            schema->release = release;
        }

        private static bool MayBeNull(ColumnData column)
        {
            return column.Nulls != null || column.Type == ColumnType.String;
        }

        private static string Format(ColumnType type)
        {
            const string formats = "bCSILcsilfgu";
            return formats.Substring((int)type, 1);
        }

        private void Next(ArrowArray* array)
        {
            int count = Math.Min(BatchRows, rows - row);
            var shared = new Shared();
            try
            {
                Arena arena = shared.Arena;
                array->length = count;
                array->n_buffers = 1;
                array->buffers = (void**)arena.Take(sizeof(void*));
                array->n_children = columns.Length;
                array->children = (ArrowArray**)arena.Take((long)columns.Length * sizeof(ArrowArray*));
                var children = (ArrowArray*)arena.Take((long)columns.Length * sizeof(ArrowArray));
                for (int index = 0; index < columns.Length; index++)
                {
                    ArrowArray* child = array->children[index] = children + index;
                    child->length = count;
                    Buffers(columns[index], count, child, arena);
                }
                IntPtr release = Marshal.GetFunctionPointerForDelegate(releaseArray);
                for (int index = 0; index < columns.Length; index++)
                {
                    children[index].private_data = Enter(shared);
                    children[index].release = release;
                }
                array->private_data = Enter(shared);
                array->release = release;
                row += count;
            }
            catch
            {
                shared.Arena.Dispose();
                *array = default(ArrowArray);
                throw;
            }
        }

        private void Buffers(ColumnData column, int count, ArrowArray* array, Arena arena)
        {
            array->n_buffers = column.Type == ColumnType.String ? 3 : 2;
            array->buffers = (void**)arena.Take(3 * sizeof(void*));
            if (MayBeNull(column)) Validity(column, count, array, arena);
            if (column.Type == ColumnType.Bool)
            {
                var values = (bool[])column.Data;
                byte* bits = arena.Take((count + 7) / 8);
                for (int place = 0; place < count; place++)
                {
                    if (values[row + place]) bits[place >> 3] |= (byte)(1 << (place & 7));
                }
                array->buffers[1] = bits;
            }
            else if (column.Type == ColumnType.String)
            {
                var values = (string[])column.Values;
                var ends = (int*)arena.Take((count + 1) * 4L);
                long total = 0;
                for (int place = 0; place < count; place++)
                {
                    if (!IsNull(column, row + place)) total += Utf8.Strict.GetByteCount(values[row + place]);
                    if (total > int.MaxValue) throw new ArgumentException("column " + column.Name + ": more than 2 GiB of text in 65536 rows");
                    ends[place + 1] = (int)total;
                }
                byte* bytes = arena.Take(total);
                for (int place = 0; place < count; place++)
                {
                    if (ends[place + 1] == ends[place]) continue;
                    string text = values[row + place];
                    fixed (char* characters = text)
                    {
                        Utf8.Strict.GetBytes(characters, text.Length, bytes + ends[place], ends[place + 1] - ends[place]);
                    }
                }
                array->buffers[1] = ends;
                array->buffers[2] = bytes;
            }
            else
            {
                array->buffers[1] = arena.Pin(column.Data) + (long)row * ColumnTypes.Size(column.Type);
            }
        }

        private static bool IsNull(ColumnData column, int row)
        {
            if (column.Nulls != null && column.Nulls[row]) return true;
            return column.Type == ColumnType.String && ((string[])column.Data)[row] == null;
        }

        /// <summary>A bit for each value that is there; none of them if all are.</summary>
        private void Validity(ColumnData column, int count, ArrowArray* array, Arena arena)
        {
            byte* bits = null;
            for (int place = 0; place < count; place++)
            {
                if (!IsNull(column, row + place)) continue;
                if (bits == null)
                {
                    bits = arena.Take((count + 7) / 8);
                    for (int at = 0; at < (count + 7) / 8; at++) bits[at] = 0xFF;
                }
                bits[place >> 3] &= (byte)~(1 << (place & 7));
                array->null_count++;
            }
            array->buffers[0] = bits;
        }
    }
}
