// SPDX-License-Identifier: MIT
using System;
using System.Text;

namespace TickLog.Native
{
    /// <summary>Texts between C# and C.</summary>
    internal static unsafe class Utf8
    {
        /// <summary>Refuses half surrogates: they would reach a file as other characters.</summary>
        internal static readonly UTF8Encoding Strict = new UTF8Encoding(false, true);

        /// <summary>The text as UTF-8, with a NUL behind it.</summary>
        internal static byte[] Terminated(string text, string parameter)
        {
            if (text == null) throw new ArgumentNullException(parameter);
            if (text.IndexOf('\0') >= 0) throw new ArgumentException("a NUL in a name or path", parameter);
            var bytes = new byte[Strict.GetByteCount(text) + 1];
            Strict.GetBytes(text, 0, text.Length, bytes, 0);
            return bytes;
        }

        internal static string String(IntPtr text)
        {
            if (text == IntPtr.Zero) return null;
            var bytes = (byte*)text;
            int count = 0;
            while (bytes[count] != 0) count++;
            return String(bytes, count);
        }

        /// <summary>Bytes that are no UTF-8 become U+FFFD.</summary>
        internal static string String(byte* bytes, int count)
        {
            return count == 0 ? "" : Encoding.UTF8.GetString(bytes, count);
        }
    }
}
