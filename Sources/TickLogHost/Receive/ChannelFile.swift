import CPosix
import TickLog

/// A channel's file by its name: `ch<k>_<n>.dat`, with eight digits, so that names sort as the numbers do.
struct ChannelFile {
    static var part: String { ".part" }

    let number: UInt64
    /// It was being written.
    let isPart: Bool

    static func name(_ channel: Int, _ number: UInt64) -> String {
        let digits = "\(number)"
        return "ch\(channel)_" + String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits + ".dat"
    }

    /// Nil if it is none of this channel's.
    init?(_ name: String, channel: Int) {
        let bytes = Array(name.utf8)
        let prefix = Array("ch\(channel)_".utf8)
        var at = prefix.count
        guard bytes.count > at, Array(bytes[..<at]) == prefix else { return nil }
        var number: UInt64 = 0
        let first = at
        while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 {
            guard at - first < 18 else { return nil }
            number = number * 10 + UInt64(bytes[at] - 0x30)
            at += 1
        }
        guard at - first >= 8 else { return nil }
        let end = Array(bytes[at...])
        guard end == Array(".dat".utf8) || end == Array(".dat.part".utf8) else { return nil }
        self.number = number
        isPart = end.count > 4
        // One number has one name.
        guard name == ChannelFile.name(channel, number) + (isPart ? ChannelFile.part : "") else { return nil }
    }

    func path(_ directory: String, _ channel: Int) -> String {
        directory.file(ChannelFile.name(channel, number) + (isPart ? ChannelFile.part : ""))
    }
}

/// What an earlier receiver left in the directory, made ready to go on behind it.
struct EarlierFiles {
    /// Of the next file, or of the one to be continued.
    private(set) var number: UInt64 = 0
    /// The size of a file that was being written, and is continued.
    private(set) var continuing: UInt64?
    /// Bytes of unfinished frames that were cut from its end.
    private(set) var cutBytes: UInt64 = 0
    /// Frames that the channel was told of.
    private(set) var frames: UInt64 = 0

    /// Cuts the torn tail of files that were being written, finishes all of them but the last, and tells the channel which
    /// frames there are, so that none of them is kept twice: those within the channel's `lateLimit` of the newest.
    ///
    /// - Parameters:
    ///   - nextFile: the number to begin with if all files were taken away.
    ///   - lookBack: how many bytes are read again, so that a receiver starts soon whatever there is.
    init(_ directory: String, _ channel: Channel, nextFile: UInt64 = 0, lookBack: UInt64 = 1 << 30) throws(FileError) {
        var files: [ChannelFile] = []
        for name in try names(in: directory) {
            if let file = ChannelFile(name, channel: channel.number) { files.append(file) }
        }
        files.sort { $0.number != $1.number ? $0.number < $1.number : !$0.isPart && $1.isPart }
        guard let newest = files.last else {
            number = nextFile
            return
        }
        number = newest.number + 1
        var whole: [String] = []
        for file in files {
            let path = file.path(directory, channel.number)
            guard file.isPart else {
                whole.append(path)
                continue
            }
            let survey = try Survey(path, channel)
            let size = TickLogHost.size(of: path)
            if survey.end < size {
                guard truncate(path, off_t(survey.end)) == 0 else { throw FileError(path, "cut the torn tail", cposix_errno()) }
                cutBytes += size - survey.end
            }
            let name = directory.file(ChannelFile.name(channel.number, file.number))
            if survey.end == 0 {
                removeFile(path)
                if file.number == newest.number, kind(of: name, following: false) == .missing { number = file.number }
            } else if file.number == newest.number, kind(of: name, following: false) == .missing {
                number = file.number
                continuing = survey.end
                whole.append(path)
            } else {
                // A second file of that number is nothing that a receiver makes: it is left alone.
                guard kind(of: name, following: false) == .missing else { continue }
                guard rename(path, name) == 0 else { throw FileError(name, "rename to it", cposix_errno()) }
                whole.append(name)
            }
        }
        syncDirectory(directory)
        // Finished files may have been taken away; what was in them is not waited for.
        try tell(channel, whole, areAll: files[0].number == 0, lookBack)
    }

    /// Looks at as many of the last files as are needed to know every frame that could come again, or at a part of them:
    /// frames before it are taken for those that came.
    private mutating func tell(_ channel: Channel, _ all: [String], areAll: Bool, _ lookBack: UInt64) throws(FileError) {
        var paths = all
        var found: FrameHeader?
        // A file without a frame tells nothing.
        while let last = paths.last, found == nil {
            found = try Survey(last, channel).last
            if found == nil { paths.removeLast() }
        }
        guard let newest = found else { return }
        var first = paths.count - 1
        var bytes = size(of: paths[first])
        while first > 0 {
            bytes += size(of: paths[first - 1])
            if bytes > lookBack { break }
            if let header = try Survey(paths[first], channel, onlyFirst: true).first {
                // Where the numbers fall, a producer began anew.
                if header.sequence == 0 || header.sequence > newest.sequence { break }
                if newest.sequence - header.sequence >= channel.lateLimit { break }
            }
            first -= 1
        }
        var isFirst = true
        for path in paths[first...] {
            _ = try Survey(path, channel) { header in
                channel.kept(header)
                if isFirst, first > 0 || !areAll { channel.forgetMissing() }
                isFirst = false
                frames += 1
            }
        }
        channel.countAnew()
    }

    /// The frames of one file.
    private struct Survey {
        var first: FrameHeader?
        var last: FrameHeader?
        /// Where the last good frame ends.
        var end: UInt64 = 0

        init(_ path: String, _ channel: Channel, onlyFirst: Bool = false, _ each: (FrameHeader) -> Void = { _ in }) throws(FileError) {
            let file = try MappedFile(path)
            // Also what another receiver took, with a greater limit.
            var scanner = FrameScanner(maxPayload: 1 << 30)
            var at = 0
            var consumed = 0
            while true {
                switch scanner.step(file.bytes.slice(at: at, count: file.bytes.count - at), &consumed) {
                case .needs: return
                case .passed: break
                case .frame(let header):
                    each(header)
                    if first == nil { first = header }
                    last = header
                    end = UInt64(at + consumed)
                    if onlyFirst { return }
                }
                at += consumed
            }
        }
    }
}
