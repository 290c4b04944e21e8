// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TickLog.Native;

namespace TickLog
{
    /// <summary>The fields of a structure of C#, found by reflection, as ticklog_field.</summary>
    internal sealed unsafe class Fields
    {
        private struct Field
        {
            internal string Name, Unit;
            internal ColumnType Type;
            internal int Count, Offset, Size;
            internal bool IsText;
        }

        private readonly List<Field> fields = new List<Field>();

        /// <summary>Of a type that is a single value.</summary>
        internal readonly bool IsPrimitive;
        internal readonly ColumnType Primitive;

        /// <summary>Bytes of the whole structure, padding at the end included.</summary>
        internal readonly int Size;

        /// <summary>ArgumentException: a field is none that can be logged.</summary>
        internal Fields(Type type)
        {
            ColumnType primitive;
            if (type != typeof(string) && type != typeof(bool) && ColumnTypes.Of(type, out primitive))
            {
                IsPrimitive = true;
                Primitive = primitive;
                Size = ColumnTypes.Size(primitive);
                return;
            }
            Add(type, "", 0, null);
            if (fields.Count == 0) throw new ArgumentException(type + " has no fields to log");
            Size = Marshal.SizeOf(type);
        }

        internal int Count
        {
            get { return fields.Count; }
        }

        /// <summary>`unit`: of the field whose structure this is.</summary>
        private void Add(Type type, string prefix, int offset, string unit)
        {
            if (!type.IsValueType || type.IsPrimitive || type.IsGenericType || type.Namespace == "System" || !(type.IsLayoutSequential || type.IsExplicitLayout))
            {
                throw new ArgumentException(type + ": expected a structure with [StructLayout(LayoutKind.Sequential)], or a number");
            }
            foreach (FieldInfo info in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            {
                // Each field is looked at, also one that is not logged: a reference must not be handed to native code.
                var about = info.GetCustomAttribute<FieldAttribute>() ?? new FieldAttribute();
                var buffer = info.GetCustomAttribute<FixedBufferAttribute>();
                string name = prefix + (about.Name ?? info.Name);
                Type element = buffer == null ? info.FieldType : buffer.ElementType;
                ColumnType column;
                bool isColumn = ColumnTypes.Of(element, out column);
                if (element == typeof(string) || element == typeof(bool) || element == typeof(char))
                {
                    throw new ArgumentException(
                        type + "." + info.Name + ": found a " + element.Name + ", expected " +
                        (element == typeof(bool) ? "Bool8" : "a `fixed byte` array with [Field(Text = true)]"));
                }
                if (!isColumn && (element.IsPrimitive || !element.IsValueType))
                {
                    throw new ArgumentException(type + "." + info.Name + ": found " + element + ", expected a number or a structure of numbers");
                }
                int at = offset + Marshal.OffsetOf(type, info.Name).ToInt32();
                if (!isColumn)
                {
                    int before = fields.Count;
                    Add(element, name + "_", at, about.Unit ?? unit);
                    if (about.Ignore) fields.RemoveRange(before, fields.Count - before);
                    continue;
                }
                if (about.Ignore) continue;
                int count = buffer == null ? 1 : buffer.Length;
                bool isText = about.Text;
                if (isText && (buffer == null || column != ColumnType.UInt8))
                {
                    throw new ArgumentException(type + "." + info.Name + ": a text is a `fixed byte` array");
                }
                if (count > ushort.MaxValue) throw new ArgumentException(type + "." + info.Name + ": more than 65535 elements");
                fields.Add(new Field
                {
                    Name = name,
                    Unit = about.Unit ?? unit,
                    Type = isText ? ColumnType.String : column,
                    Count = isText ? 1 : count,
                    Offset = at,
                    Size = count * ColumnTypes.Size(column),
                    IsText = isText,
                });
            }
        }

        internal ticklog_field* Put(Arena arena)
        {
            if (fields.Count == 0) return null;
            var array = (ticklog_field*)arena.Take((long)fields.Count * sizeof(ticklog_field));
            for (int index = 0; index < fields.Count; index++)
            {
                Field field = fields[index];
                array[index].name = arena.Text(field.Name, "Name");
                array[index].unit = arena.Text(field.Unit, "Unit");
                array[index].type = (ushort)field.Type;
                array[index].count = (ushort)field.Count;
                array[index].offset = (uint)field.Offset;
                array[index].size = (uint)field.Size;
            }
            return array;
        }

        /// <summary>Refuses a structure that lies in memory in another way than its offsets say.</summary>
        internal void CheckArray(Array pair)
        {
            long stride = Marshal.UnsafeAddrOfPinnedArrayElement(pair, 1).ToInt64() - Marshal.UnsafeAddrOfPinnedArrayElement(pair, 0).ToInt64();
            if (stride != Size) throw new ArgumentException(pair.GetType().GetElementType() + ": takes " + stride + " bytes, expected " + Size);
        }
    }

    /// <summary>The fields of a structure, found once.</summary>
    internal static class FieldsOf<T>
        where T : struct
    {
        private static Fields fields;

        internal static Fields Fields
        {
            get
            {
                if (fields != null) return fields;
                var found = new Fields(typeof(T));
                var pair = new T[2];
                GCHandle pin = GCHandle.Alloc(pair, GCHandleType.Pinned);
                try
                {
                    found.CheckArray(pair);
                }
                finally
                {
                    pin.Free();
                }
                return fields = found;
            }
        }
    }
}
