// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import Testing

@testable import AMQP

@Suite("A client's life, over loopback")
struct ClientLifeTests {
  private let message = AMQPMessage(body: .data([1]))

  @Test("leaving gracefully: sends and receivers under way end first; then no connection is left")
  func graceful() async throws {
    var manners = PlayedBus.Manners()
    manners.answers = false
    try await PlayedBusHandle.run(manners) { bus in
      let client = AMQPClient(bus.configuration())
      let running = Task { try await client.run() }
      let send = Task { try await client.send(self.message, to: "q") }
      let receiving = Task {
        try await client.withReceiver(from: "r") { deliveries in
          for try await _ in deliveries {}
        }
      }
      try await bus.see { $0.arrived.count == 1 && $0.receivers["r"] == 1 }
      let leaving = Task { await client.shutdown() }
      // The loop ends by itself, without an error.
      try await receiving.value
      let error = await #expect(throws: AMQPError.self) { try await client.send(self.message, to: "q") }
      #expect(error?.code == .clientStopped)
      // The send that is under way is waited for; here it never gets an outcome, so we end it.
      send.cancel()
      #expect(try await send.value == .unknown(.cancelled))
      await leaving.value
      try await running.value
      try await bus.see { $0.connections == 0 }
    }
  }

  @Test("the one deadline: work that does not end is left behind, what is in flight is unknown")
  func deadline() async throws {
    var manners = PlayedBus.Manners()
    manners.answers = false
    try await PlayedBusHandle.run(manners) { bus in
      var configuration = bus.configuration()
      configuration.shutdownDeadline = .milliseconds(200)
      let client = AMQPClient(configuration)
      let running = Task { try await client.run() }
      let send = Task { try await client.send(self.message, to: "q") }
      try await bus.see { $0.arrived.count == 1 }
      await client.shutdown()
      guard case .unknown(.lost) = try await send.value else {
        Issue.record("not unknown")
        return
      }
      try await running.value
      try await bus.see { $0.connections == 0 }
    }
  }

  @Test("closing twice, closing at once from many tasks, closing what never ran")
  func twice() async throws {
    try await PlayedBusHandle.run { bus in
      let client = AMQPClient(bus.configuration())
      let running = Task { try await client.run() }
      _ = try await client.send(self.message, to: "q")
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<10 { group.addTask { await client.shutdown() } }
      }
      await client.shutdown()
      try await running.value
      let never = AMQPClient(bus.configuration())
      await never.shutdown()
      try await never.run()
      let error = await #expect(throws: AMQPError.self) { try await never.send(self.message, to: "q") }
      #expect(error?.code == .clientStopped)
      try await bus.see { $0.connections == 0 }
    }
  }

  @Test("closing while it reconnects, and while it connects")
  func whileReconnecting() async throws {
    var down = AMQPConnectionConfiguration(
      host: "127.0.0.1", port: 1, encryption: .none, login: .anonymous, containerID: "test")
    down.connectTimeout = .seconds(60)
    var configuration = AMQPClientConfiguration(down)
    configuration.recovery = AMQPRecoveryPolicy(AMQPBackOff(initial: .seconds(600), maximum: .seconds(600)))
    let client = AMQPClient(configuration)
    let states = client.states
    let running = Task { try await client.run() }
    for await state in states where state.phase == .waiting { break }
    await client.shutdown()
    try await running.value
    // A bus that takes the connection and says nothing.
    var manners = PlayedBus.Manners()
    manners.answersAttach = false
    try await PlayedBusHandle.run(manners) { bus in
      let client = AMQPClient(bus.configuration())
      let running = Task { try await client.run() }
      let send = Task { try await client.send(self.message, to: "q") }
      try await bus.see { $0.attachesEver == 1 }
      running.cancel()
      try await running.value
      await #expect(throws: AMQPError.self) { _ = try await send.value }
      try await bus.see { $0.connections == 0 }
    }
  }

  @Test("as a service in a group: graceful shutdown ends it, and the sequences with it")
  func service() async throws {
    try await PlayedBusHandle.run { bus in
      let client = AMQPClient(bus.configuration())
      let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
      let group = ServiceGroup(services: [client], logger: logger)
      let running = Task { try await group.run() }
      let receiving = Task {
        try await client.withReceiver(from: "r") { deliveries in
          for try await _ in deliveries {}
        }
      }
      try await bus.see { $0.receivers["r"] == 1 }
      await group.triggerGracefulShutdown()
      try await receiving.value
      try await running.value
      try await bus.see { $0.connections == 0 }
    }
  }

  @Test("a configuration that cannot work is refused before anything is tried")
  func invalid() async throws {
    for change in [
      { $0.endpoints = [] }, { $0.shutdownDeadline = .zero }, { $0.recovery.attemptsPerMinute = 0 }, { $0.maximumSenders = 0 },
    ] as [@Sendable (inout AMQPClientConfiguration) -> Void] {
      var configuration = AMQPClientConfiguration(
        AMQPConnectionConfiguration(host: "localhost", encryption: .none, login: .anonymous, containerID: "test"))
      change(&configuration)
      let invalid = configuration
      let error = await #expect(throws: AMQPError.self) { try await AMQPClient(invalid).run() }
      #expect(error?.code == .configurationInvalid)
    }
  }
}
