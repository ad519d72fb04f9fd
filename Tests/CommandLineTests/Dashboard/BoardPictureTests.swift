// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import MigrationEngine
import Testing

@testable import bus_migrator

@Suite("The board's picture: what changes is told, and nothing else")
struct BoardPictureTests {
  private static let start = Instant(milliseconds: 1_770_000_000_000)

  /// A pulje of four parties in three groups, started; and a painter that has seen it.
  private final class Board {
    var state = MigrationState()
    var painter = BoardPainter()
    var sequence: Int64 = 0
    var now = BoardPictureTests.start
    let plan: Plan

    init(waves: Waves? = nil) throws {
      let records = [
        try Stage.record(100), try Stage.record(101, queues: 100, parent: 100), try Stage.record(200), try Stage.record(300),
      ]
      var request = PuljeRequest(
        name: try #require(PuljeName("pulje-1")), source: "a", target: "b",
        parties: records.map { PuljeRequest.Party(herID: $0.herID, vendor: "Alfa", listens: .both) }, policy: Policy())
      request.waves = waves
      self.plan = Planner(buses: Stage.buses, records: records).plan(request)
      try self.carryOut(.begin(self.plan, planHash: nil, approvals: ["Kari", "Ola"]))
    }

    func carryOut(_ input: MigrationInput) throws {
      switch self.state.decide(input, now: self.now) {
      case .refused(let refusal): throw refusal
      case .events(let events):
        for event in events {
          let isKnown = self.state.apply(event, at: self.now)
          #expect(isKnown)
          self.sequence += 1
        }
      }
    }

    /// What is told after `seconds`.
    func paint(after seconds: Int64 = 1) -> [BoardChange]? {
      self.now = self.now + .seconds(seconds)
      return self.painter.paint(self.state, sequence: self.sequence, now: self.now, depths: [:])
    }
  }

  @Test("the first picture is told whole; after it nothing until something happens; then the one group")
  func changes() throws {
    let board = try Board()
    #expect(board.paint() == nil)
    let picture = try #require(board.painter.picture)
    #expect(picture.puljer.map(\.name) == [board.plan.name] && picture.groups[board.plan.name]?.count == 3)
    #expect(picture.groups[board.plan.name]?[0].plan.parties.map(\.name) == ["Party 100", "Party 101"])
    #expect(board.paint() == [])
    let herID = try #require(HerID(200))
    try board.carryOut(.quarantine(board.plan.name, herID: herID, by: "Kari", why: "the vendor asks"))
    let changes = try #require(board.paint())
    guard case .group(let pulje, let id, let glance)? = changes.first(where: { $0.event == "group" }) else {
      Issue.record("no group: \(changes)")
      return
    }
    #expect(pulje == board.plan.name && id == GroupID(herID) && glance.isQuarantined && glance.turn == .person)
    #expect(changes.filter { $0.event == "group" }.count == 1)
    #expect(board.paint() == [])
  }

  @Test("what is told brings the picture before to the picture after, for every group")
  func difference() throws {
    let board = try Board()
    _ = board.paint()
    let before = try #require(board.painter.picture)
    try board.carryOut(.stopTheLine(by: "Kari", why: "something is wrong"))
    try board.carryOut(.rollBack(board.plan.name, herIDs: [try #require(HerID(300))], by: "Kari", why: "asked for"))
    let told = try #require(board.paint())
    let after = try #require(board.painter.picture)
    // The painter says where to look; whoever looks at everything finds the same.
    #expect(Set(told) == Set(try #require(after.changes(since: before))))
    var groups = try #require(before.groups[board.plan.name])
    for case .group(_, let id, let glance) in told {
      let place = try #require(groups.firstIndex { $0.id == id })
      groups[place].glance = glance
    }
    #expect(groups == after.groups[board.plan.name])
    #expect(told.contains(.line(after.line)) && after.line.stop?.why == "something is wrong")
    #expect(groups.first { $0.id.lowest.value == 300 }?.glance.phase == .withdrawn)
  }

  @Test("an alert begins once, says when it has ended, and is one however many groups it is about")
  func alerts() throws {
    let board = try Board()
    _ = board.paint()
    for value in [100, 200] as [Int32] {
      try board.carryOut(.quarantine(board.plan.name, herID: try #require(HerID(value)), by: "Kari", why: "x"))
    }
    let began = try #require(board.paint()).compactMap { if case .alert(let alert) = $0 { alert } else { nil } }
    #expect(began.map(\.code) == [WaitReason.Code.quarantined.rawValue] && began.first?.count == 2 && began.first?.endedAt == nil)
    for value in [100, 200] as [Int32] {
      try board.carryOut(.readmit(board.plan.name, herID: try #require(HerID(value)), by: "Kari"))
    }
    let ended = try #require(board.paint()).compactMap { if case .alert(let alert) = $0 { alert } else { nil } }
    #expect(ended.map(\.id) == began.map(\.id) && ended.first?.endedAt == board.now)
    try board.carryOut(.pause(board.plan.name, by: "Ola", why: "lunch"))
    try board.carryOut(.stopTheLine(by: "Kari", why: "fire"))
    _ = board.paint()
    let alerts = try #require(board.painter.picture?.alerts)
    // The whole line first; neither is said of each group again.
    #expect(alerts.map(\.code) == ["MIG-417", "MIG-402"] && alerts.map(\.count) == [0, 0])
    #expect(alerts.map(\.weight) == [.alarm, .person] && alerts.first?.seen == "stopped by Kari: fire")
    // The same that messages and figures are made of.
    let standing = board.state.standingConditions(now: board.now).subjects
    #expect(alerts.map(\.id) == standing.map(\.subject.id) && alerts.map(\.seen) == standing.map(\.seen))
  }

  @Test("other puljer are told by a whole picture only")
  func otherPuljer() throws {
    let board = try Board()
    _ = board.paint()
    let before = try #require(board.painter.picture)
    var after = before
    after.puljer = []
    #expect(after.changes(since: before) == nil)
    #expect(before.changes(since: before) == [])
  }

  @Test("waves: each group has its own, and the open one is told")
  func waves() throws {
    let board = try Board(waves: .sizes([1, 2]))
    _ = board.paint()
    let picture = try #require(board.painter.picture)
    #expect(picture.puljer.first?.openWave == 1)
    #expect(Set((picture.groups[board.plan.name] ?? []).map(\.plan.wave)) == [1, 2])
  }

  @Test("a group's line says what its glance holds, to the letter, whatever a name is made of")
  func line() throws {
    let board = try Board()
    _ = board.paint()
    try board.carryOut(.quarantine(board.plan.name, herID: try #require(HerID(200)), by: "Kari", why: "x"))
    _ = board.paint()
    let groups = try #require(board.painter.picture?.groups[board.plan.name])
    for var group in groups {
      group.glance.left = 7
      group.glance.doing = "a \"b\" \\ \n\t\u{1} æøå 👩‍⚕️ </script>"
      let late = #"[{"strandedClass":"in-flight","code":"MIG-702","sender":7,"vendor":"V","count":3}]"#
      group.glance.late = try JSONDecoder().decode([GroupGlance.Late].self, from: Data(late.utf8))
      let read = try #require(try JSONSerialization.jsonObject(with: BoardText.group(board.plan.name, group)) as? [String: Any])
      // As the general encoder writes it.
      var wanted = try #require(
        try JSONSerialization.jsonObject(with: try JSONEncoder().encode(group.glance)) as? [String: Any])
      let plan = try #require(try JSONSerialization.jsonObject(with: try JSONEncoder().encode(group.plan)) as? [String: Any])
      wanted.merge(plan) { $1 }
      wanted["pulje"] = board.plan.name.text
      wanted["id"] = Int(group.id.lowest.value)
      #expect(NSDictionary(dictionary: read) == NSDictionary(dictionary: wanted))
    }
  }

  @Test("written: the whole picture and each change are JSON in one line, with the event's number")
  func written() throws {
    let board = try Board()
    _ = board.paint()
    let picture = try #require(board.painter.picture)
    let groups = picture.puljer.map { pulje in (picture.groups[pulje.name] ?? []).map { BoardText.group(pulje.name, $0) } }
    let trails: [PuljeName: [BusName: DepthTrail]] = [
      board.plan.name: ["a": DepthTrail([.init(at: Self.start, count: 7)])]
    ]
    let whole = BoardText.board(picture, environment: "test", reason: .asked, trails: trails, groups: groups)
    let read = try #require(try JSONSerialization.jsonObject(with: Data(whole.readableBytesView)) as? [String: Any])
    #expect(read["schema"] as? String == BoardText.schema && read["environment"] as? String == "test")
    let lines = try #require(read["groups"] as? [[String: Any]])
    #expect(lines.count == 3 && lines[0]["id"] as? Int == 100 && lines[0]["phase"] as? String == "KNOWN")
    #expect((lines[0]["parties"] as? [[String: Any]])?.first?["name"] as? String == "Party 100")
    let points = try #require((read["trails"] as? [String: [String: [[String: Any]]]])?["pulje-1"]?["a"])
    #expect(points.first?["count"] as? Int == 7)

    try board.carryOut(.stopTheLine(by: "Kari", why: "a\nb"))
    let chunk = String(buffer: BoardText.changes(try #require(board.paint()), id: board.sequence))
    let events = chunk.components(separatedBy: "\n\n").filter { !$0.isEmpty }
    for event in events {
      let fields = event.components(separatedBy: "\n")
      #expect(fields.count == 3 && fields[0] == "id: \(board.sequence)" && fields[1].hasPrefix("event: "), "\(event)")
      let data = Data(fields[2].dropFirst("data: ".count).utf8)
      _ = try JSONSerialization.jsonObject(with: data)
    }
    #expect(events.contains { $0.contains("event: line") && $0.contains("a\\nb") })
  }
}
