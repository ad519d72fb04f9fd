// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Something a person should know of.
public struct Notice: Sendable, Hashable, Codable {
  public enum Weight: String, Sendable, Hashable, Codable, Comparable {
    case information, warning, alarm
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rank < rhs.rank }
    private var rank: Int { self == .information ? 0 : self == .warning ? 1 : 2 }
  }

  public var at: Instant
  public var weight: Weight
  /// The event's stable kind, such as `group.held`.
  public var kind: String
  public var pulje: PuljeName?
  public var group: GroupID?
  public var phase: GroupPhase?
  /// The phase that the group was in before, where this brought it into another.
  public var phaseBefore: GroupPhase?
  public var herID: HerID?
  /// The operation on the register, for the read-back and for those who run it.
  public var operation: OperationID?
  /// Who had it done: people, or the daemon.
  public var actor: String?
  /// The stable code, where there is one.
  public var code: String?
  /// In words, without health data.
  public var words: String

  /// Something that is no event of a pulje.
  public init(at: Instant, weight: Weight, kind: String, code: String? = nil, words: String) {
    self.at = at
    self.weight = weight
    self.kind = kind
    self.code = code
    self.words = words
  }

  /// What `event` is worth telling; nil for what is only kept.
  ///
  /// - Parameter actor: who had it done.
  init?(_ event: MigrationEvent, state: MigrationState, at now: Instant, actor: String? = nil) {
    self.at = now
    self.actor = actor
    self.kind = event.kind
    self.pulje = event.pulje
    switch event {
    case .puljeSealed(let plan, let by):
      (self.weight, self.words) = (.information, "sealed by \(by): \(plan.herIDs.count) parties in \(plan.groups.count) groups")
    case .puljeStarted(_, let approvals):
      (self.weight, self.words) = (.information, "started, approved by \(approvals.joined(separator: ", "))")
    case .puljePaused(_, let by, let why): (self.weight, self.words) = (.warning, "paused by \(by): \(why)")
    case .puljeResumed(_, let by): (self.weight, self.words) = (.information, "resumed by \(by)")
    case .lineStopped(let by, let why): (self.weight, self.words) = (.alarm, "the line is stopped by \(by): \(why)")
    case .lineReleased(let by): (self.weight, self.words) = (.warning, "the line is released by \(by.joined(separator: ", "))")
    case .busClosed(let closing, let by):
      (self.weight, self.words) = (.alarm, "bus \(closing.bus) is closed for good by \(by.joined(separator: ", "))")
    // What it brought about is told.
    case .commanded: return nil
    case .environmentNamed(let name): (self.weight, self.words) = (.information, "this history is of the environment \(name)")
    case .daemonStarted: (self.weight, self.words) = (.information, "the daemon has started; attestations are proven anew")
    case .group(let pulje, let group, let event):
      guard let (weight, code, words) = Self.told(event) ?? Self.toldOfDrain(event, state.puljer[pulje]?.groups[group], now)
      else { return nil }
      (self.weight, self.code, self.words) = (weight, code, words)
      self.group = group
      let steps = state.puljer[pulje]?.groups[group]?.history ?? []
      self.phase = state.puljer[pulje]?.groups[group]?.phase
      if let last = steps.last, last.at == now, last.phase == self.phase { self.phaseBefore = steps.dropLast().last?.phase }
      (self.herID, self.operation) = Self.subject(of: event)
    }
  }

  /// Whose entry it is about, and by which operation.
  private static func subject(of event: GroupEvent) -> (HerID?, OperationID?) {
    switch event {
    case .intentRecorded(let operation, let herID, _, _, _), .writeReturned(let operation, let herID, _): (herID, operation)
    case .readAsGoal(let herID, _), .readAsBase(let herID, _, _), .readFailed(let herID, _, _), .conflictFound(let herID, _),
      .testSigned(let herID, _, _, _, _):
      (herID, nil)
    default: (nil, nil)
    }
  }

  /// What a look at counters or messages brought to light.
  private static func toldOfDrain(_ event: GroupEvent, _ group: GroupState?, _ now: Instant) -> (Weight, String?, String)? {
    guard let group else { return nil }
    switch event {
    case .looked where !group.drain.endedExceptions.isEmpty:
      let ended = group.drain.endedExceptions.map {
        "\($0.what), by \($0.by.joined(separator: ", ")): \($0.why)\($0.exceeded.map { "; \($0)" } ?? "")"
      }
      return (
        .alarm, DrainException.endedCode,
        "an exception has ended, and what it answered for counts again: \(ended.joined(separator: "; "))"
      )
    case .looked: return Self.toldOfStaleSender(event, group, now)
    case .sighted:
      let convicted = group.drain.senders.filter { $0.convictedAt == now.milliseconds }.map { "HER-ID \($0.herID)" }
      guard !convicted.isEmpty else { return nil }
      return (
        .alarm, StrandedClass.neverLeaves.code,
        "still sends to the bus that was left, later than any copy of an address lives: \(convicted.joined(separator: ", "))"
      )
    default: return nil
    }
  }

  /// Once when it begins, once when it ends.
  private static func toldOfStaleSender(_ event: GroupEvent, _ group: GroupState?, _ now: Instant) -> (Weight, String?, String)? {
    guard case .looked = event, let stale = group?.drain.staleSender else { return nil }
    let queues = stale.queues.map(\.description).joined(separator: ", ")
    if stale.endedAt == now { return (.information, StaleSender.code, "nothing comes any more to \(queues)") }
    guard stale.since == now else { return nil }
    return (.alarm, StaleSender.code, "a sender does not follow the register: messages keep coming to \(queues)")
  }

  private static func told(_ event: GroupEvent) -> (Weight, String?, String)? {
    switch event {
    case .held(let hold): (hold.clearsItself ? .warning : .alarm, hold.code.rawValue, "\(hold.seen). \(hold.next)")
    case .restChecked(_, let wayBack?):
      (
        .alarm, WayBack.Reason.Code.brokenWhenWritten.rawValue,
        "some of its entries are moved and the way back is broken (\(wayBack)): the rest is written all the same, so that it is whole"
      )
    case .preflightFailed(_, let hold, _): (.warning, hold.code.rawValue, "\(hold.seen). \(hold.next)")
    case .conflictFound(let herID, _):
      (
        .alarm, Refusal.Code.conflict.rawValue,
        "the entry of HER-ID \(herID) was changed by somebody else; nothing more is written before a person has looked"
      )
    case .rollBackStarted(let by, let why): (.warning, nil, "roll-back started by \(by): \(why)")
    case .removalApproved(let by):
      (.warning, nil, "the end of the way back: removal of the source queues approved by \(by.joined(separator: ", "))")
    case .pingFailed(_, let seen, _): (.warning, nil, "ping failed: \(seen)")
    case .lateArrival: (.warning, nil, "messages came to the queues that are being left")
    case .readFailed(let herID, let seen, _): (.warning, nil, "the entry of HER-ID \(herID) could not be read: \(seen)")
    case .writeReturned(let operation, _, let outcome):
      switch outcome {
      case .answered: (.information, nil, "\(operation): answered")
      case .unknown(let seen): (.warning, nil, "\(operation): outcome unknown, the read-back decides: \(seen)")
      case .refused(let seen): (.warning, nil, "\(operation): refused, the read-back decides: \(seen)")
      case .overwrote(_, let seen): (.alarm, Refusal.Code.conflict.rawValue, "\(operation): \(seen)")
      case .handedOver(let steps): (.alarm, nil, "\(operation): to be done by hand. \(steps)")
      }
    case .forwardingApproved(let order):
      (
        .warning, nil,
        "what strands is carried over (\(order.mode.rawValue)), approved by \(order.approvals.joined(separator: ", "))"
      )
    case .forwardingPaused(let by, let why): (.information, nil, "forwarding is paused by \(by): \(why)")
    case .forwardingEnded(let by, let why): (.information, nil, "forwarding is ended by \(by): \(why)")
    case .forwardingStopped(let queue, let code, let seen):
      (.alarm, code, "the forwarder has stopped on \(queue): \(seen). A person looks, and resumes or ends it")
    case .shovelIntended(let shovel):
      (.information, nil, "shovel \(shovel.name) is declared on bus \(shovel.node): from \(shovel.from) to \(shovel.to)")
    case .shovelStays(let node, let name, let code, let seen):
      (
        .alarm, StandingShovel.stayingCode,
        "shovel \(name) on bus \(node) ought to be gone and is not known to be: it may carry on by itself. [\(code)] \(seen). It is "
          + "asked for without end; nothing else is carried there meanwhile, and the group does not count as drained"
      )
    case .shovelGone(let node, let name): (.information, nil, "shovel \(name) on bus \(node) is gone: the bus was asked")
    case .excepted(let exception):
      (
        .warning, nil,
        "\(exception.by.joined(separator: ", ")) answer for \(exception.what) until \(exception.until): \(exception.why)"
          + (exception.giver.map { "; given by \($0)" } ?? "")
      )
    case .looked, .readAsGoal, .readAsBase, .preflightPassed, .restChecked, .sighted, .forwarded: nil
    default: (.information, nil, event.kind)
    }
  }
}

/// Who is told. Must not throw and must not take long: it is called between steps.
public protocol Notifier: Sendable {
  func notify(_ notice: Notice)
}

public struct SilentNotifier: Notifier {
  public init() {}
  public func notify(_ notice: Notice) {}
}
