/// A stretch of a delta row's header, at most 56 bits of whole codes (spec: BCSV.md, section 7.3).
struct DeltaChunk {
    /// In the header.
    var bit: Int
    var count: Int
    /// The lowest bit of each code, of those of three and four bits, and of those of four.
    var low: UInt64
    var low3: UInt64
    var low4: UInt64
    /// The same of those that have another limit: columns of one byte, which have no code 3.
    var low1: UInt64

    /// Bits that only codes have which do not exist: 3 of one byte, 6 and 7 of three bits, 10 and above of four.
    @inline(__always)
    func wrong(_ codes: UInt64) -> UInt64 {
        let (second, third) = (codes &>> 1, codes &>> 2)
        return (codes & second & low1) | (second & third & low3 & ~low4) | (codes &>> 3 & (second | third) & low4)
    }

    /// The lowest bit of every code that is not 0.
    @inline(__always)
    func changed(_ codes: UInt64) -> UInt64 {
        ((codes | codes &>> 1) & low) | (codes &>> 2 & low3) | (codes &>> 3 & low4)
    }
}

/// Where the codes of a delta row with few columns of each type are, so that only those that are not 0 need a look.
struct DeltaFlags {
    let chunks: Table<DeltaChunk>
    /// By bit of the header, at the lowest bit of a code: the scalar's place, and its kind above 24 bits.
    let scalars: Table<UInt32>

    static let float: UInt32 = 16

    /// How many chunks there are at most.
    static func chunkLimit(bits: Int) -> Int { bits / 53 + 1 }

    /// Fills the tables for these groups, whose codes begin at bit `first`. `chunks` and `scalars` have room.
    init(_ groups: Table<ScalarGroup>, from first: Int, chunks: Table<DeltaChunk>, scalars: Table<UInt32>) {
        var bit = first
        var count = 0
        var chunk = DeltaChunk(bit: first, count: 0, low: 0, low3: 0, low4: 0, low1: 0)
        for g in 0..<groups.count {
            let type = groups[g].type
            let width = type.deltaCodeBits
            for i in 0..<groups[g].count {
                if chunk.count + width > 56 {
                    (chunks.base + count).initialize(to: chunk)
                    count += 1
                    chunk = DeltaChunk(bit: bit, count: 0, low: 0, low3: 0, low4: 0, low1: 0)
                }
                let lowest: UInt64 = 1 << UInt64(chunk.count)
                chunk.low |= lowest
                if type.size == 1 { chunk.low1 |= lowest }
                if width > 2 { chunk.low3 |= lowest }
                if width > 3 { chunk.low4 |= lowest }
                let kind = UInt32(type.size) | (type == .f32 || type == .f64 ? DeltaFlags.float : 0)
                scalars[bit] = UInt32(groups[g].offset + i * type.size) | kind << 24
                chunk.count += width
                bit += width
            }
        }
        if chunk.count > 0 {
            (chunks.base + count).initialize(to: chunk)
            count += 1
        }
        self.chunks = Table(UnsafeMutableRawPointer(chunks.base), count)
        self.scalars = scalars
    }
}
