// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Foundation
import TjenestebussTesting

/// The embedded broker, with a clock that stands still until a row waits.
struct EmbeddedStage: Stage {
  let bus: Bus
  let host = "127.0.0.1"
  let port: Int
  let securePort: Int
  // One event loop answers in order: what has not come by then does not come.
  let patience = Duration.milliseconds(150)
  let longest = Duration.seconds(30)
  private let broker: InMemoryBroker
  private let secure: InMemoryBroker?
  private let clock: VirtualClock

  static func start(_ bus: Bus) async throws -> EmbeddedStage {
    let clock = VirtualClock()
    var configuration = InMemoryBroker.Configuration(
      dialect: bus.dialect,
      users: [
        BrokerUser("guest", password: Secret("guest")), BrokerUser("app", password: Secret("app")),
        BrokerUser("migrator", password: Secret("migrator"), mayImpersonate: true),
        BrokerUser(
          "limited", password: Secret("limited"), mayRead: ["allowed*"], mayWrite: ["allowed*"], mayConfigure: ["allowed*"]),
        BrokerUser("novhost", password: Secret("novhost"), mayEnter: false),
      ],
      anonymousUser: bus == .activeMQ ? "anonymous" : "guest", clock: clock, product: bus.product)
    let broker = InMemoryBroker(configuration)
    try await broker.start()
    guard bus.isRabbitMQ, let authority = try? TLSContexts.authority(bus) else {
      return EmbeddedStage(bus: bus, port: broker.port ?? 0, securePort: 0, broker: broker, secure: nil, clock: clock)
    }
    let folder = URL(fileURLWithPath: authority).deletingLastPathComponent()
    configuration.tls = BrokerTLS(
      certificateChain: folder.appendingPathComponent("server.pem").path,
      privateKey: folder.appendingPathComponent("server.key").path, clientAuthority: authority)
    let secure = InMemoryBroker(configuration)
    try await secure.start()
    return EmbeddedStage(
      bus: bus, port: broker.port ?? 0, securePort: secure.port ?? 0, broker: broker, secure: secure, clock: clock)
  }

  private init(bus: Bus, port: Int, securePort: Int, broker: InMemoryBroker, secure: InMemoryBroker?, clock: VirtualClock) {
    self.bus = bus
    self.port = port
    self.securePort = securePort
    self.broker = broker
    self.secure = secure
    self.clock = clock
  }

  func declare(_ queue: StageQueue) async throws {
    let deadLetter: BrokerQueue.DeadLetter =
      if let name = queue.deadLetterQueue { .queue(name) } else if self.bus == .activeMQ { .queue("DLQ.\(queue.name)") } else {
        .none
      }
    try await self.broker.declare(
      BrokerQueue(
        queue.name, kind: queue.kind == .classic ? .classic : .quorum, maximumLength: queue.maximumLength, deadLetter: deadLetter,
        consumerTimeout: queue.consumerTimeout.map { .milliseconds($0) }))
  }

  func delete(queue: String) async throws { try await self.broker.delete(queue) }

  func declareExchange(_ name: String) async throws { try await self.broker.declareExchange(name) }

  func delete(exchange: String) async throws { try await self.broker.deleteExchange(exchange) }

  func depth(of queue: String) async throws -> Int { (try? await self.broker.depth(of: queue)) ?? -1 }

  func closeByForce(clientPort: Int, reason: String) async throws {
    try await self.broker.closeAllConnectionsAsOperator(reason: reason)
  }

  func setAlarm(_ isOn: Bool) async throws { try await self.broker.setMemoryAlarm(isOn) }

  func stopBroker() async throws { await self.broker.stop() }

  func killBroker() async throws { try await self.broker.cutAllConnections() }

  func startBroker() async throws {}

  func wait(for client: ExchangeClient, candidates: [Int]) async throws -> Int? {
    let begun = self.clock.milliseconds
    if try await client.waitForArrival(within: self.patience) { return nil }
    for seconds in candidates {
      self.clock.advance(by: .milliseconds(Int64(seconds) * 1_000 - (self.clock.milliseconds - begun)))
      if try await client.waitForArrival(within: self.patience) { return seconds }
    }
    return candidates.last
  }

  func end() async {
    await self.broker.stop()
    await self.secure?.stop()
  }
}
