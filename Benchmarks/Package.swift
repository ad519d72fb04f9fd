// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// A package of its own, so that nobody who uses the libraries builds it. Each program prints ratios measured in one run; the commands
// are in docs/benchmarks.md.
let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "tjenestebuss", path: ".."),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.1.0"),
  ],
  targets: [
    // What our code is compared with, in C, and a count of what is allocated.
    .target(name: "CBaseline", cSettings: [.unsafeFlags(["-O2"])], linkerSettings: [.linkedLibrary("sqlite3")]),
    .executableTarget(
      name: "registry-benchmark",
      dependencies: [
        "CBaseline", .product(name: "AddressRegistry", package: "tjenestebuss"),
        .product(name: "TjenestebussTesting", package: "tjenestebuss"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]),
    .executableTarget(
      name: "forward-benchmark",
      dependencies: [
        .product(name: "Forwarding", package: "tjenestebuss"), .product(name: "TjenestebussClient", package: "tjenestebuss"),
        .product(name: "AMQP", package: "tjenestebuss"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]),
    .executableTarget(
      name: "watch-benchmark",
      dependencies: [
        .product(name: "BusProbe", package: "tjenestebuss"), .product(name: "AMQP", package: "tjenestebuss"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"), .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]),
    .executableTarget(
      name: "migration-benchmark",
      dependencies: [
        .product(name: "MigrationEngine", package: "tjenestebuss"), .product(name: "AddressRegistry", package: "tjenestebuss"),
        .product(name: "TjenestebussTesting", package: "tjenestebuss"), .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]),
  ])
