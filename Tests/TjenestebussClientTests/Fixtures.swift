// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Synchronization

@testable import TjenestebussClient

/// Values that tests share.
enum Fixture {
  static func herID(_ number: Int32) throws -> HerID { try HerID(text: String(number)) }

  static func message(
    id: String = "6f1b7c1e-0000-4000-8000-000000000001", ttl: UInt32? = nil, properties: [String: String] = [:],
    subject: String = "DIALOG_INNBYGGER_EKONTAKT", replyTo: String? = "100_async", body: [UInt8] = [1, 2, 3]
  ) throws -> HealthMessage {
    HealthMessage(
      messageID: id, from: try herID(100), to: try herID(200), subject: subject, contentType: "text/plain",
      timestamp: MessageTimestamp(secondsSinceEpoch: 1_763_700_000), replyTo: replyTo, timeToLiveMilliseconds: ttl,
      properties: properties, body: body)
  }

  static func endpoint(
    _ name: BusName, dialect: Dialect = .rabbitMQ4AddressV2, host: String, path: String = "", port: Int = 1
  ) -> BusEndpoint {
    BusEndpoint(
      bus: Bus(name: name, dialect: dialect, hosts: [host], path: "NHNTESTServiceBus"),
      connection: BusConnectionString(
        host: "127.0.0.1", port: port, encrypted: false, user: "app", password: Secret("app"), path: path))
  }
}

/// Routes that a test lays down; it writes down how it was asked.
final class LaidDownRoutes: RouteResolving {
  struct NoSuchParty: Error {}
  private struct State {
    var cached: [HerID: QueueAddress] = [:]
    var register: [HerID: QueueAddress] = [:]
    var lookUps: [RouteLookUp] = []
  }
  private let state = Mutex(State())

  /// What the cache and the register say; the register's answer replaces the cache's.
  func lay(_ herID: HerID, cached: String, register: String? = nil) throws {
    let cachedAddress = try QueueAddress(text: cached)
    let registerAddress = try QueueAddress(text: register ?? cached)
    self.state.withLock {
      $0.cached[herID] = cachedAddress
      $0.register[herID] = registerAddress
    }
  }

  var lookUps: [RouteLookUp] { self.state.withLock { $0.lookUps } }

  func route(to herID: HerID, kind: QueueKind, buses: [Bus], lookUp: RouteLookUp) async throws -> Route {
    let address = self.state.withLock { state -> QueueAddress? in
      state.lookUps.append(lookUp)
      if lookUp == .refreshed { state.cached[herID] = state.register[herID] }
      return state.cached[herID]
    }
    guard let address, let bus = buses.first(where: { $0.holds(address) }) else { throw NoSuchParty() }
    return Route(herID: herID, kind: kind, bus: bus.name, address: address)
  }
}

/// A value that handlers change and tests read.
final class Shared<Value: Sendable>: Sendable {
  private let state: Mutex<Value>
  init(_ value: Value) { self.state = Mutex(value) }
  func withLock<Result: Sendable>(_ body: @Sendable (inout Value) -> Result) -> Result { self.state.withLock { body(&$0) } }
}
