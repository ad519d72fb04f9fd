// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration

/// What many seeds came to. It adds up over runs.
public struct SimulationTally: Sendable, Codable {
  /// The next seed to play.
  public var next: UInt64
  public var seeds = 0
  public var brokenSeeds = 0
  /// Broken seeds by invariant, and the first few of them.
  public var broken: [String: Int] = [:]
  public var examples: [String: [UInt64]] = [:]
  public var ledger = MessageLedger()
  public var coverage = Coverage()
  public var events = 0
  public var starts = 0
  /// Groups by the phase they ended in.
  public var ends: [String: Int] = [:]

  public init(next: UInt64) { self.next = next }

  public mutating func add(_ outcome: SimulationOutcome) {
    self.next = outcome.seed + 1
    self.seeds += 1
    if !outcome.breaches.isEmpty { self.brokenSeeds += 1 }
    for invariant in Set(outcome.breaches.map(\.invariant)) {
      self.broken[invariant.description, default: 0] += 1
      if self.examples[invariant.description, default: []].count < 5 {
        self.examples[invariant.description, default: []].append(outcome.seed)
      }
    }
    self.ledger.add(outcome.ledger)
    self.coverage.add(outcome.coverage)
    self.events += outcome.events
    self.starts += outcome.starts
    for phase in outcome.phases { self.ends[phase.rawValue, default: 0] += 1 }
  }

  /// - Returns: nil when there is no such file yet.
  public static func read(from path: String) throws -> SimulationTally? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
  }

  public var words: String {
    let ledger = self.ledger
    func list(_ counts: [String: Int]) -> String {
      counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
    let missing = self.coverage.missing
    return """
      seeds \(self.seeds) (next \(self.next)), broken \(self.brokenSeeds)\(self.broken.isEmpty ? "" : ": \(list(self.broken))")
      messages \(ledger.sent): delivered \(ledger.delivered), on a queue \(ledger.waiting), dead-lettered \(ledger.dead), refused \
      \(ledger.refused), expired \(ledger.expired), lost \(ledger.lost), duplicates \(ledger.duplicates) (explained \(ledger.explainedDuplicates)), in doubt \
      \(ledger.inDoubt), ghosts \(ledger.ghosts), aliens \(ledger.aliens)
      events \(self.events), starts of the daemon \(self.starts); groups ended: \(list(self.ends))
      states: \(list(self.coverage.phases))
      guards: \(list(self.coverage.refusals)); holds: \(list(self.coverage.holds))
      waits: \(list(self.coverage.waits))
      faults: \(list(self.coverage.faults))
      situations: \(list(self.coverage.situations))
      not reached: \(missing.isEmpty ? "nothing" : missing.joined(separator: ", "))
      """
  }
}
