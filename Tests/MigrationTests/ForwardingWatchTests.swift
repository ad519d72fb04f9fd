// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

/// The checker of histories sees what a faulty reducer would let through.
@Suite("Forwarding in a history, checked")
struct ForwardingWatchTests {
  private func breaches(
    _ events: [GroupEvent], leftovers: Policy.Leftovers = .forward, back: Bool = false, stopped: Bool = false
  ) -> [Invariant] {
    var policy = Policy()
    policy.leftovers = leftovers
    let plan = Fixture.plan([200], policy: policy)
    var state = MigrationState()
    var watch = HistoryWatch()
    var found: [Invariant] = []
    let read = GroupEvent.readAsGoal(
      herID: Fixture.herID(200), found: back ? Fixture.record(200).hash : plan.groups[0].members[0].after.hash)
    let before: [GroupEvent] = back ? [.rollBackStarted(by: "Kari", why: "x"), read] : [read]
    let group = plan.groups[0].id
    let all: [MigrationEvent] =
      [.puljeSealed(plan: plan, by: "Kari")] + (stopped ? [.lineStopped(by: "Kari", why: "x")] : [])
      + (before + events).map { .group(pulje: plan.name, group: group, event: $0) }
    for event in all {
      let phase = HistoryWatch.phase(before: event, in: state)
      _ = state.apply(event, at: Fixture.start)
      found += watch.take(event, at: Fixture.start, fence: 1, from: phase, state: state).map(\.invariant)
    }
    return found
  }

  private static let queue = QueueAddress(host: "sb.test.example", path: "NHN", queue: "200_async")
  private static let forwarded = GroupEvent.forwarded(queue: Self.queue, count: ForwardingCount(run: "1"))

  private func ordered(_ people: [String] = ["Kari", "Ola"], _ queues: [QueueKind] = [.asynchronous]) -> GroupEvent {
    var order = ForwardingOrder(approvals: people)
    order.queues = queues
    return .forwardingApproved(order: order)
  }

  @Test("ordered as it should be, and carried, breaks nothing")
  func lawful() {
    #expect(self.breaches([.drainBegan, self.ordered(), Self.forwarded, .forwardingPaused(by: "x", why: "y")]).isEmpty)
    #expect(self.breaches([.drainBegan, self.ordered(["Kari"])], back: true).isEmpty)
    let last: [GroupEvent] = [.drainBegan, self.ordered(), .rollBackStarted(by: "x", why: "y"), Self.forwarded]
    #expect(self.breaches(last).isEmpty)
  }

  @Test("before the watermark, by too few, against the policy, on a stopped line, or of synchronous messages it is a breach")
  func unlawful() {
    #expect(self.breaches([self.ordered()]) == [.watermarkAfterFence])
    #expect(self.breaches([.drainBegan, self.ordered(["Kari", "KARI"])]) == [.approvedIsExecuted])
    #expect(self.breaches([.drainBegan, self.ordered([])], back: true) == [.approvedIsExecuted])
    #expect(self.breaches([.drainBegan, self.ordered()], leftovers: .report) == [.approvedIsExecuted])
    #expect(self.breaches([.drainBegan, self.ordered()], stopped: true) == [.approvedIsExecuted])
    for kind in [QueueKind.synchronous, .synchronousReply] {
      #expect(self.breaches([.drainBegan, self.ordered(["a", "b"], [kind])]) == [.approvedIsExecuted])
    }
  }

  @Test("an exception by too few, or that has ended already, is a breach")
  func exceptions() {
    func breach(_ people: [String], after span: TimeSpan, back: Bool = false) -> [Invariant] {
      let exception = DrainException(by: people, what: .queue(Self.queue), why: "x", until: Fixture.start + span)
      return self.breaches([.drainBegan, .excepted(exception: exception)], back: back)
    }
    #expect(breach(["Kari", "Ola"], after: .hours(1)).isEmpty && breach(["Kari"], after: .hours(1), back: true).isEmpty)
    #expect(breach(["Kari", "KARI"], after: .hours(1)) == [.approvedIsExecuted])
    #expect(breach([], after: .hours(1), back: true) == [.approvedIsExecuted])
    #expect(breach(["Kari", "Ola"], after: .milliseconds(0)) == [.approvedIsExecuted])
  }

  @Test("what nobody ordered is not carried; what was ended or left behind is not paused or resumed")
  func unordered() {
    #expect(self.breaches([.drainBegan, Self.forwarded]) == [.approvedIsExecuted])
    #expect(self.breaches([.drainBegan, .forwardingResumed(by: "x")]) == [.approvedIsExecuted])
    let ended: [GroupEvent] = [.drainBegan, self.ordered(), .forwardingEnded(by: "x", why: "y"), .forwardingResumed(by: "x")]
    #expect(self.breaches(ended) == [.approvedIsExecuted])
    let back: [GroupEvent] = [
      .drainBegan, self.ordered(), .rollBackStarted(by: "x", why: "y"), .forwardingPaused(by: "x", why: "y"),
    ]
    #expect(self.breaches(back) == [.approvedIsExecuted])
  }
}
