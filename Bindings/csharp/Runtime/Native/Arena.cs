// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Runtime.ConstrainedExecution;
using System.Runtime.InteropServices;

namespace TickLog.Native
{
    /// <summary>Native memory and pinned objects that end together.</summary>
    internal sealed unsafe class Arena : CriticalFinalizerObject, IDisposable
    {
        private readonly List<IntPtr> blocks = new List<IntPtr>();
        private readonly List<GCHandle> pins = new List<GCHandle>();

        /// <summary>Bytes of zero, aligned to 8.</summary>
        internal byte* Take(long count)
        {
            // The list grows first: what is allocated must not be lost.
            blocks.Add(IntPtr.Zero);
            IntPtr block = Marshal.AllocHGlobal(new IntPtr(Math.Max(count, 1)));
            blocks[blocks.Count - 1] = block;
            var bytes = (byte*)block;
            for (long at = 0; at < count; at++) bytes[at] = 0;
            return bytes;
        }

        internal byte* Text(string text, string parameter)
        {
            if (text == null) return null;
            byte[] bytes = Utf8.Terminated(text, parameter);
            byte* copy = Take(bytes.Length);
            Marshal.Copy(bytes, 0, (IntPtr)copy, bytes.Length);
            return copy;
        }

        /// <summary>Where a boxed structure or an array of primitives or structures lies until the end.</summary>
        internal byte* Pin(object value)
        {
            pins.Add(default(GCHandle));
            GCHandle pin = GCHandle.Alloc(value, GCHandleType.Pinned);
            pins[pins.Count - 1] = pin;
            return (byte*)pin.AddrOfPinnedObject();
        }

        /// <summary>Does not free by itself any more: what owns the arena ends it.</summary>
        internal void Own()
        {
            GC.SuppressFinalize(this);
        }

        public void Dispose()
        {
            GC.SuppressFinalize(this);
            Free();
        }

        ~Arena()
        {
            Free();
        }

        private void Free()
        {
            foreach (IntPtr block in blocks) Marshal.FreeHGlobal(block);
            blocks.Clear();
            foreach (GCHandle pin in pins)
            {
                if (pin.IsAllocated) pin.Free();
            }
            pins.Clear();
        }
    }
}
