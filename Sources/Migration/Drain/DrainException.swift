// SPDX-License-Identifier: Apache-2.0

import BusModel

/// People answer for what one sender leaves, or for one queue, until a time. What they answer for does not keep a group from counting
/// as drained, it is named in every report, and it counts again when the time is over.
public struct DrainException: Sendable, Hashable, Codable {
  public static let endedCode = "MIG-702"

  public enum What: Sendable, Hashable, Codable, CustomStringConvertible {
    /// Messages that name it as theirs, as far as they were looked at.
    case sender(HerID)
    /// What lies on it when they answer for it: see ``DrainException/covers``.
    case queue(QueueAddress)

    public var description: String {
      switch self {
      case .sender(let herID): "sender HER-ID \(herID)"
      case .queue(let queue): "queue \(queue)"
      }
    }
  }

  /// What people had before them when they answered for a queue. When more lies there, or something has come, it may be somebody else's, and
  /// the exception ends.
  public struct Cover: Sendable, Hashable, Codable {
    public var messages: Int64
    /// In the queue's own sub-queue.
    public var deadLetters: Int64
    /// All that had ever come, where the bus counts it; else a message that took the place of another is not told from it.
    public var arrivals: Int64?
    /// What a receiver held was not counted then, and is answered for.
    public var held: Bool

    public init(messages: Int64, deadLetters: Int64 = 0, arrivals: Int64? = nil, held: Bool = false) {
      self.messages = messages
      self.deadLetters = deadLetters
      self.arrivals = arrivals
      self.held = held
    }

    /// Nil when the queue could not be counted.
    init?(_ reading: QueueReading) {
      guard let lying = reading.lying else { return nil }
      self.init(
        messages: lying, deadLetters: reading.deadLettered ?? 0, arrivals: reading.arrivals,
        held: reading.mayHideHeld)
    }

    /// What shows that something else is there, in words; nil for nothing. What cannot be counted shows nothing.
    func exceeded(by reading: QueueReading) -> String? {
      guard let lying = reading.lying else { return nil }
      if lying > self.messages {
        return "\(lying) messages lie there, it was made for \(self.messages)"
      }
      if let dead = reading.deadLettered, dead > self.deadLetters {
        return "\(dead) dead letters lie there, it was made for \(self.deadLetters)"
      }
      if let before = self.arrivals, let arrivals = reading.arrivals, arrivals != before {
        // A counter that fell was reset: what came before that is not known.
        return arrivals > before
          ? "\(arrivals - before) messages have come since" : "the bus has begun to count anew"
      }
      if reading.mayHideHeld, !self.held {
        return "a receiver is attached, and what it holds is not counted"
      }
      return nil
    }
  }

  public var by: [String]
  public var what: What
  public var why: String
  public var until: Instant
  /// Of a queue; filled in by the last look before it is signed. Nil for a sender, whose messages are looked at one by one, and in exceptions
  /// from before this was kept, which answer for whatever lies there.
  public var covers: Cover?
  /// Why it has ended before its time; nil when it has not.
  public internal(set) var exceeded: String?
  /// Who gave it, by the control socket; nil in those from before that was kept.
  public var giver: Giver?

  public init(by: [String], what: What, why: String, until: Instant, covers: Cover? = nil) {
    self.by = by
    self.what = what
    self.why = why
    self.until = until
    self.covers = covers
  }

  static let endedMeaning =
    "An exception has ended, by its time or since more is there than it was made for: what it answered for counts again."
  static let endedNext = "See whether the cause is gone; else have it dealt with, or make a new exception."
}
