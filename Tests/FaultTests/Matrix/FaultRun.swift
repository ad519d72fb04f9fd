// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

/// One cell over ``AMQPConnection``: messages go through the proxy, the fault strikes in the middle, and all is carried on as a
/// careful user does it who makes his connections anew himself.
struct FaultRun: Sendable {
  private let cell: FaultCell<ConnectionPhase>
  private let stage: FaultStage

  static func play(_ cell: FaultCell<ConnectionPhase>, on bus: FaultBus) async throws -> DeliveryLedger.Balance {
    try await FaultStage.play(cell, on: bus) { stage in
      let run = FaultRun(cell: cell, stage: stage)
      switch cell.phase {
      case .send: try await run.sendAll()
      case .receive, .settle:
        try await stage.fill()
        try await run.receiveAll()
      case .close:
        try await stage.fill()
        try await run.closeInTheMiddle()
      }
    }
  }

  private var configuration: AMQPConnectionConfiguration { self.stage.bus.configuration(through: self.stage.proxy.port) }

  // MARK: Sending

  /// - Returns: how many have been accepted.
  private func send(_ id: String, by sender: AMQPSender) async -> Int {
    do {
      return self.stage.sent(id, .init(try await sender.send(.test(id, size: 100))))
    } catch {
      return self.stage.sent(id, .notSent)
    }
  }

  /// Round after round, each on a new connection, until all are accepted: what is unknown or has not left is sent again, with
  /// the same id.
  private func sendAll() async throws {
    while true {
      let accepted = self.stage.accepted
      let pending = NIOLockedValueBox(Array(self.stage.ids.filter { !accepted.contains($0) }.reversed()))
      if pending.withLockedValue({ $0.isEmpty }) { return }
      try Task.checkCancellation()
      guard let connection = try? await AMQPConnection.open(self.configuration) else { continue }
      if let sender = try? await connection.openSender(to: self.stage.bus.sendingAddress) {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<8 {
            group.addTask {
              while connection.closedReason == nil, let id = pending.withLockedValue({ $0.popLast() }) {
                if await self.send(id, by: sender) >= FaultStage.strikeAt { try await self.stage.strike() }
              }
            }
          }
          try await group.waitForAll()
        }
      }
      await connection.close()
    }
  }

  // MARK: Receiving

  private func settle(_ delivery: AMQPDelivery, _ id: String, on link: Int) {
    do {
      try delivery.accept()
      self.stage.settled(id, on: link)
    } catch {
      // Settlement lost: it comes again.
    }
  }

  /// Round after round, each on a new connection, until all have come.
  private func receiveAll() async throws {
    while !self.stage.isAllReceived {
      try Task.checkCancellation()
      let isSound = self.stage.isSound
      guard let connection = try? await AMQPConnection.open(self.configuration) else { continue }
      let link = self.stage.newLink()
      do {
        let receiver = try await connection.openReceiver(from: self.stage.bus.receivingAddress, credit: FaultStage.window)
        try await self.receive(by: receiver, link)
        await receiver.close()
      } catch is AMQPError {
        // The link or its connection is gone.
      }
      await connection.close()
      self.stage.ended(link, inOrder: isSound)
    }
  }

  private func receive(by receiver: AMQPReceiver, _ link: Int) async throws {
    var held: [(AMQPDelivery, String)] = []
    while !self.stage.isAllReceived || !held.isEmpty {
      guard let batch = try await receiver.nextBatch() else { return }
      for delivery in batch {
        let id = try delivery.id()
        let count = self.stage.received(id, on: link)
        held.append((delivery, id))
        guard !self.stage.hasStruck else { continue }
        if count >= FaultStage.strikeAt {
          try await self.stage.strike()
        } else if self.cell.phase == .receive {
          self.settleAll(&held, link)
        }
      }
      // While settling is the subject, nothing is settled before the fault has struck.
      if self.stage.hasStruck || self.cell.phase == .receive { self.settleAll(&held, link) }
    }
  }

  private func settleAll(_ held: inout [(AMQPDelivery, String)], _ link: Int) {
    for (delivery, id) in held { self.settle(delivery, id, on: link) }
    held = []
  }

  // MARK: Closing

  /// Closes with sends in flight, deliveries settled a moment ago, and deliveries not settled.
  private func closeInTheMiddle() async throws {
    let connection = try await AMQPConnection.open(self.configuration)
    let link = self.stage.newLink()
    let receiver = try await connection.openReceiver(from: self.stage.bus.receivingAddress, credit: FaultStage.window)
    let sender = try await connection.openSender(to: self.stage.bus.sendingAddress)
    var deliveries: [(AMQPDelivery, String)] = []
    while deliveries.count < FaultStage.window, let batch = try await receiver.nextBatch() {
      for delivery in batch {
        let id = try delivery.id()
        self.stage.received(id, on: link)
        deliveries.append((delivery, id))
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask { _ = await self.send("late-\(number)", by: sender) }
      }
      for (delivery, id) in deliveries.prefix(FaultStage.window / 2) { self.settle(delivery, id, on: link) }
      try await self.stage.strike()
      await connection.close()
      try await group.waitForAll()
    }
    #expect(connection.closedReason != nil)
    self.stage.ended(link, inOrder: false)
  }
}
