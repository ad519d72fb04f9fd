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
        ProbeStep(.inputGood, seen: "HER-ID 200"), ProbeStep(.namesFound, seen: "h: 127.0.0.1", milliseconds: 12.34),
      ])
  }

  @Test("Every finding has words, every code a title, a good or possible end, and a manual page")
  func texts() {
    for finding in ProbeFinding.allCases {
      let words = ProbeTexts.words(finding)
      #expect(!words.meaning.isEmpty)
      if words.verdict == .failed || words.verdict == .warning {
        #expect(words.owner != nil, "\(finding)")
        #expect(!words.next.isEmpty, "\(finding)")
      }
    }
    for code in ProbeCode.allCases {
      #expect(ProbeFinding.allCases.contains { ProbeTexts.words($0).code == code && ProbeTexts.words($0).verdict == .ok })
      #expect(ProbeTexts.explain(code).contains(ProbeTexts.title(code)))
      #expect(ProbeCode(text: code.stableCode) == code)
      #expect(ProbeCode(text: code.name) == code)
      #expect(ProbeCode(text: "\(code.rawValue)") == code)
    }
    #expect(ProbeCode(text: "25") == nil)
    #expect(ProbeCode(text: "") == nil)
  }

  @Test("The codes stand as they were given out: they are never renumbered")
  func codes() {
    #expect(
      ProbeCode.allCases.map { "\($0.rawValue) \($0.name)" } == [
        "10 input", "11 cache", "12 register", "13 decision", "20 dns", "21 tcp", "22 tls", "23 login", "24 open", "26 attach",
        "27 credit", "28 transfer", "29 outcome", "30 negative-control", "31 arrival", "32 echo",
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
    #expect(self.report().evidence.contains("no answer from the party's system (not possible here)"))
  }

  @Test("Text: steps in order, then what is wrong, whose it is and what to do")
  func text() {
    let text = self.report { $0.after = ProbeFixture.depth(1, consumers: 0) }.text
    let lines = text.split(separator: "\n")
    #expect(lines.first?.hasPrefix("10 input") == true)
    #expect(text.contains("20 dns              ok     12.3 ms   h: 127.0.0.1"))
    #expect(text.contains("PING-31 failed: Nobody listens"))
    #expect(text.contains("whose: the party at the other end"))
    #expect(lines.last?.hasPrefix("rests on: ") == true)
    #expect(text.contains("CRITICAL: HER-ID 200 async on tjenestebuss"))
  }

  @Test("Nagios: one line, status first, times in seconds behind the bar; a bar or line break in words does not break it")
  func nagios() {
    var report = self.report()
    #expect(report.nagiosLine.hasPrefix("BUS OK - 200 async on tjenestebuss: accepted by the bus"))
    #expect(report.nagiosLine.hasSuffix("| 'dns'=0.0123s\n"))
    report.steps.append(ProbeStep(.halfMoved, seen: "x"))
    report.steps[report.steps.count - 1].meaning = "a|b\nc"
    #expect(report.nagiosLine.hasPrefix("BUS CRITICAL - 200 async on tjenestebuss: PING-13 a/b c (address-register) | "))
    #expect(report.nagiosLine.filter { $0 == "\n" }.count == 1)
  }

  @Test("JSON: one line, one object, its schema, and a step with all its fields")
  func json() throws {
    let line = self.report().jsonLine
    #expect(line.filter { $0 == "\n" }.count == 1)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["schema"] as? String == "bus-pinger/1")
    #expect(object["status"] as? String == "ok")
    let steps = try #require(object["steps"] as? [[String: Any]])
    #expect(steps.map { $0["code"] as? Int } == [10, 20, 26, 27, 28, 29, 30, 31, 32])
    #expect(steps[1]["ms"] as? Double == 12.34)
    #expect(Set(steps[1].keys) == ["code", "name", "verdict", "ok", "ms", "seen", "meaning", "next"])
  }
}
