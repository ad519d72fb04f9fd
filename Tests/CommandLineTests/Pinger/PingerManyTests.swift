// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing
import TjenestebussTesting

/// The program on many parties, on several buses, with a bundle for a vendor, and without a register.
@Suite("bus-pinger: many parties, and none in a register", .timeLimit(.minutes(10)))
struct PingerManyTests {
  @Test("A batch: worst first, comments passed over, the exit code of the worst; from a file and from standard input")
  func batch() async throws {
    try await PingerStage.with(parties: 200..<230) { stage, _ in
      let list = stage.folder.appendingPathComponent("list.txt")
      try ("# all of them\n" + (200..<230).map(String.init).joined(separator: "\n") + "\n9  # not in the cache\n2x\n")
        .write(to: list, atomically: true, encoding: .utf8)
      let table = try await stage.run(["--batch", list.path, "--no-send", "--quit-after", "26"])
      let lines = table.output.split(separator: "\n").map(String.init)
      #expect(table.exitCode == 2, "\(table)")
      #expect(lines.count == 34, "\(table.output)")
      #expect(lines[1].hasPrefix("CRITICAL  2x  ") && lines[1].contains("PING-10"))
      #expect(lines[2].hasPrefix("CRITICAL  9  ") && lines[2].contains("PING-13"))
      #expect(lines.last?.hasPrefix("32 HER-IDs: 2 CRITICAL, 30 OK; ") == true)
      // What is no terminal has no progress bar.
      #expect(table.complaint.isEmpty)
      let shell = try await stage.shell("printf '200\\n201\\n' | pinger --batch - --no-send --quit-after 26 --format json")
      #expect(shell.output.split(separator: "\n").count == 2, "\(shell)")
      let nobody = try await stage.run(["--batch", stage.folder.appendingPathComponent("none").path])
      #expect(nobody.exitCode == 3)
      #expect(nobody.complaint.contains("PING-107"))
    }
  }

  @Test("A thousand parties share one connection: names, network and login are looked at once, and stand in every party's report")
  func oneConnection() async throws {
    try await PingerStage.with(parties: 1_000..<2_000, through: true) { stage, proxy in
      let list = stage.folder.appendingPathComponent("list.txt")
      try (1_000..<2_000).map { "\($0)\n" }.joined().write(to: list, atomically: true, encoding: .utf8)
      let ending = try await stage.run(["--batch", list.path, "--format", "json"])
      let reports = ending.output.split(separator: "\n")
      #expect(reports.count == 1_000, "\(ending.complaint)")
      #expect(reports.allSatisfy { $0.contains(#""code":24"#) && $0.contains(#""code":29"#) })
      // The other is the knock at the port.
      #expect(try await proxy?.statistics().connectionCount == 2)
    }
  }

  @Test("With an address alone no register is asked: the configuration needs none")
  func address() async throws {
    try await PingerStage.with { stage, _ in
      let text = try String(contentsOfFile: stage.configuration, encoding: .utf8)
      try text.replacing("registry: {cache: registry.sqlite}\n", with: "").write(
        toFile: stage.configuration, atomically: true, encoding: .utf8)
      let without = try await stage.run(["200"])
      #expect(without.exitCode == 3)
      #expect(without.complaint.contains("PING-112"))
      let run = try await stage.run(["--address", "tb.test/NHN/200_async", "--quit-after", "30", "--exit", "step"])
      #expect(run.exitCode == 0, "\(run)")
      #expect(run.output.contains("tb.test/NHN/200_async"))
      let nowhere = try await stage.run(["--address", "other.test/NHN/200_async", "--exit", "step"])
      #expect(nowhere.exitCode == 13, "\(nowhere)")
      let wrong = try await stage.run(["200", "--address", "x", "--format", "nagios"])
      #expect(wrong.exitCode == 3)
      #expect(wrong.output.hasPrefix("BUS UNKNOWN - [PING-111]"), "\(wrong)")
    }
  }

  @Test("Two buses beside each other; a bus that is not configured is said")
  func compare() async throws {
    try await PingerStage.with { stage, _ in
      try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, path: "NHN", queues: [])) { other in
        let port: Int = try #require(other.port)
        var text = try String(contentsOfFile: stage.configuration, encoding: .utf8)
        text += """

            - name: otherbus
              dialect: rabbitmq-4-v2
              hosts: [ob.test]
              connection-string: amqp://guest:guest@127.0.0.1:\(port)/NHN

          """
        try text.replacing("\n    - name: otherbus", with: "\n  - name: otherbus").replacing("\n      ", with: "\n    ").write(
          toFile: stage.configuration, atomically: true, encoding: .utf8)
        let run = try await stage.run(["200", "--compare", "tjenestebuss,otherbus", "--quit-after", "29"])
        #expect(run.exitCode == 2, "\(run)")
        #expect(run.output.contains("29 outcome *"))
        #expect(run.output.contains("\notherbus: PING-29 failed\n"))
        let unknown = try await stage.run(["200", "--compare", "tjenestebuss,nobus"])
        #expect(unknown.exitCode == 3)
        #expect(unknown.complaint.contains("PING-110"))
      }
    }
  }

  @Test("A bundle for a vendor holds what was seen, and no secret; planted ones are nowhere in it")
  func bundle() async throws {
    try await PingerStage.with { stage, _ in
      let text = try String(contentsOfFile: stage.configuration, encoding: .utf8)
        .replacing(
          "registry: {cache: registry.sqlite}",
          with: """
            registry: {cache: registry.sqlite, soap: {url: "https://127.0.0.1:1/AR", user: ar, password: Pl4ntedAR}}
            """
        )
        .replacing("guest:guest@", with: "guest:Pl4ntedBus@")
        .replacing(
          "    connection-string",
          with: """
                management: {url: "http://127.0.0.1:1", user: m, password: Pl4ntedManagement}
                connection-string
            """)
      try text.write(toFile: stage.configuration, atomically: true, encoding: .utf8)
      let file = stage.folder.appendingPathComponent("bundle.json")
      let run = try await stage.run(["200", "--support-bundle", file.path])
      #expect(run.exitCode == 2, "\(run)")
      let bundle = try String(contentsOf: file, encoding: .utf8)
      for place in [bundle, run.output, run.complaint] { #expect(!place.contains("Pl4nted"), "\(place)") }
      let object = try #require(try JSONSerialization.jsonObject(with: Data(bundle.utf8)) as? [String: Any])
      #expect(object["schema"] as? String == "bus-pinger-support/1")
      #expect((object["report"] as? [String: Any])?["first_failure"] as? Int == 23)
      #expect((object["buses"] as? [[String: Any]])?.first?["counted_over_http"] as? Bool == true)
      #expect(Set(object.keys).isSuperset(of: ["program", "clock", "resolver", "certificates", "certificates_seen"]))
    }
  }

  @Test("The daemon's own configuration file will do")
  func daemonFile() async throws {
    try await PingerStage.with { stage, _ in
      let port: Int = try #require(stage.broker.port)
      let secret = stage.folder.appendingPathComponent("bus.secret")
      try "amqp://guest:guest@127.0.0.1:\(port)/NHN\n".write(to: secret, atomically: true, encoding: .utf8)
      try """
      environment: test
      buses:
        - name: tjenestebuss
          dialect: rabbitmq-4-v2
          hosts: [tb.test]
          path: NHN
          connection-string-file: bus.secret
          ping-reply-queue: 100_pingreply
      ping: {own-her-id: 100, timeout: 60s, time-to-live: 1s, party-interval: 0s}
      register: {url: "https://127.0.0.1:1/AR", user: ar, password: x, cache: registry.sqlite, timeout: 2s, writer: {kind: manual}}
      state-directory: state
      timings: {concurrent-groups: 4}
      """.write(toFile: stage.configuration, atomically: true, encoding: .utf8)
      let run = try await stage.run(["200", "--no-send", "--quit-after", "26", "--exit", "step"])
      #expect(run.exitCode == 0, "\(run)")
      #expect(run.output.contains("26 attach           ok"))
      let pulje = try await stage.run(["--pulje", "pulje-7"])
      #expect(pulje.exitCode == 3)
      #expect(pulje.complaint.contains("state/migration.sqlite"), "\(pulje)")
    }
  }

  @Test("Metrics go to a file, whole")
  func metrics() async throws {
    try await PingerStage.with { stage, _ in
      let file = stage.folder.appendingPathComponent("bus.prom")
      let run = try await stage.run(["200", "--no-send", "--format", "prometheus", "--output", file.path])
      #expect(run.exitCode == 2)
      #expect(run.output.isEmpty)
      #expect(
        try String(contentsOf: file, encoding: .utf8).contains(
          "bus_pinger_status{her_id=\"200\",kind=\"async\",bus=\"tjenestebuss\"} 2\n"))
      let unwritable = try await stage.run(["200", "--no-send", "--output", stage.folder.appendingPathComponent("no/such").path])
      #expect(unwritable.exitCode == 3)
      #expect(unwritable.complaint.contains("PING-106"))
    }
  }
}
