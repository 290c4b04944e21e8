import CPosix
import CTickLog
import TickLog

// ticklog.h, section "Reports".

@c @implementation
public func ticklog_info_json(
    _ path: UnsafePointer<CChar>!, _ text: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!
) -> ticklog_status {
    guard let path, let text else { return TICKLOG_NULL }
    return report(path, to: text) { (output) throws(Fault) in
        let info = try Info(String(cString: path))
        info.json(output)
        return info.fault
    }
}

@c @implementation
public func ticklog_meta_json(
    _ path: UnsafePointer<CChar>!, _ text: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!
) -> ticklog_status {
    guard let path, let text else { return TICKLOG_NULL }
    return report(path, to: text) { (output) throws(Fault) in
        let meta = try Meta(String(cString: path))
        meta.json(output)
        return meta.fault
    }
}

@c @implementation
public func ticklog_validate_json(
    _ path: UnsafePointer<CChar>!, _ text: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!
) -> ticklog_status {
    guard let path, let text else { return TICKLOG_NULL }
    return report(path, to: text) { (output) throws(Fault) in
        let validation = Validation(String(cString: path))
        validation.json(output)
        return validation.fault
    }
}

@c @implementation
public func ticklog_repair_json(
    _ path: UnsafePointer<CChar>!, _ out: UnsafePointer<CChar>!, _ flags: UInt32,
    _ text: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!
) -> ticklog_status {
    guard let path, let text else { return TICKLOG_NULL }
    text.pointee = nil
    var name = String(cString: path)
    guard flags & ~(TICKLOG_REPAIR_KEEP_UNVERIFIED | TICKLOG_REPAIR_ONLY_IF_NEEDED) == 0, name != "-" else { return TICKLOG_BAD_ARGUMENT }
    var options = RepairOptions()
    options.out = out.map { String(cString: $0) }
    options.keepsUnverified = flags & TICKLOG_REPAIR_KEEP_UNVERIFIED != 0
    options.copiesSound = flags & TICKLOG_REPAIR_ONLY_IF_NEEDED == 0
    var isRefused = false
    let status = report(path, to: text) { (output) throws(Fault) in
        let input = try Repairable(name, inPlace: options.out == nil)
        guard !options.keepsUnverified || input.hasUnverified else {
            isRefused = true
            throw Fault(.unreadable, name, at: nil, "found TICKLOG_REPAIR_KEEP_UNVERIFIED, which needs a BCSV file")
        }
        while name.utf8.count > 1, name.utf8.last == 0x2F { name = String(decoding: name.utf8.dropLast(), as: UTF8.self) }
        try RepairReport(name, input, options).json(output)
        return nil
    }
    return isRefused ? TICKLOG_BAD_ARGUMENT : status
}

@c @implementation
public func ticklog_text_free(_ text: UnsafeMutablePointer<CChar>!) {
    free(text)
}

/// Hands over what `tell` has written, or why it could not, and answers what it amounts to.
private func report(
    _ path: UnsafePointer<CChar>, to text: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, _ tell: (Output) throws(Fault) -> Fault?
) -> ticklog_status {
    text.pointee = nil
    FileGuard.watch()
    var output = Output.inMemory()
    var reason: Fault?
    var refusal: Fault?
    do throws(Fault) {
        reason = try tell(output)
    } catch {
        refusal = error
    }
    // What was read of it may be zeros of nobody. (A write of what is missing fails with EFAULT.)
    if FileGuard.hasFoundShorter || refusal?.code == EFAULT {
        refusal = FileGuard.fault(String(cString: path))
        output = Output.inMemory()
    }
    if let refusal {
        reason = refusal
        var writer = JSONWriter(output)
        writer.begin("{")
        writer.field("error", refusal.message)
        writer.field("path", refusal.path)
        writer.field("offset", refusal.offset.map { UInt64($0) })
        writer.end("}")
        output.byte(0x0A)
    }
    guard let made = output.takeText() else { return TICKLOG_NO_MEMORY }
    text.pointee = made
    return reason?.status ?? TICKLOG_OK
}
