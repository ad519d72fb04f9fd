// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import bus_migrator

/// The daemon's pings and the pinger's are counted together.
@Suite("One ration for daemon and pinger", .timeLimit(.minutes(10)))
struct SharedRationTests {
  private struct Look: Decodable {
    struct Step: Decodable {
      var code: Int
      var finding: String
      var seen: String
    }
    var steps: [Step]
  }

  @Test("A party that the daemon pinged is not pinged by the pinger; with nothing kept for it, it is")
  func together() async throws {
    try await Stage.with { stage in
      let usual = try String(contentsOfFile: stage.configuration, encoding: .utf8)
      try usual.replacing("party-interval: 0s", with: "party-interval: 1h\n  state-folder: pings")
        .write(toFile: stage.configuration, atomically: true, encoding: .utf8)
      try stage.write(pulje: "p1", [200])
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      let start = try await stage.command([
        "start", "--execute", stage.pulje, "--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7",
      ])
      #expect(start.exitCode == 0, "\(start.complaint)")
      let kept = stage.folder.appendingPathComponent("pings/last-pings")
      while (try? Data(contentsOf: kept))?.isEmpty ?? true {
        try Task.checkCancellation()
        try await Task.sleep(for: .milliseconds(50))
      }

      func outcome(_ configuration: String) async throws -> Look.Step? {
        let ending = try await ChildProgram.run(
          "bus-pinger",
          [
            "200", "--address", "b.example/NHN/200_async", "--config", configuration, "--format", "json", "--language", "en",
            "--quit-after", "29",
          ], folder: stage.folder)
        return try ending.json(Look.self).steps.first { $0.code == 29 }
      }
      let refused = try #require(try await outcome(stage.configuration))
      #expect(refused.finding == "pingedLately" && refused.seen.contains("the party was pinged a moment ago"), "\(refused)")
      let other = stage.folder.appendingPathComponent("other.yaml").path
      try usual.write(toFile: other, atomically: true, encoding: .utf8)
      #expect(try await outcome(other)?.finding == "accepted")
      daemon.kill()
      #expect(try await daemon.ending().wasKilled)
    }
  }
}
