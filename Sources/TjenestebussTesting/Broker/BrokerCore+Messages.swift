// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// Messages that come in, and outcomes of those that went out.
extension BrokerCore {
  func delivered(_ transfer: IncomingTransfer, _ link: LinkID, on connection: ServerConnection) {
    let key = LinkKey(connection: connection.number, link: link)
    guard let record = self.links[key] else { return }
    self.links[key]?.granted -= 1
    switch record.use {
    case .incoming(let address):
      self.publish(transfer, to: address, of: record, on: connection)
    case .managementRequests:
      self.managementRequest(transfer, of: record, on: connection)
    case .outgoing, .managementAnswers: return
    }
    if self.links[key] != nil { self.topUp(key, on: connection) }
    self.markUnflushed(connection.number)
  }

  private func publish(
    _ transfer: IncomingTransfer, to address: BrokerAddress, of record: Link, on connection: ServerConnection
  ) {
    if self.maximumMessageSize > 0, UInt64(transfer.payload.count) > self.maximumMessageSize {
      return self.refuse(
        transfer, of: record, on: connection, malformed: false,
        AMQPCondition(AMQPCondition.messageSizeExceeded, text: "the limit is \(self.maximumMessageSize) bytes"))
    }
    let message: BrokerMessage
    do throws(AMQPDecodingError) {
      message = try BrokerMessage(transfer.payload)
    } catch {
      return self.refuse(
        transfer, of: record, on: connection, malformed: true,
        AMQPCondition(self.isRabbitMQ ? AMQPCondition.internalError : AMQPCondition.decodeError, text: "\(error)"))
    }
    if let complaint = self.complaint(about: message, on: connection) {
      return self.end(record.session, on: connection, complaint)
    }
    if !self.manners.checksWriteAtAttach || address == .anonymous,
      let refused = self.writeRefused(to: self.destination(of: message, address), on: connection)
    {
      return self.end(record.session, on: connection, AMQPCondition(AMQPCondition.unauthorizedAccess, text: refused))
    }
    let outcome = self.route(message, to: self.destination(of: message, address))
    self.count(outcome)
    guard !transfer.settled, let outcome else { return }
    self.answer(transfer.delivery, outcome, on: connection)
  }

  private func destination(of message: BrokerMessage, _ address: BrokerAddress) -> BrokerAddress {
    guard address == .anonymous else { return address }
    return message.properties.to.map(self.address) ?? .invalid("no to")
  }

  /// What RabbitMQ ends a session for.
  private func complaint(about message: BrokerMessage, on connection: ServerConnection) -> AMQPCondition? {
    if self.manners.isStrictAboutSections {
      if !message.hasBody { return AMQPCondition(AMQPCondition.internalError, text: "missing body section") }
      let isReserved = message.messageAnnotations.entries.contains { entry in
        if case .symbol(let name) = entry.key { !name.hasPrefix("x-") } else { true }
      }
      if isReserved { return AMQPCondition(AMQPCondition.internalError, text: "reserved_annotation_key") }
    }
    if self.manners.checksUserID, let userID = message.properties.userID,
      userID != Array((self.clients[connection.number]?.user ?? "").utf8)
    {
      let name = self.configuration.dialect == .rabbitMQ3 ? "amqp:precondition-failed" : AMQPCondition.unauthorizedAccess
      return AMQPCondition(name, text: "user_id property does not match the authenticated user")
    }
    return nil
  }

  /// - Returns: nil where the broker gives no answer at all.
  private func route(_ message: BrokerMessage, to address: BrokerAddress) -> AMQPDisposition? {
    var targets: [String]
    let whenNone: DialectCapabilities.MissingQueue
    switch address {
    case .queue(let name, _):
      targets = [name]
      whenNone = self.capabilities.missingQueueForSender
    case .exchange(let exchange, let key):
      targets = self.routing.queues(exchange: exchange, key: key)
      whenNone = self.capabilities.unroutableMessage
    case .deadLetterSubqueue, .management, .anonymous, .invalid:
      targets = []
      whenNone = .releases
    }
    if whenNone == .declaresQueue { for name in targets { self.declare(BrokerQueue(name, deadLetter: .none)) } }
    targets = targets.filter { self.queues[$0] != nil }
    guard !targets.isEmpty else {
      guard whenNone == .acceptsAndLoses else { return .released }
      self.counters.acceptedAndLost += 1
      return .accepted
    }
    var isTaken = true
    for name in targets where !self.put(message, into: name, isSent: true) { isTaken = false }
    if isTaken { return .accepted }
    return self.manners.answersWhenFull ? .rejected(nil) : nil
  }

  private func refuse(
    _ transfer: IncomingTransfer, of record: Link, on connection: ServerConnection, malformed: Bool, _ condition: AMQPCondition
  ) {
    switch self.manners.malformed {
    case .rejected:
      self.count(.rejected(condition))
      if !transfer.settled { self.answer(transfer.delivery, .rejected(condition), on: connection) }
    case .cut where malformed:
      self.counters.clientFaults += 1
      connection.cut()
    case .endOfSession, .cut: self.end(record.session, on: connection, condition)
    }
  }

  private func count(_ outcome: AMQPDisposition?) {
    switch outcome {
    case .accepted: self.counters.accepted += 1
    case nil: self.counters.leftUnanswered += 1
    case .rejected, .released, .modified: self.counters.refused += 1
    }
  }

  /// Answers a sender, or keeps the answer back when that was asked for.
  private func answer(_ delivery: DeliveryID, _ outcome: AMQPDisposition, on connection: ServerConnection) {
    if self.faults.holdsOutcomes {
      self.faults.heldOutcomes.append(.init(connection: connection.number, delivery: delivery, outcome: outcome))
    } else {
      connection.settle(delivery, outcome)
    }
  }

  // MARK: Consumers

  func credited(_ link: LinkID, credit: Int, drain: Bool, on connection: ServerConnection) {
    let key = LinkKey(connection: connection.number, link: link)
    switch self.links[key]?.use {
    case .outgoing(let queue, let consumer, _):
      let actions = self.queues[queue]?.machine.grant(credit, to: consumer, drain: drain) ?? []
      self.perform(actions, in: queue)
    case .managementAnswers:
      self.links[key]?.credit = credit
      self.sendAnswers(key, on: connection)
      if drain { connection.drained(link) }
    case .incoming, .managementRequests, nil: break
    }
  }

  func disposed(
    _ delivery: DeliveryID, _ link: LinkID, _ outcome: AMQPOutcome?, settled: Bool, on connection: ServerConnection
  ) {
    let key = DeliveryKey(connection: connection.number, delivery: delivery)
    guard let handed = self.handed[key], let session = self.links[handed.link]?.session else {
      return connection.settle(delivery)
    }
    let verdict: Machine.Verdict
    switch outcome {
    case .accepted: verdict = .consumed
    case .released: verdict = .released
    case .rejected: verdict = .rejected
    case .modified(let failed, let undeliverable):
      guard self.capabilities.knowsModified else {
        return self.end(session, on: connection, AMQPCondition(AMQPCondition.invalidField, text: "Unrecognised state"))
      }
      verdict = .modified(deliveryFailed: failed, undeliverableHere: undeliverable)
    case .unknown, nil:
      guard settled else { return }
      if self.manners.demandsOutcome {
        return self.end(
          session, on: connection, AMQPCondition(AMQPCondition.invalidField, text: "settled without an outcome"))
      }
      verdict = .released
    }
    self.handed[key] = nil
    connection.settle(delivery)
    if verdict == .consumed { self.queues[handed.queue]?.consumed += 1 }
    let actions = self.queues[handed.queue]?.machine.settle(handed.lock, as: verdict, now: self.now) ?? []
    self.perform(actions, in: handed.queue)
    self.markUnflushed(connection.number)
  }
}
