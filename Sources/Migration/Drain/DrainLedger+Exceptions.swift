// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What people answer for, and what nobody does.
extension DrainLedger {
  /// Exceptions for single senders and queues that still run.
  public func liveExceptions(now: Instant) -> [DrainException] {
    self.namedExceptions.isEmpty ? [] : self.namedExceptions.filter { $0.until > now }
  }

  func isExcepted(_ queue: QueueAddress, now: Instant) -> Bool {
    self.liveExceptions(now: now).contains { $0.what == .queue(queue) }
  }

  /// How much of `count` messages of a queue nobody answers for.
  ///
  /// For a sender people answer only for messages that were looked at since: what lay there at an earlier look may have gone, and another's
  /// have taken its place.
  /// - Parameters:
  ///   - dead: of the dead letters in the queue's own sub-queue, and of no others.
  ///   - isSeen: only of what was looked at, or need not be: false when whose it is may still be found out.
  private func unanswered(
    _ count: Int64, _ reading: QueueReading, dead: Bool, isSeen: Bool, now: Instant
  ) -> Int64 {
    guard count > 0 else { return 0 }
    let live = self.liveExceptions(now: now)
    if live.isEmpty { return count }
    if live.contains(where: { $0.what == .queue(reading.address) }) { return 0 }
    let senders = live.compactMap { if case .sender(let herID) = $0.what { herID } else { nil } }
    if senders.isEmpty { return count }
    guard let seen = self.sighted.first(where: { $0.queue == reading.address }), seen.followsLook,
      seen.isWhole || !seen.sightings.isEmpty
    else { return isSeen ? 0 : count }
    guard seen.isWhole else { return count }
    // On a queue of dead letters with a name of its own all are such, and some buses show them as any other message.
    let ofKind = seen.sightings.filter {
      reading.kind == .deadLetter || ($0.state == .deadLettered) == dead
    }
    let theirs = ofKind.count { $0.fromHerID.map(senders.contains) ?? false }
    // Fewer than were counted: the rest has gone since, or is not shown.
    return isSeen && !dead && reading.kind != .deadLetter
      ? Int64(ofKind.count - theirs) : max(0, count - Int64(theirs))
  }

  func unansweredLeftovers(_ look: [QueueReading], isSeen: Bool, now: Instant) -> Int64 {
    look.reduce(0) { sum, reading in
      guard reading.kind != .deadLetter, let lying = reading.lying else { return sum }
      return sum + self.unanswered(lying, reading, dead: false, isSeen: isSeen, now: now)
    }
  }

  func unansweredDeadLetters(_ look: [QueueReading], isSeen: Bool, now: Instant) -> Int64 {
    self.newDeadLetters(look) { reading, new in
      self.unanswered(new, reading, dead: reading.kind != .deadLetter, isSeen: isSeen, now: now)
    }
  }

  /// Whether, by the last look, something lies there that nobody answers for.
  ///
  /// - Parameter isSeen: only what is known to be nobody's for whom people answer, and not what was not looked at since.
  func hasUnanswered(isSeen: Bool = false, now: Instant) -> Bool {
    return self.unansweredLeftovers(self.last, isSeen: isSeen, now: now) > 0
      || self.unansweredDeadLetters(self.last, isSeen: isSeen, now: now) > 0
  }

  /// Whether somebody answers for a sender whose messages these may be, and nobody has looked whose they are.
  func awaitsSighting(now: Instant, dialect: Dialect?) -> Bool {
    guard dialect?.capabilities.browses == true, self.pendingQuiet != nil, self.lastIsReadable
    else {
      return false
    }
    return self.hasUnanswered(now: now) && !self.sighted.contains(where: \.followsLook)
  }

  /// Exceptions for queues on which more lies than people had before them, or to which something came, end.
  mutating func endExceeded(_ look: [QueueReading], at now: Instant) {
    for place in self.namedExceptions.indices where self.namedExceptions[place].until > now {
      guard case .queue(let queue) = self.namedExceptions[place].what,
        let covers = self.namedExceptions[place].covers,
        let reading = look.first(where: { $0.address == queue }),
        let why = covers.exceeded(by: reading)
      else { continue }
      self.namedExceptions[place].until = now
      self.namedExceptions[place].exceeded = why
    }
  }
}
