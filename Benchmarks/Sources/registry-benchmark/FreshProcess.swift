// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import CBaseline
import Foundation

/// Cold start, memory and look-ups, each in a process that begins with them.
enum FreshProcess {
  private static let herIDsGiven = 1_000

  // MARK: - In the process that measures

  static func run(_ what: String, path: String, herIDs: [HerID]) async throws {
    switch what {
    case "start": try await Self.start(path, herIDs)
    case "load": try await Self.load(path, herIDs)
    default: exit(2)
    }
  }

  private static func start(_ path: String, _ herIDs: [HerID]) async throws {
    let seconds = try await RegistryBenchmark.time {
      let cache = try await AddressCache.open(path: path, access: .readOnly, environment: "benchmark")
      let resolver = AddressResolver(cache: cache, register: nil)
      let answer = try await resolver.route(herIDs[0], .asynchronous, buses: RegistryBenchmark.buses)
      precondition(answer.decision.herID == herIDs[0])
    }
    print("\(seconds)")
  }

  private static func load(_ path: String, _ herIDs: [HerID]) async throws {
    let cache = try await AddressCache.open(path: path, access: .readOnly)
    let resolver = AddressResolver(cache: cache, register: nil, settings: .init(maximumAge: .seconds(86_400)))
    let before = Self.residentKilobytes()
    var count = 0
    let loading = try await RegistryBenchmark.time { count = try await resolver.load(buses: RegistryBenchmark.buses) }
    let grown = Self.residentKilobytes() - before
    let (rate, allocations) = try await Self.lookUps(resolver, herIDs, total: 5_000_000)
    print("\(loading) \(Double(grown) / 1_024) \(Double(count)) \(rate) \(allocations)")
  }

  /// As many a second as one task on one thread makes, over `herIDs` again and again.
  private static func lookUps(
    _ resolver: AddressResolver, _ herIDs: [HerID], total: Int
  ) async throws -> (rate: Double, allocations: Double) {
    let buses = RegistryBenchmark.buses
    var found = 0
    var allocations: UInt64 = 0
    var seconds = 0.0
    var isWarm = false
    while found < total {
      // Four times a second the file has to be looked at first, as in any program that sends.
      _ = try await resolver.route(herIDs[0], .asynchronous, buses: buses)
      var hits = 0
      let allocated = baseline_allocations()
      let spent = RegistryBenchmark.processorTime {
        for _ in 0..<(100_000 / herIDs.count) {
          for herID in herIDs where resolver.cachedRoute(herID, .asynchronous, buses: buses) != nil { hits += 1 }
        }
      }
      let made = baseline_allocations() - allocated
      // A round in which the quarter of a second ended was not all answered from memory; the first one finds nothing warm.
      guard hits == 100_000 / herIDs.count * herIDs.count, isWarm else {
        isWarm = true
        continue
      }
      seconds += spent
      allocations += made
      found += hits
    }
    return (Double(found) / seconds, Double(allocations) / Double(found))
  }

  private static func residentKilobytes() -> Int {
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ").dropFirst().first
    return (pages.flatMap { Int($0) } ?? 0) * 4
  }

  // MARK: - In the one that asks

  static func measure(_ path: String, _ records: [PartyRecord]) throws {
    let reachable = records.filter { $0.active && $0.addresses.contains { $0.queueKind == .asynchronous } }
    let herIDs = RegistryBenchmark.shuffled(reachable)
    let given = Array(herIDs.prefix(Self.herIDsGiven))
    let starts = try (0..<9).map { round in try Self.ask("start", path, [herIDs[round * 11]])[0] }
    let start = RegistryBenchmark.median(starts)
    RegistryBenchmark.report(
      "cold start to first answer",
      "\(RegistryBenchmark.text(start)); \(RegistryBenchmark.spread(starts, "%.1f", times: 1_000)) ms",
      aim: "50 ms", met: start < 0.05)
    let loads = try (0..<5).map { _ in try Self.ask("load", path, given) }
    let loading = loads.map { $0[0] }
    let grown = loads.map { $0[1] }
    RegistryBenchmark.report(
      "\(Int(loads[0][2])) parties that lead somewhere into memory",
      "\(RegistryBenchmark.text(RegistryBenchmark.median(loading))), \(Int(RegistryBenchmark.median(grown))) MB more resident; "
        + "\(RegistryBenchmark.spread(loading, "%.0f", times: 1_000)) ms",
      aim: "500 ms, 100 MB", met: RegistryBenchmark.median(loading) < 0.5 && RegistryBenchmark.median(grown) < 100)
    let rates = loads.map { $0[3] }
    let allocations = loads.map { $0[4] }.max() ?? .infinity
    RegistryBenchmark.report(
      "cached look-ups on one core",
      String(format: "%.1f million a second, %.6f allocations each; ", RegistryBenchmark.median(rates) / 1e6, allocations)
        + RegistryBenchmark.spread(rates, "%.1f", times: 1e-6),
      aim: "10 million, none", met: RegistryBenchmark.median(rates) >= 10e6 && allocations == 0)
  }

  private static func ask(_ what: String, _ path: String, _ herIDs: [HerID]) throws -> [Double] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["fresh", what, path] + herIDs.map(\.description)
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let values = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    precondition(process.terminationStatus == 0 && !values.isEmpty, "the process that measures failed")
    return values
  }
}
