// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;
using System.Threading;
using TickLog.Native;

namespace TickLog
{
    /// <summary>A stream of a logger.</summary>
    public abstract unsafe class LogStream
    {
        internal readonly Logger Logger;
        internal IntPtr Pointer;

        internal LogStream(Logger logger, string name)
        {
            Logger = logger;
            Name = name;
        }

        public string Name { get; }

        /// <summary>Holds the logger's memory, and with it the stream, during a call.</summary>
        internal LoggerHandle Hold(ref bool held)
        {
            LoggerHandle handle = Logger.Handle;
            handle.DangerousAddRef(ref held);
            return handle;
        }
    }

    /// <summary>
    /// A variable that runs sample: set Value (or the fields of Reference) whenever it changes. It lies in pinned memory, where the
    /// ticker reads it.
    /// </summary>
    public sealed unsafe class Variable<T> : LogStream
        where T : struct
    {
        private readonly T[] cell;
        private readonly int[] guard;

        internal Variable(Logger logger, string name, T[] cell, int[] guard)
            : base(logger, name)
        {
            this.cell = cell;
            this.guard = guard;
        }

        /// <summary>The value. Setting a guarded one waits while the ticker reads it.</summary>
        public T Value
        {
            get { return cell[0]; }
            set
            {
                if (guard == null)
                {
                    cell[0] = value;
                    return;
                }
                var wait = new SpinWait();
                while (Interlocked.CompareExchange(ref guard[0], 1, 0) != 0) wait.SpinOnce();
                cell[0] = value;
                Volatile.Write(ref guard[0], 0);
            }
        }

        /// <summary>The value where it lies, to set single fields. By the thread that ticks: the guard does not cover it.</summary>
        public ref T Reference
        {
            get { return ref cell[0]; }
        }
    }

    /// <summary>Events: each is logged when it is emitted.</summary>
    public sealed unsafe class EventStream<T> : LogStream
        where T : struct
    {
        private readonly T[] cell;
        private readonly byte* source;
        private readonly UIntPtr size;
        private int busy;

        internal EventStream(Logger logger, string name, T[] cell, byte* source, int size)
            : base(logger, name)
        {
            this.cell = cell;
            this.source = source;
            this.size = new UIntPtr((uint)size);
        }

        /// <summary>
        /// Logs an event in every open run, stamped with its newest tick. false: a ring was full; the event is declared lost. Never
        /// waits. With no run open it is nothing but false.
        /// </summary>
        public bool Emit(T value)
        {
            if (Interlocked.CompareExchange(ref busy, 1, 0) != 0)
            {
                throw new InvalidOperationException("stream " + Name + ": another thread is emitting an event; one thread does");
            }
            bool held = false;
            LoggerHandle handle = null;
            try
            {
                handle = Hold(ref held);
                cell[0] = value;
                Interlocked.Increment(ref handle.Emitting);
                int status;
                try
                {
                    status = NativeMethods.ticklog_emit(Pointer, source, size);
                }
                finally
                {
                    Interlocked.Decrement(ref handle.Emitting);
                }
                if (status == 0) return true;
                if (status == (int)Status.RingFull || status == (int)Status.Closed) return false;
                throw TickLogException.Of((Status)status, "stream " + Name);
            }
            finally
            {
                if (held) handle.DangerousRelease();
                Volatile.Write(ref busy, 0);
            }
        }
    }

    /// <summary>The guard of a variable: an int that is 1 while somebody has it.</summary>
    internal static unsafe class Guard
    {
        // Kept for ever: native code has their addresses.
        private static readonly TryLock tryLock = OnTryLock;
        private static readonly Unlock unlock = OnUnlock;

        internal static readonly IntPtr TryLock = Marshal.GetFunctionPointerForDelegate(tryLock);
        internal static readonly IntPtr Unlock = Marshal.GetFunctionPointerForDelegate(unlock);

        [MonoPInvokeCallback(typeof(TryLock))]
        private static int OnTryLock(void* context)
        {
            // As pthread_mutex_trylock: 0 is the caller's.
            return Interlocked.CompareExchange(ref *(int*)context, 1, 0);
        }

        [MonoPInvokeCallback(typeof(Unlock))]
        private static void OnUnlock(void* context)
        {
            Volatile.Write(ref *(int*)context, 0);
        }
    }
}
