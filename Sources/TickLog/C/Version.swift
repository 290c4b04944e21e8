import CTickLog

/// The version text, as a C string in the program's constants.
let versionText: StaticString = "1.1.0"

@c @implementation
public func ticklog_version() -> UnsafePointer<CChar>! {
    UnsafeRawPointer(versionText.utf8Start).assumingMemoryBound(to: CChar.self)
}

@c @implementation
public func ticklog_abi() -> UInt32 {
    UInt32(TICKLOG_ABI)
}
