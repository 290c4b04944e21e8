import CTickLog
import Synchronization

/// The account of one stream: offered = written + lost + pending.
struct Account {
    var offered: UInt64
    var written: UInt64
    var lost: UInt64
    var pending: UInt64 { offered >= written &+ lost ? offered &- written &- lost : 0 }
}

/// What a run has done so far, from numbers that any context may read.
enum Statistics {
    /// Samples of a polled stream: offered ones follow from the schedule, written ones from its group's rows.
    /// The ticks are asked for last, so that no more is written or lost than offered.
    static func polled(_ run: RunShared.Pointer, _ index: Int) -> Account {
        let slot = run.pointee.polledSlots + index
        let lost = slot.pointee.lost.load()
        let kept = slot.pointee.written.load()
        let group = run.pointee.polledHandles.pointer(index).pointee.group
        let written = run.pointee.groupRows[group].load() &- kept
        let ticks = run.pointee.ticks.load()
        return Account(
            offered: run.pointee.groups.pointer(group).pointee.schedule.count(before: ticks), written: written, lost: lost)
    }

    static func event(_ run: RunShared.Pointer, _ index: Int) -> Account {
        let slot = run.pointee.eventSlots + index
        let lost = slot.pointee.lost.load()
        let written = slot.pointee.written.load()
        return Account(offered: slot.pointee.offered.load(), written: written, lost: lost)
    }

    static func fill(_ out: UnsafeMutablePointer<ticklog_run_statistics>, of run: RunShared.Pointer) {
        let counters = run.pointee.counters
        var all = ticklog_run_statistics()
        all.written = counters.pointee.written.load()
        all.lost = counters.pointee.lost.load()
        all.ticks = run.pointee.ticks.load()
        for i in 0..<run.pointee.groups.count {
            let group = run.pointee.groups.pointer(i)
            all.offered &+= group.pointee.schedule.count(before: all.ticks) &* UInt64(group.pointee.streams)
        }
        for i in 0..<run.pointee.eventHandles.count { all.offered &+= (run.pointee.eventSlots + i).pointee.offered.load() }
        all.pending = all.offered >= all.written &+ all.lost ? all.offered &- all.written &- all.lost : 0
        all.lost_by_reason.1 = counters.pointee.lostRingFull.load()
        all.lost_by_reason.2 = counters.pointee.lostLate.load()
        all.lost_by_reason.3 = counters.pointee.lostBusy.load()
        all.lost_by_reason.4 = counters.pointee.lostStorage.load()
        all.rows = counters.pointee.rows.load()
        all.bytes = counters.pointee.bytes.load()
        all.packets = counters.pointee.packets.load()
        all.syncs = counters.pointee.syncs.load()
        all.storage_errors = counters.pointee.storageErrors.load()
        all.longest_gap = counters.pointee.longestGap.load()
        all.last_error = counters.pointee.lastError.load(ordering: .relaxed)
        all.ring_bytes = run.pointee.ringBytes
        all.ring_high_water = counters.pointee.ringHighWater.load(ordering: .relaxed)
        out.fill(all)
    }
}
