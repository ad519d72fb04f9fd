// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Foundation
import Synchronization
import TjenestebussClient

/// Two real brokers as the buses of a client, and parties on them: RabbitMQ 3.10 the source, a RabbitMQ 4 the target.
struct ClientBuses {
  static let source: BusName = "servicebus"
  static let target: BusName = "tjenestebuss"

  let routes = TestRoutes()
  /// New for every test, so that no test reads another's queue.
  let queue = "test_\(UUID().uuidString.prefix(8).lowercased())_async"
  let me: HerID
  let peer: HerID

  init() throws {
    self.me = try HerID(text: "100")
    self.peer = try HerID(text: "200")
  }

  static func endpoint(
    _ broker: RealBroker, path: String = "", user: String = "app", password: String? = nil, virtualHost: String? = nil
  ) throws -> BusEndpoint {
    let isSource = broker.dialect == .rabbitMQ3
    let configuration = try broker.configuration()
    return BusEndpoint(
      bus: Bus(name: isSource ? source : target, dialect: broker.dialect, hosts: [isSource ? "sb.test" : "tb.test"], path: "NHN"),
      connection: BusConnectionString(
        host: configuration.host, port: configuration.port, encrypted: false, user: user, password: Secret(password ?? user),
        path: path), virtualHost: virtualHost)
  }

  /// - Parameter target: which broker is the target, where `buses` does not say it.
  static func configuration(
    _ buses: [BusEndpoint]? = nil, target: RealBroker = .rabbitMQ4, concurrency: Int = 5,
    redeliveryDelay: Duration = .milliseconds(50)
  ) throws -> TjenestebussConfiguration {
    TjenestebussConfiguration(
      buses: try buses ?? [endpoint(.rabbitMQ3), endpoint(target)], product: "real-broker-tests", sendTimeout: .seconds(60),
      concurrencyPerQueue: concurrency, redeliveryDelay: redeliveryDelay, missingQueueRetry: .milliseconds(200),
      shutdownGrace: .seconds(5))
  }

  /// The party's address, as the cache and as the register has it: on the source or on the target.
  func lay(_ herID: HerID, cached: BusName, register: BusName? = nil) {
    func address(_ bus: BusName) -> QueueAddress {
      QueueAddress(host: bus == Self.source ? "sb.test" : "tb.test", path: "DigitalDialog", queue: self.queue)
    }
    self.routes.lay(herID, cached: address(cached), register: address(register ?? cached))
  }

  func declare(
    on broker: RealBroker, _ name: String? = nil, arguments: [String: Any] = [:], virtualHost: String = "%2F"
  ) async throws {
    try await broker.management(
      "PUT", "/api/queues/\(virtualHost)/\(name ?? self.queue)", ["durable": true, "arguments": arguments])
  }

  func message(_ id: String, to: HerID? = nil) -> HealthMessage {
    HealthMessage(
      messageID: id, from: self.me, to: to ?? self.peer, subject: "DIALOG_INNBYGGER_EKONTAKT", timestamp: .now,
      replyTo: self.queue,
      body: Array("body of \(id)".utf8))
  }
}

/// Routes that a test lays down.
final class TestRoutes: RouteResolving {
  struct NoSuchParty: Error {}
  private let cached = Mutex<[HerID: QueueAddress]>([:])
  private let register = Mutex<[HerID: QueueAddress]>([:])

  func lay(_ herID: HerID, cached: QueueAddress, register: QueueAddress) {
    self.cached.withLock { $0[herID] = cached }
    self.register.withLock { $0[herID] = register }
  }

  func route(to herID: HerID, kind: QueueKind, buses: [Bus], lookUp: RouteLookUp) async throws -> Route {
    if lookUp == .refreshed {
      let now = self.register.withLock { $0[herID] }
      self.cached.withLock { $0[herID] = now }
    }
    guard let address = self.cached.withLock({ $0[herID] }), let bus = buses.first(where: { $0.holds(address) }) else {
      throw NoSuchParty()
    }
    return Route(herID: herID, kind: kind, bus: bus.name, address: address)
  }

  func forget(_ herID: HerID) async {
    let now = self.register.withLock { $0[herID] }
    self.cached.withLock { $0[herID] = now }
  }
}

/// What handlers got, and a way to wait for it.
final class Inbox: Sendable {
  private struct State {
    var messages: [ReceivedMessage] = []
    var waiters: [(isThere: @Sendable ([ReceivedMessage]) -> Bool, met: OneShot<Void>)] = []
  }
  private let state = Mutex(State())

  func put(_ message: ReceivedMessage) {
    let ready = self.state.withLock { state in
      state.messages.append(message)
      let messages = state.messages
      defer { state.waiters.removeAll { $0.isThere(messages) } }
      return state.waiters.filter { $0.isThere(messages) }
    }
    for waiter in ready { waiter.met.fulfil(()) }
  }

  var messages: [ReceivedMessage] { self.state.withLock { $0.messages } }
  var ids: [String] { self.messages.map(\.message.messageID) }

  /// Waits until there are so many; the test's time limit bounds it, by cancelling.
  func wait(for count: Int) async { await self.wait { $0.count >= count } }

  /// Waits until every one of these has come, however often.
  func wait(forAll ids: Set<String>) async { await self.wait { ids.isSubset(of: $0.map(\.message.messageID)) } }

  private func wait(until condition: @Sendable @escaping ([ReceivedMessage]) -> Bool) async {
    let met = OneShot<Void>()
    self.state.withLock { state in
      if condition(state.messages) { met.fulfil(()) } else { state.waiters.append((condition, met)) }
    }
    try? await met.wait()
  }
}

extension TjenestebussClient {
  /// Waits for a state; the test's time limit bounds it.
  func wait(until isSo: (ClientStatus) -> Bool) async {
    for await status in self.statusChanges where isSo(status) { return }
  }

  /// Receives in the background for the time of `body`, then stops and waits for the end.
  func whileReceiving(
    for herID: HerID, kinds: Set<QueueKind> = [.asynchronous],
    handler: @Sendable @escaping (ReceivedMessage) async throws -> Void, _ body: @Sendable () async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.receive(for: herID, kinds: kinds, handler: handler) }
      try await body()
      group.cancelAll()
      try await group.waitForAll()
    }
  }
}
