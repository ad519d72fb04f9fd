// SPDX-License-Identifier: Apache-2.0

/// The credit of one receiving link. Pure: no IO, no clock.
///
/// Invariant, after every event: credit + held <= window. `credit` is what the peer may still send, `held` what has
/// arrived and is not finished (buffered, or with the application). A link of a later generation has a machine of its own.
///
/// RabbitMQ 3 sends a few messages more than it has credit for when a grant crosses messages on their way. They are
/// kept, not lost: credit goes below zero, and that much less is granted later.
struct CreditMachine: Sendable {
  private(set) var credit = 0
  private(set) var held = 0
  private(set) var isOpen = false
  let window: Int

  /// - Parameter window: the most messages to be on their way, buffered and unsettled together; at least 1.
  init(window: Int) { self.window = max(1, window) }

  /// The peer's Attach was read: only now may credit be granted (RabbitMQ 4.3 ends the session of a client that is early).
  mutating func attached() -> Int {
    guard !self.isOpen else { return 0 }
    self.isOpen = true
    self.credit = self.window
    return self.window
  }

  /// A message arrived.
  ///
  /// - Returns: false when the peer is a whole window beyond its credit: it does not heed credit at all.
  mutating func arrived() -> Bool {
    guard self.isOpen, self.credit > -self.window else { return false }
    self.credit -= 1
    self.held += 1
    return true
  }

  /// The application finished `count` deliveries (settled, or took pre-settled ones).
  ///
  /// - Returns: the credit to grant now; 0 until half the window is free, so that grants are few.
  mutating func finished(_ count: Int) -> Int {
    self.held -= min(count, self.held)
    let free = self.window - self.credit - self.held
    guard self.isOpen, free > 0, free * 2 >= self.window else { return 0 }
    self.credit += free
    return free
  }

  /// The link is going: nothing more is granted.
  mutating func closed() { self.isOpen = false }
}
