import TickLog
import TickLogHost

func queryCommand() -> Command {
    Command(
        name: "query", summary: "asks a BMS server for values",
        help: """
            Usage: ticklog query HOST:PORT --source TYPE:ID --offsets LIST [OPTION]...

            Prints the newest values of words of a source, a line each: offset and value. A word that never came is 0.

              --source TYPE:ID  unknown, sbmu, rack or rtos, and 0 to 255, as rack:2
              --offsets LIST    offsets and ranges of them, decimal or behind 0x: 0x1000,0x1001,0x2000-0x2010
              --token-file F    the secret that the server asks for: the first line of F, which only its owner may read
              --timeout-ms N    how long it may take; 5000 by default
              --json            one JSON object
              --help, --version

            Examples:
              ticklog query 127.0.0.1:9000 --source rack:2 --offsets 0x1000,0x1001
              ticklog query 127.0.0.1:9000 --source rack:2 --offsets 0-0xffff --json

            """,
        options: [
            Option("source", takesValue: true), Option("offsets", takesValue: true), Option("token-file", takesValue: true),
            Option("timeout-ms", takesValue: true), Option("json"),
        ],
        run: { (arguments) throws(Failure) in try query(arguments) })
}

private func query(_ arguments: Arguments) throws(Failure) -> Int32 {
    let endpoint = try endpoint(try arguments.operand("HOST:PORT"))
    let source = try arguments.oneSource()
    guard let ranges = try arguments.offsetRanges() else { throw .usage("found no --offsets, expected some, as 0x1000,0x1001") }
    var count = 0
    for range in ranges { count += range.count }
    guard count <= PacketWords.most else { throw .usage("--offsets: found \(count) offsets, expected at most \(PacketWords.most)") }
    var offsets: [UInt16] = []
    for range in ranges { offsets += range }
    let milliseconds = try arguments.timeLimit()
    let token = try arguments.token()
    let values: [UInt16]
    do throws(ClientError) {
        let client = try PacketClient(endpoint, milliseconds: milliseconds, token: token)
        values = try client.query(source, offsets)
    } catch {
        throw Failure(error)
    }
    let output = Output(descriptor: 1)
    if arguments.has("json") {
        var writer = JSONWriter(output)
        writer.begin("{")
        writer.field("source", source.text)
        writer.field("type", UInt64(source.type))
        writer.field("id", UInt64(source.id))
        writer.key("words")
        writer.begin("[")
        for i in 0..<offsets.count {
            writer.begin("{")
            writer.field("offset", UInt64(offsets[i]))
            writer.field("value", UInt64(values[i]))
            writer.end("}")
        }
        writer.end("]")
        writer.end("}")
        output.byte(0x0A)
    } else {
        for i in 0..<offsets.count { output.line(offsetText(offsets[i]) + " \(values[i])") }
    }
    try output.finish()
    return Exit.ok
}
