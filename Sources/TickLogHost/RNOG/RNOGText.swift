import TickLog

extension Output {
    /// A packet as one line of JSON: its type, version, offset and fields; with `samples` also its waveforms or pedestals,
    /// otherwise their Adler-32 and ends. `fields` are the kind's, `record` is its structure.
    public func rnog(_ packet: RNOGPacket, _ fields: [RNOGField], _ record: UnsafeRawPointer, samples: Bool) {
        var writer = JSONWriter(self)
        writer.begin("{")
        writer.field("type", staticText(packet.kind.name))
        writer.field("version", Int(packet.version))
        writer.field("offset", packet.offset)
        writer.key("fields")
        writer.begin("{")
        var object: StaticString = ""
        for field in fields {
            if !isSame(field.object, object) {
                if object.utf8CodeUnitCount > 0 { writer.end("}") }
                object = field.object
                if object.utf8CodeUnitCount > 0 {
                    writer.key(staticText(object))
                    writer.begin("{")
                }
            }
            writer.key(staticText(field.name))
            writer.rnog(field, record)
        }
        if object.utf8CodeUnitCount > 0 { writer.end("}") }
        switch packet.kind {
        case .header, .daqStatus: break
        case .waveform:
            let radiant = RNOGSamples.radiant(record)
            let lt = RNOGSamples.lt(record)
            if samples {
                writer.rnog("radiant", radiant, radiant.samples)
                writer.rnog("lt", lt, lt.samples)
            } else {
                writer.field("radiant_adler32_after_read", UInt64(radiant.checksum))
                writer.field("lt_adler32_after_read", UInt64(lt.checksum))
                writer.rnog("radiant_first8", radiant, 8)
                writer.rnog("radiant_last2", radiant, 2, fromEnd: true)
                writer.rnog("lt_first4", lt, 4)
            }
        case .pedestal:
            let pedestals = RNOGSamples.pedestals(record)
            if samples {
                writer.rnog("pedestals", pedestals, pedestals.samples)
            } else {
                writer.field("pedestals_adler32", UInt64(pedestals.checksum))
                writer.rnog("pedestals_first4", pedestals, 4)
            }
        }
        writer.end("}")
        writer.end("}")
        byte(0x0A)
    }
}

private func isSame(_ a: StaticString, _ b: StaticString) -> Bool {
    guard a.utf8CodeUnitCount == b.utf8CodeUnitCount else { return false }
    for i in 0..<a.utf8CodeUnitCount where a.utf8Start[i] != b.utf8Start[i] { return false }
    return true
}

extension JSONWriter {
    fileprivate mutating func rnog(_ field: RNOGField, _ record: UnsafeRawPointer) {
        if field.isQuoted { return string("\(field.bits(of: record))") }
        guard field.count > 1 else { return value(field.bits(of: record), field.type) }
        begin("[")
        for i in 0..<field.count {
            if field.inner > 1, i % field.inner == 0 { begin("[") }
            value(field.bits(of: record, i), field.type)
            if field.inner > 1, i % field.inner == field.inner - 1 { end("]") }
        }
        end("]")
    }

    /// So many samples of each channel.
    fileprivate mutating func rnog(_ name: String, _ samples: RNOGSamples, _ most: Int, fromEnd: Bool = false) {
        key(name)
        begin("[")
        let count = min(most, samples.samples)
        let start = fromEnd ? samples.samples - count : 0
        for channel in 0..<samples.channels {
            begin("[")
            for i in start..<start + count { value(samples.bits(channel, i), samples.type) }
            end("]")
        }
        end("]")
    }
}

/// The samples in a structure, those that there are.
struct RNOGSamples {
    let type: ValueType
    let channels: Int
    let samples: Int
    private let start: UnsafeRawPointer
    /// Bytes from one channel to the next.
    private let stride: Int

    private init(_ type: ValueType, _ channels: Int, _ samples: Int, _ start: UnsafeRawPointer, _ stride: Int) {
        self.type = type
        self.channels = channels
        self.samples = samples
        self.start = start
        self.stride = stride
    }

    static func radiant(_ waveform: UnsafeRawPointer) -> RNOGSamples {
        RNOGSamples(
            .i16, RNOGWaveform.channels, Int(waveform.loadUnaligned(fromByteOffset: 8, as: UInt16.self)),
            waveform + RNOGWaveform.samplesOffset, 2 * RNOGWaveform.mostSamples)
    }

    static func lt(_ waveform: UnsafeRawPointer) -> RNOGSamples {
        RNOGSamples(
            .u8, RNOGWaveform.ltChannels, Int(waveform.loadUnaligned(fromByteOffset: 10, as: UInt16.self)),
            waveform + RNOGWaveform.ltOffset, RNOGWaveform.mostLTSamples)
    }

    static func pedestals(_ pedestal: UnsafeRawPointer) -> RNOGSamples {
        RNOGSamples(.u16, RNOGWaveform.channels, RNOGPedestal.samples, pedestal + RNOGPedestal.samplesOffset, 2 * RNOGPedestal.samples)
    }

    /// Adler-32 of all, channel by channel.
    var checksum: UInt32 {
        var sum = Adler32.start
        for channel in 0..<channels { sum = Adler32.of(start + channel * stride, samples * type.size, after: sum) }
        return sum
    }

    @inline(__always)
    func bits(_ channel: Int, _ index: Int) -> UInt64 {
        let at = channel * stride + index * type.size
        if type == .u8 { return UInt64(start.load(fromByteOffset: at, as: UInt8.self)) }
        return UInt64(start.loadUnaligned(fromByteOffset: at, as: UInt16.self))
    }
}
