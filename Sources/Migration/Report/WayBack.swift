// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Whether going back would work now: a light for each group, with every reason that keeps it from being green.
public struct WayBack: Sendable, Hashable, Codable {
  public enum Light: String, Sendable, Hashable, Codable, CaseIterable {
    /// It would be begun, and mail would be fetched on the source bus.
    case green
    /// It would be begun; what is named is not shown, or needs somebody.
    case yellow
    /// It would be refused, or has nothing to go back to.
    case red
    /// Nothing has been written yet, or the group is on its way back or back already: there is no way to go.
    case none
  }

  public struct Reason: Sendable, Hashable, Codable {
    public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
      case refused = "MIG-501"
      case queueGone = "MIG-502"
      case nobodyListens = "MIG-503"
      case listeningNotKnown = "MIG-504"
      case notProven = "MIG-505"
      case recordNotHeld = "MIG-506"
      case lineStopped = "MIG-507"
      case entryNotAsExpected = "MIG-508"
      case brokenWhenWritten = "MIG-509"
    }

    public var code: Code
    public var seen: String
  }

  /// For how long a look at the source bus shows that the way back stands.
  public static let proofLife = TimeSpan.hours(24)

  public var light: Light
  /// Whether a roll-back would be begun.
  public var isOpen: Bool
  /// Why a roll-back would be refused: the code it would be refused with.
  public var code: String?
  public var seen: String?
  public var reasons: [Reason]

  init(_ group: GroupState, context: GroupContext, now: Instant) {
    let refusal = group.decide(.rollBack(by: "status", why: "would it work"), in: context, now: now).refusal
    self.isOpen = refusal == nil
    self.code = refusal?.stableCode
    self.seen = refusal?.seen
    self.reasons = []
    self.light = .none
    if group.phase.isBeforeCut || group.direction == .back || group.phase == .withdrawn { return }
    if let refusal { self.reasons.append(Reason(code: .refused, seen: "\(refusal.stableCode): \(refusal.seen)")) }
    self.reasons += Self.recordReasons(group) + Self.queueReasons(group, context, now: now)
    if let stop = context.stop { self.reasons.append(Reason(code: .lineStopped, seen: "stopped by \(stop.by): \(stop.why)")) }
    let isClosed = self.reasons.contains(where: \.code.closesTheWay)
    self.light = isClosed ? .red : self.reasons.isEmpty ? .green : .yellow
  }

  /// The exact record to go back to is in the sealed plan; without a queue in it nothing would be restored.
  private static func recordReasons(_ group: GroupState) -> [Reason] {
    var reasons: [Reason] = []
    for member in group.members {
      if member.plan.before.queues.isEmpty || member.plan.before.hash != member.beforeHash {
        reasons.append(Reason(code: .recordNotHeld, seen: "HER-ID \(member.herID) has no record to go back to"))
      }
      if member.isInConflict {
        let seen = "the entry of HER-ID \(member.herID) was changed by somebody else; it is read first"
        reasons.append(Reason(code: .entryNotAsExpected, seen: seen))
      }
    }
    return reasons
  }

  private static func queueReasons(_ group: GroupState, _ context: GroupContext, now: Instant) -> [Reason] {
    var reasons: [Reason] = []
    if let seen = group.wayBackBroken { reasons.append(Reason(code: .brokenWhenWritten, seen: seen)) }
    let look = group.drain.last.isEmpty ? group.preflight?.baseline ?? [] : group.drain.last
    for reading in look where reading.isMissing {
      reasons.append(Reason(code: .queueGone, seen: "\(reading.address) is gone"))
    }
    let proven = group.drain.lastReadableAt ?? group.history.last { $0.phase == .ready }?.at
    if proven.map({ $0 > now || now.since($0) > Self.proofLife }) ?? true {
      let seen = proven.map { "the source bus was last seen to hold the queues at \($0)" } ?? "the source bus was never looked at"
      reasons.append(Reason(code: .notProven, seen: seen))
    }
    // Our own forwarder, or a shovel, is no sign that the party listens.
    let work = group.direction == .forward && group.forwardingKeptBack(in: context) == nil ? group.forwarding : nil
    for reading in look where reading.kind == .asynchronous {
      guard case .counted(_, _, let attached, _) = reading.count else { continue }
      let isOurs =
        work.map { work in
          work.stands && work.order.queues.contains(reading.kind) && !work.stops.contains { $0.queue == reading.address }
        } ?? false
      let consumers = attached.map { isOurs ? max(0, $0 - 1) : $0 }
      if consumers == nil {
        let seen = "the source bus does not tell who listens on \(reading.address)"
        reasons.append(Reason(code: .listeningNotKnown, seen: seen))
      } else if consumers == 0 {
        reasons.append(Reason(code: .nobodyListens, seen: "nobody listens on \(reading.address): mail would wait there"))
      }
    }
    return reasons
  }
}

extension GroupState {
  /// What of the way back did not stand when it was last looked at, between two writes; nil when it stood, or was seen to stand since.
  fileprivate var wayBackBroken: String? {
    if self.direction == .back || self.phase.isBeforeCut || self.phase == .cutIntent && self.isUnwritten { return nil }
    guard let broken = self.preflight?.wayBackObstacle else { return nil }
    guard let seenAt = self.drain.lastReadableAt, !self.drain.last.contains(where: \.isMissing) else { return broken }
    return self.preflightAt.map { seenAt > $0 } ?? false ? nil : broken
  }
}

extension WayBack.Reason.Code {
  /// Whether with it there is no way back at all.
  var closesTheWay: Bool {
    switch self {
    case .refused, .queueGone, .recordNotHeld, .brokenWhenWritten: true
    case .nobodyListens, .listeningNotKnown, .notProven, .lineStopped, .entryNotAsExpected: false
    }
  }

  var words: (meaning: String, next: String) {
    switch self {
    case .refused: ("Going back would be refused; the refusal's own code stands with it.", "See that code.")
    case .queueGone:
      (
        "A queue that the way back leads to is not on the source bus.",
        "Those who run the bus put it in place; the next look sees it."
      )
    case .nobodyListens:
      (
        "Going back would work, and the party's mail would wait: its system does not fetch from the source bus.",
        "The vendor has the system listen on the source bus as well, or does so when the party goes back."
      )
    case .listeningNotKnown:
      ("The source bus does not tell whether anybody listens.", "Ask the vendor before going back; after it the ping tells.")
    case .notProven:
      ("For a day nobody has seen that the way back stands.", "See why the counters cannot be read: bus, credential, management.")
    case .recordNotHeld:
      (
        "The plan holds no record to restore.",
        "Have the entry restored by those who run the register; then tell us: this must not be."
      )
    case .brokenWhenWritten:
      (
        "The rest of a group was moved, or is about to be, though its way back was found broken: some of its entries were moved already, "
          + "and half of it on a bus that does not stand helped nobody.",
        "See to the source bus, our credential and the queues there at once; a look at the source bus that succeeds ends this."
      )
    case .lineStopped:
      ("The line is stopped: going back can be ordered, and is written when the line runs.", "Two people release it.")
    case .entryNotAsExpected:
      (
        "The entry is neither what it was nor what it should be. A roll-back reads it first and stops at what is strange.",
        "Somebody puts the entry right in the register."
      )
    }
  }
}
