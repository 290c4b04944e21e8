import CTickLog

/// The kinds of records that a C program has described.
struct UserRecords: RecordKinds {
    let kinds: UnsafePointer<ticklog_record_kind>
    let count: Int

    static var defaultMost: UInt32 { 1 << 20 }

    /// Nil for a null pointer.
    init?(_ kinds: UnsafePointer<ticklog_record_kind>?, _ count: UInt32) {
        guard let kinds, let count = Int(exactly: count) else { return nil }
        self.kinds = kinds
        self.count = count
    }

    /// The structures lie as far apart as the caller's header had it.
    private subscript(i: Int) -> UnsafePointer<ticklog_record_kind> {
        (UnsafeRawPointer(kinds) + i * Int(truncatingIfNeeded: kinds.pointee.size)).assumingMemoryBound(to: ticklog_record_kind.self)
    }

    func kind(_ magic: UInt16) -> UnsafePointer<ticklog_record_kind>? {
        for i in 0..<count where self[i].pointee.magic == magic { return self[i] }
        return nil
    }

    func knows(magic: UInt16) -> Bool { kind(magic) != nil }

    func size(magic: UInt16, version: UInt16, candidate: Int, _ payload: FileBytes) -> RecordSize {
        guard let kind = kind(magic) else { return .unknownMagic }
        guard let form = kind.form(version, candidate) else { return candidate == 0 ? .unknownVersion : .noMore }
        let most = kind.mostBytes
        guard form.pointee.bytes <= most else { return .noMore }
        let bytes = Int(form.pointee.bytes)
        guard let measure = form.pointee.measure else { return .bytes(bytes) }
        guard payload.count >= bytes else { return .needs(bytes) }
        let measured = measure(kind.pointee.context, payload.start)
        guard measured >= form.pointee.bytes, measured <= most else { return .impossible(at: 0, found: measured) }
        return .bytes(Int(measured))
    }

    /// Which form a record of this size has.
    func form(of record: UnsafePointer<ticklog_record>) -> (kind: UnsafePointer<ticklog_record_kind>, form: UnsafePointer<ticklog_record_form>)? {
        guard let kind = kind(record.pointee.magic), let payload = record.pointee.payload else { return nil }
        var candidate = 0
        while let form = kind.form(record.pointee.version, candidate) {
            if form.pointee.bytes <= record.pointee.payload_bytes {
                let measured = form.pointee.measure.map { $0(kind.pointee.context, payload) } ?? form.pointee.bytes
                if measured == record.pointee.payload_bytes { return (kind, form) }
            }
            candidate += 1
        }
        return nil
    }

    /// Whether the descriptions agree with themselves.
    func check() -> ticklog_status {
        for i in 0..<count {
            let kind = self[i]
            guard kind.knownSize != nil, kind.pointee.size == kinds.pointee.size else { return TICKLOG_BAD_SIZE }
            guard kind.pointee.name != nil, kind.pointee.forms != nil, kind.pointee.fields != nil || kind.pointee.field_count == 0 else {
                return TICKLOG_NULL
            }
            for k in 0..<i where self[k].pointee.magic == kind.pointee.magic { return TICKLOG_DUPLICATE_NAME }
            let recordBytes = kind.pointee.record_bytes
            guard recordBytes > 0, recordBytes <= UInt32(Int32.max), kind.mostBytes <= UInt32(Int32.max) - 64 else { return TICKLOG_BAD_ARGUMENT }
            if let status = checkForms(kind) { return status }
            var sizes = TableFields.Sizes()
            if kind.pointee.field_count > 0 {
                let fields = TableFields(fields: kind.pointee.fields, count: Int(kind.pointee.field_count), names: nil)
                let status = fields.check(rowBytes: recordBytes, &sizes)
                guard status == TICKLOG_OK else { return status }
            }
        }
        return TICKLOG_OK
    }

    private func checkForms(_ kind: UnsafePointer<ticklog_record_kind>) -> ticklog_status? {
        var isWritten = false
        for f in 0..<Int(kind.pointee.form_count) {
            let form = kind.pointee.forms[f]
            guard form.reserved == 0, form.bytes <= kind.mostBytes else { return TICKLOG_BAD_ARGUMENT }
            // Without a function, the payload is the record's beginning.
            if form.upconvert == nil, form.measure == nil, form.bytes > kind.pointee.record_bytes { return TICKLOG_BAD_ARGUMENT }
            if form.upconvert == nil, form.measure != nil { return TICKLOG_NULL }
            // The smaller one first, or the larger is asked for where the file ends.
            if form.measure == nil, f > 0, kind.pointee.forms[f - 1].version == form.version,
                kind.pointee.forms[f - 1].bytes >= form.bytes
            {
                return TICKLOG_BAD_ARGUMENT
            }
            if form.version == kind.pointee.version { isWritten = true }
        }
        return isWritten ? nil : TICKLOG_BAD_ARGUMENT
    }
}

extension UnsafePointer where Pointee == ticklog_record_kind {
    /// The form of a version, the first of several with `candidate` 0.
    func form(_ version: UInt16, _ candidate: Int) -> UnsafePointer<ticklog_record_form>? {
        var number = 0
        guard let forms = pointee.forms else { return nil }
        for i in 0..<Int(pointee.form_count) where forms[i].version == version {
            if number == candidate { return forms + i }
            number += 1
        }
        return nil
    }

    var mostBytes: UInt32 { pointee.most_bytes == 0 ? UserRecords.defaultMost : pointee.most_bytes }
}
