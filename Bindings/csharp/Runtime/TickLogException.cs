// SPDX-License-Identifier: MIT
using System;
using TickLog.Native;

namespace TickLog
{
    /// <summary>A call of the library failed. The message tells where, what was found and what was expected.</summary>
    public sealed class TickLogException : Exception
    {
        public TickLogException(Status status, string message)
            : base(message)
        {
            Status = status;
            Offset = OffsetIn(message);
        }

        public Status Status { get; }

        /// <summary>The byte of the file that is wrong, counted from its start; null if it is none of a byte.</summary>
        public long? Offset { get; }

        internal static TickLogException Of(Status status, string what)
        {
            return new TickLogException(status, what + ": " + Library.Text(status));
        }

        internal static void Check(int status, string what)
        {
            if (status != 0) throw Of((Status)status, what);
        }

        /// <summary>The number behind "offset " in a message of the library.</summary>
        private static long? OffsetIn(string message)
        {
            const string word = "offset ";
            int at = message == null ? -1 : message.IndexOf(word, StringComparison.Ordinal);
            if (at < 0) return null;
            int end = at += word.Length;
            while (end < message.Length && message[end] >= '0' && message[end] <= '9') end++;
            long offset;
            return long.TryParse(message.Substring(at, end - at), out offset) ? offset : (long?)null;
        }
    }
}
