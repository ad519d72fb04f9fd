// SPDX-License-Identifier: Apache-2.0

/// When and how something lost is made again: a connection, or a link with the session and connection below it. Pure: time
/// and random draw come in as values, and every event names the attempt it belongs to, so that a late one changes nothing.
///
/// - How far an error goes decides what is made anew; failures in a row without a stable while lead to the next tier. An
///   address that the bus refuses never costs the connection: the refusal proves that the connection works.
/// - Several endpoints: after a failure the next in turn; after a connection that stood for a stable while, the first again.
///   One that refused login or certificate is not asked again.
/// - What trying again cannot mend ends it, or is tried again slowly, for ever, where somebody else may mend it meanwhile: a
///   password, a queue that is made later. A link that another process has taken over never is: two would fight for it.
struct RecoveryMachine: Sendable {
  /// One try.
  struct Attempt: Sendable, Hashable {
    /// Names the try in every later event.
    var epoch: UInt64
    /// What is to be made anew.
    var tier: AMQPRecoveryTier
    /// Which endpoint to connect to, for a connection.
    var endpoint: Int
    /// 1 for the first after a stable while.
    var number: Int
  }

  enum Action: Equatable, Sendable {
    case attempt(Attempt)
    /// To be followed by ``waited(_:at:)`` with the same epoch.
    case wait(Duration, epoch: UInt64, tier: AMQPRecoveryTier)
    case giveUp(AMQPError)
  }

  private enum State: Sendable {
    case idle
    case trying(AMQPRecoveryTier)
    case standing(since: Duration)
    case waiting(AMQPRecoveryTier)
    case ended
  }

  private let policy: AMQPRecoveryPolicy
  private let lowest: AMQPRecoveryTier
  private let endpointCount: Int
  private let refusedRetry: Duration?
  private var state = State.idle
  private(set) var epoch: UInt64 = 0
  /// Failures since it last stood for a stable while.
  private(set) var failuresInARow = 0
  private var linkFailures = 0
  private var sessionFailures = 0
  private var notFoundInARow = 0
  private var attachTimeouts = 0
  private var mayRetryAtOnce = true
  private var endpoint = 0
  private var refusedEndpoints: Set<Int> = []
  /// Whether it waits because it was refused, rather than lost.
  private(set) var isRefused = false
  private var rate: AttemptRateLimit

  /// - Parameters:
  ///   - lowest: `.connection` for a connection; `.link` for a link.
  ///   - endpoints: how many endpoints a connection may be made to.
  ///   - refusedRetry: about how long until what trying again cannot mend is tried again; nil to give up.
  init(_ policy: AMQPRecoveryPolicy, lowest: AMQPRecoveryTier, endpoints: Int = 1, refusedRetry: Duration? = nil) {
    self.refusedRetry = refusedRetry
    self.policy = policy
    self.lowest = lowest
    self.endpointCount = max(endpoints, 1)
    self.rate = AttemptRateLimit(perMinute: policy.attemptsPerMinute)
  }

  var isEnded: Bool { if case .ended = self.state { true } else { false } }

  /// The first attempt of all.
  mutating func begin(at now: Duration) -> Action? {
    switch self.state {
    case .idle: return self.attempt(self.lowest, at: now)
    case .trying, .standing, .waiting, .ended: return nil
    }
  }

  /// The wait is over.
  mutating func waited(_ epoch: UInt64, at now: Duration) -> Action? {
    guard epoch == self.epoch else { return nil }
    switch self.state {
    case .waiting(let tier): return self.attempt(tier, at: now)
    case .idle, .trying, .standing, .ended: return nil
    }
  }

  /// The attempt came about.
  mutating func succeeded(_ epoch: UInt64, at now: Duration) {
    guard epoch == self.epoch else { return }
    switch self.state {
    case .trying:
      self.state = .standing(since: now)
      self.notFoundInARow = 0
      self.attachTimeouts = 0
    case .idle, .standing, .waiting, .ended: break
    }
  }

  /// The attempt failed, or what it made was lost.
  ///
  /// - Parameters:
  ///   - draw: an even random number from 0 up to 1.
  ///   - peerFallsSilent: whether the peer is one that leaves a connection open which answers no attach any more.
  mutating func failed(
    _ epoch: UInt64, _ error: AMQPError, at now: Duration, draw: Double, peerFallsSilent: Bool = false
  ) -> Action? {
    guard epoch == self.epoch else { return nil }
    var stood = false
    var stoodLong = false
    switch self.state {
    case .idle, .waiting, .ended: return nil
    case .trying: break
    case .standing(let since):
      stood = true
      stoodLong = now - since >= self.policy.backOff(self.lowest).stableAfter
      if stoodLong { self.startAnew() }
    }
    if let action = self.refusal(error, draw) { return action }
    if stood, error.isExpectedDetach, self.mayRetryAtOnce {
      self.mayRetryAtOnce = false
      return self.attempt(self.tier(of: error, peerFallsSilent), at: now)
    }
    self.failuresInARow += 1
    if let limit = self.policy.failureLimit, self.failuresInARow >= limit { return self.giveUp(error) }
    let tier = self.escalated(error, peerFallsSilent)
    if self.lowest == .connection, !stoodLong || self.refusedEndpoints.contains(self.endpoint) { self.turnToNextEndpoint() }
    let backOff = self.policy.backOff(tier)
    // The bound doubles with every round through the endpoints.
    let rounds = self.lowest == .connection ? (self.failuresInARow - 1) / self.endpointCount : self.failuresInARow - 1
    // A link whose connection was lost waits for the next connection, which has waits of its own.
    let drawn = tier == .connection && self.lowest != .connection ? .zero : backOff.bound(afterFailures: rounds) * draw
    let wait = max(drawn, self.rate.wait(at: now))
    if wait == .zero { return self.attempt(tier, at: now) }
    self.state = .waiting(tier)
    return .wait(wait, epoch: self.epoch, tier: tier)
  }

  /// No more of it.
  mutating func stop() { self.state = .ended }

  // MARK: Decisions

  private mutating func attempt(_ tier: AMQPRecoveryTier, at now: Duration) -> Action {
    let wait = self.rate.wait(at: now)
    guard wait == .zero else {
      self.state = .waiting(tier)
      return .wait(wait, epoch: self.epoch, tier: tier)
    }
    self.rate.made(at: now)
    self.isRefused = false
    self.epoch += 1
    self.state = .trying(tier)
    return .attempt(Attempt(epoch: self.epoch, tier: tier, endpoint: self.endpoint, number: self.failuresInARow + 1))
  }

  private mutating func startAnew() {
    self.failuresInARow = 0
    self.linkFailures = 0
    self.sessionFailures = 0
    self.attachTimeouts = 0
    self.mayRetryAtOnce = true
    self.endpoint = (0..<self.endpointCount).first { !self.refusedEndpoints.contains($0) } ?? 0
  }

  private mutating func giveUp(_ error: AMQPError) -> Action {
    self.state = .ended
    return .giveUp(error)
  }

  /// What trying again cannot mend.
  private mutating func refusal(_ error: AMQPError, _ draw: Double) -> Action? {
    switch error.code {
    // Closed by somebody on this side, while this is still wanted: make it again.
    case .connectionClosed, .linkClosed: return nil
    case .linkStolen, .configurationInvalid, .clientStopped: return self.giveUp(error)
    case .notFound: return self.absence(error, draw)
    default:
      // Closed by whoever runs the bus: for us as good as not there.
      if error.condition?.name == AMQPCondition.entityDisabled { return self.absence(error, draw) }
      if error.isRetriable { return nil }
      guard self.lowest == .connection else { return self.refused(error, draw) }
      self.refusedEndpoints.insert(self.endpoint)
      return self.refusedEndpoints.count >= self.endpointCount ? self.refused(error, draw) : nil
    }
  }

  private mutating func absence(_ error: AMQPError, _ draw: Double) -> Action? {
    self.notFoundInARow += 1
    guard let limit = self.policy.notFoundRetries, self.notFoundInARow > limit else { return nil }
    return self.refused(error, draw)
  }

  /// Given up, or tried again slowly: a fifth sooner or later, so that many clients do not ask in step.
  private mutating func refused(_ error: AMQPError, _ draw: Double) -> Action {
    guard let refusedRetry else { return self.giveUp(error) }
    self.failuresInARow += 1
    self.isRefused = true
    self.refusedEndpoints = []
    self.endpoint = 0
    self.state = .waiting(self.lowest)
    return .wait(refusedRetry * (0.8 + 0.4 * draw), epoch: self.epoch, tier: self.lowest)
  }

  private mutating func turnToNextEndpoint() {
    for step in 1...self.endpointCount {
      let next = (self.endpoint + step) % self.endpointCount
      guard !self.refusedEndpoints.contains(next) else { continue }
      self.endpoint = next
      return
    }
  }

  /// How far the error itself goes.
  private func tier(of error: AMQPError, _ peerFallsSilent: Bool) -> AMQPRecoveryTier {
    let tier: AMQPRecoveryTier =
      switch error.scope {
      case .delivery, .link: .link
      case .session: .session
      case .connection: .connection
      }
    guard error.code == .attachTimedOut else { return max(self.lowest, tier) }
    // Another connection costs the neighbours theirs, so another session is tried first. But RabbitMQ 3 closes a connection by
    // ending its sessions only: it stays open, and answers no attach any more.
    return max(self.lowest, peerFallsSilent || self.attachTimeouts > 1 ? .connection : .session)
  }

  /// How far it goes, seeing what went before.
  private mutating func escalated(_ error: AMQPError, _ peerFallsSilent: Bool) -> AMQPRecoveryTier {
    if error.code == .attachTimedOut { self.attachTimeouts += 1 }
    var tier = self.tier(of: error, peerFallsSilent)
    if tier == .link {
      self.linkFailures += 1
      if self.linkFailures >= self.policy.failuresBeforeNextTier { tier = .session }
    }
    if tier == .session {
      self.linkFailures = 0
      self.sessionFailures += 1
      // The bus said no: it hears us, so another connection would hear the same and cost the neighbours theirs.
      let isAnswer = error.code == .linkRefused || error.code == .notFound
      if self.sessionFailures >= self.policy.failuresBeforeNextTier, !isAnswer { tier = .connection }
    }
    if tier == .connection {
      self.linkFailures = 0
      self.sessionFailures = 0
      self.attachTimeouts = 0
    }
    return tier
  }
}

extension AMQPError {
  /// An end that tells of no fault: a Detach without a word (RabbitMQ 3 does that in mid-stream), or an idle link or
  /// connection that Azure Service Bus tidied away. What it ended is made again at once.
  var isExpectedDetach: Bool {
    switch self.condition?.name {
    // Or the link was merely quiet for so long that it is attached anew.
    case nil: return self.code == .linkQuiet || self.code == .linkDetached && self.origin == .remote
    case AMQPCondition.linkDetachForced: return true
    case AMQPCondition.connectionForced:
      let text = self.condition?.text?.lowercased() ?? ""
      return text.contains("inactiv") || text.contains("idle")
    default: return false
    }
  }
}
