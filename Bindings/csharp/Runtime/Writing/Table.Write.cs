// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using TickLog.Native;

namespace TickLog
{
    public sealed unsafe partial class Table
    {
        /// <summary>
        /// Writes columns of one length as .bcsv, .csv, .jsonl or .parquet, by the path's extension. The file appears whole or not
        /// at all.
        /// </summary>
        public static void Write(string path, IReadOnlyList<ColumnData> columns, WriteOptions options = null)
        {
            if (columns == null) throw new ArgumentNullException("columns");
            Library.Check();
            Write(path, new Producer(columns), options ?? new WriteOptions());
        }

        /// <summary>Writes the table as a file, in the same way. No value goes through C#.</summary>
        public void WriteTo(string path, WriteOptions options = null)
        {
            CheckOpen();
            if (path == null) throw new ArgumentNullException("path");
            options = options ?? new WriteOptions();
            using (StreamHandle stream = OpenStream(Path, this.options, !IsParquet(path, options))) Write(stream, path, options, null);
        }

        /// <summary>Parquet tells texts from bytes: there, strings must be texts.</summary>
        private static bool IsParquet(string path, WriteOptions options)
        {
            if (options.Format != null) return options.Format == "parquet";
            string extension = System.IO.Path.GetExtension(path).ToLowerInvariant();
            return extension == ".parquet" || extension == ".parq" || extension == ".pq";
        }

        private static void Write(string path, Producer producer, WriteOptions options)
        {
            using (var stream = new StreamHandle())
            {
                Utf8.Terminated(path, "path");
                producer.Fill(stream.Pointer);
                Write(stream, path, options, producer);
            }
        }

        private static void Write(StreamHandle stream, string path, WriteOptions options, Producer producer)
        {
            const int room = 1024;
            byte[] name = Utf8.Terminated(path, "path");
            using (var arena = new Arena())
            {
                ticklog_arrow_write_config config = default(ticklog_arrow_write_config);
                config.size = (uint)sizeof(ticklog_arrow_write_config);
                config.flags = options.Replace ? 1u : 0;
                config.format = arena.Text(options.Format, "Format");
                config.row_codec = arena.Text(options.RowCodec, "RowCodec");
                config.file_codec = arena.Text(options.FileCodec, "FileCodec");
                config.level = options.Level;
                config.packet_bytes = options.PacketBytes;
                config.message = arena.Take(room);
                config.message_bytes = new UIntPtr((uint)room);
                int status;
                bool held = false;
                try
                {
                    stream.DangerousAddRef(ref held);
                    fixed (byte* bytes = name) status = NativeMethods.ticklog_arrow_write(stream.Pointer, bytes, &config);
                }
                finally
                {
                    if (held) stream.DangerousRelease();
                }
                if (status == 0) return;
                if (producer != null && producer.Failure is ArgumentException) throw producer.Failure;
                string why = Utf8.String((IntPtr)config.message);
                throw string.IsNullOrEmpty(why) ? TickLogException.Of((Status)status, path) : new TickLogException((Status)status, why);
            }
        }
    }
}
