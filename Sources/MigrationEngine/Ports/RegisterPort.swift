// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Why an entry could not be read.
public enum RegisterReadError: Error, Sendable, Hashable {
  /// The register says there is no such party.
  case unknownParty(HerID)
  /// It could not be asked, or its answer not be read. Says nothing of the entry.
  case failed(String)
}

/// The address register, as somebody needs it who only looks: a plan is made with this, and has no way to write (gh-ost#1769).
public protocol RegisterReading: Sendable {
  /// The entry as the register has it now, never from a cache.
  func read(_ herID: HerID) async throws(RegisterReadError) -> PartyRecord

  /// Everybody known beforehand, from a cache of any age: to find who shares a queue. What it names is read anew.
  func known() async throws(RegisterReadError) -> [PartyRecord]

  /// Everybody below this party, however deep, as the register has them now.
  func below(_ party: PartyRecord) async throws(RegisterReadError) -> [PartyRecord]

  /// What can be written, and by whom.
  var offer: RegisterOffer { get }
}

extension RegisterPort {
  /// By what is known beforehand.
  public func below(_ party: PartyRecord) async throws(RegisterReadError) -> [PartyRecord] {
    let children = Dictionary(grouping: try await self.known().filter { $0.parent != nil }, by: \.parent)
    var found: [HerID: PartyRecord] = [:]
    var waiting = [party.herID]
    while let next = waiting.popLast() {
      for child in children[next] ?? [] where child.herID != party.herID && found.updateValue(child, forKey: child.herID) == nil {
        waiting.append(child.herID)
      }
    }
    return found.values.sorted { $0.herID < $1.herID }
  }

  public var offer: RegisterOffer { RegisterOffer() }
}

/// The address register, as the engine needs it.
public protocol RegisterPort: RegisterReading {
  /// Makes one write, once. Nothing in its answer is believed: the read-back tells.
  func write(_ order: WriteOrder) async -> WriteOutcome
}
