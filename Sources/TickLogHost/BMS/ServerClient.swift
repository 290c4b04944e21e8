import CPosix
import TickLog

/// A connection, as the loop knows it.
final class ServerClient {
    enum Access {
        /// It must log in first, with an answer to this.
        case stranger
        case reader
        case writer
    }

    /// Why a message that is there is not handled.
    enum Obstacle {
        case none
        /// The log or the archive has no room.
        case log
        /// The client does not read what waits for it.
        case queue
        /// It has asked for very many syncs.
        case syncs
        /// Others shall have their turn.
        case turn
    }

    let slot: Int
    let serial: UInt32
    /// Its address, for what is said.
    let name: String
    @exclusivity(unchecked) var socket: Int32
    @exclusivity(unchecked) var access = Access.writer
    @exclusivity(unchecked) var challenge: [UInt8] = []

    /// What has come and was not handled: a part of a message, or all there is behind an obstacle.
    @exclusivity(unchecked) var held = ByteQueue()
    @exclusivity(unchecked) var obstacle = Obstacle.none
    /// When it last sent something.
    @exclusivity(unchecked) var activeNs: UInt64

    /// What it has not read yet.
    @exclusivity(unchecked) var queue = ByteQueue()
    /// Since when it has read nothing of it; 0: nothing waits.
    @exclusivity(unchecked) var stalledNs: UInt64 = 0
    /// It sends nothing more; it stays for what is still to be answered.
    @exclusivity(unchecked) var inputEnded = false
    @exclusivity(unchecked) var pendingSyncs = 0
    @exclusivity(unchecked) var subscriptions: [Subscription] = []

    /// It has sent packets, and is looked at behind those who only ask.
    @exclusivity(unchecked) var isSender = false
    /// Which events are waited for, and where; nil: not at all.
    @exclusivity(unchecked) var events: UInt32?
    @exclusivity(unchecked) var epoll: Int32 = -1
    /// The connection is broken, which is looked at when the obstacle is gone.
    @exclusivity(unchecked) var isBroken = false
    /// When it will be closed whatever happens; 0: it will not.
    @exclusivity(unchecked) var closesNs: UInt64 = 0

    init(_ socket: Int32, slot: Int, serial: UInt32, _ name: String, _ now: UInt64) {
        self.socket = socket
        self.slot = slot
        self.serial = serial
        self.name = name
        activeNs = now
    }

    var isOpen: Bool { socket >= 0 }
    var tag: UInt64 { UInt64(serial) << 32 | UInt64(slot) }
}
