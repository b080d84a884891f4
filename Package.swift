// swift-tools-version: 6.2
// Ferrite's targets, bottom to top. Imports point down only: `Tools/check` proves it from this file.
import PackageDescription

/// The one settings constant that every Swift target shares (docs/DECISIONS.md, D1).
let settings: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableExperimentalFeature("Lifetimes"),
  .treatAllWarnings(as: .error),
  .unsafeFlags(
    ["-cross-module-optimization", "-enforce-exclusivity=unchecked"],
    .when(configuration: .release)),
]

func target(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "ferrite",
  products: [
    .executable(name: "ferrite-server", targets: ["ferrite-server"]),
    .executable(name: "ferrite", targets: ["ferrite"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .target(name: "CSystem", cSettings: [.unsafeFlags(["-O2"])]),
    .systemLibrary(name: "CLiburing", pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),
    .systemLibrary(name: "CPmem2", pkgConfig: "libpmem2", providers: [.apt(["libpmem2-dev"])]),
    .systemLibrary(name: "CLZF", pkgConfig: "liblzf", providers: [.apt(["liblzf-dev"])]),
    target("Bytes", ["CSystem", "CLZF"]),
    target("Platform", ["CSystem", "CLiburing", "Bytes"]),
    target("Memory", ["CSystem"]),
    target("Structures", ["CSystem", "Memory", "Bytes"]),
    target("Storage", ["CSystem", "CPmem2", "Memory", "Platform", "Bytes"]),
    target("Keyspace", ["Structures", "Memory", "Bytes"]),
    target("Simulation", ["CSystem", "Storage", "Platform"]),
    .executableTarget(
      name: "ferrite",
      dependencies: ["Keyspace", "Storage", "Memory", "Platform", arguments],
      swiftSettings: settings),
    target("RESP", ["Bytes"]),
    target("Persistence", ["Keyspace", "Structures", "Memory", "Bytes"]),
    target("Commands", ["Persistence", "Keyspace", "RESP", "Bytes"]),
    target(
      "Server",
      [
        "Commands", "Persistence", "Keyspace", "Storage", "Memory", "RESP", "Platform", "Bytes",
        logging,
      ]),
    .executableTarget(
      name: "ferrite-server", dependencies: ["Server"], swiftSettings: settings),
    tests("BytesTests", ["Bytes"]),
    tests("PlatformTests", ["Platform", "Bytes", "CSystem"]),
    tests("MemoryTests", ["Memory", "CSystem"]),
    tests(
      "StorageTests", ["Storage", "Simulation", "Memory", "Platform", "Bytes", "CSystem"]),
    tests("RESPTests", ["RESP", "Bytes"]),
    .testTarget(
      name: "CommandsTests",
      dependencies: ["Commands", "Keyspace", "Structures", "Memory", "RESP", "Bytes"],
      exclude: ["judge-transcripts"], swiftSettings: settings),
    tests("StructuresTests", ["Structures", "Memory", "Bytes"]),
    tests("KeyspaceTests", ["Keyspace", "Structures", "Memory", "Bytes"]),
    tests("PersistenceTests", ["Persistence", "Keyspace", "Structures", "Memory", "Bytes"]),
    tests(
      "CrashTests",
      [
        "Commands", "Keyspace", "Structures", "Storage", "Simulation", "Memory", "RESP",
        "Platform", "Bytes",
      ]),
    tests("ServerTests", ["Server", "Platform", "RESP", "Bytes", logging]),
  ],
  swiftLanguageModes: [.v6]
)
