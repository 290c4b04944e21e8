import CTickLog

/// Everything in a run's files that is not rows, as documents for an `Emitter`.
struct RunDocuments {
    let plan: RunPlan
    let logger: Logger.Pointer
    let epoch: Int64

    private var bcsv: BCSVDocuments { BCSVDocuments(logger: logger, version: plan.version, epoch: epoch) }
    private var dlf: DLFDocuments { DLFDocuments(logger: logger) }

    func putHeader(_ out: inout Emitter, _ kind: FileKind) {
        if plan.isDLF {
            dlf.putHeader(&out, kind, tickNanoseconds: plan.tickNanoseconds)
            return
        }
        let isPolled = kind == .polled
        bcsv.putHeader(
            &out, kind, tickColumn: plan.tickColumn, columns: isPolled ? plan.polled.columns : plan.event.columns,
            isFlat: isPolled && plan.isFlat, level: isPolled ? plan.polledLevel : plan.eventLevel,
            packetBytes: plan.packetBytes)
    }

    func putFooter(_ out: inout Emitter, _ packets: PacketWriter) {
        bcsv.putFooter(&out, packets.index, rows: packets.rowCount)
    }

    func putStreams(_ out: inout Emitter) {
        bcsv.putStreams(&out, tickNanoseconds: plan.tickNanoseconds)
    }

    func putMeta(_ out: inout Emitter, runName: UnsafePointer<CChar>, user config: UnsafePointer<ticklog_run_config>) {
        if plan.isDLF {
            dlf.putMeta(&out, tickNanoseconds: plan.tickNanoseconds, user: config)
        } else {
            bcsv.putMeta(
                &out, runName: runName, tickNanoseconds: plan.tickNanoseconds, polledHash: headerHash(.polled),
                eventHash: headerHash(.event), user: config)
        }
    }

    private func headerHash(_ kind: FileKind) -> UInt64 {
        var out = Emitter.measuring()
        putHeader(&out, kind)
        return out.hashed()
    }

    func headerBytes(_ kind: FileKind) -> Int {
        var out = Emitter.measuring()
        putHeader(&out, kind)
        return out.position
    }
}
