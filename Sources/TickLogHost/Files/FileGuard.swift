import CPosix

/// Mapped files that become shorter while they are read. For a command it is right that this ends the process, with SIGBUS;
/// for a library in somebody's program it is not: once the guard is on, readers find zeros there, which they take for damage
/// as they take all that they read for hostile, and the file tells that it is shorter.
public enum FileGuard {
    /// From now on, and for good: installs a handler of SIGBUS, which hands on what is not its own. Files that were mapped
    /// before are not guarded.
    public static func begin() { cposix_guard_install() }

    /// As `begin`, and forgets what this thread has found so far.
    static func watch() {
        begin()
        cposix_guard_forget()
    }

    /// Since `watch`, this thread has looked at what is missing of a file. Without a guard never.
    static var hasFoundShorter: Bool { cposix_guard_has_found() != 0 }

    /// What there is to say of it.
    static func fault(_ path: String) -> Fault {
        Fault(.damaged, path, at: nil, "found a file that became shorter while it was read, expected the bytes that it had")
    }

    /// A place for a mapping; -1: it is not guarded.
    static func add(_ start: UnsafeRawPointer, _ bytes: Int) -> Int32 {
        cposix_guard_is_on() != 0 ? cposix_guard_add(start, bytes) : -1
    }

    static func isShorter(_ place: Int32) -> Bool { cposix_guard_is_shorter(place) != 0 }

    /// Before it is unmapped.
    static func remove(_ place: Int32) { cposix_guard_remove(place) }
}
