// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BusProbe

@Suite("Reports: Nagios")
struct NagiosTests {
  /// A range with what lies inside it and what alerts.
  struct RangeCase: Sendable, CustomStringConvertible {
    var text: String
    var well: [Double]
    var alerting: [Double]
    var description: String { self.text }
  }

  static let rangeCases: [RangeCase] = [
    RangeCase(text: "10", well: [0, 10], alerting: [-0.1, 10.1]),
    RangeCase(text: "10:", well: [10, 1e9], alerting: [9.9]),
    RangeCase(text: "~:10", well: [-1e9, 10], alerting: [10.1]),
    RangeCase(text: "10:20", well: [10, 20], alerting: [9, 21]),
    RangeCase(text: "@10:20", well: [9, 21], alerting: [10, 20]),
    RangeCase(text: ":5", well: [0, 5], alerting: [-1, 6]),
    RangeCase(text: "0.5", well: [0.5], alerting: [0.51]),
    RangeCase(text: "-3:-1", well: [-2], alerting: [0]),
  ]

  @Test("Ranges as the plugin guidelines have them", arguments: Self.rangeCases)
  func ranges(one: RangeCase) throws {
    let range = try #require(NagiosRange(one.text))
    #expect(range.description == one.text)
    for value in one.well { #expect(!range.alerts(on: value), "\(value) in \(one.text)") }
    for value in one.alerting { #expect(range.alerts(on: value), "\(value) in \(one.text)") }
  }

  @Test("What is no range", arguments: ["", "x", "20:10", "1:2:3", "@", "10:x", "nan", "inf", "1 ", "--1", "~"])
  func noRanges(text: String) { #expect(NagiosRange(text) == nil) }

  @Test("-w and -c: several at once, a range alone is the total's; what cannot be read says why")
  func thresholds() {
    let read = NagiosThresholds.read("0.5,dns=0.1,depth=@1:2").ranges
    #expect(read?.mapValues(\.description) == [.total: "0.5", .dns: "0.1", .depth: "@1:2"])
    #expect(NagiosThresholds.read("speed=1").problem.contains("measured are total, dns, connect, tls"))
    #expect(NagiosThresholds.read("dns=fast").problem.contains("no Nagios range"))
    #expect(NagiosThresholds.read("dns=1,dns=2").problem.contains("twice"))
    #expect(NagiosThresholds.read("").ranges == nil)
  }

  @Test("One line: status first, then performance data with unit, ranges and least value")
  func line() {
    let thresholds = NagiosThresholds(
      warning: NagiosThresholds.read("total=0.5,depth=100").ranges ?? [:],
      critical: NagiosThresholds.read("total=1").ranges ?? [:])
    let line = ReportFixture.look().nagiosLine(.en, thresholds)
    #expect(line.hasPrefix("BUS OK - 200 async on tjenestebuss: "))
    #expect(line.hasSuffix(" | total=0.0412s;0.5;1;0; dns=0.0123s;;;0; settle=0.0073s;;;0; depth=3;100;;0; consumers=2;;;0;\n"))
    #expect(line.filter { $0 == "\n" }.count == 1)
  }

  @Test("A value outside its range makes it worse, never better; one that was not measured is no good news")
  func crossings() {
    func look(_ text: String, critical: String? = nil, _ look: ProbeLook = ReportFixture.look()) -> (ProbeReport.Status, String) {
      let thresholds = NagiosThresholds(
        warning: NagiosThresholds.read(text).ranges ?? [:], critical: critical.flatMap { NagiosThresholds.read($0).ranges } ?? [:]
      )
      return (look.status(thresholds), look.nagiosLine(.en, thresholds))
    }
    #expect(look("total=0.04").0 == .warning)
    #expect(look("total=0.04").1.hasPrefix("BUS WARNING - 200 async on tjenestebuss: total 0.0412s, well is 0.04; "))
    #expect(look("total=0.01", critical: "total=0.04").0 == .critical)
    #expect(look("depth=2").0 == .warning)
    #expect(look("consumers=3:").0 == .warning)
    #expect(look("rtt=1").0 == .unknown)
    #expect(look("rtt=1").1.hasPrefix("BUS UNKNOWN - "))
    #expect(look("rtt=1,total=0.01", critical: "total=0.01").0 == .critical)
    #expect(look("total=100", ReportFixture.look(failing: .arrivalNoConsumer)).0 == .critical)
  }

  @Test("A bar or a line break in words does not break the line")
  func bars() {
    var look = ReportFixture.look(failing: .released)
    look.report.target = "a|b\nc"
    let line = look.nagiosLine(.en)
    #expect(line.hasPrefix("BUS CRITICAL - a/b c async on tjenestebuss: PING-29 "))
    #expect(line.filter { $0 == "|" }.count == 1)
    #expect(line.filter { $0 == "\n" }.count == 1)
  }

  @Test("The worst of two: critical, unknown, warning, ok")
  func worst() {
    let order: [ProbeReport.Status] = [.ok, .warning, .unknown, .critical]
    for (place, one) in order.enumerated() {
      for other in order[...place] {
        #expect(one.worse(other) == one)
        #expect(other.worse(one) == one)
      }
    }
  }
}
