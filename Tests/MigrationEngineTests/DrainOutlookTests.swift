// SPDX-License-Identifier: Apache-2.0

import Migration
import Testing

@testable import MigrationEngine

@Suite("How a queue empties: the line on the screen and the outlook")
struct DrainOutlookTests {
  private static let start = Instant(milliseconds: 1_800_000_000_000)

  private static func trail(_ counts: [Int64?], every span: TimeSpan = .minutes(5)) -> DepthTrail {
    DepthTrail(counts.enumerated().map { DepthTrail.Point(at: Self.start + span * Int64($0.offset), count: $0.element) })
  }

  private static func end(_ trail: DepthTrail) -> Instant { trail.points.last?.at ?? Self.start }

  @Test("a straight fall is told to the minute, with no error")
  func falls() {
    let trail = Self.trail([100, 80, 60, 40])
    let outlook = DrainOutlook(trail, now: Self.end(trail))
    #expect(outlook.kind == .falling)
    #expect(outlook.at == Self.end(trail) + .minutes(10))
    #expect(outlook.earliest == outlook.at && outlook.latest == outlook.at)
    #expect(outlook.text(now: Self.end(trail)) == "10m (10m to 10m)")
  }

  @Test("looks that scatter widen the error, until it may as well never be")
  func scatters() throws {
    let some = Self.trail([100, 70, 75, 45, 40])
    let outlook = DrainOutlook(some, now: Self.end(some))
    let (earliest, at, latest) = (try #require(outlook.earliest), try #require(outlook.at), try #require(outlook.latest))
    #expect(earliest < at && at < latest)
    let wild = Self.trail([100, 10, 100, 10, 90])
    let unsure = DrainOutlook(wild, now: Self.end(wild))
    #expect(unsure.kind == .falling && unsure.latest == nil)
    #expect(unsure.text(now: Self.end(wild)).hasSuffix("or far later"))
  }

  @Test("two looks have no error; one tells nothing; unreadable is not known; what does not fall never ends")
  func edges() {
    let two = Self.trail([20, 10])
    #expect(DrainOutlook(two, now: Self.end(two)).text(now: Self.end(two)) == "5m, error not known")
    #expect(DrainOutlook(Self.trail([20]), now: Self.start).kind == .notKnown)
    #expect(DrainOutlook(DepthTrail(), now: Self.start).kind == .notKnown)
    #expect(DrainOutlook(Self.trail([20, 10, nil]), now: Self.start).kind == .notKnown)
    #expect(DrainOutlook(Self.trail([20, 20, 20]), now: Self.start).kind == .standing)
    #expect(DrainOutlook(Self.trail([20, 30, 40]), now: Self.start).text(now: Self.start) == "never: +2/min")
    #expect(DrainOutlook(Self.trail([20, 10, 0]), now: Self.start).kind == .empty)
    let slow = Self.trail([1_000_000, 999_999], every: .hours(1))
    #expect(DrainOutlook(slow, now: Self.end(slow)).text(now: Self.end(slow)) == "more than a year")
  }

  @Test("a single message is never drawn as nothing, an unreadable look never as a count")
  func line() {
    #expect(Sparkline.text(Self.trail([800, 400, 1, 0]), width: 4) == "█▄▁·")
    #expect(Sparkline.text(Self.trail([1_000_000, 1]), width: 2) == "█▁")
    #expect(Sparkline.text(Self.trail([4, nil, 0]), width: 3) == "█?·")
    #expect(Sparkline.text(DepthTrail(), width: 4) == "")
    #expect(Sparkline.text(Self.trail([0]), width: 3) == "·  ")
    #expect(Sparkline.text(Self.trail([0, 0, 0, 0, 9, 0, 0, 0]), width: 2) == "·█")
  }

  @Test("a long trail is thinned: it still begins where it began, and keeps its high points")
  func thinned() {
    var counts = [Int64?](repeating: 1, count: 1_000)
    counts[10] = 77
    let trail = Self.trail(counts)
    #expect(trail.points.count <= DepthTrail.capacity)
    #expect(trail.points.contains { $0.count == 77 })
    #expect(trail.points == trail.points.sorted { $0.at < $1.at })
    var later = trail
    later.take(DepthTrail.Point(at: Self.start, count: 5))
    #expect(later == trail)
  }

  @Test("columns are as wide as their widest cell")
  func table() {
    var table = TextTable([("A", .left), ("LEFT", .right)])
    table.add(["x", "1"])
    table.add(["longer", "23456"])
    #expect(table.lines == ["A        LEFT", "x           1", "longer  23456"])
  }
}
