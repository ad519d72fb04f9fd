// SPDX-License-Identifier: Apache-2.0

/// Why nothing moves, or that something does: one sentence, from the states and gauges of a client at one moment. Pure.
public struct AMQPDiagnosis: Sendable, Hashable, CustomStringConvertible {
  /// In the order of their weight: the first that is found is the reason.
  public enum Reason: Int, Sendable, Hashable, CaseIterable {
    /// The client has ended, or was refused for good.
    case ended
    /// Nothing was started.
    case notStarted
    /// There is no connection; it is tried again.
    case notConnected
    /// A link is refused or lost; it is tried again.
    case notAttached
    /// The bus does not answer an attach.
    case attachUnanswered
    /// The socket takes no bytes: network or bus do not read.
    case notWritable
    /// Nothing has come from the bus for long.
    case peerSilent
    /// The bus took deliveries back and waits until they are settled.
    case withdrawn
    /// The handlers have not settled, so there is no credit left to give.
    case unsettled
    /// Sends wait: the bus grants no credit.
    case noCredit
    /// Sends wait for their outcomes.
    case outcomesMissing
    /// Credit stands, and nothing comes.
    case idle
    /// Nothing stands still.
    case moving
  }

  /// What is taken for long.
  public struct Limits: Sendable, Hashable {
    public var waiting: Duration
    public var silent: Duration
    public init(waiting: Duration = .seconds(5), silent: Duration = .seconds(60)) {
      self.waiting = waiting
      self.silent = silent
    }
  }

  public var reason: Reason
  /// Without content or secret.
  public var sentence: String

  public var description: String { self.sentence }

  public init(states: [AMQPClientState], statistics: [AMQPConnectionStatistics], limits: Limits = Limits()) {
    let found =
      Self.findings(of: states)
      + statistics.flatMap { Self.findings(of: $0, limits) }
    let worst = found.min { $0.reason.rawValue < $1.reason.rawValue }
    self = worst ?? AMQPDiagnosis(.moving, states.isEmpty ? "nothing is connected or attached" : "nothing stands still")
  }

  private init(_ reason: Reason, _ sentence: String) {
    self.reason = reason
    self.sentence = sentence
  }

  private static func findings(of states: [AMQPClientState]) -> [AMQPDiagnosis] {
    if states.isEmpty { return [AMQPDiagnosis(.notStarted, "not connected: run() was not started")] }
    return states.compactMap { state in
      let cause = state.cause.map { "\($0.condition?.description ?? $0.seen) (\($0.stableCode))" }
      let next = state.nextAttemptIn.map { ", next attempt in \(Self.text($0))" } ?? ""
      let isConnection = state.tier == .connection && state.subject.isConnection
      switch state.phase {
      case .open: return nil
      case .ended: return AMQPDiagnosis(.ended, "\(state.subject) has ended: \(cause ?? "the client was stopped")")
      case .connecting where cause == nil:
        return AMQPDiagnosis(isConnection ? .notConnected : .notAttached, "\(state.subject): the first attempt is under way")
      case .connecting, .waiting:
        let words = isConnection ? "not connected" : "not attached"
        return AMQPDiagnosis(
          isConnection ? .notConnected : .notAttached, "\(state.subject): \(words): \(cause ?? "lost")\(next)")
      }
    }
  }

  private static func findings(of connection: AMQPConnectionStatistics, _ limits: Limits) -> [AMQPDiagnosis] {
    var found: [AMQPDiagnosis] = []
    if let age = connection.oldestAttachAge, age >= limits.waiting {
      found.append(.init(.attachUnanswered, "an attach has not been answered for \(text(age))"))
    }
    if !connection.isWritable {
      found.append(.init(.notWritable, "the socket takes no bytes: the network or the bus does not read"))
    }
    if let age = connection.lastFrameReceivedAge, age >= limits.silent {
      found.append(.init(.peerSilent, "nothing has come from the bus for \(text(age))"))
    }
    return found + connection.links.compactMap { Self.finding(of: $0, limits) }
  }

  private static func finding(of link: AMQPLinkStatistics, _ limits: Limits) -> AMQPDiagnosis? {
    switch link.role {
    case .receiver:
      if link.withdrawn > 0, link.unsettled > 0, link.lastActivityAge >= limits.waiting {
        return .init(
          .withdrawn,
          "\(link.withdrawn) deliveries of \(link.address) were taken back by the bus, \(link.unsettled) unsettled: "
            + "it gives nothing more until they are settled")
      }
      if link.credit <= 0, link.unsettled + link.buffered > 0 {
        let age = link.oldestUnsettledAge.map { ", oldest \(text($0))" } ?? ""
        return .init(
          .unsettled,
          "\(link.address): credit \(link.credit), \(link.unsettled + link.buffered) unsettled\(age): the handlers have not settled"
        )
      }
      if link.credit > 0, link.lastActivityAge >= limits.waiting {
        return .init(
          .idle,
          "\(link.address): idle: credit \(link.credit), nothing arrived for \(text(link.lastActivityAge)): "
            + "the queue is empty or somebody else reads it")
      }
      return nil
    case .sender:
      if link.waitingSends > 0, link.credit <= 0, let age = link.oldestWaitingSendAge, age >= limits.waiting {
        return .init(
          .noCredit,
          "\(link.waitingSends) sends wait, no credit for \(text(age)) on \(link.address), link open: the bus may be in alarm")
      }
      if link.inFlight > 0, let age = link.oldestUnsettledAge, age >= limits.waiting {
        return .init(
          .outcomesMissing, "\(link.inFlight) sends to \(link.address) wait for their outcome, the oldest for \(text(age))")
      }
      return nil
    }
  }

  private static func text(_ duration: Duration) -> String {
    let seconds = duration.milliseconds / 1_000
    return seconds < 120 ? "\(seconds) s" : "\(seconds / 60) min"
  }
}

extension AMQPClientState.Subject {
  fileprivate var isConnection: Bool { if case .connection = self { true } else { false } }
}

extension AMQPClient {
  /// Says in one sentence why nothing moves: from the states and gauges as they are now.
  public func diagnose(limits: AMQPDiagnosis.Limits = AMQPDiagnosis.Limits()) async -> AMQPDiagnosis {
    var statistics: [AMQPConnectionStatistics] = []
    for connection in self.connections { statistics.append(await connection.statistics()) }
    return AMQPDiagnosis(states: self.status, statistics: statistics, limits: limits)
  }
}
