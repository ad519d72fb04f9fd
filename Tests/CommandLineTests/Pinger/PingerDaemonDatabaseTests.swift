// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import Foundation
import Testing

@testable import bus_migrator
@testable import bus_pinger

/// The pinger beside a daemon, on the database that this one writes.
@Suite("bus-pinger: the daemon's database", .serialized, .timeLimit(.minutes(10)))
struct PingerDaemonDatabaseTests {
  private struct Look: Decodable {
    var her_id: String
    var bus: String?
    var evidence: [String]
  }

  private func pinger(_ stage: Stage, _ arguments: String...) async throws -> (looks: [Look], complaint: String) {
    let ending = try await ChildProgram.run(
      "bus-pinger", arguments + ["--config", stage.configuration, "--format", "json", "--language", "en"], folder: stage.folder)
    let looks = try ending.output.split(separator: "\n").map { try JSONDecoder().decode(Look.self, from: Data($0.utf8)) }
    return (looks, ending.complaint)
  }

  @Test(
    "--pulje checks its parties; what vendors have signed is a ground on the bus they move to; the person on the phone has the last word"
  )
  func puljeAndSignatures() async throws {
    try await Stage.with { stage in
      // Without a cache that was filled: the register has the parties.
      let text = try String(contentsOfFile: stage.configuration, encoding: .utf8)
      try text.replacing("    cache: cache.sqlite\n", with: "").replacing("  cache: cache.sqlite\n", with: "")
        .write(toFile: stage.configuration, atomically: true, encoding: .utf8)
      let none = try await self.pinger(stage, "200", "--no-send", "--quit-after", "26")
      #expect(none.complaint.isEmpty, "nobody has signed anything, and that is nothing to complain of: \(none.complaint)")

      try stage.write(
        pulje: "p1", [200, 300], policy: ["test-protocol: { central-services: [], value-chain: false }"])
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      let start = try await stage.command([
        "start", "--execute", stage.pulje, "--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7",
      ])
      #expect(start.exitCode == 0, "\(start.complaint)")
      _ = try await stage.status { $0.puljer.first?.groups.contains { $0.wait?.code == .testsNotSigned } ?? false }

      let pulje = try await self.pinger(stage, "--pulje", "p1", "--no-send", "--quit-after", "26")
      #expect(pulje.looks.map(\.her_id).sorted() == ["200", "300"] && pulje.looks.allSatisfy { $0.bus == "a" }, "\(pulje)")
      let unknown = try await self.pinger(stage, "--pulje", "p2", "--no-send")
      #expect(unknown.looks.isEmpty && unknown.complaint.contains("PING-108") && unknown.complaint.contains("p1"))

      let target = ["200", "--address", "b.example/NHN/200_async", "--no-send"]
      func grounds(_ arguments: [String]) async throws -> [String] {
        let ending = try await ChildProgram.run(
          "bus-pinger", arguments + ["--config", stage.configuration, "--format", "json", "--language", "en"],
          folder: stage.folder)
        return try ending.json(Look.self).evidence
      }
      #expect(try await grounds(target).joined().contains("the vendor's self-ping arrived") == false)
      let sign = ["sign-test", "--execute", "--her-id", "200", "--seen", "CHG-7", "--by", "Kari", "--item"]
      #expect(try await stage.command(sign + ["own-ping"]).exitCode == 0)
      let signed = try await grounds(target)
      #expect(
        signed.first?.hasPrefix("fair: ") == true && signed.first?.contains("the vendor's self-ping arrived") == true, "\(signed)"
      )
      #expect(
        try await grounds(["200", "--no-send"]).joined().contains("self-ping arrived") == false, "it was signed for bus b")
      #expect(
        try await grounds(["300", "--address", "b.example/NHN/300_async", "--no-send"]).joined().contains("self-ping arrived")
          == false, "it was signed for HER-ID 200")

      #expect(try await stage.command(sign + ["vendor-confirms", "--failed"]).exitCode == 0)
      let denied = try await grounds(target)
      #expect(
        denied.first?.hasPrefix("refuted") == true && denied.contains { $0.contains("the vendor has denied receipt") },
        "\(denied)")
      let phone = try await grounds(target + ["--vendor-confirms", "yes"])
      #expect(
        phone.first?.hasPrefix("fair: ") == true && phone.first?.contains("the vendor has confirmed receipt") == true, "\(phone)")

      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
      // The daemon is not needed for it.
      #expect(try await self.pinger(stage, "--pulje", "p1", "--no-send", "--quit-after", "13").looks.count == 2)
      #expect(try await stage.command(["audit", "verify"]).exitCode == 0)
      try Data("no database".utf8).write(to: URL(fileURLWithPath: stage.database))
      let broken = try await self.pinger(stage, "200", "--no-send", "--quit-after", "13")
      #expect(broken.looks.count == 1 && broken.complaint.contains("what vendors have signed is not known"), "\(broken)")
    }
  }

  @Test("What the vendor says is said of one party on one bus; yes or no, nothing else")
  func options() throws {
    let check = try #require(
      try BusPinger.parseAsRoot(["93238", "--self-ping", "yes", "--vendor-confirms", "no"]) as? CheckCommand)
    #expect(check.target.told == [.selfPing: .shows, .vendorConfirms: .denies])
    let silent = try #require(try BusPinger.parseAsRoot(["93238"]) as? CheckCommand)
    #expect(silent.target.told.isEmpty)
    for wrong in [
      ["93238", "--self-ping", "perhaps"], ["--batch", "x", "--self-ping", "yes"],
      ["93238", "--compare", "a,b", "--vendor-confirms", "yes"],
    ] {
      #expect(throws: (any Error).self) { try BusPinger.parseAsRoot(wrong) }
    }
  }
}
