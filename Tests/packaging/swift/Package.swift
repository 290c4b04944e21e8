// swift-tools-version: 6.0
import Foundation
import PackageDescription

// A package that depends on a checkout of TickLog, which is at TICKLOG.
let package = Package(
    name: "Consumer",
    dependencies: [.package(name: "ticklog", path: ProcessInfo.processInfo.environment["TICKLOG"]!)],
    targets: [.executableTarget(name: "Consumer", dependencies: [.product(name: "TickLog", package: "ticklog")])]
)
