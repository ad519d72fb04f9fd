// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import Testing

@testable import AMQP

@Suite("A client receives, over loopback")
struct ClientReceiveTests {
  private func ids(_ range: Range<Int>) -> [String] { range.map { "m\($0)" } }

  @Test("link, session and connection are lost in turn: the loop goes on, and nothing is missed")
  func survives() async throws {
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        let seen = try await client.withReceiver(from: "q", credit: 10) { deliveries in
          var seen: Set<String> = []
          for round in 0..<5 {
            try await bus.see { $0.receivers["q"] == 1 }
            try await bus.put(self.ids(round * 10..<(round + 1) * 10), in: "q")
            while seen.count < (round + 1) * 10 {
              guard let batch = try await deliveries.nextBatch() else { break }
              for delivery in batch {
                seen.insert(try delivery.message().properties.messageID?.description ?? "")
                try? delivery.accept()
              }
            }
            try await bus.see { $0.unsettled == 0 && $0.waiting["q"] == 0 }
            switch round {
            case 0: try await bus.detach("q")
            case 1: try await bus.detach("q", AMQPCondition("amqp:link:detach-forced"))
            case 2: try await bus.endSessions(of: "q", AMQPCondition("amqp:internal-error"))
            case 3: try await bus.cut()
            default: break
            }
          }
          return seen
        }
        #expect(seen == Set(self.ids(0..<50)))
      }
      let sight = try await bus.see { $0.connections == 0 }
      #expect(sight.count(.accepted) == 50)
    }
  }

  @Test("a delivery of a link that is gone: settling throws, the loop goes on, the message comes again")
  func oldGeneration() async throws {
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        try await bus.put(["once"], in: "q")
        try await client.withReceiver(from: "q") { deliveries in
          var iterator = deliveries.makeAsyncIterator()
          let first = try #require(try await iterator.next())
          try await bus.cut()
          let again = try #require(try await iterator.next())
          let error = #expect(throws: AMQPError.self) { try first.accept() }
          #expect(error?.code == .settlementLost)
          #expect(try again.message().properties.messageID == "once")
          try again.accept()
        }
        let sight = try await bus.see { $0.unsettled == 0 && $0.waiting["q"] == 0 }
        #expect(sight.outcomes == [.accepted])
      }
    }
  }

  @Test("what was buffered and not taken when the link was lost is not handed out: it would be handled twice")
  func staleBuffer() async throws {
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        try await bus.put(self.ids(0..<10), in: "q")
        let seen = try await client.withReceiver(from: "q", credit: 10) { deliveries in
          try await bus.see { $0.unsettled == 10 }
          try await bus.cut()
          try await bus.see { $0.connectionsEver >= 3 && $0.unsettled == 10 }
          var seen: [String] = []
          for try await delivery in deliveries {
            do throws(AMQPError) { try delivery.accept() } catch { continue }
            seen.append(try delivery.message().properties.messageID?.description ?? "")
            if seen.count == 10 { break }
          }
          return seen
        }
        #expect(Set(seen) == Set(self.ids(0..<10)))
      }
    }
  }

  @Test("drained, nothing more comes until it is resumed; a drain is its link's, and the next link is granted credit again")
  func drain() async throws {
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        try await client.withReceiver(from: "q", credit: 10) { deliveries in
          try await bus.put(["first"], in: "q")
          try #require(try await deliveries.nextBatch()?.first).accept()
          try await bus.see { $0.unsettled == 0 }
          #expect(try await deliveries.drain() == AMQPDrainResult(arrived: 0, creditGivenBack: 9))
          try await bus.put(["a"], in: "q")
          #expect(try await bus.sight.waiting["q"] == 1)
          deliveries.resume()
          #expect(try await deliveries.nextBatch()?.count == 1)
          try await deliveries.drain()
          try await bus.put(["b"], in: "q")
          #expect(try await bus.sight.waiting["q"] == 1)
          try await bus.detach("q")
          let again = try #require(try await deliveries.nextBatch()?.first)
          #expect(try again.message().properties.messageID != nil)
        }
      }
    }
  }

  @Test("without a link there is nothing to drain, and that is said")
  func drainWithoutLink() async throws {
    var manners = PlayedBus.Manners()
    manners.answersAttach = false
    try await PlayedBusHandle.run(manners) { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        try await client.withReceiver(from: "q", credit: 10) { deliveries in
          let error = await #expect(throws: AMQPError.self) { try await deliveries.drain() }
          #expect(error?.code == .linkDetached)
          #expect(error?.isRetriable == true)
        }
      }
    }
  }

  @Test("breaking out of the loop: what was not taken is given back once, the link is detached, nothing is left")
  func breaking() async throws {
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        try await bus.put(self.ids(0..<20), in: "q")
        try await client.withReceiver(from: "q", credit: 5) { deliveries in
          for try await delivery in deliveries {
            try delivery.accept()
            break
          }
        }
        let sight = try await bus.see { $0.receivers["q"] == nil && $0.unsettled == 0 }
        #expect(sight.count(.accepted) == 1)
        // Given back in no loop: no more than the window and what settling one made room for.
        #expect(sight.count(.released) <= 6)
        #expect(sight.waiting["q"] == 19)
        // The client goes on.
        #expect(try await client.send(AMQPMessage(body: .data([1])), to: "other") == .accepted)
      }
    }
  }

  @Test("an error of the closure, and cancelling it, leave nothing")
  func errorAndCancel() async throws {
    struct Fault: Error {}
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        try await bus.put(self.ids(0..<3), in: "q")
        await #expect(throws: Fault.self) {
          try await client.withReceiver(from: "q", credit: 5) { deliveries in
            _ = try await deliveries.nextBatch()
            throw Fault()
          }
        }
        try await bus.see { $0.receivers["q"] == nil && $0.unsettled == 0 && $0.waiting["q"] == 3 }
        let receiving = Task {
          try await client.withReceiver(from: "q", credit: 5) { deliveries in
            for try await _ in deliveries {}
          }
        }
        try await bus.see { $0.unsettled == 3 }
        receiving.cancel()
        _ = await receiving.result
        try await bus.see { $0.receivers["q"] == nil && $0.unsettled == 0 && $0.waiting["q"] == 3 }
        #expect(client.status.allSatisfy { if case .connection = $0.subject { true } else { false } })
      }
    }
  }

  @Test("cancelled while its work ends all the same: the link stays until it has been settled, and it does not come again")
  func cancelledTooLate() async throws {
    try await PlayedBusHandle.run { bus in
      try await bus.put(["m"], in: "q")
      try await AMQPClient(bus.configuration()).withClient { client in
        let begun = OneShot<Void>()
        let gate = OneShot<Void>()
        let work = Task {
          try await client.withReceiver(from: "q") { deliveries in
            let delivery = try #require(try await deliveries.nextBatch()?.first)
            begun.fulfil(())
            // Writing to a database that knows no cancellation.
            await gate.uncancelledValue()
            try delivery.accept()
          }
        }
        try await begun.wait()
        work.cancel()
        // The link, were it closed by the cancellation, would be gone by then.
        for _ in 0..<20 { _ = try await bus.sight }
        gate.fulfil(())
        try await work.value
        let sight = try await bus.see { $0.receivers["q"] == nil }
        #expect(sight.outcomes == [.accepted])
      }
    }
  }

  @Test("batches come whole; settled together")
  func batches() async throws {
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        try await bus.put(self.ids(0..<100), in: "q")
        try await client.withReceiver(from: "q", credit: 20) { deliveries in
          var count = 0
          for try await batch in deliveries.batches {
            count += batch.count
            #expect(deliveries.settle(batch, as: .accepted) == 0)
            if count == 100 { break }
          }
        }
        let sight = try await bus.see { $0.unsettled == 0 }
        #expect(sight.count(.accepted) == 100)
      }
    }
  }

  @Test(
    "no such address: the loop throws it; stolen too: neither is tried again",
    arguments: [
      ("amqp:not-found", AMQPError.Code.notFound), ("amqp:link:stolen", .linkStolen),
      ("amqp:unauthorized-access", .unauthorized),
    ])
  func final(_ condition: String, _ code: AMQPError.Code) async throws {
    var manners = PlayedBus.Manners()
    manners.refusal = { _, _ in AMQPCondition(condition) }
    try await PlayedBusHandle.run(manners) { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        let error = await #expect(throws: AMQPError.self) {
          try await client.withReceiver(from: "q") { deliveries in
            for try await _ in deliveries {}
          }
        }
        #expect(error?.code == code)
        let attaches = try await bus.sight.attachesEver
        #expect(attaches == 1)
      }
    }
  }

  @Test("a queue that is made later is found, where the policy waits for it")
  func madeLater() async throws {
    var manners = PlayedBus.Manners()
    manners.refusal = { _, before in before < 5 ? AMQPCondition("amqp:not-found") : nil }
    try await PlayedBusHandle.run(manners) { bus in
      var configuration = bus.configuration()
      configuration.recovery.notFoundRetries = nil
      try await AMQPClient(configuration).withClient { client in
        try await bus.put(["m"], in: "q")
        try await client.withReceiver(from: "q") { deliveries in
          for try await delivery in deliveries {
            try delivery.accept()
            break
          }
        }
      }
    }
  }

  @Test("sending and receiving have a connection each, or one, as configured", arguments: [true, false])
  func connections(_ separate: Bool) async throws {
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration(separate: separate)).withClient { client in
        _ = try await client.send(AMQPMessage(body: .data([1])), to: "a")
        try await client.withReceiver(from: "q") { _ in
          let sight = try await bus.see { $0.receivers["q"] == 1 }
          #expect(sight.connections == (separate ? 2 : 1))
        }
      }
    }
  }

  @Test("states tell the loss with its cause, and the return, for connection and link")
  func states() async throws {
    try await PlayedBusHandle.run { bus in
      let client = AMQPClient(bus.configuration())
      let states = client.states
      try await client.withClient { client in
        try await client.withReceiver(from: "q") { _ in
          var news = client.states.makeAsyncIterator()
          for phase in [AMQPClientState.Phase.open, .waiting, .open] {
            if phase == .waiting { try await bus.detach("q", AMQPCondition("amqp:internal-error")) }
            while let state = await news.next() {
              if case .receiver = state.subject, state.phase == phase { break }
            }
          }
        }
      }
      var told: [AMQPClientState] = []
      for await state in states { told.append(state) }
      let link = told.filter { if case .receiver = $0.subject { true } else { false } }
      #expect(link.map(\.phase) == [.connecting, .open, .waiting, .open, .ended])
      #expect(link.dropFirst(2).first?.cause?.condition?.name == "amqp:internal-error")
      #expect(link.dropFirst(2).first?.tier == .link)
      #expect(link.dropFirst(2).first?.nextAttemptIn != nil)
      let connection = told.filter { $0.subject == .connection(.receiving) }
      #expect(connection.map(\.phase) == [.connecting, .open, .ended])
    }
  }

  @Test("the login is refused for good: the loop throws that; it does not end as if all were well")
  func refused() async throws {
    var manners = PlayedBus.Manners()
    manners.login = { _ in false }
    try await PlayedBusHandle.run(manners) { bus in
      let client = AMQPClient(bus.configuration())
      let receiving = Task {
        try await client.withReceiver(from: "q") { deliveries in
          for try await _ in deliveries {}
        }
      }
      await #expect(throws: AMQPError.self) { try await client.run() }
      let error = await #expect(throws: AMQPError.self) { try await receiving.value }
      #expect(error?.code == .loginRefused)
    }
  }

  @Test("a node with paired links: a request may have any body and no header, as management wants it")
  func paired() async throws {
    var manners = PlayedBus.Manners()
    manners.respond = { _, message in
      var answer = AMQPMessage(body: .value(.string("here")))
      answer.properties.correlationID = message.properties.messageID
      return ("/management", answer)
    }
    try await PlayedBusHandle.run(manners) { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        let answer = try await client.request(
          AMQPMessage(header: nil, body: .value(.null)), to: "/management", replyTo: .paired, timeout: .seconds(60))
        #expect(answer.body == .value(.string("here")))
      }
    }
  }
}
