// SPDX-License-Identifier: Apache-2.0

import BusModel

extension MigrationState {
  /// Which libraries parties were seen to run, the last sighting of each: what answered a ping; of those that answered none, what the messages
  /// that they sent and that still lay on a bus being left say.
  public var librariesSeen: [LibrarySighting] {
    var seen: [HerID: LibrarySighting] = [:]
    for pulje in self.ordered {
      for group in pulje.groups {
        for message in group.drain.sighted.flatMap(\.sightings) {
          guard let sender = message.fromHerID, let library = message.library, seen[sender]?.source != .ping else { continue }
          seen[sender] = LibrarySighting(herID: sender, library: library, version: message.libraryVersion, source: .message)
        }
        for ping in group.pings + group.gates.lastPings {
          guard let library = ping.library else { continue }
          seen[ping.herID] = LibrarySighting(herID: ping.herID, library: library, version: ping.libraryVersion, source: .ping)
        }
      }
    }
    return seen.values.sorted { ($0.herID?.value ?? 0) < ($1.herID?.value ?? 0) }
  }
}
