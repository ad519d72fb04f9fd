// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// A course of things on the bus that a party has left, and the verdict that is right at its end. Told by what the counters show, so that
/// the same can be made up on a real bus and read from it.
public struct DrainSituation: Sendable, CustomStringConvertible {
  public enum Step: Sendable {
    /// What a look shows, a second after the one before; queues not named are empty. So many times.
    case look([QueueKind: QueueReading.Count], times: Int)
    /// The same, so long after what was before.
    case lookAfter(TimeSpan, [QueueKind: QueueReading.Count])
    /// The bus does not answer at all.
    case dark(times: Int)
    /// What lies on a queue, by metadata; `true` when that is all.
    case sight(QueueKind, [Message], isWhole: Bool)
    /// What lies there from now on, for those who look at the messages by themselves.
    case shows(QueueKind, [Message], isWhole: Bool)
    case wait(TimeSpan)
    case restart(after: TimeSpan)
    case waive(TimeSpan)
    case exceptQueue(QueueKind, TimeSpan)
    case exceptSender(Int32, TimeSpan)
    case order
    case forwarded(QueueKind, ForwardingCount)
    case stopped(QueueKind)
  }

  /// A message by its metadata, with the time of its coming told from the beginning of the drain.
  public struct Message: Sendable {
    public var from: Int32?
    public var came: TimeSpan?
    public var state: MessageSighting.State = .active
    public var deliveries: Int64?

    public init(from: Int32?, came: TimeSpan?, state: MessageSighting.State = .active, deliveries: Int64? = nil) {
      self.from = from
      self.came = came
      self.state = state
      self.deliveries = deliveries
    }

    func sighting(_ number: Int) -> MessageSighting {
      var sighting = MessageSighting(state: self.state, sequenceNumber: Int64(number), messageID: "m\(number)")
      sighting.fromHerID = self.from.flatMap { HerID($0) }
      sighting.enqueuedAt = self.came.map { (DrainCourse.begin + $0).milliseconds }
      sighting.deliveryCount = self.deliveries
      return sighting
    }
  }

  public var name: String
  public var dialect: Dialect
  public var baseline: [QueueKind: QueueReading.Count] = [:]
  public var declaredCache: TimeSpan?
  public var steps: [Step]
  public var result: DrainVerdict.Result
  /// The code of what keeps it from being drained.
  public var code: String?
  /// The classes of what lies there.
  public var classes: Set<StrandedClass>
  /// It was drained once, and something came.
  public var isReopened = false
  /// The verdict says that it does not show something with these words in it.
  public var notShown: String?

  public var description: String { self.name }

  /// Plays it through.
  public func play() -> DrainCourse? {
    var policy = DrainCourse.policy
    policy.declaredCaches = self.declaredCache.map { [DeclaredCache(life: $0)] }
    guard var course = DrainCourse(dialect: self.dialect, baseline: self.baseline, policy: policy) else { return nil }
    for step in self.steps { Self.take(step, &course) }
    return course
  }

  private static func sightings(_ queue: QueueAddress, _ messages: [Message], _ isWhole: Bool)
    -> QueueSightings
  {
    QueueSightings(
      queue: queue, sightings: messages.enumerated().map { $1.sighting($0) }, isWhole: isWhole)
  }

  private static func take(_ step: Step, _ course: inout DrainCourse) {
    switch step {
    case .look(let counts, let times): for _ in 0..<times { course.look(course.readings(counts)) }
    case .lookAfter(let span, let counts): course.look(course.readings(counts), after: span)
    case .dark(let times):
      for _ in 0..<times {
        course.look(
          course.queues.map { QueueReading(address: $0.address, kind: $0.kind, count: .unreadable("[PROBE-001] no answer")) })
      }
    case .sight(let kind, let messages, let isWhole):
      guard let queue = course.address(kind) else { return }
      course.bring(.sighted([Self.sightings(queue, messages, isWhole)]))
    case .shows(let kind, let messages, let isWhole):
      guard let queue = course.address(kind) else { return }
      course.show(Self.sightings(queue, messages, isWhole))
    case .wait(let span): course.wait(span)
    case .restart(let span): course.restart(after: span)
    case .waive(let span): course.bring(.waive(by: "Kari", why: "no counters", until: course.now + span))
    case .exceptQueue(let kind, let span):
      guard let queue = course.address(kind) else { return }
      course.bring(
        .except(DrainException(by: DrainCourse.people, what: .queue(queue), why: "it is known", until: course.now + span)))
    case .exceptSender(let number, let span):
      guard let herID = HerID(number) else { return }
      course.bring(
        .except(DrainException(by: DrainCourse.people, what: .sender(herID), why: "it is known", until: course.now + span)))
    case .order: course.bring(.approveForwarding(ForwardingOrder(approvals: DrainCourse.people)))
    case .forwarded(let kind, let count): if let queue = course.address(kind) { course.bring(.forwarded(queue, count)) }
    case .stopped(let kind):
      if let queue = course.address(kind) { course.bring(.forwardingStopped(queue, code: "FWD-101", seen: "rejected")) }
    }
  }
}
