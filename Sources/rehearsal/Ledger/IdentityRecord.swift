// SPDX-License-Identifier: Apache-2.0

import BusModel
import TjenestebussTesting

/// One line of an id log: what happened to one message, by its id. Nothing of its content.
struct IdentityRecord: Sendable, Codable, Hashable {
  /// What a sender was told.
  typealias Outcome = DeliveryLedger.SendOutcome

  var id: String
  var from: HerID
  var to: HerID
  var bus: String
  var queue: String
  var atMilliseconds: Int64
  var system: String
  /// In the log of what was sent only.
  var outcome: Outcome?

  enum CodingKeys: String, CodingKey {
    case id, from, to, bus, queue, outcome
    case atMilliseconds = "at_ms"
    case system = "epj"
  }
}
