// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

/// What one cell is played on, whoever plays it: the bus, the proxy before it, the fault that strikes once, and the ledger.
struct FaultStage: Sendable {
  static let count = 40
  static let window = 10
  /// The fault strikes when so many are done.
  static let strikeAt = 10

  let bus: FaultBus
  let proxy: FaultProxy
  let ids: [String]
  private let kind: FaultKind
  private let fault: NetworkFault
  private let directions: ProxyDirections
  private let ledger = NIOLockedValueBox(DeliveryLedger())
  private let isStriking = NIOLockedValueBox(false)
  /// How many connections there had been when the fault struck.
  private let struck = OneShot<Int>()
  private let lastLink = NIOLockedValueBox(0)
  private let allReceived = OneShot<Void>()

  /// Plays a cell, then takes what is left by the straight way.
  ///
  /// - Parameter body: what is done; returns when that is over.
  static func play<Phase>(
    _ cell: FaultCell<Phase>, on bus: FaultBus, _ body: @escaping @Sendable (FaultStage) async throws -> Void
  ) async throws -> DeliveryLedger.Balance {
    try await FaultProxy.withProxy(to: bus.host, port: bus.port, seed: 7) { proxy in
      let stage = FaultStage(cell, bus, proxy)
      try await stage.healing { try await body(stage) }
      #expect(stage.hasStruck, "the fault has struck")
      await proxy.stop()
      try await stage.takeTheRest()
      return stage.ledger.withLockedValue { $0.balance(window: FaultStage.window) }
    }
  }

  private init<Phase>(_ cell: FaultCell<Phase>, _ bus: FaultBus, _ proxy: FaultProxy) {
    self.kind = cell.kind
    self.fault = cell.fault
    self.directions = cell.directions
    self.bus = bus
    self.proxy = proxy
    self.ids = (0..<FaultStage.count).map { "m-\($0)" }
  }

  // MARK: The fault

  var hasStruck: Bool { self.struck.current != nil }

  /// Whether what is begun now lives on undisturbed.
  var isSound: Bool { self.hasStruck || self.kind.isHarmless }

  /// The first call strikes.
  func strike() async throws {
    let isFirst = self.isStriking.withLockedValue { isStriking in
      defer { isStriking = true }
      return !isStriking
    }
    guard isFirst else { return }
    let before = try await self.proxy.statistics().connectionCount
    try await self.proxy.inject(self.fault, self.directions)
    self.struck.fulfil(before)
  }

  private func healing(_ body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await self.heal()
        return false
      }
      group.addTask {
        try await body()
        return true
      }
      while let isDone = try await group.next() {
        if isDone { group.cancelAll() }
      }
    }
  }

  /// What lasts is over when the client has noticed and comes again; then the bus, too, learns of what it has lost.
  private func heal() async throws {
    do {
      let before = try await self.struck.wait()
      guard !self.kind.isHarmless else { return }
      try await self.proxy.waitUntil { $0.connectionCount > before }
      try await self.proxy.clear()
      try await self.proxy.closeHalfOpen()
    } catch is CancellationError {}
  }

  // MARK: The ledger

  /// - Returns: how many have been accepted.
  @discardableResult
  func sent(_ id: String, _ outcome: DeliveryLedger.SendOutcome) -> Int {
    self.ledger.withLockedValue { ledger in
      ledger.sent(id, outcome)
      return ledger.accepted.count
    }
  }

  /// - Returns: how many have come.
  @discardableResult
  func received(_ id: String, on link: Int) -> Int {
    let (count, isAll) = self.ledger.withLockedValue { ledger in
      ledger.received(id, on: link)
      return (ledger.received.count, ledger.outstanding.isEmpty)
    }
    if isAll { self.allReceived.fulfil(()) }
    return count
  }

  func settled(_ id: String, on link: Int) { self.ledger.withLockedValue { $0.settled(id, on: link) } }

  func settlementLost(_ id: String) { self.ledger.withLockedValue { $0.settlementLost(id) } }

  func ended(_ link: Int, inOrder: Bool) { self.ledger.withLockedValue { $0.ended(link, inOrder: inOrder) } }

  var accepted: Set<String> { self.ledger.withLockedValue { $0.accepted } }

  var isAllReceived: Bool { self.ledger.withLockedValue { $0.outstanding.isEmpty } }

  /// Waits until every message that was accepted has come at least once.
  func waitUntilAllReceived() async throws { try await self.allReceived.wait() }

  func newLink() -> Int {
    self.lastLink.withLockedValue { number in
      number += 1
      return number
    }
  }

  // MARK: The straight way

  /// Puts the messages on the queue.
  func fill() async throws {
    try await AMQPConnection.withConnection(self.bus.configuration()) { connection in
      try await connection.withSender(to: self.bus.sendingAddress) { sender in
        for id in self.ids {
          let outcome = try await sender.send(.test(id, size: 100))
          #expect(outcome == .accepted)
          self.sent(id, .init(outcome))
        }
      }
    }
  }

  /// Takes all that is left. What a bus has taken and does not give back within a minute is lost.
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
              self.received(id, on: link)
              try delivery.accept()
              self.settled(id, on: link)
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
    self.ended(link, inOrder: true)
  }
}

extension DeliveryLedger.SendOutcome {
  init(_ outcome: AMQPOutcome) {
    switch outcome {
    case .accepted: self = .accepted
    case .rejected: self = .rejected
    case .released: self = .released
    case .modified: self = .modified
    case .unknown: self = .unknown
    }
  }
}
