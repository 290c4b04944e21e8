// SPDX-License-Identifier: MIT
using System;

namespace TickLog
{
    /// <summary>A column to be written: a name, and an array that is not changed until the file is there.</summary>
    public sealed class ColumnData
    {
        /// <summary>`values`: an array of bool, of integers of 8 to 64 bits, float, double or string.</summary>
        public ColumnData(string name, Array values)
        {
            if (name == null) throw new ArgumentNullException("name");
            if (values == null) throw new ArgumentNullException("values");
            Type element = values.GetType().GetElementType();
            ColumnType type;
            if (values.Rank != 1 || values.GetLowerBound(0) != 0 || element == typeof(Bool8) || element.IsEnum || !ColumnTypes.Of(element, out type))
            {
                throw new ArgumentException(
                    "column " + name + ": found " + values.GetType() + ", expected an array of bool, numbers or strings", "values");
            }
            Name = name;
            Values = values;
            Type = type;
        }

        public string Name { get; }

        public ColumnType Type { get; }

        public Array Values { get; }
    }
}
