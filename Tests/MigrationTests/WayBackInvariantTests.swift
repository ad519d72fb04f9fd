// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("I-10 on the history: what a write rests on")
struct WayBackInvariantTests {
  static let first = Fixture.herID(400)
  static let second = Fixture.herID(401)

  /// A history of one group with two entries of its own, event by event as it is given.
  struct History {
    var state = MigrationState()
    var watch: HistoryWatch
    var now = Fixture.start
    let plan: Plan
    var breaches: [Breach] = []

    init(isOfThisProgram: Bool = true) {
      self.watch = HistoryWatch(isOfThisProgram: isOfThisProgram)
      self.plan = Planner(
        buses: Fixture.buses, records: [Fixture.record(400), Fixture.record(401, queues: 400)]
      ).plan(Fixture.request([400, 401]))
      self.happen(.puljeSealed(plan: self.plan, by: "Kari"))
      self.happen(.puljeStarted(pulje: self.plan.name, approvals: ["Kari", "Ola"]))
    }

    mutating func happen(_ event: MigrationEvent) {
      let phase = HistoryWatch.phase(before: event, in: self.state)
      _ = self.state.apply(event, at: self.now)
      self.breaches += self.watch.take(event, at: self.now, fence: 1, from: phase, state: self.state)
    }

    mutating func happen(_ event: GroupEvent) {
      self.happen(.group(pulje: self.plan.name, group: self.plan.groups[0].id, event: event))
    }

    mutating func intent(_ herID: HerID, number: Int = 1) {
      guard let member = self.plan.groups[0].members.first(where: { $0.herID == herID }) else { return }
      self.happen(
        .intentRecorded(
          operation: OperationID(pulje: self.plan.name, herID: herID, direction: .forward, number: number), herID: herID,
          direction: .forward, base: member.before.hash, goal: member.after.hash))
    }

    mutating func moved(_ herID: HerID) {
      self.intent(herID)
      guard let member = self.plan.groups[0].members.first(where: { $0.herID == herID }) else { return }
      self.happen(.readAsGoal(herID: herID, found: member.after.hash))
    }

    /// Up to the first write.
    mutating func arm(_ report: PreflightReport = Fixture.preflight()) {
      self.happen(.planned)
      self.happen(.preflightPassed(report: report))
      self.happen(.armed)
    }

    var isBroken: Bool { self.breaches.contains { $0.invariant == .reverseIsOpen } }
  }

  private static func report(_ failed: PreflightCheck...) -> PreflightReport {
    Fixture.preflight { report in
      for check in failed {
        report.findings.removeAll { $0.check == check }
        report.findings.append(Finding(check, .failed, seen: "not seen"))
      }
    }
  }

  @Test("lawful: both on one look, and the second on a new one when the first is old")
  func lawful() {
    var history = History()
    history.arm()
    history.moved(Self.first)
    history.now = history.now + .minutes(30)
    history.moved(Self.second)
    #expect(history.breaches.isEmpty)
    history = History()
    history.arm()
    history.moved(Self.first)
    history.now = history.now + .days(3)
    history.happen(.restChecked(report: Self.report(.sourceBus), wayBack: "source-bus: not seen"))
    history.moved(Self.second)
    #expect(history.breaches.isEmpty)
  }

  @Test("broken: the rest on an old look, as this program never writes it; in a history of before it stands")
  func stale() {
    for isOfThisProgram in [true, false] {
      var history = History(isOfThisProgram: isOfThisProgram)
      history.arm()
      history.moved(Self.first)
      history.now = history.now + .minutes(30) + .milliseconds(1)
      history.moved(Self.second)
      #expect(history.isBroken == isOfThisProgram)
    }
  }

  @Test("broken: the first write on a look older than READY and ARMED live together")
  func staleFirst() {
    for (age, isBroken) in [(TimeSpan.minutes(60), false), (.minutes(60) + .milliseconds(1), true)] {
      var history = History()
      history.arm()
      history.now = history.now + age
      history.intent(Self.first)
      #expect(history.isBroken == isBroken, "\(age)")
    }
  }

  @Test("broken: a pre-flight that passes without a way back, whichever part of it")
  func blind() {
    for check in [PreflightCheck.sourceBus, .sourceQueues] {
      var history = History()
      history.arm(Self.report(check))
      #expect(history.isBroken, "\(check)")
    }
  }

  @Test("broken: nobody is told of a broken way back, or of one that stands")
  func untold() {
    for (report, wayBack) in [(Self.report(.sourceQueues), nil), (Self.report(), "source-bus: not seen")] {
      var history = History()
      history.arm()
      history.moved(Self.first)
      history.happen(.restChecked(report: report, wayBack: wayBack))
      #expect(history.isBroken)
    }
  }

  @Test("broken: written after a look that failed, and a whole group treated as a half moved one")
  func failed() {
    var history = History()
    history.arm()
    history.moved(Self.first)
    let hold = Hold(.preflightFailed, seen: "down", clearsItself: true)
    history.happen(.preflightFailed(report: Self.report(.targetBus), hold: hold, retryAt: history.now))
    #expect(!history.isBroken)
    history.intent(Self.second)
    #expect(history.isBroken)
    var whole = History()
    whole.arm()
    whole.happen(.restChecked(report: Self.report(), wayBack: nil))
    #expect(whole.isBroken)
  }

  @Test("what read back as before was not written: the group begins anew")
  func anew() {
    var history = History()
    history.arm()
    history.intent(Self.first)
    guard let member = history.plan.groups[0].members.first else { return }
    history.happen(.readAsBase(herID: Self.first, found: member.before.hash, retryAt: history.now))
    history.happen(.restChecked(report: Self.report(), wayBack: nil))
    #expect(history.isBroken)
  }
}
