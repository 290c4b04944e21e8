// SPDX-License-Identifier: MIT
using System;
using TickLog.Native;

namespace TickLog
{
    /// <summary>What a file or run is, whether it is sound, and its repair, as the JSON that the command `ticklog` prints.</summary>
    public sealed unsafe class Report
    {
        private Report(Status status, string json)
        {
            Status = status;
            Json = json;
        }

        /// <summary>Ok, or WrongFormat or Damaged for a file that is not sound.</summary>
        public Status Status { get; }

        public bool IsSound
        {
            get { return Status == Status.Ok; }
        }

        /// <summary>The same bytes as `ticklog info|validate|repair --json`, the end of the line included.</summary>
        public string Json { get; }

        public override string ToString()
        {
            return Json;
        }

        /// <summary>What a file or run is. TickLogException: it cannot be opened or is nothing that is read.</summary>
        public static Report Info(string path)
        {
            byte[] name = Utf8.Terminated(path, "path");
            Library.Check();
            IntPtr text = IntPtr.Zero;
            int status;
            fixed (byte* bytes = name) status = NativeMethods.ticklog_info_json(bytes, &text);
            return Make(path, (Status)status, text);
        }

        /// <summary>
        /// The part of Info that needs no rows or samples: of a run its metadata and streams, of a file its header. In the time of
        /// opening it. TickLogException: it cannot be opened or is nothing that is read.
        /// </summary>
        public static Report Meta(string path)
        {
            byte[] name = Utf8.Terminated(path, "path");
            Library.Check();
            IntPtr text = IntPtr.Zero;
            int status;
            fixed (byte* bytes = name) status = NativeMethods.ticklog_meta_json(bytes, &text);
            return Make(path, (Status)status, text);
        }

        /// <summary>Checks every checksum, length and row. Damage is told by the report; TickLogException: there is no report.</summary>
        public static Report Validate(string path)
        {
            byte[] name = Utf8.Terminated(path, "path");
            Library.Check();
            IntPtr text = IntPtr.Zero;
            int status;
            fixed (byte* bytes = name) status = NativeMethods.ticklog_validate_json(bytes, &text);
            return Make(path, (Status)status, text);
        }

        /// <summary>
        /// Makes a sound file or run of what verifies, as `output`, where nothing may be; null: in place, the original staying as
        /// PATH.orig. keepUnverified: of a torn last BCSV packet, the whole rows are kept, which no checksum covers.
        /// TickLogException: it cannot be repaired, and nothing was written.
        /// </summary>
        public static Report Repair(string path, string output = null, bool keepUnverified = false)
        {
            byte[] name = Utf8.Terminated(path, "path");
            byte[] to = output == null ? null : Utf8.Terminated(output, "output");
            Library.Check();
            IntPtr text = IntPtr.Zero;
            int status;
            fixed (byte* bytes = name)
            fixed (byte* other = to) status = NativeMethods.ticklog_repair_json(bytes, other, keepUnverified ? 1u : 0, &text);
            return Make(path, (Status)status, text);
        }

        private static Report Make(string path, Status status, IntPtr text)
        {
            string json;
            try
            {
                json = Utf8.String(text);
            }
            finally
            {
                NativeMethods.ticklog_text_free(text);
            }
            const string error = "{\"error\":\"";
            if (json == null) throw TickLogException.Of(status, path);
            if (json.StartsWith(error, StringComparison.Ordinal)) throw new TickLogException(status, Unquote(json, error.Length));
            if (status != Status.Ok && status != Status.Damaged && status != Status.WrongFormat)
            {
                // The system refused: that is no property of the file. The report's damage says why.
                const string reason = "\"text\":\"";
                int at = json.IndexOf(reason, StringComparison.Ordinal);
                throw at < 0 ? TickLogException.Of(status, path) : new TickLogException(status, path + ": " + Unquote(json, at + reason.Length));
            }
            return new Report(status, json);
        }

        /// <summary>A string of JSON, from behind its first quotation mark on.</summary>
        private static string Unquote(string json, int at)
        {
            var text = new System.Text.StringBuilder();
            for (; at < json.Length && json[at] != '"'; at++)
            {
                char character = json[at];
                if (character == '\\' && at + 1 < json.Length)
                {
                    character = json[++at];
                    int code;
                    if (character == 'u' && at + 4 < json.Length && int.TryParse(
                        json.Substring(at + 1, 4), System.Globalization.NumberStyles.HexNumber, null, out code))
                    {
                        character = (char)code;
                        at += 4;
                    }
                    else if (character == 'n') character = '\n';
                    else if (character == 't') character = '\t';
                    else if (character == 'r') character = '\r';
                }
                text.Append(character);
            }
            return text.ToString();
        }
    }
}
