import CTickLog
import Foundation
import Testing
import TickLog

@Suite struct StatusTests {
    /// Every status that the header defines, by name.
    static let statuses: [(name: String, value: Int32)] = {
        let header = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("include/ticklog.h")
        let text = try! String(contentsOf: header, encoding: .utf8)
        let section = text.components(separatedBy: "typedef int32_t ticklog_status;")[1].components(separatedBy: "ticklog_status_text")[0]
        return section.matches(of: /#define (TICKLOG_\w+) \(?(-?\d+)\)?/).map { (String($0.1), Int32($0.2)!) }
    }()

    static func text(_ status: Int32) -> String { String(cString: ticklog_status_text(status)) }

    @Test func `every status has a number and a text of its own`() {
        #expect(Self.statuses.count >= 30)
        #expect(Self.statuses.first?.value == 0)
        #expect(Set(Self.statuses.map(\.value)).count == Self.statuses.count)
        var seen: Set<String> = ["unknown status"]
        for status in Self.statuses {
            #expect(seen.insert(Self.text(status.value)).inserted, "\(status.name): \(Self.text(status.value))")
            #expect(status.value <= 0)
        }
    }

    @Test func `a number that is no status says so`() {
        let known = Set(Self.statuses.map(\.value))
        for number in Int32(-200)...200 where !known.contains(number) { #expect(Self.text(number) == "unknown status") }
        for number in [Int32.min, .max] { #expect(Self.text(number) == "unknown status") }
    }

    @Test func `the numbers stay for ever`() {
        let negated = Array(0...18) + Array(20...26) + Array(30...34) + Array(40...42) + [50, 51]
        #expect(Self.statuses.map { Int(-$0.value) } == negated)
    }
}
