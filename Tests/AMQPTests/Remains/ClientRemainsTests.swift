// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

/// The same for a client, which keeps connections, senders and receivers going in tasks of its own.
@Suite("However a client ends, nothing of it is left")
struct ClientRemainsTests {
  private struct Thrown: Error {}
  private let message = AMQPMessage(properties: AMQPProperties(messageID: "m"), body: .data([1]))

  private func leavesNothing(
    _ manners: PlayedBus.Manners = PlayedBus.Manners(), queued: Int = 0,
    _ body: (PlayedBusHandle, AMQPClientConfiguration) async throws -> Void
  ) async throws {
    try await PlayedBusHandle.run(manners) { bus in
      try await bus.put((0..<queued).map { "m\($0)" }, in: "q")
      try await Remains.none { containerID in
        var configuration = bus.configuration()
        configuration.endpoints[0].containerID = containerID
        try await body(bus, configuration)
      }
      #expect(try Remains.descriptors(to: bus.port) == 0)
      let sight = try await bus.see { $0.connections == 0 }
      #expect(sight.unsettled == 0)
      #expect(sight.waiting["q", default: 0] + sight.count(.accepted) == queued)
    }
  }

  @Test("breaking out of the loop: when the closure returns, all but what was accepted lies in the queue again")
  func breaking() async throws {
    try await self.leavesNothing(queued: 20) { bus, configuration in
      try await AMQPClient(configuration).withClient { client in
        try await client.withReceiver(from: "q", credit: 10) { deliveries in
          var taken = 0
          for try await delivery in deliveries {
            taken += 1
            if taken == 3 { break }
            try delivery.accept()
          }
        }
        // The client goes on, and the link is gone.
        let sight = try await bus.see { $0.receivers["q"] == nil }
        #expect(sight.unsettled == 0)
        #expect(sight.waiting["q"] == 18)
        _ = try await client.send(self.message, to: "s")
      }
    }
  }

  @Test("cancelling the task that runs it, with sends, receivers, handlers and requests under way")
  func cancelled() async throws {
    var manners = PlayedBus.Manners()
    manners.answers = false
    try await self.leavesNothing(manners, queued: 5) { bus, configuration in
      let client = AMQPClient(configuration)
      let running = Task { try await client.run() }
      let work = Task {
        await withTaskGroup(of: Void.self) { group in
          group.addTask { _ = try? await client.send(self.message, to: "s") }
          group.addTask {
            var policy = AMQPProcessPolicy()
            policy.stopWithin = .milliseconds(50)
            // Handlers that end when they are cancelled, and not before.
            _ = try? await client.process(from: "q", maxConcurrent: 2, policy: policy) { _ in try await OneShot<Void>().wait() }
          }
          group.addTask {
            try? await client.withReceiver(from: "empty") { deliveries in
              for try await _ in deliveries {}
            }
          }
          group.addTask {
            _ = try? await client.request(self.message, to: "r", replyTo: .queue("answers"), timeout: .seconds(600))
          }
          await group.waitForAll()
        }
      }
      try await bus.see { $0.arrived.count == 2 && $0.unsettled >= 2 && $0.receivers["empty"] == 1 }
      running.cancel()
      _ = await running.result
      #expect(try Remains.descriptors(to: bus.port) == 0, "when run() returns, no descriptor is left")
      await work.value
    }
  }

  @Test("cancelling the task that receives; the client goes on")
  func receiverCancelled() async throws {
    try await self.leavesNothing(queued: 5) { bus, configuration in
      try await AMQPClient(configuration).withClient { client in
        let receiving = Task {
          try await client.withReceiver(from: "q", credit: 3) { deliveries in
            for try await _ in deliveries {}
          }
        }
        try await bus.see { $0.unsettled == 3 }
        receiving.cancel()
        _ = await receiving.result
        let sight = try await bus.see { $0.receivers["q"] == nil }
        #expect(sight.waiting["q"] == 5)
        _ = try await client.send(self.message, to: "s")
      }
    }
  }

  @Test("shutting down twice, then from ten tasks at once, then again")
  func twice() async throws {
    try await self.leavesNothing(queued: 2) { bus, configuration in
      let client = AMQPClient(configuration)
      let running = Task { try await client.run() }
      _ = try await client.send(self.message, to: "s")
      let receiving = Task {
        try await client.withReceiver(from: "q") { deliveries in
          for try await delivery in deliveries { try delivery.accept() }
        }
      }
      try await bus.see { $0.count(.accepted) == 2 }
      await client.shutdown()
      #expect(try Remains.descriptors(to: bus.port) == 0, "when shutdown() returns, no descriptor is left")
      await client.shutdown()
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<10 { group.addTask { await client.shutdown() } }
      }
      try await running.value
      try await receiving.value
    }
  }

  @Test("while it waits to connect again; a receiver and a sender wait with it", arguments: [false, true])
  func reconnecting(_ isCancelled: Bool) async throws {
    try await self.leavesNothing(queued: 2) { bus, configuration in
      var patient = configuration
      patient.recovery = AMQPRecoveryPolicy(AMQPBackOff(initial: .seconds(600), maximum: .seconds(600)))
      patient.recovery.attemptsPerMinute = 1_000
      let client = AMQPClient(patient)
      let running = Task { try await client.run() }
      _ = try await client.send(self.message, to: "s")
      let receiving = Task {
        try await client.withReceiver(from: "q", credit: 2) { deliveries in
          for try await _ in deliveries {}
        }
      }
      try await bus.see { $0.unsettled == 2 }
      let states = client.states
      try await bus.cut()
      var waiting: Set<AMQPClientState.Subject> = []
      for await state in states {
        if state.phase == .waiting { waiting.insert(state.subject) }
        if waiting.isSuperset(of: [.connection(.sending), .connection(.receiving)]) { break }
      }
      let send = Task { try await client.send(self.message, to: "s") }
      if isCancelled { running.cancel() } else { await client.shutdown() }
      _ = await running.result
      await #expect(throws: AMQPError.self) { try await send.value }
      _ = await receiving.result
    }
  }

  @Test("while it connects, at a peer that accepts and says nothing", arguments: [false, true])
  func connecting(_ isCancelled: Bool) async throws {
    try await SilentPeer.run { peer in
      try await Remains.none { containerID in
        var endpoint = peer.configuration
        endpoint.containerID = containerID
        endpoint.connectTimeout = .seconds(600)
        let client = AMQPClient(AMQPClientConfiguration(endpoint))
        let running = Task { try await client.run() }
        let send = Task { try await client.send(self.message, to: "s", within: .seconds(600)) }
        await peer.waitForConnection()
        if isCancelled { running.cancel() } else { await client.shutdown(within: .milliseconds(300)) }
        _ = await running.result
        await #expect(throws: AMQPError.self) { try await send.value }
      }
      #expect(try Remains.descriptors(to: peer.port) == 0)
    }
  }

  @Test("throwing out of the closures")
  func throwing() async throws {
    try await self.leavesNothing(queued: 3) { _, configuration in
      await #expect(throws: Thrown.self) {
        try await AMQPClient(configuration).withClient { client in
          _ = try await client.send(self.message, to: "s")
          try await client.withReceiver(from: "q", credit: 2) { deliveries in
            for try await _ in deliveries { throw Thrown() }
          }
        }
      }
    }
  }

  @Test("the peer is gone again and again; the connections before the last leave nothing either")
  func peerGone() async throws {
    try await self.leavesNothing(queued: 3) { bus, configuration in
      let owner = configuration.endpoints[0].containerID
      try await AMQPClient(configuration).withClient { client in
        try await client.withReceiver(from: "q", credit: 2) { deliveries in
          for _ in 0..<5 {
            _ = try await client.send(self.message, to: "s")
            _ = try await deliveries.nextBatch()
            let before = try await bus.sight.connectionsEver
            try await bus.cut()
            try await bus.see { $0.connectionsEver >= before + 2 && $0.receivers["q"] == 1 }
          }
          // The keepers; and of what was cut perhaps the last, whose end may still be on its way through the loop.
          #expect(LiveCount.of(owner)[.engine, default: 0] <= 2)
          #expect(LiveCount.of("\(owner)-receiving")[.engine, default: 0] <= 2)
        }
      }
    }
  }
}
