// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// Which links are granted, and what for.
extension BrokerCore {
  private struct Refusal: Error {
    let condition: AMQPCondition
    /// Whether it costs the session even where a refusal does not.
    var costsSession = false

    init(_ name: String, _ text: String, costsSession: Bool = false) {
      self.condition = AMQPCondition(name, text: text)
      self.costsSession = costsSession
    }
  }

  func may(_ connection: ServerConnection, _ patterns: KeyPath<BrokerUser, [NamePattern]>, _ name: String) -> Bool {
    guard let user = self.clients[connection.number]?.user else { return false }
    // A user who is not among the users has no limits: whoever came anonymously, or by a token.
    guard let known = self.configuration.users.first(where: { $0.name == user }) else { return true }
    return known[keyPath: patterns].contains { $0.matches(name) }
  }

  func attached(
    _ link: LinkID, _ session: SessionID, role: LinkRole, _ attach: PeerAttach, on connection: ServerConnection
  ) {
    let key = LinkKey(connection: connection.number, link: link)
    defer { self.markUnflushed(connection.number) }
    do throws(Refusal) {
      try self.checkTerms(attach, session, on: connection)
      let use =
        role == .sender
        ? try self.reader(key, attach, on: connection) : try self.writer(attach, on: connection)
      self.links[key] = Link(session: session, name: attach.name, use: use, lastUse: self.now)
      var answer = ServerLinkAnswer()
      if role == .receiver { answer.maximumMessageSize = self.maximumMessageSize }
      if role == .sender, self.isRabbitMQ {
        answer.omitsClientTerminus = true
        if case .managementAnswers = use { answer.omitsClientTerminus = false }
        if self.product == .rabbitMQ43 { answer.distributionMode = .move }
      }
      if attach.isDynamic, case .outgoing(let queue, _, _) = use { answer.dynamicAddress = queue }
      connection.accept(link, answer)
      self.clients[connection.number]?.hasAttached = true
      if role == .receiver { self.topUp(key, on: connection) }
      if self.product.isServiceBus { self.watchIdleness(of: connection) }
    } catch {
      self.counters.attachesRefused += 1
      if self.manners.refusal == .detach, !error.costsSession {
        self.refusedIn.insert(SessionKey(connection: connection.number, session: session))
        connection.refuse(link, error.condition)
      } else {
        connection.endSession(session, error.condition)
        self.forget(session, on: connection)
      }
    }
  }

  /// What RabbitMQ does not know, or not so many of.
  private func checkTerms(_ attach: PeerAttach, _ session: SessionID, on connection: ServerConnection) throws(Refusal) {
    if self.isRabbitMQ, attach.isDynamic || attach.isCoordinator || attach.settlesSecond {
      throw Refusal(AMQPCondition.notImplemented, "dynamic nodes, transactions, rcv-settle-mode second")
    }
    if let most = self.manners.mostLinks,
      self.links.count(where: { $0.key.connection == connection.number && $0.value.session == session }) >= most
    {
      throw Refusal(AMQPCondition.framingError, "handle beyond handle_max", costsSession: true)
    }
  }

  private func refusedAccess(_ what: String) -> Refusal {
    Refusal(AMQPCondition.unauthorizedAccess, "\(what) refused", costsSession: self.isRabbitMQ)
  }

  private func checkPaired(_ attach: PeerAttach) throws(Refusal) {
    guard attach.properties["paired"] == .boolean(true) else {
      throw Refusal(AMQPCondition.invalidField, "a link to /management must be paired")
    }
  }

  private func reader(
    _ key: LinkKey, _ attach: PeerAttach, on connection: ServerConnection
  ) throws(Refusal) -> Link.Use {
    let queue: String
    let source =
      attach.isDynamic && self.product == .activeMQ ? self.declareTemporaryQueue(for: connection) : attach.source ?? ""
    switch self.address(source) {
    case .queue(let name, let declares):
      if declares { try self.declareByAddress(name) }
      queue = name
    case .deadLetterSubqueue(let name): queue = "\(name)/$DeadLetterQueue"
    case .management:
      try self.checkPaired(attach)
      return .managementAnswers
    case .claims: return .answers(.claims, to: attach.target ?? "")
    case .entityManagement(let name):
      try self.checkEntity(name, connection)
      return .answers(.management(name), to: attach.target ?? "")
    case .exchange(let exchange, let key) where self.isRabbitMQ && self.routing.has(exchange):
      // A queue of the receiver's own, bound for as long as the broker lives.
      queue = "amq.gen-\(connection.number)-\(self.queues.count)"
      self.declare(BrokerQueue(queue, kind: .classic, deadLetter: .none))
      self.routing.bind(queue, to: exchange, key: key)
    case .exchange, .anonymous: throw Refusal(AMQPCondition.notImplemented, "cannot receive from \(attach.source ?? "null")")
    case .invalid(let reason): throw Refusal(AMQPCondition.invalidField, reason)
    }
    try self.checkEntity(queue, connection)
    guard self.may(connection, \.mayRead, queue) else { throw self.refusedAccess("read access to queue '\(queue)'") }
    if attach.browses, self.product == .activeMQ { return .browsing(queue: queue) }
    let consumer = self.newConsumer(key)
    self.queues[queue]?.machine.attach(consumer, takesSettled: attach.senderSettles)
    return .outgoing(queue: queue, consumer: consumer, settled: attach.senderSettles)
  }

  private func checkEntity(_ queue: String, _ connection: ServerConnection) throws(Refusal) {
    guard self.clients[connection.number]?.isKnown == true else {
      throw Refusal(AMQPCondition.unauthorizedAccess, "no token was shown for '\(queue)'")
    }
    guard let found = self.queues[queue] else { throw Refusal(AMQPCondition.notFound, "no queue '\(queue)'") }
    if found.isDisabled { throw Refusal(BrokerCore.entityDisabled, "the entity is disabled") }
  }

  /// Address forms that make the queue: RabbitMQ makes a classic one, and version 3 wants one that is there to be like it.
  private func declareByAddress(_ name: String) throws(Refusal) {
    if self.product == .rabbitMQ310, let found = self.queues[name], !found.isClassic {
      throw Refusal("amqp:precondition-failed", "inequivalent arg 'x-queue-type' for queue '\(name)'")
    }
    self.declare(BrokerQueue(name, kind: self.isRabbitMQ ? .classic : .quorum, deadLetter: .none))
  }

  private func writer(_ attach: PeerAttach, on connection: ServerConnection) throws(Refusal) -> Link.Use {
    let address = attach.target.map(self.address) ?? .anonymous
    switch address {
    case .management:
      try self.checkPaired(attach)
      return .managementRequests
    case .claims: return .requests(.claims)
    case .entityManagement(let name):
      try self.checkEntity(name, connection)
      return .requests(.management(name))
    case .anonymous where self.manners.knowsAnonymousTerminus: break
    case .anonymous:
      throw Refusal(
        self.isRabbitMQ ? AMQPCondition.invalidField : AMQPCondition.notImplemented, "a target without an address")
    case .deadLetterSubqueue: throw Refusal(AMQPCondition.notAllowed, "a dead-letter queue takes no messages from senders")
    case .invalid(let reason): throw Refusal(AMQPCondition.invalidField, reason)
    case .exchange(let exchange, _):
      guard self.routing.has(exchange) else { throw Refusal(AMQPCondition.notFound, "no exchange '\(exchange)'") }
    case .queue(let name, let declares):
      if declares { try self.declareByAddress(name) }
      if self.product.isServiceBus {
        try self.checkEntity(name, connection)
      } else if self.queues[name] == nil, self.capabilities.missingQueueForSender == .refusesAttach {
        throw Refusal(AMQPCondition.notFound, "no queue '\(name)'")
      }
    }
    if self.manners.checksWriteAtAttach, let refused = self.writeRefused(to: address, on: connection) {
      throw self.refusedAccess(refused)
    }
    return .incoming(address)
  }

  func address(_ text: String) -> BrokerAddress {
    BrokerAddress(text, product: self.product, path: self.configuration.path)
  }

  /// What the client may not have to send to `address`; nil when it may.
  func writeRefused(to address: BrokerAddress, on connection: ServerConnection) -> String? {
    let name: String
    switch address {
    case .queue(let queue, _): name = self.isRabbitMQ ? "amq.default" : queue
    case .exchange(let exchange, _): name = exchange
    case .deadLetterSubqueue, .management, .entityManagement, .claims, .anonymous, .invalid: return nil
    }
    return self.may(connection, \.mayWrite, name) ? nil : "write access to '\(name)'"
  }

  /// Grants a sender credit when half of its window is used.
  func topUp(_ key: LinkKey, on connection: ServerConnection) {
    guard let granted = self.links[key]?.granted, !self.faults.grantsNoCredit else { return }
    let window = self.configuration.creditWindow ?? self.manners.creditWindow
    guard granted <= window / 2 else { return }
    connection.grant(window - granted, on: key.link)
    self.links[key]?.granted = window
    self.markUnflushed(connection.number)
  }
}
