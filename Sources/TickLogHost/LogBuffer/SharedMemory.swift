import CPosix
import TickLog

/// POSIX shared memory by name, mapped (spec: PACKETS, 7). It has one owner, who may write and holds a lock on it as long as
/// it lives; all others map it read-only.
final class SharedMemory {
    enum Failure: Error {
        case system(Int32)
        /// Its owner is alive.
        case owned
        /// Another user's, or open to others.
        case foreign
    }

    let start: UnsafeMutableRawPointer
    let count: Int
    /// Of the owner: its lock, and the name to remove.
    private let owned: (file: Int32, name: String)?

    private init(_ start: UnsafeMutableRawPointer, _ count: Int, owned: (file: Int32, name: String)?) {
        self.start = start
        self.count = count
        self.owned = owned
    }

    deinit {
        munmap(start, count)
        if let owned {
            // The lock goes last: who waits for it finds that the name is gone.
            shm_unlink(owned.name)
            close(owned.file)
        }
    }

    /// Creates it with `count` bytes, or takes over one without an owner.
    /// - Parameter isWhole: Whether what was found, and has `count` bytes, can be gone on with. It is asked once.
    /// - Returns: Whether it was.
    static func own(
        _ name: String, count: Int, isWhole: (UnsafeMutableRawPointer) -> Bool
    ) throws(Failure) -> (memory: SharedMemory, isOld: Bool) {
        // Others may create and remove the name meanwhile, each of which ends one try.
        for _ in 0..<16 {
            var file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
            let isNew = file >= 0
            if !isNew {
                guard cposix_errno() == EEXIST else { throw .system(cposix_errno()) }
                file = shm_open(name, O_RDWR, 0)
                if file < 0, cposix_errno() == ENOENT { continue }
                guard file >= 0 else { throw .system(cposix_errno()) }
            }
            var isKept = false
            defer { if !isKept { close(file) } }
            var found = stat()
            guard fstat(file, &found) == 0 else { throw .system(cposix_errno()) }
            guard found.st_uid == geteuid(), found.st_mode & 0o77 == 0 else { throw .foreign }
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                guard cposix_errno() == EWOULDBLOCK else { throw .system(cposix_errno()) }
                if isNew { continue }
                throw .owned
            }
            // Between opening and locking its owner may have removed it.
            guard fstat(file, &found) == 0 else { throw .system(cposix_errno()) }
            if found.st_nlink == 0 { continue }
            if isNew {
                do throws(Failure) {
                    guard fchmod(file, 0o600) == 0 else { throw .system(cposix_errno()) }
                    let start = try reserve(file, count)
                    isKept = true
                    return (SharedMemory(start, count, owned: (file, name)), false)
                } catch {
                    shm_unlink(name)
                    throw error
                }
            }
            if found.st_size == off_t(count) {
                let start = try reserve(file, count)
                if isWhole(start) {
                    isKept = true
                    return (SharedMemory(start, count, owned: (file, name)), true)
                }
                munmap(start, count)
            }
            // The lock is still held: the name is that of this file.
            shm_unlink(name)
        }
        throw .system(EAGAIN)
    }

    /// Takes the bytes from the medium, so that none is missing later, and maps them.
    private static func reserve(_ file: Int32, _ count: Int) throws(Failure) -> UnsafeMutableRawPointer {
        let status = posix_fallocate(file, 0, off_t(count))
        guard status == 0 else { throw .system(status) }
        return try map(file, count, PROT_READ | PROT_WRITE)
    }

    private static func map(_ file: Int32, _ count: Int, _ use: Int32) throws(Failure) -> UnsafeMutableRawPointer {
        let start = mmap(nil, count, use, MAP_SHARED, file, 0)
        guard let start, UInt(bitPattern: start) != UInt.max else { throw .system(cposix_errno()) }
        return start
    }

    /// Maps it read-only, all its bytes, but no more than `most`.
    static func view(_ name: String, most: Int) throws(Failure) -> SharedMemory {
        let file = shm_open(name, O_RDONLY, 0)
        guard file >= 0 else { throw .system(cposix_errno()) }
        defer { close(file) }
        var found = stat()
        guard fstat(file, &found) == 0 else { throw .system(cposix_errno()) }
        let count = Int(min(max(found.st_size, 0), off_t(most)))
        // One that is being made has no bytes yet.
        guard count > 0 else { throw .system(ENODATA) }
        return SharedMemory(try map(file, count, PROT_READ), count, owned: nil)
    }
}
