// SPDX-License-Identifier: MIT
using System;
using TickLog.Native;

namespace TickLog
{
    /// <summary>A BCSV file that rows are appended to: what both kinds of TableWriter share. One thread at a time uses it.</summary>
    public abstract unsafe class TableFile : IDisposable
    {
        private readonly string path;
        internal readonly TableHandle Handle;

        internal TableFile(string path, bool append, Arena arena, uint rowBytes, ticklog_field* fields, int fieldCount, TableWriterOptions options)
        {
            this.path = path;
            options = options ?? new TableWriterOptions();
            byte[] name = Utf8.Terminated(path, "path");
            ticklog_table_config config = default(ticklog_table_config);
            config.size = (uint)sizeof(ticklog_table_config);
            config.row_bytes = rowBytes;
            config.fields = fields;
            config.field_count = (uint)fieldCount;
            config.row_codec = (byte)options.RowCodec;
            config.file_codec = (byte)options.FileCodec;
            config.level = options.Level;
            config.bcsv_version = options.Version13 ? (byte)13 : (byte)0;
            config.packet_bytes = options.PacketBytes;
            config.text_bytes = options.TextBytes;
            config.storage = NativeMethods.ticklog_posix_storage();
            config.creation_time = (ulong)Math.Max(0, (DateTime.UtcNow - new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc)).TotalSeconds);
            IntPtr table = IntPtr.Zero;
            fixed (byte* bytes = name)
            {
                if (append)
                {
                    UIntPtr needed;
                    TickLogException.Check(NativeMethods.ticklog_table_append_size(&config, bytes, &needed), path);
                    byte* memory = arena.Take((long)needed);
                    ulong unverified;
                    TickLogException.Check(
                        NativeMethods.ticklog_table_append(&config, bytes, memory, needed, &unverified, &table), path);
                }
                else
                {
                    // Of a configuration that is wrong the size is 0, and create tells why.
                    UIntPtr needed = NativeMethods.ticklog_table_size(&config);
                    byte* memory = arena.Take((long)needed);
                    TickLogException.Check(NativeMethods.ticklog_table_create(&config, bytes, memory, needed, &table), path);
                }
            }
            Handle = new TableHandle(table, arena);
        }

        /// <summary>Rows of the file so far.</summary>
        public ulong RowCount
        {
            get
            {
                CheckOpen();
                return NativeMethods.ticklog_table_rows(Handle);
            }
        }

        /// <summary>What was written before is on the medium, and survives a power cut, when this returns.</summary>
        public void Flush()
        {
            CheckOpen();
            TickLogException.Check(NativeMethods.ticklog_table_flush(Handle), path);
        }

        /// <summary>Writes the footer and closes the file. TickLogException: it could not; the file is then one that was never closed.</summary>
        public void Dispose()
        {
            if (Handle == null || Handle.IsClosed) return;
            int status = 0;
            if (!Handle.IsEnded)
            {
                status = NativeMethods.ticklog_table_close(Handle.DangerousGetHandle());
                if (status != 0) NativeMethods.ticklog_table_abandon(Handle.DangerousGetHandle());
                Handle.IsEnded = true;
            }
            Handle.Dispose();
            TickLogException.Check(status, path);
        }

        internal void WriteRows(void* rows, int count)
        {
            UIntPtr written;
            int status = NativeMethods.ticklog_write_rows(Handle, rows, new UIntPtr((uint)count), &written);
            if (status != 0) throw TickLogException.Of((Status)status, path + ": row " + NativeMethods.ticklog_table_rows(Handle));
        }

        internal void CheckOpen()
        {
            if (Handle.IsClosed) throw new ObjectDisposedException(GetType().Name, path + " was closed");
        }
    }

    /// <summary>Writes structures as the rows of a BCSV file. Their fields are its columns: see FieldAttribute.</summary>
    public sealed unsafe class TableWriter<T> : TableFile
        where T : struct
    {
        private readonly T[] one = new T[1];

        private TableWriter(string path, bool append, Arena arena, Fields fields, TableWriterOptions options)
            : base(path, append, arena, (uint)fields.Size, fields.Put(arena), fields.Count, options)
        {
        }

        /// <summary>Creates the file. TickLogException with Exists: it is there.</summary>
        public static TableWriter<T> Create(string path, TableWriterOptions options = null)
        {
            return Make(path, false, options);
        }

        /// <summary>Goes on with a file of the same columns, closed or not.</summary>
        public static TableWriter<T> Append(string path)
        {
            return Make(path, true, null);
        }

        private static TableWriter<T> Make(string path, bool append, TableWriterOptions options)
        {
            Library.Check();
            Fields fields = FieldsOf<T>.Fields;
            if (fields.IsPrimitive) throw new ArgumentException(typeof(T) + " is no structure");
            var arena = new Arena();
            try
            {
                return new TableWriter<T>(path, append, arena, fields, options);
            }
            catch
            {
                arena.Dispose();
                throw;
            }
        }

        public void Write(T row)
        {
            one[0] = row;
            Write(one, 0, 1);
        }

        public void Write(T[] rows)
        {
            if (rows == null) throw new ArgumentNullException("rows");
            Write(rows, 0, rows.Length);
        }

        public void Write(T[] rows, int start, int count)
        {
            if (rows == null) throw new ArgumentNullException("rows");
            if (start < 0 || count < 0 || rows.Length - count < start) throw new ArgumentOutOfRangeException("count");
            CheckOpen();
            if (count == 0) return;
            var pin = System.Runtime.InteropServices.GCHandle.Alloc(rows, System.Runtime.InteropServices.GCHandleType.Pinned);
            try
            {
                WriteRows((byte*)pin.AddrOfPinnedObject() + (long)start * FieldsOf<T>.Fields.Size, count);
            }
            finally
            {
                pin.Free();
            }
        }
    }
}
