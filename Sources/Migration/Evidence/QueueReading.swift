// SPDX-License-Identifier: Apache-2.0

import BusModel

/// One look at one queue's counters. Never a look at its messages.
public struct QueueReading: Sendable, Hashable, Codable {
  public enum Count: Sendable, Hashable, Codable {
    /// - Parameters:
    ///   - depth: messages there: ready, locked, deferred and scheduled, as far as the dialect tells.
    ///   - arrivals: all that ever came in, where the dialect tells; else a message taken between two looks goes unseen.
    ///   - consumers: receivers attached, where the dialect tells.
    ///   - figures: every single figure, where the bus was asked for them.
    case counted(depth: Int64, arrivals: Int64?, consumers: Int64?, figures: QueueFigures? = nil)
    /// The bus says there is no such queue.
    case absent
    /// Could not be read, and why: counts as not drained (decision Q5).
    case unreadable(String)
  }

  public var address: QueueAddress
  public var kind: QueueKind
  public var count: Count
  /// When the bus was asked, where that was before the look; nil for the look's own time.
  public var readAt: Instant?

  public init(address: QueueAddress, kind: QueueKind, count: Count, readAt: Instant? = nil) {
    self.readAt = readAt
    self.address = address
    self.kind = kind
    self.count = count
  }

  public var depth: Int64? {
    if case .counted(let depth, _, _, _) = self.count { depth } else { nil }
  }

  public var arrivals: Int64? {
    if case .counted(_, let arrivals, _, _) = self.count { arrivals } else { nil }
  }

  public var consumers: Int64? {
    if case .counted(_, _, let consumers, _) = self.count { consumers } else { nil }
  }

  public var figures: QueueFigures? {
    if case .counted(_, _, _, let figures) = self.count { figures } else { nil }
  }

  /// Everything that lies there: the depth, or the sum of the single figures where that is more. A message that is locked, scheduled,
  /// deferred or on its way elsewhere is still somebody's message.
  public var lying: Int64? {
    self.depth.map { max($0, self.figures?.lying ?? 0) }
  }

  /// What lies in the queue's own sub-queues of dead letters; nil where the bus has none or does not tell.
  public var deadLettered: Int64? {
    guard let figures = self.figures, figures.deadLettered != nil || figures.transferDeadLettered != nil else { return nil }
    return (figures.deadLettered ?? 0) + (figures.transferDeadLettered ?? 0)
  }

  /// Whether the reading says what a drain-check must know: counted, or a queue that need not exist is not there.
  public var isReadable: Bool {
    switch self.count {
    case .counted: true
    case .absent: !QueueKind.inRegister.contains(self.kind)
    case .unreadable: false
    }
  }

  /// Whether somebody may hold messages here that the count leaves out: it tells those that wait and not those that are handed out
  /// (RabbitMQ 4's `/management`, copies on ActiveMQ), and a receiver is attached, or nobody says that none is. Without a receiver
  /// the bus has given back what was held.
  public var mayHideHeld: Bool { self.leavesOutHeld && self.consumers != 0 }

  /// Messages that wait are told, those that are handed out and not settled are not. Service Bus counts the locked ones among those that
  /// wait; what it has beside them tells that it is one.
  public var leavesOutHeld: Bool {
    guard let figures, figures.active != nil else { return false }
    let others = [figures.locked, figures.scheduled, figures.deferred, figures.deadLettered, figures.transfer]
    return others.allSatisfy { $0 == nil }
  }

  /// A queue that the register names has gone: mail may have gone with it (I-7).
  public var isMissing: Bool { self.count == .absent && QueueKind.inRegister.contains(self.kind) }
}
