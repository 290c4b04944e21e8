// swift-tools-version: 6.0
import PackageDescription

// A package that uses the installed shared library, which pkg-config finds.
let package = Package(
    name: "Consumer",
    targets: [
        .systemLibrary(name: "CTickLog", pkgConfig: "ticklog"),
        .executableTarget(name: "Consumer", dependencies: ["CTickLog"]),
    ]
)
