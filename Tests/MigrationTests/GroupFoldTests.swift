// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

/// What each event leaves behind in a group, field by field: nothing more, and nothing less.
@Suite("What each event changes in a group")
struct GroupFoldTests {
  static let start = Fixture.start
  static let party = Fixture.herID(200)

  /// The fields of a group, each as a text; times are minutes from the start.
  static func fields(_ group: GroupState) -> [String: String] {
    var fields: [String: String] = [:]
    Self.take(Mirror(reflecting: group), "", &fields)
    return fields
  }

  private static func take(_ mirror: Mirror, _ prefix: String, _ fields: inout [String: String]) {
    for child in mirror.children {
      guard let label = child.label, label != "id", label != "planned", label != "revision", label != "history",
        label != "stretches"
      else { continue }
      let name = prefix + label
      switch child.value {
      case let evidence as CopyOnWrite<GroupState.Evidence>: Self.take(Mirror(reflecting: evidence.value), prefix, &fields)
      case let members as [Member]:
        for member in members { Self.take(Mirror(reflecting: member), "", &fields) }
      case let drain as DrainLedger: Self.take(Mirror(reflecting: drain), "\(name).", &fields)
      default: fields[name] = Self.text(child.value)
      }
    }
  }

  private static func text(_ value: Any) -> String {
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .optional { return mirror.children.first.map { Self.text($0.value) } ?? "-" }
    switch value {
    case let instant as Instant: return "\(instant.since(Self.start).milliseconds / 60_000)"
    case let note as Note: return "\(note.by): \(note.why) at \(Self.text(note.at))"
    case let hold as Hold: return "\(hold.code.rawValue)\(hold.clearsItself ? "" : "!")"
    case let report as PreflightReport: return "\(report.findings.count) findings"
    case let reports as [PingReport]: return "\(reports.count) pings"
    case let readings as [QueueReading]: return "\(readings.count) readings"
    case let hash as RecordHash: return hash == Fixture.record(200).hash ? "before" : hash == Self.after ? "after" : "other"
    case let phase as GroupPhase: return phase.rawValue
    case let baseline as [String: Int64]: return "\(baseline.values.reduce(0, +))"
    case Member.Writing.conflict: return "conflict"
    case let writing as Member.Writing: return "\(writing)".replacing("Migration.", with: "")
    default: return "\(value)"
    }
  }

  static let after = Fixture.plan([200]).groups[0].members[0].after.hash

  /// What `events` change, one after the other, a minute apart.
  static func story(_ events: [GroupEvent]) -> [String] {
    var group = GroupState(Fixture.plan([200]).groups[0], at: Self.start)
    var before = Self.fields(group)
    var lines: [String] = []
    for (index, event) in events.enumerated() {
      group.apply(event, at: Self.start + .minutes(Int64(index + 1)), policy: Policy())
      let now = Self.fields(group)
      let changes = now.keys.sorted().filter { now[$0] != before[$0] }.map { "\($0)=\(now[$0] ?? "-")" }
      lines.append("\(event.kind): \(changes.joined(separator: ", "))")
      before = now
    }
    return lines
  }

  static func operation(_ number: Int, _ direction: Direction = .forward) -> OperationID {
    OperationID(pulje: Fixture.name_("pulje-1"), herID: Self.party, direction: direction, number: number)
  }

  static func intent(_ number: Int, _ direction: Direction = .forward) -> GroupEvent {
    .intentRecorded(
      operation: Self.operation(number, direction), herID: Self.party, direction: direction, base: Fixture.record(200).hash,
      goal: Self.after)
  }

  static func returned(_ number: Int, _ outcome: WriteOutcome, _ direction: Direction = .forward) -> GroupEvent {
    .writeReturned(operation: Self.operation(number, direction), herID: Self.party, outcome: outcome)
  }

  static let later = Self.start + .minutes(1_000)
  static let strange: PartyRecord = {
    var record = Fixture.record(200)
    record.name = "changed"
    return record
  }()

  static let stories: [(name: String, events: [GroupEvent])] = [
    (
      "up to the cut, with failures",
      [
        .held(hold: Hold(.recordMoved, seen: "moved")), .released(by: "Kari"), .planned,
        .preflightFailed(
          report: Fixture.preflight(), hold: Hold(.preflightFailed, seen: "down", clearsItself: true), retryAt: Self.later),
        .preflightFailed(
          report: Fixture.preflight(), hold: Hold(.preflightFailed, seen: "still", clearsItself: true), retryAt: Self.later),
        .preflightPassed(report: Fixture.preflight()), .attestationExpired, .preflightPassed(report: Fixture.preflight()), .armed,
        .readFailed(herID: Self.party, seen: "time-out", retryAt: Self.later), Self.intent(1),
        .readFailed(herID: Self.party, seen: "again", retryAt: Self.later), Self.returned(1, .unknown("lost")),
        .readAsBase(herID: Self.party, found: Fixture.record(200).hash, retryAt: Self.later),
        .preflightPassed(report: Fixture.preflight()),
        .preflightFailed(
          report: Fixture.preflight(), hold: Hold(.preflightFailed, seen: "down", clearsItself: true), retryAt: Self.later),
        Self.intent(2), Self.returned(2, .handedOver("by hand")),
        .readAsBase(herID: Self.party, found: Fixture.record(200).hash, retryAt: Self.later),
        .readAsGoal(herID: Self.party, found: Self.after),
      ]
    ),
    (
      "moved, drained, watched, retired",
      [
        .planned, .preflightPassed(report: Fixture.preflight()), .armed, Self.intent(1), Self.returned(1, .answered),
        .readAsGoal(herID: Self.party, found: Self.after),
        .pingFailed(reports: [Fixture.ping(Self.party)], seen: "nobody", retryAt: Self.later),
        .pingFailed(reports: [Fixture.ping(Self.party)], seen: "nobody", retryAt: Self.later),
        .pinged(reports: [Fixture.ping(Self.party)]),
        .pingFailed(reports: [Fixture.ping(Self.party)], seen: "gone", retryAt: Self.later),
        .pinged(reports: [Fixture.ping(Self.party)]), .drainBegan, .looked(readings: Fixture.look()),
        .looked(readings: Fixture.look(depth: 1)), .looked(readings: Fixture.look(unreadable: true)),
        .waived(by: "Kari", why: "old", until: Self.later), .drained, .watchBegan, .lateArrival, .drained, .watchBegan,
        .quarantined(by: "Ola", why: "odd"), .readmitted(by: "Kari"), .accepted(by: ["Kari", "Ola"]),
        .looked(readings: Fixture.look()), .retired(by: ["Kari", "Ola"]), .removalApproved(by: ["Kari", "Ola"]),
      ]
    ),
    (
      "in conflict, and back",
      [
        .planned, .preflightPassed(report: Fixture.preflight()), .armed, Self.intent(1), Self.returned(1, .refused("no")),
        .conflictFound(herID: Self.party, found: Self.strange), .released(by: "Kari"),
        .readAsGoal(herID: Self.party, found: Self.after), .pinged(reports: [Fixture.ping(Self.party)]), .drainBegan,
        .looked(readings: Fixture.look(depth: 2)), .held(hold: Hold(.queueMissing, seen: "gone")),
        .rollBackStarted(by: "Kari", why: "asked"), Self.intent(2, .back), Self.returned(2, .answered, .back),
        .readAsBase(herID: Self.party, found: Self.after, retryAt: Self.later),
        .held(hold: Hold(.writesDoNotTake, seen: "5 tries")),
        .held(hold: Hold(.writesDoNotTake, seen: "6 tries")), .released(by: "Ola"), Self.intent(3, .back),
        .readAsGoal(herID: Self.party, found: Fixture.record(200).hash), .pinged(reports: [Fixture.ping(Self.party)]),
        .drainBegan,
        .looked(readings: Fixture.look(deadLetters: 9)), .looked(readings: Fixture.look(deadLetters: 9)), .drained,
        .readAsGoal(herID: Self.party, found: Fixture.record(200).hash), .restored,
      ]
    ),
    ("withdrawn", [.planned, .held(hold: Hold(.pingFailed, seen: "x")), .withdrawn(by: "Kari", why: "not now")]),
  ]

  @Test("each story leaves what is written here", arguments: stories.indices)
  func story(index: Int) {
    let (name, events) = Self.stories[index]
    let lines = Self.story(events)
    let expected = index < Self.expected.count ? Self.expected[index] : []
    for (line, wanted) in zip(lines, expected) { #expect(line == wanted, "\(name)") }
    #expect(lines.count == expected.count, "\(name):\n\(lines.joined(separator: "\n"))")
  }

  @Test("a start ends attestations, makes an open write unknown and wants every entry read again")
  func restart() {
    for phase in [GroupPhase.ready, .armed, .cutIntent, .verified, .drained, .backIntent, .backDrained] {
      let walk = GroupWalk.standing(in: phase)
      walk.group.applyRestart(at: walk.now + .minutes(3))
      #expect(!walk.group.phase.isAttestation && walk.group.retryAt == nil && walk.group.hookAnswers.isEmpty, "\(phase)")
      #expect(walk.group.members.allSatisfy { !$0.recordProven }, "\(phase)")
      #expect(walk.openOperation == nil, "\(phase)")
      let isUnknown = phase == .cutIntent || phase == .backIntent
      #expect(walk.group.members.contains { if case .unknown = $0.writing { true } else { false } } == isUnknown, "\(phase)")
    }
  }

  static let expected: [[String]] = [
    """
    held: heldSince=1, hold=MIG-302!, lastFailure=moved
    released: heldSince=-, hold=-
    planned: attestedAt=3, phase=PLANNED, since=3
    preflight-failed: heldSince=4, hold=MIG-301, lastFailure=down, preflight=6 findings, preflightFailures=1, retryAt=1000
    preflight-failed: lastFailure=still, preflightFailures=2
    preflight-passed: attestedAt=6, drain.deadLetterBaseline=2, heldSince=-, hold=-, phase=READY, preflightAt=6, \
    preflightFailures=0, retryAt=-, since=6
    attestation-expired: attestedAt=7, phase=PLANNED, since=7
    preflight-passed: attestedAt=8, phase=READY, preflightAt=8, since=8
    armed: attestedAt=9, phase=ARMED, since=9
    read-failed: lastFailure=time-out, readFailures=1, retryAt=1000
    intent-recorded: attestedAt=11, intents=1, phase=CUT_INTENT, retryAt=-, since=11, writing=intent(pulje-1/200/forward/1)
    read-failed: lastFailure=again, readFailures=2, retryAt=1000
    write-returned: attestedAt=13, lastOutcome=unknown("lost"), phase=CUT_UNKNOWN, retryAt=-, since=13, \
    writing=unknown(Optional(pulje-1/200/forward/1))
    read-as-base: attestedAt=14, failedTries=1, lastReadAt=14, lastReadHash=before, phase=CUT_INTENT, readFailures=0, \
    retryAt=1000, since=14, writing=untouched
    preflight-passed: preflightAt=15, retryAt=-
    preflight-failed: heldSince=16, hold=MIG-301, lastFailure=down, preflightFailures=1, retryAt=1000
    intent-recorded: intents=2, retryAt=-, writing=intent(pulje-1/200/forward/2)
    write-returned: attestedAt=18, handedOver=true, lastOutcome=handedOver("by hand"), phase=CUT_UNKNOWN, since=18, \
    writing=unknown(Optional(pulje-1/200/forward/2))
    read-as-base: lastReadAt=19, retryAt=1000
    read-as-goal: attestedAt=20, failedTries=0, handedOver=false, lastFailure=-, lastReadAt=20, lastReadHash=after, \
    phase=CUT_APPLIED, recordProven=true, retryAt=-, since=20, writing=atGoal
    """,
    """
    planned: attestedAt=1, phase=PLANNED, since=1
    preflight-passed: attestedAt=2, drain.deadLetterBaseline=2, phase=READY, preflight=6 findings, preflightAt=2, since=2
    armed: attestedAt=3, phase=ARMED, since=3
    intent-recorded: attestedAt=4, intents=1, phase=CUT_INTENT, since=4, writing=intent(pulje-1/200/forward/1)
    write-returned: attestedAt=5, lastOutcome=answered, phase=CUT_UNKNOWN, since=5, \
    writing=unknown(Optional(pulje-1/200/forward/1))
    read-as-goal: attestedAt=6, lastReadAt=6, lastReadHash=after, phase=CUT_APPLIED, recordProven=true, since=6, writing=atGoal
    ping-failed: lastFailure=nobody, pingFailures=1, pingedAt=7, pings=1 pings, retryAt=1000
    ping-failed: pingFailures=2, pingedAt=8
    pinged: attestedAt=9, lastFailure=-, phase=VERIFIED, pingFailures=0, pingedAt=9, retryAt=-, since=9
    ping-failed: attestedAt=10, lastFailure=gone, phase=CUT_APPLIED, pingFailures=1, pingedAt=10, retryAt=1000, since=10
    pinged: attestedAt=11, lastFailure=-, phase=VERIFIED, pingFailures=0, pingedAt=11, retryAt=-, since=11
    drain-began: attestedAt=12, drain.watermark=12, phase=DRAINING, since=12
    looked: drain.last=4 readings, drain.lastCountedAt=13, drain.lastLookAt=13, drain.lastReadableAt=13, drain.looks=1, \
    drain.quietLooks=1, \
    drain.quietSince=13
    looked: drain.arrived=1, drain.lastCountedAt=14, drain.lastLookAt=14, drain.lastReadableAt=14, drain.lateArrivals=1, \
    drain.looks=2, \
    drain.previousLeftovers=Backlog(at: 2026-02-02T02:53:00Z, count: 0), drain.quietLooks=0, drain.quietSince=-
    looked: drain.lastLookAt=15, drain.left=1, drain.looks=3, drain.unreadableLooks=1
    waived: drain.exceptions=[Migration.DrainLedger.Exception(by: "Kari", why: "old", until: 2026-02-02T19:20:00Z)]
    drained: attestedAt=17, phase=DRAINED, since=17
    watch-began: attestedAt=18, phase=OBSERVING, since=18, watchSince=18
    late-arrival: attestedAt=19, phase=DRAINING, since=19, watchSince=-
    drained: attestedAt=20, phase=DRAINED, since=20
    watch-began: attestedAt=21, phase=OBSERVING, since=21, watchSince=21
    quarantined: quarantine=Ola: odd at 22
    readmitted: quarantine=-
    accepted: acceptedBy=["Kari", "Ola"], attestedAt=24, phase=ACCEPTED, since=24
    looked: drain.lastCountedAt=25, drain.lastLookAt=25, drain.lastReadableAt=25, drain.looks=4, drain.quietLooks=1, \
    drain.quietSince=25
    retired: attestedAt=26, phase=RETIRED, since=26
    removal-approved: attestedAt=27, phase=REMOVED, since=27
    """,
    """
    planned: attestedAt=1, phase=PLANNED, since=1
    preflight-passed: attestedAt=2, drain.deadLetterBaseline=2, phase=READY, preflight=6 findings, preflightAt=2, since=2
    armed: attestedAt=3, phase=ARMED, since=3
    intent-recorded: attestedAt=4, intents=1, phase=CUT_INTENT, since=4, writing=intent(pulje-1/200/forward/1)
    write-returned: attestedAt=5, lastOutcome=refused("no"), phase=CUT_UNKNOWN, since=5, \
    writing=unknown(Optional(pulje-1/200/forward/1))
    conflict-found: attestedAt=6, lastReadAt=6, lastReadHash=other, phase=CONFLICT, since=6, writing=conflict
    released: attestedAt=7, phase=CUT_UNKNOWN, since=7, writing=unknown(nil)
    read-as-goal: attestedAt=8, lastReadAt=8, lastReadHash=after, phase=CUT_APPLIED, recordProven=true, since=8, writing=atGoal
    pinged: attestedAt=9, phase=VERIFIED, pingedAt=9, pings=1 pings, since=9
    drain-began: attestedAt=10, drain.watermark=10, phase=DRAINING, since=10
    looked: drain.last=4 readings, drain.lastCountedAt=11, drain.lastLookAt=11, drain.lastReadableAt=11, drain.looks=1
    held: heldSince=12, hold=MIG-306!, lastFailure=gone
    roll-back-started: attestedAt=13, direction=back, drain.deadLetterBaseline=0, drain.lastCountedAt=-, drain.lastLookAt=-, \
    drain.lastReadableAt=-, drain.looks=0, drain.watermark=-, forwardDrain.arrived=0, \
    forwardDrain.deadLetterBaseline=2, forwardDrain.forwarding=-, forwardDrain.last=4 readings, forwardDrain.lastArrivals=0, \
    forwardDrain.lastCountedAt=11, forwardDrain.lastLookAt=11, forwardDrain.lastReadableAt=11, forwardDrain.lateArrivals=0, \
    forwardDrain.left=0, \
    forwardDrain.levels=0, forwardDrain.longestCacheSeen=-, forwardDrain.longestGap=-, forwardDrain.looks=1, \
    forwardDrain.pendingQuiet=-, forwardDrain.previousLeftovers=-, forwardDrain.quietLooks=0, forwardDrain.quietSince=-, \
    forwardDrain.staleSender=-, forwardDrain.suspectedAt=-, \
    forwardDrain.takenAtLook=0, forwardDrain.unreadableLooks=0, forwardDrain.watermark=10, heldSince=-, hold=-, \
    lastFailure=-, phase=RB_INTENT, \
    recordProven=false, rollBack=Kari: asked at 13, since=13, writing=untouched
    intent-recorded: intents=2, writing=intent(pulje-1/200/back/2)
    write-returned: attestedAt=15, lastOutcome=answered, phase=RB_UNKNOWN, since=15, \
    writing=unknown(Optional(pulje-1/200/back/2))
    read-as-base: attestedAt=16, failedTries=1, lastReadAt=16, phase=RB_INTENT, retryAt=1000, since=16, writing=untouched
    held: heldSince=17, hold=MIG-304!, lastFailure=5 tries
    held: lastFailure=6 tries
    released: failedTries=0, heldSince=-, hold=-, retryAt=-
    intent-recorded: intents=3, writing=intent(pulje-1/200/back/3)
    read-as-goal: attestedAt=21, lastFailure=-, lastReadAt=21, lastReadHash=before, phase=RB_APPLIED, recordProven=true, \
    since=21, writing=atGoal
    pinged: attestedAt=22, phase=RB_VERIFIED, pingedAt=22, since=22
    drain-began: attestedAt=23, drain.watermark=23, phase=RB_DRAINING, since=23
    looked: drain.deadLetterBaseline=9, drain.last=4 readings, drain.lastCountedAt=24, drain.lastLookAt=24, \
    drain.lastReadableAt=24, \
    drain.looks=1, drain.quietLooks=1, drain.quietSince=24
    looked: drain.lastCountedAt=25, drain.lastLookAt=25, drain.lastReadableAt=25, drain.longestGap=1m, drain.looks=2, \
    drain.previousLeftovers=Backlog(at: 2026-02-02T03:04:00Z, count: 0), drain.quietLooks=2
    drained: attestedAt=26, phase=RB_DRAINED, recordProven=false, since=26
    read-as-goal: lastReadAt=27, recordProven=true
    restored: attestedAt=28, phase=RESTORED, since=28
    """,
    """
    planned: attestedAt=1, phase=PLANNED, since=1
    held: heldSince=2, hold=MIG-303!, lastFailure=x
    withdrawn: attestedAt=3, heldSince=-, hold=-, phase=WITHDRAWN, since=3, withdrawal=Kari: not now at 3
    """,
  ].map { $0.split(separator: "\n").map(String.init) }
}
