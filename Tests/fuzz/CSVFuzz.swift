// modules: TickLog TickLogHost
// seeds: Tests/fuzz/csv/*
// Any bytes as CSV and as JSON Lines, by all options that change how they are read: dialect, types and every cell.
import CPosix
import TickLog
import TickLogHost

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    readText(UnsafeRawBufferPointer(start: data, count: size))
    return 0
}
