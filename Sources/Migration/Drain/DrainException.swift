// SPDX-License-Identifier: Apache-2.0

import BusModel

/// People answer for what one sender leaves, or for one queue, until a time. What they answer for does not keep a group from counting
/// as drained, it is named in every report, and it counts again when the time is over.
public struct DrainException: Sendable, Hashable, Codable {
  public static let endedCode = "MIG-702"

  public enum What: Sendable, Hashable, Codable, CustomStringConvertible {
    /// Messages that name it as theirs, as far as they were looked at.
    case sender(HerID)
    /// Whatever lies on it or comes to it.
    case queue(QueueAddress)

    public var description: String {
      switch self {
      case .sender(let herID): "sender HER-ID \(herID)"
      case .queue(let queue): "queue \(queue)"
      }
    }
  }

  public var by: [String]
  public var what: What
  public var why: String
  public var until: Instant

  public init(by: [String], what: What, why: String, until: Instant) {
    self.by = by
    self.what = what
    self.why = why
    self.until = until
  }

  static let endedMeaning = "An exception has ended: what it answered for counts again."
  static let endedNext = "See whether the cause is gone; else have it dealt with, or make a new exception."
}
