// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// Everything the client is told: which buses there are, and how to behave.
public struct TjenestebussConfiguration: Sendable {
  /// All buses that a party may sit on, during a move both.
  public var buses: [BusEndpoint]
  /// Told to the bus beside our version: the EPJ's name, for instance. Default `tjenestebuss`.
  public var product: String
  /// The version of that system; in the echo of a ping, so that support can see what answered. Default empty.
  public var productVersion: String
  /// Which HER-IDs and queues ``TjenestebussClient/serve(_:)`` serves, and this process's reply queue.
  public var serve: ServeConfiguration
  /// For one send in all: route, connection, attach, credit, outcome, and a second try. Default 30 s.
  public var sendTimeout: Duration
  /// How many messages of one queue on one bus are in the handler at once. Default 5, as Helsenorge.Messaging.
  public var concurrencyPerQueue: Int
  /// How long a message whose handler threw is held before it is released, so that a fault on our side does not burn the
  /// queue's delivery limit in a second: RabbitMQ 4 drops or dead-letters after 20 deliveries. Default 60 s.
  public var redeliveryDelay: Duration
  /// The longest such wait. When nothing at all succeeds in a queue, the wait grows up to this: at the usual pace every message
  /// would be dead-lettered before a database is mended. Below RabbitMQ's delivery timeout of 30 minutes. Default 10 min.
  public var longestRedeliveryDelay: Duration
  /// The failure at which a message is dead-lettered: the bus's own count or ours. Default 15, below RabbitMQ 4's limit of 20,
  /// after which the bus drops it or dead-letters it without a word. Nil for never.
  public var poisonLimit: Int?
  /// How copies of a message are recognised; nil to hand every copy to the handler.
  public var duplicates: DuplicateSettings?
  /// The most error messages that one sender is sent in a minute; further faulty messages are dead-lettered. Default 60.
  public var errorReportsPerMinute: Int
  /// For a synchronous call in all. Default 15 s.
  public var callTimeout: Duration
  /// What becomes of an answer that nobody waits for any more. Default: accepted, counted and logged.
  public var lateReplies: LateReplies
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
  /// Whether each message tells which library sent it (`tjenestebussVersion`) and for which system (`tjenestebussProduct`): those who watch
  /// a bus being left can then name a sender that stays behind. Default true.
  public var namesItself: Bool
  public var backOff: AMQPBackOff
  /// Metrics, spans and the frame trace of the connections. Default none.
  public var observability: AMQPObservability

  public init(
    buses: [BusEndpoint], product: String = "tjenestebuss", productVersion: String = "",
    serve: ServeConfiguration = ServeConfiguration(), sendTimeout: Duration = .seconds(30), concurrencyPerQueue: Int = 5,
    redeliveryDelay: Duration = .seconds(60), longestRedeliveryDelay: Duration = .seconds(600), poisonLimit: Int? = 15,
    duplicates: DuplicateSettings? = DuplicateSettings(), errorReportsPerMinute: Int = 60,
    callTimeout: Duration = .seconds(15), lateReplies: LateReplies = .accept, missingQueueRetry: Duration = .seconds(30),
    refusedBusRetry: Duration = .seconds(60), shutdownGrace: Duration = .seconds(10),
    forcedRefreshInterval: Duration = .seconds(10), pingSubject: String = PingForm.defaultSubject, answersPings: Bool = true,
    namesItself: Bool = true, backOff: AMQPBackOff = AMQPBackOff(), observability: AMQPObservability = .none
  ) {
    self.buses = buses
    self.product = product
    self.productVersion = productVersion
    self.serve = serve
    self.sendTimeout = sendTimeout
    self.concurrencyPerQueue = concurrencyPerQueue
    self.redeliveryDelay = redeliveryDelay
    self.longestRedeliveryDelay = longestRedeliveryDelay
    self.poisonLimit = poisonLimit
    self.duplicates = duplicates
    self.errorReportsPerMinute = errorReportsPerMinute
    self.callTimeout = callTimeout
    self.lateReplies = lateReplies
    self.missingQueueRetry = missingQueueRetry
    self.refusedBusRetry = refusedBusRetry
    self.shutdownGrace = shutdownGrace
    self.forcedRefreshInterval = forcedRefreshInterval
    self.pingSubject = pingSubject
    self.answersPings = answersPings
    self.namesItself = namesItself
    self.backOff = backOff
    self.observability = observability
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
    for (kind, count) in self.serve.concurrency where !(1...1_000).contains(count) {
      throw .settingInvalid(name: "serve.concurrency of \(kind.rawValue)", problem: "must be from 1 to 1000")
    }
    if self.callTimeout <= .zero { throw .settingInvalid(name: "callTimeout", problem: "must be greater than zero") }
    if let poisonLimit, poisonLimit < 1 { throw .settingInvalid(name: "poisonLimit", problem: "must be at least 1, or nil") }
    if self.longestRedeliveryDelay < self.redeliveryDelay {
      throw .settingInvalid(name: "longestRedeliveryDelay", problem: "is shorter than redeliveryDelay")
    }
    if self.errorReportsPerMinute < 0 { throw .settingInvalid(name: "errorReportsPerMinute", problem: "is negative") }
    if let duplicates, duplicates.count < 1 || duplicates.age <= .zero {
      throw .settingInvalid(name: "duplicates", problem: "count and age must be greater than zero")
    }
    if self.serve.replyQueue?.isEmpty == true {
      throw .settingInvalid(name: "serve.replyQueue", problem: "is empty; leave it out where there is none")
    }
    if let events = self.serve.registryEvents, self.endpoint(events.bus) == nil { throw .busUnknown(events.bus) }
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

  /// How many messages of a queue of this kind are in the handler at once, on each bus.
  func concurrency(of kind: QueueKind) -> Int { self.serve.concurrency[kind] ?? self.concurrencyPerQueue }

  func endpoint(_ name: BusName) -> BusEndpoint? { self.buses.first { $0.name == name } }
}

/// How copies of a message are recognised: by message id, sender and receiver, among those handled lately.
///
/// The memory is this process's alone, and is empty after a restart; a copy that comes to another process, or later than it is
/// remembered, goes to the handler. The handler must bear that.
public struct DuplicateSettings: Sendable, Hashable {
  /// How many handled messages are remembered at most, over all queues and buses. Default 50 000: about 15 MB.
  public var count: Int
  /// How long. Default 24 hours: as long as some senders keep an old address.
  public var age: Duration

  public init(count: Int = 50_000, age: Duration = .seconds(24 * 3_600)) {
    self.count = count
    self.age = age
  }
}

/// What becomes of an answer that nobody waits for any more.
public enum LateReplies: String, Sendable, Hashable, Codable, CaseIterable {
  /// Accepted, counted and logged.
  case accept
  /// Rejected, to lie in the dead-letter queue, where there is one.
  case deadLetter = "dead-letter"
}
