// SPDX-License-Identifier: MIT
using System;
using System.Reflection;
using System.Runtime.InteropServices;
using TickLog.Native;

namespace TickLog.Tests
{
    /// <summary>A C file that does not compile if a structure is laid out in another way than ticklog.h says.</summary>
    internal static class Layouts
    {
        internal static void Print()
        {
            Console.WriteLine("#include <ticklog.h>");
            int structures = 0;
            foreach (Type type in typeof(ticklog_config).Assembly.GetTypes())
            {
                bool isArrow = type.Name.StartsWith("Arrow", StringComparison.Ordinal);
                if (type.Namespace != "TickLog.Native" || !type.IsValueType || !(isArrow || type.Name.StartsWith("ticklog_", StringComparison.Ordinal))) continue;
                string name = (isArrow ? "struct " : "") + type.Name;
                structures++;
                Console.WriteLine("_Static_assert(sizeof({0}) == {1}, \"{0}\");", name, Marshal.SizeOf(type));
                FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
                foreach (FieldInfo field in fields)
                {
                    // A fixed array's own type has its size; pointers have that of the machine.
                    int size = field.FieldType.IsPointer ? IntPtr.Size : Marshal.SizeOf(field.FieldType);
                    Console.WriteLine(
                        "_Static_assert(offsetof({0}, {1}) == {2} && sizeof((({0} *)0)->{1}) == {3}, \"{0}.{1}\");",
                        name, field.Name, Marshal.OffsetOf(type, field.Name), size);
                }
            }
            Check.That(structures >= 13, "there are structures");
        }
    }
}
