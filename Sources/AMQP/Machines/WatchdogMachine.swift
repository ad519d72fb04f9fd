// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Finds links that stand still though everything says that they are open. Pure: the time comes in as a value.
///
/// Two rules for a receiver on which nothing is buffered or unsettled:
///
/// - without credit for ``Limits/stalled``: nothing that can happen on it would make it move again. That is never right.
/// - with credit and without any sign of life for ``Limits/quiet``: most often the queue is empty. But RabbitMQ 3 says nothing
///   at all when a queue is deleted under its receiver, and Service Bus receivers are known to fall silent; attaching again
///   costs little and finds out.
///
/// And one for the connection: Proton ends it when nothing came within the idle timeout. Should that fail, it counts as dead
/// after twice that time.
struct WatchdogMachine<Link: Hashable & Sendable>: Sendable {
  struct Limits: Sendable, Hashable {
    var stalled: TimeAmount
    /// Nil: never.
    var quiet: TimeAmount?
    /// The connection's own idle timeout.
    var idle: TimeAmount
  }

  /// A receiver as it is now.
  struct View: Sendable, Hashable {
    var link: Link
    var credit: Int
    /// Buffered and unsettled together.
    var held: Int
    /// Whether credit is meant to flow: not draining, drained or detaching.
    var isGranting: Bool
    var lastActivity: NIODeadline
  }

  enum Verdict: Equatable, Sendable {
    case stalled(Link, since: NIODeadline)
    case quiet(Link, since: NIODeadline)
    case connectionSilent(since: NIODeadline)
  }

  let limits: Limits

  func check(_ receivers: [View], lastRead: NIODeadline?, at now: NIODeadline) -> [Verdict] {
    if let lastRead, now >= lastRead + self.limits.idle + self.limits.idle { return [.connectionSilent(since: lastRead)] }
    return receivers.compactMap { view in
      guard view.isGranting, view.held == 0 else { return nil }
      if view.credit <= 0 {
        return now >= view.lastActivity + self.limits.stalled ? .stalled(view.link, since: view.lastActivity) : nil
      }
      guard let quiet = self.limits.quiet, now >= view.lastActivity + quiet else { return nil }
      return .quiet(view.link, since: view.lastActivity)
    }
  }

  /// When to check next: the first moment at which any of these can be due. Links that move until then put it off by themselves.
  func nextCheck(_ receivers: [View], lastRead: NIODeadline?, after now: NIODeadline) -> NIODeadline {
    var due: [NIODeadline] = lastRead.map { [$0 + self.limits.idle + self.limits.idle] } ?? []
    for view in receivers {
      due.append(view.lastActivity + self.limits.stalled)
      if let quiet = self.limits.quiet { due.append(view.lastActivity + quiet) }
    }
    // A link that is attached between two checks is seen after this at the latest. And never without a pause: what is due and
    // exempt, such as a link with unsettled deliveries, would be asked about over and over.
    let pause = min(self.limits.stalled, self.limits.quiet ?? self.limits.stalled, self.limits.idle)
    let soonest = now + .nanoseconds(max(pause.nanoseconds / 4, 1_000_000))
    return min(max(due.min() ?? soonest, soonest), now + pause)
  }
}
