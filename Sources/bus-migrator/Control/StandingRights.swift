// SPDX-License-Identifier: Apache-2.0

import Migration
import MigrationEngine
import NIOConcurrencyHelpers

/// Whether somebody who is being told something still may be: an answer that goes on for days outlives tokens and groups. Asked before each piece
/// is sent, so that nothing is told after the rights have ended.
struct StandingRights: Sendable {
  private let route: ControlRoute
  private let first: ControlAsker
  private let asksAgain: @Sendable () async throws -> ControlAsker
  private let clock: any MigrationClock
  private let asked: NIOLockedValueBox<Instant>

  /// A login's groups are looked up again when this has passed, since they may come from far away. A token is looked at each time.
  static let life = TimeSpan.seconds(10)

  init(
    of asker: ControlAsker, on route: ControlRoute, clock: any MigrationClock,
    asksAgain: @escaping @Sendable () async throws -> ControlAsker
  ) {
    self.route = route
    self.first = asker
    self.asksAgain = asksAgain
    self.clock = clock
    self.asked = NIOLockedValueBox(clock.now)
  }

  func stand() async -> Bool {
    let now = self.clock.now
    if case .login = self.first.giver {
      let asked = self.asked.withLockedValue { $0 }
      if now >= asked, now.since(asked) < Self.life { return true }
    }
    guard let asker = try? await self.asksAgain() else { return false }
    self.asked.withLockedValue { $0 = now }
    // A token that has another role or vendor now is another one: whoever holds it asks anew.
    return asker.giver == self.first.giver && asker.vendor == self.first.vendor && asker.isVendorOnly == self.first.isVendorOnly
      && asker.may(ControlRights.roles(for: self.route))
  }
}
