// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// Counts the parts of connections that live, by the container id they belong to: so that "nothing is left" can be asked for in
/// numbers, and waited for. There are a handful for each connection and none for a message, so it is always on.
package enum LiveCount {
  package enum Kind: String, Sendable, Hashable {
    case client
    case connectionKeeper
    case senderKeeper
    case connection
    case core
    case login
    case handler
    case engine
  }

  /// Kept by what is counted, from its making to its end.
  final class Mark: Sendable {
    private let kind: Kind
    private let owner: String

    init(_ kind: Kind, of owner: String) {
      self.kind = kind
      self.owner = owner
      LiveCount.change(kind, of: owner, by: 1)
    }

    deinit { LiveCount.change(self.kind, of: self.owner, by: -1) }
  }

  private struct State {
    var counts: [String: [Kind: Int]] = [:]
    var waiters: [String: [OneShot<Void>]] = [:]
  }

  private static let state = NIOLockedValueBox(State())

  /// What lives of this container id.
  package static func of(_ owner: String) -> [Kind: Int] { self.state.withLockedValue { $0.counts[owner] ?? [:] } }

  /// Fulfilled when nothing of this container id lives any more; at once when nothing does.
  package static func whenNothingIsLeft(of owner: String) -> OneShot<Void> {
    let gone = OneShot<Void>()
    let isGone = self.state.withLockedValue { state in
      guard state.counts[owner] != nil else { return true }
      state.waiters[owner, default: []].append(gone)
      return false
    }
    if isGone { gone.fulfil(()) }
    return gone
  }

  private static func change(_ kind: Kind, of owner: String, by change: Int) {
    let waiters = self.state.withLockedValue { state -> [OneShot<Void>] in
      let count = state.counts[owner]?[kind, default: 0] ?? 0
      state.counts[owner, default: [:]][kind] = count + change == 0 ? nil : count + change
      guard state.counts[owner]?.isEmpty == true else { return [] }
      state.counts[owner] = nil
      return state.waiters.removeValue(forKey: owner) ?? []
    }
    for waiter in waiters { waiter.fulfil(()) }
  }
}
