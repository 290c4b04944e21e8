/// A fixed number of elements in the caller's memory.
struct Table<Element> {
    let base: UnsafeMutablePointer<Element>
    let count: Int

    init(_ base: UnsafeMutableRawPointer, _ count: Int) {
        self.base = base.assumingMemoryBound(to: Element.self)
        self.count = count
    }

    @inline(__always)
    subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count)
            return base[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count)
            base[index] = newValue
        }
    }

    @inline(__always)
    func pointer(_ index: Int) -> UnsafeMutablePointer<Element> {
        precondition(index >= 0 && index < count)
        return base + index
    }
}
