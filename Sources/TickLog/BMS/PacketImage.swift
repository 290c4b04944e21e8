/// The newest value of each word of a source, in the caller's memory (spec: PACKETS, 4).
///
/// It has 65536 words, or fewer where memory is short. Values are in host order, which is little-endian.
public struct PacketImage {
    public static let mostWords = PacketWords.most

    public let words: UnsafeMutablePointer<UInt16>
    public let count: Int

    /// A view on 1 to 65536 words.
    public init(_ words: UnsafeMutablePointer<UInt16>, count: Int) {
        precondition(count > 0 && count <= PacketImage.mostWords)
        self.words = words
        self.count = count
    }

    @inline(__always)
    public subscript(offset: UInt16) -> UInt16 {
        precondition(Int(offset) < count)
        return words[Int(offset)]
    }

    /// Takes a DIFF; or a FULL, for which all words become 0 first. Of words that the packet has twice the last wins.
    /// - Returns: false, and nothing has changed, if it is another packet or has an offset that is not in the image.
    @inline(__always)
    public func apply(_ packet: DataPacket) -> Bool {
        guard packet.command <= DataPacket.Command.full.rawValue else { return false }
        return apply(packet.words, clearing: packet.command == DataPacket.Command.full.rawValue)
    }

    /// Takes words.
    /// - Parameter clearing: all others become 0.
    /// - Returns: false, and nothing has changed, if an offset is not in the image.
    @inline(__always)
    public func apply(_ new: PacketWords, clearing: Bool = false) -> Bool {
        guard holds(new) else { return false }
        if clearing { UnsafeMutableRawPointer(words).zero(2 &* count) }
        var i = 0
        while i < new.count {
            words[Int(new.offset(i))] = new.value(i)
            i &+= 1
        }
        return true
    }

    /// Whether all offsets are in the image.
    @inline(__always)
    public func holds(_ new: PacketWords) -> Bool {
        if count == PacketImage.mostWords { return true }
        var i = 0
        while i < new.count {
            if Int(new.offset(i)) >= count { return false }
            i &+= 1
        }
        return true
    }

    /// Stores the values of `offsets`' control, one u16 each, at `out`: what answers a QUERY. Its data is not looked at.
    /// - Returns: false, and nothing is stored, if an offset is not in the image.
    public func copy(_ offsets: PacketWords, to out: UnsafeMutableRawPointer) -> Bool {
        guard holds(offsets) else { return false }
        var i = 0
        while i < offsets.count {
            out.store(words[Int(offsets.offset(i))], at: 2 &* i)
            i &+= 1
        }
        return true
    }

    /// Lists the words that differ in `new`, which has as many words, from offset `from` on.
    /// - Parameters:
    ///   - control: Room for `most` offsets, `data` for as many values, aligned to nothing.
    /// - Returns: How many were listed, and the offset to go on from; `count` when all were looked at.
    public func differences(
        _ new: UnsafePointer<UInt16>, from: Int, most: Int, control: UnsafeMutableRawPointer, data: UnsafeMutableRawPointer
    ) -> (listed: Int, next: Int) {
        var listed = 0
        var i = from
        while i < count {
            if words[i] != new[i] {
                if listed == most { break }
                control.store(UInt16(truncatingIfNeeded: i), at: 2 &* listed)
                data.store(new[i], at: 2 &* listed)
                listed &+= 1
            }
            i &+= 1
        }
        return (listed, i)
    }

    /// Lists those of `new` that differ from the image; `control` and `data` have room for all, and may be where they lie.
    /// - Returns: How many; nil, and nothing is listed, if an offset is not in the image.
    public func changes(
        _ new: PacketWords, control: UnsafeMutableRawPointer, data: UnsafeMutableRawPointer
    ) -> Int? {
        guard holds(new) else { return nil }
        var listed = 0
        var i = 0
        while i < new.count {
            let offset = new.offset(i)
            let value = new.value(i)
            if words[Int(offset)] != value {
                control.store(offset, at: 2 &* listed)
                data.store(value, at: 2 &* listed)
                listed &+= 1
            }
            i &+= 1
        }
        return listed
    }
}
