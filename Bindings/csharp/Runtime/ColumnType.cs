// SPDX-License-Identifier: MIT
using System;

namespace TickLog
{
    /// <summary>The type of a column's or field's values: TICKLOG_BOOL to TICKLOG_STRING of ticklog.h.</summary>
    public enum ColumnType
    {
        Bool = 0,
        UInt8 = 1,
        UInt16 = 2,
        UInt32 = 3,
        UInt64 = 4,
        Int8 = 5,
        Int16 = 6,
        Int32 = 7,
        Int64 = 8,
        Float = 9,
        Double = 10,
        String = 11,
    }

    internal static class ColumnTypes
    {
        /// <summary>Bytes of a value; of a string 0.</summary>
        internal static int Size(ColumnType type)
        {
            switch (type)
            {
                case ColumnType.UInt64: case ColumnType.Int64: case ColumnType.Double: return 8;
                case ColumnType.UInt32: case ColumnType.Int32: case ColumnType.Float: return 4;
                case ColumnType.UInt16: case ColumnType.Int16: return 2;
                case ColumnType.String: return 0;
                default: return 1;
            }
        }

        /// <summary>The type of C# that holds a value as it is.</summary>
        internal static Type Element(ColumnType type)
        {
            switch (type)
            {
                case ColumnType.Bool: return typeof(bool);
                case ColumnType.UInt8: return typeof(byte);
                case ColumnType.UInt16: return typeof(ushort);
                case ColumnType.UInt32: return typeof(uint);
                case ColumnType.UInt64: return typeof(ulong);
                case ColumnType.Int8: return typeof(sbyte);
                case ColumnType.Int16: return typeof(short);
                case ColumnType.Int32: return typeof(int);
                case ColumnType.Int64: return typeof(long);
                case ColumnType.Float: return typeof(float);
                case ColumnType.Double: return typeof(double);
                default: return typeof(string);
            }
        }

        /// <summary>The column type of a type of C#, and whether there is one. Enumerations are their integers.</summary>
        internal static bool Of(Type element, out ColumnType type)
        {
            if (element.IsEnum) element = Enum.GetUnderlyingType(element);
            for (type = ColumnType.Bool; type <= ColumnType.String; type++)
            {
                if (Element(type) == element) return true;
            }
            type = ColumnType.Bool;
            return element == typeof(Bool8);
        }
    }
}
