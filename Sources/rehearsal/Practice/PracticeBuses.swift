// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Foundation
import TjenestebussClient

/// Buses of a rehearsal with logins made for the occasion: each password is drawn, and stands nowhere but in the operator's files.
struct PracticeBuses: RehearsalBuses {
  /// Who logs in on both buses: systems and daemon, and whoever counts.
  static let user = "practice"
  static let counter = "practice-counter"

  let source: BusSite
  let target: BusSite
  private let base: any RehearsalBuses

  /// - Parameter base: buses that know the logins of `source` and `target` already.
  init(_ base: any RehearsalBuses, source: BusSite, target: BusSite) {
    self.base = base
    self.source = source
    self.target = target
  }

  /// The same place, entered by logins of its own.
  static func site(_ site: BusSite, password: Secret, counterPassword: Secret) -> BusSite {
    let given = site.endpoint.connection
    var site = site
    site.endpoint = BusEndpoint(
      bus: site.endpoint.bus,
      connection: BusConnectionString(
        host: given.host, port: given.port, encrypted: given.encrypted, user: Self.user, password: password, path: given.path))
    site.managementUser = Self.counter
    site.managementPassword = counterPassword.withPlainText { $0 }
    return site
  }

  static func drawnPassword() -> Secret {
    var random = SystemRandomNumberGenerator()
    return Secret((0..<4).map { _ in String(random.next() as UInt64, radix: 36) }.joined())
  }

  func declare(queues: [String]) async throws { try await self.base.declare(queues: queues) }
}
