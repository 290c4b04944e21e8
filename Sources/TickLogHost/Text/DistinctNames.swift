/// Names of which each comes once: the second of a name gets `~2` behind it.
struct DistinctNames {
    private var last: [String: Int] = [:]

    mutating func add(_ name: String) -> String {
        guard var number = last[name] else {
            last[name] = 1
            return name
        }
        var own: String
        repeat {
            number += 1
            own = name + "~\(number)"
        } while last[own] != nil
        last[name] = number
        last[own] = 1
        return own
    }
}
