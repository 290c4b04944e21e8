// SPDX-License-Identifier: MIT
using System;

namespace TickLog.Tests
{
    /// <summary>What Tests/csharp.sh calls.</summary>
    internal static class Program
    {
        private static int Main(string[] arguments)
        {
            switch (arguments[0])
            {
                case "layouts": Layouts.Print(int.Parse(arguments[1])); return 0;
                case "functions": Layouts.Functions(); break;
                case "logger": LoggerTests.Run(arguments[1]); break;
                case "dump": Dump.Jobs(arguments[1]); break;
                case "tables": TableTests.Run(arguments[1]); break;
                case "random": RandomTables.Run(arguments[1], int.Parse(arguments[2]), int.Parse(arguments[3])); break;
                case "samples": SampleTests.Run(arguments[1]); break;
                case "shrink": Shrinking.Run(arguments[1], long.Parse(arguments[2])); break;
                default: return 64;
            }
            Console.WriteLine("{0}: {1} checks", arguments[0], Check.Count);
            return 0;
        }
    }
}
