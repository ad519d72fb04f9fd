// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

/// One cell over ``AMQPClient``: the fault strikes, and the client comes back by itself; its user does no more than send again,
/// with the same id, what was not accepted.
struct ClientFaultRun: Sendable {
  private let stage: FaultStage
  /// The ledger's numbers of the links that deliveries came on, and whether they were attached when all was sound.
  private let links = NIOLockedValueBox<[AMQPEpoch: (number: Int, isSound: Bool)]>([:])

  static func play(_ cell: FaultCell<ClientPhase>, on bus: FaultBus) async throws -> DeliveryLedger.Balance {
    try await FaultStage.play(cell, on: bus) { stage in
      let run = ClientFaultRun(stage: stage)
      if cell.phase != .send { try await stage.fill() }
      let client = AMQPClient(run.configuration)
      try await client.withClient { client in
        switch cell.phase {
        case .send: try await run.sendAll(by: client)
        case .withReceiver: try await run.receiveAll(by: client)
        case .process: try await run.processAll(by: client)
        case .shutdown: try await run.shutDownInTheMiddle(client)
        }
      }
      run.endLinks(allInOrder: cell.phase != .shutdown)
    }
  }

  private init(stage: FaultStage) { self.stage = stage }

  private var configuration: AMQPClientConfiguration {
    var configuration = AMQPClientConfiguration(
      self.stage.bus.configuration(through: self.stage.proxy.port),
      recovery: AMQPRecoveryPolicy(AMQPBackOff(initial: .milliseconds(20), maximum: .milliseconds(300))))
    configuration.recovery.attemptsPerMinute = 600
    return configuration
  }

  // MARK: Sending

  /// - Returns: whether it was accepted.
  private func send(_ id: String, by client: AMQPClient) async throws -> Bool {
    let outcome: DeliveryLedger.SendOutcome
    do throws(AMQPError) {
      outcome = .init(try await client.send(.test(id, size: 100), to: self.stage.bus.sendingAddress))
    } catch {
      // Certain not to have left; nothing that the network does may end the client.
      #expect(error.isRetriable || error.code == .clientStopped, "\(error)")
      outcome = .notSent
    }
    if self.stage.sent(id, outcome) >= FaultStage.strikeAt { try await self.stage.strike() }
    return outcome == .accepted
  }

  private func sendAll(by client: AMQPClient) async throws {
    let pending = NIOLockedValueBox(Array(self.stage.ids.reversed()))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          while let id = pending.withLockedValue({ $0.popLast() }) {
            while try await !self.send(id, by: client) { try Task.checkCancellation() }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  // MARK: Receiving

  private func link(of delivery: AMQPDelivery) -> Int {
    let isSound = self.stage.isSound
    return self.links.withLockedValue { links in
      if let known = links[delivery.epoch] { return known.number }
      let number = self.stage.newLink()
      links[delivery.epoch] = (number, isSound)
      return number
    }
  }

  private func endLinks(allInOrder: Bool) {
    for link in self.links.withLockedValue({ $0.values }) { self.stage.ended(link.number, inOrder: allInOrder && link.isSound) }
  }

  private func receiveAll(by client: AMQPClient) async throws {
    try await client.withReceiver(from: self.stage.bus.receivingAddress, credit: FaultStage.window) { deliveries in
      for try await delivery in deliveries {
        let id = try delivery.id()
        let link = self.link(of: delivery)
        if self.stage.received(id, on: link) >= FaultStage.strikeAt { try await self.stage.strike() }
        do throws(AMQPError) {
          try delivery.accept()
          self.stage.settled(id, on: link)
        } catch {
          #expect(error.code == .settlementLost, "\(error)")
        }
        if self.stage.isAllReceived { break }
      }
    }
  }

  private func processAll(by client: AMQPClient) async throws {
    var policy = AMQPProcessPolicy(prefetch: FaultStage.window - 4)
    policy.report = { event in
      switch event {
      case .settlementLost(let id): self.stage.settlementLost(id?.description ?? "")
      case .nearDeliveryLimit, .link: break
      case .deadLettered, .handedBack, .withdrawn, .lockNotRenewed: Issue.record("\(event)")
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { [policy] group in
      group.addTask {
        // In order of its id: the next copy of a message is not begun before this one's end is known.
        try await client.process(
          from: self.stage.bus.receivingAddress, maxConcurrent: 4, orderedBy: { try? $0.id() }, policy: policy
        ) { delivery in
          let id = try delivery.id()
          let link = self.link(of: delivery)
          if self.stage.received(id, on: link) >= FaultStage.strikeAt { try await self.stage.strike() }
          self.stage.settled(id, on: link)
        }
      }
      try await self.stage.waitUntilAllReceived()
      await client.shutdown()
      try await group.waitForAll()
    }
  }

  // MARK: Shutting down

  /// Shuts down with sends in flight, deliveries settled a moment ago, and deliveries not settled.
  private func shutDownInTheMiddle(_ client: AMQPClient) async throws {
    let isHalfSettled = OneShot<Void>()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await client.withReceiver(from: self.stage.bus.receivingAddress, credit: FaultStage.window) { deliveries in
          var held: [(AMQPDelivery, String, Int)] = []
          for try await delivery in deliveries {
            let id = try delivery.id()
            let link = self.link(of: delivery)
            self.stage.received(id, on: link)
            held.append((delivery, id, link))
            guard held.count == FaultStage.window else { continue }
            for (delivery, id, link) in held.prefix(FaultStage.window / 2) {
              try delivery.accept()
              self.stage.settled(id, on: link)
            }
            isHalfSettled.fulfil(())
          }
        }
      }
      try await isHalfSettled.wait()
      for number in 0..<8 {
        group.addTask { _ = try await self.send("late-\(number)", by: client) }
      }
      try await self.stage.strike()
      await client.shutdown(within: .seconds(5))
      try await group.waitForAll()
    }
    let error = await #expect(throws: AMQPError.self) {
      try await client.send(.test("after"), to: self.stage.bus.sendingAddress)
    }
    #expect(error?.code == .clientStopped)
    #expect(client.status.allSatisfy { $0.phase == .ended }, "\(client.status.map(\.sentence))")
  }
}
