import CPosix
import CTickLog

/// The memory of a record batch that was handed to a consumer. Each of its arrays keeps it, as a consumer may take some of
/// them out and release the rest: it is freed when the last one is released, by any thread.
final class ArrowBatch {
    /// Values, validity, offsets.
    private var blocks: [UnsafeMutableRawPointer] = []
    /// Values of several columns.
    private let large: LargeMemory?
    /// The children and what they point to.
    private let children: UnsafeMutablePointer<ArrowArray>
    private let pointers: UnsafeMutablePointer<UnsafeMutablePointer<ArrowArray>?>
    private let buffers: UnsafeMutablePointer<UnsafeRawPointer?>
    private let count: Int

    static var buffersOfColumn: Int { 6 }

    /// - Parameter count: columns. Each may have a dictionary.
    /// - Parameter large: where values of them may be, which is freed with the batch.
    init(columns count: Int, _ large: LargeMemory?) {
        self.count = count
        self.large = large
        children = .allocate(capacity: 2 * count + 1)
        children.initialize(repeating: ArrowArray(), count: 2 * count + 1)
        pointers = .allocate(capacity: count + 1)
        pointers.initialize(repeating: nil, count: count + 1)
        buffers = .allocate(capacity: Self.buffersOfColumn * count + 1)
        buffers.initialize(repeating: nil, count: Self.buffersOfColumn * count + 1)
    }

    deinit {
        for block in blocks { free(block) }
        large?.free()
        children.deallocate()
        pointers.deallocate()
        buffers.deallocate()
    }

    /// Memory from malloc, which is freed with the batch.
    func keep(_ block: UnsafeMutableRawPointer) -> UnsafeRawPointer {
        blocks.append(block)
        return UnsafeRawPointer(block)
    }

    /// Sets a column: its validity, or nil if all values are known, and its other buffers.
    func set(_ column: Int, rows: Int, nulls: Int, _ validity: UnsafeRawPointer?, _ first: UnsafeRawPointer, _ second: UnsafeRawPointer? = nil) {
        fill(children + column, buffers + Self.buffersOfColumn * column, rows, nulls, validity, first, second)
        pointers[column] = children + column
    }

    /// Gives a column, whose values are indices, its dictionary of texts.
    func setDictionary(_ column: Int, entries: Int, _ offsets: UnsafeRawPointer, _ text: UnsafeRawPointer) {
        let array = children + count + column
        fill(array, buffers + Self.buffersOfColumn * column + 3, entries, 0, nil, offsets, text)
        children[column].dictionary = array
    }

    private func fill(
        _ array: UnsafeMutablePointer<ArrowArray>, _ buffers: UnsafeMutablePointer<UnsafeRawPointer?>, _ rows: Int, _ nulls: Int,
        _ validity: UnsafeRawPointer?, _ first: UnsafeRawPointer, _ second: UnsafeRawPointer?
    ) {
        buffers[0] = validity
        buffers[1] = first
        buffers[2] = second
        array.pointee.length = Int64(rows)
        array.pointee.null_count = Int64(nulls)
        array.pointee.n_buffers = second == nil ? 2 : 3
        array.pointee.buffers = buffers
        own(array)
    }

    private func own(_ array: UnsafeMutablePointer<ArrowArray>) {
        array.pointee.private_data = Unmanaged.passRetained(self).toOpaque()
        array.pointee.release = { releaseArray($0) }
    }

    /// The batch as a structure of its columns.
    func export(rows: Int, to out: UnsafeMutablePointer<ArrowArray>) {
        var root = ArrowArray()
        root.length = Int64(rows)
        root.n_buffers = 1
        root.buffers = buffers + Self.buffersOfColumn * count
        root.n_children = Int64(count)
        root.children = pointers
        out.initialize(to: root)
        own(out)
    }
}

/// What a consumer calls, once for the whole, or for what it has moved elsewhere.
private func releaseArray(_ array: UnsafeMutablePointer<ArrowArray>?) {
    guard let array, array.pointee.release != nil else { return }
    for i in 0..<Int(array.pointee.n_children) {
        if let child = array.pointee.children?[i], let release = child.pointee.release { release(child) }
    }
    if let dictionary = array.pointee.dictionary, let release = dictionary.pointee.release { release(dictionary) }
    let owner = array.pointee.private_data
    array.pointee.release = nil
    array.pointee.private_data = nil
    if let owner { Unmanaged<ArrowBatch>.fromOpaque(owner).release() }
}
