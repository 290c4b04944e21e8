/// What is said of clients: not more than some lines a second, whatever they do.
struct Notices {
    private let out: @Sendable (String) -> Void
    private var second: UInt64 = 0
    private var said = 0
    private var omitted = 0

    private static var most: Int { 10 }

    init(_ out: @escaping @Sendable (String) -> Void) { self.out = out }

    mutating func say(_ text: String, _ now: UInt64) {
        tell(now)
        guard said < Notices.most else {
            omitted += 1
            return
        }
        said += 1
        out(text)
    }

    /// Says how many were left out, when the second is over.
    mutating func tell(_ now: UInt64) {
        guard now / 1_000_000_000 != second else { return }
        second = now / 1_000_000_000
        said = 0
        if omitted > 0 { out("\(omitted) more lines like these were left out") }
        omitted = 0
    }
}
