/// How to repair.
public struct RepairOptions: Sendable {
    /// Where the result goes; nil: in the place of what is repaired.
    public var out: String?
    /// What is sound is copied to `out`. Otherwise it is left as it is.
    public var copiesSound = false
    /// Of a torn last BCSV packet, the whole rows are kept, which no checksum covers.
    public var keepsUnverified = false

    public init() {}
}
