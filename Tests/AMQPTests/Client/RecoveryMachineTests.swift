// SPDX-License-Identifier: Apache-2.0

import Computing
import Testing

@testable import AMQP

private func failure(
  _ code: AMQPError.Code, _ scope: AMQPError.Scope, _ condition: String? = nil, text: String? = nil
) -> AMQPError {
  AMQPError(
    code, scope, .remote, condition: condition.map { AMQPCondition($0, text: text) }, tried: "test", seen: "test")
}

private let lost = failure(.connectionLost, .connection)
private let detached = failure(.linkDetached, .link, "amqp:internal-error")
private let emptyDetach = failure(.linkDetached, .link)

/// Drives a machine as its shell would, and notes what it did.
private struct Drive {
  var machine: RecoveryMachine
  var now: Duration = .zero
  var attempt: RecoveryMachine.Attempt?
  var waits: [Duration] = []
  var gaveUp: AMQPError?

  init(_ policy: AMQPRecoveryPolicy, _ lowest: AMQPRecoveryTier, endpoints: Int = 1) {
    self.machine = RecoveryMachine(policy, lowest: lowest, endpoints: endpoints)
    self.take(self.machine.begin(at: .zero))
  }

  mutating func take(_ action: RecoveryMachine.Action?) {
    switch action {
    case nil: break
    case .attempt(let attempt): self.attempt = attempt
    case .giveUp(let error): self.gaveUp = error
    case .wait(let delay, let epoch, _):
      self.waits.append(delay)
      self.now += delay
      self.take(self.machine.waited(epoch, at: self.now))
    }
  }

  mutating func succeeded() { if let attempt { self.machine.succeeded(attempt.epoch, at: self.now) } }

  mutating func failed(_ error: AMQPError, draw: Double = 0.5) {
    guard let attempt else { return }
    self.take(self.machine.failed(attempt.epoch, error, at: self.now, draw: draw))
  }
}

@Suite("Recovery: a connection")
struct ConnectionRecoveryTests {
  private let policy = AMQPRecoveryPolicy(
    AMQPBackOff(initial: .seconds(1), maximum: .seconds(5), stableAfter: .seconds(10)))

  @Test("waits double up to the longest, scaled by the draw")
  func doubling() {
    var drive = Drive(self.policy, .connection)
    for _ in 0..<5 { drive.failed(lost) }
    #expect(drive.waits == [.milliseconds(500), .seconds(1), .seconds(2), .milliseconds(2_500), .milliseconds(2_500)])
    #expect(drive.attempt?.number == 6)
  }

  @Test("only a connection that stood long enough starts the waits anew")
  func stable() {
    var drive = Drive(self.policy, .connection)
    drive.failed(lost, draw: 1)
    drive.succeeded()
    drive.now += .seconds(9)
    drive.failed(lost, draw: 1)
    #expect(drive.waits == [.seconds(1), .seconds(2)])
    drive.succeeded()
    drive.now += .seconds(10)
    drive.failed(lost, draw: 1)
    #expect(drive.waits.last == .seconds(1))
  }

  @Test(
    "login and certificate refused, and a configuration that cannot work, are final",
    arguments: [
      AMQPError.Code.loginRefused, .certificateRefused, .configurationInvalid, .unauthorized,
    ])
  func terminal(_ code: AMQPError.Code) {
    var drive = Drive(self.policy, .connection)
    drive.failed(failure(code, .connection))
    #expect(drive.gaveUp?.code == code)
    same(drive.machine.begin(at: .seconds(9)), nil)
    #expect(drive.machine.isEnded)
  }

  @Test("endpoints take turns; after a connection that stood, the first is preferred again")
  func endpoints() {
    var drive = Drive(self.policy, .connection, endpoints: 3)
    var tried = [drive.attempt?.endpoint]
    for _ in 0..<3 {
      drive.failed(lost, draw: 0)
      tried.append(drive.attempt?.endpoint)
    }
    #expect(tried == [0, 1, 2, 0])
    drive.failed(lost, draw: 0)
    #expect(drive.attempt?.endpoint == 1)
    drive.succeeded()
    drive.now += .seconds(10)
    drive.failed(lost, draw: 0)
    #expect(drive.attempt?.number == 2)
    #expect(drive.attempt?.endpoint == 0)
  }

  @Test("the bound doubles with each round through the endpoints, not with each endpoint")
  func rounds() {
    var drive = Drive(self.policy, .connection, endpoints: 2)
    for _ in 0..<4 { drive.failed(lost, draw: 1) }
    #expect(drive.waits == [.seconds(1), .seconds(1), .seconds(2), .seconds(2)])
  }

  @Test("an endpoint that refused the login is not asked again; when all have, it is given up")
  func refusedEndpoint() {
    var drive = Drive(self.policy, .connection, endpoints: 2)
    drive.failed(failure(.loginRefused, .connection))
    #expect(drive.gaveUp == nil)
    for _ in 0..<4 {
      #expect(drive.attempt?.endpoint == 1)
      drive.failed(lost, draw: 0)
    }
    drive.failed(failure(.certificateRefused, .connection))
    #expect(drive.gaveUp?.code == .certificateRefused)
  }

  @Test("a login that all endpoints refuse is asked for again slowly, from the first endpoint on, where it is waited for")
  func refusedSlowly() {
    var machine = RecoveryMachine(self.policy, lowest: .connection, endpoints: 2, refusedRetry: .seconds(60))
    let refused = failure(.loginRefused, .connection)
    guard case .attempt(let first)? = machine.begin(at: .zero),
      case .wait(_, let epoch, _)? = machine.failed(first.epoch, refused, at: .zero, draw: 0.5),
      case .attempt(let second)? = machine.waited(epoch, at: .seconds(1)),
      case .wait(let slow, let last, _)? = machine.failed(second.epoch, refused, at: .seconds(1), draw: 0.5),
      case .attempt(let third)? = machine.waited(last, at: .seconds(61))
    else {
      Issue.record("no way through")
      return
    }
    #expect([first.endpoint, second.endpoint, third.endpoint] == [0, 1, 0])
    #expect(slow == .seconds(60))
  }

  @Test("closed for having been idle: again at once, the first time; then as any loss")
  func idle() {
    let idle = failure(
      .connectionClosedByPeer, .connection, "amqp:connection:forced",
      text: "The connection was inactive for more than the allowed 300000 milliseconds")
    var drive = Drive(self.policy, .connection)
    drive.succeeded()
    drive.failed(idle, draw: 1)
    #expect(drive.waits.isEmpty)
    #expect(drive.attempt?.number == 1)
    drive.succeeded()
    drive.failed(idle, draw: 1)
    #expect(drive.waits == [.seconds(1)])
    drive.succeeded()
    drive.now += .seconds(10)
    drive.failed(idle, draw: 1)
    #expect(drive.waits == [.seconds(1)])
  }

  @Test("a connection forced down by hand is no idle one")
  func forced() {
    #expect(!failure(.connectionClosedByPeer, .connection, "amqp:connection:forced", text: "closed by operator").isExpectedDetach)
  }

  @Test("a limit of failures is optional")
  func limit() {
    var policy = self.policy
    policy.failureLimit = 3
    var drive = Drive(policy, .connection)
    drive.failed(lost)
    drive.failed(lost)
    #expect(drive.gaveUp == nil)
    drive.failed(lost)
    #expect(drive.gaveUp == lost)
  }

  @Test("late and early events, and those of an older attempt, change nothing")
  func late() {
    var machine = RecoveryMachine(self.policy, lowest: .connection)
    same(machine.failed(0, lost, at: .zero, draw: 0), nil)
    same(machine.waited(0, at: .zero), nil)
    guard case .attempt(let first)? = machine.begin(at: .zero) else {
      Issue.record("no attempt")
      return
    }
    same(machine.begin(at: .zero), nil)
    same(machine.waited(first.epoch, at: .zero), nil)
    guard case .wait(_, let epoch, _)? = machine.failed(first.epoch, lost, at: .zero, draw: 0.5) else {
      Issue.record("no wait")
      return
    }
    same(machine.failed(first.epoch, lost, at: .zero, draw: 0.5), nil)
    machine.succeeded(first.epoch, at: .zero)
    guard case .attempt(let second)? = machine.waited(epoch, at: .seconds(1)) else {
      Issue.record("no second attempt")
      return
    }
    same(machine.failed(first.epoch, lost, at: .seconds(1), draw: 0), nil)
    machine.succeeded(first.epoch, at: .seconds(1))
    machine.succeeded(second.epoch, at: .seconds(1))
    machine.stop()
    same(machine.failed(second.epoch, lost, at: .seconds(2), draw: 0), nil)
  }
}

@Suite("Recovery: a link")
struct LinkRecoveryTests {
  private let policy = AMQPRecoveryPolicy(
    AMQPBackOff(initial: .seconds(1), maximum: .seconds(5), stableAfter: .seconds(10)))

  @Test("how far the error goes decides what is made anew")
  func scope() {
    for (error, tier) in [
      (detached, AMQPRecoveryTier.link), (failure(.sessionEnded, .session), .session), (lost, .connection),
    ] {
      var drive = Drive(self.policy, .link)
      drive.failed(error)
      #expect(drive.attempt?.tier == tier, "\(error.code)")
    }
  }

  @Test("an attach that is not answered: another session first, then another connection; of RabbitMQ 3 a connection at once")
  func unanswered() {
    let silent = failure(.attachTimedOut, .link)
    var drive = Drive(self.policy, .link)
    var tiers: [AMQPRecoveryTier] = []
    for _ in 0..<4 {
      drive.failed(silent)
      if let tier = drive.attempt?.tier { tiers.append(tier) }
    }
    #expect(tiers == [.session, .connection, .session, .connection])
    drive.succeeded()
    drive.failed(silent)
    #expect(drive.attempt?.tier == .session, "an answer in between begins anew")
    // It leaves a connection open that answers nothing.
    var machine = RecoveryMachine(self.policy, lowest: .link)
    guard case .attempt(let attempt)? = machine.begin(at: .zero),
      case .attempt(let next)? = machine.failed(attempt.epoch, silent, at: .zero, draw: 0, peerFallsSilent: true)
    else {
      Issue.record("no attempt")
      return
    }
    #expect(next.tier == .connection)
  }

  @Test("where it is waited for, what is refused is tried again slowly, for ever; a link that another process took never is")
  func patience() {
    for error in [
      failure(.notFound, .link), failure(.unauthorized, .link), failure(.linkRefused, .link, "com.microsoft:entity-disabled"),
    ] {
      var machine = RecoveryMachine(self.policy, lowest: .link, refusedRetry: .seconds(30))
      var now: Duration = .zero
      var action = machine.begin(at: now)
      for round in 0..<50 {
        guard case .attempt(let attempt)? = action else {
          Issue.record("no attempt in round \(round)")
          return
        }
        #expect(!machine.isRefused)
        guard case .wait(let delay, let epoch, _)? = machine.failed(attempt.epoch, error, at: now, draw: round % 2 == 0 ? 0 : 1)
        else {
          Issue.record("no wait in round \(round)")
          return
        }
        #expect((.seconds(23)...(.seconds(37))).contains(delay))
        #expect(machine.isRefused)
        now += delay
        action = machine.waited(epoch, at: now)
      }
    }
    var machine = RecoveryMachine(self.policy, lowest: .link, refusedRetry: .seconds(30))
    guard case .attempt(let attempt)? = machine.begin(at: .zero) else { return }
    let stolen = failure(.linkStolen, .link, "amqp:link:stolen")
    same(machine.failed(attempt.epoch, stolen, at: .zero, draw: 0), .giveUp(stolen))
  }

  @Test("three failures of the link lead to a new session, three such to a new connection; then from the beginning")
  func escalation() {
    var drive = Drive(self.policy, .link)
    var tiers: [AMQPRecoveryTier] = []
    for _ in 0..<18 {
      drive.failed(detached)
      if let tier = drive.attempt?.tier { tiers.append(tier) }
    }
    let round: [AMQPRecoveryTier] = [.link, .link, .session, .link, .link, .session, .link, .link, .connection]
    #expect(tiers == round + round)
  }

  @Test("a stable while between failures: no escalation")
  func noEscalation() {
    var drive = Drive(self.policy, .link)
    for _ in 0..<10 {
      drive.succeeded()
      drive.now += .seconds(10)
      drive.failed(detached)
      #expect(drive.attempt?.tier == .link)
    }
  }

  @Test("an address that the bus refuses never costs the connection, and so its neighbours theirs")
  func refusalIsAnAnswer() {
    var drive = Drive(self.policy, .link)
    for _ in 0..<20 {
      drive.failed(failure(.linkRefused, .link, "amqp:resource-locked"))
      #expect(drive.attempt.map { $0.tier < .connection } == true)
    }
  }

  @Test("a lost connection: attached at once on the next one, whose own waits count")
  func withConnection() {
    var drive = Drive(self.policy, .link)
    drive.succeeded()
    drive.failed(lost, draw: 1)
    #expect(drive.waits.isEmpty)
  }

  @Test("an empty Detach, or a link detached for being idle: again at once, the first time")
  func emptyDetaches() {
    for error in [emptyDetach, failure(.linkDetached, .link, "amqp:link:detach-forced")] {
      var drive = Drive(self.policy, .link)
      drive.succeeded()
      drive.failed(error, draw: 1)
      #expect(drive.waits.isEmpty)
      drive.succeeded()
      drive.failed(error, draw: 1)
      #expect(drive.waits == [.seconds(1)])
    }
  }

  @Test("stolen and unauthorised are final: trying again would fight another process, or fill the bus's log")
  func terminal() {
    for error in [failure(.linkStolen, .link, "amqp:link:stolen"), failure(.unauthorized, .link)] {
      var drive = Drive(self.policy, .link)
      drive.succeeded()
      drive.failed(error)
      #expect(drive.gaveUp == error)
    }
  }

  @Test("not found: final at once, after some tries, or never, as configured", arguments: [0, 2, nil] as [Int?])
  func notFound(_ retries: Int?) {
    var policy = self.policy
    policy.notFoundRetries = retries
    var drive = Drive(policy, .link)
    let missing = failure(.notFound, .link, "amqp:not-found")
    for _ in 0..<(retries ?? 25) {
      drive.failed(missing, draw: 0)
      #expect(drive.gaveUp == nil)
    }
    drive.failed(missing, draw: 0)
    #expect((drive.gaveUp != nil) == (retries != nil))
  }

  @Test("a link that somebody on this side closed is attached again")
  func closedHere() {
    var drive = Drive(self.policy, .link)
    drive.succeeded()
    drive.failed(AMQPError(.linkClosed, .link, .local, tried: "test", seen: "closed"))
    #expect(drive.gaveUp == nil)
  }
}

@Suite("Recovery: whatever happens", .serialized, .computing)
struct RecoveryModelTests {
  private static let errors: [AMQPError] = [
    lost, detached, emptyDetach, failure(.sessionEnded, .session), failure(.attachTimedOut, .link),
    failure(.linkRefused, .link), failure(.linkDetached, .link, "amqp:link:detach-forced"),
    failure(.connectionClosedByPeer, .connection, "amqp:connection:forced", text: "idle"), failure(.peerSilent, .connection),
  ]

  @Test(
    "never two attempts at once, no wait beyond its bound, no more attempts in a minute than allowed, final is final",
    arguments: 0..<100)
  func model(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    var policy = AMQPRecoveryPolicy(
      link: AMQPBackOff(initial: .milliseconds(100), maximum: .seconds(10), stableAfter: .seconds(5)),
      session: AMQPBackOff(initial: .milliseconds(200), maximum: .seconds(20), stableAfter: .seconds(5)),
      connection: AMQPBackOff(initial: .milliseconds(300), maximum: .seconds(30), stableAfter: .seconds(5)))
    policy.attemptsPerMinute = Int.random(in: 1...20, using: &random)
    policy.notFoundRetries = nil
    let lowest: AMQPRecoveryTier = Bool.random(using: &random) ? .link : .connection
    var machine = RecoveryMachine(policy, lowest: lowest, endpoints: Int.random(in: 1...3, using: &random))
    var now: Duration = .zero
    var open: UInt64?
    var waiting: (epoch: UInt64, until: Duration)?
    var attempts: [Duration] = []
    var isFinal = false
    var lastEpoch: UInt64 = 0

    func take(_ action: RecoveryMachine.Action?) {
      guard let action else { return }
      #expect(!isFinal, "something is done after the end")
      switch action {
      case .attempt(let attempt):
        #expect(open == nil && waiting == nil, "a second attempt beside the first")
        #expect(attempt.epoch > lastEpoch)
        #expect(attempt.tier >= lowest)
        lastEpoch = attempt.epoch
        open = attempt.epoch
        attempts.append(now)
        let inTheLastMinute = attempts.count { $0 > now - .seconds(60) }
        #expect(inTheLastMinute <= policy.attemptsPerMinute)
      case .wait(let delay, let epoch, let tier):
        #expect(open == nil && waiting == nil)
        #expect(delay <= max(policy.backOff(tier).maximum, .seconds(60)))
        waiting = (epoch, now + delay)
      case .giveUp: isFinal = true
      }
    }

    take(machine.begin(at: now))
    for _ in 0..<3_000 {
      // The worst draw there is: no wait at all.
      let draw = Bool.random(using: &random) ? 0 : Double.random(in: 0..<1, using: &random)
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<25:
        if let epoch = open { machine.succeeded(epoch, at: now) }
      case 25..<60:
        if let epoch = open, let error = Self.errors.randomElement(using: &random) {
          open = nil
          take(machine.failed(epoch, error, at: now, draw: draw))
          #expect(isFinal || open != nil || waiting != nil, "nothing follows a failure: it would stand still for ever")
        }
      case 60..<75:
        if let wait = waiting {
          now = max(now, wait.until)
          waiting = nil
          take(machine.waited(wait.epoch, at: now))
          #expect(open != nil || waiting != nil)
        }
      case 75..<85:
        // Late events of older attempts.
        let old = lastEpoch > 0 ? UInt64.random(in: 0..<lastEpoch, using: &random) : 0
        machine.succeeded(old, at: now)
        if old != open, old != waiting?.epoch {
          same(machine.failed(old, lost, at: now, draw: draw), nil)
          same(machine.waited(old, at: now), nil)
        }
      case 85..<99: now += .milliseconds(Int.random(in: 0...4_000, using: &random))
      default:
        if seed.isMultiple(of: 4), let epoch = open {
          open = nil
          take(machine.failed(epoch, failure(.unauthorized, .link), at: now, draw: draw))
          open = machine.isEnded ? nil : open
        }
      }
    }
  }
}
