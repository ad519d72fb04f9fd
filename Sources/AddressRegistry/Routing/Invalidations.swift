// SPDX-License-Identifier: Apache-2.0

import BusModel
import NIOConcurrencyHelpers

/// Since when what is known of a party is no longer to be trusted.
final class Invalidations: Sendable {
  private struct State {
    var since: [HerID: RegistryInstant] = [:]
    /// Everything read before this is not trusted, whosever it is: takes the place of the single instants when there are too many.
    var floor: RegistryInstant?
  }

  private static let capacity = 10_000
  private let state = NIOLockedValueBox(State())

  func note(_ herID: HerID, at now: RegistryInstant) {
    self.state.withLockedValue { state in
      if state.since.count >= Self.capacity, state.since[herID] == nil {
        state.floor = state.since.values.max()
        state.since = [:]
      }
      state.since[herID] = now
    }
  }

  func isNoted(_ herID: HerID) -> Bool { self.state.withLockedValue { $0.since[herID] != nil || $0.floor != nil } }

  /// Whether an entry was read after what is known to have changed.
  func allows(_ entry: RegistryEntry) -> Bool {
    self.state.withLockedValue { state in
      [state.since[entry.record.herID], state.floor].compactMap(\.self).allSatisfy { entry.readAt > $0 }
    }
  }
}
