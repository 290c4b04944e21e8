import CTickLog

/// Everything in a run's files that is not rows, as documents for an `Emitter`.
struct RunDocuments {
    let plan: UnsafePointer<RunPlan>
    let logger: Logger.Pointer
    let epoch: Int64

    private var bcsv: BCSVDocuments { BCSVDocuments(logger: logger, version: plan.pointee.version, epoch: epoch) }
    private var dlf: DLFDocuments { DLFDocuments(logger: logger) }

    func putHeader(_ out: inout Emitter, _ kind: FileKind) {
        if plan.pointee.isDLF {
            dlf.putHeader(&out, kind, tickNanoseconds: plan.pointee.tickNanoseconds)
            return
        }
        let isPolled = kind == .polled
        bcsv.putHeader(
            &out, kind, tickColumn: plan.pointee.tickColumn, columns: isPolled ? plan.pointee.polled.columns : plan.pointee.event.columns,
            rowCodec: isPolled ? plan.pointee.rowCodec : .zoh, fileCodec: isPolled ? plan.pointee.polledCodec : plan.pointee.eventCodec,
            level: plan.pointee.level, packetBytes: plan.pointee.packetBytes)
    }

    func putFooter(_ out: inout Emitter, _ index: PacketIndex, rows: UInt64) {
        BCSVFormat.putFooter(&out, index, rows: rows)
    }

    func putStreams(_ out: inout Emitter) {
        bcsv.putStreams(&out, tickNanoseconds: plan.pointee.tickNanoseconds)
    }

    func putMeta(_ out: inout Emitter, runName: UnsafePointer<CChar>, user config: UnsafePointer<ticklog_run_config>) {
        if plan.pointee.isDLF {
            dlf.putMeta(&out, tickNanoseconds: plan.pointee.tickNanoseconds, user: config)
        } else {
            bcsv.putMeta(
                &out, runName: runName, tickNanoseconds: plan.pointee.tickNanoseconds, polledHash: headerHash(.polled),
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
