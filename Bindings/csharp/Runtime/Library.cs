// SPDX-License-Identifier: MIT
using System;
using TickLog.Native;

namespace TickLog
{
    /// <summary>The native library, libticklog.so.</summary>
    public static class Library
    {
        /// <summary>The ABI that this package is written for.</summary>
        public const int Abi = 1;

        private static bool isChecked;

        /// <summary>The library's version, "1.1.0".</summary>
        public static string Version
        {
            get { return Utf8.String(NativeMethods.ticklog_version()); }
        }

        internal static string Text(Status status)
        {
            return Utf8.String(NativeMethods.ticklog_status_text((int)status));
        }

        /// <summary>Refuses a library of another ABI before a structure is handed to it.</summary>
        internal static void Check()
        {
            if (isChecked) return;
            uint abi = NativeMethods.ticklog_abi();
            if (abi != Abi)
            {
                throw new TickLogException(
                    Status.Unsupported, "libticklog.so: found ABI " + abi + ", expected " + Abi);
            }
            isChecked = true;
        }
    }
}
