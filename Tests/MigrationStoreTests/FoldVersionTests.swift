// SPDX-License-Identifier: Apache-2.0

import BusModel
import Crypto
import Foundation
import Migration
import Testing

@testable import MigrationStore

/// A checkpoint of an earlier program is taken over only while histories fold to what they did then: this is what notices when they do
/// not.
@Suite("The version of the fold")
struct FoldVersionTests {
  /// What the histories of earlier versions fold to, by ``MigrationState/foldVersion``. When it comes out otherwise, or the records have
  /// another form, raise the version and put the new value beside the old ones, which stay.
  static let digests = [
    1: "e1d90d68d6ba6b7229e69689bf527f377d96511d0c430fabdae85cfb23550921",
    2: "ebf93b030328272f93891212063db3236eab2a135008a7946a29fa17b1aa35b9",
    3: "cc65032bc693b35e51cceb459033b24f64c994fc1036f126e4ded14579994d45",
    4: "a5057d0c0b100c2aab9e49092410b7ba124ebb8db17cbcc56992954949309881",
    5: "b630817f871a99acda62df97cd87561b675e9c887288ca791967958ef2987bef",
    6: "889a91e79e1da4156fed3870902cf749e51fb1be4b028062e425738d16db1758",
    7: "c7436f3d8fb4c2e522b91298710c8ed2009eeef86ed03e935fba0f37a5a71e73",
    8: "a5cf5172d61eaa5d061feb0bc369db2cbfd49588800fc5bd8caf2a86d32849b3",
  ]

  private struct Digest: StateRecordWriting {
    var hash = SHA256()
    mutating func write(_ record: some Encodable) throws { self.hash.update(data: try CanonicalJSON.encode(record)) }
  }

  @Test("histories in every state fold to what the version says")
  func digest() throws {
    var digest = Digest()
    for form in [1, 3] {
      for phase in UpgradeTests.phases {
        var state = MigrationState()
        for row in try UpgradeTests.rows(phase.rawValue, form: form) {
          let event = try JSONDecoder().decode(MigrationEvent.self, from: Data(row.body.utf8))
          let isKnown = state.apply(event, at: Instant(milliseconds: row.at))
          #expect(isKnown)
        }
        try state.write(to: &digest)
      }
    }
    // Each state on the way: a pause that is ended, a hold that is cleared leave nothing at the end.
    for state in try Self.whole() { try state.write(to: &digest) }
    #expect(Self.digests[MigrationState.foldVersion] == CanonicalJSON.hex(digest.hash.finalize()))
  }

  /// What the kept histories do not hold: puljer with waves, pauses, line stops, a closed bus; groups that were held, quarantined, taken
  /// out; and what a group's drain may hold, forward and back. Events as such, so that only the fold can make it come out otherwise.
  private static func whole() throws -> [MigrationState] {
    var state = MigrationState()
    var states: [MigrationState] = []
    var at = Instant(milliseconds: 1_780_000_000_000)
    func happen(_ event: MigrationEvent) {
      at = at + .minutes(1)
      let isKnown = state.apply(event, at: at)
      #expect(isKnown, "\(event.kind)")
      states.append(state)
    }
    let row = try #require(try UpgradeTests.rows(GroupPhase.known.rawValue, form: 3).dropFirst().first)
    guard case .puljeSealed(var plan, _) = try JSONDecoder().decode(MigrationEvent.self, from: Data(row.body.utf8)) else {
      Issue.record("the second row seals the plan")
      return states
    }
    let moved = try #require(plan.groups.first)
    let id = moved.id
    plan.policy.leftovers = .forward
    plan.policy.gates = Gates()
    plan.sourceDialect = .azureServiceBus
    plan.targetDialect = .rabbitMQ4AddressV2
    plan.policy.declaredCaches = [DeclaredCache(vendor: "Alfa", life: .hours(30)), DeclaredCache(life: .hours(2))]
    plan.waves = plan.groups.map { [$0.id] }
    happen(.environmentNamed(name: "test"))
    happen(.daemonStarted)
    happen(.puljeSealed(plan: plan, by: "Kari"))
    happen(.puljeStarted(pulje: plan.name, approvals: ["Kari", "Ola"]))
    happen(.puljePaused(pulje: plan.name, by: "Ola", why: "lunch"))
    happen(.lineStopped(by: "Kari", why: "storm"))
    happen(.lineReleased(by: ["Kari", "Ola"]))
    happen(.puljeResumed(pulje: plan.name, by: "Ola"))
    let herID = try #require(moved.members.first).herID
    let queues = moved.members.queues(after: false)
    let (queue, error) = (queues[0].address, queues[2].address)
    func look(_ depth: Int64, arrivals: Int64? = nil, dead: Int64 = 0, figures: QueueFigures? = nil) -> [QueueReading] {
      queues.map { queue in
        let isDead = queue.kind == .deadLetter
        return QueueReading(
          address: queue.address, kind: queue.kind,
          count: .counted(
            depth: isDead ? dead : queue.kind == .asynchronous ? depth : 0, arrivals: isDead ? nil : arrivals, consumers: 1,
            figures: queue.kind == .asynchronous ? figures : nil))
      }
    }
    var sighting = MessageSighting(state: .active, sequenceNumber: 9, messageID: "m")
    sighting.fromHerID = HerID(900)
    sighting.enqueuedAt = (at + .hours(40)).milliseconds
    var order = ForwardingOrder(approvals: ["Kari", "Ola"])
    order.ratePerSecond = 20
    let retry = at + .days(1)
    let report = PreflightReport(
      findings: [Finding(.sourceBus, .passed, seen: "seen")],
      baseline: look(0, dead: 2, figures: QueueFigures(deadLettered: 1, transferDeadLettered: 1)))
    let forward: [GroupEvent] = [
      .held(hold: Hold(.recordMoved, seen: "moved")), .released(by: "Kari"), .quarantined(by: "Ola", why: "odd"),
      .readmitted(by: "Ola"), .testSigned(herID: herID, item: .ownPing, passed: true, by: "Kari", seen: "tried"), .planned,
      .preflightFailed(report: report, hold: Hold(.preflightFailed, seen: "down", clearsItself: true), retryAt: retry),
      .preflightPassed(report: report), .hookAnswered(hook: "duty", answer: .silent("late"), retryAt: retry),
      .hookAnswered(hook: "duty", answer: .assented("yes"), retryAt: retry), .armed,
      .readAsGoal(herID: herID, found: try #require(moved.members.first).after.hash), .pinged(reports: []), .drainBegan,
      .looked(readings: look(0, arrivals: 4, dead: 2)), .looked(readings: look(3, arrivals: 7, dead: 3)),
      .sighted(queue: queue, sightings: [sighting], isWhole: true), .forwardingApproved(order: order),
      .forwarded(queue: queue, count: ForwardingCount(run: "1", received: 3, accepted: 1, setAside: ["poison": 1])),
      .forwardingStopped(queue: queue, code: "FWD-101", seen: "rejected"), .forwardingPaused(by: "Ola", why: "slow"),
      .looked(readings: look(1, figures: QueueFigures(active: 0, locked: 1, deadLettered: 3))), .forwardingResumed(by: "Kari"),
      .forwarded(queue: queue, count: ForwardingCount(run: "2", received: 2, accepted: 1, expired: 1, possibleDuplicates: 1)),
      .excepted(exception: DrainException(by: ["Kari"], what: .queue(error), why: "known", until: at + .hours(1))),
      .excepted(
        exception: DrainException(by: ["Kari"], what: .sender(try #require(HerID(900))), why: "known", until: at + .days(9))),
      .excepted(
        exception: DrainException(
          by: ["Ola"], what: .queue(queue), why: "known", until: at + .days(9),
          covers: DrainException.Cover(messages: 1, deadLetters: 3, arrivals: 7))),
      .forwarded(
        queue: queue,
        count: ForwardingCount(
          run: "2", received: 3, accepted: 1, expired: 1, possibleDuplicates: 1, aside: ["tooLarge": 1], notReturned: 1)),
      .looked(readings: look(0)), .looked(readings: look(0, figures: QueueFigures(active: 0))), .looked(readings: look(1)),
      .looked(readings: look(2)), .sighted(queue: queue, sightings: [sighting], isWhole: true),
      .waived(by: "Kari", why: "old", until: at + .days(2)), .drained, .watchBegan, .measured(readings: look(2), pings: []),
      .lateArrival, .forwardingEnded(by: "Kari", why: "done"),
    ]
    let back: [GroupEvent] = [
      .rollBackStarted(by: "Kari", why: "asked"),
      .forwarded(queue: queue, count: ForwardingCount(run: "2", received: 4, accepted: 3, expired: 1)),
      .readAsGoal(herID: herID, found: try #require(moved.members.first).before.hash), .pinged(reports: []), .drainBegan,
      .looked(readings: look(0)), .forwardingApproved(order: order), .looked(readings: look(0)),
    ]
    // Keys are heeded, and with them what was answered.
    for key in [nil, "monday"] {
      var record = CommandRecord(
        by: ["Kari"], giver: key == nil ? .token(name: "kari") : .login(uid: 7, name: "kari"), role: "operator", verb: "pause",
        pulje: plan.name, herIDs: [herID], reason: "CHG-7", planHash: "h", key: key, fingerprint: "f")
      record.kinds = ["pulje.paused"]
      happen(.commanded(record: record))
    }
    for event in forward { happen(.group(pulje: plan.name, group: id, event: event)) }
    happen(.daemonStarted)
    for event in back { happen(.group(pulje: plan.name, group: id, event: event)) }
    plan.name = try #require(PuljeName("taken-out"))
    happen(.puljeSealed(plan: plan, by: "Ola"))
    happen(.group(pulje: plan.name, group: id, event: .withdrawn(by: "Ola", why: "not now")))
    let zero = BusClosing.Count.counted(0, names: [])
    happen(
      .busClosed(
        closing: BusClosing(
          bus: "gone", lookedAt: at, parties: 3, comparedAt: at, remaining: zero, connections: zero, filledQueues: zero),
        by: ["Kari", "Ola"]))
    happen(.lineStopped(by: "Kari", why: "storm"))
    // A pulje that ends held, quarantined and paused, in its second wave, with programs that are asked.
    try Self.keptBack(plan, happen)
    return states
  }

  private static func keptBack(_ like: Plan, _ happen: (MigrationEvent) -> Void) throws {
    var plan = like
    plan.name = try #require(PuljeName("kept-back"))
    plan.policy.hooks = ["duty"]
    plan.policy.stepHooks =
      HookPoint.allCases.filter(\.canVeto).dropFirst().map { StepHook($0, "duty") } + [StepHook(.rollBack, "desk")]
    let (group, retry) = (try #require(plan.groups.first), Instant(milliseconds: 1_790_000_000_000))
    let herID = try #require(group.members.first).herID
    let hold = Hold(.preflightFailed, seen: "down", clearsItself: true)
    let report = PreflightReport(findings: PreflightCheck.allCases.map { Finding($0, .passed, seen: "seen") }, baseline: [])
    happen(.puljeSealed(plan: plan, by: "Ola"))
    happen(.puljeStarted(pulje: plan.name, approvals: ["Kari", "Ola"]))
    let (before, after) = (group.members[0].before.hash, group.members[0].after.hash)
    let operation = OperationID.stray(herID)
    let events: [GroupEvent] = [
      .planned, .preflightPassed(report: report), .armed,
      .intentRecorded(operation: operation, herID: herID, direction: .forward, base: before, goal: after),
      .writeReturned(operation: operation, herID: herID, outcome: .answered),
      .readFailed(herID: herID, seen: "down", retryAt: retry), .readAsBase(herID: herID, found: before, retryAt: retry),
      .preflightFailed(report: report, hold: hold, retryAt: retry), .restChecked(report: report, wayBack: "source-bus: down"),
      .readAsGoal(herID: herID, found: after), .pinged(reports: []), .drainBegan, .looked(readings: []), .drained,
      .stepHookAnswered(step: StepHook(.drained, "duty"), answer: .vetoed("no"), retryAt: retry),
      .stepHookAnswered(step: StepHook(.drained, "duty"), answer: .assented("yes"), retryAt: retry), .watchBegan,
      .rollBackStarted(by: "Kari", why: "asked"),
      .stepHookAnswered(step: StepHook(.rollBack, "desk"), answer: .silent("late"), retryAt: retry),
      .pingFailed(reports: [], seen: "nobody", retryAt: retry), .held(hold: Hold(.writesDoNotTake, seen: "5 times")),
      .quarantined(by: "Ola", why: "odd"),
    ]
    for event in events { happen(.group(pulje: plan.name, group: group.id, event: event)) }
    happen(.puljePaused(pulje: plan.name, by: "Ola", why: "the night"))
  }
}
