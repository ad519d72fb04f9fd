// SPDX-License-Identifier: Apache-2.0

import AMQP
import Disclosure
import Foundation
import Testing

/// What the real brokers offer, want and refuse while a connection is made, and what they print of messages.
@Suite("Logging in, and what brokers say of broken messages")
struct AMQPSecurityTests {
  private func failure(_ configuration: AMQPConnectionConfiguration) async -> AMQPError? {
    await #expect(throws: AMQPError.self) { try await AMQPConnection.withConnection(configuration) { _ in } }
  }

  private func openssl(_ arguments: [String]) async throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let status = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    #expect(status == 0)
  }

  private func identified(_ broker: RealBroker, _ identity: AMQPClientIdentity?) throws -> AMQPConnectionConfiguration {
    var configuration = try broker.secureConfiguration(trusting: true)
    configuration.credentials = .login(.external)
    configuration.encryption = .tls(authorities: [try broker.variable("CA")], identity: identity)
    return configuration
  }

  @Test(
    "EXTERNAL: the client certificate is the login, from files and from texts; where it cannot be, nothing is sent",
    arguments: RealBroker.proven)
  func external(_ broker: RealBroker) async throws {
    let certificate = try broker.variable("CLIENT_CERTIFICATE")
    let key = try broker.variable("CLIENT_KEY")
    guard broker.dialect.capabilities.logsInByCertificate else {
      let identity = AMQPClientIdentity(certificateFile: certificate, keyFile: key)
      #expect(await self.failure(try self.identified(broker, identity))?.code == .mechanismNotOffered)
      return
    }
    let texts = AMQPClientIdentity(
      certificatePEM: try String(contentsOfFile: certificate, encoding: .utf8),
      keyPEM: Secret(try String(contentsOfFile: key, encoding: .utf8)))
    for identity in [AMQPClientIdentity(certificateFile: certificate, keyFile: key), texts] {
      let queue = try await broker.declareQueue()
      try await AMQPConnection.withConnection(try self.identified(broker, identity)) { connection in
        #expect(connection.peer.mechanisms.contains("EXTERNAL"))
        // Logged in as app, who may write here.
        let sender = try await connection.openSender(to: broker.sending(to: queue))
        let outcome = try await sender.send(AMQPMessage(body: .data([1])))
        #expect(outcome == .accepted)
      }
      try await broker.management("DELETE", "/api/queues/%2F/\(queue)")
    }
  }

  @Test("a client certificate of somebody the broker does not know: no login", arguments: RealBroker.all)
  func strangerCertificate(_ broker: RealBroker) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "stranger-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let certificate = folder.appending(path: "c.pem").path
    let key = folder.appending(path: "c.key").path
    try await self.openssl([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=app",
      "-keyout", key, "-out", certificate,
    ])
    let error = await self.failure(
      try self.identified(broker, AMQPClientIdentity(certificateFile: certificate, keyFile: key)))
    #expect(error?.code == .clientCertificateRefused, "\(String(describing: error))")
  }

  @Test("what is offered is told: RabbitMQ 3 begins with ANONYMOUS, and ours still logs in with its password")
  func offered() async throws {
    try await AMQPConnection.withConnection(try RealBroker.rabbitMQ3.configuration()) { connection in
      #expect(connection.peer.mechanisms.first == "ANONYMOUS")
      #expect(connection.peer.mechanisms.contains("PLAIN"))
    }
    try await AMQPConnection.withConnection(try RealBroker.rabbitMQ4.configuration()) { connection in
      #expect(connection.peer.mechanisms.first == "PLAIN")
    }
  }

  @Test("a password that changes: asked for at each connect, the wrong one is refused, the next taken", arguments: RealBroker.all)
  func provider(_ broker: RealBroker) async throws {
    let answers = AsyncStream<AMQPLogin> { continuation in
      continuation.yield(.plain(user: "app", password: Secret("old")))
      continuation.yield(.plain(user: "app", password: Secret("app")))
      continuation.finish()
    }
    let queue = Answers(answers)
    var configuration = try broker.configuration()
    configuration.credentials = .provided(AMQPCredentialProvider(within: .seconds(60)) { try await queue.next() })
    #expect(await self.failure(configuration)?.code == .loginRefused)
    try await AMQPConnection.withConnection(configuration) { _ in }
  }

  private actor Answers {
    private var answers: [AMQPLogin] = []
    private let stream: AsyncStream<AMQPLogin>
    private var isRead = false
    init(_ stream: AsyncStream<AMQPLogin>) { self.stream = stream }
    func next() async throws -> AMQPLogin {
      if !self.isRead {
        self.isRead = true
        for await answer in self.stream { self.answers.append(answer) }
      }
      struct NoMore: Error {}
      guard !self.answers.isEmpty else { throw NoMore() }
      return self.answers.removeFirst()
    }
  }

  @Test("what the default checks refuse is what the broker would have ended the session for; its words hold no content")
  func refusedByChecks() async throws {
    let broker = RealBroker.rabbitMQ4
    let queue = try await broker.declareQueue()
    let canary = "canary7f3"
    func message(_ change: (inout AMQPMessage) -> Void) -> AMQPMessage {
      var message = AMQPMessage(
        properties: AMQPProperties(subject: canary), applicationProperties: ["a": .string(canary)],
        body: .data(Array(canary.utf8)))
      change(&message)
      return message
    }
    let killers = [
      message { $0.messageAnnotations = AMQPMap([.init(key: .symbol("mine"), value: .string(canary))]) },
      message { $0.messageAnnotations = AMQPMap([.init(key: .string("x-mine"), value: .string(canary))]) },
      message { $0.properties.userID = Array("somebody".utf8) },
    ]
    for killer in killers {
      let refused = #expect(throws: AMQPError.self) { try killer.checkSendable() }
      #expect(refused?.code == .messageNotSendable)
      try await AMQPConnection.withConnection(try broker.configuration()) { connection in
        let sender = try await connection.openSender(to: broker.sending(to: queue))
        let outcome = try await sender.send(killer, checks: .none)
        guard case .unknown(.lost(let error)) = outcome else {
          Issue.record("\(outcome)")
          return
        }
        #expect(error.scope == .session)
        #expect(!"\(outcome) \(error)".contains(canary))
        #expect(!"\(outcome) \(error)".contains(canary.utf8.map(String.init).joined(separator: ",")))
      }
    }
    try await broker.management("DELETE", "/api/queues/%2F/\(queue)")
  }

  @Test("broken bytes: what the broker prints of them is not in our errors")
  func brokenBytes() async throws {
    let broker = RealBroker.rabbitMQ4
    let queue = try await broker.declareQueue()
    let canary = "canary7f3"
    let good = AMQPMessage(
      properties: AMQPProperties(subject: canary), applicationProperties: ["a": .string(canary)], body: .data(Array(canary.utf8))
    ).encoded()
    // Application properties with an odd count; a section that is none; a message that ends in the middle of a section.
    let odd: [UInt8] = [0x00, 0x53, 0x74, 0xc1, 0x0c, 0x01, 0xa1, 0x09] + Array(canary.utf8)
    let unknown: [UInt8] = [0x00, 0x53, 0x7f, 0xa0, 0x09] + Array(canary.utf8)
    for bytes in [odd + good, unknown + good, Array(good.prefix(good.count / 2))] {
      try await AMQPConnection.withConnection(try broker.configuration()) { connection in
        let sender = try await connection.openSender(to: broker.sending(to: queue))
        let outcome = try await sender.send(encoded: bytes)
        let text = "\(outcome)"
        #expect(!text.contains(canary), "\(text)")
        #expect(!text.contains(canary.utf8.map(String.init).joined(separator: ",")), "\(text)")
      }
    }
    try await broker.management("DELETE", "/api/queues/%2F/\(queue)")
  }
}
