func demoCommand() -> Command { Command(name: "demo", summary: "", help: "", options: [], run: { (a) throws(Failure) in 0 }) }
