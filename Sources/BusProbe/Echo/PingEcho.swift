// SPDX-License-Identifier: Apache-2.0

import BusModel
import TjenestebussClient

/// The answer of a party's system to our ping.
public struct PingEcho: Sendable, Hashable {
  /// The message id of the ping it answers.
  public var originalMessageID: String
  /// The version of the library that answered.
  public var libraryVersion: String?
  public var product: String?
  /// The queue that the ping was read from.
  public var queue: String?

  /// Reads an echo.
  ///
  /// - Returns: nil when `message` is none.
  public init?(_ message: HealthMessage, subject: String) {
    guard PingForm.role(of: message, subject: subject) == .echo,
      let original = message.properties[PingForm.PropertyName.originalMessageID] ?? message.correlationID
    else { return nil }
    self.originalMessageID = original
    self.libraryVersion = message.properties[PingForm.PropertyName.libraryVersion]
    self.product = message.properties[PingForm.PropertyName.product]
    self.queue = message.properties[PingForm.PropertyName.queue]
  }
}
