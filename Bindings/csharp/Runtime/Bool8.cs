// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;

namespace TickLog
{
    /// <summary>A bool of one byte, for structures that are logged or written: C# gives a bool of its own another size.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Bool8 : IEquatable<Bool8>
    {
        private readonly byte value;

        public Bool8(bool value)
        {
            this.value = value ? (byte)1 : (byte)0;
        }

        public static implicit operator bool(Bool8 value) { return value.value != 0; }

        public static implicit operator Bool8(bool value) { return new Bool8(value); }

        public bool Equals(Bool8 other) { return (bool)this == (bool)other; }

        public override bool Equals(object other) { return other is Bool8 && Equals((Bool8)other); }

        public override int GetHashCode() { return value != 0 ? 1 : 0; }

        public override string ToString() { return value != 0 ? "true" : "false"; }
    }
}
