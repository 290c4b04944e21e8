// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace TickLog.Native
{
    /// <summary>An ArrowArrayStream of the library, in memory of its own.</summary>
    internal sealed unsafe class StreamHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private GetNext next;
        private GetLastError lastError;

        internal StreamHandle()
            : base(true)
        {
            SetHandle(Marshal.AllocHGlobal(sizeof(ArrowArrayStream)));
            *Pointer = default(ArrowArrayStream);
        }

        internal ArrowArrayStream* Pointer
        {
            get { return (ArrowArrayStream*)handle; }
        }

        protected override bool ReleaseHandle()
        {
            IntPtr release = Pointer->release;
            if (release != IntPtr.Zero) Marshal.GetDelegateForFunctionPointer<Release>(release)(Pointer);
            Marshal.FreeHGlobal(handle);
            return true;
        }

        /// <summary>The schema, which `read` sees before it is released.</summary>
        internal T Schema<T>(Func<IntPtr, T> read)
        {
            bool held = false;
            ArrowSchema schema = default(ArrowSchema);
            try
            {
                DangerousAddRef(ref held);
                Check(Marshal.GetDelegateForFunctionPointer<GetSchema>(Pointer->get_schema)(Pointer, &schema));
                return read((IntPtr)(&schema));
            }
            finally
            {
                if (schema.release != IntPtr.Zero) Marshal.GetDelegateForFunctionPointer<Release>(schema.release)(&schema);
                if (held) DangerousRelease();
            }
        }

        /// <summary>The next batch; null behind the last.</summary>
        internal ArrayHandle Next()
        {
            bool held = false;
            var array = new ArrayHandle();
            try
            {
                DangerousAddRef(ref held);
                if (next == null) next = Marshal.GetDelegateForFunctionPointer<GetNext>(Pointer->get_next);
                Check(next(Pointer, array.Pointer));
                if (array.Pointer->release != IntPtr.Zero)
                {
                    ArrayHandle got = array;
                    array = null;
                    return got;
                }
                return null;
            }
            finally
            {
                if (array != null) array.Dispose();
                if (held) DangerousRelease();
            }
        }

        private void Check(int error)
        {
            if (error == 0) return;
            if (lastError == null) lastError = Marshal.GetDelegateForFunctionPointer<GetLastError>(Pointer->get_last_error);
            string text = Utf8.String(lastError(Pointer)) ?? "error " + error + " without a text";
            const int enomem = 12, einval = 22;
            throw new TickLogException(
                error == enomem ? Status.NoMemory : error == einval ? Status.BadArgument : Status.Damaged, text);
        }
    }

    /// <summary>An ArrowArray of the library, in memory of its own.</summary>
    internal sealed unsafe class ArrayHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        internal ArrayHandle()
            : base(true)
        {
            SetHandle(Marshal.AllocHGlobal(sizeof(ArrowArray)));
            *Pointer = default(ArrowArray);
        }

        internal ArrowArray* Pointer
        {
            get { return (ArrowArray*)handle; }
        }

        protected override bool ReleaseHandle()
        {
            IntPtr release = Pointer->release;
            if (release != IntPtr.Zero) Marshal.GetDelegateForFunctionPointer<Release>(release)(Pointer);
            Marshal.FreeHGlobal(handle);
            return true;
        }
    }
}
