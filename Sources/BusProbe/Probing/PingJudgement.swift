// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure

/// What a ping's observation means. Pure.
public struct PingJudgement: Sendable, Hashable {
  /// Steps 26 to 32, in order.
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

  /// Whether the way to the party works as far as it can be told: an echo, or an acceptance that proves something together
  /// with a consumer. Anything less is for a person, or a later look, to decide.
  public var provesTheWay: Bool { self.echo != nil || (self.isAccepted && self.acceptanceProves && (self.consumers ?? 0) > 0) }

  public init(_ seen: PingObservation) {
    self.isAccepted = seen.ping == .outcome(.accepted)
    switch seen.control {
    case .outcome(.accepted): self.acceptanceProves = false
    case .outcome(.released), .outcome(.rejected), .notSent: self.acceptanceProves = Self.isRefusal(seen.control)
    default:
      self.acceptanceProves =
        seen.dialect.capabilities.unroutableMessage != .acceptsAndLoses
        && seen.dialect.capabilities.missingQueueForSender != .declaresQueue
    }
    self.consumers = (seen.after ?? seen.before)?.count?.consumers
    if case .came(let echo) = seen.echo { self.echo = echo } else { self.echo = nil }

    var steps = [Self.attach(seen)]
    if seen.attachFailure == nil { steps += Self.sending(seen, proves: self.acceptanceProves) }
    if let control = Self.control(seen) { steps.append(control) }
    steps.append(Self.arrival(seen))
    if let echo = Self.echo(seen) { steps.append(echo) }
    self.steps = steps.sorted { $0.code < $1.code }
  }

  /// Whether a control that was sent to nowhere was refused in a way that says so.
  private static func isRefusal(_ sending: PingObservation.Sending) -> Bool {
    switch sending {
    case .outcome(.released), .outcome(.rejected): true
    case .notSent(let error): error.code == .notFound
    default: false
    }
  }

  private static func attach(_ seen: PingObservation) -> ProbeStep {
    if let failure = seen.attachFailure {
      return ProbeStep(.attach, error: failure, milliseconds: seen.attachMilliseconds)
    }
    return ProbeStep(.attached, seen: seen.linkAddress, milliseconds: seen.attachMilliseconds)
  }

  private static func sending(_ seen: PingObservation, proves: Bool) -> [ProbeStep] {
    let id = "message \(seen.messageID)"
    switch seen.ping {
    case .notTried:
      return [ProbeStep(.sendingNotWanted, seen: "no ping")]
    case .notSent(let error) where error.code == .noCredit:
      return [ProbeStep(.noCredit, seen: "[\(error.stableCode)] \(error.explanation.seen)", milliseconds: seen.pingMilliseconds)]
    case .notSent(let error):
      return [ProbeStep(.transfer, error: error, milliseconds: seen.pingMilliseconds)]
    case .outcome(let outcome):
      let finding: ProbeFinding
      let words: String
      switch outcome {
      case .accepted: (finding, words) = (proves ? .accepted : .acceptedProvesNothing, "accepted")
      case .rejected(let condition):
        (finding, words) = (.rejected, "rejected, \(condition?.description ?? "without a reason")")
      case .released: (finding, words) = (.released, "released")
      case .modified(let failed, let elsewhere):
        (finding, words) = (.modified, "modified, delivery failed: \(failed), undeliverable here: \(elsewhere)")
      case .unknown(let reason): (finding, words) = (.outcomeUnknown, Self.words(reason))
      }
      return [
        ProbeStep(.creditGranted, seen: "a message was let through"),
        ProbeStep(.transferred, seen: id),
        ProbeStep(finding, seen: words, milliseconds: seen.pingMilliseconds),
      ]
    }
  }

  private static func words(_ reason: AMQPOutcome.UnknownReason) -> String {
    switch reason {
    case .timedOut: "no outcome in time"
    case .cancelled: "cancelled"
    case .lost(let error): "[\(error.stableCode)] \(error.explanation.seen)"
    case .settledWithoutOutcome: "settled without an outcome"
    }
  }

  private static func control(_ seen: PingObservation) -> ProbeStep? {
    let time = seen.controlMilliseconds
    switch seen.control {
    case .notTried:
      guard seen.ping != .notTried, seen.dialect.capabilities.missingQueueForSender == .declaresQueue else { return nil }
      return ProbeStep(.controlNotPossible, seen: seen.dialect.rawValue)
    case .outcome(.accepted): return ProbeStep(.controlAccepted, seen: "accepted", milliseconds: time)
    case .outcome(.released): return ProbeStep(.controlRefused, seen: "released", milliseconds: time)
    case .outcome(.rejected): return ProbeStep(.controlRefused, seen: "rejected", milliseconds: time)
    case .outcome(let other): return ProbeStep(.controlUnclear, seen: "\(other)", milliseconds: time)
    case .notSent(let error) where error.code == .notFound:
      return ProbeStep(.controlRefused, seen: error.condition?.name ?? error.stableCode, milliseconds: time)
    case .notSent(let error):
      return ProbeStep(.controlUnclear, seen: "[\(error.stableCode)] \(error.explanation.seen)", milliseconds: time)
    }
  }

  private static func arrival(_ seen: PingObservation) -> ProbeStep {
    guard let last = seen.after ?? seen.before else {
      return ProbeStep(.arrivalNotPossible, seen: seen.dialect.rawValue)
    }
    switch last.value {
    case .missing: return ProbeStep(.arrivalQueueMissing, seen: "\(last.queue): not there")
    case .unreadable(let error):
      return ProbeStep(.arrivalUnreadable, seen: "[\(error.stableCode)] \(error.explanation.seen)")
    case .counted(let count):
      let before = seen.after == nil ? nil : seen.before?.count?.messages
      let depth = before.map { "\($0) -> \(count.messages)" } ?? "\(count.messages)"
      guard let consumers = count.consumers else {
        return ProbeStep(.arrivalConsumersUnknown, seen: "messages \(depth)")
      }
      let words = "messages \(depth), consumers \(consumers)"
      if consumers == 0 { return ProbeStep(.arrivalNoConsumer, seen: words) }
      if let before, count.messages > before { return ProbeStep(.arrivalGrows, seen: words) }
      return ProbeStep(.arrivalRead, seen: words)
    }
  }

  private static func echo(_ seen: PingObservation) -> ProbeStep? {
    switch seen.echo {
    case .came(let echo):
      let words = [
        echo.product, echo.libraryVersion.map { "library \($0)" }, echo.queue.map { "read from \($0)" },
      ].compactMap(\.self).joined(separator: ", ")
      return ProbeStep(.echoCame, seen: words.isEmpty ? "an echo" : words, milliseconds: seen.echoMilliseconds)
    case .noneInTime(let limit): return ProbeStep(.echoNone, seen: "nothing in \(limit)", milliseconds: seen.echoMilliseconds)
    case .noReplyQueue: return ProbeStep(.echoNoQueue, seen: "no reply queue")
    case .notListening(let error):
      return ProbeStep(.echoNotListening, seen: "[\(error.stableCode)] \(error.explanation.seen)")
    case .notAwaited: return seen.ping == .notTried ? nil : ProbeStep(.echoNotSent, seen: "no echo awaited")
    }
  }
}
