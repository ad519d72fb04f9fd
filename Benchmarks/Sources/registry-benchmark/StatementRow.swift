// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import CBaseline

/// A look-up straight from SQLite, sealed and decoded, beside the same prepared statement in C, turn by turn.
enum StatementRow {
  static func measure(_ path: String, _ records: [PartyRecord]) async throws {
    let cache = try await AddressCache.open(path: path, access: .readOnly)
    let herIDs = Array(RegistryBenchmark.shuffled(records).prefix(20_000))
    let numbers = herIDs.map(\.value)
    var ratios: [Double] = []
    var ours = 0.0
    var theirs = 0.0
    for _ in 0..<15 {
      var bytes: Int64 = 0
      let baseline = baseline_look_up(path, numbers, numbers.count, &bytes)
      precondition(baseline > 0 && bytes > 0)
      var found = 0
      let seconds = try RegistryBenchmark.processorTime {
        for herID in herIDs where try cache.partyNow(herID) != nil { found += 1 }
      }
      precondition(found == herIDs.count)
      ratios.append(seconds / baseline)
      (ours, theirs) = (ours + seconds, theirs + baseline)
    }
    let ratio = RegistryBenchmark.median(ratios)
    let each = 1e6 / Double(herIDs.count * ratios.count)
    RegistryBenchmark.report(
      "look-up straight from SQLite, checked by its seal and decoded",
      "\(Self.number(ratio)) x the same statement in C (\(Self.number(ours * each)) and \(Self.number(theirs * each)) us each); "
        + RegistryBenchmark.spread(ratios, "%.2f"),
      aim: "1.5 x", met: ratio <= 1.5)
    try await cache.close()
  }

  private static func number(_ value: Double) -> String { String(Double(Int(value * 100)) / 100) }
}
