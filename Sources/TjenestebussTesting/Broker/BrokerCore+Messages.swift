// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// Messages that come in, and outcomes of those that went out.
extension BrokerCore {
  func delivered(_ transfer: IncomingTransfer, _ link: LinkID, on connection: ServerConnection) {
    let key = LinkKey(connection: connection.number, link: link)
    guard let record = self.links[key] else { return }
    if self.faults.isAlarmed {
      self.faults.unread.append((transfer, link, connection))
      return
    }
    self.links[key]?.granted -= 1
    self.links[key]?.lastUse = self.now
    switch record.use {
    case .incoming(let address):
      self.publish(transfer, to: address, of: record, key, on: connection)
    case .managementRequests:
      self.managementRequest(transfer, of: record, on: connection)
    case .requests(let node):
      self.serviceBusRequest(transfer, at: node, of: record, on: connection)
    case .outgoing, .browsing, .managementAnswers, .answers: return
    }
    if self.links[key] != nil { self.topUp(key, on: connection) }
    self.markUnflushed(connection.number)
  }

  private func publish(
    _ transfer: IncomingTransfer, to address: BrokerAddress, of record: Link, _ key: LinkKey, on connection: ServerConnection
  ) {
    if self.maximumMessageSize > 0, UInt64(transfer.payload.count) > self.maximumMessageSize {
      let condition = AMQPCondition(
        AMQPCondition.messageSizeExceeded, text: "the limit is \(self.maximumMessageSize) bytes")
      // Service Bus answers the message, RabbitMQ ends the session.
      if self.isRabbitMQ { return self.end(record.session, on: connection, condition) }
      return self.reject(transfer, condition, on: connection)
    }
    let skim = MessageSkim(transfer.payload)
    switch MessageForm.judge(transfer.payload, skim, for: self.product) {
    case .taken: break
    case .swallowed:
      self.counters.acceptedAndLost += 1
      if !transfer.settled { self.answer(transfer.delivery, .accepted, on: connection) }
      return
    case .rejected(let condition): return self.reject(transfer, condition, on: connection)
    case .endsSession(let condition): return self.end(record.session, on: connection, condition)
    case .detachesLink(let condition): return self.detach(key, condition, on: connection)
    case .cuts:
      self.counters.clientFaults += 1
      return connection.cut()
    }
    let message = BrokerMessage(transfer.payload, skim)
    if let complaint = self.complaintAboutUser(of: message, on: connection) {
      if self.product == .rabbitMQ43 { return self.detach(key, complaint, on: connection) }
      return self.end(record.session, on: connection, complaint)
    }
    let destination = self.destination(of: message, address)
    if !self.manners.checksWriteAtAttach || address == .anonymous,
      let refused = self.writeRefused(to: destination, on: connection)
    {
      return self.end(record.session, on: connection, AMQPCondition(AMQPCondition.unauthorizedAccess, text: "\(refused) refused"))
    }
    if self.answersStatistics(message, to: destination) {
      self.count(.accepted)
      if !transfer.settled { self.answer(transfer.delivery, .accepted, on: connection) }
      return
    }
    if let due = self.scheduledTime(of: message), case .queue(let queue, _) = destination {
      _ = self.schedule(message, into: queue, at: due)
      self.count(.accepted)
      if !transfer.settled { self.answer(transfer.delivery, .accepted, on: connection) }
      return
    }
    let outcome = self.route(message, to: destination)
    self.count(outcome)
    if outcome == nil {
      // RabbitMQ 3 does not survive its own refusal.
      self.cut(connection.number, after: 4_000)
    }
    guard !transfer.settled, let outcome else { return }
    self.answer(transfer.delivery, outcome, on: connection)
  }

  private func destination(of message: BrokerMessage, _ address: BrokerAddress) -> BrokerAddress {
    guard address == .anonymous else { return address }
    return message.properties.to.map(self.address) ?? .invalid("no to")
  }

  private func complaintAboutUser(of message: BrokerMessage, on connection: ServerConnection) -> AMQPCondition? {
    let user = self.clients[connection.number]?.user ?? ""
    guard self.manners.checksUserID, let userID = message.properties.userID, userID != Array(user.utf8) else { return nil }
    if self.configuration.users.first(where: { $0.name == user })?.mayImpersonate == true { return nil }
    let name = self.product == .rabbitMQ310 ? "amqp:precondition-failed" : AMQPCondition.unauthorizedAccess
    return AMQPCondition(name, text: "user_id property does not match the authenticated user")
  }

  /// - Returns: nil where the broker gives no answer at all.
  func route(_ message: BrokerMessage, to address: BrokerAddress) -> AMQPDisposition? {
    var targets: [String]
    let whenNone: DialectCapabilities.MissingQueue
    var through = (exchange: "", key: "")
    switch address {
    case .queue(let name, _):
      targets = [name]
      through.key = name
      whenNone = self.capabilities.missingQueueForSender == .refusesAttach ? .releases : self.capabilities.missingQueueForSender
    case .exchange(let exchange, let key):
      targets = self.routing.queues(exchange: exchange, key: key)
      through = (exchange, key)
      whenNone = self.capabilities.unroutableMessage
    case .deadLetterSubqueue, .management, .entityManagement, .claims, .anonymous, .invalid:
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
    for name in targets
    where !self.put(message, into: name, isSent: true, exchange: through.exchange, key: through.key) { isTaken = false }
    if isTaken { return .accepted }
    guard self.manners.answersWhenFull else { return nil }
    return .rejected(self.product == .rabbitMQ43 ? AMQPCondition(AMQPCondition.resourceLimitExceeded, text: "queue full") : nil)
  }

  private func reject(_ transfer: IncomingTransfer, _ condition: AMQPCondition, on connection: ServerConnection) {
    self.count(.rejected(condition))
    if !transfer.settled { self.answer(transfer.delivery, .rejected(condition), on: connection) }
  }

  private func detach(_ key: LinkKey, _ condition: AMQPCondition, on connection: ServerConnection) {
    self.counters.clientFaults += 1
    self.detach(key, condition)
  }

  func count(_ outcome: AMQPDisposition?) {
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
    guard let record = self.links[key] else { return }
    switch record.use {
    case .outgoing(let queue, let consumer, _):
      // RabbitMQ 3's classic queues cannot give credit back.
      if drain, self.product == .rabbitMQ310, let found = self.queues[queue], found.isClassic, found.machine.ready < credit {
        return self.end(
          record.session, on: connection,
          AMQPCondition(AMQPCondition.internalError, text: "{function_clause,[{rabbit_amqp1_0_outgoing_link,send_drained"))
      }
      let actions = self.queues[queue]?.machine.grant(credit, to: consumer, drain: drain, now: self.now) ?? []
      self.perform(actions, in: queue)
    case .browsing(let queue): self.browse(queue, key, credit: credit, drain: drain, on: connection)
    case .managementAnswers, .answers:
      self.links[key]?.credit = credit
      self.sendAnswers(key, on: connection)
      if drain { connection.drained(link) }
    case .incoming, .managementRequests, .requests: break
    }
  }

  /// ActiveMQ's copies: what lies here is shown from its beginning, and stays.
  private func browse(_ queue: String, _ key: LinkKey, credit: Int, drain: Bool, on connection: ServerConnection) {
    let shown = self.links[key]?.shown ?? 0
    let rest = (self.queues[queue]?.machine.contents ?? []).dropFirst(shown).prefix(credit)
    for message in rest { _ = connection.send(message.original, on: key.link, settled: false) }
    self.links[key]?.shown = shown + rest.count
    if drain { connection.drained(key.link) }
    self.markUnflushed(connection.number)
  }

  func disposed(
    _ delivery: DeliveryID, _ link: LinkID, _ outcome: AMQPOutcome?, settled: Bool, on connection: ServerConnection
  ) {
    let key = DeliveryKey(connection: connection.number, delivery: delivery)
    guard let handed = self.handed[key], let session = self.links[handed.link]?.session else {
      return connection.settle(delivery)
    }
    self.links[handed.link]?.lastUse = self.now
    let verdict: Machine.Verdict
    switch outcome {
    case .accepted: verdict = .consumed
    case .released: verdict = .released
    case .rejected: verdict = .rejected
    case .modified(let failed, let undeliverable):
      guard self.capabilities.knowsModified else {
        return self.end(session, on: connection, AMQPCondition(AMQPCondition.invalidField, text: "Unrecognised state"))
      }
      if undeliverable, self.product.isServiceBus {
        verdict = .deferred
      } else {
        verdict = .modified(deliveryFailed: failed, undeliverableHere: undeliverable)
      }
    case .unknown, nil:
      guard settled else { return }
      if self.manners.demandsOutcome {
        return self.end(
          session, on: connection, AMQPCondition(AMQPCondition.invalidField, text: "Unrecognised state: undefined"))
      }
      verdict = self.product == .activeMQ ? .modified(deliveryFailed: true, undeliverableHere: false) : .released
    }
    self.handed[key] = nil
    let annotations = connection.annotations(of: delivery)
    if let token = handed.token, self.lockTokens.removeValue(forKey: token) == nil {
      // The lock was lost: Service Bus says so instead of the outcome.
      connection.settle(
        delivery, .rejected(AMQPCondition("com.microsoft:message-lock-lost", text: "The lock supplied is invalid.")))
      return self.markUnflushed(connection.number)
    }
    // Who settles later than he states an outcome is told it; Service Bus repeats `rejected` without its error, which would
    // mean that the dead-lettering had failed.
    if settled {
      connection.settle(delivery)
    } else {
      let isDeadLettering = self.product.isServiceBus && verdict == .rejected
      connection.settle(delivery, isDeadLettering ? .rejected(nil) : outcome.flatMap(AMQPDisposition.init) ?? .released)
    }
    if verdict == .consumed { self.queues[handed.queue]?.consumed += 1 }
    self.settle(handed.lock, in: handed.queue, as: verdict, outcome, annotations: annotations)
    self.markUnflushed(connection.number)
  }

  private func settle(
    _ lock: Machine.Lock, in queue: String, as verdict: Machine.Verdict, _ outcome: AMQPOutcome?, annotations: AMQPMap
  ) {
    var deadLetter: (reason: String, description: String?)?
    if case .rejected(let condition?)? = outcome, self.product.isServiceBus {
      deadLetter = condition.info["DeadLetterReason"]?.text
        .map { ($0, condition.info["DeadLetterErrorDescription"]?.text ?? condition.text) }
    }
    var added = AMQPMap()
    if case .modified? = outcome, self.queues[queue]?.machine.rules.keepsAnnotations == true {
      added = annotations
    }
    let actions =
      self.queues[queue]?.machine.settle(lock, as: verdict, now: self.now) { message in
        if let deadLetter { message.deadLetter = deadLetter }
        for entry in added.entries { if let key = entry.key.text { message.annotate(key, entry.value) } }
      } ?? []
    self.perform(actions, in: queue)
  }
}

extension AMQPDisposition {
  fileprivate init?(_ outcome: AMQPOutcome) {
    switch outcome {
    case .accepted: self = .accepted
    case .rejected(let condition): self = .rejected(condition)
    case .released: self = .released
    case .modified(let failed, let undeliverable):
      self = .modified(deliveryFailed: failed, undeliverableHere: undeliverable, annotations: [:])
    case .unknown: return nil
    }
  }
}
