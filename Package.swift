// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "TickLog",
    products: [
        // The core alone: what bare-metal targets link.
        .library(name: "TickLog", type: .static, targets: ["TickLog"]),
        // The core and POSIX storage, receiver, server, converters: what Linux targets link.
        .library(name: "TickLogHost", type: .static, targets: ["TickLogHost"]),
        // The whole command as a library, for the cross builds, which link the executable themselves.
        .library(name: "TickLogTool", type: .static, targets: ["TickLogTool"]),
        .executable(name: "ticklog", targets: ["TickLogMain"]),
    ],
    targets: [
        .systemLibrary(name: "CTickLog", path: "include"),
        .systemLibrary(name: "CLZ4", path: "Sources/CLZ4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CXXHash", path: "Sources/CXXHash", providers: [.apt(["libxxhash-dev"])]),
        .systemLibrary(name: "CCRC32C", path: "Sources/CCRC32C"),
        .systemLibrary(name: "CPosix", path: "Sources/CPosix"),
        .systemLibrary(name: "CKafka", path: "Sources/CKafka"),
        .target(name: "TickLog", dependencies: ["CTickLog", "CLZ4", "CXXHash", "CCRC32C"]),
        .target(name: "TickLogHost", dependencies: ["TickLog", "CTickLog", "CPosix", "CXXHash", "CLZ4", "CKafka"]),
        .target(name: "TickLogTool", dependencies: ["TickLogHost", "TickLog", "CTickLog", "CPosix"]),
        .executableTarget(name: "TickLogMain", dependencies: ["TickLogTool", "CPosix"]),
        .testTarget(name: "TickLogTests", dependencies: ["TickLog", "TickLogHost", "CTickLog", "CXXHash", "CPosix"]),
        // Runs the built command as a process.
        .testTarget(name: "TickLogToolTests", dependencies: ["TickLogMain"]),
    ]
)
