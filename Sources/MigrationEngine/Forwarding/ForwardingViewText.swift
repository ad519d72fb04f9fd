// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// `drain forward` for people. Pure.
public enum ForwardingViewText {
  public static func text(_ view: ForwardingView) -> String {
    guard !view.groups.isEmpty else {
      return "no group has a forwarding order; name a party with --her-id to see what one would carry"
    }
    var lines: [String] = []
    for group in view.groups { lines += Self.lines(group, now: view.now) }
    if let duplicates = view.possibleDuplicates, !duplicates.isEmpty {
      lines += ["", "\(duplicates.count) messages may have arrived twice (drain forward --duplicates lists them)"]
    }
    if let aside = view.setAside, !aside.isEmpty {
      lines += ["", "set aside, still on the source:"]
      lines += aside.prefix(20).map { "  \($0.queue) \($0.messageID): \($0.reason), \($0.seen)" }
      if aside.count > 20 { lines.append("  and \(aside.count - 20) more (--json has all)") }
    }
    return lines.joined(separator: "\n")
  }

  public static func duplicates(_ view: ForwardingView) -> String {
    guard let duplicates = view.possibleDuplicates else { return "the journal could not be read" }
    if duplicates.isEmpty { return "no message may have arrived twice" }
    var table = TextTable([("AT", .left), ("QUEUE", .left), ("MESSAGE", .left), ("WHY", .left)])
    for one in duplicates { table.add(["\(one.at)", one.queue.queue, one.messageID, one.reason]) }
    return table.lines.joined(separator: "\n")
  }

  private static func lines(_ group: ForwardingView.Group, now: Instant) -> [String] {
    var lines = [
      "\(group.group) of pulje \(group.pulje), \(group.phase.rawValue): \(group.from) -> \(group.to), HER-ID "
        + group.herIDs.map(\.description).joined(separator: ", ")
    ]
    if let order = group.order {
      lines.append(
        "  \(Self.words(order)); approved by \(order.approvals.joined(separator: ", ")) at \(group.approvedAt?.description ?? "?")"
      )
      if let ended = group.ended {
        lines.append("  ENDED by \(ended.by) at \(ended.at): \(ended.why)")
      } else if let pause = group.pause {
        lines.append("  PAUSED by \(pause.by) at \(pause.at): \(pause.why)")
      } else {
        let kept = group.keptBack.map { "[\($0.stableCode)] \($0.seen)" } ?? "every queue of it has stopped, or has nowhere to go"
        lines.append(group.isAtWork ? "  at work" : "  stands, and is kept back just now: \(kept)")
      }
    } else {
      let policy =
        group.policy == .forward ? "" : "; the pulje's policy is leftovers: \(group.policy.rawValue), so none can be approved"
      lines.append("  no order: this is what one would carry\(policy)")
    }
    var table = TextTable([
      ("  KIND", .left), ("FROM", .left), ("TO", .left), ("LIES THERE", .right), ("CARRIED", .right), ("ASIDE", .right),
      ("EXPIRED", .right), ("", .left),
    ])
    for route in group.routes {
      let total = route.total
      let words = route.stop.map { "STOPPED [\($0.code)] \($0.seen)" } ?? (route.isCarried ? "" : Self.reason(route.kind))
      table.add([
        "  \(route.kind.rawValue)", "\(route.from)", "\(route.to)", route.lying.map(String.init) ?? "?", "\(total.accepted)",
        "\(total.allAside)", "\(total.allExpired)", words,
      ])
    }
    lines += table.lines
    if group.order?.carrier == .shovel {
      lines.append("  CARRIED is what the bus itself counts for the shovels' login: late, and kept by no journal")
    }
    lines.append(group.lookedAt.map { "  counted \(DrainOutlook.span(now.since($0))) ago" } ?? "  not counted yet")
    return lines
  }

  private static func reason(_ kind: QueueKind) -> String {
    switch kind {
    case .synchronous, .synchronousReply: "left to expire: nobody waits for them"
    case .deadLetter: "not carried; only by --dead-letters"
    case .asynchronous, .error: "not in the order"
    }
  }

  static func words(_ order: ForwardingOrder) -> String {
    var words = "\(order.carrier == .own ? "our forwarder" : "shovels"), \(order.mode.rawValue)"
    if order.mode == .fast { words += " with \(order.window) on their way" }
    if let rate = order.ratePerSecond { words += ", at most \(rate) a second" }
    words += ", \(order.queues.map(\.rawValue).joined(separator: " and ")) queues"
    return words
  }
}
