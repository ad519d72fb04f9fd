// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Testing

@testable import AMQP

@Suite("A connection, over loopback")
struct ConnectionTests {
  private let message = AMQPMessage(body: .data([1, 2, 3]))

  @Test("a peer that wants heartbeats sooner than we do gets them")
  func heartbeats() async throws {
    var manners = LoopbackServer.Manners()
    // Told to us as half of it.
    manners.idleTimeoutMilliseconds = 6_000
    try await StagedConnection.run(manners) { staged in
      let before = try await staged.bytesToServer
      await staged.pass(.minutes(10))
      #expect(staged.connection.closedReason == nil)
      // Empty frames of 8 bytes, one in three seconds at least.
      #expect(try await staged.bytesToServer - before >= 200 * 8)
      // The peer does end it when it hears nothing.
      try await staged.cut(fromClient: true)
      await staged.pass(.seconds(15))
      #expect(staged.connection.closedReason != nil)
    }
  }

  @Test("a peer that falls silent is found out at the idle timeout, and not before")
  func silence() async throws {
    try await StagedConnection.run(LoopbackServer.Manners(), { $0.idleTimeout = .seconds(60) }) { staged in
      await staged.pass(.minutes(10))
      #expect(staged.connection.closedReason == nil)
      try await staged.cut(fromClient: false)
      await staged.pass(.seconds(20))
      #expect(staged.connection.closedReason == nil)
      await staged.pass(.seconds(60))
      #expect(staged.connection.closedReason?.code == .peerSilent)
    }
  }

  @Test("no credit: the send ends at its deadline, and is certain not to have left")
  func noCredit() async throws {
    var manners = LoopbackServer.Manners()
    manners.credit = 0
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let sender = try await connection.openSender(to: "q")
        let error = await #expect(throws: AMQPError.self) { try await sender.send(self.message, within: .milliseconds(50)) }
        #expect(error?.code == .noCredit)
      }
    }
  }

  @Test("no outcome: unknown at the deadline, at cancellation, and when the connection is closed")
  func unknown() async throws {
    var manners = LoopbackServer.Manners()
    manners.answers = false
    let (delivered, continuation) = AsyncStream.makeStream(of: Void.self)
    manners.delivered = { continuation.yield() }
    try await LoopbackServer.run(manners) { configuration in
      let connection = try await AMQPConnection.open(configuration)
      let sender = try await connection.openSender(to: "q")
      let cancelled = Task { try await sender.send(self.message) }
      let closed = Task { try await sender.send(self.message) }
      var arrivals = delivered.makeAsyncIterator()
      for _ in 0..<2 { await arrivals.next() }
      // There is credit for certain by now, so that this one leaves at once, however short its time.
      #expect(try await sender.send(self.message, within: .milliseconds(50)) == .unknown(.timedOut))
      cancelled.cancel()
      #expect(try await cancelled.value == .unknown(.cancelled))
      await connection.close(within: .milliseconds(200))
      guard case .unknown(.lost(let error)) = try await closed.value else {
        Issue.record("not unknown")
        return
      }
      #expect(error.code == .connectionClosed)
    }
  }

  @Test("a cancelled send that waits for credit did not leave")
  func cancelledWhileWaiting() async throws {
    var manners = LoopbackServer.Manners()
    manners.credit = 0
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let sender = try await connection.openSender(to: "q")
        let send = Task { try await sender.send(self.message) }
        send.cancel()
        let error = await #expect(throws: AMQPError.self) { try await send.value }
        #expect(error?.code == .cancelled)
      }
    }
  }

  @Test("an attach that is not answered ends at its deadline; the connection closes all the same")
  func attachUnanswered() async throws {
    var manners = LoopbackServer.Manners()
    manners.answersAttach = false
    try await LoopbackServer.run(manners) { configuration in
      let connection = try await AMQPConnection.open(configuration)
      let error = await #expect(throws: AMQPError.self) { try await connection.openSender(to: "q", within: .milliseconds(50)) }
      #expect(error?.code == .attachTimedOut)
      await connection.close()
    }
  }

  @Test("a peer that accepts TCP and says nothing: the deadline of connecting")
  func silentPeer() async throws {
    let server = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup).bind(host: "127.0.0.1", port: 0).get()
    var configuration = AMQPConnectionConfiguration(
      host: "127.0.0.1", port: server.localAddress?.port ?? 0, encryption: .none, login: .anonymous, containerID: "test")
    configuration.connectTimeout = .milliseconds(200)
    let silent = configuration
    let error = await #expect(throws: AMQPError.self) { try await AMQPConnection.open(silent) }
    #expect(error?.code == .connectTimedOut)
    try await server.close()
  }

  @Test("1,000 sends at once through a window of 10")
  func manySends() async throws {
    try await LoopbackServer.run { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let sender = try await connection.openSender(to: "q")
        let accepted = try await withThrowingTaskGroup(of: AMQPOutcome.self) { group in
          for _ in 0..<1_000 { group.addTask { try await sender.send(self.message) } }
          return try await group.reduce(0) { $0 + ($1.isAccepted ? 1 : 0) }
        }
        #expect(accepted == 1_000)
      }
    }
  }

  @Test("every code has its own words")
  func words() {
    let codes = AMQPError.Code.all
    #expect(Set(codes.map(\.text)).count == codes.count)
    let texts = codes.map { AMQPError($0, .link, .local, tried: "t", seen: "s").explanation.meaning }
    #expect(Set(texts).count == codes.count)
  }
}
