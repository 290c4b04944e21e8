import TickLog

/// Who a packet is about: a type and which one of it. Each has an image of its own.
public struct PacketSource: Equatable, Sendable {
    public let type: UInt8
    public let id: UInt8

    public init(type: UInt8, id: UInt8) {
        self.type = type
        self.id = id
    }

    public init(_ packet: DataPacket) { self.init(type: packet.type, id: packet.source) }

    /// TYPE:ID, as "rack:2" or "2:2"; nil if it is none.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: 0x3A, omittingEmptySubsequences: false)
        guard parts.count == 2, let id = UInt8(String(decoding: parts[1], as: UTF8.self)),
            let type = PacketSource.type(String(decoding: parts[0], as: UTF8.self))
        else { return nil }
        self.init(type: type, id: id)
    }

    /// A type's number, of its name or its digits.
    public static func type(_ text: String) -> UInt8? {
        for i in 0..<names.count where names[i] == text { return UInt8(i) }
        guard let number = UInt8(text), Int(number) < names.count else { return nil }
        return number
    }

    public static func name(ofType type: UInt8) -> String { Int(type) < names.count ? names[Int(type)] : "\(type)" }

    /// "rack:2"
    public var text: String { PacketSource.name(ofType: type) + ":\(id)" }

    private static var names: [String] { ["unknown", "sbmu", "rack", "rtos"] }
}
