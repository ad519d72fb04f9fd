// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import TjenestebussTesting

/// Where everything stands at the end, without what may differ between two runs: times, numbers of attempts, wordings.
struct EndState: Sendable, Equatable {
  struct Party: Sendable, Equatable {
    var phase: GroupPhase
    var direction: Direction
    var writing: String
    var isHeld: Bool
    var isQuarantined: Bool
  }

  var pulje: PuljePhase
  var parties: [HerID: Party] = [:]
  /// Every entry of the register as it reads, by its hash.
  var entries: [HerID: RecordHash] = [:]
  /// How often each entry was changed: a write that was sent twice, or another one in its place, shows here.
  var changes: [HerID: Int] = [:]

  init(_ summary: PuljeSummary, records: [PartyRecord], changes: [AddressRegisterState.Change]) {
    self.pulje = summary.phase
    for group in summary.groups {
      for member in group.members {
        self.parties[member.herID] = Party(
          phase: group.phase, direction: group.direction, writing: member.writing, isHeld: group.hold != nil,
          isQuarantined: group.quarantine != nil)
      }
    }
    for record in records { self.entries[record.herID] = record.hash }
    for change in changes { self.changes[change.herID, default: 0] += 1 }
  }

  /// In what `other` differs, in words; empty when in nothing.
  func differences(from other: EndState) -> [String] {
    var found: [String] = []
    if self.pulje != other.pulje { found.append("the pulje is \(other.pulje.rawValue), and \(self.pulje.rawValue)") }
    for herID in Set(self.parties.keys).union(other.parties.keys).sorted() where self.parties[herID] != other.parties[herID] {
      found.append("HER-ID \(herID) is \(Self.words(other.parties[herID])), and \(Self.words(self.parties[herID]))")
    }
    for herID in Set(self.entries.keys).union(other.entries.keys).sorted() where self.entries[herID] != other.entries[herID] {
      found.append("the register's entry of HER-ID \(herID) is not the same")
    }
    for herID in Set(self.changes.keys).union(other.changes.keys).sorted() where self.changes[herID] != other.changes[herID] {
      found.append(
        "the register's entry of HER-ID \(herID) was changed \(other.changes[herID] ?? 0) times, and \(self.changes[herID] ?? 0)")
    }
    return found
  }

  private static func words(_ party: Party?) -> String {
    guard let party else { return "not there" }
    return "\(party.phase.rawValue) \(party.direction.rawValue) \(party.writing)"
      + (party.isHeld ? " held" : "") + (party.isQuarantined ? " in quarantine" : "")
  }
}
