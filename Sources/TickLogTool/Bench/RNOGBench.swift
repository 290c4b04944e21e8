import CPosix
import TickLog
import TickLogHost

extension Bench {
    /// Adler-32, packets as the structures that they become, and the index of a large file.
    func rnog(directory: String) throws(Failure) {
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { bytes.deallocate() }
        for i in 0..<1 << 17 { bytes.storeBytes(of: UInt64(i) &* 0x9E37_79B9_7F4A_7C15, toByteOffset: 8 * i, as: UInt64.self) }
        for size in [136, 5000, 98343, 1 << 20] {
            var rates: [Double] = []
            for _ in 0..<runs {
                let rounds = 2_000_000_000 / size
                var sum: UInt32 = 1
                let start = monotonicNs()
                for _ in 0..<rounds { sum = Adler32.of(bytes, size, after: sum) }
                let elapsed = Double(monotonicNs() - start)
                // The sum is used: nothing may be left out.
                rates.append(Double(rounds * size) / elapsed + (sum == 1 ? 1e-9 : 0))
            }
            result("rnog", "adler32 \(size) bytes", [("gb_s", Bench.median(rates))])
        }
        for kind in RNOGKind.all { decode(kind, bytes) }
        do throws(Fault) { try index(directory, bytes) } catch { throw Failure(error) }
    }

    /// Packets from memory that does not fit into the caches, verified and loaded.
    private func decode(_ kind: RNOGKind, _ random: UnsafeRawPointer) {
        let packet = RNOGBench.packet(kind, random)
        let count = (64 << 20) / packet.count
        let file = UnsafeMutableRawPointer.allocate(byteCount: count * packet.count, alignment: 64)
        let record = UnsafeMutableRawPointer.allocate(byteCount: kind.structureBytes, alignment: 64)
        defer {
            file.deallocate()
            record.deallocate()
        }
        for i in 0..<count { packet.withUnsafeBytes { (file + i * packet.count).copyMemory(from: $0.baseAddress!, byteCount: $0.count) } }
        var rates: [Double] = []
        var packets: [Double] = []
        for _ in 0..<runs {
            var at = 0
            var read = 0
            let start = monotonicNs()
            while at < count * packet.count {
                guard case .record(let found) = RNOGKinds().step(FileBytes(start: file + at, count: count * packet.count - at)),
                    kind.load(version: found.version, found.payload, into: record)
                else { break }
                at += found.bytes
                read += 1
            }
            let elapsed = Double(monotonicNs() - start)
            rates.append(Double(at) / elapsed)
            packets.append(Double(read) / elapsed * 1e9)
        }
        result("rnog", "decode " + staticText(kind.name), [("gb_s", Bench.median(rates)), ("packets_s", Bench.median(packets))])
    }

    private func index(_ directory: String, _ random: UnsafeRawPointer) throws(Fault) {
        let path = directory.file("ticklog-bench-\(getpid()).dat")
        defer {
            removeFile(path)
            removeFile(RNOGIndex.path(of: path))
        }
        let packets = (1 << 30) / 98351
        do throws(FileError) { try RNOGBench.write(path, packets, random) } catch { throw Fault(error) }
        let file: RNOGFile
        do { file = try RNOGFile(path) } catch { throw Fault(error) }
        var isNew = false
        let start = monotonicNs()
        _ = try RNOGIndex(file, isNew: &isNew)
        let made = Double(monotonicNs() - start) / 1e9
        var opened: [Double] = [], byNumber: [Double] = [], byEvent: [Double] = []
        for _ in 0..<runs {
            var start = monotonicNs()
            let index = try RNOGIndex(file, isNew: &isNew)
            opened.append(Double(monotonicNs() - start) / 1000)
            var place: UInt64 = 7
            func next() -> UInt64 {
                place = place &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return (place >> 33) % UInt64(packets)
            }
            var found = 0
            start = monotonicNs()
            for _ in 0..<1000 { if index.packet(Int(next())) != nil { found += 1 } }
            byNumber.append(Double(monotonicNs() - start) / 1e6)
            start = monotonicNs()
            for _ in 0..<1000 {
                for number in index.packets(ofEvent: UInt32(next())) where index.packet(number) != nil { found += 1 }
            }
            byEvent.append(Double(monotonicNs() - start) / 1e6)
            guard found == 2000, !isNew else { throw Fault(.damaged, path, at: nil, "found \(found) of 2000 packets, expected all") }
        }
        result(
            "rnog", "index of 1 GiB",
            [
                ("made_s", made), ("open_us", Bench.median(opened)), ("packet_us", Bench.median(byNumber)),
                ("event_us", Bench.median(byEvent)),
            ])
    }
}

private enum RNOGBench {
    /// A packet of random samples, as large as they come.
    static func packet(_ kind: RNOGKind, _ random: UnsafeRawPointer) -> [UInt8] {
        let record = UnsafeMutableRawPointer.allocate(byteCount: kind.structureBytes, alignment: 64)
        defer { record.deallocate() }
        record.copyMemory(from: random, byteCount: kind.structureBytes)
        if kind == .waveform {
            record.storeBytes(of: 2048, toByteOffset: 8, as: UInt16.self)
            record.storeBytes(of: 512, toByteOffset: 10, as: UInt16.self)
        }
        return [UInt8](unsafeUninitializedCapacity: RNOGKinds.maxBytes) { buffer, count in
            count = kind.write(record, to: buffer.baseAddress!) ?? 0
        }
    }

    /// Waveforms with events from 0 up.
    static func write(_ path: String, _ packets: Int, _ random: UnsafeRawPointer) throws(FileError) {
        let made = try NewFile(path, replacing: true)
        let output = Output(descriptor: made.descriptor, path: path)
        let record = UnsafeMutableRawPointer.allocate(byteCount: RNOGKind.waveform.structureBytes, alignment: 64)
        let packet = UnsafeMutableRawBufferPointer.allocate(byteCount: RNOGKinds.maxBytes, alignment: 64)
        defer {
            record.deallocate()
            packet.deallocate()
        }
        record.copyMemory(from: random, byteCount: RNOGKind.waveform.structureBytes)
        record.storeBytes(of: 2048, toByteOffset: 8, as: UInt16.self)
        record.storeBytes(of: 2, toByteOffset: 10, as: UInt16.self)
        for event in 0..<packets {
            record.storeBytes(of: UInt32(event), toByteOffset: 0, as: UInt32.self)
            let count = RNOGKind.waveform.write(record, to: packet.baseAddress!) ?? 0
            output.bytes(UnsafeRawBufferPointer(rebasing: packet[..<count]))
        }
        try output.flush()
        try made.commit()
    }
}
