// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import NIOCore

/// The broker on its event loop: carries out what queues, links and faults decide. Touched on that loop only.
final class BrokerCore: ServerDelegate {
  typealias Machine = QueueMachine<BrokerMessage>

  struct Queue {
    let declaration: BrokerQueue
    let deadLetterQueue: String?
    /// As the management tells them.
    let arguments: QueueArguments
    let isClassic: Bool
    var isDisabled = false
    var machine: Machine
    var arrived = 0
    var consumed = 0
  }

  struct LinkKey: Hashable {
    let connection: Int
    let link: LinkID
  }

  struct Link {
    enum Use {
      /// The client sends here.
      case incoming(BrokerAddress)
      /// The client receives.
      case outgoing(queue: String, consumer: Machine.Consumer, settled: Bool)
      /// The client looks at copies: ActiveMQ.
      case browsing(queue: String)
      case managementRequests
      case managementAnswers
      /// Service Bus: requests to `$cbs` and `$management`, and their answers.
      case requests(ServiceBusNode)
      case answers(ServiceBusNode, to: String)
    }

    let session: SessionID
    let name: String
    let use: Use
    /// When something last moved on it, in milliseconds.
    var lastUse: Int64 = 0
    /// How many messages a looker has seen.
    var shown = 0
    /// Whether the client has detached it, and what it holds stays with its session (RabbitMQ 3).
    var isDetached = false
    /// What the client may still send.
    var granted = 0
    /// Answers of the management that wait for credit.
    var waiting: [[UInt8]] = []
    /// What we may send, for management answers.
    var credit = 0
  }

  struct SessionKey: Hashable {
    let connection: Int
    let session: SessionID
  }

  struct DeliveryKey: Hashable {
    let connection: Int
    let delivery: DeliveryID
  }

  struct Handed {
    let queue: String
    let lock: Machine.Lock
    let link: LinkKey
    let token: AMQPUUID?
  }

  struct Client {
    let connection: ServerConnection
    var user: String
    var containerID: String?
    /// What the client says of itself in its Open.
    var product: String?
    var version: String?
    var hasOpened = false
    /// Whether a link of it was ever granted.
    var hasAttached = false
    /// What the client's Open says of the virtual host, when that is not ours.
    var isShutOut = false
    /// Whether it has shown who it is: with Azure a token must follow an anonymous login.
    var isKnown = true
    /// Cancels what is to happen when the client does nothing.
    var alarms: [String: @Sendable () -> Void] = [:]
  }

  let configuration: InMemoryBroker.Configuration
  let manners: BrokerManners
  /// The way in for those who call from other threads.
  private let gate: LoopGate
  var eventLoop: any EventLoop { self.gate.eventLoop }
  var routing: RoutingTable
  var queues: [String: Queue] = [:]
  var clients: [Int: Client] = [:]
  var links: [LinkKey: Link] = [:]
  var consumers: [Machine.Consumer: LinkKey] = [:]
  var handed: [DeliveryKey: Handed] = [:]
  /// Service Bus: which delivery a lock token stands for.
  var lockTokens: [AMQPUUID: DeliveryKey] = [:]
  /// Service Bus: locks that a `$management` request took.
  var requestedLocks: [AMQPUUID: (queue: String, lock: Machine.Lock)] = [:]
  /// Sessions in which a link was refused: RabbitMQ 4.3 ends them when credit comes for such a link.
  var refusedIn: Set<SessionKey> = []
  /// Service Bus: messages that wait for their time, by sequence number.
  var scheduled: [Int64: ScheduledMessage] = [:]
  var faults = BrokerFaults()
  var counters = BrokerCounters()
  var waiters: [Int: Waiter] = [:]
  private var lastConsumer = 0
  var lastSequence: Int64 = 0
  private var unflushed: Set<Int> = []
  private var flushIsDue = false
  private var alarm: (at: Int64, cancel: @Sendable () -> Void)?

  struct Waiter {
    let isMet: @Sendable (BrokerSnapshot) -> Bool
    let fulfilled: OneShot<BrokerSnapshot?>
  }

  init(_ configuration: InMemoryBroker.Configuration, on gate: LoopGate) {
    self.configuration = configuration
    self.manners = BrokerManners(configuration.product)
    self.gate = gate
    self.routing = RoutingTable(ownExchange: configuration.path)
    for queue in configuration.queues { self.declare(queue) }
  }

  var capabilities: DialectCapabilities { self.configuration.dialect.capabilities }
  var product: BrokerProduct { self.configuration.product }
  var isRabbitMQ: Bool { self.product.isRabbitMQ }
  var now: Int64 { self.configuration.clock.milliseconds }
  var maximumMessageSize: UInt64 { self.configuration.maximumMessageSize ?? self.manners.maximumMessageSize }

  // MARK: Queues

  /// Declares a queue and its dead-letter queue; one that is there stays as it is.
  @discardableResult
  func declare(_ queue: BrokerQueue, arguments: QueueArguments? = nil) -> Bool {
    guard self.queues[queue.name] == nil else { return false }
    let deadLetterQueue = queue.deadLetterQueue(self.configuration.dialect)
    self.queues[queue.name] = Queue(
      declaration: queue, deadLetterQueue: deadLetterQueue, arguments: arguments ?? queue.arguments,
      isClassic: queue.kind == .classic,
      machine: Machine(queue.rules(self.manners, lockDuration: self.configuration.lockDuration)))
    if let deadLetterQueue, self.queues[deadLetterQueue] == nil {
      self.declare(BrokerQueue(deadLetterQueue, deliveryLimit: .none, deadLetter: .none))
    }
    self.changed()
    return true
  }

  /// - Returns: how many messages went with it; nil when there is no such queue.
  func delete(_ name: String) -> Int? {
    guard let queue = self.queues.removeValue(forKey: name) else { return nil }
    let gone = AMQPCondition(AMQPCondition.resourceDeleted, text: "queue '\(name)' was deleted")
    for (key, link) in self.links {
      switch (link.use, self.product) {
      // RabbitMQ 3 says nothing to senders, and its session with a receiver does not survive it.
      case (.outgoing(name, _, _), .rabbitMQ310): self.cut(key.connection, after: 3_000)
      case (.incoming, .rabbitMQ310): break
      case (.outgoing(name, _, _), _), (.incoming(.queue(name, _)), _): self.detach(key, gone)
      default: break
      }
    }
    self.handed = self.handed.filter { $0.value.queue != name }
    self.changed()
    return queue.machine.depth
  }

  func purge(_ name: String) -> Int? {
    let count = self.queues[name]?.machine.purge()
    self.changed()
    return count
  }

  /// Puts a message into a queue, with whatever fault was asked for.
  ///
  /// - Returns: false when the queue is full.
  func put(_ message: BrokerMessage, into name: String, isSent: Bool, exchange: String = "", key: String? = nil) -> Bool {
    let message = self.marked(message, queue: name, exchange: exchange, key: key ?? name)
    return self.putMarked(message, into: name, isSent: isSent)
  }

  private func putMarked(_ message: BrokerMessage, into name: String, isSent: Bool) -> Bool {
    switch isSent ? self.faults.nextArrival(at: name) : nil {
    case .drop:
      self.counters.droppedOnPurpose += 1
      return true
    case .duplicate:
      guard self.take(message, into: name) else { return false }
      if self.take(message, into: name) { self.counters.duplicatedOnPurpose += 1 }
      return true
    case .withhold: return self.take(message, into: name, withheld: true)
    case nil: return self.take(message, into: name)
    }
  }

  private func take(_ message: BrokerMessage, into name: String, withheld: Bool = false) -> Bool {
    switch self.queues[name]?.machine.put(message, timeToLive: message.timeToLive, withheld: withheld, now: self.now) {
    case .queued(let actions)?:
      self.queues[name]?.arrived += 1
      self.perform(actions, in: name)
      return true
    case .full?, nil: return false
    }
  }

  private func marked(_ message: BrokerMessage, queue: String, exchange: String, key: String) -> BrokerMessage {
    self.lastSequence += 1
    var message = message
    message.arrive(
      at: queue, exchange: exchange, key: key, sequence: self.lastSequence, now: self.now, at: self.product)
    return message
  }

  func perform(_ actions: [Machine.Action], in queue: String) {
    for action in actions {
      switch action {
      case .deliver(let handout): self.deliver(handout, from: queue)
      case .drained(let consumer):
        guard let key = self.consumers[consumer], let client = self.clients[key.connection] else { continue }
        client.connection.drained(key.link)
        self.markUnflushed(key.connection)
      case .died(let message, let reason, let count): self.bury(message, reason, deliveryCount: count, from: queue)
      case .lockLost(let lock, let consumer): self.lockLost(lock, consumer)
      }
    }
    self.setAlarm(for: queue)
    self.changed()
  }

  private func deliver(_ handout: Machine.Handout, from queue: String) {
    guard let key = self.consumers[handout.consumer], let client = self.clients[key.connection] else { return }
    let payload = handout.content.encoded(
      for: handout, now: self.now, rules: self.queues[queue]?.machine.rules ?? QueueRules(), manners: self.manners)
    self.markUnflushed(key.connection)
    self.links[key]?.lastUse = self.now
    let token = self.product.isServiceBus ? AMQPUUID.random() : nil
    guard
      let delivery = client.connection.send(payload, on: key.link, settled: handout.lock == nil, tag: token?.littleEndianBytes)
    else {
      // The link is gone and its end is yet to be told: nobody has seen the message.
      return self.perform(
        self.queues[queue]?.machine.detach(handout.consumer, counts: false, now: self.now) ?? [], in: queue)
    }
    if let token { self.lockTokens[token] = DeliveryKey(connection: key.connection, delivery: delivery) }
    self.counters.delivered += 1
    if let lock = handout.lock {
      self.handed[DeliveryKey(connection: key.connection, delivery: delivery)] = Handed(
        queue: queue, lock: lock, link: key, token: token)
    } else {
      self.queues[queue]?.consumed += 1
    }
  }

  /// The broker took back what a consumer held too long.
  private func lockLost(_ lock: Machine.Lock, _ consumer: Machine.Consumer) {
    guard let (key, handed) = self.handed.first(where: { $0.value.lock == lock }) else { return }
    self.counters.locksLost += 1
    guard let connection = self.clients[key.connection]?.connection else { return }
    if self.product == .rabbitMQ43 {
      // Not settled: the link gives nothing more until the client has done that.
      connection.withdraw(key.delivery)
      self.markUnflushed(key.connection)
    } else if let token = handed.token {
      self.lockTokens[token] = nil
    }
  }

  /// Takes a dead message to where the queue's dead letters lie.
  private func bury(_ message: BrokerMessage, _ reason: DeathReason, deliveryCount: UInt32, from queue: String) {
    guard let target = self.queues[queue]?.deadLetterQueue, self.queues[target] != nil else {
      self.counters.diedWithoutTrace += 1
      return
    }
    var message = message
    message.die(reason, in: queue, now: self.now, deadLetter: message.deadLetter, at: self.product)
    message.deadLetter = nil
    if self.putMarked(self.redirected(message, to: target), into: target, deliveryCount: deliveryCount) {
      self.counters.deadLettered += 1
    } else {
      self.counters.diedWithoutTrace += 1
    }
  }

  private func redirected(_ message: BrokerMessage, to queue: String) -> BrokerMessage {
    guard self.product.isRabbitMQ4 else { return message }
    var message = message
    message.annotate("x-exchange", .string(""))
    message.annotate("x-routing-key", .string(queue))
    return message
  }

  /// A dead letter keeps the unsuccessful deliveries it had, where the broker tells of them.
  private func putMarked(_ message: BrokerMessage, into name: String, deliveryCount: UInt32) -> Bool {
    let keeps = self.product.isRabbitMQ4
    switch self.queues[name]?.machine.put(
      message, timeToLive: message.timeToLive, deliveryCount: keeps ? deliveryCount : 0, isFirst: !keeps, now: self.now)
    {
    case .queued(let actions)?:
      self.queues[name]?.arrived += 1
      self.perform(actions, in: name)
      return true
    case .full?, nil: return false
    }
  }

  /// Does something when so many milliseconds of the broker's clock are over. - Returns: what cancels it.
  func after(_ milliseconds: Int64, _ work: @escaping (BrokerCore) -> Void) -> @Sendable () -> Void {
    let gate = self.gate
    // Weak: the broker holds its clock, and a clock that a test moves holds what waits until it is moved that far.
    let bound = NIOLoopBound(Alarm(core: self, work: work), eventLoop: gate.eventLoop)
    return self.configuration.clock.wake(at: self.now + milliseconds) {
      gate.execute { if let core = bound.value.core { bound.value.work(core) } }
    }
  }

  private struct Alarm {
    weak var core: BrokerCore?
    let work: (BrokerCore) -> Void
  }

  // MARK: Time

  private func setAlarm(for queue: String) {
    guard let next = self.queues[queue]?.machine.nextExpiry(), next < self.alarm?.at ?? .max else { return }
    self.setAlarm(at: next)
  }

  private func setAlarm(at milliseconds: Int64) {
    self.alarm?.cancel()
    // Not known before wake() returns, which may be after it has called.
    self.alarm = (milliseconds, {})
    let gate = self.gate
    let core = NIOLoopBound(self, eventLoop: gate.eventLoop)
    let cancel = self.configuration.clock.wake(at: milliseconds) { gate.execute { core.value.expire() } }
    self.alarm = (milliseconds, cancel)
  }

  private func expire() {
    self.alarm?.cancel()
    self.alarm = nil
    let now = self.now
    for name in self.queues.keys.sorted() {
      let actions = self.queues[name]?.machine.expire(now: now) ?? []
      self.perform(actions, in: name)
    }
  }

  // MARK: Telling others

  /// A connection has something to write. Written once for all that happens in this turn of the loop, and never in the middle of
  /// another connection's event.
  func markUnflushed(_ connection: Int) {
    self.unflushed.insert(connection)
    self.changed()
  }

  /// Something may be otherwise than before: those who wait for it look again.
  func changed() {
    guard !self.flushIsDue, !self.unflushed.isEmpty || !self.waiters.isEmpty else { return }
    self.flushIsDue = true
    self.eventLoop.assumeIsolated().execute { self.flush() }
  }

  private func flush() {
    self.flushIsDue = false
    let connections = self.unflushed
    self.unflushed = []
    for number in connections.sorted() { self.clients[number]?.connection.flush() }
    guard !self.waiters.isEmpty else { return }
    let snapshot = self.snapshot()
    for (number, waiter) in self.waiters where waiter.isMet(snapshot) {
      self.waiters[number] = nil
      waiter.fulfilled.fulfil(snapshot)
    }
  }

  func newConsumer(_ key: LinkKey) -> Machine.Consumer {
    self.lastConsumer += 1
    let consumer = Machine.Consumer(self.lastConsumer)
    self.consumers[consumer] = key
    return consumer
  }
}
