// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// The address register: entries, heirs that follow their parents, and what was last told to us.
struct SimulatedRegister {
  private(set) var records: [HerID: PartyRecord]
  private(set) var hashes: [HerID: RecordHash]
  /// What a reading last told us.
  var served: [HerID: RecordHash] = [:]
  /// Our own cache, as the adapter keeps it.
  var cache: [HerID: RecordHash] = [:]
  /// What late tasks have read beside the cache.
  var lateReads: [HerID: RecordHash] = [:]
  /// Entries that somebody else has changed and not put right again.
  var foreign: Set<HerID> = []
  /// Sabotage: what a reading is told instead.
  var masks: [HerID: PartyRecord] = [:]
  private let children: [HerID: [HerID]]

  init(_ records: [PartyRecord], hashes: [HerID: RecordHash]) {
    self.records = Dictionary(records.map { ($0.herID, $0) }, uniquingKeysWith: { first, _ in first })
    self.hashes = hashes
    self.children = Dictionary(grouping: records.filter { $0.parent != nil }, by: { $0.parent ?? $0.herID }).mapValues {
      $0.map(\.herID)
    }
  }

  func children(of herID: HerID) -> [HerID] { self.children[herID] ?? [] }

  /// Of a record that was read: worked out once, when the entry was put there, unless it has changed since.
  func hash(of record: PartyRecord) -> RecordHash {
    if let hash = self.hashes[record.herID], self.records[record.herID] == record { return hash }
    return record.hash
  }

  mutating func put(_ record: PartyRecord) {
    self.records[record.herID] = record
    self.hashes[record.herID] = record.hash
  }

  /// The heirs take over what their parent has now.
  mutating func follow(_ parent: HerID) {
    guard let record = self.records[parent] else { return }
    for child in self.children(of: parent) {
      guard var heir = self.records[child] else { continue }
      for index in heir.addresses.indices where heir.addresses[index].inherited {
        let code = heir.addresses[index].typeCode
        if let text = record.addresses.first(where: { $0.typeCode == code })?.text { heir.addresses[index].text = text }
      }
      self.put(heir)
    }
  }
}
