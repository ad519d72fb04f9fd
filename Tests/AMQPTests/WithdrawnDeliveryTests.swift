// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import AMQP

@Suite("A delivery that the bus takes back")
struct WithdrawnDeliveryTests {
  /// Sends messages, takes the first of them back when the test says so, and notes what it is told of them.
  private final class Bus: Sendable {
    private let state = NIOLockedValueBox((sent: [DeliveryID](), connection: NIOLoopBound<ServerConnection>?.none))
    let settlements = AsyncStream.makeStream(of: AMQPOutcome?.self)

    func manners(_ count: Int) -> LoopbackServer.Manners {
      var manners = LoopbackServer.Manners()
      let payload = AMQPMessage(body: .data([1])).encoded()
      manners.credited = { link, credit, drain, connection in
        let already = self.state.withLockedValue { $0.sent.count }
        for _ in 0..<min(count - already, max(0, credit)) {
          guard let delivery = connection.send(payload, on: link, settled: false) else { continue }
          self.state.withLockedValue { $0.sent.append(delivery) }
        }
        if drain { connection.drained(link) }
        guard let eventLoop = connection.handler?.eventLoop else { return }
        self.state.withLockedValue { $0.connection = NIOLoopBound(connection, eventLoop: eventLoop) }
      }
      manners.disposed = { delivery, _, outcome, settled, connection in
        connection.settle(delivery)
        if settled { self.settlements.continuation.yield(outcome) }
      }
      return manners
    }

    func withdrawFirst() {
      let (first, connection) = self.state.withLockedValue { ($0.sent.first, $0.connection) }
      guard let first, let connection else { return }
      connection.eventLoop.execute {
        connection.value.withdraw(first)
        connection.value.flush()
      }
    }
  }

  @Test("its holder is told, settling unlocks the link on the wire as accepted, and throws: what was stated did not count")
  func withdrawn() async throws {
    let bus = Bus()
    try await LoopbackServer.run(bus.manners(2)) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 2)
        var deliveries: [AMQPDelivery] = []
        while deliveries.count < 2 { deliveries += try #require(try await receiver.nextBatch()) }
        let told = OneShot<Void>()
        deliveries[0].onWithdrawn { told.fulfil(()) }
        deliveries[1].onWithdrawn { Issue.record("the other delivery was not taken back") }
        #expect(!deliveries[0].isWithdrawn)
        let first = deliveries[0]
        let waiting = Task { await first.waitUntilWithdrawn() }
        bus.withdrawFirst()
        try await told.wait()
        #expect(await waiting.value)
        #expect(deliveries[0].isWithdrawn)
        #expect(!deliveries[1].isWithdrawn)
        let before = await connection.statistics()
        #expect(before.withdrawnDeliveries == 1)
        #expect(before.links.first?.withdrawn == 1)
        #expect(before.links.first?.unsettled == 2)

        let error = #expect(throws: AMQPError.self) { try deliveries[0].release() }
        #expect(error?.code == .deliveryWithdrawn)
        try deliveries[1].release()
        var settlements = bus.settlements.stream.makeAsyncIterator()
        // RabbitMQ 4.3.6 stays locked when it is released.
        #expect(await settlements.next() == .accepted)
        #expect(await settlements.next() == .released)
        #expect(await connection.statistics().links.first?.unsettled == 0)
      }
    }
  }

  @Test("one that no task has taken yet is settled by the link itself, and never handed out")
  func buffered() async throws {
    let bus = Bus()
    try await LoopbackServer.run(bus.manners(2)) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 2)
        while await connection.statistics().links.first?.buffered != 2 { await Task.yield() }
        bus.withdrawFirst()
        var settlements = bus.settlements.stream.makeAsyncIterator()
        #expect(await settlements.next() == .accepted)
        #expect(try await receiver.nextBatch()?.count == 1)
        #expect(await connection.statistics().withdrawnDeliveries == 1)
      }
    }
  }

  @Test("waiting for it ends by settling, by the link's end and by cancellation")
  func waitEnds() async throws {
    let bus = Bus()
    try await LoopbackServer.run(bus.manners(3)) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 3)
        var deliveries: [AMQPDelivery] = []
        while deliveries.count < 3 { deliveries += try #require(try await receiver.nextBatch()) }
        let held = deliveries
        let waits = held.map { delivery in Task { await delivery.waitUntilWithdrawn() } }
        try held[0].accept()
        #expect(await waits[0].value == false)
        waits[1].cancel()
        #expect(await waits[1].value == false)
        await receiver.close()
        #expect(await waits[2].value == false)
        let error = #expect(throws: AMQPError.self) { try held[2].accept() }
        #expect(error?.code == .settlementLost)
      }
    }
  }

  @Test("a delivery cannot be settled on another link, nor on another connection, whose numbers may be the same")
  func otherGeneration() async throws {
    let bus = Bus()
    let other = Bus()
    try await LoopbackServer.run(bus.manners(1)) { configuration in
      try await LoopbackServer.run(other.manners(1)) { otherConfiguration in
        try await AMQPConnection.withConnection(configuration) { connection in
          try await AMQPConnection.withConnection(otherConfiguration) { otherConnection in
            let receiver = try await connection.openReceiver(from: "q", credit: 1)
            let otherReceiver = try await otherConnection.openReceiver(from: "q", credit: 1)
            let delivery = try #require(try await receiver.nextBatch()?.first)
            let otherDelivery = try #require(try await otherReceiver.nextBatch()?.first)
            #expect(delivery.epoch != otherDelivery.epoch)
            let error = #expect(throws: AMQPError.self) { try otherReceiver.settle([delivery], as: .accepted) }
            #expect(error?.code == .settlementLost)
            #expect(await otherConnection.statistics().links.first?.unsettled == 1)
            try otherReceiver.settle([otherDelivery], as: .accepted)
            try delivery.accept()
          }
        }
      }
    }
  }
}

@Suite("Draining a receiver")
struct DrainTests {
  @Test("what the bus has comes, the rest of the credit comes back; nothing more until it is resumed")
  func drains() async throws {
    let manners = LoopbackServer.Manners.sending(3)
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 10)
        while await connection.statistics().links.first?.buffered != 3 { await Task.yield() }
        let result = try await receiver.drain(within: .seconds(30))
        #expect(result == AMQPDrainResult(arrived: 0, creditGivenBack: 7))
        var link = try #require(await connection.statistics().links.first)
        #expect(link.state == .drained)
        #expect(link.credit == 0)
        try receiver.settle(try #require(try await receiver.nextBatch()), as: .accepted)
        link = try #require(await connection.statistics().links.first)
        #expect(link.credit == 0)
        #expect(try await receiver.drain() == AMQPDrainResult(arrived: 0, creditGivenBack: 0))
        receiver.resume()
        link = try #require(await connection.statistics().links.first)
        #expect(link.state == .open)
        #expect(link.credit == 10)
      }
    }
  }

  @Test("a bus that does not answer: an error at the deadline that says how much credit is out")
  func unanswered() async throws {
    var manners = LoopbackServer.Manners()
    manners.credited = { _, _, _, _ in }
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 10)
        let error = await #expect(throws: AMQPError.self) { try await receiver.drain(within: .milliseconds(50)) }
        #expect(error?.code == .drainTimedOut)
        #expect(error?.seen.contains("10 credit") == true)
        // The connection's end ends a drain, too.
        let drain = Task { try await receiver.drain(within: .seconds(60)) }
        while await connection.statistics().links.first?.state != .draining { await Task.yield() }
        await connection.close(within: .milliseconds(100))
        await #expect(throws: AMQPError.self) { try await drain.value }
      }
    }
  }
}
