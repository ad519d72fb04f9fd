// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import ForeignPrograms
import Foundation
import Logging
import ServiceLifecycle
import Testing
import TjenestebussTesting

@Suite("The in-memory broker as a service, and over TLS")
struct ServiceTests {
  @Test("run() listens until the service group shuts down")
  func service() async throws {
    let broker = InMemoryBroker(.init(dialect: .rabbitMQ4AddressV2, queues: ["q"]))
    let group = ServiceGroup(services: [broker], logger: Logger(label: "test"))
    let running = Task { try await group.run() }
    try await broker.waitUntilRunning()
    try await AMQPConnection.withConnection(broker.clientConfiguration()) { connection in
      try await connection.send(["a"], to: "q", of: broker)
    }
    await group.triggerGracefulShutdown()
    try await running.value
    #expect(broker.port == nil)
  }

  @Test("run() ends when its task is cancelled")
  func cancelled() async throws {
    let broker = InMemoryBroker(.init(dialect: .rabbitMQ4AddressV2))
    let running = Task { try await broker.run() }
    try await broker.waitUntilRunning()
    running.cancel()
    try await running.value
    #expect(broker.port == nil)
    await #expect(throws: InMemoryBrokerError.self) { try await broker.waitUntilRunning() }
  }

  @Test("over TLS, with an authority that the client was told of and without")
  func tls() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let certificate = folder.appendingPathComponent("certificate.pem").path
    let key = folder.appendingPathComponent("key.pem").path
    let made = try await ForeignProgram.run(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
      ])
    #expect(made.exitCode == 0, "\(made.errors)")
    let tls = BrokerTLS(certificateChain: certificate, privateKey: key)
    try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, tls: tls, queues: ["q"])) { broker in
      try await AMQPConnection.withConnection(broker.clientConfiguration(authorities: [certificate])) { connection in
        try await connection.send(["a"], to: "q", of: broker)
      }
      let error = await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.open(broker.clientConfiguration()) }
      #expect(error?.code == .certificateRefused)
      let sent = try await ForeignProgram.python(
        "send.py",
        [
          "--url", "amqps://localhost:\(try #require(broker.port))", "--ca", certificate, "--user", "guest", "--password",
          "guest",
          "--address", "/queues/q",
        ])
      #expect(sent.exitCode == 0, "\(sent.errors)")
      #expect(try await broker.depth(of: "q") == 2)
    }
    let missing = InMemoryBroker(.init(dialect: .rabbitMQ3, tls: BrokerTLS(certificateChain: "/none", privateKey: key)))
    let error = await #expect(throws: InMemoryBrokerError.self) { try await missing.start() }
    #expect(error?.code == .tlsFilesUnusable)
  }
}
