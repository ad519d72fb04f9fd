// SPDX-License-Identifier: Apache-2.0

/// Thrown by a handler that cannot take a message for a reason the sender must hear of: an error message goes to the
/// sender's error queue, and once the bus has taken that, the message is accepted.
///
/// A temporary condition (``TransportErrorCondition/isTemporary``) is not reported; the message is kept and tried again.
public struct ReportError: Error, Sendable, Hashable {
  public var condition: TransportErrorCondition
  /// Goes on the wire, readable by whoever runs the sender's system: no health data, no person's name or number.
  public var text: String
  /// What the condition is about, such as the names of fields. Goes on the wire as well; no item may hold a semicolon.
  public var data: [String]

  public init(_ condition: TransportErrorCondition, text: String, data: [String] = []) {
    self.condition = condition
    self.text = text
    self.data = data
  }
}
