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
    /// Deliveries are held after their handlers failed, so there is no credit left to give.
    case held
    /// Deliveries have arrived and nobody takes them, so there is no credit left to give.
    case untaken
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
  /// The address of the link that it is about; nil when it is about a connection or the client.
  public var address: String?
  /// Which end of that link we are; nil when it is about a connection or the client.
  public var role: AMQPLinkStatistics.Role?
  /// How long the handlers have had the oldest delivery, where that is the reason.
  public var oldest: Duration?

  public var description: String { self.sentence }

  /// The heaviest of what is found.
  ///
  /// - Parameter loads: where the deliveries of receivers are: those that wait behind a handler are not the handler's.
  public init(
    states: [AMQPClientState], statistics: [AMQPConnectionStatistics], loads: [AMQPReceiverLoad] = [],
    limits: Limits = Limits()
  ) {
    let found = Self.findings(states: states, statistics: statistics, loads: loads, limits: limits)
    self = found.first ?? AMQPDiagnosis(.moving, states.isEmpty ? "nothing is connected or attached" : "nothing stands still")
  }

  /// All that is found, the heaviest first: nothing where everything moves.
  public static func findings(
    states: [AMQPClientState], statistics: [AMQPConnectionStatistics], loads: [AMQPReceiverLoad] = [],
    limits: Limits = Limits()
  ) -> [AMQPDiagnosis] {
    let found =
      Self.findings(of: states)
      + statistics.flatMap { Self.findings(of: $0, loads, limits) }
    // Stable, so that two looks at the same state say the same.
    return found.enumerated().sorted { ($0.element.reason.rawValue, $0.offset) < ($1.element.reason.rawValue, $1.offset) }
      .map(\.element)
  }

  private init(_ reason: Reason, _ sentence: String, about address: String? = nil, _ role: AMQPLinkStatistics.Role? = nil) {
    self.reason = reason
    self.sentence = sentence
    self.address = address.flatMap { $0.isEmpty ? nil : $0 }
    self.role = role
  }

  private static func findings(of states: [AMQPClientState]) -> [AMQPDiagnosis] {
    if states.isEmpty { return [AMQPDiagnosis(.notStarted, "not connected: run() was not started")] }
    return states.compactMap { state in
      let cause = state.cause.map { "\($0.condition?.description ?? $0.seen) (\($0.stableCode))" }
      let next = state.nextAttemptIn.map { ", next attempt in \(Self.text($0))" } ?? ""
      let isConnection = state.tier == .connection && state.subject.isConnection
      let address = state.subject.address
      switch state.phase {
      case .open: return nil
      case .ended:
        return AMQPDiagnosis(
          .ended, "\(state.subject) has ended: \(cause ?? "the client was stopped")", about: address, state.subject.role)
      case .connecting where cause == nil:
        return AMQPDiagnosis(
          isConnection ? .notConnected : .notAttached, "\(state.subject): the first attempt is under way", about: address,
          state.subject.role)
      case .connecting, .waiting:
        let words = isConnection ? "not connected" : "not attached"
        return AMQPDiagnosis(
          isConnection ? .notConnected : .notAttached, "\(state.subject): \(words): \(cause ?? "lost")\(next)", about: address,
          state.subject.role)
      }
    }
  }

  private static func findings(
    of connection: AMQPConnectionStatistics, _ loads: [AMQPReceiverLoad], _ limits: Limits
  ) -> [AMQPDiagnosis] {
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
    return found
      + connection.links.compactMap { link in
        switch link.role {
        case .receiver: Self.finding(ofReceiver: link, loads.first { $0.epoch == link.epoch }, limits)
        case .sender: Self.finding(ofSender: link, limits)
        }
      }
  }

  private static func finding(
    ofReceiver link: AMQPLinkStatistics, _ load: AMQPReceiverLoad?, _ limits: Limits
  ) -> AMQPDiagnosis? {
    if link.withdrawn > 0, link.unsettled > 0, link.lastActivityAge >= limits.waiting {
      return .init(
        .withdrawn,
        "\(link.withdrawn) deliveries of \(link.address) were taken back by the bus, \(link.unsettled) unsettled: "
          + "it gives nothing more until they are settled", about: link.address, link.role)
    }
    if link.credit <= 0, link.unsettled + link.buffered > 0 { return Self.finding(withoutCredit: link, load, limits) }
    if link.credit > 0, link.lastActivityAge >= limits.waiting {
      return .init(
        .idle,
        "\(link.address): idle: credit \(link.credit), nothing arrived for \(text(link.lastActivityAge)): "
          + "the queue is empty or somebody else reads it", about: link.address, link.role)
    }
    return nil
  }

  /// No credit is left, since what came is not settled: whose it is depends on where it lies.
  private static func finding(
    withoutCredit link: AMQPLinkStatistics, _ load: AMQPReceiverLoad?, _ limits: Limits
  ) -> AMQPDiagnosis? {
    let waiting = link.buffered + (load?.waiting ?? 0)
    let held = load?.held ?? 0
    let atWork = load?.atWork ?? max(0, link.unsettled - (load?.waiting ?? 0))
    // What was buffered may be the oldest; where handlers are told of, theirs is.
    let age = load?.atWork == nil ? link.oldestUnsettledAge : load?.oldestAtWork
    let behind = waiting > 0 ? ", \(waiting) more wait behind them" : ""
    if atWork > 0 {
      guard let age, age >= limits.waiting else { return nil }
      var found = AMQPDiagnosis(
        .unsettled,
        "\(link.address): credit \(link.credit), \(atWork) unsettled, oldest \(text(age))\(behind): the handlers have not settled",
        about: link.address, link.role)
      found.oldest = age
      return found
    }
    if held > 0 {
      return .init(
        .held, "\(link.address): credit \(link.credit), \(held) held back after their handlers failed\(behind)",
        about: link.address, link.role)
    }
    guard waiting > 0, let age = link.oldestUnsettledAge, age >= limits.waiting else { return nil }
    return .init(
      .untaken,
      "\(link.address): credit \(link.credit), \(waiting) have arrived, the oldest \(text(age)) ago, and nobody takes them",
      about: link.address, link.role)
  }

  private static func finding(ofSender link: AMQPLinkStatistics, _ limits: Limits) -> AMQPDiagnosis? {
    if link.waitingSends > 0, link.credit <= 0, let age = link.oldestWaitingSendAge, age >= limits.waiting {
      return .init(
        .noCredit,
        "\(link.waitingSends) sends wait, no credit for \(text(age)) on \(link.address), link open: the bus may be in alarm",
        about: link.address, link.role)
    }
    if link.inFlight > 0, let age = link.oldestUnsettledAge, age >= limits.waiting {
      return .init(
        .outcomesMissing, "\(link.inFlight) sends to \(link.address) wait for their outcome, the oldest for \(text(age))",
        about: link.address, link.role)
    }
    return nil
  }

  private static func text(_ duration: Duration) -> String {
    let seconds = duration.milliseconds / 1_000
    return seconds < 120 ? "\(seconds) s" : "\(seconds / 60) min"
  }
}

extension AMQPClientState.Subject {
  fileprivate var isConnection: Bool { if case .connection = self { true } else { false } }

  fileprivate var role: AMQPLinkStatistics.Role? {
    switch self {
    case .connection: nil
    case .receiver: .receiver
    case .sender, .requests: .sender
    }
  }
}

extension AMQPClient {
  /// Says in one sentence why nothing moves: from the states and gauges as they are now.
  public func diagnose(limits: AMQPDiagnosis.Limits = AMQPDiagnosis.Limits()) async -> AMQPDiagnosis {
    AMQPDiagnosis(states: self.status, statistics: await self.statistics(), loads: self.loads, limits: limits)
  }

  /// Everything that stands still, connections and links, the heaviest first; nothing where everything moves.
  public func diagnoses(limits: AMQPDiagnosis.Limits = AMQPDiagnosis.Limits()) async -> [AMQPDiagnosis] {
    AMQPDiagnosis.findings(
      states: self.status, statistics: await self.statistics(), loads: self.loads, limits: limits)
  }

  /// Of the connections that stand now.
  public func statistics() async -> [AMQPConnectionStatistics] {
    var statistics: [AMQPConnectionStatistics] = []
    for connection in self.connections { statistics.append(await connection.statistics()) }
    return statistics
  }
}
