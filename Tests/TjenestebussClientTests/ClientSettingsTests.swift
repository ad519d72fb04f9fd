// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing
import Yams

@testable import TjenestebussClient

@Suite("Settings from a file")
struct ClientSettingsTests {
  private static let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../config/tjenestebuss-client.example.yaml")

  private func settings(_ yaml: String) throws -> ClientSettings { try YAMLDecoder().decode(ClientSettings.self, from: yaml) }

  private func withSecrets(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("settings-\(UUID().uuidString)")
    let secrets = folder.appendingPathComponent("secrets")
    try FileManager.default.createDirectory(at: secrets, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try "Endpoint=sb://sb.test.nhn.no/NHN;OAuthUsername=u;OAuthPassword=Sup3rS3cret\n".write(
      to: secrets.appendingPathComponent("servicebus.connection"), atomically: true, encoding: .utf8)
    try "amqps://u:Sup3rS3cret@tb.test.nhn.no/NHN".write(
      to: secrets.appendingPathComponent("tjenestebuss.connection"), atomically: true, encoding: .utf8)
    try body(folder.path)
  }

  @Test("The example means what its comments say: the defaults, stated")
  func example() throws {
    try self.withSecrets { folder in
      let configuration = try self.settings(String(contentsOf: Self.example, encoding: .utf8))
        .configuration(folder: folder, machine: "EPJ-APP-2")
      let plain = TjenestebussConfiguration(buses: [])
      #expect(configuration.buses.map(\.name) == ["servicebus", "tjenestebuss"])
      #expect(configuration.buses.map(\.connection.host) == ["sb.test.nhn.no", "tb.test.nhn.no"])
      #expect(configuration.product == "MyEPJ")
      #expect(configuration.productVersion == "4.2")
      #expect(configuration.serve.herIDs.map(\.value) == [93238, 93252])
      #expect(configuration.serve.kinds == [.asynchronous, .synchronous, .error])
      #expect(configuration.serve.replyQueue == "93238_syncreply_2")
      #expect(configuration.concurrency(of: .synchronous) == 2)
      #expect(configuration.concurrency(of: .deadLetter) == 5)
      #expect(configuration.serve.registryEvents?.bus == "tjenestebuss")
      #expect(configuration.sendTimeout == plain.sendTimeout)
      #expect(configuration.callTimeout == plain.callTimeout)
      #expect(configuration.redeliveryDelay == plain.redeliveryDelay)
      #expect(configuration.longestRedeliveryDelay == plain.longestRedeliveryDelay)
      #expect(configuration.poisonLimit == plain.poisonLimit)
      #expect(configuration.duplicates == plain.duplicates)
      #expect(configuration.errorReportsPerMinute == plain.errorReportsPerMinute)
      #expect(configuration.lateReplies == plain.lateReplies)
      #expect(configuration.pingSubject == plain.pingSubject)
      var dumped = ""
      dump(configuration, to: &dumped)
      #expect(!dumped.contains("Sup3rS3cret"))
    }
  }

  @Test("A bus without a dialect is asked for it; each further line of its connection strings is a further place")
  func dialectAndPlaces() throws {
    try self.withSecrets { folder in
      let file = "\(folder)/secrets/several"
      try "amqps://u:Sup3rS3cret@one/x\namqps://u:Sup3rS3cret@two/x\n".write(toFile: file, atomically: true, encoding: .utf8)
      let configuration = try self.settings(
        """
        system: {name: E}
        buses: [{name: a, connection-string-file: \(file)}, {name: b, dialect: rabbitmq-3, connection-string: "amqps://u:p@h/x"}]
        """
      ).configuration(folder: folder)
      #expect(configuration.buses.map(\.learnsDialect) == [true, false])
      #expect(configuration.buses.first?.connection.host == "one")
      #expect(configuration.buses.first?.alternatives.map(\.host) == ["two"])
      #expect(configuration.buses.first?.description.contains("Sup3rS3cret") == false)
    }
  }

  private static let minimal = """
    system: {name: EPJ}
    buses: [{name: a, dialect: rabbitmq-4-v2, connection-string: "amqps://u:Sup3rS3cret@h/x"}]
    """

  @Test("What is left out has its default; zero switches off")
  func defaults() throws {
    let plain = try self.settings(Self.minimal).configuration()
    #expect(plain.serve == ServeConfiguration())
    #expect(plain.buses.first?.bus.hosts == ["h"])
    #expect(plain.buses.first?.bus.path == "x")
    let off = try self.settings(Self.minimal + "\nbehaviour: {poison-limit: 0, remember-duplicates: 0, answer-pings: false}")
      .configuration()
    #expect(off.poisonLimit == nil)
    #expect(off.duplicates == nil)
    #expect(!off.answersPings)
  }

  @Test(
    "A misspelt key is refused, wherever it stands",
    arguments: [
      "serving: {}", "serve: {her-ids: [1], reply-que: q}", "behaviour: {poison: 1}",
      "serve: {her-ids: [1], registry-events: {bus: a, que: q}}",
    ])
  func unknownKeys(line: String) {
    #expect(throws: DecodingError.self) { try self.settings(Self.minimal + "\n" + line) }
  }

  @Test(
    "What cannot work is refused by the field's name",
    arguments: [
      ("serve: {her-ids: [1], reply-queue: q, reply-queues: {m: q}}", "serve.reply-queue"),
      ("serve: {her-ids: [1], reply-queues: {other: q}}", "serve.reply-queues"),
      ("serve: {her-ids: [1], concurrency: {asynk: 1}}", "serve.concurrency.asynk"),
      ("serve: {her-ids: [1], concurrency: {async: 0}}", "serve.concurrency of async"),
      ("behaviour: {call-timeout-seconds: 0}", "callTimeout"),
      ("behaviour: {redelivery-delay-seconds: 700}", "longestRedeliveryDelay"),
    ])
  func refused(line: String, field: String) throws {
    let settings = try self.settings(Self.minimal + "\n" + line)
    let error = #expect(throws: TjenestebussError.self) { try settings.configuration(machine: "m2") }
    guard case .settingInvalid(field, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("No HER-ID is zero; an events queue on an unknown bus, a missing secret, two secrets: refused, and no secret shown")
  func more() throws {
    #expect(throws: DecodingError.self) { try self.settings(Self.minimal + "\nserve: {her-ids: [0]}") }
    let events = try self.settings(Self.minimal + "\nserve: {her-ids: [1], registry-events: {bus: b, queue: q}}")
    #expect(throws: TjenestebussError.busUnknown("b")) { try events.configuration() }
    for bus in [
      "{name: a, dialect: rabbitmq-3}", "{name: a, dialect: rabbitmq-3, connection-string-file: /nowhere/x}",
      "{name: a, dialect: rabbitmq-3, connection-string: \"amqps://u:Sup3rS3cret@h\", connection-string-file: x}",
      "{name: a, dialect: rabbitmq-3, connection-string: \"amqps://u:Sup3rS3cret\"}",
    ] {
      let settings = try self.settings("system: {name: EPJ}\nbuses: [\(bus)]")
      let error = #expect(throws: TjenestebussError.self) { try settings.configuration() }
      #expect(error.map { "\($0)".contains("Sup3rS3cret") } == false)
      var dumped = ""
      dump(settings, to: &dumped)
      #expect(!dumped.contains("Sup3rS3cret"))
    }
  }
}
