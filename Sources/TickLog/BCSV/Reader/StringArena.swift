import CTickLog

/// The strings that the columns hold at the moment, in two halves: when one is full, what is still held moves to the
/// other. What was in the first stays there until the second is full as well.
struct StringArena {
    private let memory: UnsafeMutableRawPointer
    private let half: Int
    private var base = 0
    private var used = 0
    /// How often the halves changed.
    private(set) var turns = 0

    /// `half` is twice the most that the strings of one row have together; `memory` has two of it.
    init(_ memory: UnsafeMutableRawPointer, half: Int) {
        self.memory = memory
        self.half = half
    }

    mutating func reset() {
        base = 0
        used = 0
    }

    /// The text's copy; nil if the half is full.
    mutating func append(_ text: FileBytes) -> ticklog_text? {
        guard text.count <= half - used else { return nil }
        let place = memory + (base + used)
        place.copy(text.start, text.count)
        used += text.count
        return ticklog_text(bytes: UnsafeRawPointer(place).assumingMemoryBound(to: CChar.self), count: text.count)
    }

    mutating func beginCompaction() {
        turns &+= 1
        base = base == 0 ? half : 0
        used = 0
    }
}
