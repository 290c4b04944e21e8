// SPDX-License-Identifier: MIT
using TickLog.Native;

namespace TickLog
{
    /// <summary>Why samples were lost: TICKLOG_LOSS_ of ticklog.h.</summary>
    public enum LossReason
    {
        /// <summary>Service did not keep up.</summary>
        RingFull = 1,

        /// <summary>Due in a tick that was skipped.</summary>
        Late = 2,

        /// <summary>The guard refused: the last value stands in its place.</summary>
        Busy = 3,

        /// <summary>Storage failed, or MaxBytes was reached.</summary>
        Storage = 4,
    }

    /// <summary>What a run has done so far. Offered = Written + Lost + Pending.</summary>
    public sealed unsafe class RunStatistics
    {
        private readonly ulong[] lost = new ulong[8];

        internal RunStatistics(ref ticklog_run_statistics s)
        {
            LastError = (Status)s.last_error;
            Ticks = s.ticks;
            Offered = s.offered;
            Written = s.written;
            Lost = s.lost;
            Pending = s.pending;
            fixed (ulong* reasons = s.lost_by_reason)
            {
                for (int reason = 0; reason < lost.Length; reason++) lost[reason] = reasons[reason];
            }
            Rows = s.rows;
            Bytes = s.bytes;
            Packets = s.packets;
            Syncs = s.syncs;
            StorageErrors = s.storage_errors;
            LongestGap = s.longest_gap;
            RingBytes = s.ring_bytes;
            RingHighWater = s.ring_high_water;
        }

        /// <summary>Storage's last failure; Ok: none so far.</summary>
        public Status LastError { get; }
        public ulong Ticks { get; }
        public ulong Offered { get; }
        public ulong Written { get; }
        public ulong Lost { get; }
        public ulong Pending { get; }
        public ulong Rows { get; }
        public ulong Bytes { get; }
        public ulong Packets { get; }
        public ulong Syncs { get; }
        public ulong StorageErrors { get; }

        /// <summary>Ticks: the longest polled range lost in one piece.</summary>
        public ulong LongestGap { get; }
        public uint RingBytes { get; }
        public uint RingHighWater { get; }

        public ulong LostBy(LossReason reason)
        {
            return (int)reason > 0 && (int)reason < lost.Length ? lost[(int)reason] : 0;
        }
    }

    /// <summary>The same of one stream in one run.</summary>
    public sealed class StreamStatistics
    {
        internal StreamStatistics(ref ticklog_stream_statistics s)
        {
            Index = (int)s.index;
            Offered = s.offered;
            Written = s.written;
            Lost = s.lost;
            Pending = s.pending;
        }

        public int Index { get; }
        public ulong Offered { get; }
        public ulong Written { get; }
        public ulong Lost { get; }
        public ulong Pending { get; }
    }
}
