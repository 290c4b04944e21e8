import CTickLog
import Foundation
import Synchronization
import Testing
import TickLogHost

@Suite(.serialized) struct RotationTests {
    /// The runs that the ticker ticks.
    final class Ticker {
        private let lock = NSLock()
        private var runs: [OpaquePointer] = []
        let recorder: Recorder
        /// Counts every tick of the wall, from 0: what the polled stream holds.
        let wall: UnsafeMutablePointer<UInt64>
        let ticks = Atomic<UInt64>(0)
        /// The events that were accepted, by the number of runs that were open.
        private(set) var events: [(number: UInt64, open: Int)] = []
        private var thread: Worker?
        private let isDone = Signal()

        init(_ recorder: Recorder) {
            self.recorder = recorder
            wall = recorder.allocate(8).bindMemory(to: UInt64.self, capacity: 1)
        }

        func start(_ stream: OpaquePointer) {
            thread = Worker { [self] in
                while !isDone.isSet {
                    lock.withLock {
                        let now = ticks.load(ordering: .relaxed)
                        wall.pointee = now
                        for run in runs {
                            let status = ticklog_tick(run, 1)
                            #expect(status == TICKLOG_OK)
                        }
                        if now % 5 == 0, !runs.isEmpty {
                            var number = now
                            #expect(ticklog_emit(stream, &number, 8) == TICKLOG_OK)
                            events.append((number, runs.count))
                        }
                        ticks.store(now + 1, ordering: .releasing)
                    }
                    usleep(20)
                }
            }
        }

        func add(_ run: OpaquePointer) { lock.withLock { runs.append(run) } }
        func remove(_ run: OpaquePointer) { lock.withLock { runs.removeAll { $0 == run } } }

        /// Serves runs while the wall makes so many ticks.
        func pass(_ count: UInt64, serving open: [OpaquePointer]) {
            let end = ticks.load(ordering: .acquiring) + count
            while ticks.load(ordering: .acquiring) < end {
                for run in open { #expect(ticklog_service(run) == TICKLOG_OK) }
                usleep(100)
            }
        }

        func stop() {
            isDone.set()
            thread?.join()
        }
    }

    /// A run's wall ticks and events, as its files have them.
    static func content(_ recorder: Recorder, _ name: String) throws -> (ticks: [UInt64], walls: [UInt64], events: [UInt64]) {
        let run = try recorder.read(name)
        let rows = try #require(try run.polled())
        var ticks: [UInt64] = []
        var walls: [UInt64] = []
        while rows.next() {
            ticks.append(rows.tick)
            walls.append(rows.table.bits(rows.streams[0].fields[0].column!))
        }
        let events = try #require(try run.events())
        var numbers: [UInt64] = []
        while events.next() {
            for stream in events.sampled where events.streams[stream].name == "mark" {
                numbers.append(events.table.bits(events.streams[stream].fields[0].column!))
            }
        }
        #expect(try run.losses().isEmpty)
        return (ticks, walls, numbers)
    }

    @Test(arguments: [TICKLOG_BCSV, TICKLOG_DLF]) func `a run that opens before the last one stops leaves no gap, and its memory serves a third`(_ format: UInt32) throws {
        let recorder = try Recorder(maxRuns: 2)
        let ticker = Ticker(recorder)
        try recorder.add("wall", TICKLOG_POLL, type: TICKLOG_U64, source: ticker.wall)
        let mark = try recorder.add("mark", TICKLOG_EMIT, type: TICKLOG_U64)
        let memoryOfA = recorder.allocate(1 << 18)
        func open(_ name: String, in memory: UnsafeMutableRawPointer? = nil) throws -> OpaquePointer {
            let run = try recorder.start(name, in: memory) {
                $0.format = UInt8(format)
                $0.ring_bytes = 65536
                #expect(ticklog_run_size(recorder.logger, &$0) <= 1 << 18)
            }
            return run
        }
        // An event reaches every open run: the ticker must know of a run as soon as it is open, and as long.
        ticker.start(mark)
        ticker.pass(20, serving: [])
        let a = try open("A", in: memoryOfA)
        ticker.add(a)
        ticker.pass(100, serving: [a])
        let b = try open("B")
        ticker.add(b)
        ticker.pass(100, serving: [a, b])
        // The ticker is silent on A before its memory is used again; B is ticked all the while.
        ticker.remove(a)
        #expect(recorder.stop(a) == TICKLOG_OK)
        memset(memoryOfA, 0xA5, 1 << 18)
        let c = try open("C", in: memoryOfA)
        ticker.add(c)
        ticker.pass(100, serving: [b, c])
        ticker.remove(b)
        #expect(recorder.stop(b) == TICKLOG_OK)
        ticker.pass(50, serving: [c])
        ticker.stop()
        #expect(recorder.stop(c) == TICKLOG_OK)

        var contents: [(ticks: [UInt64], walls: [UInt64], events: [UInt64])] = []
        for name in ["A", "B", "C"] {
            let content = try Self.content(recorder, name)
            try #require(content.walls.count >= 100)
            // Each run counts its own ticks from 0; the wall goes on in each without a gap.
            #expect(content.ticks == Array(0..<UInt64(content.walls.count)))
            #expect(content.walls == Array(content.walls[0]..<content.walls[0] + UInt64(content.walls.count)))
            contents.append(content)
        }
        let (ofA, ofB, ofC) = (contents[0], contents[1], contents[2])
        // Runs overlap: no tick of the wall is in none.
        #expect(ofB.walls[0] <= ofA.walls.last!)
        #expect(ofC.walls[0] <= ofB.walls.last!)
        #expect(ofA.walls.filter { $0 >= ofB.walls[0] }.count >= 100)
        #expect(ofC.walls.last! == ticker.ticks.load(ordering: .acquiring) - 1)

        // An event went to each run that was open at its tick. A run may be open already, and the ticker not know of it.
        for content in contents {
            let due = ticker.events.map(\.number).filter { $0 >= content.walls[0] && $0 <= content.walls.last! }
            #expect(content.events.filter { $0 >= content.walls[0] && $0 <= content.walls.last! } == due)
            #expect(!due.isEmpty)
            #expect(Set(content.events).isSubset(of: ticker.events.map(\.number)))
            #expect(Set(content.events).count == content.events.count)
        }
        let inBoth = ticker.events.filter { $0.open == 2 }.map(\.number)
        #expect(inBoth.count >= 30)
        for number in inBoth { #expect(contents.filter { $0.events.contains(number) }.count >= 2) }
    }

    @Test func `a third run of two is refused, and the two go on`() throws {
        let recorder = try Recorder(maxRuns: 2)
        let source = recorder.allocate(8)
        try recorder.add("wall", TICKLOG_POLL, type: TICKLOG_U64, source: source)
        let runs = [try recorder.start("A"), try recorder.start("B")]
        var config = ticklog_run_config()
        config.size = UInt32(MemoryLayout<ticklog_run_config>.size)
        config.tick_ns = 1_000_000
        config.name = UnsafePointer(recorder.text("C"))
        let bytes = ticklog_run_size(recorder.logger, &config)
        var run: OpaquePointer?
        #expect(ticklog_start(recorder.logger, &config, recorder.allocate(bytes), bytes, &run) == TICKLOG_TOO_MANY)
        // Memory of an open run is nobody else's.
        #expect(!FileManager.default.fileExists(atPath: recorder.root + "/C"))
        for run in runs {
            #expect(ticklog_tick(run, 1) == TICKLOG_OK)
            #expect(recorder.stop(run) == TICKLOG_OK)
            #expect(ticklog_tick(run, 1) == TICKLOG_CLOSED)
            #expect(recorder.statistics(run).written == 1)
        }
    }

    @Test func `memory of an open run is refused to another`() throws {
        let recorder = try Recorder(maxRuns: 2)
        try recorder.add("wall", TICKLOG_POLL, type: TICKLOG_U64, source: recorder.allocate(8))
        let memory = recorder.allocate(1 << 18)
        let run = try recorder.start("A", in: memory)
        var config = ticklog_run_config()
        config.size = UInt32(MemoryLayout<ticklog_run_config>.size)
        config.tick_ns = 1_000_000
        config.name = UnsafePointer(recorder.text("B"))
        let bytes = ticklog_run_size(recorder.logger, &config)
        var other: OpaquePointer?
        for offset in [0, 8, bytes - 8] {
            #expect(ticklog_start(recorder.logger, &config, memory + offset, bytes, &other) == TICKLOG_OVERLAP)
        }
        #expect(recorder.stop(run) == TICKLOG_OK)
        #expect(ticklog_start(recorder.logger, &config, memory, bytes, &other) == TICKLOG_OK)
        #expect(recorder.stop(other!) == TICKLOG_OK)
    }
}
