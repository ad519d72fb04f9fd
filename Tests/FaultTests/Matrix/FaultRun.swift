// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

/// One cell of the matrix, played: messages go through the proxy, the fault strikes in the middle, all is carried on as a careful
/// user does it, and in the end the ledger says what became of every message.
struct FaultRun: Sendable {
  static let count = 40
  static let window = 10
  /// The fault strikes when so many are done.
  static let strikeAt = 10

  let cell: FaultCell
  let bus: FaultBus
  let proxy: FaultProxy
  private let ledger = NIOLockedValueBox(DeliveryLedger())
  private let struck = OneShot<Int>()
  private let lastLink = NIOLockedValueBox(0)
  private let ids: [String]

  static func play(_ cell: FaultCell, on bus: FaultBus) async throws -> DeliveryLedger.Balance {
    try await FaultProxy.withProxy(to: bus.host, port: bus.port, seed: 7) { proxy in
      let run = FaultRun(cell: cell, bus: bus, proxy: proxy)
      try await run.play()
      await proxy.stop()
      try await run.takeTheRest()
      return run.ledger.withLockedValue { $0.balance(window: FaultRun.window) }
    }
  }

  private init(cell: FaultCell, bus: FaultBus, proxy: FaultProxy) {
    self.cell = cell
    self.bus = bus
    self.proxy = proxy
    self.ids = (0..<FaultRun.count).map { "m-\($0)" }
  }

  private func play() async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await self.heal()
        return false
      }
      group.addTask {
        switch self.cell.phase {
        case .send: try await self.sendAll()
        case .receive, .settle:
          try await self.fill()
          try await self.receiveAll()
        case .close:
          try await self.fill()
          try await self.closeInTheMiddle()
        }
        return true
      }
      while let isDone = try await group.next() {
        if isDone { group.cancelAll() }
      }
    }
    #expect(self.struck.current != nil, "the fault has struck")
  }

  // MARK: The fault

  private func strike() async throws {
    let before = try await self.proxy.statistics().connectionCount
    try await self.proxy.inject(self.cell.fault, self.cell.directions)
    self.struck.fulfil(before)
  }

  /// What lasts is over when the client has noticed and comes again; then the bus, too, learns of what it has lost.
  private func heal() async throws {
    do {
      let before = try await self.struck.wait()
      guard !self.cell.isHarmless else { return }
      try await self.proxy.waitUntil { $0.connectionCount > before }
      try await self.proxy.clear()
      try await self.proxy.closeHalfOpen()
    } catch is CancellationError {}
  }

  // MARK: Sending

  private static func outcome(_ outcome: AMQPOutcome) -> DeliveryLedger.SendOutcome {
    switch outcome {
    case .accepted: .accepted
    case .rejected: .rejected
    case .released: .released
    case .modified: .modified
    case .unknown: .unknown
    }
  }

  private func send(_ id: String, by sender: AMQPSender) async -> DeliveryLedger.SendOutcome {
    let outcome: DeliveryLedger.SendOutcome
    do {
      outcome = FaultRun.outcome(try await sender.send(.test(id, size: 100)))
    } catch {
      outcome = .notSent
    }
    self.ledger.withLockedValue { $0.sent(id, outcome) }
    return outcome
  }

  /// Round after round, each on a new connection, until all are accepted: what is unknown or has not left is sent again, with
  /// the same id.
  private func sendAll() async throws {
    while true {
      let accepted = self.ledger.withLockedValue { $0.accepted }
      let pending = NIOLockedValueBox(Array(self.ids.filter { !accepted.contains($0) }.reversed()))
      if pending.withLockedValue({ $0.isEmpty }) { return }
      try Task.checkCancellation()
      guard let connection = try? await AMQPConnection.open(self.bus.configuration(through: self.proxy.port)) else { continue }
      if let sender = try? await connection.openSender(to: self.bus.sendingAddress) {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<8 {
            group.addTask {
              while connection.closedReason == nil, let id = pending.withLockedValue({ $0.popLast() }) {
                _ = await self.send(id, by: sender)
                let accepted = self.ledger.withLockedValue { $0.accepted.count }
                if accepted == FaultRun.strikeAt, self.struck.current == nil { try await self.strike() }
              }
            }
          }
          try await group.waitForAll()
        }
      }
      await connection.close()
    }
  }

  /// Puts the messages on the queue by the straight way.
  private func fill() async throws {
    try await AMQPConnection.withConnection(self.bus.configuration()) { connection in
      try await connection.withSender(to: self.bus.sendingAddress) { sender in
        for id in self.ids {
          let outcome = await self.send(id, by: sender)
          #expect(outcome == .accepted)
        }
      }
    }
  }

  // MARK: Receiving

  private func newLink() -> Int {
    self.lastLink.withLockedValue { number in
      number += 1
      return number
    }
  }

  private func settle(_ delivery: AMQPDelivery, _ id: String, on link: Int) {
    do {
      try delivery.accept()
      self.ledger.withLockedValue { $0.settled(id, on: link) }
    } catch {
      // Settlement lost: it comes again.
    }
  }

  private var isAllReceived: Bool { self.ledger.withLockedValue { $0.outstanding.isEmpty } }

  /// Round after round, each on a new connection, until all have come.
  private func receiveAll() async throws {
    while !self.isAllReceived {
      try Task.checkCancellation()
      let isAfter = self.struck.current != nil
      guard let connection = try? await AMQPConnection.open(self.bus.configuration(through: self.proxy.port)) else { continue }
      let link = self.newLink()
      do {
        let receiver = try await connection.openReceiver(from: self.bus.receivingAddress, credit: FaultRun.window)
        try await self.receive(by: receiver, link)
        await receiver.close()
      } catch is AMQPError {
        // The link or its connection is gone.
      }
      await connection.close()
      self.ledger.withLockedValue { $0.ended(link, inOrder: isAfter || self.cell.isHarmless) }
    }
  }

  private func receive(by receiver: AMQPReceiver, _ link: Int) async throws {
    var held: [(AMQPDelivery, String)] = []
    while !self.isAllReceived || !held.isEmpty {
      guard let batch = try await receiver.nextBatch() else { return }
      for delivery in batch {
        let id = try delivery.id()
        let strikes = self.ledger.withLockedValue { ledger in
          ledger.received(id, on: link)
          return ledger.received.count == FaultRun.strikeAt
        }
        held.append((delivery, id))
        guard self.struck.current == nil else { continue }
        if strikes { try await self.strike() } else if self.cell.phase == .receive { self.settleAll(&held, link) }
      }
      // While settling is the subject, nothing is settled before the fault has struck.
      if self.struck.current != nil || self.cell.phase == .receive { self.settleAll(&held, link) }
    }
  }

  private func settleAll(_ held: inout [(AMQPDelivery, String)], _ link: Int) {
    for (delivery, id) in held { self.settle(delivery, id, on: link) }
    held = []
  }

  // MARK: Closing

  /// Closes with sends in flight, deliveries settled a moment ago, and deliveries not settled.
  private func closeInTheMiddle() async throws {
    let connection = try await AMQPConnection.open(self.bus.configuration(through: self.proxy.port))
    let link = self.newLink()
    let receiver = try await connection.openReceiver(from: self.bus.receivingAddress, credit: FaultRun.window)
    let sender = try await connection.openSender(to: self.bus.sendingAddress)
    var deliveries: [(AMQPDelivery, String)] = []
    while deliveries.count < FaultRun.window, let batch = try await receiver.nextBatch() {
      for delivery in batch {
        let id = try delivery.id()
        self.ledger.withLockedValue { $0.received(id, on: link) }
        deliveries.append((delivery, id))
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask { _ = await self.send("late-\(number)", by: sender) }
      }
      for (delivery, id) in deliveries.prefix(FaultRun.window / 2) { self.settle(delivery, id, on: link) }
      try await self.strike()
      await connection.close()
      try await group.waitForAll()
    }
    #expect(connection.closedReason != nil)
    self.ledger.withLockedValue { $0.ended(link, inOrder: false) }
  }

  // MARK: The end

  /// Takes all that is left by the straight way. What a bus has taken and does not give back within a minute is lost.
  private func takeTheRest() async throws {
    let link = self.newLink()
    try await AMQPConnection.withConnection(self.bus.configuration()) { connection in
      let receiver = try await connection.openReceiver(from: self.bus.receivingAddress, credit: 100)
      let sender = try await connection.openSender(to: self.bus.sendingAddress)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          if self.isAllReceived { _ = try await sender.send(.test("sentinel")) }
          while let batch = try await receiver.nextBatch() {
            for delivery in batch {
              let id = try delivery.id()
              if id == "sentinel" {
                try delivery.accept()
                return
              }
              let wasMissing = !self.isAllReceived
              self.ledger.withLockedValue { $0.received(id, on: link) }
              self.settle(delivery, id, on: link)
              // Behind all that is there, and behind what a connection that ended gave back before the last one that we missed.
              if wasMissing, self.isAllReceived { _ = try await sender.send(.test("sentinel")) }
            }
          }
        }
        group.addTask { try await Task.sleep(for: .seconds(60)) }
        try await group.next()
        group.cancelAll()
      }
      await receiver.close()
    }
    self.ledger.withLockedValue { $0.ended(link, inOrder: true) }
  }
}
