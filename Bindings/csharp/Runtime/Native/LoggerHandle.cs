// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Runtime.ConstrainedExecution;
using System.Threading;
using Microsoft.Win32.SafeHandles;

namespace TickLog.Native
{
    /// <summary>A ticklog_logger with its memory, and all that its streams refer to. Runs hold it.</summary>
    internal sealed unsafe class LoggerHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        internal readonly Arena Arena;

        /// <summary>How many events are being logged now: a run's memory is not freed under them.</summary>
        internal int Emitting;

        // Memory of runs that ended while an event was under way.
        private readonly List<Arena> retired = new List<Arena>();

        internal LoggerHandle(IntPtr logger, Arena arena)
            : base(true)
        {
            Arena = arena;
            arena.Own();
            SetHandle(logger);
        }

        /// <summary>Frees a stopped run's memory, now or, if an event is under way, later.</summary>
        internal void Retire(Arena run)
        {
            lock (retired)
            {
                retired.Add(run);
                // An event that begins from now on does not find the run any more.
                Thread.MemoryBarrier();
                if (Volatile.Read(ref Emitting) != 0) return;
                foreach (Arena arena in retired) arena.Dispose();
                retired.Clear();
            }
        }

        protected override bool ReleaseHandle()
        {
            foreach (Arena arena in retired) arena.Dispose();
            Arena.Dispose();
            return true;
        }
    }

    /// <summary>A ticklog_run with its memory. One that nobody stops is stopped when it is collected.</summary>
    internal sealed unsafe class RunHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private const int Busy = (int)Status.Busy;
        private readonly LoggerHandle logger;
        private readonly Arena arena;
        internal bool IsStopped;

        /// <summary>The arena's memory is the run's from now on. The caller has added a reference to the logger for it.</summary>
        internal RunHandle(IntPtr run, LoggerHandle logger, Arena arena)
            : base(true)
        {
            this.logger = logger;
            this.arena = arena;
            arena.Own();
            SetHandle(run);
        }

        /// <summary>Stops the run. BUSY answers, while storage or an event is under way, are asked again for five seconds.</summary>
        internal int Stop()
        {
            if (IsStopped) return (int)Status.Closed;
            int status = NativeMethods.ticklog_stop(handle);
            for (int wait = 0; status == Busy && wait < 5000; wait++)
            {
                Thread.Sleep(1);
                status = NativeMethods.ticklog_stop(handle);
            }
            if (status != Busy) IsStopped = true;
            return status;
        }

        protected override bool ReleaseHandle()
        {
            Stop();
            // A run that does not stop keeps its memory: the logger still knows it.
            if (IsStopped) logger.Retire(arena);
            logger.DangerousRelease();
            return true;
        }
    }
}
