import CTickLog

// ticklog.h, section "Reading DLF files".

/// A reader of DLF in the caller's memory.
public struct DLFObject {
    fileprivate static let alive: UInt32 = 0x4C44_4B54  // "TKDL"
    fileprivate var magic: UInt32 = 0
    fileprivate var reader: DLFReader
    /// Why a call answered DAMAGED.
    fileprivate var fault: FormatError?
    /// The last call that told samples came to their end, and a torn tail is what there is to tell.
    fileprivate var hasEnded = false
    /// What `ticklog_dlf_open_path` took, for `ticklog_dlf_close`.
    public var owner: UnsafeMutableRawPointer?

    public typealias Pointer = UnsafeMutablePointer<DLFObject>

    @inline(never)
    public static func from(_ handle: OpaquePointer?) -> Pointer? { here(handle) }

    @inline(__always)
    fileprivate static func here(_ handle: OpaquePointer?) -> Pointer? {
        guard let handle, UInt(bitPattern: handle) % 8 == 0 else { return nil }
        let object = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: DLFObject.self)
        return object.pointee.magic == alive ? object : nil
    }

    public mutating func kill() { magic = 0 }

    fileprivate static func check(_ c: ticklog_dlf_config) -> ticklog_status {
        guard let source = c.source else { return TICKLOG_NULL }
        guard c.window_bytes == 0 || c.window_bytes >= 512 && c.window_bytes <= 1 << 30 else { return TICKLOG_BAD_ARGUMENT }
        return sourceStatus(source)
    }

    /// Reads the header through a small window on the stack.
    fileprivate static func plan(_ config: UnsafePointer<ticklog_dlf_config>) throws(FormatError) -> DLFReader.Plan {
        let source = config.pointee.source!
        let wanted = Int(config.pointee.window_bytes)
        let from = MemoryLayout<DLFObject>.stride
        if let mapped = source.pointee.mapped {
            let window = SourceWindow(FileBytes(start: mapped, count: Int(source.pointee.bytes)))
            return try DLFReader.Plan(window, windowBytes: wanted, isMapped: true, from: from)
        }
        var buffer = InlineArray<32, UInt64>(repeating: 0)
        return try withUnsafeMutableBytes(of: &buffer) { (bytes) throws(FormatError) in
            let window = SourceWindow(source, bytes.baseAddress!, capacity: bytes.count)
            return try DLFReader.Plan(window, windowBytes: wanted, isMapped: false, from: from)
        }
    }

    fileprivate static func make(
        _ config: UnsafePointer<ticklog_dlf_config>, _ plan: DLFReader.Plan, _ memory: UnsafeMutableRawPointer
    ) throws(FormatError) -> Pointer {
        let source = config.pointee.source!
        var reader: DLFReader
        if let mapped = source.pointee.mapped {
            let window = SourceWindow(FileBytes(start: mapped, count: Int(source.pointee.bytes)))
            reader = try DLFReader(window, plan, memory: memory)
        } else {
            reader = try DLFReader(
                SourceWindow(source, memory + plan.header, capacity: plan.headerBytes), plan, memory: memory)
            reader.use(SourceWindow(source, memory + plan.window, capacity: plan.windowBytes))
        }
        let object = memory.bindMemory(to: DLFObject.self, capacity: 1)
        object.initialize(to: DLFObject(magic: alive, reader: reader))
        return object
    }

    @inline(never)
    fileprivate mutating func failed(_ error: FormatError) -> ticklog_status {
        if error.kind != .source {
            fault = error
            hasEnded = false
        }
        return ReaderObject.status(error)
    }

    /// Nothing is left. Whether a part of a sample stands there is found out only if it is asked for.
    @inline(__always)
    fileprivate mutating func ended() -> ticklog_status {
        hasEnded = true
        return TICKLOG_END
    }
}

/// What is wrong with a source, if anything.
func sourceStatus(_ source: UnsafePointer<ticklog_source>) -> ticklog_status {
    guard let s = source.taken() else { return TICKLOG_BAD_SIZE }
    guard s.reserved == 0, s.mapped != nil || s.read != nil else { return TICKLOG_BAD_ARGUMENT }
    return s.bytes <= UInt64(Int.max) ? TICKLOG_OK : TICKLOG_TOO_LARGE
}

private func text(_ bytes: FileBytes) -> ticklog_text {
    ticklog_text(bytes: bytes.start.assumingMemoryBound(to: CChar.self), count: bytes.count)
}

extension PolledWalk {
    /// The current sample.
    @inline(__always)
    fileprivate func store(
        _ out: UnsafeMutablePointer<ticklog_dlf_sample>, _ data: UnsafeRawPointer, _ dataOffset: Int
    ) {
        let at = Int(truncatingIfNeeded: offset)
        out.pointee.stream = UInt32(truncatingIfNeeded: stream)
        out.pointee.count = UInt32(truncatingIfNeeded: size)
        out.pointee.tick = tick
        out.pointee.offset = UInt64(truncatingIfNeeded: dataOffset &+ at)
        out.pointee.bytes = data + at
    }
}

@inline(__always)
private func store(_ sample: DLFSample, _ out: UnsafeMutablePointer<ticklog_dlf_sample>) {
    out.pointee = ticklog_dlf_sample(
        stream: UInt32(truncatingIfNeeded: sample.stream), count: UInt32(truncatingIfNeeded: sample.bytes.count),
        tick: sample.tick, offset: UInt64(truncatingIfNeeded: sample.offset), bytes: sample.bytes.start)
}

@c @implementation
public func ticklog_dlf_size(
    _ config: UnsafePointer<ticklog_dlf_config>!, _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    guard let config, let bytes else { return TICKLOG_NULL }
    guard var own = config.taken() else { return TICKLOG_BAD_SIZE }
    let status = DLFObject.check(own)
    guard status == TICKLOG_OK else { return status }
    do throws(FormatError) {
        bytes.pointee = try DLFObject.plan(&own).bytes
        return TICKLOG_OK
    } catch { return ReaderObject.status(error) }
}

@c @implementation
public func ticklog_dlf_open(
    _ config: UnsafePointer<ticklog_dlf_config>!, _ memory: UnsafeMutableRawPointer!, _ bytes: Int,
    _ dlf: UnsafeMutablePointer<OpaquePointer?>!
) -> ticklog_status {
    guard let config, let memory, let dlf else { return TICKLOG_NULL }
    guard var own = config.taken() else { return TICKLOG_BAD_SIZE }
    let status = DLFObject.check(own)
    guard status == TICKLOG_OK else { return status }
    guard UInt(bitPattern: memory) % 8 == 0 else { return TICKLOG_MISALIGNED }
    do throws(FormatError) {
        let plan = try DLFObject.plan(&own)
        guard bytes >= plan.bytes else { return TICKLOG_NO_MEMORY }
        dlf.pointee = OpaquePointer(try DLFObject.make(&own, plan, memory))
        return TICKLOG_OK
    } catch { return ReaderObject.status(error) }
}

@c @implementation
public func ticklog_dlf_get_header(
    _ dlf: OpaquePointer!, _ header: UnsafeMutablePointer<ticklog_dlf_header>!
) -> ticklog_status {
    guard dlf != nil, let header else { return TICKLOG_NULL }
    guard let dlf = DLFObject.from(dlf) else { return TICKLOG_BAD_HANDLE }
    guard header.hasKnownSize else { return TICKLOG_BAD_SIZE }
    header.fill(
        ticklog_dlf_header(
            size: 0, streams: UInt32(dlf.pointee.reader.parts.count), tick_span: dlf.pointee.reader.tickSpan,
            data_offset: UInt64(dlf.pointee.reader.dataOffset), data_bytes: UInt64(dlf.pointee.reader.length),
            is_events: dlf.pointee.reader.isEvents ? 1 : 0, reserved: 0))
    return TICKLOG_OK
}

@c @implementation
public func ticklog_dlf_get_stream(
    _ dlf: OpaquePointer!, _ index: UInt32, _ stream: UnsafeMutablePointer<ticklog_dlf_stream>!
) -> ticklog_status {
    guard dlf != nil, let stream else { return TICKLOG_NULL }
    guard let dlf = DLFObject.from(dlf) else { return TICKLOG_BAD_HANDLE }
    guard stream.hasKnownSize else { return TICKLOG_BAD_SIZE }
    guard index < dlf.pointee.reader.parts.count else { return TICKLOG_NOT_FOUND }
    let part = dlf.pointee.reader.parts[Int(index)]
    var type = TICKLOG_OPAQUE
    var members = 0
    // Opening has read it, and found nothing that contradicts the header.
    if let string = try? TypeString(part.type, size: part.size, fileOffset: 0) {
        switch string.kind {
        case .primitive(let primitive): (type, members) = (UInt32(primitive.rawValue), 1)
        case .structure: (type, members) = (TICKLOG_STRUCTURE, string.memberCount)
        case .opaque: break
        }
    }
    stream.fill(
        ticklog_dlf_stream(
            size: 0, type: type, name: text(part.name), notes: text(part.notes), type_text: text(part.type),
            sample_bytes: UInt32(part.size), members: UInt32(truncatingIfNeeded: members), interval: part.interval,
            phase: part.phase))
    return TICKLOG_OK
}

@c @implementation
public func ticklog_dlf_find_stream(
    _ dlf: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ index: UnsafeMutablePointer<UInt32>!
) -> ticklog_status {
    guard dlf != nil, let name, let index else { return TICKLOG_NULL }
    guard let dlf = DLFObject.from(dlf) else { return TICKLOG_BAD_HANDLE }
    for i in 0..<dlf.pointee.reader.parts.count {
        let bytes = dlf.pointee.reader.parts[i].name
        // A name in the file has no NUL.
        if name.length(bytes.count + 1) == bytes.count, bytes.start.equals(name, bytes.count) {
            index.pointee = UInt32(i)
            return TICKLOG_OK
        }
    }
    return TICKLOG_NOT_FOUND
}

@c @implementation
public func ticklog_dlf_get_member(
    _ typeText: ticklog_text, _ sampleBytes: UInt32, _ index: UInt32, _ member: UnsafeMutablePointer<ticklog_dlf_member>!
) -> ticklog_status {
    guard let member, typeText.bytes != nil || typeText.count == 0 else { return TICKLOG_NULL }
    guard typeText.count >= 0, let size = Int(exactly: sampleBytes) else { return TICKLOG_DAMAGED }
    let bytes = FileBytes(UnsafeRawBufferPointer(start: typeText.bytes, count: typeText.count))
    do throws(FormatError) {
        var string = try TypeString(bytes, size: size, fileOffset: 0)
        if string.oddity != nil { return TICKLOG_DAMAGED }
        switch string.kind {
        case .opaque: return TICKLOG_NOT_FOUND
        case .primitive(let type):
            guard index == 0 else { return TICKLOG_NOT_FOUND }
            member.pointee = ticklog_dlf_member(
                name: text(bytes.slice(at: 0, count: 0)), type: UInt32(type.rawValue), offset: 0)
        case .structure:
            guard index < string.memberCount else { return TICKLOG_NOT_FOUND }
            var i: UInt32 = 0
            while let found = try string.nextMember() {
                if i == index {
                    member.pointee = ticklog_dlf_member(
                        name: text(found.name), type: UInt32(found.type.rawValue), offset: UInt32(found.offset))
                    return TICKLOG_OK
                }
                i += 1
            }
            return TICKLOG_NOT_FOUND
        }
        return TICKLOG_OK
    } catch { return TICKLOG_DAMAGED }
}

@c @implementation
public func ticklog_dlf_next(_ dlf: OpaquePointer!, _ sample: UnsafeMutablePointer<ticklog_dlf_sample>!) -> ticklog_status {
    guard dlf != nil, let sample else { return TICKLOG_NULL }
    guard let dlf = DLFObject.here(dlf) else { return TICKLOG_BAD_HANDLE }
    if let data = dlf.pointee.reader.plain {
        guard dlf.pointee.reader.advance() else { return dlf.pointee.ended() }
        dlf.pointee.reader.walk.store(sample, data, dlf.pointee.reader.dataOffset)
        return TICKLOG_OK
    }
    return next(dlf, sample)
}

@inline(never)
private func next(_ dlf: DLFObject.Pointer, _ sample: UnsafeMutablePointer<ticklog_dlf_sample>) -> ticklog_status {
    do throws(FormatError) {
        guard let found = try dlf.pointee.reader.next() else { return dlf.pointee.ended() }
        store(found, sample)
        return TICKLOG_OK
    } catch { return dlf.pointee.failed(error) }
}

@c @implementation
public func ticklog_dlf_choose(_ dlf: OpaquePointer!, _ stream: UInt32, _ from: UInt64, _ to: UInt64) -> ticklog_status {
    guard dlf != nil else { return TICKLOG_NULL }
    guard let dlf = DLFObject.from(dlf) else { return TICKLOG_BAD_HANDLE }
    guard stream == UInt32.max || stream < dlf.pointee.reader.parts.count else { return TICKLOG_NOT_FOUND }
    dlf.pointee.reader.choose(stream == UInt32.max ? nil : Int(stream), from: from, to: to)
    return TICKLOG_OK
}

@c @implementation
public func ticklog_dlf_sample_at(
    _ dlf: OpaquePointer!, _ stream: UInt32, _ tick: UInt64, _ sample: UnsafeMutablePointer<ticklog_dlf_sample>!
) -> ticklog_status {
    guard dlf != nil, let sample else { return TICKLOG_NULL }
    guard let dlf = DLFObject.from(dlf) else { return TICKLOG_BAD_HANDLE }
    guard stream < dlf.pointee.reader.parts.count else { return TICKLOG_NOT_FOUND }
    do throws(FormatError) {
        switch try dlf.pointee.reader.sample(of: Int(stream), at: tick) {
        case .sample(let found): store(found, sample)
        case .none: return TICKLOG_NOT_FOUND
        case .end: return TICKLOG_END
        }
        return TICKLOG_OK
    } catch { return dlf.pointee.failed(error) }
}

@c @implementation
public func ticklog_dlf_read(
    _ dlf: OpaquePointer!, _ samples: UnsafeMutableRawPointer!, _ ticks: UnsafeMutablePointer<UInt64>!, _ most: Int,
    _ count: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    guard dlf != nil, let samples, let count else { return TICKLOG_NULL }
    count.pointee = 0
    guard let dlf = DLFObject.from(dlf) else { return TICKLOG_BAD_HANDLE }
    guard most > 0, dlf.pointee.reader.chosen != nil else { return TICKLOG_BAD_ARGUMENT }
    var read = 0
    do throws(FormatError) {
        while read < most, let sample = try dlf.pointee.reader.next() {
            let size = sample.bytes.count
            (samples + read &* size).copy(sample.bytes.start, size)
            if let ticks { ticks[read] = sample.tick }
            read &+= 1
            count.pointee = read
        }
        return read > 0 ? TICKLOG_OK : dlf.pointee.ended()
    } catch {
        // What was read comes first: the next call fails again.
        return read > 0 ? TICKLOG_OK : dlf.pointee.failed(error)
    }
}

@c @implementation
public func ticklog_dlf_measure(
    _ dlf: OpaquePointer!, _ extent: UnsafeMutablePointer<ticklog_dlf_extent>!
) -> ticklog_status {
    guard dlf != nil, let extent else { return TICKLOG_NULL }
    guard let dlf = DLFObject.from(dlf) else { return TICKLOG_BAD_HANDLE }
    guard extent.hasKnownSize else { return TICKLOG_BAD_SIZE }
    do throws(FormatError) {
        let found = try dlf.pointee.reader.measure()
        var status = TICKLOG_OK
        if let damage = found.damage {
            status = dlf.pointee.failed(damage)
        } else if found.tailBytes > 0 {
            status = TICKLOG_END
            _ = dlf.pointee.failed(
                FormatError(
                    .torn, at: found.tail,
                    expected: dlf.pointee.reader.isEvents ? "a whole event record" : "a whole sample", found: .end))
        }
        extent.fill(
            ticklog_dlf_extent(
                size: 0, status: status, samples: found.samples, first_tick: found.firstTick,
                last_tick: found.lastTick, tail_offset: UInt64(found.tail), tail_bytes: UInt64(found.tailBytes)))
        return TICKLOG_OK
    } catch { return dlf.pointee.failed(error) }
}

@c @implementation
public func ticklog_dlf_get_damage(
    _ dlf: OpaquePointer!, _ damage: UnsafeMutablePointer<ticklog_damage>!
) -> ticklog_status {
    guard dlf != nil, let damage else { return TICKLOG_NULL }
    guard let dlf = DLFObject.from(dlf) else { return TICKLOG_BAD_HANDLE }
    guard damage.hasKnownSize else { return TICKLOG_BAD_SIZE }
    let torn = dlf.pointee.hasEnded ? dlf.pointee.reader.torn : nil
    guard let fault = torn ?? dlf.pointee.fault else { return TICKLOG_NOT_FOUND }
    var found: UnsafePointer<CChar>?
    var number: UInt64 = 0
    switch fault.found {
    case .number(let value), .hex(let value): number = value
    case .end: found = Builtin.text("the end of the file")
    case .text(let value): found = Builtin.text(value)
    }
    let length = dlf.pointee.reader.dataOffset + dlf.pointee.reader.length
    damage.fill(
        ticklog_damage(
            size: 0, status: fault.kind == .torn ? TICKLOG_END : ReaderObject.status(fault),
            offset: UInt64(fault.offset), skipped_from: UInt64(fault.offset), skipped_bytes: UInt64(max(length - fault.offset, 0)),
            first_row: 0, rows: 0, expected: Builtin.text(fault.expected), found: found, found_number: number))
    return TICKLOG_OK
}

@c @implementation
public func ticklog_dlf_read_meta(
    _ source: UnsafePointer<ticklog_source>!, _ memory: UnsafeMutableRawPointer!, _ bytes: Int,
    _ meta: UnsafeMutablePointer<ticklog_dlf_meta>!
) -> ticklog_status {
    guard let source, let meta else { return TICKLOG_NULL }
    guard meta.hasKnownSize else { return TICKLOG_BAD_SIZE }
    let status = sourceStatus(source)
    guard status == TICKLOG_OK else { return status }
    let length = Int(source.pointee.bytes)
    do throws(FormatError) {
        let file: FileBytes
        if let mapped = source.pointee.mapped {
            file = FileBytes(start: mapped, count: length)
        } else {
            guard let memory else { return TICKLOG_NULL }
            guard bytes >= length else { return TICKLOG_NO_MEMORY }
            guard UInt64(length) <= UInt64(UInt32.max) else { return TICKLOG_TOO_LARGE }
            var window = SourceWindow(source, memory, capacity: length)
            file = try window.bytes(at: 0, atLeast: length)
        }
        let found = try DLFMeta(file)
        meta.fill(
            ticklog_dlf_meta(
                size: 0, epoch_s: found.epochSeconds, tick_us: found.tickMicroseconds,
                metadata_size: UInt32(found.data.count), type_text: text(found.type), metadata: found.data.start))
        return TICKLOG_OK
    } catch { return ReaderObject.status(error) }
}
