// SPDX-License-Identifier: Apache-2.0

import Dispatch
import NIOConcurrencyHelpers
import Testing

@testable import AMQP

@Suite("Links that stand still, and the end of a connection")
struct LinkWatchTests {
  @Test("a receiver that hears nothing for the quiet time is ended as quiet, counted, and can be attached again at once")
  func quiet() async throws {
    try await StagedConnection.run { staged in
      let connection = staged.connection
      let receiver = try await connection.openReceiver(from: "q", credit: 5)
      await staged.pass(.seconds(590))
      #expect(await connection.statistics().quietLinks == 0)
      await staged.pass(.seconds(60))
      let error = await #expect(throws: AMQPError.self) { try await receiver.nextBatch() }
      #expect(error?.code == .linkQuiet)
      #expect(error?.isRetriable == true)
      #expect(error?.seen.contains("credit for 5 messages") == true)
      #expect(await connection.statistics().quietLinks == 1)
      let again = try await connection.openReceiver(from: "q", credit: 5)
      #expect(again.epoch > receiver.epoch)
    }
  }

  @Test("one that holds an unsettled delivery is left alone")
  func holding() async throws {
    try await StagedConnection.run(.sending(1)) { staged in
      let held = try await staged.connection.openReceiver(from: "q", credit: 1)
      let delivery = try #require(try await held.nextBatch()?.first)
      // The other one's end shows that the watchdog has looked.
      let idle = try await staged.connection.openReceiver(from: "q", credit: 1)
      await staged.pass(.minutes(20))
      await #expect(throws: AMQPError.self) { try await idle.nextBatch() }
      try delivery.accept()
      #expect(await staged.connection.statistics().links.map(\.epoch) == [held.epoch])
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

  @Test("a handler that holds its thread for five minutes costs no heartbeat: the loop never runs a caller's code")
  func blockedHandler() async throws {
    var manners = LoopbackServer.Manners.sending(1)
    // Told to us as half of it: we must be heard every 2 s, and it must be heard by us.
    manners.idleTimeoutMilliseconds = 4_000
    try await StagedConnection.run(manners, { $0.idleTimeout = .seconds(4) }) { staged in
      let connection = staged.connection
      let receiver = try await connection.openReceiver(from: "q", credit: 1)
      let (isHeld, gate) = (OneShot<Void>(), DispatchSemaphore(value: 0))
      let handling = Task(executorPreference: OwnThread()) {
        let delivery = try #require(try await receiver.nextBatch()?.first)
        isHeld.fulfil(())
        holdThread(gate)
        try delivery.accept()
      }
      try await isHeld.wait()
      let before = try await staged.bytesToServer
      await staged.pass(.minutes(5))
      #expect(connection.closedReason == nil)
      let statistics = await connection.statistics()
      #expect(statistics.links.first?.unsettled == 1)
      #expect(try #require(statistics.openFor) >= .seconds(300))
      #expect(try #require(statistics.lastFrameReceivedAge) <= .seconds(4))
      // Empty frames of 8 bytes, one in two seconds at least.
      #expect(try await staged.bytesToServer - before >= 150 * 8)
      gate.signal()
      try await handling.value
      #expect(await connection.statistics().links.first?.unsettled == 0)
    }
  }
}

/// Runs what prefers it on a thread that nothing else needs.
private final class OwnThread: TaskExecutor {
  private let queue = DispatchQueue(label: "handler")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    self.queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}

private func holdThread(_ gate: DispatchSemaphore) { gate.wait() }
