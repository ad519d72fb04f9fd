// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

/// Every phase answers every input: with the phase it leads to, or with a code.
@Suite("Every phase by every input")
struct StateByInputTests {
  static let inputs = [
    "snapshot", "preflight-ok", "preflight-bad", "advance", "begin-write", "write-returned", "read-goal", "read-base",
    "read-other", "read-failed", "ping-ok", "ping-bad", "look-quiet", "look-late", "look-unreadable", "look-missing", "roll-back",
    "withdraw", "accept", "retire", "remove", "waive", "release", "quarantine", "readmit",
    "sign-test", "hook-answered", "measured", "sighted", "except", "forward", "forward-pause", "forward-resume", "forward-end",
    "forwarded", "forward-stopped", "shovel-intended", "shovel-stays", "shovel-gone",
    "step-hook",
  ]

  static func input(_ name: String, _ walk: GroupWalk) -> GroupInput {
    let member = walk.group.members[0]
    let direction = walk.group.direction
    var strange = member.plan.before
    strange.name = "changed by somebody"
    return switch name {
    case "snapshot": .snapshot([member.plan.before])
    case "preflight-ok": .preflight(Fixture.preflight(), retryAt: walk.retryAt)
    case "preflight-bad":
      .preflight(Fixture.preflight { $0.findings[1].result = .failed }, retryAt: walk.retryAt)
    case "advance": .advance
    case "begin-write": .beginWrite(member.herID, observed: walk.read(member.herID))
    case "write-returned":
      .writeReturned(
        walk.openOperation ?? OperationID(pulje: walk.context.pulje, herID: member.herID, direction: .forward, number: 99),
        .answered)
    case "read-goal": .readBack(member.goal(direction), retryAt: walk.retryAt)
    case "read-base": .readBack(member.base(direction), retryAt: walk.retryAt)
    case "read-other": .readBack(strange, retryAt: walk.retryAt)
    case "read-failed": .readFailed(member.herID, seen: "time-out", retryAt: walk.retryAt)
    case "ping-ok": .pinged([Fixture.ping(member.herID)], retryAt: walk.retryAt)
    case "ping-bad": .pinged([Fixture.ping(member.herID, [.consumer: .failed])], retryAt: walk.retryAt)
    case "look-quiet": .looked(Fixture.look())
    case "look-late": .looked(Fixture.look(depth: 3))
    case "look-unreadable": .looked(Fixture.look(unreadable: true))
    case "look-missing": .looked(Fixture.look(missing: true))
    case "roll-back": .rollBack(by: "Kari", why: "asked")
    case "withdraw": .withdraw(by: "Kari", why: "asked")
    case "accept": .accept(by: ["Kari", "Ola"])
    case "retire": .retire(by: ["Kari", "Ola"])
    case "remove": .approveRemoval(by: ["Kari", "Ola"])
    case "waive": .waive(by: "Kari", why: "old sender", until: walk.now + .days(30))
    case "release": .release(by: "Kari")
    case "quarantine": .quarantine(by: "Kari", why: "odd")
    case "readmit": .readmit(by: "Kari")
    case "sign-test": .signTest(member.herID, .ownPing, passed: true, by: "Kari", seen: "seen")
    case "hook-answered": .hookAnswered("change-board", .assented(""), retryAt: walk.retryAt)
    case "step-hook": .stepHookAnswered(StepHook(.drained, "change-board"), .assented(""), retryAt: walk.retryAt)
    case "measured": .measured(Fixture.look(), [])
    case "sighted": .sighted([QueueSightings(queue: Self.queue(walk), sightings: [], isWhole: true)])
    case "except":
      .except(
        DrainException(by: ["Kari", "Ola"], what: .queue(Self.queue(walk)), why: "an old sender", until: walk.now + .days(3)))
    case "forward": .approveForwarding(ForwardingOrder(approvals: ["Kari", "Ola"]))
    case "forward-pause": .pauseForwarding(by: "Kari", why: "storm")
    case "forward-resume": .resumeForwarding(by: "Kari")
    case "forward-end": .endForwarding(by: "Kari", why: "done")
    case "forwarded": .forwarded(Self.queue(walk), ForwardingCount(run: "1"))
    case "forward-stopped": .forwardingStopped(Self.queue(walk), code: "FWD-1", seen: "rejected")
    case "shovel-intended":
      .shovelIntended(
        StandingShovel(node: "b", name: "s", virtualHost: "/", from: Self.queue(walk), to: Self.queue(walk)))
    case "shovel-stays": .shovelStays(node: "b", name: "s", code: "SHOVEL-003", seen: "no answer")
    default: .shovelGone(node: "b", name: "s")
    }
  }

  /// The asynchronous queue that is being left.
  static func queue(_ walk: GroupWalk) -> QueueAddress {
    walk.group.members.queues(after: walk.group.direction == .back)[0].address
  }

  /// What a cell gives, in one word: the phase it leads to ("=" for none other, "!" when held), or the code's number.
  static func cell(_ phase: GroupPhase, _ name: String) -> String {
    let walk = GroupWalk.standing(in: phase)
    guard walk.group.phase == phase else { return "unreached" }
    // The looks of the walk tell of the source bus; who answers for a queue has seen it counted.
    if name == "except", !walk.group.drain.last.isEmpty { walk.group.drain.last[0].address = Self.queue(walk) }
    let outcome = walk.send(Self.input(name, walk))
    if let refusal = outcome.refusal { return String(refusal.stableCode.dropFirst(4)) }
    let mark = walk.group.hold == nil ? "" : "!"
    return (walk.group.phase == phase ? "=" : walk.group.phase.rawValue) + mark
  }

  @Test("each cell is as the table says", arguments: GroupPhase.allCases)
  func eachCell(phase: GroupPhase) throws {
    let expected = try #require(Self.table[phase])
    #expect(expected.count == Self.inputs.count)
    for (name, answer) in zip(Self.inputs, expected) {
      #expect(Self.cell(phase, name) == answer, "\(phase.rawValue) x \(name)")
    }
  }

  @Test("a refused input leaves the state as it was, and no input leads to a phase outside the table")
  func refusalsChangeNothing() async {
    for phase in GroupPhase.allCases {
      await Task.yield()
      for name in Self.inputs {
        let walk = GroupWalk.standing(in: phase)
        let before = walk.group
        if walk.send(Self.input(name, walk)).refusal != nil { #expect(walk.group == before, "\(phase.rawValue) x \(name)") }
      }
    }
  }

  /// Columns in the order of ``inputs``. Written down from the model's table, cell by cell; a change here is a change of the model.
  static let table: [GroupPhase: [String]] = Dictionary(
    uniqueKeysWithValues: Self.rows.map { phase, cells in
      (
        phase,
        "\(cells) \(Self.drainCells[phase] ?? Self.otherCells) \(phase == .drained ? "222" : "201")".split(separator: " ").map(
          String.init)
      )
    })

  /// Of the last eleven columns; the policy is one that does not forward.
  private static let drainCells: [GroupPhase: String] = [
    .draining: "= = 243 245 245 245 245 245 245 222 222", .drained: "= = 243 245 245 245 245 245 245 222 222",
    .observing: "= = 243 245 245 245 245 245 245 222 222", .backDraining: "= = 243 245 245 245 245 245 245 222 222",
    .backDrained: "= = 243 245 245 245 245 245 245 222 222", .accepted: "= 201 243 245 245 245 245 245 245 222 222",
    .retired: "= 201 243 245 245 245 245 245 245 222 222",
  ]
  private static let otherCells = "201 201 243 245 245 245 245 245 245 222 222"

  private static let rows: [(GroupPhase, String)] = [
    (
      .known,
      "PLANNED 201 201 222 201 219 201 201 201 = 201 201 201 201 "
        + "201 201 210 WITHDRAWN 201 201 201 201 227 = 227 236 201 201"
    ),
    (
      .planned,
      "201 READY =! 222 201 219 201 201 201 = 201 201 201 201 "
        + "201 201 210 WITHDRAWN 201 201 201 201 227 = 227 236 201 201"
    ),
    (
      .ready,
      "201 = PLANNED! ARMED 201 219 201 201 201 = 201 201 201 201 "
        + "201 201 210 WITHDRAWN 201 201 201 201 227 = 227 236 222 201"
    ),
    (
      .armed,
      "201 201 201 222 CUT_INTENT 219 201 201 201 = 201 201 201 201 "
        + "201 201 210 WITHDRAWN 201 201 201 201 227 = 227 236 201 201"
    ),
    (
      .cutIntent,
      "201 201 201 222 229 CUT_UNKNOWN CUT_APPLIED = CONFLICT = 201 201 201 201 "
        + "201 201 RB_INTENT 201 201 201 201 201 227 = 227 201 201 201"
    ),
    (
      .cutUnknown,
      "201 201 201 222 229 219 CUT_APPLIED CUT_INTENT CONFLICT = 201 201 201 201 "
        + "201 201 RB_INTENT 201 201 201 201 201 227 = 227 201 201 201"
    ),
    (
      .cutApplied,
      "201 201 201 222 201 219 = CONFLICT CONFLICT = VERIFIED = 201 201 "
        + "201 201 RB_INTENT 201 201 201 201 201 227 = 227 201 201 201"
    ),
    (
      .verified,
      "201 201 201 222 201 219 = CONFLICT CONFLICT = = CUT_APPLIED DRAINING DRAINING "
        + "= =! RB_INTENT 201 201 201 201 201 227 = 227 201 201 201"
    ),
    (
      .draining,
      "201 201 201 222 201 219 = CONFLICT CONFLICT = 201 201 = = "
        + "= =! RB_INTENT 201 201 201 201 DRAINED 227 = 227 201 201 201"
    ),
    (
      .drained,
      "201 201 201 OBSERVING 201 219 = CONFLICT CONFLICT = 201 201 = DRAINING "
        + "= =! RB_INTENT 201 201 201 201 201 227 = 227 201 201 201"
    ),
    (
      .observing,
      "201 201 201 222 201 219 = CONFLICT CONFLICT = 201 201 = DRAINING "
        + "= =! RB_INTENT 201 216 201 201 201 227 = 227 201 201 222"
    ),
    (
      .accepted,
      "201 201 201 222 201 219 201 201 201 201 201 201 = = "
        + "= = RB_INTENT 201 201 217 201 201 227 201 227 201 201 201"
    ),
    (
      .retired,
      "201 201 201 222 201 219 201 201 201 201 201 201 = = "
        + "= = RB_INTENT 201 201 201 216 201 227 201 227 201 201 201"
    ),
    (
      .removed,
      "201 201 201 222 201 219 201 201 201 201 201 201 201 201 "
        + "201 201 212 201 201 201 201 201 227 201 227 201 201 201"
    ),
    (
      .backIntent,
      "201 201 201 222 229 RB_UNKNOWN RB_APPLIED = CONFLICT = 201 201 201 201 "
        + "201 201 211 201 201 201 201 201 227 = 227 201 201 201"
    ),
    (
      .backUnknown,
      "201 201 201 222 229 219 RB_APPLIED RB_INTENT CONFLICT = 201 201 201 201 "
        + "201 201 211 201 201 201 201 201 227 = 227 201 201 201"
    ),
    (
      .backApplied,
      "201 201 201 222 201 219 = RB_INTENT CONFLICT = RB_VERIFIED = 201 201 "
        + "201 201 211 201 201 201 201 201 227 = 227 201 201 201"
    ),
    (
      .backVerified,
      "201 201 201 222 201 219 = RB_INTENT CONFLICT = = RB_APPLIED RB_DRAINING RB_DRAINING "
        + "= =! 211 201 201 201 201 201 227 = 227 201 201 201"
    ),
    (
      .backDraining,
      "201 201 201 222 201 219 = RB_INTENT CONFLICT = 201 201 = = "
        + "= =! 211 201 201 201 201 RB_DRAINED 227 = 227 201 201 201"
    ),
    (
      .backDrained,
      "201 201 201 221 201 219 = RB_INTENT CONFLICT = 201 201 = RB_DRAINING "
        + "= =! 211 201 201 201 201 201 227 = 227 201 201 201"
    ),
    (
      .restored,
      "201 201 201 222 201 219 201 201 201 201 201 201 201 201 "
        + "201 201 211 201 201 201 201 201 227 201 227 201 201 201"
    ),
    (
      .conflict,
      "201 201 201 222 225 219 CUT_APPLIED = = = 201 201 201 201 "
        + "201 201 RB_INTENT 201 201 201 201 201 CUT_UNKNOWN = 227 201 201 201"
    ),
    (
      .withdrawn,
      "201 201 201 222 201 219 201 201 201 201 201 201 201 201 "
        + "201 201 210 201 201 201 201 201 227 201 227 201 201 201"
    ),
  ]
}
