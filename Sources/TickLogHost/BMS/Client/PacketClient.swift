import CPosix
import TickLog

/// A client of a BMS server (spec: PACKETS, 1): sends packets, waits until they are on the server's medium, asks for values
/// and follows them. One thread at a time.
public final class PacketClient {
    public let connection: PacketConnection
    private var sequence: UInt8 = 0
    private var subscriptions: [(source: PacketSource, sequence: UInt8)] = []
    private var pending = PendingPackets()
    private let words: UnsafeMutableRawPointer

    public static var mostSubscriptions: Int { 16 }
    public static var mostRanges: Int { 32 }

    /// Connects, and answers the server's challenge if there is a token.
    /// - Parameter milliseconds: how long any call may wait, but for `next`.
    public init(_ endpoint: Endpoint, milliseconds: UInt64 = 5000, token: Token? = nil) throws(ClientError) {
        connection = try PacketConnection(endpoint, milliseconds: milliseconds)
        // Control and data of the largest packet.
        words = .allocate(byteCount: 4 * PacketWords.most, alignment: 16)
        if let token { try logIn(token) }
    }

    deinit { words.deallocate() }

    private func logIn(_ token: Token) throws(ClientError) {
        let deadline = connection.deadline
        guard let packet = try connection.next(deadline: deadline) else {
            throw ClientError(.denied, connection.name + ": the server asks for no token, expected that it does")
        }
        guard packet.knownCommand == .challenge, 2 * packet.words.count == Token.challengeBytes else {
            throw unexpected(packet, "a challenge of \(Token.challengeBytes) bytes")
        }
        let challenge = Array(UnsafeRawBufferPointer(start: packet.words.data, count: Token.challengeBytes))
        let answer: [UInt8]
        do throws(SecurityError) { answer = try token.answer(to: challenge) } catch { throw ClientError(.denied, error.message) }
        let zeros = [UInt8](repeating: 0, count: answer.count)
        let sequence = nextSequence()
        try put(.login, PacketSource(type: 0, id: 0), sequence, zeros, answer)
        try connection.flush()
        do throws(ClientError) {
            guard let packet = try connection.next(deadline: deadline) else { throw timedOut("an answer to the token") }
            guard packet.knownCommand == .acknowledge, packet.sequence == sequence else { throw unexpected(packet, "ACK") }
        } catch {
            guard error.kind == .disconnected else { throw error }
            throw ClientError(.denied, connection.name + ": the server does not take this token")
        }
    }

    private func put(
        _ command: DataPacket.Command, _ source: PacketSource, _ sequence: UInt8, _ control: [UInt8], _ data: [UInt8]
    ) throws(ClientError) {
        control.withUnsafeBytes { words.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        let behind = words + control.count
        data.withUnsafeBytes { behind.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        try connection.put(
            DataPacket(
                command, timestamp: realtimeMicroseconds(), type: source.type, source: source.id, sequence: sequence,
                words: PacketWords(control: words, data: behind, count: control.count / 2)))
    }

    // MARK: Sending

    /// Puts a DIFF or FULL behind what waits to be sent; `flush`, and every call that waits, sends it.
    /// - Parameter timestamp: microseconds since the Unix epoch; nil: now.
    public func put(
        _ command: DataPacket.Command, _ source: PacketSource, _ words: PacketWords, timestamp: UInt64? = nil
    ) throws(ClientError) {
        guard command == .diff || command == .full else { throw ClientError(.argument, "found command \(command.rawValue), expected DIFF or FULL") }
        try check(source)
        try connection.put(
            DataPacket(
                command, timestamp: timestamp ?? realtimeMicroseconds(), type: source.type, source: source.id,
                sequence: nextSequence(), words: words))
    }

    public func flush() throws(ClientError) { try connection.flush() }

    /// Returns when everything that was sent before is on the server's medium.
    public func sync() throws(ClientError) {
        let sequence = nextSequence()
        let source = PacketSource(type: 0, id: 0)
        try connection.put(DataPacket(.sync, timestamp: realtimeMicroseconds(), type: 0, source: 0, sequence: sequence))
        try connection.flush()
        _ = try answer(.acknowledge, source, sequence, "an ACK: what was sent may not be on the medium")
    }

    // MARK: Asking

    /// The values of words as they are now; 0 of a source that was never seen. At most 65536 offsets.
    public func query(_ source: PacketSource, _ offsets: UnsafeBufferPointer<UInt16>, _ values: UnsafeMutablePointer<UInt16>) throws(ClientError) {
        try check(source)
        guard offsets.count <= PacketWords.most else { throw ClientError(.argument, "found \(offsets.count) offsets, expected at most \(PacketWords.most)") }
        let control = UnsafeMutableRawPointer(words)
        if offsets.count > 0 { control.copyMemory(from: offsets.baseAddress!, byteCount: 2 * offsets.count) }
        memset(control + 2 * offsets.count, 0, 2 * offsets.count)
        let sequence = nextSequence()
        let asked = PacketWords(control: control, data: control + 2 * offsets.count, count: offsets.count)
        try connection.put(
            DataPacket(.query, timestamp: realtimeMicroseconds(), type: source.type, source: source.id, sequence: sequence, words: asked))
        try connection.flush()
        let reply = try answer(.reply, source, sequence, "a REPLY")
        guard reply.words.count == offsets.count,
            offsets.count == 0 || memcmp(reply.words.control, control, 2 * offsets.count) == 0
        else { throw ClientError(.protocolError, connection.name + ": found a REPLY with other offsets, expected those of the QUERY") }
        if offsets.count > 0 { UnsafeMutableRawPointer(values).copyMemory(from: reply.words.data, byteCount: 2 * offsets.count) }
    }

    public func query(_ source: PacketSource, _ offsets: [UInt16]) throws(ClientError) -> [UInt16] {
        // No failure passes through a closure of the standard library: it could not be typed.
        let memory = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: 2 * max(offsets.count, 1))
        defer { memory.deallocate() }
        for i in 0..<offsets.count { memory[i] = offsets[i] }
        let values = memory.baseAddress! + offsets.count
        try query(source, UnsafeBufferPointer(start: memory.baseAddress, count: offsets.count), values)
        return Array(UnsafeBufferPointer(start: values, count: offsets.count))
    }

    // MARK: Following

    /// Asks for the words in 1 to 32 ranges, and for their changes from then on: `next` has them. An earlier subscription to
    /// the same source ends; without ranges there is no new one.
    /// - Parameter rate: the most messages a second, 0: as changes come.
    public func subscribe(_ source: PacketSource, _ ranges: [ClosedRange<UInt16>], rate: UInt16 = 0) throws(ClientError) {
        try check(source)
        guard ranges.count <= PacketClient.mostRanges else {
            throw ClientError(.argument, "found \(ranges.count) ranges, expected at most \(PacketClient.mostRanges)")
        }
        subscriptions = subscriptions.filter { $0.source != source }
        guard ranges.isEmpty || subscriptions.count < PacketClient.mostSubscriptions else {
            throw ClientError(.argument, "found \(subscriptions.count + 1) sources, expected at most \(PacketClient.mostSubscriptions)")
        }
        var control: [UInt8] = []
        for range in ranges {
            for offset in [range.lowerBound, range.upperBound] {
                control.append(UInt8(truncatingIfNeeded: offset))
                control.append(UInt8(truncatingIfNeeded: offset >> 8))
            }
        }
        var data = [UInt8](repeating: 0, count: control.count)
        if !data.isEmpty {
            data[0] = UInt8(truncatingIfNeeded: rate)
            data[1] = UInt8(truncatingIfNeeded: rate >> 8)
        }
        let sequence = nextSequence()
        if ranges.isEmpty {
            try connection.put(
                DataPacket(.subscribe, timestamp: realtimeMicroseconds(), type: source.type, source: source.id, sequence: sequence))
        } else {
            try put(.subscribe, source, sequence, control, data)
            subscriptions.append((source, sequence))
        }
        try connection.flush()
    }

    /// What came of a subscription next: a REPLY with values as they were, or a DIFF with changes. Its words stay where they
    /// are until the next call of any function. Nil: nothing came in time.
    public func next(milliseconds: UInt64) throws(ClientError) -> DataPacket? {
        if let packet = pending.take() { return packet }
        pending.removeAll()
        let deadline = MonotonicClock.now() &+ milliseconds &* 1_000_000
        while let packet = try connection.next(deadline: deadline) {
            if isChange(packet) { return packet }
            try judge(packet)
        }
        return nil
    }

    /// Says that nothing more comes, and waits until the server has taken all.
    public func finish() throws(ClientError) {
        try connection.end { (packet) throws(ClientError) in if !self.isChange(packet) { try self.judge(packet) } }
    }

    // MARK: What comes

    private func answer(
        _ command: DataPacket.Command, _ source: PacketSource, _ sequence: UInt8, _ what: String
    ) throws(ClientError) -> DataPacket {
        let deadline = connection.deadline
        while let packet = try connection.next(deadline: deadline) {
            if packet.knownCommand == command, packet.sequence == sequence, PacketSource(packet) == source { return packet }
            if isChange(packet) {
                guard pending.add(packet) else {
                    throw ClientError(.protocolError, connection.name + ": found more than \(PendingPackets.most) bytes of changes that nobody has taken, expected \(what)")
                }
            } else {
                try judge(packet)
            }
        }
        throw timedOut(what)
    }

    private func isChange(_ packet: DataPacket) -> Bool {
        guard packet.knownCommand == .reply || packet.knownCommand == .diff else { return false }
        let source = PacketSource(packet)
        for subscription in subscriptions where subscription.source == source { return true }
        return false
    }

    /// What nobody waits for: a late answer is passed over, everything else is an error.
    private func judge(_ packet: DataPacket) throws(ClientError) {
        switch packet.knownCommand {
        case .challenge: throw ClientError(.denied, connection.name + ": the server asks for a token")
        // Late answers, and what a subscription that has ended had sent.
        case .acknowledge, .reply, .diff: break
        default: throw unexpected(packet, "what a server sends")
        }
    }

    private func unexpected(_ packet: DataPacket, _ what: String) -> ClientError {
        ClientError(.protocolError, connection.name + ": found a message with command \(packet.command), expected " + what)
    }

    private func timedOut(_ what: String) -> ClientError {
        ClientError(.timedOut, connection.name + ": found nothing within the time limit, expected " + what)
    }

    private func check(_ source: PacketSource) throws(ClientError) {
        guard source.type <= 3 else { throw ClientError(.argument, "found the type \(source.type), expected 0 to 3") }
    }

    /// Not one that a subscription's messages have.
    private func nextSequence() -> UInt8 {
        while true {
            sequence &+= 1
            var isFree = true
            for subscription in subscriptions where subscription.sequence == sequence { isFree = false }
            if isFree { return sequence }
        }
    }
}

/// Microseconds since the Unix epoch.
public func realtimeMicroseconds() -> UInt64 {
    var time = timespec()
    _ = clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(clamping: Int64(time.tv_sec)) &* 1_000_000 &+ UInt64(clamping: Int64(time.tv_nsec)) / 1000
}
