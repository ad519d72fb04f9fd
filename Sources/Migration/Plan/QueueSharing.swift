// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Which parties hang together: they share a queue address, or one inherits from the other (I-3).
struct QueueSharing {
  private var parents: [HerID: HerID] = [:]

  /// - Parameter records: every party known that could share a queue with those that are to move.
  init(records: [HerID: PartyRecord]) {
    var firstByAddress: [QueueAddress: HerID] = [:]
    for record in records.values.sorted(by: { $0.herID < $1.herID }) {
      self.parents[record.herID] = self.parents[record.herID] ?? record.herID
      for address in record.queues {
        guard let queue = try? QueueAddress(text: address.text) else { continue }
        if let first = firstByAddress[queue] { self.join(first, record.herID) } else { firstByAddress[queue] = record.herID }
        // The parent shares what is inherited even where its own entry is written with another address, which is then seen.
        if address.inherited, let parent = record.parent, records[parent] != nil { self.join(parent, record.herID) }
      }
    }
  }

  mutating func join(_ a: HerID, _ b: HerID) {
    let rootA = self.root(a)
    let rootB = self.root(b)
    if rootA < rootB { self.parents[rootB] = rootA } else if rootB < rootA { self.parents[rootA] = rootB }
  }

  func root(_ herID: HerID) -> HerID {
    var current = herID
    while let next = self.parents[current], next != current { current = next }
    return current
  }

  /// All groups at once: members by lowest HER-ID.
  func groups() -> [HerID: [HerID]] {
    Dictionary(grouping: self.parents.keys.sorted(), by: { self.root($0) })
  }
}

extension PartyRecord {
  /// The addresses that name a queue.
  var queues: [Address] { self.addresses.filter { $0.queueKind != nil } }
}
