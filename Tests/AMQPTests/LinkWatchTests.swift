// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import Testing

@testable import AMQP

@Suite("Links that stand still, and the end of a connection")
struct LinkWatchTests {
  @Test("a receiver that hears nothing for the quiet time is ended as quiet, counted, and can be attached again at once")
  func quiet() async throws {
    try await LoopbackServer.run { configuration in
      var configuration = configuration
      configuration.quietLinkTimeout = .milliseconds(100)
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 5)
        let error = await #expect(throws: AMQPError.self) { try await receiver.nextBatch() }
        #expect(error?.code == .linkQuiet)
        #expect(error?.isRetriable == true)
        #expect(error?.seen.contains("credit for 5 messages") == true)
        #expect(await connection.statistics().quietLinks == 1)
        let again = try await connection.openReceiver(from: "q", credit: 5)
        #expect(again.epoch > receiver.epoch)
      }
    }
  }

  @Test("one that holds an unsettled delivery is left alone")
  func holding() async throws {
    try await LoopbackServer.run(.sending(1)) { configuration in
      var configuration = configuration
      // Long enough for a loaded machine to bring the delivery first.
      configuration.quietLinkTimeout = .seconds(5)
      configuration.stalledLinkTimeout = .seconds(5)
      try await AMQPConnection.withConnection(configuration) { connection in
        let held = try await connection.openReceiver(from: "q", credit: 1)
        let delivery = try #require(try await held.nextBatch()?.first)
        // The other one's end shows that the watchdog has looked.
        let idle = try await connection.openReceiver(from: "q", credit: 1)
        await #expect(throws: AMQPError.self) { try await idle.nextBatch() }
        try delivery.accept()
      }
    }
  }

  @Test("closing a receiver hands back what nobody took, once, and does not have the bus send more for it")
  func handBack() async throws {
    let outcomes = NIOLockedValueBox<[AMQPOutcome?]>([])
    let isAskedToDrain = NIOLockedValueBox(false)
    var manners = LoopbackServer.Manners.sending(2)
    let send = manners.credited
    manners.credited = { link, credit, drain, connection in
      if drain { isAskedToDrain.withLockedValue { $0 = true } }
      send(link, credit, drain, connection)
    }
    manners.disposed = { delivery, _, outcome, settled, connection in
      connection.settle(delivery)
      outcomes.withLockedValue { $0.append(outcome) }
    }
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 10)
        while await connection.statistics().links.first?.buffered != 2 { await Task.yield() }
        await receiver.close()
        await receiver.close()
        #expect(try await receiver.nextBatch() == nil)
        #expect(await connection.statistics().links.isEmpty)
      }
    }
    #expect(outcomes.withLockedValue { $0 } == [.released, .released])
    #expect(isAskedToDrain.withLockedValue { $0 } == false)
  }

  @Test("closing three times at once is one close, of a receiver and of a connection")
  func boundedClose() async throws {
    var manners = LoopbackServer.Manners()
    manners.credited = { _, _, _, _ in }
    try await LoopbackServer.run(manners) { configuration in
      let connection = try await AMQPConnection.open(configuration)
      let receiver = try await connection.openReceiver(from: "q", credit: 10)
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<3 { group.addTask { await receiver.close(within: .seconds(30)) } }
      }
      #expect(try await receiver.nextBatch() == nil)
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<3 { group.addTask { await connection.close(within: .seconds(30)) } }
      }
      #expect(connection.closedReason?.code == .connectionClosed)
    }
  }

  @Test("more links than the limit: refused with a code of its own, and room again when one is closed")
  func limit() async throws {
    try await LoopbackServer.run { configuration in
      var configuration = configuration
      configuration.maximumLinks = 2
      try await AMQPConnection.withConnection(configuration) { connection in
        let first = try await connection.openSender(to: "a")
        _ = try await connection.openSender(to: "b")
        let error = await #expect(throws: AMQPError.self) { try await connection.openSender(to: "c") }
        #expect(error?.code == .tooManyLinks)
        await first.close()
        _ = try await connection.openSender(to: "c")
      }
    }
  }

  @Test("a consumer that holds its thread costs no heartbeat: the loop is another thread", .timeLimit(.minutes(5)))
  func blockedConsumer() async throws {
    var manners = LoopbackServer.Manners.sending(1)
    // Told to us as half of it: we must be heard from within 2 s, and it must be heard within 2 s by us.
    manners.idleTimeoutMilliseconds = 4_000
    try await LoopbackServer.run(manners) { configuration in
      var configuration = configuration
      configuration.idleTimeout = .seconds(4)
      let connection = try await AMQPConnection.open(configuration)
      let receiver = try await connection.openReceiver(from: "q", credit: 1)
      let delivery = try #require(try await receiver.nextBatch()?.first)
      // The handler is at work, and does not come back until several idle times have passed: no thread of the pool is held
      // here, but none is needed either, for what counts is that nobody calls into the library.
      let before = await connection.statistics()
      try await Task.sleep(for: .seconds(9))
      let after = await connection.statistics()
      #expect(connection.closedReason == nil)
      #expect(after.links.first?.unsettled == 1)
      #expect((after.openFor ?? .zero) > (before.openFor ?? .zero))
      #expect((after.lastFrameReceivedAge ?? .seconds(99)) < .seconds(8))
      try delivery.accept()
      await connection.close()
    }
  }
}
