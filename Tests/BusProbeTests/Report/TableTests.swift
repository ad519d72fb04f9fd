// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BusProbe

@Suite("Reports: tables and metrics")
struct TableTests {
  private let looks = [
    ReportFixture.look("300"), ReportFixture.look("200"), ReportFixture.look("400", failing: .arrivalNoConsumer),
    ReportFixture.look("1000", failing: .released), ReportFixture.look("500", warning: .cacheOld),
    ReportFixture.look("90", failing: .arrivalNoConsumer),
  ]

  @Test("A batch: the worst first, equals together, then by number")
  func batch() {
    #expect(BatchTable.ordered(self.looks).map(\.report.target) == ["1000", "90", "400", "500", "200", "300"])
    #expect(BatchTable.worst(self.looks) == .critical)
    #expect(BatchTable.worst([]) == .unknown)
    let lines = BatchTable.text(self.looks, .en, seconds: 4.12).split(separator: "\n").map(String.init)
    #expect(lines[0] == "status    HER-ID  bus           step     time    finding")
    #expect(lines[1].hasPrefix("CRITICAL  1000    tjenestebuss  PING-29  -       "))
    #expect(lines[5].hasPrefix("OK        200     tjenestebuss  -        7.3 ms"))
    #expect(lines.last == "6 HER-IDs: 3 CRITICAL, 1 WARNING, 2 OK; 4.1 s")
    #expect(BatchTable.text(self.looks, .nb, seconds: 4.12).contains("6 HER-ID-er: 3 KRITISK, 1 ADVARSEL, 2 OK; 4.1 s"))
  }

  @Test("A batch for Nagios: one line, the worst, and who")
  func batchForNagios() {
    let line = BatchTable.nagiosLine(self.looks, .en, seconds: 1)
    #expect(line.hasPrefix("BUS CRITICAL - 6 HER-IDs: 3 CRITICAL, 1 WARNING, 2 OK; 1.0 s, 1000 PING-29, 90 PING-31, "))
    #expect(line.hasSuffix(" | parties=6;;;0; critical=3;;;0; warning=1;;;0; unknown=0;;;0;\n"))
  }

  @Test("Two buses: step beside step, a star where they differ, four lines for each that is not well")
  func comparison() {
    let text = ComparisonTable.text(
      [("servicebus", ReportFixture.look()), ("tjenestebuss", ReportFixture.look(failing: .arrivalNoConsumer))], .en)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines[0] == "step          servicebus  tjenestebuss")
    #expect(lines.contains("29 outcome    ok 7.3 ms   ok 7.3 ms"))
    #expect(lines.contains("31 arrival *  ok 2.0 ms   FAILED"))
    #expect(lines.contains("status        OK          CRITICAL"))
    #expect(text.contains("\ntjenestebuss: PING-31 failed\n  seen: "))
    #expect(!text.contains("\nservicebus: "))
  }

  @Test("Metrics: each with help and type, labels escaped, nothing for what was not measured")
  func prometheus() {
    var odd = ReportFixture.look("2\"0\\0\n", failing: .refused)
    odd.report.bus = nil
    let text = PrometheusText.text([ReportFixture.look(), odd])
    #expect(text.contains("bus_pinger_status{her_id=\"200\",kind=\"async\",bus=\"tjenestebuss\"} 0\n"))
    #expect(text.contains("bus_pinger_status{her_id=\"2\\\"0\\\\0\\n\",kind=\"async\",bus=\"\"} 2\n"))
    #expect(text.contains("bus_pinger_first_failed_step{her_id=\"2\\\"0\\\\0\\n\",kind=\"async\",bus=\"\"} 21\n"))
    #expect(
      text.contains(
        "bus_pinger_step_duration_seconds{her_id=\"200\",kind=\"async\",bus=\"tjenestebuss\",step=\"dns\",code=\"20\"} 0.01234\n")
    )
    #expect(
      text.contains("bus_pinger_last_run_timestamp_seconds{her_id=\"200\",kind=\"async\",bus=\"tjenestebuss\"} 1767268800\n"))
    #expect(text.contains("bus_pinger_queue_messages{her_id=\"200\",kind=\"async\",bus=\"tjenestebuss\"} 3\n"))
    #expect(!text.contains("certificate"))
    let names = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { String($0.prefix { $0 != "{" }) }
    for name in Set(names) {
      #expect(text.contains("# HELP \(name) ") && text.contains("# TYPE \(name) gauge\n"), "\(name)")
      // One after the other: a parser takes a metric's lines together.
      let places = names.indices.filter { names[$0] == name }
      #expect(places.last.map { last in places.first.map { last - $0 + 1 == places.count } ?? false } ?? false, "\(name)")
    }
  }
}
