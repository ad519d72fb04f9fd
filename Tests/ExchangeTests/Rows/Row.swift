// SPDX-License-Identifier: Apache-2.0

/// One exchange: a row of a table of `docs/brokers.md`, or a part of one.
struct Row: Sendable {
  enum Speed: Sendable, Hashable {
    case quick
    /// Takes minutes at a real broker: played there only with TJENESTEBUSS_SLOW_EXCHANGES (`make prove`).
    case slow
    /// Stops the broker or hurts its other users: played at a real one only with TJENESTEBUSS_OWN_BROKERS, which says that
    /// nobody else is there.
    case alone
  }

  let name: String
  let speed: Speed
  let buses: [Bus]
  let play: @Sendable (Exchange) async throws -> Void

  init(
    _ name: String, _ speed: Speed = .quick, on buses: [Bus] = Bus.allCases,
    _ play: @escaping @Sendable (Exchange) async throws -> Void
  ) {
    self.name = name
    self.speed = speed
    self.buses = buses
    self.play = play
  }

  static let all = LoginRows.all + AddressRows.all + OutcomeRows.all + ManagementRows.all + MessageRows.all
}

extension [Bus] {
  static let rabbitMQ: [Bus] = [.rabbitMQ310, .rabbitMQ40, .rabbitMQ43]
  static let rabbitMQ4: [Bus] = [.rabbitMQ40, .rabbitMQ43]
}
