// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

@Suite("A client sends, over loopback")
struct ClientSendTests {
  private func message(_ id: String = "m") -> AMQPMessage {
    AMQPMessage(properties: AMQPProperties(messageID: .string(id)), body: .data([1]))
  }

  @Test("many sends to one address at once: one attach, all accepted")
  func oneAttach() async throws {
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        try await withThrowingTaskGroup(of: AMQPOutcome.self) { group in
          for number in 0..<200 { group.addTask { try await client.send(self.message("\(number)"), to: "q") } }
          for try await outcome in group { #expect(outcome == .accepted) }
        }
        let sight = try await bus.sight
        #expect(sight.attachesEver == 1)
        #expect(sight.arrived.count == 200)
      }
      try await bus.see { $0.connections == 0 }
    }
  }

  @Test("the link is lost in flight: unknown, never sent again; the next send has a link again")
  func lostInFlight() async throws {
    var manners = PlayedBus.Manners()
    manners.answers = false
    try await PlayedBusHandle.run(manners) { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        async let first = client.send(self.message("first"), to: "q")
        try await bus.see { $0.arrived.count == 1 }
        try await bus.change { $0.answers = true }
        try await bus.detach("q", AMQPCondition("amqp:internal-error"))
        guard case .unknown = try await first else {
          Issue.record("not unknown: \(try await first)")
          return
        }
        let outcome = try await client.send(self.message("second"), to: "q")
        #expect(outcome == .accepted)
        let ids = try await bus.sight.arrived.compactMap { $0.message.properties.messageID?.description }
        #expect(ids == ["first", "second"])
      }
    }
  }

  @Test(
    "link, session or connection lost between sends: the next one finds a new one, and the caller notices nothing",
    arguments: 0..<4)
  func lostBetween(_ kind: Int) async throws {
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        let outcome = try await client.send(self.message(), to: "q")
        #expect(outcome == .accepted)
        switch kind {
        case 0: try await bus.detach("q")
        case 1: try await bus.endSessions(of: "q", AMQPCondition("amqp:internal-error"))
        case 2: try await bus.cut()
        default: try await bus.close(AMQPCondition("amqp:connection:forced", text: "the connection was inactive"))
        }
        for _ in 0..<20 {
          let outcome = try await client.send(self.message(), to: "q")
          if case .unknown = outcome { continue }
          #expect(outcome == .accepted)
          return
        }
        Issue.record("nothing was accepted any more")
      }
    }
  }

  @Test("no such address: thrown at once; the next send asks the bus again, and finds what was made meanwhile")
  func notFound() async throws {
    var manners = PlayedBus.Manners()
    manners.refusal = { _, before in before == 0 ? AMQPCondition("amqp:not-found") : nil }
    try await PlayedBusHandle.run(manners) { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        let error = await #expect(throws: AMQPError.self) { try await client.send(self.message(), to: "q") }
        #expect(error?.code == .notFound)
        let outcome = try await client.send(self.message(), to: "q")
        #expect(outcome == .accepted)
      }
    }
  }

  @Test("no bus: at the deadline the error says what was awaited and how the connection was")
  func unreachable() async throws {
    var configuration = AMQPClientConfiguration(
      AMQPConnectionConfiguration(host: "127.0.0.1", port: 1, encryption: .none, login: .anonymous, containerID: "test"))
    configuration.shutdownDeadline = .seconds(5)
    try await AMQPClient(configuration).withClient { client in
      for await state in client.states where state.phase == .waiting { break }
      let error = await #expect(throws: AMQPError.self) {
        try await client.send(self.message(), to: "q", within: .milliseconds(300))
      }
      #expect(error?.code == .connectTimedOut)
      #expect(error?.seen.contains("sending connection") == true, "\(error?.seen ?? "")")
    }
  }

  @Test("never started: says so, at the deadline")
  func neverStarted() async throws {
    let client = AMQPClient(
      AMQPConnectionConfiguration(host: "127.0.0.1", port: 1, encryption: .none, login: .anonymous, containerID: "test"))
    let error = await #expect(throws: AMQPError.self) {
      try await client.send(self.message(), to: "q", within: .milliseconds(50))
    }
    #expect(error?.seen.contains("run() was not started") == true)
  }

  @Test("the login is refused: run() throws it, and so does every call, without waiting for its deadline")
  func refused() async throws {
    var manners = PlayedBus.Manners()
    manners.login = { _ in false }
    try await PlayedBusHandle.run(manners) { bus in
      let client = AMQPClient(bus.configuration())
      let send = Task { try await client.send(self.message(), to: "q") }
      let run = await #expect(throws: AMQPError.self) { try await client.run() }
      #expect(run?.code == .loginRefused)
      let early = await #expect(throws: AMQPError.self) { try await send.value }
      #expect(early?.code == .loginRefused)
      let later = await #expect(throws: AMQPError.self) { try await client.send(self.message(), to: "q") }
      #expect(later?.code == .loginRefused)
      #expect(client.state(of: .connection(.sending))?.phase == .ended)
    }
  }

  @Test("the first endpoint is down: the second is used")
  func endpoints() async throws {
    try await PlayedBusHandle.run { bus in
      var configuration = bus.configuration()
      var down = bus.connection
      down.port = 1
      configuration.endpoints = [down, bus.connection]
      try await AMQPClient(configuration).withClient { client in
        let outcome = try await client.send(self.message(), to: "q")
        #expect(outcome == .accepted)
      }
    }
  }

  @Test("more addresses than senders are kept: the oldest makes room, no send fails")
  func manyAddresses() async throws {
    try await PlayedBusHandle.run { bus in
      var configuration = bus.configuration()
      configuration.maximumSenders = 5
      try await AMQPClient(configuration).withClient { client in
        for round in 0..<3 {
          for address in 0..<12 {
            let outcome = try await client.send(self.message("\(round)"), to: "q\(address)")
            #expect(outcome == .accepted)
          }
        }
        try await bus.see { $0.senders.values.reduce(0, +) == 5 }
      }
    }
  }

  @Test("a bus that refuses the link: said at once, in its words; it is not asked again and again")
  func refusedLink() async throws {
    var manners = PlayedBus.Manners()
    manners.refusal = { _, _ in AMQPCondition("com.microsoft:entity-disabled") }
    try await PlayedBusHandle.run(manners) { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        let error = await #expect(throws: AMQPError.self) { try await client.send(self.message(), to: "q") }
        #expect(error?.code == .linkRefused)
        #expect(error?.condition?.name == "com.microsoft:entity-disabled")
        let attaches = try await bus.sight.attachesEver
        #expect(attaches == 1)
      }
    }
  }
}
