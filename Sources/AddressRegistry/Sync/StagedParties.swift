// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Parties that have come and are not yet believed, each as its bytes in the cache: a third of what the records would take.
struct StagedParties: Sendable {
  private var contents: [[UInt8]] = []
  private(set) var failures: [PartyFailure] = []
  private(set) var seen: Set<HerID> = []

  var count: Int { self.contents.count + self.failures.count }

  mutating func take(_ result: PartyResult) {
    if let herID = result.herID { self.seen.insert(herID) }
    switch result {
    case .party(let record): self.contents.append(RecordContent.bytes(of: record))
    case .unreadable(let failure): self.failures.append(failure)
    }
  }

  /// How many of them could be read.
  var readable: Int { self.contents.count }

  /// The one that came at this place among those that could be read, counted from 0.
  func record(_ place: Int) throws -> PartyRecord { try self.contents[place].withUnsafeBytes { try RecordContent.record($0) } }
}
