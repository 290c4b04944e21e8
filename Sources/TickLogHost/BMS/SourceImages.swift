import CPosix
import TickLog

/// The images of all sources, by type and id: of each, the newest value of its 65536 words (spec: PACKETS, 4). A source's
/// image is allocated when it first sends something: 128 KiB each, 128 MiB if all 4 x 256 have sent.
final class SourceImages {
    static var count: Int { 4 * 256 }
    static var imageBytes: Int { 2 * PacketImage.mostWords }

    struct Source {
        /// Nil: it was never heard of.
        var words: UnsafeMutablePointer<UInt16>?
        /// All words outside are 0, so that a FULL need not clear them.
        var low = 65536
        var high = -1
        /// What an image file had was true here.
        var position: UInt64 = 0
        /// Who looks at the changes.
        var watch: Unmanaged<SourceWatch>?
    }

    let sources: UnsafeMutablePointer<Source>
    private let zeros: UnsafeMutablePointer<UInt16>
    /// How many there are.
    let allocated = Published64()
    /// How often something was applied: what was saved since need not be saved again.
    let applied = Published64()

    init() {
        sources = .allocate(capacity: SourceImages.count)
        sources.initialize(repeating: Source(), count: SourceImages.count)
        zeros = .allocate(capacity: PacketImage.mostWords)
        zeros.initialize(repeating: 0, count: PacketImage.mostWords)
    }

    deinit {
        for i in 0..<SourceImages.count {
            free(sources[i].words)
            sources[i].watch?.release()
        }
        sources.deallocate()
        zeros.deallocate()
    }

    @inline(__always)
    static func index(type: UInt8, id: UInt8) -> Int { Int(type & 3) << 8 | Int(id) }

    /// A source's image, zeros if it was never heard of. Only to be looked at.
    func image(_ index: Int) -> PacketImage {
        PacketImage(sources[index].words ?? zeros, count: PacketImage.mostWords)
    }

    /// Makes the source known. Nil: there is no memory.
    func words(_ index: Int) -> UnsafeMutablePointer<UInt16>? {
        if let words = sources[index].words { return words }
        guard let memory = calloc(1, SourceImages.imageBytes) else { return nil }
        let words = memory.bindMemory(to: UInt16.self, capacity: PacketImage.mostWords)
        sources[index].words = words
        allocated.add(1)
        return words
    }

    /// Applies a DIFF's or FULL's words. False: there is no memory for the image.
    @inline(__always)
    func apply(_ index: Int, _ new: PacketWords, clearing: Bool) -> Bool {
        guard let words = words(index) else { return false }
        let source = sources + index
        if source.pointee.watch != nil { return applyWatched(source, words, new, clearing: clearing) }
        if clearing { clear(source, words) }
        var low = source.pointee.low
        var high = source.pointee.high
        var i = 0
        while i < new.count {
            let offset = Int(new.offset(i))
            words[offset] = new.value(i)
            if offset < low { low = offset }
            if offset > high { high = offset }
            i &+= 1
        }
        source.pointee.low = low
        source.pointee.high = high
        return true
    }

    private func clear(_ source: UnsafeMutablePointer<Source>, _ words: UnsafeMutablePointer<UInt16>) {
        if source.pointee.low <= source.pointee.high {
            memset(words + source.pointee.low, 0, 2 * (source.pointee.high - source.pointee.low + 1))
        }
        source.pointee.low = 65536
        source.pointee.high = -1
    }

    /// Marks the words that get another value.
    @inline(never)
    private func applyWatched(
        _ source: UnsafeMutablePointer<Source>, _ words: UnsafeMutablePointer<UInt16>, _ new: PacketWords, clearing: Bool
    ) -> Bool {
        let watch = source.pointee.watch!.takeUnretainedValue()
        if clearing {
            // What is cleared and set again to what it was has not changed.
            guard watch.keep(words, source.pointee.low, source.pointee.high) else { return false }
            let low = source.pointee.low
            let high = source.pointee.high
            clear(source, words)
            for i in 0..<new.count { set(source, words, Int(new.offset(i)), new.value(i)) }
            watch.markChanges(words, low, high)
            for i in 0..<new.count {
                let offset = Int(new.offset(i))
                if offset < low || offset > high, words[offset] != 0 { watch.mark(offset) }
            }
            return true
        }
        for i in 0..<new.count {
            let offset = Int(new.offset(i))
            guard words[offset] != new.value(i) else { continue }
            set(source, words, offset, new.value(i))
            watch.mark(offset)
        }
        return true
    }

    @inline(__always)
    private func set(_ source: UnsafeMutablePointer<Source>, _ words: UnsafeMutablePointer<UInt16>, _ offset: Int, _ value: UInt16) {
        words[offset] = value
        if offset < source.pointee.low { source.pointee.low = offset }
        if offset > source.pointee.high { source.pointee.high = offset }
    }

    // MARK: From files

    /// As if nothing had been sent.
    func forget() {
        for i in 0..<SourceImages.count {
            free(sources[i].words)
            sources[i].words = nil
            sources[i].position = 0
            sources[i].low = 65536
            sources[i].high = -1
        }
        allocated.store(0)
    }

    /// Takes an image that was saved. False: there is no memory.
    func load(_ saved: ImageFile.Source) -> Bool {
        let index = SourceImages.index(type: saved.type, id: saved.id)
        guard let words = words(index) else { return false }
        UnsafeMutableRawPointer(words).copyMemory(from: saved.words.start, byteCount: SourceImages.imageBytes)
        sources[index].low = 0
        sources[index].high = PacketImage.mostWords - 1
        sources[index].position = saved.position.bits
        return true
    }

    /// Applies a log's record; what the saved image knows already is left out.
    func replay(_ record: LogWalk.Record, _ kind: LogFileHeader.Kind, _ path: String) throws(Fault) {
        let index: Int
        let words: PacketWords
        var clearing = false
        switch kind {
        case .dataPackets:
            let packet: DataPacket
            do throws(FormatError) { packet = try DataPacket(body: record.payload) } catch {
                throw Fault(.damaged, path, at: Int(record.position.offset), "found a record that holds no DataPacket")
            }
            guard packet.command <= DataPacket.Command.full.rawValue, packet.knownType != nil else { return }
            index = SourceImages.index(type: packet.type, id: packet.source)
            clearing = packet.command == DataPacket.Command.full.rawValue
            words = packet.words
        case .legacyPackets:
            guard let step = try? LegacyPacket.step(record.payload), case .packet(let packet, let bytes) = step, bytes == record.payload.count
            else { throw Fault(.damaged, path, at: Int(record.position.offset), "found a record that holds no legacy packet") }
            guard packet.rack >= 0, packet.rack <= 255 else { return }
            index = SourceImages.index(type: DataPacket.SourceType.rack.rawValue, id: UInt8(packet.rack))
            words = packet.words
        }
        if record.position.bits < sources[index].position { return }
        guard apply(index, words, clearing: clearing) else {
            throw Fault(FileError("memory", "keep an image of \(SourceImages.imageBytes) bytes", ENOMEM))
        }
    }
}
