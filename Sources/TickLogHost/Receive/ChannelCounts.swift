import TickLog

/// What a channel has counted. Written by its two threads, each number by one of them; read by anyone, at any time.
public final class ChannelCounts: Sendable {
    // By the receive thread.
    /// Bytes that came, whatever they were.
    public let taken = Published64()
    /// Frames that were accepted, and their bytes.
    public let frames = Published64()
    public let bytes = Published64()
    public let gaps = Published64()
    public let missing = Published64()
    public let late = Published64()
    public let duplicates = Published64()
    public let restarts = Published64()
    public let headerCRC = Published64()
    public let versions = Published64()
    public let lengths = Published64()
    public let payloadCRC = Published64()
    public let skippedBytes = Published64()
    /// Bytes of frames that were never finished.
    public let truncated = Published64()
    public let wrongStream = Published64()
    public let kernelDrops = Published64()
    public let connections = Published64()
    /// Connections that were one too many, and those that were closed because they sent nothing.
    public let refused = Published64()
    public let idleClosed = Published64()
    /// How often there was no room: nothing was read until there was.
    public let pauses = Published64()

    // By the write thread.
    public let writtenBytes = Published64()
    public let files = Published64()
    public let complete = Published64()
    public let incomplete = Published64()
    public let missingChunks = Published64()
    public let unassembled = Published64()
    /// How often the medium refused what was written, and frames and bytes that were given up for it at the end.
    public let refusals = Published64()
    public let unwrittenFrames = Published64()
    public let unwrittenBytes = Published64()
}
