import CTickLog
import TickLog

/// The rows of a stream of record batches. A null is NaN in a column of floats; elsewhere it is unknown, where that is
/// allowed, or ends the reading.
final class ArrowTable: Table {
    private let input: ArrowInput
    private let allowsNulls: Bool
    private var number = 0
    @exclusivity(unchecked) private var batch: ArrowInputBatch?
    @exclusivity(unchecked) private var at = 0
    private var next64: UInt64 = 0
    /// Why it ended early.
    private(set) var failure: ArrowError?

    init(_ input: ArrowInput, allowsNulls: Bool) {
        self.input = input
        self.allowsNulls = allowsNulls
        super.init(columns: input.columns.map { Column($0.name, $0.type.type) })
    }

    override func next() -> Bool {
        guard failure == nil else { return false }
        while true {
            if let batch, at + 1 < batch.rows {
                at += 1
                break
            }
            do throws(ArrowError) {
                batch = try input.batch(number)
            } catch {
                fail(error)
                return false
            }
            guard let batch else { return false }
            number += 1
            at = -1
            if batch.rows > 0 {
                at = 0
                break
            }
        }
        row = next64
        next64 += 1
        if !allowsNulls {
            for column in batch!.nullable where !batch!.isKnown(column, at) {
                let type = columns[column].type
                if type == .f32 || type == .f64 { continue }
                fail(ArrowError(
                    TICKLOG_BAD_ARGUMENT,
                    "row \(row), column '\(columns[column].name)': found a null, expected a value of type \(staticText(type.name))"))
                return false
            }
        }
        return true
    }

    private func fail(_ error: ArrowError) {
        failure = error
        faults.append(Fault(.damaged, "", at: nil, error.text))
    }

    override func bits(_ column: Int) -> UInt64 {
        let type = columns[column].type
        if type == .f32 || type == .f64, !batch!.isKnown(column, at) {
            return type == .f32 ? 0x7FC0_0000 : 0x7FF8_0000_0000_0000
        }
        return batch!.bits(column, at)
    }

    override func text(_ column: Int) -> UnsafeRawBufferPointer { batch!.string(column, at) }

    override func isKnown(_ column: Int) -> Bool { !allowsNulls || batch!.isKnown(column, at) }
}
