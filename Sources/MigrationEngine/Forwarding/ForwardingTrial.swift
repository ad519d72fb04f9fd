// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import Migration

/// What an order would carry and what it would set aside, by a look made now that takes nothing: what `drain forward --check` answers. On
/// a bus that shows its messages each is judged by its metadata; elsewhere only counts tell. The schema is stable.
public struct ForwardingTrial: Codable, Sendable {
  public struct Queue: Codable, Sendable {
    public var kind: QueueKind
    public var from: QueueAddress
    public var to: QueueAddress
    /// Whether the order carries this kind.
    public var isCarried: Bool
    /// Messages that lie there; nil when that could not be counted.
    public var lying: Int64?
    public var countedAt: Instant
    /// Messages that were looked at one by one; nil where the bus shows none.
    public var looked: Int?
    /// Of those looked at: what would be sent.
    public var wouldCarry: Int?
    /// Of those looked at: what would be set aside, and what is not handed out now, by why.
    public var wouldStay: [String: Int]
    /// What this look cannot tell.
    public var cannotTell: [String]
  }

  public var schema = "bus-migrator/drain-forward-trial/1"
  public var now: Instant
  public var queues: [Queue]

  public init(now: Instant, queues: [Queue]) {
    self.now = now
    self.queues = queues
  }

  /// Looked at one by one no more than so many of a queue.
  public static let most = 1_000
}

extension ForwardingTrial.Queue {
  /// - Parameters:
  ///   - dialect: of the bus that is carried from.
  ///   - sightings: nil where the bus cannot show its messages.
  public init(
    _ kind: QueueKind, from: QueueAddress, to: QueueAddress, order: ForwardingOrder, dialect: Dialect, depth: DepthReading,
    sightings: SightingReading?, now: Instant
  ) {
    self.kind = kind
    self.from = from
    self.to = to
    self.isCarried = order.queues.contains(kind)
    self.countedAt = Instant(milliseconds: depth.readAt.millisecondsSinceEpoch)
    self.wouldStay = [:]
    self.cannotTell = []
    switch depth.value {
    case .counted(let count):
      self.lying = max(Int64(count.messages), count.figures?.lying ?? 0)
      if count.isLowerBound { self.cannotTell.append("how many there are: at least so many") }
    case .missing: self.cannotTell.append("the queue is not there")
    case .unreadable(let error): self.cannotTell.append("how many there are: [\(error.stableCode)] \(error.explanation.seen)")
    }
    guard self.isCarried else {
      self.cannotTell.append(
        kind == .deadLetter
          ? "dead letters are carried by explicit choice only (--dead-letters)"
          : "\(kind.rawValue) messages are left to expire: nobody waits for them")
      return
    }
    guard let sightings, case .seen(let seen) = sightings.value else {
      let why: String
      switch sightings?.value {
      case .unreadable(let error)?: why = "[\(error.stableCode)] \(error.explanation.seen)"
      default: why = "a \(dialect.rawValue) shows no message without handing it out"
      }
      if self.lying != 0 {
        self.cannotTell.append("which would be set aside (expired, of unknown age, poison, too large): \(why)")
      }
      return
    }
    self.looked = seen.count
    for sighting in seen {
      guard let why = Self.stays(sighting, order, dialect, now: now.milliseconds) else {
        self.wouldCarry = (self.wouldCarry ?? 0) + 1
        continue
      }
      self.wouldStay[why, default: 0] += 1
    }
    self.wouldCarry = self.wouldCarry ?? 0
    if sightings.hasMore { self.cannotTell.append("what lies behind the first \(seen.count)") }
    if !seen.isEmpty { self.cannotTell.append("which are poison or too large for the other bus: only a message's bytes tell") }
  }

  private static func stays(_ sighting: MessageSighting, _ order: ForwardingOrder, _ dialect: Dialect, now: Int64) -> String? {
    switch sighting.state {
    case .locked: return "locked: somebody holds it just now"
    case .deferred: return "deferred: handed out only to who knows its number"
    case .scheduled: return "scheduled: handed out at its time"
    case .deadLettered: if !order.queues.contains(.deadLetter) { return "dead letter" }
    case .active: break
    }
    if let expiresAt = sighting.expiresAt, expiresAt <= now { return "expired" }
    // With an end of its own and no beginning, nobody knows what is left of a time to live.
    if sighting.expiresAt == nil, sighting.enqueuedAt == nil, dialect == .activeMQ, order.unknownAge == .aside {
      return "of unknown age, should it have a time to live"
    }
    if let limit = order.deliveryLimit, (sighting.deliveryCount ?? 0) >= Int64(limit - 3) {
      return "near the delivery limit: the queue would stop there"
    }
    return nil
  }
}

/// `drain forward --check` for people. Pure.
public enum ForwardingTrialText {
  public static func text(_ trial: ForwardingTrial) -> String {
    guard !trial.queues.isEmpty else { return "there is no queue that anything could be carried from" }
    var table = TextTable([
      ("KIND", .left), ("FROM", .left), ("TO", .left), ("LIES THERE", .right), ("LOOKED AT", .right), ("WOULD CARRY", .right),
      ("WOULD STAY", .right),
    ])
    for queue in trial.queues {
      table.add([
        queue.kind.rawValue, "\(queue.from)", "\(queue.to)", queue.lying.map(String.init) ?? "?",
        queue.looked.map(String.init) ?? "-", queue.isCarried ? queue.wouldCarry.map(String.init) ?? "?" : "0",
        queue.looked == nil ? "?" : "\(queue.wouldStay.values.reduce(0, +))",
      ])
    }
    var lines = ["looked at \(trial.now): nothing was taken, held or changed"] + table.lines
    for queue in trial.queues {
      lines += queue.wouldStay.sorted { $0.key < $1.key }.map { "  \(queue.from.queue): \($0.value) would stay, \($0.key)" }
      lines += queue.cannotTell.map { "  \(queue.from.queue): not told: \($0)" }
    }
    return lines.joined(separator: "\n")
  }
}
