// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// Every target is built in Swift 6 language mode (the default of this tools version), with warnings as errors.
let houseRules: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
]

// The core and its simulated world are optimised in debug builds too: the tests play thousands of histories, and most of their time was these two.
// No product for vendors contains them, so that a version of this package can be depended on.
let played: [SwiftSetting] = houseRules + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
  name: "tjenestebuss",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "AMQP", targets: ["AMQP"]),
    .library(name: "AddressRegistry", targets: ["AddressRegistry"]),
    .library(name: "TjenestebussClient", targets: ["TjenestebussClient"]),
    .library(name: "TjenestebussTesting", targets: ["TjenestebussTesting"]),
    // For Benchmarks/, not for vendors.
    .library(name: "Forwarding", targets: ["Forwarding"]),
    .library(name: "BusProbe", targets: ["BusProbe"]),
    .library(name: "MigrationEngine", targets: ["MigrationEngine"]),
    .executable(name: "bus-migrator", targets: ["bus-migrator"]),
    .executable(name: "bus-pinger", targets: ["bus-pinger"]),
    .executable(name: "rehearsal", targets: ["rehearsal"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.14.0"),
    .package(url: "https://github.com/apple/swift-metrics.git", from: "2.5.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-collections.git", from: "1.3.0"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.1.0"),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.10.0"),
    .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0"),
    .package(url: "https://github.com/apple/swift-http-types.git", from: "1.6.0"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
    .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0", traits: []),
  ],
  targets: [
    // The rooms, from the ground up: a target imports only what stands above it (CONTRIBUTING.md has the map).
    .systemLibrary(name: "CProton", providers: [.apt(["libqpid-proton11-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "Disclosure", swiftSettings: houseRules),
    .target(
      name: "SQLiteFile", dependencies: [.product(name: "GRDB", package: "GRDB.swift")], swiftSettings: houseRules),
    .target(
      name: "AMQP",
      dependencies: [
        "CProton", "Disclosure",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: houseRules),
    .target(
      name: "BusModel",
      dependencies: ["Disclosure", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: houseRules),
    .target(
      name: "AddressRegistry",
      dependencies: [
        "BusModel", "Disclosure", "CZlib", "SQLiteFile",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: houseRules),
    .target(
      name: "TjenestebussClient",
      dependencies: [
        "AMQP", "BusModel", "AddressRegistry", "Disclosure",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: houseRules),
    .target(
      name: "BusProbe",
      dependencies: [
        "AMQP", "BusModel", "AddressRegistry", "TjenestebussClient", "Disclosure",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: houseRules),
    // Carries stranded messages from one bus to another: the only room that may take from a party's queue.
    .target(
      name: "Forwarding",
      dependencies: [
        "AMQP", "BusModel", "TjenestebussClient", "Disclosure",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: houseRules),
    .target(
      name: "Migration", dependencies: ["BusModel", "Disclosure", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: played),
    .target(
      name: "MigrationStore",
      dependencies: [
        "Migration", "BusModel", "Disclosure", "SQLiteFile",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: houseRules),
    // The pilot report: figures from events, pages from figures. No IO, clock or random.
    .target(
      name: "MigrationReport",
      dependencies: ["Migration", "BusModel", "Disclosure", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: houseRules),
    .target(
      name: "MigrationEngine",
      dependencies: [
        "Migration", "MigrationStore", "BusModel", "AddressRegistry", "BusProbe", "Disclosure",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: houseRules),
    // Tells people what begins and what ends: webhooks, mail, programs.
    .target(
      name: "Telling",
      dependencies: [
        "Migration", "MigrationEngine", "BusModel", "Disclosure", "SQLiteFile",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      swiftSettings: houseRules),
    .target(
      name: "OrderlyService",
      dependencies: [
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: houseRules
    ),
    .target(
      name: "TjenestebussTesting",
      dependencies: [
        "AMQP", "BusModel", "AddressRegistry", "TjenestebussClient", "Disclosure", "CZlib", "OrderlyService",
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      resources: [
        .embedInCode("AddressRegister/Contract/communication-party.wsdl"),
        .embedInCode("AddressRegister/Contract/communication-party.xsd"), .embedInCode("AddressRegister/Contract/common.xsd"),
        .embedInCode("AddressRegister/Contract/arrays.xsd"), .embedInCode("AddressRegister/Contract/pairs.xsd"),
      ],
      swiftSettings: houseRules),
    .executableTarget(
      name: "bus-migrator",
      dependencies: [
        "MigrationEngine", "MigrationStore", "MigrationReport", "Migration", "Forwarding", "Telling", "BusProbe",
        "TjenestebussClient", "AddressRegistry", "BusModel", "AMQP", "Disclosure", "OrderlyService",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Yams", package: "Yams"),
      ],
      // The dashboard: no build step, nothing beside the program.
      resources: [
        .embedInCode("Dashboard/Page/page.html"), .embedInCode("Dashboard/Page/page.css"),
        .embedInCode("Dashboard/Page/words.json"), .embedInCode("Dashboard/Page/main.js"),
        .embedInCode("Dashboard/Page/language.js"), .embedInCode("Dashboard/Page/wire.js"),
        .embedInCode("Dashboard/Page/model.js"), .embedInCode("Dashboard/Page/board.js"),
        .embedInCode("Dashboard/Page/details.js"), .embedInCode("Dashboard/Page/actions.js"),
        .embedInCode("Dashboard/Page/plots.js"), .embedInCode("Dashboard/Page/reports.js"),
      ],
      swiftSettings: houseRules),
    .executableTarget(
      name: "bus-pinger",
      dependencies: [
        "BusProbe", "MigrationStore", "Migration", "TjenestebussClient", "AddressRegistry", "BusModel", "AMQP", "Disclosure",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: houseRules),
    .target(
      name: "MigrationSimulation", dependencies: ["Migration", "BusModel"],
      swiftSettings: played),
    .executableTarget(
      name: "simulator",
      dependencies: ["MigrationSimulation", "Migration", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: houseRules),
    // What a disk keeps of unsynced writes when the power goes; tools/power-cut records them.
    .target(name: "PowerCut", swiftSettings: houseRules),
    .executableTarget(
      name: "rehearsal",
      dependencies: [
        "TjenestebussTesting", "TjenestebussClient", "AddressRegistry", "BusModel", "AMQP", "Migration", "MigrationStore",
        "Forwarding", "PowerCut", "Disclosure",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: houseRules),

    // Programs that share no line with ours, for tests to run.
    .target(name: "ForeignPrograms", path: "Tests/ForeignPrograms", swiftSettings: houseRules),
    // A line of their own for tests that compute, so that those that wait for somebody get their turn.
    .target(name: "Computing", path: "Tests/Computing", swiftSettings: houseRules),
    .testTarget(
      name: "AMQPTests",
      dependencies: [
        "Computing", "AMQP",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "MetricsTestKit", package: "swift-metrics"),
        .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: houseRules),
    .testTarget(name: "DisclosureTests", dependencies: ["Disclosure"], swiftSettings: houseRules),
    .testTarget(
      name: "BusModelTests", dependencies: ["BusModel", "Disclosure", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: houseRules),
    .testTarget(
      name: "AddressRegistryTests",
      dependencies: [
        "Computing", "AddressRegistry", "BusModel", "Disclosure", "TjenestebussTesting", "ForeignPrograms",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
      ],
      swiftSettings: houseRules),
    .testTarget(
      name: "TjenestebussClientTests",
      dependencies: [
        "TjenestebussClient", "TjenestebussTesting", "AddressRegistry", "BusModel", "AMQP",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "MetricsTestKit", package: "swift-metrics"),
        .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: houseRules),
    .testTarget(
      name: "BusProbeTests",
      dependencies: [
        "Computing", "BusProbe", "TjenestebussTesting", "TjenestebussClient", "AddressRegistry", "BusModel", "AMQP", "Disclosure",
        "ForeignPrograms",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      swiftSettings: houseRules),
    .testTarget(
      name: "ForwardingTests",
      dependencies: [
        "Computing", "Forwarding", "TjenestebussTesting", "TjenestebussClient", "BusModel", "AMQP", "Disclosure",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: houseRules),
    .testTarget(
      name: "MigrationSimulationTests", dependencies: ["Computing", "MigrationSimulation", "Migration", "BusModel"],
      swiftSettings: houseRules),
    .testTarget(name: "MigrationTests", dependencies: ["Computing", "Migration", "BusModel"], swiftSettings: houseRules),
    .testTarget(
      name: "MigrationReportTests",
      dependencies: ["MigrationReport", "MigrationSimulation", "Migration", "BusModel"], swiftSettings: houseRules),
    .testTarget(
      name: "MigrationStoreTests",
      dependencies: [
        "Computing", "MigrationStore", "MigrationSimulation", "Migration", "BusModel",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      exclude: ["Histories"],
      swiftSettings: houseRules),
    .testTarget(
      name: "MigrationEngineTests",
      dependencies: [
        "MigrationEngine", "MigrationStore", "Migration", "BusProbe", "AddressRegistry", "BusModel", "TjenestebussTesting",
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
      ],
      swiftSettings: houseRules),
    .testTarget(
      name: "TjenestebussTestingTests",
      dependencies: [
        "Computing", "TjenestebussTesting", "TjenestebussClient", "AMQP", "BusModel", "Disclosure", "OrderlyService",
        "ForeignPrograms",
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: houseRules),
    .testTarget(
      name: "FaultTests",
      dependencies: [
        "TjenestebussTesting", "TjenestebussClient", "AMQP", "BusModel", "Disclosure",
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: houseRules),
    .testTarget(
      name: "TellingTests",
      dependencies: [
        "Telling", "Migration", "MigrationEngine", "BusModel", "Disclosure", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
      ], swiftSettings: houseRules),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "bus-migrator", "bus-pinger", "TjenestebussTesting", "TjenestebussClient", "BusProbe", "AddressRegistry", "BusModel",
        "AMQP", "Migration", "MigrationStore", "MigrationReport", "MigrationSimulation", "MigrationEngine", "Forwarding",
        "Disclosure", "OrderlyService",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      swiftSettings: houseRules),
    .testTarget(
      name: "SQLiteFileTests",
      dependencies: [
        "SQLiteFile", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
      ], swiftSettings: houseRules),
    .testTarget(
      name: "RehearsalTests",
      dependencies: [
        "rehearsal", "PowerCut", "MigrationStore", "Migration", "BusModel", "ForeignPrograms",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: houseRules),
    .testTarget(
      name: "ExchangeTests",
      dependencies: [
        "TjenestebussTesting", "AMQP", "BusModel", "Disclosure", "ForeignPrograms",
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      exclude: ["Recordings"],
      swiftSettings: houseRules),
    .testTarget(
      name: "RealBrokerTests",
      dependencies: [
        "TjenestebussClient", "TjenestebussTesting", "Forwarding", "BusProbe", "AddressRegistry", "BusModel", "AMQP",
        "Disclosure",
        "Migration", "MigrationEngine", "MigrationSimulation", "ForeignPrograms",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
      ],
      swiftSettings: houseRules),
  ]
)
