// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// Login, sessions and links.
extension BrokerCore {
  func login(_ credentials: ServerCredentials, on connection: ServerConnection) -> Bool {
    guard let user = self.user(for: credentials) else {
      self.counters.loginsRefused += 1
      self.changed()
      return false
    }
    self.clients[connection.number] = Client(connection: connection, user: user)
    return true
  }

  private func user(for credentials: ServerCredentials) -> String? {
    switch credentials {
    case .plain(let name, let password):
      let known = self.configuration.users.first { $0.name == name }
      return known?.password.withPlainText { $0 == password } == true ? name : nil
    case .anonymous: return self.configuration.anonymousUser
    // RabbitMQ 4 refuses a client without a SASL layer, whoever may come anonymously.
    case .none: return self.manners.answersManagement ? nil : self.configuration.anonymousUser
    }
  }

  private func may(_ connection: ServerConnection, _ patterns: KeyPath<BrokerUser, [NamePattern]>, _ name: String) -> Bool {
    guard let user = self.clients[connection.number]?.user else { return false }
    // An anonymous user who is not among the users has no limits.
    guard let known = self.configuration.users.first(where: { $0.name == user }) else { return true }
    return known[keyPath: patterns].contains { $0.matches(name) }
  }

  func opened(_ connection: ServerConnection, _ open: PeerOpen) {
    self.clients[connection.number]?.containerID = open.containerID
    self.changed()
    guard self.isRabbitMQ, let host = open.hostname, host.hasPrefix("vhost:"),
      host.dropFirst(6) != self.configuration.virtualHost
    else { return }
    self.counters.clientFaults += 1
    if self.manners.answersManagement { return connection.cut() }
    connection.close(AMQPCondition(AMQPCondition.unauthorizedAccess, text: "access to \(host) refused"))
  }

  func closed(_ connection: ServerConnection) {
    self.clients[connection.number] = nil
    self.forgetLinks(of: connection) { _ in true }
    self.faults.forget(connection: connection.number)
    self.changed()
  }

  func ended(_ session: SessionID, on connection: ServerConnection) { self.forget(session, on: connection) }

  func detached(_ link: LinkID, on connection: ServerConnection) {
    self.forget(LinkKey(connection: connection.number, link: link), counts: false)
  }

  /// Ends a session for what the client did.
  func end(_ session: SessionID, on connection: ServerConnection, _ condition: AMQPCondition) {
    self.counters.clientFaults += 1
    connection.endSession(session, condition)
    self.markUnflushed(connection.number)
    self.forget(session, on: connection)
  }

  private func forget(_ session: SessionID, on connection: ServerConnection) {
    self.forgetLinks(of: connection) { $0.session == session }
  }

  private func forgetLinks(of connection: ServerConnection, _ belongs: (Link) -> Bool) {
    // All consumers go before anything is given back: none of them is to be handed what another one held.
    let keys = self.links.filter { $0.key.connection == connection.number && belongs($0.value) }.map(\.key)
    for key in keys {
      if case .outgoing(_, let consumer, _)? = self.links[key]?.use { self.consumers[consumer] = nil }
    }
    for key in keys { self.forget(key, counts: true) }
  }

  func forget(_ key: LinkKey, counts: Bool) {
    guard let link = self.links.removeValue(forKey: key) else { return }
    if case .outgoing(let queue, let consumer, _) = link.use {
      self.consumers[consumer] = nil
      self.handed = self.handed.filter { $0.value.link != key }
      let actions = self.queues[queue]?.machine.detach(consumer, counts: counts, now: self.now) ?? []
      self.perform(actions, in: queue)
    }
    self.changed()
  }

  /// Detaches a link from our side.
  func detach(_ key: LinkKey, _ condition: AMQPCondition?) {
    guard let client = self.clients[key.connection] else { return }
    client.connection.detach(key.link, condition)
    self.markUnflushed(key.connection)
    self.forget(key, counts: false)
  }

  // MARK: Attach

  func attached(
    _ link: LinkID, _ session: SessionID, role: LinkRole, _ attach: PeerAttach, on connection: ServerConnection
  ) {
    let key = LinkKey(connection: connection.number, link: link)
    do throws(Refusal) {
      let use =
        role == .sender
        ? try self.reader(key, attach, on: connection) : try self.writer(attach, on: connection)
      self.links[key] = Link(session: session, name: attach.name, use: use)
      connection.accept(link, maximumMessageSize: self.maximumMessageSize)
      if role == .receiver { self.topUp(key, on: connection) }
    } catch {
      self.counters.attachesRefused += 1
      switch self.manners.refusal {
      case .detach: connection.refuse(link, error.condition)
      case .endOfSession:
        connection.endSession(session, error.condition)
        self.forget(session, on: connection)
      }
    }
    self.markUnflushed(connection.number)
  }

  private struct Refusal: Error {
    let condition: AMQPCondition

    init(_ name: String, _ text: String) { self.condition = AMQPCondition(name, text: text) }
  }

  private func reader(
    _ key: LinkKey, _ attach: PeerAttach, on connection: ServerConnection
  ) throws(Refusal) -> Link.Use {
    let queue: String
    switch self.address(attach.source ?? "") {
    case .queue(let name, let declares):
      if declares { self.declare(BrokerQueue(name, deadLetter: .none)) }
      queue = name
    case .deadLetterSubqueue(let name): queue = "\(name)/$DeadLetterQueue"
    case .management: return .managementAnswers
    case .exchange, .anonymous: throw Refusal(AMQPCondition.notImplemented, "cannot receive from \(attach.source ?? "null")")
    case .invalid(let reason): throw Refusal(AMQPCondition.invalidField, reason)
    }
    guard self.queues[queue] != nil else { throw Refusal(AMQPCondition.notFound, "no queue '\(queue)'") }
    guard self.may(connection, \.mayRead, queue) else {
      throw Refusal(AMQPCondition.unauthorizedAccess, "read access to queue '\(queue)' refused")
    }
    let consumer = self.newConsumer(key)
    self.queues[queue]?.machine.attach(consumer, takesSettled: attach.senderSettles)
    return .outgoing(queue: queue, consumer: consumer, settled: attach.senderSettles)
  }

  private func writer(_ attach: PeerAttach, on connection: ServerConnection) throws(Refusal) -> Link.Use {
    let address = attach.target.map(self.address) ?? .anonymous
    switch address {
    case .management: return .managementRequests
    case .anonymous where self.manners.answersManagement || self.configuration.dialect == .activeMQ: break
    case .anonymous: throw Refusal(AMQPCondition.notImplemented, "a target without an address")
    case .deadLetterSubqueue: throw Refusal(AMQPCondition.notAllowed, "a dead-letter queue takes no messages from senders")
    case .invalid(let reason): throw Refusal(AMQPCondition.invalidField, reason)
    case .exchange(let exchange, _):
      guard self.routing.has(exchange) else { throw Refusal(AMQPCondition.notFound, "no exchange '\(exchange)'") }
    case .queue(let name, let declares):
      if declares { self.declare(BrokerQueue(name, deadLetter: .none)) }
      if self.queues[name] == nil, self.capabilities.missingQueueForSender == .refusesAttach {
        throw Refusal(AMQPCondition.notFound, "no queue '\(name)'")
      }
    }
    if self.manners.checksWriteAtAttach, let refused = self.writeRefused(to: address, on: connection) {
      throw Refusal(AMQPCondition.unauthorizedAccess, refused)
    }
    return .incoming(address)
  }

  func address(_ text: String) -> BrokerAddress {
    BrokerAddress(text, dialect: self.configuration.dialect, path: self.configuration.path)
  }

  /// Why the client may not send to `address`; nil when it may.
  func writeRefused(to address: BrokerAddress, on connection: ServerConnection) -> String? {
    let name: String
    switch address {
    case .queue(let queue, _): name = self.isRabbitMQ ? "amq.default" : queue
    case .exchange(let exchange, _): name = exchange
    case .deadLetterSubqueue, .management, .anonymous, .invalid: return nil
    }
    return self.may(connection, \.mayWrite, name) ? nil : "write access to '\(name)' refused"
  }

  /// Grants a sender credit when half of its window is used.
  func topUp(_ key: LinkKey, on connection: ServerConnection) {
    guard let granted = self.links[key]?.granted, !self.faults.grantsNoCredit else { return }
    let window = self.configuration.creditWindow
    guard granted <= window / 2 else { return }
    connection.grant(window - granted, on: key.link)
    self.links[key]?.granted = window
    self.markUnflushed(connection.number)
  }
}
