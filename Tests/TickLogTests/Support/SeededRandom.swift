import Foundation

/// Random numbers that a test can have again: every message says the seed, and TICKLOG_TEST_SEED sets it.
struct SeededRandom: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    init(_ seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// Another seed at every run, unless the environment sets one.
    init() {
        let given = ProcessInfo.processInfo.environment["TICKLOG_TEST_SEED"].flatMap { UInt64($0) }
        self.init(given ?? UInt64.random(in: 1..<1 << 32))
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ one: Int, in all: Int) -> Bool { below(all) < one }
    mutating func pick<Element>(_ from: [Element]) -> Element { from[below(from.count)] }
}
