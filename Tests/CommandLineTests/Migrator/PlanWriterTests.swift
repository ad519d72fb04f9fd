// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Testing

@testable import bus_migrator

@Suite("What the command line says of who writes, and of who is not on any bus", .serialized, .timeLimit(.minutes(5)))
struct PlanWriterTests {
  @Test("nothing is written from here: the plan says who does, to people and to programs, and its hash holds it")
  func elsewhere() async throws {
    try await Stage.with { stage in
      let soap = try await stage.command(["plan", stage.pulje, "--json"])
      #expect(soap.exitCode == 0, "\(soap.complaint)")
      let daemon = try soap.json(PlanAnswer.self)
      #expect(daemon.plan.writer == nil)
      let text = try String(contentsOfFile: stage.configuration, encoding: .utf8)
      let start = try #require(text.range(of: "  writer:\n"))
      let end = try #require(text.range(of: "state-directory:"))
      let none =
        text[..<start.lowerBound] + "  writer:\n    kind: none\n    written-by: NHN Grunndata\n" + text[end.lowerBound...]
      try Data(none.utf8).write(to: URL(fileURLWithPath: stage.configuration))
      let shown = try await stage.command(["plan", stage.pulje])
      #expect(shown.exitCode == 0, "\(shown.complaint)")
      #expect(
        shown.output.contains(
          "nothing is written here: NHN Grunndata writes the register; nothing counts as done before it reads so"),
        "\(shown.output)")
      let answer = try await stage.command(["plan", stage.pulje, "--json"]).json(PlanAnswer.self)
      #expect(answer.plan.writer?.kind == .elsewhere && answer.hash != daemon.hash)
    }
  }

  @Test("how far writes reach stands in the plan; a scope that the writer has no operation for blocks it")
  func scope() async throws {
    try await Stage.with { stage in
      let pulje = try String(contentsOfFile: stage.pulje, encoding: .utf8)
      try Data(pulje.replacing("target: b", with: "target: b\nscope: services-below").utf8)
        .write(to: URL(fileURLWithPath: stage.pulje))
      let blocked = try await stage.command(["plan", stage.pulje])
      #expect(blocked.exitCode == 3 && blocked.output.contains("MIG-130"), "\(blocked.output)")
    }
  }

  @Test("a party that is reached another way than by AMQP is told from one that has nothing")
  func otherTransport() throws {
    func party(_ value: Int32, _ addresses: [PartyRecord.Address]) throws -> PartyRecord {
      var record = try Stage.record(value)
      record.addresses = addresses
      return record
    }
    let records = [
      try party(1, [PartyRecord.Address(typeCode: "E_EDI", text: "post@edi.example.no", inherited: false)]), try party(2, []),
      try Stage.record(3),
    ]
    let answer = GroupsAnswer(QueueSharing.survey(of: records), records: records, buses: Stage.buses)
    #expect(answer.groups.map(\.otherTransports) == [["E_EDI"], [], nil])
    let lines = answer.text.split(separator: "\n")
    #expect(lines.contains("1: no queue, but E_EDI: another transport than AMQP") && lines.contains("2: no queue"))
  }
}
