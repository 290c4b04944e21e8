import CTickLog
import Testing
import TickLog

@Suite struct VersionTests {
    @Test func `the library and the header agree`() {
        #expect(String(cString: ticklog_version()) == TICKLOG_VERSION)
        #expect(ticklog_abi() == UInt32(TICKLOG_ABI))
    }
}
