// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import Testing

@testable import bus_migrator

/// The verbs of people in charge, against a running daemon.
@Suite("bus-migrator's decisions as commands", .serialized, .timeLimit(.minutes(10)))
struct DecisionCommandTests {
  private static let two = ["--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7"]

  @Test("stop and release the line, a wave back, retire, and the end of the way back")
  func decisions() async throws {
    try await Stage.with { stage in
      try stage.write(pulje: "p1", Stage.herIDs, policy: ["source-kept: 0s"], rest: ["waves: [1, 1]"])
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }

      let stop = try await stage.command(["stop-the-line", "--by", "Kari", "--because", "strange answers"])
      #expect(stop.exitCode == 0 && stop.output.contains("line.stopped"), "\(stop.complaint)")
      let again = try await stage.command(["stop-the-line", "--by", "Ola", "--because", "CHG-7"])
      #expect(again.exitCode == 0 && again.output.contains("already_stopped"))
      #expect(try await stage.command(["start", "--execute", stage.pulje] + Self.two).exitCode == 0)
      let stopped = try await stage.status { status in
        status.puljer.first?.groups.allSatisfy { $0.wait?.code == .lineStopped } ?? false
      }
      #expect(stopped.stop?.by == "Kari" && stopped.stop?.why == "strange answers")
      #expect(stopped.puljer.first?.groups.allSatisfy { $0.waitEnds?.kind == .person } == true)
      let text = try await stage.command(["status"])
      #expect(text.output.contains("over when a person has acted"))
      #expect(text.output.contains("THE LINE IS STOPPED") && text.output.contains("FOR A PERSON"))
      #expect(stage.register.writeAttempts.isEmpty)
      let one = try await stage.command(["release-the-line", "--execute", "--approved-by", "Kari", "--because", "CHG-7"])
      #expect(one.exitCode == 3 && one.complaint.contains("MIG-204"))
      #expect(try await stage.command(["release-the-line", "--execute"] + Self.two).exitCode == 0)
      let unchanged = try await stage.command(["release-the-line", "--execute"] + Self.two)
      #expect(unchanged.exitCode == 0 && unchanged.output.contains("already_released"))

      let decision = try await stage.status { $0.puljer.first?.phase == .decision }
      #expect(decision.stop == nil)
      #expect(decision.puljer.first?.groups.map(\.wayBack.light) == [.green, .green, .green])
      #expect(try await stage.command(["status"]).output.contains("way back: GREEN"))
      #expect(
        try await stage.command(["rollback", "--execute", "--wave", "9", "--by", "Kari", "--because", "CHG-7"]).exitCode == 2)
      let dry = try await stage.command(["rollback", "--wave", "3", "--by", "Kari", "--because", "the vendor of wave 3 asks"])
      #expect(dry.exitCode == 0 && dry.output.contains("would come to: group.roll-back-started"), "\(dry.output)")
      #expect(dry.output.contains("concerns 1 group with 1 party: 300"), "\(dry.output)")
      #expect(dry.output.hasSuffix("Nothing was changed. To do it, give the same command with --execute.\n"))
      let untouched = try await stage.status { _ in true }
      #expect(untouched.puljer.first?.groups.allSatisfy { $0.direction == .forward && $0.rollBack == nil } == true)
      let wave = try await stage.command([
        "rollback", "--execute", "--wave", "3", "--by", "Kari", "--because", "the vendor of wave 3 asks",
      ])
      #expect(wave.exitCode == 0, "\(wave.complaint)")
      _ = try await stage.status { stage.phases($0) == [.observing, .observing, .restored] }

      let early = try await stage.command(["retire", "--execute", "--her-id", "100"] + Self.two)
      #expect(early.exitCode == 3 && early.complaint.contains("MIG-201"))
      #expect(try await stage.command(["accept", "--execute"] + Self.two, again: ["MIG-217"]).exitCode == 0)
      let alone = try await stage.command([
        "retire", "--execute", "--her-id", "100", "--approved-by", "Kari", "--approved-by", "kari ", "--because", "CHG-7",
      ])
      #expect(alone.exitCode == 3 && alone.complaint.contains("MIG-204"))
      let retired = try await stage.command(["retire", "--execute", "--her-id", "100"] + Self.two, again: ["MIG-217"])
      #expect(retired.exitCode == 0, "\(retired.complaint)")
      let other = try await stage.command(["approve-removal", "--execute", "--her-id", "200"] + Self.two)
      #expect(other.exitCode == 3 && other.complaint.contains("MIG-201"))
      let removed = try await stage.command(["approve-removal", "--execute", "--her-id", "100"] + Self.two, again: ["MIG-217"])
      #expect(removed.exitCode == 0, "\(removed.complaint)")
      #expect(stage.phases(try await stage.status { _ in true }) == [.removed, .accepted, .restored])
      let late = try await stage.command(["rollback", "--execute", "--her-id", "100", "--by", "Kari", "--because", "CHG-7"])
      #expect(late.exitCode == 3 && late.complaint.contains("MIG-212"))

      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
      let heads = stage.database + ".heads"
      let audit = try await stage.command(["audit", "verify", "--head", heads])
      #expect(audit.exitCode == 0 && audit.output.contains("heads that were kept outside"), "\(audit.complaint)")
      let line = "2026-01-01T00:00:00Z 2 \(String(repeating: "0", count: 64))\n"
      try Data(line.utf8).write(to: URL(fileURLWithPath: heads))
      let rewritten = try await stage.command(["audit", "verify", "--head", heads])
      #expect(rewritten.exitCode == 5 && rewritten.complaint.contains("STORE-014"))
    }
  }

  @Test("a plan that was approved is refused when the world has moved, with what was and what is")
  func moved() async throws {
    try await Stage.with { stage in
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      let plan = try await stage.command(["plan", stage.pulje, "--json"])
      let file = stage.folder.appendingPathComponent("plan.json")
      try Data(plan.output.utf8).write(to: file)
      var changed = try #require(stage.register.records.first { $0.herID.value == 200 })
      let before = changed
      changed.name = "renamed"
      try stage.register.put(changed)
      let refused = try await stage.command(["start", "--execute", stage.pulje, "--plan", file.path] + Self.two)
      #expect(refused.exitCode == 3 && refused.complaint.contains("MIG-206"), "\(refused.complaint)")
      #expect(refused.complaint.contains("HER-ID 200: entry, name was Party 200, is renamed"))
      let since = try await stage.command(["plan", stage.pulje, "--since", file.path])
      #expect(since.exitCode == 0 && since.complaint.contains("HER-ID 200: entry, name was Party 200, is renamed"))
      try Data(plan.output.replacingOccurrences(of: "Alfa", with: "Beta").utf8).write(to: file)
      #expect(try await stage.command(["start", "--execute", stage.pulje, "--plan", file.path] + Self.two).exitCode == 2)
      try stage.register.put(before)
      try Data(plan.output.utf8).write(to: file)
      let started = try await stage.command(["start", "--execute", stage.pulje, "--plan", file.path] + Self.two)
      #expect(started.exitCode == 0, "\(started.complaint)")
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
    }
  }

  @Test("tests are signed, a hook is asked, the target is measured: then the pulje goes through")
  func protocolHooksAndGates() async throws {
    try await Stage.with { stage in
      let veto = stage.folder.appendingPathComponent("veto")
      try Data().write(to: veto)
      let hooks = """

        hooks:
          - name: change-board
            run: /bin/sh
            arguments: ["-c", "test ! -e \(veto.path) || { echo not tonight; exit 1; }; echo CHG-7"]
        """
      let configuration = try String(contentsOfFile: stage.configuration, encoding: .utf8)
      try Data((configuration + hooks).utf8).write(to: URL(fileURLWithPath: stage.configuration))
      try stage.write(
        pulje: "p1", [200],
        policy: [
          "test-protocol: { central-services: [Kjernejournal], value-chain: false }", "hooks: [change-board]",
          "gates: { measure-interval: 300ms, ping-after-quiet: 1s, ping-loss-percent: 50 }",
        ])
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      let start = try await stage.command(["start", "--execute", stage.pulje] + Self.two)
      #expect(start.exitCode == 0, "\(start.complaint)")
      let waiting = try await stage.status { $0.puljer.first?.groups.first?.wait?.code == .testsNotSigned }
      #expect(
        waiting.puljer.first?.groups.first?.testsMissing.map(\.item.text) == [
          "own-ping", "central-service/Kjernejournal", "vendor-confirms",
        ])
      #expect(try await stage.command(["status"]).output.contains("to be signed: vendor-confirms of HER-ID 200"))
      let sign = ["sign-test", "--execute", "--her-id", "200", "--seen", "CHG-7", "--by", "Kari", "--item"]
      let unknown = try await stage.command(sign + ["own-pong"])
      #expect(unknown.exitCode == 3 && unknown.complaint.contains("MIG-236"))
      for item in ["own-ping", "central-service/Kjernejournal", "vendor-confirms"] {
        #expect(try await stage.command(sign + [item]).exitCode == 0)
      }
      let vetoed = try await stage.status { $0.puljer.first?.groups.first?.hooks["change-board"] == .vetoed("not tonight") }
      #expect(vetoed.puljer.first?.groups.first?.phase == .ready)
      #expect(stage.register.writeAttempts.isEmpty)
      try FileManager.default.removeItem(at: veto)
      _ = try await stage.status { $0.puljer.first?.phase == .decision }
      let measured = try await stage.status { status in
        status.puljer.first?.groups.first?.gates.allSatisfy { $0.verdict == .pass } ?? false
      }
      #expect(measured.puljer.first?.groups.first?.gates.count == 4)
      let accepted = try await stage.command(["accept", "--execute"] + Self.two, again: ["MIG-217"])
      #expect(accepted.exitCode == 0, "\(accepted.complaint)")
      let report = try await stage.command(["report"])
      #expect(report.output.contains("test own-ping of 200: passed, signed by Kari"))
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
      #expect(try await stage.command(["audit", "verify"]).exitCode == 0)
    }
  }

  @Test("explain tells a code's meaning without any daemon")
  func explain() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("explain-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func run(_ arguments: [String]) async throws -> ChildProgram.Ending {
      try await ChildProgram.run("bus-migrator", ["explain"] + arguments, folder: folder)
    }
    let text = try await run(["mig-417"])
    #expect(text.exitCode == 0 && text.output.contains("MIG-417 (waits)") && text.output.contains("Two people release it"))
    #expect(try await run(["MIG-212", "--json"]).json(CodeBook.self).kind == .refused)
    let unknown = try await run(["MIG-999"])
    #expect(unknown.exitCode == 2 && unknown.complaint.contains("CLI-014"))
  }
}
