// seeds: Tests/Vectors/dlf/*/*.dlf
import CTickLog

// The reader of DLF files through the C API, on any bytes: the header, samples in order, windows, blocks, the sample at a
// tick; the same bytes as metadata, as a type's text and as an archive. From a mapping and from a callback, which must agree.

nonisolated(unsafe) private var current = UnsafeRawBufferPointer(start: nil, count: 0)
nonisolated(unsafe) private var checksum: UInt64 = 0

private func require(_ condition: Bool, _ what: StaticString) {
    if !condition { fatalError("\(what)") }
}

private func touch(_ bytes: UnsafeRawPointer?, _ count: Int) {
    guard let bytes else { return }
    for i in 0..<count { checksum = checksum &* 31 &+ UInt64(bytes.load(fromByteOffset: i, as: UInt8.self)) }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func dlfFuzz(_ input: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let input, count > 0 else { return 0 }
    // A copy of exactly its length, so that a byte too many is noticed.
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    bytes.copyBytes(from: UnsafeRawBufferPointer(start: input, count: count))
    current = UnsafeRawBufferPointer(bytes)
    var source = ticklog_source()
    source.size = UInt32(MemoryLayout<ticklog_source>.size)
    source.bytes = UInt64(count)
    source.read = { _, offset, bytes, count in
        require(offset <= UInt64(current.count) && UInt64(count) <= UInt64(current.count) - offset, "reads behind the end")
        if count > 0 { bytes!.copyMemory(from: current.baseAddress! + Int(offset), byteCount: Int(count)) }
        return 0
    }
    let windows: [UInt32] = [0, 512, 4096]
    let called = read(&source, windows[Int(input[count - 1]) % 3])
    meta(&source)
    archive(&source)
    source.mapped = current.baseAddress
    let mapped = read(&source, 0)
    if let called, let mapped { require(called == mapped, "sources disagree") }
    meta(&source)
    archive(&source)
    member(ticklog_text(bytes: current.baseAddress!.assumingMemoryBound(to: CChar.self), count: count), 64)
    bytes.deallocate()
    return 0
}

/// A sum over all samples; nil if the file is refused.
private func read(_ source: inout ticklog_source, _ window: UInt32) -> UInt64? {
    withUnsafePointer(to: &source) { source in
        var config = ticklog_dlf_config()
        config.size = UInt32(MemoryLayout<ticklog_dlf_config>.size)
        config.window_bytes = window
        config.source = source
        var size = 0
        guard ticklog_dlf_size(&config, &size) == 0 else { return nil }
        if size > 32 << 20 { // a sample as long as the window must be
            config.window_bytes = 512
            guard ticklog_dlf_size(&config, &size) == 0 else { return nil }
            require(size < 32 << 20, "a reader with a small window needs too much memory")
        }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        defer { memory.deallocate() }
        var dlf: OpaquePointer?
        require(ticklog_dlf_open(&config, memory, size, &dlf) == 0, "what was sized does not open")
        let sum = samples(dlf!)
        windows(dlf!)
        var damage = ticklog_damage()
        damage.size = UInt32(MemoryLayout<ticklog_damage>.size)
        if ticklog_dlf_get_damage(dlf, &damage) == 0 {
            require(damage.expected != nil && damage.offset <= UInt64(current.count), "damage behind the end")
        }
        return sum
    }
}

private func header(_ dlf: OpaquePointer) -> ticklog_dlf_header {
    var header = ticklog_dlf_header()
    header.size = UInt32(MemoryLayout<ticklog_dlf_header>.size)
    require(ticklog_dlf_get_header(dlf, &header) == 0, "no header")
    require(header.data_offset <= UInt64(current.count), "data behind the end")
    require(header.data_bytes == UInt64(current.count) - header.data_offset, "length of the data")
    return header
}

private func extent(_ dlf: OpaquePointer) -> ticklog_dlf_extent {
    var extent = ticklog_dlf_extent()
    extent.size = UInt32(MemoryLayout<ticklog_dlf_extent>.size)
    require(ticklog_dlf_measure(dlf, &extent) == 0, "no extent")
    require(extent.tail_offset + extent.tail_bytes == UInt64(current.count), "the tail")
    return extent
}

/// All in order, by the header's streams; then against what was measured.
private func samples(_ dlf: OpaquePointer) -> UInt64 {
    let head = header(dlf)
    var sizes: [UInt32] = []
    for i in 0..<head.streams {
        var stream = ticklog_dlf_stream()
        stream.size = UInt32(MemoryLayout<ticklog_dlf_stream>.size)
        require(ticklog_dlf_get_stream(dlf, i, &stream) == 0, "no stream")
        require(head.is_events == 1 || (stream.interval > 0 && stream.phase < stream.interval), "a schedule")
        touch(stream.name.bytes, stream.name.count)
        touch(stream.notes.bytes, stream.notes.count)
        if i < 200 { member(stream.type_text, stream.sample_bytes) }
        sizes.append(stream.sample_bytes)
    }
    var count: UInt64 = 0, last: UInt64 = 0
    var sample = ticklog_dlf_sample()
    checksum = 0
    while ticklog_dlf_next(dlf, &sample) == 0 {
        require(sample.stream < head.streams && sample.count == sizes[Int(sample.stream)], "a sample's stream")
        require(head.is_events == 1 || sample.tick >= last, "ticks go back")
        require(sample.offset >= head.data_offset && sample.offset < UInt64(current.count), "a sample's offset")
        touch(sample.bytes, Int(sample.count))
        checksum = checksum &+ sample.tick
        last = max(last, sample.tick)
        count += 1
        if count * UInt64(head.streams) > 300_000 { return checksum }
    }
    let sum = checksum
    let measured = extent(dlf)
    require(measured.samples == count && measured.last_tick == last, "what was measured")
    return sum
}

private func windows(_ dlf: OpaquePointer) {
    let head = header(dlf)
    guard head.streams > 0 else { return }
    let last = extent(dlf).last_tick
    var sample = ticklog_dlf_sample()
    for (stream, tick) in [(0, 0), (head.streams - 1, last), (head.streams / 2, last / 2), (0, last &+ 1), (0, UInt64.max)] {
        if ticklog_dlf_sample_at(dlf, stream, tick, &sample) == 0 {
            require(sample.stream == stream && sample.tick <= tick, "the sample at a tick")
            touch(sample.bytes, Int(sample.count))
        }
        let to = tick > UInt64.max - 9 ? UInt64.max : tick + 9
        require(ticklog_dlf_choose(dlf, TICKLOG_ALL_STREAMS, tick, to) == 0, "a window")
        var left = 500
        while left > 0, ticklog_dlf_next(dlf, &sample) == 0 {
            // The largest number is no end.
            require(sample.tick >= tick && (sample.tick < to || to == UInt64.max), "a sample outside its window")
            left -= 1
        }
        require(ticklog_dlf_choose(dlf, stream, tick / 2, UInt64.max) == 0, "a stream's window")
        var info = ticklog_dlf_stream()
        info.size = UInt32(MemoryLayout<ticklog_dlf_stream>.size)
        _ = ticklog_dlf_get_stream(dlf, stream, &info)
        guard info.sample_bytes < 4096 else { continue }
        let block = UnsafeMutableRawPointer.allocate(byteCount: 33 * Int(info.sample_bytes) + 1, alignment: 8)
        var ticks = [UInt64](repeating: 0, count: 33), found = 0
        left = 30
        while left > 0, ticklog_dlf_read(dlf, block, &ticks, 33, &found) == 0 {
            require(found > 0 && found <= 33 && ticks[0] >= tick / 2, "a block")
            left -= 1
        }
        block.deallocate()
    }
}

private func member(_ text: ticklog_text, _ size: UInt32) {
    var member = ticklog_dlf_member()
    var i: UInt32 = 0
    while i < 100, ticklog_dlf_get_member(text, size, i, &member) == 0 {
        require(member.type <= 10 && member.offset < size, "a member outside its sample")
        touch(member.name.bytes, member.name.count)
        i += 1
    }
}

private func meta(_ source: inout ticklog_source) {
    var meta = ticklog_dlf_meta()
    meta.size = UInt32(MemoryLayout<ticklog_dlf_meta>.size)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: current.count, alignment: 8)
    if ticklog_dlf_read_meta(&source, memory, current.count, &meta) == 0 {
        touch(meta.metadata, Int(meta.metadata_size))
        touch(meta.type_text.bytes, meta.type_text.count)
        member(meta.type_text, meta.metadata_size)
    }
    memory.deallocate()
}

private func archive(_ source: inout ticklog_source) {
    var offset: UInt64 = 0, count: UInt64 = 0
    for name in ["polled.dlf", "x"] where ticklog_archive_find(&source, name, &offset, &count) == 0 {
        require(offset <= UInt64(current.count) && count <= UInt64(current.count) - offset, "a file outside its archive")
    }
}
