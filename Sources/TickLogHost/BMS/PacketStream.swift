import TickLog

/// Packets on their way from the event loop to a thread that keeps them: in memory, as the records of a log file lie one
/// behind another, so that the thread writes long ranges as they are.
///
/// Positions count bytes and grow for ever. The loop appends and publishes; the thread releases what is on the medium.
/// Where a new file begins is the loop's decision, so that it knows where in the log each packet is.
final class PacketStream {
    let ring: MirroredRing
    let kind: LogFileHeader.Kind
    /// A file is not made larger than this, unless by its first record. Nil: there are no files.
    private let rollBytes: UInt64?
    private let crc = CRC32C()

    // The loop's.
    @exclusivity(unchecked) private(set) var appended: UInt64 = 0
    @exclusivity(unchecked) private var knownReleased: UInt64 = 0
    @exclusivity(unchecked) private var lastTimestamp: UInt64
    /// Where the next record will be.
    @exclusivity(unchecked) private(set) var position: LogPosition

    /// Up to where the thread may take.
    let published = Published64()
    /// Up to where everything is on the medium: that room is free.
    let released = Published64()
    /// Somebody waits until so much is on the medium.
    let wanted = Published64()
    /// 1 while the medium refuses.
    let isRefused = Published64()
    /// Where files begin.
    let rolls = SPSCQueue<UInt64>(least: 4096)
    /// The thread has something to do before its time.
    let wake: EventFlag

    /// - Parameters:
    ///   - position: where in the log the stream begins. With the offset 0, it begins with a file's header.
    ///   - timestamp: of the last record that is there.
    init(
        ringBytes: Int, kind: LogFileHeader.Kind, rollBytes: UInt64?, position: LogPosition = LogPosition(number: 1, offset: 0),
        timestamp: UInt64 = 0
    ) throws(FileError) {
        ring = try MirroredRing(least: max(ringBytes, 1 << 20))
        wake = try EventFlag()
        self.kind = kind
        self.rollBytes = rollBytes
        self.position = position
        lastTimestamp = timestamp
        if rollBytes != nil, position.offset == 0 {
            begin(number: position.number)
            publish()
        }
    }

    /// Whether a payload of so many bytes has room.
    @inline(__always)
    func hasRoom(payload size: Int) -> Bool { hasRoom(LogRecord.bytes(payload: size)) && rolls.hasRoom(1) }

    /// How much is not on the medium: for the loop, and for others, as far as they were told.
    var fill: UInt64 { appended &- released.load() }
    var fillNow: UInt64 {
        let released = released.load()
        return published.load() &- released
    }

    @inline(__always)
    private func hasRoom(_ bytes: Int) -> Bool {
        let needed = UInt64(bytes &+ LogFile.headBytes)
        let capacity = UInt64(ring.capacity)
        if capacity &- (appended &- knownReleased) >= needed { return true }
        knownReleased = released.load()
        return capacity &- (appended &- knownReleased) >= needed
    }

    /// Appends a record. There is room, as `hasRoom` said.
    @inline(__always)
    func append(timestamp: UInt64, payload: UnsafeRawPointer, size: Int) {
        let bytes = LogRecord.bytes(payload: size)
        if let rollBytes, position.offset &+ UInt64(bytes) > rollBytes, position.offset > UInt64(LogFile.headBytes) {
            rolls.add(appended)
            rolls.publish()
            begin(number: position.number &+ 1)
        }
        // The clock may have been set back.
        if timestamp > lastTimestamp { lastTimestamp = timestamp }
        LogRecord(timestamp: lastTimestamp, payload: payload, size: size, crc).store(to: ring.at(appended), payload: payload)
        appended &+= UInt64(bytes)
        position.offset &+= UInt64(bytes)
    }

    /// Shows the thread what was appended.
    @inline(__always)
    func publish() { published.store(appended) }

    /// What was appended is to be on the medium soon: `released` will tell.
    func wantSync() {
        publish()
        guard wanted.load() < appended else { return }
        wanted.store(appended)
        wake.signal()
    }

    private func begin(number: UInt64) {
        LogFile.storeHead(kind: kind, number: number, timestamp: lastTimestamp, at: ring.at(appended), crc)
        appended &+= UInt64(LogFile.headBytes)
        position = LogPosition(number: number, offset: UInt64(LogFile.headBytes))
    }
}
