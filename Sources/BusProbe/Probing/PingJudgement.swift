// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure

/// What a ping's observation means. Pure.
public struct PingJudgement: Sendable, Hashable {
  /// Steps 25 to 32, in order.
  public let steps: [ProbeStep]
  /// The bus said `accepted`.
  public let isAccepted: Bool
  /// `accepted` means that a queue has the message: the negative control was refused, or, where it was not made, the dialect
  /// does not accept what it loses.
  public let acceptanceProves: Bool
  /// Who listens on the queue; nil when that is not known.
  public let consumers: Int?
  /// The party's system answered.
  public let echo: PingEcho?

  /// What the ping shows, for and against. What it cannot show is not in it.
  public let evidence: [ProbeEvidence: ProbeEvidence.State]
  /// How sure it is that the way to the party works, and what that rests on.
  public var verdict: VerificationVerdict { VerificationVerdict(self.evidence) }

  /// Whether the way to the party works as far as it can be told: an echo, or an acceptance that proves something together
  /// with a consumer. Anything less is for a person, or a later look, to decide.
  public var provesTheWay: Bool { self.echo != nil || (self.isAccepted && self.acceptanceProves && (self.consumers ?? 0) > 0) }

  public init(_ seen: PingObservation) {
    self.isAccepted = seen.ping == .outcome(.accepted)
    switch seen.control {
    case .outcome(.accepted): self.acceptanceProves = false
    case .outcome(.released), .outcome(.rejected): self.acceptanceProves = true
    case .notSent(let error) where !Self.isCut(error): self.acceptanceProves = Self.isRefusal(seen.control)
    default:
      self.acceptanceProves =
        seen.dialect.capabilities.unroutableMessage != .acceptsAndLoses
        && seen.dialect.capabilities.missingQueueForSender != .declaresQueue
    }
    self.consumers = (seen.after ?? seen.before)?.count?.consumers
    if case .came(let echo) = seen.echo { self.echo = echo } else { self.echo = nil }

    var steps = Self.attach(seen)
    if seen.attachFailure == nil { steps += Self.sending(seen, proves: self.acceptanceProves) }
    if let control = Self.control(seen) { steps.append(control) }
    steps.append(Self.arrival(seen))
    if let echo = Self.echo(seen) { steps.append(echo) }
    self.steps = steps.sorted { $0.code < $1.code }
    self.evidence = Self.evidence(seen, consumers: self.consumers, proves: self.acceptanceProves)
  }

  private static func evidence(
    _ seen: PingObservation, consumers: Int?, proves: Bool
  ) -> [ProbeEvidence: ProbeEvidence.State] {
    var evidence: [ProbeEvidence: ProbeEvidence.State] = [:]
    switch seen.ping {
    case .outcome(.accepted): evidence[.accepted] = .shows
    // It may have arrived, or not: that says nothing.
    case .outcome(.unknown): break
    case .outcome, .notSent: evidence[.accepted] = .denies
    case .notTried: if seen.attachFailure != nil { evidence[.accepted] = .denies }
    }
    switch seen.control {
    case .outcome(.accepted): evidence[.negativeControl] = .denies
    case .notTried: break
    default: if Self.isRefusal(seen.control) { evidence[.negativeControl] = .shows }
    }
    if let consumers { evidence[.consumer] = consumers > 0 ? .shows : .denies }
    if let before = seen.before?.count?.messages, let after = seen.after?.count?.messages, seen.ping != .notTried {
      evidence[.depthFalls] = after <= before ? .shows : .denies
    }
    switch seen.echo {
    case .came: evidence[.echo] = .shows
    case .noneInTime: evidence[.echo] = .denies
    case .noReplyQueue, .notListening, .daemonUnable, .lost, .notAwaited: break
    }
    return evidence
  }

  /// Whether a control that was sent to nowhere was refused in a way that says so.
  private static func isRefusal(_ sending: PingObservation.Sending) -> Bool {
    switch sending {
    case .outcome(.released), .outcome(.rejected): true
    case .notSent(let error): error.code == .notFound
    default: false
    }
  }

  // MARK: Session and link

  private static func attach(_ seen: PingObservation) -> [ProbeStep] {
    let begun = ConnectionJudgement.begin(sessions: seen.sessions, failure: nil)
    guard let failure = seen.attachFailure else {
      let step = ProbeStep(
        .attached, [.address: .text(seen.linkAddress), .form: .text(seen.dialect.rawValue)],
        milliseconds: seen.attachMilliseconds)
      return [begun, step].compactMap(\.self)
    }
    if let step = ConnectionJudgement.closed(failure, virtualHost: seen.virtualHost) { return [step] }
    if let step = ConnectionJudgement.begin(sessions: seen.sessions, failure: failure) { return [step] }
    let step = ProbeStep(
      Self.attachFinding(failure),
      [
        .address: .text(seen.linkAddress), .condition: .condition(failure), .error: .error(failure),
        .seconds: .number(seen.timeout.components.seconds),
      ], milliseconds: seen.attachMilliseconds)
    // Where the connection itself fell, whether there was a session is not known.
    return failure.scope == .connection ? [step] : [begun, step].compactMap(\.self)
  }

  private static func attachFinding(_ error: AMQPError) -> ProbeFinding {
    switch error.condition?.name {
    case AMQPCondition.entityDisabled: return .entityDisabled
    case AMQPCondition.resourceLimitExceeded: return .linkLimit
    default: break
    }
    switch error.code {
    case .notFound: return .queueMissing
    case .unauthorized: return .sendingForbidden
    case .addressFormRefused: return .addressFormRefused
    case .tooManyLinks: return .linkLimit
    case .attachTimedOut: return .attachSilent
    case .connectionLost, .connectionClosedByPeer, .connectionClosed, .peerSilent: return .attachCut
    default: return .attachRefused
    }
  }

  // MARK: Message

  private static func sending(_ seen: PingObservation, proves: Bool) -> [ProbeStep] {
    var facts: [ProbeFact: ProbeValue] = [
      .message: .text(seen.messageID), .dialect: .text(seen.dialect.rawValue),
      .seconds: .number(seen.timeout.components.seconds),
    ]
    switch seen.rationPlace {
    case nil: facts[.ration] = .term(.noRation)
    case let place? where place.reach == .user: facts[.ration] = .words([.term(.rationOfUser), .text(place.folder)])
    case let place?: facts[.ration] = .words([.term(.rationShared), .text(place.folder)])
    }
    func step(_ finding: ProbeFinding) -> ProbeStep { ProbeStep(finding, facts, milliseconds: seen.pingMilliseconds) }
    switch seen.ping {
    case .notTried:
      switch seen.reasonNotSent {
      case .notWanted: return [step(.sendingNotWanted)]
      case .notAllowed: return [step(.sendingNotAllowed)]
      case .pingedLately(let why):
        facts[.error] = why
        return [step(.pingedLately)]
      case .wouldStay(let exchange):
        facts[.exchange] = Self.name(ofExchange: exchange)
        return [step(.sendingWouldStay)]
      case .wouldPushOut(let settings):
        facts[.limit] = settings.maximumMessages.map { .number($0) } ?? .term(.notTold)
        facts[.depth] = seen.before?.count.map { .number($0.messages) } ?? .term(.notTold)
        return [step(.queueFullDrops)]
      }
    case .notSent(let error):
      facts[.error] = .error(error)
      facts[.condition] = .condition(error)
      let granted = ProbeStep(.creditGranted, [.milliseconds: .number(Int64(seen.pingMilliseconds ?? 0))])
      let failed = step(Self.notSentFinding(error))
      return failed.code == .credit ? [failed] : [granted, failed]
    case .outcome(let outcome):
      let finding = Self.finding(of: outcome, seen, proves: proves)
      facts[.bytes] = seen.messageBytes.map { .number($0) } ?? .term(.notTold)
      facts[.milliseconds] = .number(Int64((seen.pingMilliseconds ?? 0).rounded()))
      facts[.depth] = seen.before?.count.map { .number($0.messages) } ?? .term(.notTold)
      switch outcome {
      case .rejected(let condition): facts[.condition] = condition.map { .text($0.description) } ?? .term(.notTold)
      case .unknown(.lost(let error)):
        facts[.error] = .error(error)
        facts[.condition] = .condition(error)
      default: facts[.condition] = .text(outcome.description)
      }
      let last = step(finding)
      let granted = ProbeStep(.creditGranted, facts)
      // What the bus ended the session for is told of the transfer; there is no outcome to tell of.
      return last.code == .transfer ? [granted, last] : [granted, ProbeStep(.transferred, facts), last]
    }
  }

  private static func notSentFinding(_ error: AMQPError) -> ProbeFinding {
    if let ofMessage = Self.endedOver(error) { return ofMessage }
    return switch error.code {
    case .noCredit: .noCredit
    case .messageTooLarge: .tooLarge
    case .messageMalformed, .messageNotSendable: .malformedForBus
    // A message that was not handed over waited for credit.
    case .connectionLost, .connectionClosedByPeer, .peerSilent: .creditCut
    case .sendTooSlow: .transferCut
    default: .notTransferred
    }
  }

  /// What a bus ends link or session for when the message comes.
  private static func endedOver(_ error: AMQPError) -> ProbeFinding? {
    if error.code == .unauthorized { return .transferForbidden }
    return switch error.condition?.name {
    case AMQPCondition.messageSizeExceeded: .tooLarge
    case AMQPCondition.decodeError: .malformedForBus
    case AMQPCondition.unauthorizedAccess: .transferForbidden
    default: nil
    }
  }

  private static func finding(of outcome: AMQPOutcome, _ seen: PingObservation, proves: Bool) -> ProbeFinding {
    switch outcome {
    case .accepted: return proves ? .accepted : .acceptedProvesNothing
    case .rejected(let condition):
      if condition?.name == AMQPCondition.resourceLimitExceeded { return .queueFull }
      // RabbitMQ 4.0 refuses without a word what a full queue does not take.
      let isRabbitMQ4 = seen.dialect == .rabbitMQ4AddressV1 || seen.dialect == .rabbitMQ4AddressV2
      return condition == nil && isRabbitMQ4 && (seen.before?.count?.messages ?? 0) > 0 ? .queueFull : .rejected
    case .released: return .released
    case .modified: return .modified
    case .unknown(.timedOut): return Self.isRefusedInSilence(seen) ? .queueFullSilent : .outcomeTimedOut
    case .unknown(.lost(let error)):
      return Self.endedOver(error) ?? (Self.isRefusedInSilence(seen) ? .queueFullSilent : .outcomeLost)
    case .unknown(.cancelled), .unknown(.settledWithoutOutcome): return .outcomeUnknown
    }
  }

  /// RabbitMQ 3 gives no outcome for what a full queue refuses, and cuts the connection some seconds later.
  private static func isRefusedInSilence(_ seen: PingObservation) -> Bool {
    guard let count = seen.before?.count, seen.dialect == .rabbitMQ3 else { return false }
    return count.isFull && count.settings?.refusesWhenFull == true
  }

  private static func name(ofExchange name: String) -> ProbeValue { .text(name.isEmpty ? "(default)" : name) }

  /// The connection fell, so that what was asked over it says nothing of the bus.
  private static func isCut(_ error: AMQPError) -> Bool {
    [.connectionLost, .connectionClosed, .connectionClosedByPeer, .peerSilent].contains(error.code)
  }

  /// By the time of the control the connection was gone.
  private static func hasFallen(_ seen: PingObservation) -> Bool {
    switch seen.control {
    case .notSent(let error), .outcome(.unknown(.lost(let error))): Self.isCut(error)
    default: false
    }
  }

  private static func control(_ seen: PingObservation) -> ProbeStep? {
    func step(_ finding: ProbeFinding, _ facts: [ProbeFact: ProbeValue]) -> ProbeStep {
      ProbeStep(
        finding, facts.merging([.dialect: .text(seen.dialect.rawValue)]) { first, _ in first },
        milliseconds: seen.controlMilliseconds)
    }
    switch seen.control {
    case .notTried:
      guard seen.ping != .notTried, seen.dialect.capabilities.missingQueueForSender == .declaresQueue else { return nil }
      return step(.controlNotPossible, [:])
    case .outcome(.accepted): return step(.controlAccepted, [:])
    case .outcome(.unknown(.lost(let error))) where Self.isCut(error): return step(.controlCut, [.error: .error(error)])
    case .notSent(let error) where Self.isCut(error): return step(.controlCut, [.error: .error(error)])
    case .outcome(.released): return step(.controlRefused, [.condition: "released"])
    case .outcome(.rejected): return step(.controlRefused, [.condition: "rejected"])
    case .outcome(let other): return step(.controlUnclear, [.error: .text(other.description)])
    case .notSent(let error) where error.code == .notFound:
      return step(.controlRefused, [.condition: .text(error.condition?.name ?? error.stableCode)])
    case .notSent(let error): return step(.controlUnclear, [.error: .error(error)])
    }
  }

  // MARK: Arrival and answer

  private static func arrival(_ seen: PingObservation) -> ProbeStep {
    guard let last = seen.after ?? seen.before else {
      return ProbeStep(.arrivalNotPossible, [.dialect: .text(seen.dialect.rawValue)])
    }
    switch last.value {
    case .missing: return ProbeStep(.arrivalQueueMissing, [.queue: .text(last.queue)])
    case .unreadable(let error):
      if case .countingLinkFailed = error, Self.hasFallen(seen) { return ProbeStep(.arrivalCut, [.error: .error(error)]) }
      return ProbeStep(.arrivalUnreadable, [.error: .error(error)])
    case .counted(let count):
      let before = seen.after == nil ? nil : seen.before?.count?.messages
      let depth: ProbeValue = .text(before.map { "\($0) -> \(count.messages)" } ?? "\(count.messages)")
      guard let consumers = count.consumers else { return ProbeStep(.arrivalConsumersUnknown, [.depth: depth]) }
      let facts: [ProbeFact: ProbeValue] = [.depth: depth, .consumers: .number(consumers)]
      if consumers == 0 { return ProbeStep(.arrivalNoConsumer, facts) }
      if let before, count.messages > before {
        guard let exchange = count.settings?.deadLetterExchange, seen.ping != .notTried else {
          return ProbeStep(.arrivalGrows, facts)
        }
        return ProbeStep(
          .arrivalGrowsDeadLetters,
          facts.merging([.exchange: Self.name(ofExchange: exchange), .message: .text(seen.messageID)]) { first, _ in first })
      }
      return ProbeStep(.arrivalRead, facts)
    }
  }

  private static func reader(_ seen: PingObservation) -> ProbeValue {
    switch seen.echoReader {
    case .ourselves: .term(.readByUs)
    case .daemon: .term(.readByDaemon)
    case .ourselvesInsteadOfDaemon(let error): .words([.term(.readByUsInstead), .error(error)])
    }
  }

  private static func echo(_ seen: PingObservation) -> ProbeStep? {
    func told(_ text: String?) -> ProbeValue { text.map { .text($0) } ?? .term(.notTold) }
    switch seen.echo {
    case .came(let echo):
      return ProbeStep(
        .echoCame,
        [
          .responder: told(echo.product), .library: told(echo.libraryVersion), .queue: told(echo.queue),
          .since: echo.cacheAge.map { .text("\($0.components.seconds) s") } ?? .term(.notTold),
          .buses: echo.hears.isEmpty ? .term(.notTold) : .text(echo.hears.joined(separator: ", ")), .reader: Self.reader(seen),
        ], milliseconds: seen.echoMilliseconds)
    case .noneInTime(let limit):
      return ProbeStep(
        .echoNone, [.seconds: .number(limit.components.seconds), .reader: Self.reader(seen)], milliseconds: seen.echoMilliseconds)
    case .noReplyQueue: return ProbeStep(.echoNoQueue)
    case .notListening(let error):
      return ProbeStep(.echoNotListening, [.error: .error(error), .reader: Self.reader(seen)])
    case .daemonUnable(let error, let isShared):
      return ProbeStep(.echoDaemonUnable, [.error: .error(error), .reader: .term(isShared ? .sharedNotRead : .noOwnQueue)])
    case .lost(let error): return ProbeStep(.echoLost, [.error: .error(error)], milliseconds: seen.echoMilliseconds)
    case .notAwaited: return seen.ping == .notTried ? nil : ProbeStep(.echoNotSent)
    }
  }
}
