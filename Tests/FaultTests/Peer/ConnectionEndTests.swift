// SPDX-License-Identifier: Apache-2.0

import AMQP
import Disclosure
import Testing
import TjenestebussTesting

@Suite("Logins and connections that go wrong in every way there is", .timeLimit(.minutes(3)))
struct ConnectionEndTests {
  /// What opening a connection to a peer with this script ends with.
  private func opening(
    _ script: [PeerStep], login: AMQPLogin? = nil
  ) async throws -> AMQPError? {
    try await ScriptedPeer.withPeer(script, ignoring: unasked) { peer in
      var configuration = peer.clientConfiguration()
      if let login { configuration.credentials = .login(login) }
      let settled = configuration
      return await failure { try await AMQPConnection.withConnection(settled) { _ in } }
    }
  }

  @Test("wrong credentials: told as such, and never tried again by itself")
  func wrongCredentials() async throws {
    let error = try await self.opening([.login(outcome: 1)])
    #expect(error?.code == .loginRefused)
    #expect(error?.isRetriable == false)
  }

  @Test("a server that cannot check logins just now is no wrong password", arguments: [UInt8(2), 4])
  func serverTrouble(_ code: UInt8) async throws {
    let error = try await self.opening([.login(outcome: code)])
    #expect(error?.code == .loginUnavailable)
    #expect(error?.isRetriable == true)
  }

  @Test("a trouble that lasts is not tried again by itself")
  func lastingTrouble() async throws { #expect(try await self.opening([.login(outcome: 3)])?.isRetriable == false) }

  @Test("mechanisms in any order: a configured password is used, not the first that the server lists")
  func mechanismOrder() async throws {
    for mechanisms in [["ANONYMOUS", "PLAIN"], ["AMQPLAIN", "EXTERNAL", "ANONYMOUS", "PLAIN"], ["PLAIN"]] {
      let error = try await self.opening([
        .login(mechanisms: mechanisms, choosing: "PLAIN"), .expect(header: .amqp), .respond(header: .amqp), .expect(.open()),
        .respond(.open()),
      ])
      #expect(error == nil)
    }
  }

  @Test("no PLAIN: the password is not sent, by whatever name the server asks for it")
  func withoutPlain() async throws {
    for mechanisms in [["ANONYMOUS"], ["LOGIN", "AMQPLAIN"], []] {
      let error = try await self.opening([
        .expect(header: .sasl), .respond(header: .sasl), .respond(.saslMechanisms(mechanisms)), .expectEnd(),
      ])
      #expect(error?.code == .mechanismNotOffered)
    }
  }

  @Test("anonymous is configured: PLAIN on offer changes nothing")
  func anonymous() async throws {
    let error = try await self.opening(
      [
        .login(mechanisms: ["PLAIN", "ANONYMOUS"], choosing: "ANONYMOUS"), .expect(header: .amqp), .respond(header: .amqp),
        .expect(.open()), .respond(.open()),
      ], login: .anonymous)
    #expect(error == nil)
  }

  @Test("a server that speaks AMQP 0-9-1 answers with its header")
  func otherVersion() async throws {
    let error = try await self.opening([.expect(header: .sasl), .respond(header: .amqp091), .drop()])
    #expect(error?.code == .protocolViolated)
  }

  @Test("a server that answers SASL with the AMQP header, TLS, HTTP, or nothing but noise")
  func otherProtocols() async throws {
    let answers: [[UInt8]] = [
      PeerHeader.amqp.bytes, [0x15, 0x03, 0x01, 0, 2, 2, 0x46, 0], Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8),
      (0..<64).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) },
    ]
    for answer in answers {
      let error = try await self.opening([.expect(header: .sasl), .sendRaw(answer), .drop()])
      #expect([.protocolViolated, .loginRefused].contains(error?.code))
    }
  }

  @Test("cut after so many frames of ours: each time the same error, and never a wait", arguments: 1...3)
  func cutWhileOpening(_ frames: Int) async throws {
    let script: [[PeerStep]] = [
      [.expect(header: .sasl), .respond(header: .sasl), .respond(.saslMechanisms(["PLAIN"])), .dropAfter(frames: 1)],
      [.login(), .expect(header: .amqp), .respond(header: .amqp), .dropAfter(frames: 1)],
      [.expect(header: .sasl), .reset()],
    ]
    let error = try await self.opening(script[frames - 1])
    #expect(error?.code == .connectionLost)
    #expect(error?.isRetriable == true)
  }

  @Test("no permission for the virtual host, as RabbitMQ 3.10 says it: Open, and then Close")
  func noPermission() async throws {
    try await ScriptedPeer.withPeer([
      .opening(), .close(AMQPCondition(AMQPCondition.unauthorizedAccess, text: "vhost refused")),
    ]) { peer in
      let connection = try await AMQPConnection.open(peer.clientConfiguration())
      let reason = try await connection.waitUntilClosed()
      #expect(reason.code == .unauthorized)
      #expect(!reason.isRetriable)
    }
  }

  @Test(
    "closed by the peer, with its words",
    arguments: [
      AMQPCondition(AMQPCondition.connectionForced, text: "maintenance"),
      AMQPCondition("amqp:connection:redirect", text: "elsewhere", info: ["network-host": "other.example", "port": .uint(5671)]),
      AMQPCondition(AMQPCondition.internalError),
    ])
  func closed(_ condition: AMQPCondition) async throws {
    try await ScriptedPeer.withPeer([.opening(), .sender(), .expect(.transfer()), .close(condition)], ignoring: unasked) { peer in
      let connection = try await AMQPConnection.open(peer.clientConfiguration())
      let sender = try await connection.openSender(to: "/queues/q")
      guard case .unknown(.lost(let lost)) = try await sender.send(.test("a")) else {
        Issue.record("an outcome came")
        return
      }
      let reason = try await connection.waitUntilClosed()
      #expect(reason.code == .connectionClosedByPeer)
      #expect(reason.condition?.name == condition.name)
      #expect(reason.condition?.text == condition.text)
      #expect(lost.condition?.name == condition.name)
      #expect(reason.isRetriable)
    }
  }

  @Test("a frame larger than we have announced is a broken rule")
  func largeFrame() async throws {
    try await withConnection([
      .opening(), .receiver(), .respond(.transfer(.test("a", size: 100_000))), .expect(.close(error: AMQPCondition.framingError)),
    ]) { _, connection in
      _ = try await connection.openReceiver(from: "/queues/q")
      #expect(try await connection.waitUntilClosed().code == .protocolViolated)
    }
  }

  @Test("bytes that are no frame, in mid-stream")
  func garbage() async throws {
    for bytes in [Array("no frame at all".utf8), [0, 0, 0, 7, 2, 0, 0, 0], [0, 0, 0, 12, 2, 0, 0, 0, 0, 0x53, 0xff, 0x45]] {
      try await withConnection([.opening(), .receiver(), .sendRaw(bytes), .drop()]) { _, connection in
        _ = try await connection.openReceiver(from: "/queues/q")
        #expect([.protocolViolated, .connectionLost].contains(try await connection.waitUntilClosed().code))
      }
    }
  }

  @Test("a frame that is cut in the middle")
  func halfFrame() async throws {
    let frame = PeerFrame(.flow, fields: [.uint(0), .uint(1), .uint(0), .uint(1)]).encoded
    try await withConnection([.opening(), .receiver(), .sendRaw(Array(frame.prefix(11))), .drop()]) { _, connection in
      _ = try await connection.openReceiver(from: "/queues/q")
      #expect(try await connection.waitUntilClosed().code == .connectionLost)
    }
  }

  @Test("a peer that falls silent is found out by the idle timeout")
  func silence() async throws {
    try await ScriptedPeer.withPeer([.opening(), .sender(), .expect(.transfer()), .silence()], ignoring: unasked) { peer in
      let connection = try await AMQPConnection.open(peer.clientConfiguration(idleTimeout: .seconds(2)))
      let sender = try await connection.openSender(to: "/queues/q")
      guard case .unknown(.lost(let lost)) = try await sender.send(.test("a")) else {
        Issue.record("an outcome came")
        return
      }
      #expect(lost.code == .peerSilent)
      #expect(try await connection.waitUntilClosed().code == .peerSilent)
    }
  }

  @Test("heartbeats alone keep a connection, and a peer that asks for them gets them")
  func heartbeats() async throws {
    let beats = Array(repeating: [PeerStep.pause(.milliseconds(500)), .heartbeat()], count: 6).flatMap(\.self)
    try await withConnection(
      [.opening(idleTimeout: 1_000), .sender()] + beats + [.expect(.transfer()), .respond(.disposition(.accepted))],
      change: { $0.idleTimeout = .seconds(2) }
    ) { _, connection in
      let sender = try await connection.openSender(to: "/queues/q")
      // The answer comes after more than the idle timeout.
      #expect(try await sender.send(.test("a")) == .accepted)
    }
  }

  @Test("a peer that does not answer Close: closing is bounded")
  func unansweredClose() async throws {
    try await ScriptedPeer.withPeer([.opening(), .expect(.close()), .silence()]) { peer in
      let connection = try await AMQPConnection.open(peer.clientConfiguration())
      await connection.close(within: .seconds(5))
      #expect(connection.closedReason != nil)
      await connection.close()
    }
  }
}
