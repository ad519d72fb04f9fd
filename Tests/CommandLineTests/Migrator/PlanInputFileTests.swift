// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import Testing

@testable import bus_migrator

@Suite("Tables, organisations and waves of a pulje")
struct PlanInputFileTests {
  private func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("plan-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  private func pulje(_ lines: [String], tables: [String: String] = [:]) throws -> PuljeRequest {
    let folder = try self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in tables { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
    let text = (["name: p1", "source: a", "target: b"] + lines).joined(separator: "\n")
    let file = folder.appendingPathComponent("p.yaml")
    try Data(text.utf8).write(to: file)
    return try PuljeFile.read(file.path)
  }

  private func code(_ lines: [String], tables: [String: String] = [:]) -> String? {
    do { _ = try self.pulje(lines, tables: tables) } catch let error as CommandLineError { return error.stableCode } catch {
      return "\(error)"
    }
    return nil
  }

  @Test("a table of parties, with a comma or a semicolon; an empty cell is what the defaults say")
  func parties() throws {
    let request = try self.pulje(
      ["defaults: { vendor: Alfa, listens: both }", "parties-file: t.csv"],
      tables: [
        "t.csv":
          "\u{FEFF}her-id;vendor;listens;start-confirmed;wave;amqp-1-0;bus-user\r\n200;Beta;one;true;2;false;org-200\r\n300;;;;1;;\r\n"
      ])
    #expect(request.parties.map(\.herID.value) == [200, 300])
    #expect(request.parties.map(\.vendor) == ["Beta", "Alfa"])
    #expect(request.parties.map(\.listens) == [.one, .both])
    #expect(request.parties.map(\.startConfirmed) == [true, false])
    #expect(request.parties.map(\.speaksAMQP10) == [false, nil])
    #expect(request.parties.map(\.busUser) == ["org-200", nil])
    #expect(request.waves == .stated)
  }

  @Test(
    "a table that does not fit is refused with line and column",
    arguments: [
      ("vendor\nAlfa\n", "CLI-004"), ("her-id,colour\n200,red\n", "CLI-003"), ("her-id\n2OO\n", "CLI-005"),
      ("her-id,listens\n200,all\n", "CLI-005"),
      ("her-id,wave\n200,0\n", "CLI-005"), ("her-id\n200,300\n", "CLI-005"), ("", "CLI-005"), ("her-id,her-id\n1,1\n", "CLI-005"),
      ("her-id\n\"200\n", "CLI-005"), ("her-id,vendor\n,Alfa\n", "CLI-004"),
    ])
  func faults(table: String, code: String) {
    #expect(self.code(["defaults: { vendor: Alfa }", "parties-file: t.csv"], tables: ["t.csv": table]) == code)
  }

  @Test("a table that is not there, and a pulje that names nobody, are errors")
  func missing() {
    #expect(self.code(["defaults: { vendor: Alfa }", "parties-file: none.csv"]) == "CLI-001")
    #expect(self.code(["policy: {}"]) == "CLI-004")
    #expect(self.code(["parties-file: t.csv"], tables: ["t.csv": "her-id\n200\n"]) == "CLI-004")
  }

  @Test("organisation numbers are checked by their last digit")
  func organisations() throws {
    #expect(PuljeFile.organisationNumber("974 760 673") == 974_760_673)
    for text in ["974760674", "97476067", "9747606733", "97476067x", ""] {
      #expect(PuljeFile.organisationNumber(text) == nil, "\(text)")
    }
    let request = try self.pulje(["organisations:", "  - { number: 974760673, vendor: Gamma, listens: both }"])
    #expect(request.organisations == [.init(number: 974_760_673, vendor: "Gamma", listens: .both)])
    #expect(self.code(["organisations:", "  - { number: 974760674, vendor: Gamma }"]) == "CLI-005")
    #expect(self.code(["organisations:", "  - { number: 974760673 }"]) == "CLI-004")
  }

  @Test("waves: so many groups each, by vendor, or as the parties say; not two of these at once")
  func waves() throws {
    let one = ["parties:", "  - { her-id: 200, vendor: Alfa }"]
    let stated = ["parties:", "  - { her-id: 200, vendor: Alfa, wave: 1 }"]
    #expect(try self.pulje(one).waves == nil)
    #expect(try self.pulje(one + ["waves: [1, 5]"]).waves == .sizes([1, 5]))
    #expect(try self.pulje(one + ["waves: by-vendor"]).waves == .byVendor)
    #expect(try self.pulje(stated).waves == .stated)
    #expect(self.code(stated + ["waves: [1]"]) == "CLI-005")
    #expect(self.code(one + ["waves: by-moon"]) == "CLI-005")
  }

  @Test("libraries and what blocks")
  func libraries() throws {
    let request = try self.pulje(
      [
        "parties:", "  - { her-id: 200, vendor: Alfa }", "libraries-file: l.csv", "policy:", "  blocks: [MIG-603]",
        "  libraries:",
        "    updated-within-days: 183", "    minimum:", "      - { library: Lib, version: \"1.10\", from: 2026-03-01 }",
      ], tables: ["l.csv": "vendor,library,version,updated\nAlfa,Lib,1.9,2026-01-02\n"])
    #expect(request.policy.blocks == [.libraryTooOld])
    #expect(request.policy.libraries?.minimum == [.init(library: "Lib", version: "1.10", from: LocalDate(text: "2026-03-01"))])
    #expect(request.libraries.map(\.version) == ["1.9"] && request.libraries.map(\.updated) == [LocalDate(text: "2026-01-02")])
    let nobody = ["l.csv": "library\nLib\n"]
    #expect(self.code(["parties:", "  - { her-id: 200, vendor: Alfa }", "libraries-file: l.csv"], tables: nobody) == "CLI-004")
  }
}

/// The plan command with all of it.
@Suite("bus-migrator plan by table and organisation", .timeLimit(.minutes(5)))
struct PlanInputCommandTests {
  @Test("a table and an organisation beside the file; findings, and a file of configuration for each vendor")
  func plan() async throws {
    try await Stage.with(management: false) { stage in
      for value in [Int32(100), 101] {
        var record = try #require(stage.register.records.first { $0.herID.value == value })
        record.organisationNumber = 974_760_673
        try stage.register.put(record)
      }
      #expect(try await stage.command(["registry", "sync", "--execute", "--her-id", "100,101,200,300"]).exitCode == 0)
      try stage.write(
        pulje: "p1", [300], policy: ["libraries: { minimum: [{ library: Lib, version: 2 }] }"], rest: ["waves: by-vendor"])
      let table = stage.folder.appendingPathComponent("t.csv")
      try Data("her-id,listens\n200,both\n".utf8).write(to: table)
      let folder = stage.folder.appendingPathComponent("vendors").path
      let arguments = [
        "plan", stage.pulje, "--parties", table.path, "--organisation", "974760673", "--vendor", "Gamma", "--listens", "both",
        "--configuration-folder", folder,
      ]
      let answer = try await stage.command(arguments + ["--json"])
      #expect(answer.exitCode == 0, "\(answer.complaint)\(answer.output)")
      let plan = try answer.json(PlanAnswer.self)
      #expect(plan.plan.herIDs.map(\.value) == [100, 101, 200, 300])
      #expect(plan.plan.waves?.map { $0.map(\.lowest.value) } == [[300], [100, 200]])
      #expect(Set(plan.findings.map(\.code)) == [.libraryUnknown] && plan.findings.count == 4)
      #expect(plan.vendors.map(\.vendor) == ["Alfa", "Gamma"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["1-alfa.yaml", "2-gamma.yaml"])
      let text = try await stage.command(arguments)
      #expect(text.output.contains("[MIG-606] HER-ID 100") && text.output.contains("MACHINE-1: 100_syncreply"))
      let wrong = try await stage.command(["plan", stage.pulje, "--organisation", "974760674", "--vendor", "Gamma"])
      #expect(wrong.exitCode == 2 && wrong.complaint.contains("CLI-014"))
    }
  }
}
