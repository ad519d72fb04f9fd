// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// Everything the client is told: which buses there are, and how to behave.
public struct TjenestebussConfiguration: Sendable {
  /// All buses that a party may sit on, during a move both.
  public var buses: [BusEndpoint]
  /// Told to the bus beside our version: the EPJ's name, for instance. Default `tjenestebuss`.
  public var product: String
  /// For one send in all: route, connection, attach, credit, outcome, and a second try. Default 30 s.
  public var sendTimeout: Duration
  /// How many messages of one queue on one bus are in the handler at once. Default 5, as Helsenorge.Messaging.
  public var concurrencyPerQueue: Int
  /// How long a message whose handler threw is held before it is released, so that a fault on our side does not burn the
  /// queue's delivery limit in a second: RabbitMQ 4 drops or dead-letters after 20 deliveries. Default 60 s.
  public var redeliveryDelay: Duration
  /// How long to wait before trying again a queue that does not exist, or may not be read, on one of the buses. Default 30 s.
  public var missingQueueRetry: Duration
  /// How long to wait before trying again a bus that refused the login or showed a certificate we do not trust. Default 60 s.
  public var refusedBusRetry: Duration
  /// How long leaving waits for handlers and sends that are under way. Default 10 s; then they are cancelled.
  public var shutdownGrace: Duration
  /// At most one forced question to the register for one HER-ID in this time. Default 10 s.
  public var forcedRefreshInterval: Duration
  /// The subject of ping messages, swallowed and answered by the library. Default `TJENESTEBUSS_PING`.
  public var pingSubject: String
  /// Whether pings are answered. They are swallowed in any case. Default true.
  public var answersPings: Bool
  public var backOff: AMQPBackOff

  public init(
    buses: [BusEndpoint], product: String = "tjenestebuss", sendTimeout: Duration = .seconds(30), concurrencyPerQueue: Int = 5,
    redeliveryDelay: Duration = .seconds(60), missingQueueRetry: Duration = .seconds(30),
    refusedBusRetry: Duration = .seconds(60), shutdownGrace: Duration = .seconds(10),
    forcedRefreshInterval: Duration = .seconds(10), pingSubject: String = PingForm.defaultSubject, answersPings: Bool = true,
    backOff: AMQPBackOff = AMQPBackOff()
  ) {
    self.buses = buses
    self.product = product
    self.sendTimeout = sendTimeout
    self.concurrencyPerQueue = concurrencyPerQueue
    self.redeliveryDelay = redeliveryDelay
    self.missingQueueRetry = missingQueueRetry
    self.refusedBusRetry = refusedBusRetry
    self.shutdownGrace = shutdownGrace
    self.forcedRefreshInterval = forcedRefreshInterval
    self.pingSubject = pingSubject
    self.answersPings = answersPings
    self.backOff = backOff
  }

  /// - Throws: ``TjenestebussError``: `noBus`, `busTwice`, `hostOnSeveralBuses`, `settingInvalid`.
  public func validate() throws(TjenestebussError) {
    if self.buses.isEmpty { throw .noBus }
    var names: Set<BusName> = []
    var owners: [String: [BusName]] = [:]
    for endpoint in self.buses {
      if !names.insert(endpoint.name).inserted { throw .busTwice(endpoint.name) }
      if endpoint.bus.hosts.isEmpty {
        throw .settingInvalid(name: "hosts of bus \(endpoint.name)", problem: "no host is listed, so no address lies on it")
      }
      for host in Set(endpoint.bus.hosts) { owners[host, default: []].append(endpoint.name) }
    }
    if let shared = owners.filter({ $0.value.count > 1 }).min(by: { $0.key < $1.key }) {
      throw .hostOnSeveralBuses(host: shared.key, shared.value.sorted())
    }
    if !(1...1_000).contains(self.concurrencyPerQueue) {
      throw .settingInvalid(name: "concurrencyPerQueue", problem: "must be from 1 to 1000")
    }
    if self.sendTimeout <= .zero { throw .settingInvalid(name: "sendTimeout", problem: "must be greater than zero") }
    if self.pingSubject.isEmpty { throw .settingInvalid(name: "pingSubject", problem: "is empty") }
    for (name, value) in [
      ("redeliveryDelay", self.redeliveryDelay), ("shutdownGrace", self.shutdownGrace),
      ("forcedRefreshInterval", self.forcedRefreshInterval),
    ] where value < .zero {
      throw .settingInvalid(name: name, problem: "is negative")
    }
    // Below that, a missing queue or a wrong password would hammer the bus.
    for (name, value) in [("missingQueueRetry", self.missingQueueRetry), ("refusedBusRetry", self.refusedBusRetry)]
    where value < .milliseconds(100) {
      throw .settingInvalid(name: name, problem: "must be at least 100 ms")
    }
  }

  func endpoint(_ name: BusName) -> BusEndpoint? { self.buses.first { $0.name == name } }
}
