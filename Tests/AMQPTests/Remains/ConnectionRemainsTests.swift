// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Testing

@testable import AMQP

/// Each ends a connection in another way, and then counts: 0 tasks, 0 parts of a connection (Proton's engine among them),
/// 0 descriptors, 0 unsettled; and no message is anywhere but accepted or back in its queue.
@Suite("However a connection ends, nothing of it is left")
struct ConnectionRemainsTests {
  private struct Thrown: Error {}
  private let message = AMQPMessage(body: .data([1]))

  private func leavesNothing(
    _ manners: PlayedBus.Manners = PlayedBus.Manners(), queued: Int = 0,
    _ body: (PlayedBusHandle, AMQPConnectionConfiguration) async throws -> Void
  ) async throws {
    try await PlayedBusHandle.run(manners) { bus in
      try await bus.put((0..<queued).map { "m\($0)" }, in: "q")
      try await Remains.none { containerID in
        var configuration = bus.connection
        configuration.containerID = containerID
        try await body(bus, configuration)
      }
      #expect(try Remains.descriptors(to: bus.port) == 0)
      let sight = try await bus.see { $0.connections == 0 }
      #expect(sight.unsettled == 0)
      #expect(sight.waiting["q", default: 0] + sight.count(.accepted) == queued)
    }
  }

  @Test("the counting sees what is there: a descriptor, parts, and what is not settled")
  func sees() async throws {
    try await PlayedBusHandle.run { bus in
      try await bus.put(["a"], in: "q")
      var configuration = bus.connection
      configuration.containerID = "seen-\(UInt64.random(in: .min ... .max))"
      let owner = configuration.containerID
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 1)
        let delivery = try #require(try await receiver.nextBatch()?.first)
        #expect(try Remains.descriptors(to: bus.port) == 1)
        let parts: [LiveCount.Kind: Int] = [.connection: 1, .core: 1, .login: 1, .handler: 1, .engine: 1]
        #expect(LiveCount.of(owner) == parts)
        #expect(try await bus.sight.unsettled == 1)
        try delivery.accept()
      }
    }
  }

  @Test("breaking out of the loop, with deliveries taken, waiting and not settled")
  func breaking() async throws {
    try await self.leavesNothing(queued: 20) { bus, configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        try await connection.withReceiver(from: "q", credit: 10) { receiver in
          var taken = 0
          for try await delivery in receiver {
            taken += 1
            if taken < 3 { try delivery.accept() }
            // The third is held, and never settled.
            if taken == 3 { break }
          }
        }
      }
    }
  }

  @Test("cancelling the task that reads, sends, attaches and drains")
  func cancelled() async throws {
    var manners = PlayedBus.Manners()
    manners.answers = false
    manners.credit = 1
    try await self.leavesNothing(manners, queued: 5) { bus, configuration in
      let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
      let task = Task {
        try await AMQPConnection.withConnection(configuration) { connection in
          let receiver = try await connection.openReceiver(from: "q", credit: 2)
          let sender = try await connection.openSender(to: "s")
          try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for try await _ in receiver { beginning.yield() } }
            // One is in flight, the others have no credit.
            for _ in 0..<3 { group.addTask { _ = try await sender.send(self.message) } }
            try await group.waitForAll()
          }
        }
      }
      var news = begun.makeAsyncIterator()
      for _ in 0..<2 { await news.next() }
      try await bus.see { $0.arrived.count == 1 }
      task.cancel()
      _ = await task.result
    }
  }

  @Test("closing twice, then from ten tasks at once, then again")
  func twice() async throws {
    try await self.leavesNothing(queued: 3) { bus, configuration in
      let connection = try await AMQPConnection.open(configuration)
      let receiver = try await connection.openReceiver(from: "q", credit: 5)
      try await bus.see { $0.unsettled == 3 }
      await receiver.close()
      await receiver.close()
      await connection.close()
      await connection.close()
      #expect(try Remains.descriptors(to: bus.port) == 0, "when close() returns, its descriptor is gone")
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<10 { group.addTask { await connection.close() } }
      }
      await receiver.close()
    }
  }

  @Test("throwing out of every closure")
  func throwing() async throws {
    try await self.leavesNothing(queued: 3) { bus, configuration in
      await #expect(throws: Thrown.self) {
        try await AMQPConnection.withConnection(configuration) { connection in
          try await connection.withSender(to: "s") { sender in
            _ = try await sender.send(self.message)
            try await connection.withReceiver(from: "q", credit: 2) { receiver in
              _ = try await receiver.nextBatch()
              throw Thrown()
            }
          }
        }
      }
    }
  }

  @Test("the peer is gone: cut, and closed with a reason", arguments: [false, true])
  func peerGone(_ isClosed: Bool) async throws {
    try await self.leavesNothing(queued: 3) { bus, configuration in
      let connection = try await AMQPConnection.open(configuration)
      let receiver = try await connection.openReceiver(from: "q", credit: 2)
      let sender = try await connection.openSender(to: "s")
      try await bus.see { $0.unsettled == 2 }
      try await bus.change { $0.answers = false }
      async let outcome = sender.send(self.message)
      try await bus.see { $0.arrived.count == 1 }
      if isClosed { try await bus.close(AMQPCondition("amqp:connection:forced")) } else { try await bus.cut() }
      _ = try await connection.waitUntilClosed()
      guard case .unknown = try await outcome else {
        Issue.record("not unknown")
        return
      }
      #expect(try Remains.descriptors(to: bus.port) == 0)
      await receiver.close()
      await connection.close()
    }
  }

  @Test("the peer takes link and session away while things are under way", arguments: [false, true])
  func linkGone(_ isSession: Bool) async throws {
    try await self.leavesNothing(queued: 4) { bus, configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 2)
        let batch = try #require(try await receiver.nextBatch())
        if isSession { try await bus.endSessions(of: "q") } else { try await bus.detach("q") }
        await #expect(throws: AMQPError.self) { while try await receiver.nextBatch() != nil {} }
        for delivery in batch { #expect(throws: AMQPError.self) { try delivery.accept() } }
        await receiver.close()
        // The connection goes on.
        let again = try await connection.openReceiver(from: "q", credit: 1)
        try #require(try await again.nextBatch()?.first).accept()
      }
    }
  }

  @Test("while connecting: cancelled, and at the deadline, with a peer that accepts and says nothing", arguments: [false, true])
  func connecting(_ isCancelled: Bool) async throws {
    try await SilentPeer.run { peer in
      try await Remains.none { containerID in
        var configuration = peer.configuration
        configuration.containerID = containerID
        configuration.connectTimeout = isCancelled ? .seconds(600) : .milliseconds(50)
        let silent = configuration
        let opening = Task { try await AMQPConnection.open(silent) }
        if isCancelled {
          await peer.waitForConnection()
          opening.cancel()
        }
        let error = await #expect(throws: AMQPError.self) { try await opening.value }
        #expect(error?.code == (isCancelled ? .cancelled : .connectTimedOut))
      }
      #expect(try Remains.descriptors(to: peer.port) == 0)
    }
  }

  @Test("a login that is refused, and a port where nobody listens")
  func refused() async throws {
    var manners = PlayedBus.Manners()
    manners.login = { _ in false }
    try await self.leavesNothing(manners) { _, configuration in
      let error = await #expect(throws: AMQPError.self) { try await AMQPConnection.open(configuration) }
      #expect(error?.code == .loginRefused)
    }
    let port = try await SilentPeer.run { $0.port }
    try await Remains.none { containerID in
      let nobody = AMQPConnectionConfiguration(
        host: "127.0.0.1", port: port, encryption: .none, login: .anonymous, containerID: containerID)
      await #expect(throws: AMQPError.self) { try await AMQPConnection.open(nobody) }
    }
    #expect(try Remains.descriptors(to: port) == 0)
  }

  @Test("an attach that is never answered, cancelled and closed over")
  func attaching() async throws {
    var manners = PlayedBus.Manners()
    manners.answersAttach = false
    try await self.leavesNothing(manners) { bus, configuration in
      let connection = try await AMQPConnection.open(configuration)
      let cancelled = Task { try await connection.openSender(to: "a") }
      let closedOver = Task { try await connection.openReceiver(from: "b") }
      try await bus.see { $0.attachesEver == 2 }
      cancelled.cancel()
      let error = await #expect(throws: AMQPError.self) { try await cancelled.value }
      #expect(error?.code == .cancelled)
      await connection.close()
      await #expect(throws: AMQPError.self) { try await closedOver.value }
    }
  }
}

/// Accepts TCP connections and says nothing.
struct SilentPeer: Sendable {
  let port: Int
  private let accepted: AsyncStream<Void>

  static func run<Result: Sendable>(_ body: (SilentPeer) async throws -> Result) async throws -> Result {
    let (accepted, accepting) = AsyncStream.makeStream(of: Void.self)
    let server = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
      .childChannelInitializer { channel in
        accepting.yield()
        return channel.eventLoop.makeSucceededVoidFuture()
      }
      .bind(host: "127.0.0.1", port: 0).get()
    do {
      let result = try await body(SilentPeer(port: server.localAddress?.port ?? 0, accepted: accepted))
      try await server.close()
      return result
    } catch {
      try await server.close()
      throw error
    }
  }

  var configuration: AMQPConnectionConfiguration {
    AMQPConnectionConfiguration(
      host: "127.0.0.1", port: self.port, encryption: .none, login: .anonymous, containerID: "test")
  }

  /// Waits for the next one.
  func waitForConnection() async { for await _ in self.accepted { return } }
}
