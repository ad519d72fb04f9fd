// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

/// Every phase of a pulje answers every input to the whole: with the phase it leads to, or with a code.
@Suite("Every phase of a pulje by every input")
struct PuljeByInputTests {
  static let inputs = [
    "seal-same", "seal-other", "begin-same", "start", "start-alone", "pause", "resume", "back-all", "back-one", "release",
    "quarantine",
    "readmit", "waive", "accept", "accept-alone", "news", "stray-news", "retire", "remove", "stop", "release-line", "restart",
    "other",
  ]

  static let name = Fixture.name_("pulje-1")
  static let party = Fixture.herID(200)
  static let both = ["Kari", "Ola"]

  static func input(_ word: String, now: Instant) -> MigrationInput {
    let plan = Fixture.plan([200, 300])
    let group = GroupID(Self.party)
    return switch word {
    case "seal-same": .seal(plan, by: "Kari")
    case "seal-other": .seal(Fixture.plan([200], name: "pulje-2"), by: "Kari")
    case "begin-same": .begin(plan, planHash: plan.hash, approvals: Self.both)
    case "start": .start(Self.name, planHash: plan.hash, approvals: Self.both)
    case "start-alone": .start(Self.name, planHash: plan.hash, approvals: ["Kari", " kari "])
    case "pause": .pause(Self.name, by: "Kari", why: "lunch")
    case "resume": .resume(Self.name, by: "Kari")
    case "back-all": .rollBack(Self.name, herIDs: nil, by: "Kari", why: "asked")
    case "back-one": .rollBack(Self.name, herIDs: [Self.party], by: "Kari", why: "asked")
    case "release": .release(Self.name, herID: Self.party, by: "Kari")
    case "quarantine": .quarantine(Self.name, herID: Self.party, by: "Kari", why: "odd")
    case "readmit": .readmit(Self.name, herID: Self.party, by: "Kari")
    case "waive": .waive(Self.name, herID: Self.party, by: "Kari", why: "old sender", until: now + .days(9))
    case "accept": .accept(Self.name, approvals: Self.both)
    case "accept-alone": .accept(Self.name, approvals: ["Kari"])
    case "news": .group(Self.name, group, .readFailed(Self.party, seen: "time-out", retryAt: now + .minutes(1)))
    case "stray-news": .group(Self.name, GroupID(Fixture.herID(7)), .advance)
    case "retire": .retire(Self.name, herID: Self.party, approvals: Self.both)
    case "remove": .approveRemoval(Self.name, herID: Self.party, approvals: Self.both)
    case "stop": .stopTheLine(by: "Kari", why: "odd")
    case "release-line": .releaseTheLine(approvals: Self.both)
    case "restart": .daemonStarted
    default: .pause(Fixture.name_("no-such"), by: "Kari", why: "lunch")
    }
  }

  /// Where the two groups of the pulje stand in each of its phases.
  static func groups(_ phase: PuljePhase) -> (GroupPhase, GroupPhase) {
    switch phase {
    case .sealed: (.known, .known)
    case .preflight: (.planned, .observing)
    case .cutover: (.cutUnknown, .observing)
    case .verifying: (.cutApplied, .observing)
    case .draining: (.draining, .observing)
    case .observing, .decision: (.observing, .observing)
    case .done: (.accepted, .accepted)
    case .rollingBack: (.backDraining, .observing)
    case .rolledBack: (.restored, .restored)
    case .partlyBack: (.accepted, .restored)
    case .withdrawn: (.withdrawn, .withdrawn)
    }
  }

  struct Standing {
    var state = MigrationState()
    var now = Fixture.start

    mutating func send(_ input: MigrationInput) -> MigrationState.Outcome {
      let outcome = self.state.decide(input, now: self.now)
      for event in outcome.events { _ = self.state.apply(event, at: self.now) }
      return outcome
    }

    var phase: PuljePhase? { self.state.puljer[PuljeByInputTests.name]?.phase(now: self.now) }
  }

  static func standing(_ phase: PuljePhase, paused: Bool = false, stopped: Bool = false) -> Standing {
    var standing = Standing()
    _ = standing.send(.seal(Fixture.plan([200, 300]), by: "Kari"))
    if phase != .sealed { _ = standing.send(.start(Self.name, planHash: nil, approvals: Self.both)) }
    let (first, second) = Self.groups(phase)
    for (group, herID) in [(first, Int32(200)), (second, 300)] {
      let walk = GroupWalk.standing(in: group, [herID])
      if phase == .decision { walk.lookOn(for: .days(14)) }
      standing.now = max(standing.now, walk.now)
      _ = standing.state.puljer[Self.name]?.groups.change(GroupID(Fixture.herID(herID))) { $0 = walk.group }
    }
    if paused { _ = standing.send(.pause(Self.name, by: "Ola", why: "storm")) }
    if stopped { _ = standing.send(.stopTheLine(by: "Ola", why: "odd")) }
    return standing
  }

  /// What a cell gives, in one word: the phase it leads to ("=" for none other), or the code's number.
  static func cell(_ standing: Standing, _ word: String) -> String {
    var after = standing
    let outcome = after.send(Self.input(word, now: standing.now))
    if let refusal = outcome.refusal { return String(refusal.stableCode.dropFirst(4)) }
    return after.phase == standing.phase ? "=" : after.phase?.rawValue ?? "none"
  }

  static func check(_ name: String, _ standing: Standing) {
    let expected = (Self.table[name] ?? "").split(separator: " ").map(String.init)
    #expect(expected.count == Self.inputs.count)
    let cells = Self.inputs.map { Self.cell(standing, $0) }
    for (index, word) in Self.inputs.enumerated() where index < expected.count {
      #expect(cells[index] == expected[index], "\(name) x \(word)")
    }
    #expect(cells == expected, "\(name): \(cells.joined(separator: " "))")
  }

  @Test("each cell is as the table says", arguments: PuljePhase.allCases)
  func eachCell(phase: PuljePhase) {
    let standing = Self.standing(phase)
    #expect(standing.phase == phase)
    Self.check(phase.rawValue, standing)
  }

  @Test("the same when it is paused, and when the line is stopped")
  func heldBack() {
    Self.check("OBSERVING paused", Self.standing(.observing, paused: true))
    Self.check("DECISION paused", Self.standing(.decision, paused: true))
    Self.check("DECISION stopped", Self.standing(.decision, stopped: true))
  }

  @Test("a refused input leaves everything as it was", arguments: PuljePhase.allCases)
  func refusalsChangeNothing(phase: PuljePhase) {
    let standing = Self.standing(phase)
    for word in Self.inputs {
      var after = standing
      if after.send(Self.input(word, now: standing.now)).refusal != nil { #expect(after.state == standing.state, "\(word)") }
    }
  }

  /// Columns in the order of ``inputs``; a change here is a change of the model.
  static let table: [String: String] = [
    "SEALED": "207 220 207 PREFLIGHT 204 = 213 WITHDRAWN = 227 = 227 201 201 201 = 205 201 201 = 213 = 205",
    "PREFLIGHT": "207 220 208 208 208 = 213 ROLLING_BACK OBSERVING 227 OBSERVING 227 201 201 201 = 205 201 201 = 213 = 205",
    "CUTOVER": "207 220 208 208 208 = 213 ROLLING_BACK ROLLING_BACK 227 OBSERVING 227 201 201 201 = 205 201 201 = 213 = 205",
    "VERIFYING": "207 220 208 208 208 = 213 ROLLING_BACK ROLLING_BACK 227 OBSERVING 227 201 201 201 = 205 201 201 = 213 = 205",
    "DRAINING": "207 220 208 208 208 = 213 ROLLING_BACK ROLLING_BACK 227 OBSERVING 227 = 201 201 = 205 201 201 = 213 = 205",
    "OBSERVING": "207 220 208 208 208 = 213 ROLLING_BACK ROLLING_BACK 227 = 227 201 216 204 = 205 201 201 = 213 = 205",
    "DECISION": "207 220 208 208 208 = 213 ROLLING_BACK ROLLING_BACK 227 = 227 201 DONE 204 = 205 201 201 = 213 = 205",
    "DONE": "207 = 208 208 208 = 213 ROLLING_BACK ROLLING_BACK 227 201 227 201 222 222 201 205 217 201 = 213 = 205",
    "ROLLING_BACK": "207 220 208 208 208 = 213 = 211 227 = 227 = 201 201 = 205 201 201 = 213 = 205",
    "ROLLED_BACK": "207 = 208 208 208 = 213 211 211 227 201 227 201 222 222 201 205 201 201 = 213 = 205",
    "PARTLY_BACK": "207 = 208 208 208 = 213 ROLLING_BACK ROLLING_BACK 227 201 227 201 222 222 201 205 217 201 = 213 = 205",
    "WITHDRAWN": "207 = 208 208 208 = 213 210 210 227 201 227 201 222 222 201 205 201 201 = 213 = 205",
    "OBSERVING paused": "207 220 208 208 208 213 = ROLLING_BACK ROLLING_BACK 227 = 227 201 223 204 = 205 201 201 = 213 = 205",
    "DECISION paused": "207 220 208 208 208 213 = ROLLING_BACK ROLLING_BACK 227 = 227 201 223 204 = 205 201 201 = 213 = 205",
    "DECISION stopped": "207 220 208 208 208 = 213 ROLLING_BACK ROLLING_BACK 227 = 227 201 232 204 = 205 201 201 213 = = 205",
  ]
}
