// SPDX-License-Identifier: MIT
using System;
using Microsoft.Win32.SafeHandles;

namespace TickLog.Native
{
    /// <summary>A ticklog_table with its memory. One that nobody closes is closed, with its footer, when it is collected.</summary>
    internal sealed unsafe class TableHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private readonly Arena arena;

        /// <summary>The file was closed, or given up.</summary>
        internal bool IsEnded;

        /// <summary>The arena's memory is the table's from now on.</summary>
        internal TableHandle(IntPtr table, Arena arena)
            : base(true)
        {
            this.arena = arena;
            arena.Own();
            SetHandle(table);
        }

        protected override bool ReleaseHandle()
        {
            if (!IsEnded && NativeMethods.ticklog_table_close(handle) != 0) NativeMethods.ticklog_table_abandon(handle);
            arena.Dispose();
            return true;
        }
    }
}
