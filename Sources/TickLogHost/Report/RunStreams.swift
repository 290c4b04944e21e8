import TickLog

extension Run {
    /// The streams of its polled and its event file.
    public var allStreams: [RunStream] {
        if directory.format == .bcsv { return streams }
        var streams: [RunStream] = []
        if let polled = try? polled() { streams += polled.streams }
        if let events = try? events() { streams += events.streams }
        return streams
    }

    /// The name of the stream that a loss is of. In a DLF run it counts the polled file's streams, then the event file's.
    /// `streams`: those of `allStreams`.
    public func streamName(_ index: Int, of streams: [RunStream]) -> String {
        if directory.format == .bcsv {
            for stream in streams where stream.index == index { return stream.name }
        } else if index < streams.count {
            return streams[index].name
        }
        return "stream \(index)"
    }
}

extension FileSummary {
    /// The streams of a DLF run's files with what the files have of them; of other runs without.
    public static func described(
        _ streams: [RunStream], by files: [FileSummary]
    ) -> [(stream: RunStream, survey: DLFSurvey.Stream?)] {
        var surveyed: [DLFSurvey.Stream] = []
        for file in files { if let survey = file.survey { surveyed += survey.streams } }
        let areKnown = surveyed.count == streams.count
        var described: [(stream: RunStream, survey: DLFSurvey.Stream?)] = []
        for i in 0..<streams.count { described.append((streams[i], areKnown ? surveyed[i] : nil)) }
        return described
    }
}
