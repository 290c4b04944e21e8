import CPosix
import CTickLog
import Foundation
import Synchronization
import Testing
import TickLogHost

/// A guard that takes its time: stands for a ticker that the scheduler has taken off its core in the middle of a tick.
private final class SlowGuard: Sendable {
    let isEntered = Signal()
    let mayLeave = Signal()
}

@Suite struct StopTests {
    @Test(arguments: [TICKLOG_BCSV, TICKLOG_DLF]) func `stop does not end while a tick is under way, and loses nothing of it`(_ format: UInt32) throws {
        let recorder = try Recorder()
        let slow = SlowGuard()
        let source = recorder.allocate(8)
        source.storeBytes(of: 4711, as: UInt64.self)
        let polled = try recorder.add("wall", TICKLOG_POLL, type: TICKLOG_U64, source: source)
        let watched = try recorder.add("mode", TICKLOG_WATCH, type: TICKLOG_U64, source: source) { config in
            config.lock_context = Unmanaged.passUnretained(slow).toOpaque()
            config.try_lock = {
                let slow = Unmanaged<SlowGuard>.fromOpaque($0!).takeUnretainedValue()
                slow.isEntered.set()
                while !slow.mayLeave.isSet { usleep(100) }
                return 0
            }
            config.unlock = { _ in }
        }
        let run = try recorder.start("run") { $0.format = UInt8(format) }
        let ticker = Worker { #expect(ticklog_tick(run, 1) == TICKLOG_OK) }
        while !slow.isEntered.isSet { usleep(100) }
        // Each call ends, and says that the run is not stopped yet.
        for _ in 0..<3 { #expect(ticklog_stop(run) == TICKLOG_BUSY) }
        #expect(FileManager.default.fileExists(atPath: recorder.root + "/run/LOCK"))
        // Nobody gets in any more.
        #expect(ticklog_flush(run) == TICKLOG_CLOSED)
        slow.mayLeave.set()
        #expect(recorder.stop(run) == TICKLOG_OK)
        ticker.join()
        for stream in [polled, watched] {
            let account = recorder.statistics(run, of: stream)
            #expect(account.offered == 1)
            #expect(account.written == 1)
        }
        let events = try #require(try recorder.read("run").events())
        try #require(events.next())
        #expect(events.table.bits(events.streams[events.sampled[0]].fields[0].column!) == 4711)
        #expect(ticklog_stop(run) == TICKLOG_CLOSED)
        withExtendedLifetime(slow) {}
    }
}
