// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Something keeps coming to the queues that are being left, later than any lawful message can: a sender does not follow the
/// register, and waiting does not heal it.
///
/// Lawful late traffic never raises it, else people learn to look away (kcp#380, kcp#385): what lay there before, a register cache that
/// lives its day, what a sender had queued while the bus was away, replies, error reports and dead letters. Nor does it blame a sender
/// for what the register says: at the first suspicion the entries are read again, and only what comes after that raises it.
public struct StaleSender: Sendable, Hashable, Codable {
  public static let code = "MIG-701"

  /// The look that showed it first.
  public var since: Instant
  public var lastSeenAt: Instant
  public var queues: [QueueAddress]
  /// When nothing had come for as long as a quiet period; nil while it goes on.
  public internal(set) var endedAt: Instant?

  static let meaning = """
    Messages keep coming to the source bus long after the move, later than caches and retries explain: a sender's connection names \
    the source bus, or it never reads the register again.
    """
  static let next = """
    Find the sender in the source bus's own connection list and have its vendor move it; until then somebody empties the queue, \
    or an exception names it.
    """
}

extension DrainLedger {
  /// Follows what still comes. Only a rise is an arrival: what merely lies there is not, nor is a counter that starts anew.
  ///
  /// - Parameters:
  ///   - look: before it is taken in.
  ///   - entriesReadAt: when the group's entries were last all read and found as they should be; nil when they are to be read.
  mutating func followStaleSender(_ look: [QueueReading], at now: Instant, entriesReadAt: Instant?, policy: Policy) {
    guard look.allSatisfy(\.isReadable), let watermark, let previous = self.lastReadableAt, previous <= now else { return }
    let live = self.liveExceptions(now: now)
    // Whose a message is, a counter does not tell: where people answer for a sender, it is the closer look that convicts another.
    if live.contains(where: { if case .sender = $0.what { true } else { false } }) { return }
    let queues = look.filter { reading in self.hasRisen(reading) && !live.contains { $0.what == .queue(reading.address) } }
      .map(\.address)
    guard !queues.isEmpty else {
      if let last = self.suspectedAt,
        now >= max(last, self.staleSender?.lastSeenAt ?? last) + policy.quietNeeded(seen: self.longestCacheSeen)
      {
        self.suspectedAt = nil
        if self.staleSender?.endedAt == nil { self.staleSender?.endedAt = now }
      }
      return
    }
    // It came after the look before, at some time: only when that look was late enough is it later than anything lawful.
    guard previous >= watermark + policy.lawfulLateness, self.liveException(now: now) == nil else { return }
    guard let suspectedAt else {
      self.suspectedAt = now
      return
    }
    guard let entriesReadAt, suspectedAt <= entriesReadAt, entriesReadAt <= previous else { return }
    if self.staleSender == nil || self.staleSender?.endedAt != nil {
      self.staleSender = StaleSender(since: now, lastSeenAt: now, queues: [])
    }
    self.staleSender?.lastSeenAt = now
    let known = self.staleSender?.queues ?? []
    self.staleSender?.queues += queues.filter { !known.contains($0) }
  }

  /// Replies and error reports answer what was sent before the move, and may be late lawfully.
  private func hasRisen(_ reading: QueueReading) -> Bool {
    guard reading.kind == .asynchronous || reading.kind == .synchronous else { return false }
    if let now = reading.arrivals, let before = self.lastArrivals[reading.address.description] { return now > before }
    guard let depth = reading.depth, self.lastIsReadable else { return false }
    if let forwarding {
      // What a forwarder takes and gives back, and what it has settled and not told yet, must not look like arrivals: only what
      // rises above all that was ever there is one.
      let level = depth + forwarding.total(of: reading.address).settled
      return level > self.levels[reading.address.description] ?? level
    }
    return depth > self.last.first { $0.address == reading.address }?.depth ?? depth
  }
}
