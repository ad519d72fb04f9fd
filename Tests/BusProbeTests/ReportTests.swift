// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@testable import BusProbe

@Suite("Reports and texts")
struct ReportTests {
  private func report(_ change: (inout PingObservation) -> Void = { _ in }) -> ProbeReport {
    ProbeReport(
      target: "200", kind: .asynchronous, bus: "tjenestebuss",
      steps: PingJudgement(ProbeFixture.observation(.rabbitMQ4AddressV2, change)).steps + [
        ProbeStep(.inputGood, [.herID: "200"]),
        ProbeStep(.namesFound, [.host: "h", .addresses: "127.0.0.1"], milliseconds: 12.34),
      ])
  }

  @Test("The codes stand as they were given out: they are never renumbered")
  func codes() {
    #expect(
      ProbeCode.allCases.map { "\($0.rawValue) \($0.name)" } == [
        "10 input", "11 cache", "12 register", "13 decision", "20 dns", "21 tcp", "22 tls", "23 login", "24 open", "25 begin",
        "26 attach", "27 credit", "28 transfer", "29 outcome", "30 negative-control", "31 arrival", "32 echo", "33 other-bus",
      ])
  }

  @Test("The worst step decides the status; what was not possible does not count, and proves nothing")
  func status() {
    #expect(self.report().status == .ok)
    #expect(self.report { $0.echo = .noneInTime(.seconds(1)) }.status == .warning)
    let failed = self.report { $0.after = ProbeFixture.depth(1, consumers: 0) }
    #expect(failed.status == .critical)
    #expect(failed.firstFailure?.code == .arrival)
    #expect(ProbeReport(target: "1", kind: .error, steps: []).status == .unknown)
    #expect(self.report().evidence(.en).contains("no answer from the party's system (not possible)"))
  }

  @Test("Text: steps in order, then what is wrong, whose it is and what to do")
  func text() {
    let text = self.report { $0.after = ProbeFixture.depth(1, consumers: 0) }.text(language: .en)
    let lines = text.split(separator: "\n")
    #expect(lines.first?.hasPrefix("10 input") == true)
    #expect(text.contains("20 dns              ok     12.3 ms   h has 127.0.0.1"))
    #expect(text.contains("means:  Nobody listens"))
    #expect(text.contains("whose:  the party at the other end"))
    #expect(lines.last?.hasPrefix("rests on: ") == true)
    #expect(text.contains("CRITICAL: HER-ID 200 async on tjenestebuss"))
  }

  @Test("Nagios: one line, status first, times in seconds behind the bar; a bar or line break in words does not break it")
  func nagios() {
    var report = self.report()
    #expect(report.nagiosLine(language: .en).hasPrefix("BUS OK - 200 async on tjenestebuss: accepted by the bus"))
    #expect(report.nagiosLine(language: .en).hasSuffix("| 'dns'=0.0123s\n"))
    report.steps.append(ProbeStep(.halfMoved, [.queues: "x"]))
    report.target = "a|b\nc"
    #expect(report.nagiosLine(language: .en).hasPrefix("BUS CRITICAL - a/b c async on tjenestebuss: PING-13 "))
    #expect(report.nagiosLine(language: .en).filter { $0 == "\n" }.count == 1)
  }

  @Test("JSON: one line, one object, its schema, and a step with all its fields")
  func json() throws {
    let line = self.report().jsonLine(language: .nb)
    #expect(line.filter { $0 == "\n" }.count == 1)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["schema"] as? String == "bus-pinger/1")
    #expect(object["status"] as? String == "ok")
    let steps = try #require(object["steps"] as? [[String: Any]])
    #expect(steps.map { $0["code"] as? Int } == [10, 20, 25, 26, 27, 28, 29, 30, 31, 32])
    #expect(steps[1]["ms"] as? Double == 12.34)
    #expect(Set(steps[1].keys) == ["code", "name", "verdict", "ok", "ms", "finding", "seen", "meaning", "next"])
  }
}
