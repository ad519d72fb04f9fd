// SPDX-License-Identifier: Apache-2.0

import BusModel
import NIOConcurrencyHelpers

/// When the register last failed to tell of a party, so that every message does not wait out the same time-out.
final class RecentFailures: Sendable {
  private struct Failure {
    var at: RegistryInstant
    var reason: String
  }

  /// Enough for every party of a large sender; beyond, all are forgotten, which only costs a question each.
  private static let capacity = 10_000
  private let failures = NIOLockedValueBox<[HerID: Failure]>([:])

  func note(_ herID: HerID, at now: RegistryInstant, _ reason: String) {
    self.failures.withLockedValue {
      if $0.count >= Self.capacity { $0.removeAll() }
      $0[herID] = Failure(at: now, reason: reason)
    }
  }

  func clear(_ herID: HerID) {
    self.failures.withLockedValue { _ = $0.removeValue(forKey: herID) }
  }

  /// Why the last question failed, when that was at most `span` ago.
  func recent(_ herID: HerID, now: RegistryInstant, within span: Duration) -> String? {
    self.failures.withLockedValue { failures in
      guard let failure = failures[herID] else { return nil }
      let age = now.since(failure.at)
      return age >= .zero && age < span ? failure.reason : nil
    }
  }
}
