import Foundation
import Testing
@testable import TickLog
@testable import TickLogHost

/// Images of sources, in memory and in files.
@Suite struct ImagesTests {
    let directory: String
    var path: String { directory + "/image.bin" }

    init() throws { directory = try temporaryDirectory() }

    func apply(_ images: SourceImages, _ index: Int, _ words: [(UInt16, UInt16)], full: Bool) {
        let control = words.map { $0.0 }
        let data = words.map { $0.1 }
        control.withUnsafeBytes { control in
            data.withUnsafeBytes { data in
                let all = words.isEmpty
                    ? PacketWords() : PacketWords(control: control.baseAddress!, data: data.baseAddress!, count: words.count)
                #expect(images.apply(index, all, clearing: full))
            }
        }
    }

    func words(_ images: SourceImages, _ index: Int) -> [UInt16] {
        Array(UnsafeBufferPointer(start: images.image(index).words, count: 65536))
    }

    @Test func `DIFF and FULL make the image that the packets say, watched or not, and every change is found`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed)
        let images = SourceImages()
        let watched = SourceWatch()!
        images.sources[0x205].watch = Unmanaged.passRetained(watched)
        var model = [Int: [UInt16]]()
        var seen = [UInt16](repeating: 0, count: 65536)
        var seenAt: UInt64 = 0
        for _ in 0..<400 {
            let index = [0x205, 0x205, 0x206, 0x3FF][Int(random.next() % 4)]
            let full = random.next() % 5 == 0
            let span = [4, 1000, 65536][Int(random.next() % 3)]
            let count = Int([0, 1, 30, 300][Int(random.next() % 4)])
            let new = (0..<count).map { _ in (UInt16(Int(random.next() >> 8) % span), UInt16(truncatingIfNeeded: random.next() % 3)) }
            var image = full ? [UInt16](repeating: 0, count: 65536) : model[index] ?? [UInt16](repeating: 0, count: 65536)
            for (offset, value) in new { image[Int(offset)] = value }
            apply(images, index, new, full: full)
            model[index] = image
            guard random.next() % 3 == 0 else { continue }
            // As a subscriber does.
            let now = watched.now
            watched.now += 1
            var changed: [Int] = []
            var next = 0
            while let offset = watched.changed(from: next, through: 65535, after: seenAt) {
                changed.append(offset)
                next = offset + 1
            }
            seenAt = now
            let current = words(images, 0x205)
            for offset in changed { seen[offset] = current[offset] }
            #expect(seen == current, "seed \(seed)")
        }
        for (index, image) in model { #expect(words(images, index) == image, "seed \(seed), source \(index)") }
        #expect(images.allocated.load() == UInt64(model.count))
        #expect(words(images, 0) == [UInt16](repeating: 0, count: 65536))
    }

    func file() throws -> [UInt8] {
        let writer = try ImageFileWriter(path, count: 2)
        let one = (0..<65536).map { UInt16($0) }
        let two = [UInt16](repeating: 7, count: 65536)
        try one.withUnsafeBytes { try writer.add(type: 2, id: 9, position: LogPosition(number: 3, offset: 48), words: $0.baseAddress!) }
        try two.withUnsafeBytes { try writer.add(type: 0, id: 255, position: LogPosition(number: 2, offset: 96), words: $0.baseAddress!) }
        #expect(kind(of: path) == .missing && kind(of: path + ".tmp") == .file)
        try writer.commit()
        #expect(kind(of: path + ".tmp") == .missing)
        return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    @Test func `an image file is read as it was written`() throws {
        let bytes = try file()
        #expect(bytes.count == 20 + 2 * 131088 && Array(bytes[..<8]) == Array("TLBMSIMG".utf8))
        let file = try ImageFile(path)
        #expect(file.sources.map { [$0.type, $0.id] } == [[2, 9], [0, 255]])
        #expect(file.leastPosition == LogPosition(number: 2, offset: 96) && file.mostPosition == LogPosition(number: 3, offset: 48))
        let images = SourceImages()
        for source in file.sources { #expect(images.load(source)) }
        #expect(words(images, 0x209)[40000] == 40000 && words(images, 0x0FF)[1] == 7)
    }

    @Test func `one that is given up leaves nothing, and what was there stays`() throws {
        let bytes = try file()
        let writer = try ImageFileWriter(path, count: 1)
        writer.discard()
        #expect(try names(in: directory) == ["image.bin"])
        #expect(Array(try Data(contentsOf: URL(fileURLWithPath: path))) == bytes)
    }

    @Test func `a cut, a flipped bit, a source twice: none is read`() throws {
        let bytes = try file()
        func refuses(_ bad: [UInt8]) throws {
            try Data(bad).write(to: URL(fileURLWithPath: path))
            #expect(throws: Fault.self) { _ = try ImageFile(path) }
        }
        for count in [0, 1, 15, 16, 19, 20, 31, 32, 131104, bytes.count - 4, bytes.count - 1] { try refuses(Array(bytes[..<count])) }
        try refuses(bytes + [0])
        for byte in Array(0..<40) + [131104, 131105, bytes.count - 1, bytes.count - 4, 70000] {
            for bit in 0..<8 {
                var bad = bytes
                bad[byte] ^= 1 << UInt8(bit)
                try refuses(bad)
            }
        }
        // With a checksum that is right.
        var twice = bytes
        twice[16 + 131088] = 2
        twice[17 + 131088] = 9
        var huge = bytes
        huge[14] = 1
        var type = bytes
        type[16] = 4
        for bad in [twice, huge, type] {
            var bad = bad
            let end = bad.count - 4
            let sum = bad.withUnsafeBytes { CRC32C().of($0.baseAddress!, end) }
            for i in 0..<4 { bad[end + i] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * i)) }
            try refuses(bad)
        }
    }

    @Test func `the pairs of a SUBSCRIBE are put in order and joined`() {
        func ranges(_ pairs: [UInt16]) -> [[Int]]? {
            pairs.withUnsafeBytes {
                Subscription.ranges(PacketWords(control: $0.baseAddress!, data: $0.baseAddress!, count: pairs.count))?.map { [$0.first, $0.last] }
            }
        }
        #expect(ranges([5, 9]) == [[5, 9]])
        #expect(ranges([50, 60, 0, 0, 1, 4, 55, 70, 72, 72]) == [[0, 4], [50, 70], [72, 72]])
        #expect(ranges([0, 65535, 3, 4]) == [[0, 65535]])
        #expect(ranges([9, 5]) == nil)
    }

    @Test func `bytes that wait come out as they went in`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed)
        var queue = ByteQueue()
        var model: [UInt8] = []
        for _ in 0..<2000 {
            if random.next() % 2 == 0 {
                let more = (0..<Int(random.next() % 3000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                #expect(more.withUnsafeBytes { queue.add($0.baseAddress ?? UnsafeRawPointer(bitPattern: 8)!, $0.count) })
                model += more
            } else {
                let taken = Int(random.next() % UInt64(model.count + 1))
                queue.remove(taken)
                model.removeFirst(taken)
            }
            #expect(queue.count == model.count && Array(UnsafeRawBufferPointer(start: queue.start, count: queue.count)) == model, "seed \(seed)")
        }
    }
}
