// SPDX-License-Identifier: Apache-2.0

import AMQP

/// What goes wrong on purpose.
struct BrokerFaults {
  enum Arrival { case drop, duplicate, withhold }

  struct HeldOutcome {
    let connection: Int
    let delivery: DeliveryID
    let outcome: AMQPDisposition
  }

  private struct Order {
    let what: Arrival
    /// Nil for any queue.
    let queue: String?
    var left: Int
  }

  var holdsOutcomes = false
  var heldOutcomes: [HeldOutcome] = []
  var grantsNoCredit = false
  /// Whether nothing that senders write is taken in: RabbitMQ's memory alarm.
  var isAlarmed = false
  var unread: [(IncomingTransfer, LinkID, ServerConnection)] = []
  private var orders: [Order] = []

  mutating func order(_ what: Arrival, _ count: Int, at queue: String?) {
    self.orders.append(Order(what: what, queue: queue, left: count))
  }

  /// What is to happen to the message that now arrives at `queue`; the earliest order that fits.
  mutating func nextArrival(at queue: String) -> Arrival? {
    guard let index = self.orders.firstIndex(where: { $0.queue == nil || $0.queue == queue }) else { return nil }
    let what = self.orders[index].what
    self.orders[index].left -= 1
    if self.orders[index].left <= 0 { self.orders.remove(at: index) }
    return what
  }

  mutating func forget(connection: Int) { self.heldOutcomes.removeAll { $0.connection == connection } }

  mutating func clear() { self = BrokerFaults(heldOutcomes: self.heldOutcomes) }

  init() {}

  private init(heldOutcomes: [HeldOutcome]) { self.heldOutcomes = heldOutcomes }
}

extension BrokerCore {
  func cutAll() {
    for client in self.clients.values { client.connection.cut() }
  }

  func closeAll(_ condition: AMQPCondition?) {
    for (number, client) in self.clients {
      client.connection.close(condition)
      self.markUnflushed(number)
    }
  }

  func endAllSessions(_ condition: AMQPCondition?) {
    for session in Dictionary(grouping: self.links, by: { [$0.key.connection: $0.value.session] }).keys {
      for (number, id) in session {
        guard let connection = self.clients[number]?.connection else { continue }
        connection.endSession(id, condition)
        self.markUnflushed(number)
        self.ended(id, on: connection)
      }
    }
  }

  /// - Parameter queue: nil for every link.
  func detachLinks(of queue: String?, _ condition: AMQPCondition?) {
    for (key, link) in self.links where queue == nil || link.reaches(queue, own: self.routing.ownExchange) {
      self.detach(key, condition)
    }
  }

  func releaseOutcomes() {
    self.faults.holdsOutcomes = false
    let held = self.faults.heldOutcomes
    self.faults.heldOutcomes = []
    for one in held {
      self.clients[one.connection]?.connection.settle(one.delivery, one.outcome)
      self.markUnflushed(one.connection)
    }
  }

  func grantCreditAgain() {
    self.faults.grantsNoCredit = false
    for (key, link) in self.links {
      guard let connection = self.clients[key.connection]?.connection else { continue }
      switch link.use {
      case .incoming, .managementRequests: self.topUp(key, on: connection)
      case .requests: self.topUp(key, on: connection)
      case .outgoing, .browsing, .managementAnswers, .answers: break
      }
    }
  }

  func setAlarmed(_ isAlarmed: Bool) {
    self.faults.isAlarmed = isAlarmed
    guard !isAlarmed else { return }
    let unread = self.faults.unread
    self.faults.unread = []
    for (transfer, link, connection) in unread where self.clients[connection.number] != nil {
      self.delivered(transfer, link, on: connection)
    }
  }

  /// Ends every connection as an operator does it by the management.
  func closeByOperator(_ reason: String) {
    switch self.product {
    // It ends the sessions, and the connection stays.
    case .rabbitMQ310:
      for (number, client) in self.clients {
        for session in client.connection.sessions {
          client.connection.endSession(
            session, AMQPCondition(AMQPCondition.internalError, text: "{shutdown,{connection_closing,\"\(reason)\"}}"))
          self.ended(session, on: client.connection)
        }
        self.markUnflushed(number)
      }
    case .rabbitMQ40, .rabbitMQ43:
      self.closeAll(AMQPCondition(AMQPCondition.internalError, text: "Connection forced: \"\(reason)\""))
    case .activeMQ, .azureServiceBus, .serviceBusWindowsServer:
      self.closeAll(AMQPCondition(AMQPCondition.connectionForced, text: reason))
    }
  }

  /// Ends every connection as a broker does that is shut down in order.
  func closeForShutdown() {
    switch self.product {
    case .rabbitMQ310:
      for (number, client) in self.clients {
        for session in client.connection.sessions {
          client.connection.endSession(session, AMQPCondition(AMQPCondition.internalError, text: "shutdown"))
        }
        self.markUnflushed(number)
      }
    case .rabbitMQ40, .rabbitMQ43:
      self.closeAll(
        AMQPCondition(AMQPCondition.internalError, text: "Connection forced: \"Node was put into maintenance mode\" 'shutdown'"))
    case .activeMQ: self.cutAll()
    case .azureServiceBus, .serviceBusWindowsServer:
      self.closeAll(AMQPCondition(AMQPCondition.connectionForced, text: "the broker is shut down"))
    }
  }

  func setPaused(_ isPaused: Bool, _ queue: String) -> Bool {
    guard self.queues[queue] != nil else { return false }
    if isPaused {
      self.queues[queue]?.machine.pause()
      self.changed()
    } else {
      self.perform(self.queues[queue]?.machine.resume(now: self.now) ?? [], in: queue)
    }
    return true
  }

  func releaseWithheld() {
    for name in self.queues.keys.sorted() {
      self.perform(self.queues[name]?.machine.releaseWithheld(now: self.now) ?? [], in: name)
    }
  }
}

extension BrokerCore.Link {
  /// Whether the link sends to this queue, or receives from it.
  fileprivate func reaches(_ queue: String?, own exchange: String) -> Bool {
    switch self.use {
    case .incoming(.queue(let name, _)): name == queue
    case .incoming(.exchange(exchange, let key)): key == queue
    case .outgoing(let name, _, _): name == queue
    case .browsing(let name): name == queue
    case .incoming, .managementRequests, .managementAnswers, .requests, .answers: false
    }
  }
}
