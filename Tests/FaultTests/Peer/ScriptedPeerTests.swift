// SPDX-License-Identifier: Apache-2.0

import AMQP
import Testing
import TjenestebussTesting

@Suite("The scripted peer itself", .timeLimit(.minutes(3)))
struct ScriptedPeerTests {
  @Test("a script that is followed")
  func followed() async throws {
    try await ScriptedPeer.withPeer([
      .opening(), .sender(to: "/queues/q", credit: 1), .expect(.transfer(messageID: "m-1")),
      .respond(.disposition(.released)),
    ]) { peer in
      try await AMQPConnection.withConnection(peer.clientConfiguration()) { connection in
        let sender = try await connection.openSender(to: "/queues/q")
        #expect(try await sender.send(.test("m-1")) == .released)
      }
      #expect(peer.connectionCount == 1)
    }
  }

  @Test("a client that does something else: the script's words, not the client's")
  func mismatch() async throws {
    let error = await #expect(throws: ScriptedPeerError.self) {
      try await ScriptedPeer.withPeer([.opening(), .sender(to: "/queues/other")]) { peer in
        try await AMQPConnection.withConnection(peer.clientConfiguration()) { connection in
          _ = try await connection.openSender(to: "/queues/q")
        }
      }
    }
    #expect(error?.code == .mismatch)
    #expect(error?.tried.contains("address \"/queues/other\"") == true)
    #expect(error?.seen.contains("\"/queues/q\"") == true)
  }

  @Test("what was not reached is told, step by step")
  func notReached() async throws {
    let peer = try await ScriptedPeer.start(connections: [[.opening(), .sender()], [.opening()]])
    let connection = try await AMQPConnection.open(peer.clientConfiguration())
    let error = await #expect(throws: ScriptedPeerError.self) { try await peer.verify(within: .milliseconds(20)) }
    #expect(error?.code == .notReached)
    #expect(error?.seen.contains("expect begin") == true)
    #expect(error?.seen.contains("expect attach with role false") == true)
    #expect(error?.seen.contains("connection 2 did not come") == true)
    await peer.stop()
    await peer.stop()
    #expect(try await connection.waitUntilClosed().isRetriable)
  }

  @Test("a client that does nothing: the step's own patience")
  func impatient() async throws {
    let peer = try await ScriptedPeer.start(connections: [[.opening(), .session()]], patience: .milliseconds(300))
    let connection = try? await AMQPConnection.open(peer.clientConfiguration())
    let error = await #expect(throws: ScriptedPeerError.self) { try await peer.verify() }
    #expect(error?.code == .timedOut)
    await connection?.close()
    await peer.stop()
  }

  @Test("each connection has its script; one too many is ended")
  func connections() async throws {
    try await ScriptedPeer.withPeer(connections: [[.opening(), .drop()], [.opening()]]) { peer in
      let first = try await AMQPConnection.open(peer.clientConfiguration())
      #expect(try await first.waitUntilClosed().code == .connectionLost)
      let second = try await AMQPConnection.open(peer.clientConfiguration())
      await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.open(peer.clientConfiguration()) }
      await second.close()
      #expect(peer.connectionCount == 3)
    }
  }

  @Test("a hold that no script comes to")
  func unheld() async throws {
    try await ScriptedPeer.withPeer([.hold("end"), .drop()]) { peer in
      let error = await #expect(throws: ScriptedPeerError.self) { try await peer.waitUntilHeld("no", within: .milliseconds(20)) }
      #expect(error?.code == .notReached)
      peer.release("end")
      _ = await failure { _ = try await AMQPConnection.open(peer.clientConfiguration()) }
    }
  }
}
