// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import CBaseline
import Foundation

/// The address registry's figures with 100,000 made-up parties. Prints one line a figure: what was measured, the aim, whether met.
@main
struct RegistryBenchmark {
  static func main() async throws {
    let count = CommandLine.arguments.dropFirst().first.flatMap(Int.init) ?? 100_000
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("registry-benchmark-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("cache.sqlite").path
    let parties = MadeUpParties(count: count)
    let now = SystemRegistryClock().now
    let cache = try await AddressCache.open(path: path, access: .readWrite, environment: "benchmark")
    let filling = try await Self.time { _ = try await cache.importParties(parties.records, readAt: now, now: now) }
    try await cache.close()
    let size = (try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? 0
    print("\(count) parties, \(size >> 20) MB of SQLite, written in \(Self.text(filling))")
    try await Self.coldStart(path, parties)
    try await Self.memory(path, parties)
    try await Self.sqlite(path, parties)
    Self.groups(parties)
  }

  static func time(_ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .seconds(1)
  }

  static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
  static func text(_ seconds: Double) -> String {
    String(format: seconds < 1 ? "%.1f ms" : "%.2f s", seconds < 1 ? seconds * 1_000 : seconds)
  }

  static func report(_ what: String, _ seen: String, aim: String, met: Bool) {
    print("\(met ? "met " : "MISS") \(what): \(seen) (aim \(aim))")
  }

  /// Open the file and answer once.
  private static func coldStart(_ path: String, _ parties: MadeUpParties) async throws {
    var first: [Double] = []
    for round in 0..<7 {
      first.append(
        try await Self.time {
          let cache = try await AddressCache.open(path: path, access: .readOnly, environment: "benchmark")
          let resolver = AddressResolver(cache: cache, register: nil)
          let answer = try await resolver.route(parties.herIDs[round * 7], .asynchronous, buses: MadeUpParties.buses)
          precondition(answer.decision.herID == parties.herIDs[round * 7])
          try await cache.close()
        })
    }
    let cold = Self.median(first)
    Self.report("cold start to first answer", Self.text(cold), aim: "50 ms", met: cold < 0.05)
  }

  private static func memory(_ path: String, _ parties: MadeUpParties) async throws {
    let cache = try await AddressCache.open(path: path, access: .readOnly)
    let resolver = AddressResolver(
      cache: cache, register: nil, settings: .init(maximumAge: .seconds(86_400)))
    let before = Self.residentMegabytes()
    var count = 0
    let loading = try await Self.time { count = try await resolver.load(buses: MadeUpParties.buses) }
    let grown = Self.residentMegabytes() - before
    Self.report(
      "\(count) parties into memory", "\(Self.text(loading)), \(grown) MB more resident", aim: "500 ms, 100 MB",
      met: loading < 0.5 && grown < 100)

    let order = parties.shuffledHerIDs
    let buses = MadeUpParties.buses
    var rates: [Double] = []
    var allocations: [Double] = []
    for _ in 0..<5 {
      var found = 0
      let before = baseline_allocations()
      let seconds = try await Self.time {
        while found < 5_000_000 {
          let start = found
          for index in start..<(start + 200_000)
          where resolver.cachedRoute(order[index % order.count], .asynchronous, buses: buses) != nil { found += 1 }
          // Once in a quarter of a second the file has to be looked at first, as in any program that sends.
          if found < start + 200_000 { _ = try await resolver.route(order[0], .asynchronous, buses: buses) }
        }
      }
      allocations.append(Double(baseline_allocations() - before) / Double(found))
      rates.append(Double(found) / seconds)
    }
    let rate = Self.median(rates)
    Self.report(
      "cached look-ups on one core",
      String(format: "%.1f million a second, %.5f allocations each", rate / 1e6, Self.median(allocations)),
      aim: "10 million, none", met: rate >= 10e6 && Self.median(allocations) < 0.001)
    try await cache.close()
  }

  private static func sqlite(_ path: String, _ parties: MadeUpParties) async throws {
    let cache = try await AddressCache.open(path: path, access: .readOnly)
    let numbers = parties.shuffledHerIDs.prefix(50_000).map(\.value)
    let herIDs = Array(parties.shuffledHerIDs.prefix(50_000))
    var ratios: [Double] = []
    var ours = 0.0
    for _ in 0..<7 {
      var bytes: Int64 = 0
      let baseline = baseline_look_up(path, numbers, numbers.count, &bytes)
      precondition(baseline > 0 && bytes > 0)
      ours = try await Self.time { for herID in herIDs { precondition(try cache.partyNow(herID) != nil) } }
      ratios.append(ours / baseline)
    }
    let ratio = Self.median(ratios)
    Self.report(
      "look-up straight from SQLite, checked by its seal and decoded",
      String(format: "%.2f x the same statement in C (%.2f us each)", ratio, ours / Double(herIDs.count) * 1e6), aim: "1.5 x",
      met: ratio <= 1.5)
    try await cache.close()
  }

  private static func groups(_ parties: MadeUpParties) {
    func run(_ records: [PartyRecord]) -> Double {
      let times = (0..<5).map { _ in
        let start = ContinuousClock.now
        let survey = QueueSharing.survey(of: records)
        precondition(!survey.groups.isEmpty && survey.unreadable.isEmpty)
        return (ContinuousClock.now - start) / .seconds(1)
      }
      return Self.median(times)
    }
    let whole = run(parties.records)
    let half = run(Array(parties.records.prefix(parties.records.count / 2)))
    Self.report(
      "groups of all parties", String(format: "%.0f ms; %.2f x the time of half of them", whole * 1_000, whole / half),
      aim: "300 ms, linear", met: whole < 0.3 && whole / half < 2.6)
  }

  private static func residentMegabytes() -> Int {
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ").dropFirst().first
    return (pages.flatMap { Int($0) } ?? 0) * 4_096 >> 20
  }
}
