// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Whose the queues of a bus are: those that the register names, those that only say by their name whose they are, and those that
/// belong to no HER-ID (subscriptions to the register's events, topics), which no pulje moves and somebody has to think of.
public enum QueueOwnership: Sendable, Hashable {
  /// A party's address names it; several where parties share it. In order of HER-ID.
  case registered([HerID])
  /// No address names it, but it is called as this party's reply or dead-letter queue would be.
  case byName(HerID, QueueKind)
  /// It is called as a party's queue would be, but the register says nothing of that party or does not name it.
  case unregistered(HerID, QueueKind)
  /// No HER-ID is in its name.
  case nobody

  /// - Parameters:
  ///   - queues: the names of the bus's queues, without host and path.
  ///   - records: the whole register: a queue of a party that is left out seems to be nobody's.
  /// - Returns: each queue in the order given.
  public static func judge(_ queues: [String], on bus: Bus, records: [PartyRecord]) -> [(queue: String, owner: QueueOwnership)] {
    var owners: [String: Set<HerID>] = [:]
    for record in records {
      for address in record.addresses where address.queueKind != nil {
        guard let place = try? QueueAddress(text: address.text), bus.holds(place) else { continue }
        owners[place.queue, default: []].insert(record.herID)
      }
    }
    let known = Set(records.map(\.herID))
    return queues.map { queue in
      if let herIDs = owners[queue] { return (queue, .registered(herIDs.sorted())) }
      guard let (herID, kind) = Self.named(queue) else { return (queue, .nobody) }
      return (queue, kind.registerCode == nil && known.contains(herID) ? .byName(herID, kind) : .unregistered(herID, kind))
    }
  }

  /// `93238_dl`, and `93238_dl_2` or `93238_syncreply_server` too: reply queues are per machine.
  private static func named(_ queue: String) -> (HerID, QueueKind)? {
    let parts = queue.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count >= 2, let herID = try? HerID(text: String(parts[0])) else { return nil }
    return QueueKind.allCases.first { $0.rawValue == parts[1].lowercased() }.map { (herID, $0) }
  }
}
