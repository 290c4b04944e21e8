import CPosix
import CZlib

/// zlib, found when it is first needed: a machine without it runs everything else.
final class GzipLibrary {
    let functions: czlib

    init(for path: String) throws(Fault) {
        var functions = czlib()
        let reason = UnsafeMutablePointer<CChar>.allocate(capacity: 512)
        defer { reason.deallocate() }
        guard czlib_load(&functions, "libz.so.1", reason, 512) == 0 else {
            throw Fault(
                .system, path, at: nil,
                "gzip needs the library libz.so.1: install it (apt install zlib1g). The loader says: " + String(cString: reason))
        }
        self.functions = functions
    }
}
