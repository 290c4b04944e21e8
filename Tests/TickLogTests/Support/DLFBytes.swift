/// Files of DLF, byte by byte, as other writers may have written them.
struct DLFBytes {
    struct Stream {
        var type = "uint8_t"
        var id = "s"
        /// Nil: missing, NUL and all.
        var notes: String? = ""
        var size: UInt32 = 1
        var interval: UInt64 = 1
        var phase: UInt64 = 0

        func isDue(_ tick: UInt64) -> Bool { interval <= 1 || (tick % interval + phase % interval) % interval == 0 }
    }

    static func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    static func header(_ streams: [Stream], isEvents: Bool = false, span: UInt64 = 0) -> [UInt8] {
        var bytes = little(UInt16(0x8414)) + [isEvents ? 1 : 0] + little(span) + little(UInt16(streams.count))
        for stream in streams {
            bytes += Array(stream.type.utf8) + [0] + Array(stream.id.utf8) + [0]
            if let notes = stream.notes { bytes += Array(notes.utf8) + [0] }
            bytes += little(stream.size)
            if !isEvents { bytes += little(stream.interval) + little(stream.phase) }
        }
        return bytes
    }

    /// A sample as a walk through the file finds it.
    struct Sample: Equatable {
        var stream: Int
        var tick: UInt64
        /// From the start of the file.
        var offset: Int
        var bytes: [UInt8]
    }

    /// A polled file of the first ticks, and its samples.
    static func polled(_ streams: [Stream], ticks: UInt64, _ random: inout SeededRandom) -> (bytes: [UInt8], samples: [Sample]) {
        var bytes = header(streams, span: max(ticks, 1) - 1)
        var samples: [Sample] = []
        for tick in 0..<ticks {
            for (i, stream) in streams.enumerated() where stream.isDue(tick) {
                let sample = (0..<stream.size).map { _ in UInt8(random.below(256)) }
                samples.append(Sample(stream: i, tick: tick, offset: bytes.count, bytes: sample))
                bytes += sample
            }
        }
        return (bytes, samples)
    }

    static func events(_ streams: [Stream], ticks: UInt64, _ random: inout SeededRandom) -> (bytes: [UInt8], samples: [Sample]) {
        var bytes = header(streams, isEvents: true, span: max(ticks, 1) - 1)
        var samples: [Sample] = []
        for tick in 0..<ticks {
            for (i, stream) in streams.enumerated() where random.chance(1, in: 3) {
                let sample = (0..<stream.size).map { _ in UInt8(random.below(256)) }
                samples.append(Sample(stream: i, tick: tick, offset: bytes.count, bytes: sample))
                bytes += little(UInt16(i)) + little(tick) + sample
            }
        }
        return (bytes, samples)
    }

    /// Streams of any schedule; types that fit their sizes.
    static func streams(_ random: inout SeededRandom, _ count: Int) -> [Stream] {
        (0..<count).map { i in
            let type: (String, UInt32) = random.pick([
                ("uint8_t", 1), ("int16_t", 2), ("float", 4), ("double", 8), ("bool", 1), ("!blob", 3), ("int", 4),
                ("s;a:uint8_t:0;b.c:double:4", 12), ("odd;x:size_t:0", 5),
            ])
            return Stream(
                type: type.0, id: "s\(i)", notes: random.pick(["", "N/A", "a note"]), size: type.1,
                interval: UInt64(random.pick([0, 1, 1, 1, 2, 3, 5, 10, 7, 12])), phase: UInt64(random.below(20)))
        }
    }
}
