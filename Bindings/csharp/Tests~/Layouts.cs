// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TickLog.Native;

namespace TickLog.Tests
{
    /// <summary>A C file that does not compile if a structure is laid out in another way than ticklog.h says.</summary>
    internal static class Layouts
    {
        /// <summary>`pointer`: bytes of a pointer on the machine that the C compiler makes code for.</summary>
        internal static void Print(int pointer)
        {
            Console.WriteLine("#include <ticklog.h>");
            int structures = 0;
            foreach (Type type in typeof(ticklog_config).Assembly.GetTypes())
            {
                bool isArrow = type.Name.StartsWith("Arrow", StringComparison.Ordinal);
                if (type.Namespace != "TickLog.Native" || !type.IsValueType || !(isArrow || type.Name.StartsWith("ticklog_", StringComparison.Ordinal))) continue;
                One(type, (isArrow ? "struct " : "") + type.Name, pointer);
                structures++;
            }
            Check.That(structures >= 13, "there are structures");
        }

        private static void One(Type type, string name, int pointer)
        {
            FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
            // The runtime lays fields out one behind the other, each aligned to its size. What it does here, it is asked.
            int at = 0, most = 1;
            foreach (FieldInfo field in fields)
            {
                int align, size = Size(field, pointer, out align);
                at = (at + align - 1) / align * align;
                if (pointer == IntPtr.Size) Check.Equal(Marshal.OffsetOf(type, field.Name).ToInt32(), at, name + "." + field.Name);
                Console.WriteLine(
                    "_Static_assert(offsetof({0}, {1}) == {2} && sizeof((({0} *)0)->{1}) == {3}, \"{0}.{1}\");", name, field.Name, at, size);
                at += size;
                most = Math.Max(most, align);
            }
            at = (at + most - 1) / most * most;
            if (pointer == IntPtr.Size) Check.Equal(Marshal.SizeOf(type), at, name);
            Console.WriteLine("_Static_assert(sizeof({0}) == {1}, \"{0}\");", name, at);
        }

        private static int Size(FieldInfo field, int pointer, out int align)
        {
            var buffer = field.GetCustomAttribute<FixedBufferAttribute>();
            Type type = buffer == null ? field.FieldType : buffer.ElementType;
            align = type.IsPointer || type == typeof(IntPtr) || type == typeof(UIntPtr) ? pointer : Marshal.SizeOf(type);
            return align * (buffer == null ? 1 : buffer.Length);
        }

        /// <summary>Every function that the package calls is in the library.</summary>
        internal static void Functions()
        {
            var names = new List<string>();
            foreach (MethodInfo method in typeof(NativeMethods).GetMethods(BindingFlags.Static | BindingFlags.NonPublic))
            {
                if (method.GetCustomAttribute<DllImportAttribute>() == null) continue;
                Marshal.Prelink(method);
                names.Add(method.Name);
            }
            Check.That(names.Count >= 28, "functions");
            Console.WriteLine("functions: {0}", names.Count);
        }
    }
}
