import TickLog

/// The values of `tick_span` that a run's files are to have (spec: 4.2, 4.3; DLF.md, section 4).
///
/// A value that is stored is kept where the data agree with it. A run that has LOCK, or whose polled file overflowed, may
/// hold any bytes there; such a value counts only if the length of the polled data confirms it. TickLog writes 0 and then
/// what was flushed, and is to be told by its `loss.dlf`.
public struct DLFSpans: Equatable {
    public var polled: UInt64 = 0
    public var event: UInt64 = 0
    public var loss: UInt64 = 0

    /// `event` and `loss` are nil if there is no such file, or none with a whole header.
    init(polled: DLFSurvey?, event: DLFSurvey?, loss: DLFSurvey?, isLocked: Bool) {
        let lastEvent = event?.lastTick ?? 0
        let lastLoss = loss?.lastTick ?? 0
        let last = max(lastEvent, lastLoss)
        var stored: [UInt64] = []
        for file in [polled, event, loss] { if let file, file.header == .whole, let span = file.tickSpan { stored.append(span) } }

        guard let polled, polled.streamCount > 0 else {
            // Nothing but the events tells the time.
            var common = last
            if loss?.header == .whole {
                for span in stored { common = max(common, span) }
            } else if !isLocked, let polled, polled.header == .whole, let span = polled.tickSpan {
                common = max(common, span)
            }
            (self.polled, self.event, self.loss) = (common, common, common)
            return
        }
        // One value for all, if there is one that all data agree with.
        let own = polled.lastTick ?? 0
        for span in stored + [own, last] where span >= last && polled.agrees(with: span) {
            (self.polled, self.event, self.loss) = (span, span, span)
            return
        }
        self.polled = own
        if polled.header == .whole, let span = polled.tickSpan, polled.agrees(with: span) { self.polled = span }
        self.event = max(self.polled, lastEvent)
        self.loss = max(self.event, lastLoss)
    }

    /// Whether the values that a closed run has stored can stay, though they may differ.
    static func isSettled(polled: DLFSurvey, event: DLFSurvey, loss: DLFSurvey?) -> Bool {
        guard let span = polled.tickSpan, polled.agrees(with: span), let eventSpan = event.tickSpan else { return false }
        func agrees(_ file: DLFSurvey, floor: UInt64) -> Bool {
            guard let own = file.tickSpan, file.agrees(with: own) else { return false }
            return own == span || own == max(floor, file.lastTick ?? 0) || (polled.streamCount > 0 && polled.agrees(with: own))
        }
        guard agrees(event, floor: span) else { return false }
        if let loss { return agrees(loss, floor: max(span, eventSpan)) }
        return true
    }
}

extension DLFSpans {
    /// Whether a closed run is one of TickLog on storage that can only append, where `tick_span` stays 0 (spec: 4.2). No other
    /// writer has a `loss.dlf`; dlflib's runs that have overflowed have none.
    static func areUnwritable(polled: DLFSurvey, event: DLFSurvey, loss: DLFSurvey?) -> Bool {
        guard let loss, loss.streams.count == 1, loss.streams[0].name == "ticklog.loss" else { return false }
        for file in [polled, event, loss] where file.header != .whole || file.tickSpan != 0 { return false }
        return true
    }
}

extension DLFSurvey {
    /// What `tick_span` should be as far as this file alone tells. `isLocked`: LOCK lies beside it.
    public func spanAlone(isLocked: Bool) -> UInt64 {
        if let tickSpan, agrees(with: tickSpan), !isLocked || (role == .polled && streamCount > 0) { return tickSpan }
        return lastTick ?? 0
    }
}

extension DLFRepair {
    /// Of one file, whatever run it is of.
    public init(alone survey: DLFSurvey, isLocked: Bool) throws(Fault) {
        if survey.header == .bad, let fault = survey.fault { throw fault }
        let span = survey.spanAlone(isLocked: isLocked)
        let isTouched = survey.fault != nil || survey.tickSpan != span
        self.init(survey, tickSpan: span, isWritten: isTouched)
    }
}
