import Synchronization
import TickLog

/// The thread that saves the images every now and then, while the loop goes on: it asks for one image after another, the
/// loop copies it, which takes microseconds, and says where in the log it is. The file takes its place when the log is on
/// the medium up to there: an image never knows more than the log.
final class ImageSaver {
    private let images: SourceImages
    private let path: String
    private let intervalNs: UInt64
    private let log: PacketStream?
    private let state: ServerState
    private let loop: EventFlag
    private let answered: EventFlag
    private let copy: UnsafeMutableRawPointer

    /// The source that is asked for, and one more; -1: which sources there are; 0: nothing, or it was answered.
    private let asked = Atomic<Int>(0)
    @exclusivity(unchecked) private var known: [Int] = []
    @exclusivity(unchecked) private var position = LogPosition(number: 0, offset: 0)
    @exclusivity(unchecked) private var appended: UInt64 = 0
    @exclusivity(unchecked) private var savedApplied: UInt64 = .max
    @exclusivity(unchecked) private var hasRefused = false
    /// The loop has ended: images stand still.
    private let loopEnded = Atomic<Bool>(false)
    private let isStopping = Atomic<Bool>(false)
    let saves = Published64()

    init(
        _ images: SourceImages, _ path: String, seconds: UInt64, log: PacketStream?, _ state: ServerState, loop: EventFlag
    ) throws(FileError) {
        self.images = images
        self.path = path
        intervalNs = seconds &* 1_000_000_000
        self.log = log
        self.state = state
        self.loop = loop
        answered = try EventFlag()
        copy = .allocate(byteCount: SourceImages.imageBytes, alignment: 64)
    }

    deinit { copy.deallocate() }

    /// The loop: copies what is asked for.
    func serve() {
        let index = asked.load(ordering: .acquiring) - 1
        guard index != -1 else { return }
        if index < 0 {
            known = []
            for i in 0..<SourceImages.count where images.sources[i].words != nil { known.append(i) }
        } else if let words = images.sources[index].words {
            copy.copyMemory(from: words, byteCount: SourceImages.imageBytes)
        }
        if let log {
            log.publish()
            position = log.position
            appended = log.appended
        }
        asked.store(0, ordering: .releasing)
        answered.signal()
    }

    /// The thread, until it is stopped.
    func run() {
        var savedAt = monotonicNs()
        while !isStopping.load(ordering: .acquiring) {
            answered.wait(milliseconds: 100)
            guard intervalNs > 0, monotonicNs() &- savedAt >= intervalNs else { continue }
            save()
            savedAt = monotonicNs()
        }
    }

    /// Ends the thread; it may be in the middle of a file, which it gives up.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        answered.signal()
    }

    /// When the loop and the log's writer have ended: saves what is there then. False: it could not.
    func saveLast() -> Bool {
        isStopping.store(false, ordering: .relaxed)
        loopEnded.store(true, ordering: .relaxed)
        return save()
    }

    @discardableResult
    private func save() -> Bool {
        let applied = images.applied.load()
        if applied == savedApplied { return true }
        do throws(FileError) {
            guard ask(-1) else { return false }
            // A source that comes meanwhile is in the next file.
            let indices = known
            let file = try ImageFileWriter(path, count: indices.count)
            var furthest: UInt64 = 0
            for index in indices {
                guard ask(index + 1) else {
                    file.discard()
                    return false
                }
                furthest = max(furthest, appended)
                try file.add(type: UInt8(index >> 8), id: UInt8(index & 255), position: position, words: copy)
            }
            // Not more than the log has. While that cannot be written, the old image stays.
            while let log, log.released.load() < furthest {
                if isStopping.load(ordering: .acquiring) || loopEnded.load(ordering: .relaxed) {
                    file.discard()
                    return false
                }
                pause(milliseconds: 10)
            }
            try file.commit()
            savedApplied = applied
            saves.add(1)
            if hasRefused { state.say(terminalText(path) + ": images are saved again") }
            hasRefused = false
            return true
        } catch {
            if !hasRefused { state.say(Fault(error).message + "; images are saved when it can be written") }
            hasRefused = true
            return false
        }
    }

    /// Gets an answer from the loop. False: it was told to stop.
    private func ask(_ question: Int) -> Bool {
        asked.store(question, ordering: .releasing)
        if loopEnded.load(ordering: .relaxed) {
            serve()
            return true
        }
        loop.signal()
        while asked.load(ordering: .acquiring) != 0 {
            if isStopping.load(ordering: .acquiring) { return false }
            answered.wait(milliseconds: 100)
        }
        return true
    }
}
