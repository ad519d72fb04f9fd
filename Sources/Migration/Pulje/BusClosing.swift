// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What was seen of a whole bus when somebody wants to close it for good: kept with the decision.
public struct BusClosing: Sendable, Hashable, Codable {
  public enum Count: Sendable, Hashable, Codable {
    /// - Parameter names: the first of them.
    case counted(Int, names: [String])
    case notReadable(String)

    /// The first of what was counted.
    public var names: [String] { if case .counted(_, let names) = self { names } else { [] } }

    var words: String {
      switch self {
      case .counted(let count, let names):
        "\(count)\(names.isEmpty ? "" : " (\(names.joined(separator: ", "))\(count > names.count ? ", ..." : ""))")"
      case .notReadable(let why): "not readable: \(why)"
      }
    }
  }

  public var bus: BusName
  public var lookedAt: Instant
  /// Register entries that were looked through.
  public var parties: Int
  /// When the whole registry was last compared with the register without anything that could not be read; nil for never.
  public var comparedAt: Instant?
  /// Parties whose entry names this bus.
  public var remaining: Count
  /// Connections that are not this daemon's.
  public var connections: Count
  /// Queues with messages on them, dead letters among them.
  public var filledQueues: Count

  public init(
    bus: BusName, lookedAt: Instant, parties: Int, comparedAt: Instant?, remaining: Count, connections: Count, filledQueues: Count
  ) {
    self.bus = bus
    self.lookedAt = lookedAt
    self.parties = parties
    self.comparedAt = comparedAt
    self.remaining = remaining
    self.connections = connections
    self.filledQueues = filledQueues
  }

  /// For how long a look counts, and the compare that it rests on.
  static let lookLife = TimeSpan.minutes(15)
  static let comparisonLife = TimeSpan.hours(48)

  /// Everything that keeps the bus from being closed, whoever signs; empty when nothing does. What could not be looked at keeps it open.
  public func obstacles(now: Instant) -> [String] {
    var found: [String] = []
    if now < self.lookedAt || now.since(self.lookedAt) > Self.lookLife { found.append("it was looked at \(self.lookedAt)") }
    if let comparedAt {
      if now < comparedAt || now.since(comparedAt) > Self.comparisonLife {
        found.append("the registry was last compared with the register \(comparedAt)")
      }
    } else {
      found.append("the whole registry was never compared with the register")
    }
    if self.parties == 0 { found.append("no register entry is known") }
    for (what, count) in [
      ("parties still on it", self.remaining), ("connections", self.connections), ("queues with messages", self.filledQueues),
    ] where count != .counted(0, names: []) { found.append("\(what): \(count.words)") }
    return found
  }

  public var text: String {
    [
      "bus \(self.bus), looked at \(self.lookedAt)",
      "  \(self.parties) register entries, compared with the register \(self.comparedAt?.description ?? "never")",
      "  parties still on it: \(self.remaining.words)", "  connections: \(self.connections.words)",
      "  queues with messages: \(self.filledQueues.words)",
    ].joined(separator: "\n")
  }
}

extension MigrationState {
  /// The very end of a bus: every HER-ID off it, nobody connected, no message left, no way back that leads there.
  func decideClose(_ closing: BusClosing, _ approvals: [String], _ now: Instant) -> Outcome {
    let tried = "close bus \(closing.bus)"
    if let refusal = Approval.refusal(of: approvals, needed: 2, tried: tried) { return .refused(refusal) }
    if let note = self.closedBuses[closing.bus] {
      return .refused(Refusal(.pauseUnchanged, tried: tried, seen: "closed by \(note.by) at \(note.at)"))
    }
    for pulje in self.ordered where pulje.plan.source == closing.bus || pulje.plan.target == closing.bus {
      if let group = pulje.groups.first(where: { Self.needs(closing.bus, $0, pulje.plan) }) {
        let seen = "\(group.id) of pulje \(pulje.name) is \(group.phase.rawValue)"
        return .refused(Refusal(.busInUse, tried: tried, seen: seen))
      }
    }
    if let seen = self.shovelWords(on: closing.bus).first { return .refused(Refusal(.busInUse, tried: tried, seen: seen)) }
    let obstacles = closing.obstacles(now: now)
    guard obstacles.isEmpty else { return .refused(Refusal(.busInUse, tried: tried, seen: obstacles.joined(separator: "; "))) }
    return .events([.busClosed(closing: closing, by: approvals)])
  }

  /// Shovels that take from the bus, bring to it or run on it, and are not known to be gone; in words.
  public func shovelWords(on bus: BusName) -> [String] {
    self.shovels.filter { recorded in
      let plan = self.puljer[recorded.pulje]?.plan
      return recorded.shovel.node == bus || plan?.source == bus || plan?.target == bus
    }.map { "\($0.shovel.words) (pulje \($0.pulje))" }
  }

  /// A group that is under way needs both buses; one whose move is accepted needs the source, until its way back is ended.
  private static func needs(_ bus: BusName, _ group: GroupState, _ plan: Plan) -> Bool {
    switch group.phase {
    case .removed, .withdrawn, .restored: false
    case .accepted, .retired: plan.source == bus
    default: true
    }
  }
}
