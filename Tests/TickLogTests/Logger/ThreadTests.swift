import CPosix
import CTickLog
import Foundation
import Synchronization
import Testing
import TickLogHost

@Suite(.serialized) struct ThreadTests {
    /// What an emitter has done: the numbers that were accepted, and how many were not.
    final class Emitter {
        let stream: OpaquePointer
        var accepted: [UInt64] = []
        var refused = 0

        init(_ stream: OpaquePointer) { self.stream = stream }

        /// Emits 0, 1, 2, ... until the run closes.
        func run() {
            var number: UInt64 = 0
            while true {
                let status = ticklog_emit(stream, &number, 8)
                if status == TICKLOG_OK {
                    accepted.append(number)
                } else if status == TICKLOG_RING_FULL {
                    refused += 1
                } else {
                    return
                }
                number += 1
                if number % 64 == 0 { sched_yield() }
            }
        }
    }

    /// Everything at once: a ticker, two emitters with queues, one in the ticker's context, a watched stream, a writer, a
    /// reader of statistics; then stop under full load.
    @Test(arguments: [TICKLOG_BCSV, TICKLOG_DLF], [UInt32(0), 16384])
    func `nothing is lost in silence when all contexts run at once and stop comes in between`(
        _ format: UInt32, _ queueBytes: UInt32
    ) throws {
        let recorder = try Recorder()
        let wall = recorder.allocate(8).bindMemory(to: UInt64.self, capacity: 1)
        let mode = recorder.allocate(8).bindMemory(to: UInt32.self, capacity: 1)
        let polled = try recorder.add("wall", TICKLOG_POLL, type: TICKLOG_U64, source: wall)
        let slow = try recorder.add("slow", TICKLOG_POLL, type: TICKLOG_U64, source: wall) { $0.interval_ns = 7_000_000 }
        let watched = try recorder.add("mode", TICKLOG_WATCH, type: TICKLOG_U32, source: mode)
        let mark = Emitter(try recorder.add("mark", TICKLOG_EMIT, type: TICKLOG_U64))
        let emitters = try ["left", "right"].map { name in
            // Least queues fill at once; large ones seldom.
            Emitter(try recorder.add(name, TICKLOG_EMIT, type: TICKLOG_U64) { $0.queue_bytes = max(queueBytes, 1) })
        }
        let name = "run"
        let run = try recorder.start(name) {
            $0.format = UInt8(format)
            $0.ring_bytes = queueBytes
            $0.flush_ms = 50
        }

        let isClosed = Signal()
        var ticks: UInt64 = 0
        let ticker = Worker {
            var number: UInt64 = 0
            while true {
                wall.pointee = ticks
                mode.pointee = UInt32(ticks / 5)
                // Some ticks come late.
                let elapsed: UInt32 = ticks % 97 == 96 ? 3 : 1
                let status = ticklog_tick(run, elapsed)
                if status == TICKLOG_CLOSED { return }
                ticks += UInt64(elapsed)
                if ticks % 3 == 0 {
                    let status = ticklog_emit(mark.stream, &number, 8)
                    if status == TICKLOG_OK { mark.accepted.append(number) } else if status == TICKLOG_RING_FULL { mark.refused += 1 }
                    if status == TICKLOG_CLOSED { return }
                    number += 1
                }
                if ticks % 16 == 0 { sched_yield() }
            }
        }
        let threads = emitters.map { emitter in Worker { emitter.run() } }
        var isBalanced = true
        let reader = Worker {
            while !isClosed.isSet {
                for stream in [polled, slow, watched, mark.stream] + emitters.map(\.stream) {
                    let now = recorder.statistics(run, of: stream)
                    if now.offered < now.written + now.lost { isBalanced = false }
                }
                let now = recorder.statistics(run)
                if now.offered < now.written + now.lost { isBalanced = false }
                usleep(200)
            }
        }
        var worst = TICKLOG_OK
        var stopped = TICKLOG_BUSY
        let writer = Worker {
            let end = Date().addingTimeInterval(0.25)
            var calls = 0
            while Date() < end {
                let status = ticklog_service(run)
                if status != TICKLOG_OK { worst = status }
                calls += 1
                if calls % 50 == 0 { usleep(500) }
                // BUSY: the ticker, which never rests here, was in its call whenever flush looked.
                if calls % 1000 == 0, ![TICKLOG_OK, TICKLOG_BUSY].contains(ticklog_flush(run)) { worst = TICKLOG_IO }
            }
            stopped = recorder.stop(run)
        }
        writer.join()
        ticker.join()
        for thread in threads { thread.join() }
        isClosed.set()
        reader.join()
        #expect(worst == TICKLOG_OK)
        #expect(stopped == TICKLOG_OK)
        #expect(isBalanced)

        // The accounts of the run.
        let all = recorder.statistics(run)
        #expect(all.ticks == ticks)
        #expect(all.pending == 0)
        #expect(all.offered == all.written + all.lost)
        #expect(all.storage_errors == 0)
        let losses = try recorder.read(name).losses()
        // In loss.dlf streams are counted as in polled.dlf, then event.dlf; here that is the order of adding.
        var declared: [Int: UInt64] = [:]
        for loss in losses { declared[Int(loss.stream), default: 0] += UInt64(loss.samples) }
        var offered: UInt64 = 0
        for (index, stream) in ([polled, slow, watched, mark.stream] + emitters.map(\.stream)).enumerated() {
            let account = recorder.statistics(run, of: stream)
            #expect(account.offered == account.written + account.lost, "stream \(index)")
            #expect(account.pending == 0, "stream \(index)")
            #expect(declared[index] ?? 0 == account.lost, "stream \(index): declared in the file, and in the statistics")
            offered += account.offered
        }
        #expect(offered == all.offered)
        #expect(recorder.statistics(run, of: polled).offered == ticks)
        #expect(recorder.statistics(run, of: slow).offered == (ticks + 6) / 7)

        // The events in the file are those that were accepted.
        var found: [String: [UInt64]] = [:]
        let events = try #require(try recorder.read(name).events())
        while events.next() {
            for stream in events.sampled {
                let column = events.streams[stream].fields[0].column!
                found[events.streams[stream].name, default: []].append(events.table.bits(column))
            }
        }
        #expect(!events.table.isDamaged)
        for (name, emitter) in [("mark", mark), ("left", emitters[0]), ("right", emitters[1])] {
            #expect(found[name] ?? [] == emitter.accepted, "\(name)")
            let account = recorder.statistics(run, of: emitter.stream)
            #expect(account.lost == UInt64(emitter.refused), "\(name)")
            #expect(account.written == UInt64(emitter.accepted.count), "\(name)")
        }

        // The rows in the file are those that were not declared lost, each with what the source held at its tick.
        var times: [UInt64: Int] = [:]
        for loss in losses where loss.stream == 0 { for tick in loss.firstTick...loss.lastTick { times[tick, default: 0] += 1 } }
        #expect(times.values.allSatisfy { $0 == 1 })
        var next: UInt64 = 0
        let rows = try #require(try recorder.read(name).polled())
        let column = rows.streams[0].fields[0].column!
        while rows.next() {
            let isLost = times[rows.tick] != nil
            if format == TICKLOG_BCSV {
                while times[next] != nil { next += 1 }
                #expect(!isLost)
            }
            if rows.tick != next {
                Issue.record("row of tick \(rows.tick), expected \(next)")
                break
            }
            // A late tick samples when it comes: two ticks before, as the source was set.
            if !isLost {
                let value = rows.table.bits(column)
                #expect(value == rows.tick || value + 2 == rows.tick, "tick \(rows.tick)")
            }
            next += 1
        }
        while times[next] != nil { next += 1 }
        #expect(next == ticks)
    }
}
