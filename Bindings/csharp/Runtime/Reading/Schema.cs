// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using TickLog.Native;

namespace TickLog
{
    /// <summary>A table's columns and what the file tells of itself, from an ArrowSchema.</summary>
    internal sealed unsafe class Schema
    {
        internal readonly Column[] Columns;
        internal readonly Dictionary<string, string> Metadata;
        internal readonly Dictionary<string, int> Places = new Dictionary<string, int>();

        /// <summary>Names that the library cannot be asked for: they come twice, or are no texts of C.</summary>
        internal readonly HashSet<string> Unchosen = new HashSet<string>();

        internal Schema(IntPtr pointer)
        {
            var schema = (ArrowSchema*)pointer;
            Metadata = Pairs(schema->metadata);
            Columns = new Column[checked((int)schema->n_children)];
            for (int index = 0; index < Columns.Length; index++)
            {
                ArrowSchema* child = schema->children[index];
                string name = Utf8.String((IntPtr)child->name) ?? "";
                Columns[index] = new Column(index, name, TypeOf(child, name), Pairs(child->metadata));
                if (Places.ContainsKey(name)) Unchosen.Add(name); else Places.Add(name, index);
                if (name.IndexOf('\0') >= 0 || name.IndexOf('\uFFFD') >= 0) Unchosen.Add(name);
            }
        }

        private static ColumnType TypeOf(ArrowSchema* schema, string name)
        {
            if (schema->dictionary != null) schema = schema->dictionary;
            string format = Utf8.String((IntPtr)schema->format);
            switch (format)
            {
                case "b": return ColumnType.Bool;
                case "C": return ColumnType.UInt8;
                case "S": return ColumnType.UInt16;
                case "I": return ColumnType.UInt32;
                case "L": return ColumnType.UInt64;
                case "c": return ColumnType.Int8;
                case "s": return ColumnType.Int16;
                case "i": return ColumnType.Int32;
                case "l": return ColumnType.Int64;
                case "f": return ColumnType.Float;
                case "g": return ColumnType.Double;
                case "u": case "z": return ColumnType.String;
                default:
                    throw new TickLogException(
                        Status.Unsupported, "column " + name + ": found the type \"" + format + "\", expected a primitive one");
            }
        }

        /// <summary>Arrow's form of key-value pairs: their number, then each length and its bytes.</summary>
        private static Dictionary<string, string> Pairs(byte* bytes)
        {
            var pairs = new Dictionary<string, string>();
            if (bytes == null) return pairs;
            int count = Length(ref bytes);
            for (int pair = 0; pair < count; pair++)
            {
                string key = Text(ref bytes);
                pairs[key] = Text(ref bytes);
            }
            return pairs;
        }

        private static int Length(ref byte* bytes)
        {
            int length = Marshal.ReadInt32((IntPtr)bytes);
            bytes += 4;
            return length;
        }

        private static string Text(ref byte* bytes)
        {
            int length = Length(ref bytes);
            string text = Utf8.String(bytes, length);
            bytes += length;
            return text;
        }
    }
}
