import CTickLog
import TickLog

// The Swift interface and the C one of the same library.
let bytes: [UInt8] = Array("Wikipedia".utf8)
let isRight = Adler32.of(bytes, bytes.count) == 0x11E6_0398 && ticklog_abi() == TICKLOG_ABI
print(isRight ? String(cString: ticklog_version()) : "another library")
