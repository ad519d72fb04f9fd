// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import BusProbe

@Suite("Reports: watching")
struct WatchTests {
  private let screen = WatchScreen(.en, colour: .plain, timeZone: TimeZone(identifier: "UTC") ?? .current)

  @Test("Times: exact ends and average, percentiles within one per cent of the exact ones")
  func latencies() throws {
    var record = LatencyRecord()
    #expect(record.percentile(0.5) == nil && record.average == nil && record.histogram.isEmpty)
    var generator = SplitMix(seed: 7)
    var all: [Double] = []
    for _ in 0..<10_000 {
      // From 0.1 to some 1,000 ms, as many small ones as large ones.
      let time = pow(10, Double(generator.next() % 40_000) / 10_000 - 1)
      all.append(time)
      record.take(time)
    }
    record.take(-1)
    record.take(.infinity)
    all.sort()
    #expect(record.count == 10_000)
    #expect(record.least == all.first && record.greatest == all.last)
    let average: Double = try #require(record.average)
    #expect(abs(average - all.reduce(0, +) / 10_000) < 1e-6)
    for share in [0.001, 0.5, 0.95, 0.99, 1] {
      let exact = all[max(0, Int((share * 10_000).rounded(.up)) - 1)]
      let found: Double = try #require(record.percentile(share))
      #expect(abs(found - exact) <= exact * 0.01, "p\(share)")
    }
    #expect(record.histogram.map(\.count).reduce(0, +) == 10_000)
  }

  @Test("The histogram doubles from bar to bar")
  func histogram() {
    var record = LatencyRecord()
    for time in [0, 0.99, 1, 1.99, 2, 3.99, 4, 70] { record.take(time) }
    #expect(
      record.histogram.map { "\($0.from)-\($0.to):\($0.count)" } == [
        "0-1:2", "1-2:2", "2-4:2", "4-8:1", "8-16:0", "16-32:0", "32-64:0", "64-128:1",
      ])
  }

  @Test("Rounds, loss, the worst seen, and a mark where the verdict changed")
  func history() {
    var history = WatchHistory()
    history.take(ReportFixture.look(settle: 4))
    history.take(ReportFixture.look(settle: 6, secondsLater: 5))
    history.take(ReportFixture.look(failing: .released, secondsLater: 10))
    history.take(ReportFixture.look(failing: .refused, secondsLater: 15))
    history.take(ReportFixture.look(settle: 8, secondsLater: 20))
    #expect(history.rounds == 5 && history.sent == 5 && history.lost == 2)
    #expect(history.lossPercent == 40)
    #expect(history.worst == .critical)
    #expect(history.times.count == 3 && history.times.last == 8)
    #expect(history.marks.map(\.round) == [3, 4, 5])
    #expect(history.marks.map { $0.to.code } == [.outcome, .reach, nil])
    #expect(history.recent.map(\.changed) == [false, false, true, true, true])
  }

  @Test("What was not sent is not lost")
  func notSent() {
    var history = WatchHistory()
    history.take(ReportFixture.look(warning: .sendingNotWanted))
    #expect(history.sent == 0 && history.lost == 0 && history.lossPercent == nil)
    #expect(history.times.last == 1.5)
  }

  @Test(
    "The screen: numbers, strip with bars where the verdict changed, histogram, changes; never wider or higher than the terminal")
  func lines() {
    var history = WatchHistory()
    for round in 0..<3 { history.take(ReportFixture.look(settle: 4, secondsLater: Int64(round) * 5)) }
    history.take(ReportFixture.look(failing: .released, secondsLater: 15))
    history.take(ReportFixture.look(settle: 9, secondsLater: 20))
    let lines = self.screen.lines(history, title: "bus-pinger 200", columns: 100, rows: 40)
    #expect(lines[0] == "bus-pinger 200")
    #expect(lines[1] == "5 rounds, 5 sent, 1 lost, 20.0 % lost")
    #expect(lines[2] == "last 9.0  avg 5.3  p50 4.0  p95 9.0  p99 9.0  max 9.0 ms")
    #expect(lines[4] == "...|X|.")
    #expect(lines.contains("         4-8 ms       3 " + String(repeating: "#", count: 40)))
    #expect(lines.contains { $0.hasPrefix("  12:00:15 ") && $0.hasSuffix("OK -> CRITICAL PING-29") })
    #expect(lines.last == "Ctrl-C ends")
    for (columns, rows) in [(20, 5), (1, 1), (40, 12)] {
      let small = self.screen.lines(history, title: "bus-pinger 200", columns: columns, rows: rows)
      #expect(small.count <= max(1, rows - 1))
      #expect(small.allSatisfy { $0.count <= columns }, "\(columns) x \(rows): \(small)")
    }
  }

  @Test("A drawing is written over the last one: nothing is cleared first, so nothing flickers")
  func drawing() {
    let drawing = WatchScreen.drawing(["a", "b"])
    #expect(drawing == "\u{1B}[Ha\u{1B}[K\r\nb\u{1B}[K\u{1B}[J")
    #expect(!drawing.contains("\u{1B}[2J"))
  }

  @Test("Where nobody watches: a line a round, and a summary at the end")
  func log() {
    var history = WatchHistory()
    #expect(self.screen.logLine(history).isEmpty)
    history.take(ReportFixture.look(settle: 4))
    #expect(self.screen.logLine(history) == "2026-01-01T12:00:00.000Z 1 OK 4.0 ms\n")
    history.take(ReportFixture.look(failing: .released, secondsLater: 5))
    #expect(self.screen.logLine(history).hasPrefix("2026-01-01T12:00:05.000Z 2 CRITICAL PING-29 *: "))
    #expect(self.screen.logLine(history).filter { $0 == "\n" }.count == 1)
    let summary = self.screen.summary(history, target: "200")
    #expect(summary.hasPrefix("--- HER-ID 200: 2 rounds, 2 sent, 1 lost, 50.0 % lost\n"))
    #expect(summary.contains("worst: CRITICAL\n"))
  }

  /// So that every run draws the same times.
  private struct SplitMix {
    var state: UInt64
    init(seed: UInt64) { self.state = seed }
    mutating func next() -> UInt64 {
      self.state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = self.state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }
}
