// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import Testing

@testable import bus_migrator

/// A watch's pure parts: what is told, what it comes to, how it is shown.
@Suite("What a watch tells")
struct WatchTests {
  private static let now = Instant(milliseconds: 1_000_000_000)
  private static let pace = WatchOutlook.Pace(
    quietPeriod: .hours(1), watchPeriod: .hours(10), lookInterval: .minutes(5), hasWindows: false, perGroup: .minutes(2))

  /// As the daemon writes it.
  private static func glance(_ phase: GroupPhase, turn: String = "time", _ more: [String: Any] = [:]) throws -> GroupGlance {
    var fields: [String: Any] = [
      "phase": phase.rawValue, "since": 0, "direction": "forward", "turn": turn, "isQuarantined": false, "light": "green",
      "reasons": [String](), "lateArrivals": 0, "late": [String](), "hasStaleSender": false, "hasStayingShovel": false,
      "pingFailures": 0, "standing": [String](), "stands": [String](),
    ]
    fields.merge(more) { $1 }
    return try JSONDecoder().decode(GroupGlance.self, from: JSONSerialization.data(withJSONObject: fields))
  }

  private static func group(_ glance: GroupGlance, wave: Int? = nil) throws -> WatchPicture.Group {
    WatchPicture.Group(wave: wave, herIDs: [try #require(HerID(100))], glance: glance)
  }

  private static func outlook(_ glances: [GroupGlance], pace: WatchOutlook.Pace = pace) throws -> WatchOutlook {
    WatchOutlook(of: try glances.map { try Self.group($0) }, pace: pace, now: Self.now)
  }

  private static func later(_ span: TimeSpan) -> Instant { Self.now + span }

  @Test("a group that is emptied: not before quiet and watch are over, and a look or two later at most")
  func emptying() throws {
    let quiet = try Self.glance(
      .draining, ["wait": "MIG-403", "estimate": "earliest", "earliest": Self.later(.minutes(30)).milliseconds])
    let outlook = try Self.outlook([quiet])
    #expect(outlook.kind == .time && outlook.waitForPersons == 0)
    #expect(outlook.from == Self.later(.minutes(630)))
    #expect(outlook.to == Self.later(.minutes(640)))
    // Late mail has come before: it may come again, and the quiet period with it.
    let late = try Self.glance(
      .draining,
      ["wait": "MIG-403", "estimate": "earliest", "earliest": Self.later(.minutes(30)).milliseconds, "lateArrivals": 1])
    #expect(try Self.outlook([late]).to == Self.later(.minutes(700)))
    // A time that has passed is not before now.
    let passed = try Self.glance(.observing, ["wait": "MIG-404", "estimate": "earliest", "earliest": 5])
    #expect(try Self.outlook([passed]).from == Self.now)
  }

  @Test("what is still to be moved has a later end by the measured pace only, and none where windows add to it")
  func ahead() throws {
    let ahead = try (0..<3).map { _ in try Self.glance(.ready, turn: "work", ["doing": "preflight"]) }
    let outlook = try Self.outlook(ahead)
    #expect(outlook.from == Self.later(.hours(11)))
    #expect(outlook.to == Self.later(.minutes(6 + 660 + 10)))
    var unmeasured = Self.pace
    unmeasured.perGroup = nil
    #expect(try Self.outlook(ahead, pace: unmeasured).to == nil)
    var windows = Self.pace
    windows.hasWindows = true
    #expect(try Self.outlook(ahead, pace: windows).to == nil)
    // One without a later end takes it from all.
    let quiet = try Self.glance(
      .draining, ["wait": "MIG-403", "estimate": "earliest", "earliest": Self.later(.hours(3)).milliseconds])
    let both = try Self.outlook(ahead + [quiet], pace: unmeasured)
    #expect(both.from == Self.later(.hours(13)) && both.to == nil)
  }

  @Test("what a person or nobody ends has no estimate, and the worst is told, with the others beside it")
  func noEstimate() throws {
    let held = try Self.glance(.cutApplied, turn: "person", ["wait": "MIG-411", "estimate": "person"])
    let never = try Self.glance(.draining, ["wait": "MIG-406", "estimate": "never"])
    let unknown = try Self.glance(.draining, ["wait": "MIG-405", "estimate": "not-known"])
    let decision = try Self.glance(.observing, turn: "person", ["wait": "MIG-408", "estimate": "person"])
    let quiet = try Self.glance(
      .draining, ["wait": "MIG-403", "estimate": "earliest", "earliest": Self.later(.hours(1)).milliseconds])
    let done = try Self.glance(.accepted, turn: "done")
    #expect(try Self.outlook([held]) == WatchOutlook(of: [try Self.group(held)], pace: Self.pace, now: Self.now))
    #expect(try Self.outlook([quiet, never, held]).kind == .person)
    #expect(try Self.outlook([quiet, never, held]).from == Self.later(.hours(11)))
    #expect(try Self.outlook([quiet, never]).kind == .never)
    #expect(try Self.outlook([quiet, unknown]).kind == .notKnown)
    #expect(try Self.outlook([quiet, done, decision]).kind == .time)
    #expect(try Self.outlook([done, decision]).kind == .ready)
    #expect(try Self.outlook([done]).kind == .over)
    let words = WatchText.words(try Self.outlook([quiet, held]), now: Self.now)
    #expect(words == "waits for a person: no estimate; the others: about 11 h")
    #expect(WatchText.words(try Self.outlook([done, decision]), now: Self.now) == "waits for the decision (accept): no estimate")
  }

  @Test("a wave that waits for the wave ahead is no unknown: it has its own lower end")
  func waves() throws {
    let waiting = try Self.glance(.ready, turn: "other", ["wait": "MIG-418", "estimate": "not-known"])
    #expect(try Self.outlook([waiting]).kind == .time)
    #expect(try Self.outlook([waiting]).from == Self.later(.hours(11)))
  }

  @Test("a look changes nothing of how a group stands before it is over; who comes in during one claims no later end")
  func looking() throws {
    let since = Self.later(.hours(2))
    let waiting = try Self.glance(.observing, ["wait": "MIG-404", "estimate": "earliest", "earliest": since.milliseconds])
    let look = try Self.glance(.observing, turn: "work", ["doing": "look"])
    var group = try Self.group(waiting)
    group.take(look)
    #expect(group.glance == waiting)
    let decision = try Self.glance(.observing, turn: "person", ["wait": "MIG-408", "estimate": "person"])
    group.take(decision)
    group.take(look)
    #expect(WatchView.stage(group.glance) == .ready)
    // Anything else that is done counts, and so does a look in another phase.
    let back = try Self.glance(.backIntent, turn: "work", ["doing": "write"])
    group.take(back)
    #expect(group.glance == back)
    let came = try Self.outlook([look])
    #expect(came.kind == .time && came.from == Self.now && came.to == nil)
  }

  @Test("the pace is measured from when the watch began, and not before one was moved")
  func moving() {
    var pace = MovingPace()
    pace.take(moved: 4, now: Self.now)
    pace.take(moved: 4, now: Self.later(.minutes(5)))
    #expect(pace.perGroup == nil)
    pace.take(moved: 6, now: Self.later(.minutes(6)))
    pace.take(moved: 6, now: Self.later(.minutes(60)))
    #expect(pace.perGroup == .minutes(3))
    // Some went back: it is measured anew.
    pace.take(moved: 1, now: Self.later(.minutes(61)))
    #expect(pace.perGroup == nil)
  }

  @Test("a bar is as long as it should be, and whoever is there at all is to be seen")
  func bar() {
    func part(_ groups: Int, _ stages: [WatchView.Stage: Int]) -> String {
      let outlook = WatchOutlook(of: [], pace: Self.pace, now: Self.now)
      let named = Dictionary(uniqueKeysWithValues: stages.map { ($0.key.rawValue, $0.value) })
      return WatchText.progress(WatchView.Part(wave: nil, groups: groups, stages: named, outlook: outlook))
    }
    #expect(part(3, [.ready: 1, .emptying: 1, .ahead: 1]) == "[##########----------..........] 1 of 3 ready or decided")
    #expect(part(10, [.ready: 10]) == "[##############################] 10 of 10 ready or decided")
    #expect(part(5_000, [.held: 1, .ahead: 4_999]) == "[!.............................] 0 of 5000 ready or decided")
    #expect(part(0, [:]) == "[                              ] 0 of 0 ready or decided")
    let crowded = part(5_000, [.ready: 4_994, .watched: 1, .emptying: 1, .cut: 1, .held: 1, .back: 1, .ahead: 1])
    #expect(crowded.prefix { $0 != "]" }.count == 31, "\(crowded)")
    #expect(WatchText.cut("0123456789", 8) == "01234..." && WatchText.cut("01234567", 8) == "01234567")
    #expect(WatchText.legend.count < 80)
  }

  @Test("events are found wherever the bytes are cut, and comments are the sender's life")
  func events() {
    let text = ": 17\n\nid: 42\nevent: group\ndata: {\"a\":1}\n\nevent: again\r\ndata: one\ndata:two\r\n\r\ndata: x\n"
    let whole: [EventStreamReader.Item] = [
      .heartbeat, .event(name: "group", id: 42, data: Array("{\"a\":1}".utf8)),
      .event(name: "again", id: nil, data: Array("one\ntwo".utf8)),
    ]
    let bytes = Array(text.utf8)
    for size in 1...bytes.count {
      var reader = EventStreamReader()
      var items: [EventStreamReader.Item] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        items += reader.take(bytes[start..<min(start + size, bytes.count)])
      }
      #expect(items == whole, "cut at every \(size) bytes")
    }
  }
}
