import CPosix
import TickLog

/// The server of the BMS protocol (spec: BMS): many clients send packets of words, which it logs and keeps an image of; others
/// ask it for them. One thread talks with clients, one writes the log, one saves the images.
public final class BMSServer {
    public let options: BMSServerOptions
    public let counts = ServerCounts()
    /// The one that is listened on.
    public let port: UInt16
    /// What was there when it started: records of the log that were applied to the images, and the bytes of one that was
    /// never finished.
    public let replayed: UInt64
    public let cutBytes: UInt64
    let images: SourceImages
    let state: ServerState
    let log: PacketStream?
    let archive: PacketStream?
    let logCounts = LogCounts()
    let archiveCounts = LogCounts()
    let parquetCounts = ParquetCounts()
    private let loop: ServerLoop
    private let wake: EventFlag
    private let locks: [LockFile]
    private let parquetLock: LockFile?
    private let writers: [BMSLogWriter]
    private let saver: ImageSaver?
    private let rotation: ParquetRotation?
    private let parquet: PacketStream?
    private var rotationThread: WorkThread?
    private var threads: [WorkThread] = []
    private var writerThreads: [WorkThread] = []
    private var saverThread: WorkThread?

    /// Loads the images, cuts what a server that was killed left unfinished, applies what its log knows beyond the images, and
    /// listens.
    /// - Throws: damage, or what the system refused: a port that is in use, files of another server, no room.
    public init(_ options: BMSServerOptions) throws(Fault) {
        self.options = options
        let state = ServerState(say: options.say)
        self.state = state
        let wake: EventFlag
        let images = SourceImages()
        self.images = images
        // A file that may not become larger is an error as others are; so is a client that has gone away.
        cposix_ignore(SIGXFSZ)
        cposix_ignore(SIGPIPE)
        let kind: LogFileHeader.Kind = options.legacy ? .legacyPackets : .dataPackets
        do throws(FileError) {
            wake = try EventFlag()
            var locks: [LockFile] = []
            for path in [options.log, options.archive, options.image] {
                if let path { locks.append(try LockFile(path + ".lock", by: "server")) }
            }
            self.locks = locks
            let files = UInt64(options.maxClients) + 64
            let allowed = cposix_allow_files(files)
            if allowed < files {
                options.say("the process may open \(allowed) files, and needs \(files) for \(options.maxClients) clients (ulimit -n): more will be refused")
            }
        } catch { throw Fault(error) }
        self.wake = wake

        var log: PacketStream?
        var archive: PacketStream?
        var writers: [BMSLogWriter] = []
        let earlier = try BMSServer.recover(images, kind, options)
        if let path = options.log, let earlier {
            log = try BMSServer.stream(path, kind, earlier, options, options.ringBytes, logCounts, state, wake, &writers)
        }
        if let path = options.archive {
            let earlier = try EarlierLog(path, kind, from: .max) { (_) throws(Fault) in }
            archive = try BMSServer.stream(path, kind, earlier, options, options.ringBytes / 4, archiveCounts, state, wake, &writers)
        }
        replayed = earlier?.records ?? 0
        cutBytes = earlier?.cutBytes ?? 0
        self.log = log
        self.archive = archive
        self.writers = writers

        do throws(FileError) {
            var saver: ImageSaver?
            if let path = options.image {
                saver = try ImageSaver(images, path, seconds: options.imageSeconds, log: log, state, loop: wake)
            }
            self.saver = saver
            var parquet: PacketStream?
            var rotation: ParquetRotation?
            if let directory = options.parquet {
                if mkdir(directory, 0o777) != 0, cposix_errno() != EEXIST { throw FileError(directory, "create the directory", cposix_errno()) }
                self.parquetLock = try LockFile(directory.file(".ticklog-serve.lock"), by: "server")
                let made = try PacketStream(ringBytes: options.ringBytes / 4, kind: kind, rollBytes: nil)
                parquet = made
                rotation = try ParquetRotation(made, directory, limit: options.rollBytes, parquetCounts, state, told: wake)
            } else {
                parquetLock = nil
            }
            self.parquet = parquet
            self.rotation = rotation
            var port = UInt32(options.port)
            let listener = cposix_bound_socket(options.bind, &port, 1)
            guard listener >= 0 else { throw FileError("tcp " + options.bind + ":\(port)", "listen", -listener) }
            _ = listen(listener, 1024)
            self.port = UInt16(port)
            loop = try ServerLoop(
                options, listener: listener, wake: wake, images, log: log, archive: archive, parquet: parquet, saver: saver, counts, state)
        } catch { throw Fault(error) }
    }

    // MARK: The start

    /// Loads the images, and brings them to where the log ends. Nil: there is no log.
    private static func recover(_ images: SourceImages, _ kind: LogFileHeader.Kind, _ options: BMSServerOptions) throws(Fault) -> EarlierLog? {
        let saved = try load(images, options)
        guard let log = options.log else { return nil }
        let first = saved?.leastPosition?.number ?? 0
        var earlier = try replay(images, log, kind, from: first, options)
        if let saved, let most = saved.mostPosition, most > earlier.position {
            try putAside(saved.path, terminalText(saved.path) + ": the image knows more than the log", options)
            images.forget()
            earlier = try replay(images, log, kind, from: 0, options)
        } else if earlier.begins > max(1, first) {
            options.say("\(terminalText(log)): the log begins with file \(earlier.begins); what was before is not in the images")
        }
        return earlier
    }

    private static func load(_ images: SourceImages, _ options: BMSServerOptions) throws(Fault) -> ImageFile? {
        guard let path = options.image, kind(of: path) != .missing else { return nil }
        let saved: ImageFile
        do throws(Fault) { saved = try ImageFile(path) } catch {
            guard error.kind != .system else { throw error }
            try putAside(path, error.message, options)
            return nil
        }
        for source in saved.sources {
            guard images.load(source) else { throw Fault(FileError(path, "load the image", ENOMEM)) }
        }
        return saved
    }

    private static func putAside(_ path: String, _ reason: String, _ options: BMSServerOptions) throws(Fault) {
        guard rename(path, path + ".bad") == 0 else { throw Fault(FileError(path + ".bad", "rename to it", cposix_errno())) }
        syncDirectory(path.directory)
        options.say(reason + "; it is now \(terminalText(path)).bad, and all of the log is read instead")
    }

    private static func replay(
        _ images: SourceImages, _ path: String, _ kind: LogFileHeader.Kind, from first: UInt64, _ options: BMSServerOptions
    ) throws(Fault) -> EarlierLog {
        let earlier = try EarlierLog(path, kind, from: first) { (record) throws(Fault) in try images.replay(record, kind, path) }
        if earlier.cutBytes > 0 {
            options.say("\(terminalText(path)): \(earlier.cutBytes) bytes of a record that was never finished were cut from its end")
        }
        return earlier
    }

    private static func stream(
        _ path: String, _ kind: LogFileHeader.Kind, _ earlier: EarlierLog, _ options: BMSServerOptions, _ ringBytes: Int,
        _ counts: LogCounts, _ state: ServerState, _ wake: EventFlag, _ writers: inout [BMSLogWriter]
    ) throws(Fault) -> PacketStream {
        do throws(FileError) {
            let stream = try PacketStream(
                ringBytes: ringBytes, kind: kind, rollBytes: options.rollBytes, position: earlier.position, timestamp: earlier.timestamp)
            let writer = BMSLogWriter(
                stream, path, from: earlier.position, syncMilliseconds: options.syncMilliseconds, counts, state, told: wake)
            try writer.open()
            writers.append(writer)
            return stream
        } catch { throw Fault(error) }
    }

    // MARK: Running

    /// Starts all threads.
    public func start() throws(FileError) {
        for writer in writers { writerThreads.append(try WorkThread { writer.run() }) }
        if let saver { saverThread = try WorkThread { saver.run() } }
        if let rotation { rotationThread = try WorkThread { rotation.run() } }
        let loop = loop
        threads.append(try WorkThread { loop.run() })
    }

    /// Nothing more is read. From any thread.
    public func stop() {
        state.stop()
        wake.signal()
    }

    public var isStopping: Bool { state.stoppedNs != nil }

    /// The loop has come round within the last seconds.
    public var isAlive: Bool { monotonicNs() &- loop.passedNs.load() < 5_000_000_000 }

    var imageSaves: UInt64 { saver?.saves.load() ?? 0 }

    /// Something that was received is not where it should be.
    public var hasFailed: Bool { state.hasFailed }

    /// Waits until everything that was received is on the medium, and the images are.
    public func finish() {
        stop()
        // The saver may wait for the loop, and is then sent home.
        saver?.stop()
        for thread in threads { thread.join() }
        threads = []
        saverThread?.join()
        saverThread = nil
        for writer in writers {
            writer.inputEnded.store(true, ordering: .releasing)
            writer.wakeUp()
        }
        rotation?.inputEnded.store(true, ordering: .releasing)
        parquet?.wake.signal()
        for thread in writerThreads { thread.join() }
        writerThreads = []
        rotationThread?.join()
        rotationThread = nil
        if let saver, !saver.saveLast() { state.fail(terminalText(options.image!) + ": the last images could not be saved") }
    }
}
