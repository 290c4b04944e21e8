/// The kinds of row encoding, by the file's flags.
public enum BCSVRowCodec { case flat, zoh, delta }

/// The kinds of file encoding, by the file's flags and level.
public enum BCSVFileCodec { case packet, packetLZ4, batch, stream, streamLZ4 }
