// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import CBaseline
import Foundation
import TjenestebussTesting

/// The address registry's figures with 100,000 made-up parties. Prints one line a figure: what was measured, the aim, whether met.
///
/// Arguments: how many parties (100,000), and the rows: memory, sqlite, groups, sync (all).
@main
struct RegistryBenchmark {
  static let buses = [
    Bus(name: "servicebus", dialect: .serviceBusWindowsServer, hosts: ["sb.test.nhn.no"], path: "DigitalDialog"),
    Bus(name: "tjenestebuss", dialect: .rabbitMQ4AddressV2, hosts: ["tb.test.nhn.no"], path: "NHNTESTServiceBus"),
  ]

  static func main() async throws {
    var arguments = Array(CommandLine.arguments.dropFirst())
    // What has to be measured in a process that has done nothing before is measured in one of its own.
    if arguments.first == "fresh", arguments.count >= 4 {
      let herIDs = arguments[3...].compactMap { try? HerID(text: $0) }
      return try await FreshProcess.run(arguments[1], path: arguments[2], herIDs: herIDs)
    }
    let count = arguments.first.flatMap(Int.init) ?? 100_000
    if arguments.first.flatMap(Int.init) != nil { arguments.removeFirst() }
    let rows = arguments.isEmpty ? ["memory", "sqlite", "groups", "sync"] : arguments
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("registry-benchmark-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("cache.sqlite").path
    let records = RegisterPopulation(count: count).records()
    if rows.contains("memory") || rows.contains("sqlite") { try await Self.fill(path, records) }
    if rows.contains("memory") { try FreshProcess.measure(path, records) }
    if rows.contains("sqlite") { try await StatementRow.measure(path, records) }
    if rows.contains("groups") { GroupsRow.measure() }
    if rows.contains("sync") {
      try await SyncRow.measure(records, path: folder.appendingPathComponent("synced.sqlite").path)
    }
  }

  private static func fill(_ path: String, _ records: [PartyRecord]) async throws {
    let now = SystemRegistryClock().now
    let cache = try await AddressCache.open(path: path, access: .readWrite, environment: "benchmark")
    let filling = try await Self.time { _ = try await cache.importParties(records, readAt: now, now: now) }
    try await cache.close()
    let size = (try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? 0
    print("     \(records.count) parties, \(size >> 20) MB of SQLite, written in \(Self.text(filling))")
  }

  static func time(_ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .seconds(1)
  }

  /// What the calling thread got of a core meanwhile: on a machine that others use too, that is what the work takes.
  static func processorTime(_ body: () throws -> Void) rethrows -> Double {
    let start = baseline_thread_seconds()
    try body()
    return baseline_thread_seconds() - start
  }

  static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  static func text(_ seconds: Double) -> String {
    String(format: seconds < 1 ? "%.1f ms" : "%.2f s", seconds < 1 ? seconds * 1_000 : seconds)
  }

  /// The rounds in order of size, so that one can see what the machine's noise was.
  static func spread(_ values: [Double], _ form: String, times factor: Double = 1) -> String {
    "rounds " + values.sorted().map { String(format: form, $0 * factor) }.joined(separator: " ")
  }

  static func report(_ what: String, _ seen: String, aim: String, met: Bool) {
    print("\(met ? "met " : "MISS") \(what): \(seen) (aim \(aim))")
  }

  /// The same order in every run, and none that a cache of the processor likes.
  static func shuffled(_ records: [PartyRecord]) -> [HerID] {
    var step = records.count / 2 + 1
    while Self.divisor(step, records.count) != 1 { step += 1 }
    return (0..<records.count).map { records[$0 * step % records.count].herID }
  }

  private static func divisor(_ one: Int, _ other: Int) -> Int { other == 0 ? one : Self.divisor(other, one % other) }
}
