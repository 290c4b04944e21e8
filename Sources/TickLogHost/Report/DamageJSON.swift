import TickLog

// What is wrong, as reports tell it.

extension JSONWriter {
    mutating func faults(_ name: String, _ faults: [Fault]) {
        key(name)
        begin("[")
        for fault in faults { self.fault(fault) }
        end("]")
    }

    mutating func fault(_ fault: Fault) {
        begin("{")
        field("path", fault.path)
        key("offset")
        if let offset = fault.offset { number(Int64(offset)) } else { null() }
        field("torn", fault.kind == .torn)
        field("text", fault.text)
        end("}")
    }

    mutating func field(_ name: String, _ value: UInt64?) {
        key(name)
        if let value { number(value) } else { null() }
    }

    mutating func field(_ name: String, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    mutating func damage(_ damages: [FrameDamage]) {
        key("damage")
        begin("[")
        for damage in damages { place(UInt64(damage.range.lowerBound), damage.isTorn, UInt64(damage.range.count), damage.text) }
        end("]")
    }

    mutating func damage(_ damages: [BMSDamage]) {
        key("damage")
        begin("[")
        for damage in damages { place(UInt64(damage.range.lowerBound), damage.isTorn, UInt64(damage.range.count), damage.text) }
        end("]")
    }

    mutating func damage(_ summary: RNOGSummary) {
        key("damage")
        begin("[")
        for damage in summary.damages { place(damage.range.lowerBound, damage.isTorn, UInt64(damage.range.count), damage.text) }
        if let fault = summary.streamFault { place(UInt64(fault.offset ?? 0), fault.kind == .torn, nil, fault.text) }
        end("]")
    }

    private mutating func place(_ offset: UInt64, _ isTorn: Bool, _ skipped: UInt64?, _ text: String) {
        begin("{")
        field("offset", offset)
        field("torn", isTorn)
        if let skipped { field("skipped_bytes", skipped) }
        field("text", text)
        end("}")
    }

    /// `path`: of the file, if the reader does not know it; then with where the bytes that are left out begin.
    mutating func damage(of survey: BCSVSurvey, at i: Int, withPath: Bool) {
        let damage = survey.damages[i]
        begin("{")
        if withPath { field("path", survey.path) }
        field("offset", damage.error.offset)
        field("torn", damage.isTorn)
        if withPath { field("skipped_from", damage.skipped.lowerBound) }
        field("skipped_bytes", damage.skipped.count)
        field("first_row", damage.firstRow)
        field("rows", damage.rows)
        field("text", survey.faults[i].text)
        end("}")
    }
}
