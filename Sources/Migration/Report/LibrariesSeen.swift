// SPDX-License-Identifier: Apache-2.0

import BusModel

extension MigrationState {
  /// Which libraries answered pings, party by party: the last answer of each.
  public var librariesSeen: [LibrarySighting] {
    var seen: [HerID: LibrarySighting] = [:]
    for pulje in self.ordered {
      for group in pulje.groups {
        for ping in group.pings + group.gates.lastPings {
          guard let library = ping.library else { continue }
          seen[ping.herID] = LibrarySighting(herID: ping.herID, library: library, version: ping.libraryVersion, source: .ping)
        }
      }
    }
    return seen.values.sorted { ($0.herID?.value ?? 0) < ($1.herID?.value ?? 0) }
  }
}
