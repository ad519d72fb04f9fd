// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import Disclosure
import Foundation
import Migration
import Testing

@testable import bus_migrator

@Suite("Shadow mode, and the closing of a bus, as commands", .serialized, .timeLimit(.minutes(10)))
struct ShadowCommandTests {
  private static let two = ["--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7"]

  @Test("looks predict without writing or sending anything; the pulje that follows scores them")
  func shadow() async throws {
    try await Stage.with { stage in
      let file = stage.folder.appendingPathComponent("shadow.jsonl").path
      let before = stage.register.records
      let first = try await stage.command(["shadow", "look", stage.pulje, "--to", file, "--json"])
      #expect(first.exitCode == 0, "\(first.complaint)")
      let look = try first.json(ShadowLook.self)
      #expect(look.groups.count == 3 && look.groups.allSatisfy { $0.predictions.count == 5 })
      #expect(look.groups.allSatisfy { $0.predictions.allSatisfy(\.expected) }, "\(first.output)")
      #expect(try await stage.command(["shadow", "look", stage.pulje, "--to", file]).exitCode == 0)
      #expect(stage.register.writeAttempts.isEmpty && stage.register.records == before)
      let early = try await stage.command(["shadow", "score", file, "--json"])
      #expect(early.exitCode == 0, "\(early.complaint)")
      #expect(try early.json(ShadowScore.self).right == 6)

      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      #expect(try await stage.command(["start", "--execute", stage.pulje] + Self.two).exitCode == 0)
      _ = try await stage.status { $0.puljer.first?.phase == .decision }
      #expect(
        try await stage.command(["rollback", "--execute", "--her-id", "200", "--by", "Kari", "--because", "asked"]).exitCode == 0)
      _ = try await stage.status { stage.phases($0) == [.observing, .restored, .observing] }
      #expect(try await stage.command(["accept", "--execute"] + Self.two, again: ["MIG-217"]).exitCode == 0)
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
      let score = try await stage.command(["shadow", "score", file])
      #expect(score.exitCode == 6 && score.output.contains("missed: group-200 stays"), "\(score.output)")
      #expect(try await stage.command(["shadow", "score", file, "--aim", "50"]).exitCode == 0)
    }
  }

  @Test("with a management interface who is connected is seen: for the closing of a bus, and for the libraries of a plan")
  func connections() async throws {
    try await Stage.with(management: true) { stage in
      #expect(try await stage.command(["registry", "sync", "--execute", "--her-id", "100,101,200,300"]).exitCode == 0)
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      let check = try await stage.command(["close-bus", "a", "--check", "--json"])
      let closing = try #require(try check.json(ControlAPI.CommandAnswer.self).closing, "\(check.complaint)")
      // The parties' systems; the daemon's own connection is not counted.
      let others = try await stage.source.snapshot().connections.filter { $0.product != "tjenestebuss" }
      #expect(!others.isEmpty)
      #expect(closing.connections == .counted(others.count, names: others.map { "connection \($0.number) of guest" }))
      #expect(closing.filledQueues == .counted(0, names: []))
      #expect(closing.remaining == .counted(4, names: ["HER-ID 100", "HER-ID 101", "HER-ID 200", "HER-ID 300"]))
      try stage.write(
        pulje: "p1", [200], policy: ["libraries: { minimum: [{ library: Lib, version: 2 }] }", "blocks: [MIG-606]"])
      let plan = try await stage.command(["plan", stage.pulje, "--no-preflight", "--json"])
      #expect(plan.exitCode == 0, "\(plan.complaint)\(plan.output)")
      #expect(try plan.json(PlanAnswer.self).findings.isEmpty)
      try stage.write(
        pulje: "p1", [200],
        policy: ["libraries: { minimum: [{ library: an unnamed library, version: 2 }] }", "blocks: [MIG-606]"])
      let blocked = try await stage.command(["plan", stage.pulje, "--no-preflight", "--json"])
      #expect(blocked.exitCode == 3)
      let answer = try blocked.json(PlanAnswer.self)
      // The party listens on both buses, and both tell of it.
      #expect(Set(answer.findings.map(\.code)) == [.libraryUnknown] && Set(answer.plan.obstacles.map(\.code)) == [.findingBlocks])
      #expect(answer.findings.first?.seen.contains("(connection)") == true, "\(answer.findings)")
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
    }
  }

  @Test("a bus is looked at and not closed while parties are on it, or where it cannot be seen")
  func closeBus() async throws {
    try await Stage.with(management: false) { stage in
      #expect(try await stage.command(["registry", "sync", "--execute", "--her-id", "100,101,200,300"]).exitCode == 0)
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      let check = try await stage.command(["close-bus", "a", "--check"])
      #expect(check.exitCode == 0, "\(check.complaint)")
      #expect(check.output.contains("keeps it open: parties still on it: 4") && check.output.contains("no management interface"))
      let refused = try await stage.command(["close-bus", "--execute", "a"] + Self.two)
      #expect(refused.exitCode == 3 && refused.complaint.contains("MIG-240"))
      let one = try await stage.command(["close-bus", "--execute", "a", "--approved-by", "Kari", "--because", "CHG-7"])
      #expect(one.exitCode == 3 && one.complaint.contains("MIG-204"))
      #expect(try await stage.command(["close-bus", "nowhere", "--check"]).exitCode == 2)
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
    }
  }

  @Test("a bus that everybody has left is closed, signed by two, and once")
  func closed() async throws {
    try await Stage.with(management: true, isLeft: true) { stage in
      #expect(try await stage.command(["registry", "sync", "--execute", "--her-id", "100,101,200,300"]).exitCode == 0)
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      let early = try await stage.command(["close-bus", "--execute", "a"] + Self.two)
      #expect(early.exitCode == 3 && early.complaint.contains("never compared"), "\(early.complaint)")
      try await Self.compare(stage)
      // A message that nobody fetches keeps the bus open.
      try await AMQPConnection.withConnection(try stage.source.clientConfiguration()) { connection in
        try await connection.withSender(to: stage.source.sendingAddress("200_async")) { sender in
          let outcome = try await sender.send(AMQPMessage(body: .data([1])))
          #expect(outcome == .accepted)
        }
        let filled = try await stage.command(["close-bus", "a", "--check"])
        #expect(filled.output.contains("keeps it open: connections: 1"), "\(filled.output)")
        #expect(filled.output.contains("keeps it open: queues with messages: 1 (200_async: 1)"), "\(filled.output)")
        try await connection.withReceiver(from: stage.source.receivingAddress("200_async")) { receiver in
          try #require(try await receiver.nextBatch()?.first).accept()
        }
      }
      try await stage.source.waitUntil("our own connection only") { broker in
        broker.connections.allSatisfy { $0.product == "tjenestebuss" } && broker.queues.values.allSatisfy { $0.depth == 0 }
      }
      let closing = try await stage.command(["close-bus", "--execute", "a"] + Self.two)
      #expect(closing.exitCode == 0 && closing.output.contains("bus.closed"), "\(closing.complaint)\(closing.output)")
      let again = try await stage.command(["close-bus", "--execute", "a"] + Self.two)
      #expect(again.exitCode == 0 && again.output.contains("already_closed"), "\(again.complaint)")
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
    }
  }

  /// The nightly compare, in the daytime.
  private static func compare(_ stage: Stage) async throws {
    try await RegisterHTTP.withClient { http in
      let register = try SOAPAddressRegister(
        endpoint: try await stage.register.readerEndpoint(),
        credentials: RegisterCredentials(user: "u", password: Secret("p")), http: http)
      let cache = try await AddressCache.open(path: stage.cache, access: .readWrite, environment: "test")
      let begun = SystemRegistryClock().now
      let result = try await RegistryComparison(register: register).compare(try await cache.parties())
      try await cache.keep(ComparisonReport(result, begunAt: begun, endedAt: SystemRegistryClock().now))
      try await cache.close()
    }
  }
}
