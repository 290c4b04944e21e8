import CPosix
import TickLog

/// Makes the frames of one channel, spoils some, and knows which.
///
/// A frame follows from the seed, the channel and its number alone, and so does what becomes of it.
final class FrameProducer {
    /// A frame that is yet to be put out, and behind which.
    private struct Held {
        let sequence: UInt64
        let timestamp: UInt64
        let due: UInt64
        let spoil: Spoil
    }

    /// Which byte becomes another one. `mask` 0: none.
    private struct Spoil {
        var at = 0
        var mask: UInt8 = 0
    }

    private(set) var counts = SentChannel.Counts()
    private(set) var expected: ExpectedReport

    private let options: SendOptions
    private let channel: Int
    private let crc = CRC32C()
    private let start: UInt64
    private var newest: UInt64 = 0
    private var newestTimestamp: UInt64 = 0
    /// Random bytes; a payload is a part of them.
    private let material: UnsafeMutableRawPointer
    private let frame: UnsafeMutableRawBufferPointer
    private var held: [Held] = []

    static var materialOffsets: Int { 4096 }

    init(_ options: SendOptions, channel: Int) {
        self.options = options
        self.channel = channel
        expected = ExpectedReport(chunks: options.chunks)
        var random = SplitMix64(options.seed, channel: channel, sequence: UInt64.max)
        // Somewhere in the years 2020 to 2033.
        start = 1_577_836_800_000_000_000 + random.below(1 << 58)
        let count = options.size + FrameProducer.materialOffsets
        material = UnsafeMutableRawPointer.allocate(byteCount: (count + 7) / 8 * 8, alignment: 8)
        for i in 0..<(count + 7) / 8 { material.storeBytes(of: random.next().littleEndian, toByteOffset: 8 * i, as: UInt64.self) }
        // Without the magic's first byte, a receiver never takes the end of a payload for the start of a frame.
        for i in 0..<count where material.load(fromByteOffset: i, as: UInt8.self) == 0xD3 {
            material.storeBytes(of: 0x2C, toByteOffset: i, as: UInt8.self)
        }
        frame = UnsafeMutableRawBufferPointer.allocate(byteCount: FrameHeader.bytes + options.size, alignment: 8)
    }

    deinit {
        material.deallocate()
        frame.deallocate()
    }

    /// Puts out what is due with the frame of a number: none, one or several. The numbers come in order.
    func put(_ sequence: UInt64, _ emit: (UnsafeRawBufferPointer) throws(FileError) -> Void) throws(FileError) {
        // All are drawn always, so that one probability does not change what another one does.
        var random = SplitMix64(options.seed, channel: channel, sequence: sequence)
        let isDropped = random.chance(options.drop)
        let isDuplicated = random.chance(options.duplicate)
        let isReordered = random.chance(options.reorder)
        let behind = 1 + random.below(options.mostHeldBack)
        let copyBehind = random.below(1 + options.mostHeldBack / 2)
        let spoil = self.spoil(&random)
        let copySpoil = self.spoil(&random)
        let timestamp = self.timestamp(sequence)
        newest = sequence
        newestTimestamp = timestamp

        counts.frames += 1
        if isDropped {
            counts.dropped += 1
        } else {
            if isReordered { counts.reordered += 1 }
            try put(Held(sequence: sequence, timestamp: timestamp, due: sequence + (isReordered ? behind : 0), spoil: spoil), sequence, emit)
            if isDuplicated {
                counts.duplicated += 1
                try put(Held(sequence: sequence, timestamp: timestamp, due: sequence + copyBehind, spoil: copySpoil), sequence, emit)
            }
        }
        try release(upTo: sequence, emit)
    }

    /// Puts out what was held back.
    func end(_ emit: (UnsafeRawBufferPointer) throws(FileError) -> Void) throws(FileError) {
        while !held.isEmpty {
            var next = held[0].due
            for one in held { next = min(next, one.due) }
            try release(upTo: next, emit)
        }
        expected.end()
    }

    /// The frame of the number that was last put out, whole. The bytes are valid until the next call.
    func again() -> UnsafeRawBufferPointer {
        build(newest, newestTimestamp)
        return UnsafeRawBufferPointer(frame)
    }

    private func put(
        _ one: Held, _ sequence: UInt64, _ emit: (UnsafeRawBufferPointer) throws(FileError) -> Void
    ) throws(FileError) {
        if one.due == sequence { try emitFrame(one, emit) } else { held.append(one) }
    }

    private func release(
        upTo sequence: UInt64, _ emit: (UnsafeRawBufferPointer) throws(FileError) -> Void
    ) throws(FileError) {
        var i = 0
        while i < held.count {
            if held[i].due <= sequence { try emitFrame(held.remove(at: i), emit) } else { i += 1 }
        }
    }

    private func emitFrame(_ one: Held, _ emit: (UnsafeRawBufferPointer) throws(FileError) -> Void) throws(FileError) {
        build(one.sequence, one.timestamp)
        if one.spoil.mask != 0 { frame[one.spoil.at] ^= one.spoil.mask }
        try emit(UnsafeRawBufferPointer(frame))
        counts.sent += 1
        counts.bytes += UInt64(frame.count)
        if one.spoil.mask == 0 {
            expected.whole(one.sequence, bytes: frame.count)
        } else if one.spoil.at < FrameHeader.bytes {
            counts.corruptedHeader += 1
            expected.spoiledHeader(bytes: frame.count, inMagic: one.spoil.at < 8)
        } else {
            counts.corruptedPayload += 1
            expected.spoiledPayload()
        }
    }

    private func spoil(_ random: inout SplitMix64) -> Spoil {
        let isSpoiled = random.chance(options.corrupt)
        let inHeader = random.chance(0.5)
        let place = random.next()
        let mask = UInt8(1 + random.below(255))
        guard isSpoiled else { return Spoil() }
        return Spoil(
            at: inHeader ? Int(place % UInt64(FrameHeader.bytes)) : FrameHeader.bytes + Int(place % UInt64(options.size)), mask: mask)
    }

    /// Rises with the number.
    private func timestamp(_ sequence: UInt64) -> UInt64 {
        guard options.isRealtime else { return start &+ sequence &* 1_000_000 }
        var time = timespec()
        _ = clock_gettime(CLOCK_REALTIME, &time)
        return max(newestTimestamp + 1, UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    private func build(_ sequence: UInt64, _ timestamp: UInt64) {
        let start = frame.baseAddress!
        let payload = start + FrameHeader.bytes
        var random = SplitMix64(sequence)
        payload.copyMemory(from: material + Int(random.below(UInt64(FrameProducer.materialOffsets))), byteCount: options.size)
        var flags: UInt16 = sequence == 0 ? FrameHeader.producerStarted : 0
        if options.chunks > 0 {
            let index = UInt32(sequence % UInt64(options.chunks))
            if index == 0 { flags |= FrameHeader.firstChunk }
            if index == options.chunks - 1 { flags |= FrameHeader.lastChunk }
            ChunkHeader(
                periodic: sequence / UInt64(options.chunks), index: index, count: options.chunks,
                chunkBytes: UInt32(options.size - ChunkHeader.bytes)
            ).store(to: payload)
        }
        FrameHeader(
            stream: UInt8(truncatingIfNeeded: channel), flags: flags, sequence: sequence, timestamp: timestamp,
            payloadBytes: UInt32(options.size)
        ).store(to: start, payload: UnsafeRawPointer(payload), crc)
    }
}
