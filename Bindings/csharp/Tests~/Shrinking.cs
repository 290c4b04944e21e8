// SPDX-License-Identifier: MIT
using System;
using System.IO;

namespace TickLog.Tests
{
    /// <summary>A file that becomes shorter while it is read: rows, then an exception, in a process that lives.</summary>
    internal static class Shrinking
    {
        internal static void Run(string path, long bytes)
        {
            using (Table table = Table.Open(path, new TableOptions { BatchRows = 100 }))
            {
                ulong rows = 0;
                Exception error = null;
                try
                {
                    foreach (Row row in table)
                    {
                        if (rows == 150)
                        {
                            using (var file = new FileStream(path, FileMode.Open, FileAccess.Write)) file.SetLength(bytes);
                        }
                        row.GetInt64(0);
                        rows++;
                    }
                }
                catch (TickLogException exception)
                {
                    error = exception;
                }
                Console.WriteLine("shrinking: {0} rows, then {1}", rows, error == null ? "nothing" : error.Message);
                Check.That(error != null && rows >= 150, "rows, then an exception");
            }
            // The runtime's own handling of faults is as it was.
            object nothing = bytes < 0 ? "x" : null;
            Check.Throws<NullReferenceException>(() => nothing.ToString(), "a null reference");
            // What is left may be a whole file of fewer rows.
            try
            {
                using (Table again = Table.Open(path)) Check.That(again.CountRows() < 20000, "fewer rows");
            }
            catch (TickLogException exception)
            {
                Check.That(exception.Message.Length > 0, "a message");
            }
        }
    }
}
