// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// A package of its own, so that nobody who uses the libraries builds it. Each program prints ratios measured in one run; the commands
// are in docs/benchmarks.md.
let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "tjenestebuss", path: "..")],
  targets: [
    // What our code is compared with, in C, and a count of what is allocated.
    .target(name: "CBaseline", cSettings: [.unsafeFlags(["-O2"])], linkerSettings: [.linkedLibrary("sqlite3")]),
    .executableTarget(
      name: "registry-benchmark",
      dependencies: ["CBaseline", .product(name: "AddressRegistry", package: "tjenestebuss")],
      swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]),
  ])
