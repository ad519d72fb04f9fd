// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import Testing

@testable import MigrationReport

@Suite("A report's words")
struct ReportWordTests {
  @Test("no word is missing in either language, and each fills in the same", arguments: ReportWord.allCases)
  func whole(word: ReportWord) throws {
    let (nb, en) = (word.phrase[.nb], word.phrase[.en])
    #expect(!nb.isEmpty && !en.isEmpty)
    let places = try NSRegularExpression(pattern: "\\{[0-9]\\}")
    func filled(_ text: String) -> Set<String> {
      Set(
        places.matches(in: text, range: NSRange(text.startIndex..., in: text)).compactMap {
          Range($0.range, in: text).map { String(text[$0]) }
        })
    }
    #expect(filled(nb) == filled(en))
    // A sentence that reads alike was forgotten in one of them.
    if nb.contains(" ") { #expect(nb != en) }
  }

  @Test("what is filled in is not read for places to fill")
  func filling() {
    #expect(ReportLanguage.en.fill("{0} and {1} {x} {9}", ["{1}", "b"]) == "{1} and b {x} {9}")
    #expect(ReportLanguage.en.fill("{0} {0|group was|groups were} there", ["1"]) == "1 group was there")
    #expect(ReportLanguage.en.fill("{0} {0|group was|groups were} there", ["2"]) == "2 groups were there")
    #expect(ReportLanguage.en.fill("{0} {0|group was|groups were} there", ["1"]) == "1 group was there")
    #expect(ReportLanguage.en.fill("{0} {0|group was|groups were} there", ["2"]) == "2 groups were there")
  }

  @Test("figures and times as each language writes them; the hour that comes twice has its offset")
  func figures() throws {
    #expect(ReportLanguage.nb.number(1_234_567) == "1\u{a0}234\u{a0}567" && ReportLanguage.en.number(-1_234) == "\u{2212}1,234")
    #expect(ReportLanguage.nb.percent(1, of: 3) == "33,3\u{a0}%" && ReportLanguage.en.percent(0, of: 0) == "\u{2013}")
    #expect(ReportLanguage.nb.span(93_784_000) == "1\u{a0}d 2\u{a0}t" && ReportLanguage.en.span(12) == "12\u{a0}ms")
    // 25 October 2026: 03:00 summer time is 02:00 winter time.
    let first = try #require(Self.instant("2026-10-25T00:30:00Z"))
    #expect(ReportLanguage.nb.time(first) == "25.10.2026 02:30 (+02:00)")
    #expect(ReportLanguage.en.time(first + .hours(1)) == "2026-10-25 02:30 (+01:00)")
    #expect(ReportLanguage.en.time(first + .hours(2)) == "2026-10-25 03:30")
  }

  static func instant(_ text: String) -> Instant? {
    (try? Date(text, strategy: .iso8601)).map { Instant(milliseconds: Int64($0.timeIntervalSince1970) * 1_000) }
  }

  @Test("a time axis is of real time: the night in which clocks go back is an hour longer")
  func axis() throws {
    let from = try #require(Self.instant("2026-10-23T22:00:00Z"))
    let axis = TimeAxis(from: from, to: from + .hours(24 * 3 + 1))
    let ticks = axis.ticks(most: 8, .nb)
    #expect(ticks.map(\.label).contains("25.10.") && ticks.map(\.label).contains("26.10."))
    let midnights = ticks.filter { $0.label.contains(".") }
    let spans = zip(midnights, midnights.dropFirst()).map { $1.at.since($0.at) }
    #expect(spans == [.hours(24), .hours(25), .hours(24)])
    let spring = try #require(Self.instant("2027-03-28T00:10:00Z"))
    let hours = TimeAxis(from: spring, to: spring + .hours(6)).ticks(most: 8, .nb).map(\.label)
    #expect(hours == ["03:00", "04:00", "05:00", "06:00", "07:00", "08:00"])
  }

  @Test("a scale is round and holds its most", arguments: [1, 3, 7, 10, 99, 100, 101, 4_321, 1_000_000] as [Int64])
  func scale(most: Int64) {
    let axis = CountAxis(most: most)
    #expect(axis.top >= most && axis.ticks.count <= 6 && axis.top < most * 2 + 2)
  }
}
