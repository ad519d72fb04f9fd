// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// Service Bus: tokens, `$management`, scheduled messages, links and connections that nobody uses.
extension BrokerCore {
  struct ScheduledMessage {
    let message: BrokerMessage
    let queue: String
    let cancel: @Sendable () -> Void
  }

  func serviceBusRequest(_ transfer: IncomingTransfer, at node: ServiceBusNode, of link: Link, on connection: ServerConnection) {
    if !transfer.settled { connection.settle(transfer.delivery, .accepted) }
    guard let request = try? AMQPMessage(decoding: transfer.payload) else { return }
    let answer = ServiceBusRequest(request).map { self.carryOut($0, at: node, on: connection) } ?? .badRequest
    // The answers' link is the one whose client terminus the request names; a client with one link need not name it.
    let links = self.links.filter { key, other in
      guard key.connection == connection.number, case .answers(node, _) = other.use else { return false }
      return true
    }
    let named = links.first { if case .answers(_, to: request.properties.replyTo) = $0.value.use { true } else { false } }
    guard let key = (named ?? links.first)?.key else { return }
    self.links[key]?.lastUse = self.now
    self.links[key]?.waiting.append(answer.message(to: request, from: node).encoded())
    self.sendAnswers(key, on: connection)
  }

  private func carryOut(_ request: ServiceBusRequest, at node: ServiceBusNode, on connection: ServerConnection)
    -> ServiceBusAnswer
  {
    switch (node, request) {
    case (.claims, .putToken(let token)): return self.show(token, on: connection)
    case (.claims, _), (.management, .putToken): return .badRequest
    case (.management(let queue), .peek(let from, let count)): return self.peek(queue, from: from, count: count)
    case (.management, .renew(let tokens)): return self.renew(tokens)
    case (.management(let queue), .receive(let numbers)): return self.receive(numbers, from: queue)
    case (.management, .dispose(let tokens, let disposition)): return self.dispose(tokens, disposition)
    case (.management(let queue), .schedule(let payloads)):
      let numbers = payloads.map { payload in
        let message = BrokerMessage(payload)
        return self.schedule(message, into: queue, at: self.scheduledTime(of: message) ?? self.now)
      }
      return .ok(["sequence-numbers": .array(numbers.map(AMQPValue.long))])
    case (.management, .cancel(let numbers)):
      guard numbers.allSatisfy({ self.scheduled[$0] != nil }) else { return .notFound }
      for number in numbers { self.scheduled.removeValue(forKey: number)?.cancel() }
      return .ok()
    }
  }

  private func show(_ text: String, on connection: ServerConnection) -> ServiceBusAnswer {
    guard let token = SharedAccessToken(text), token.expiry * 1_000 > self.now,
      let user = self.configuration.users.first(where: { $0.name == token.rule }),
      user.password.withPlainText({ token.isSigned(with: $0) })
    else {
      self.counters.loginsRefused += 1
      return .unauthorized
    }
    let number = connection.number
    self.clients[number]?.user = user.name
    self.clients[number]?.isKnown = true
    self.clients[number]?.alarms.removeValue(forKey: "token")?()
    return .accepted
  }

  // MARK: Messages

  private func sequence(_ message: BrokerMessage) -> Int64 { message.messageAnnotations["x-opt-sequence-number"]?.integer ?? 0 }

  private func peek(_ queue: String, from: Int64, count: Int) -> ServiceBusAnswer {
    let lying = (self.queues[queue]?.machine.peeked ?? []).map { ($0.content, $0.deliveryCount, $0.isDeferred ? 1 : 0) }
    let waiting = self.scheduled.values.filter { $0.queue == queue }.map { ($0.message, UInt32(0), 2) }
    let wanted = (lying + waiting).filter { self.sequence($0.0) >= from }.sorted { self.sequence($0.0) < self.sequence($1.0) }
    guard !wanted.isEmpty else { return .noContent }
    let messages = wanted.prefix(count).map { content, deliveryCount, state -> AMQPValue in
      var message = content
      message.annotate("x-opt-message-state", .int(Int32(state)))
      let shown = Machine.Handout(
        consumer: Machine.Consumer(0), lock: nil, content: message, deliveryCount: deliveryCount, returns: 0, acquiredCount: 0,
        lockedUntil: nil, isFirst: false, expiresAt: nil)
      let payload = message.encoded(for: shown, now: self.now, rules: QueueRules(), manners: self.manners)
      return .map(["message": .binary(payload)])
    }
    return .ok(["messages": .list(Array(messages))])
  }

  /// The queue and lock of a token, whether a link handed the message out or a request took it.
  private func lock(of token: AMQPUUID) -> (queue: String, lock: Machine.Lock)? {
    if let requested = self.requestedLocks[token] { return requested }
    return self.lockTokens[token].flatMap { self.handed[$0] }.map { ($0.queue, $0.lock) }
  }

  private func renew(_ tokens: [AMQPUUID]) -> ServiceBusAnswer {
    var times: [AMQPValue] = []
    for token in tokens {
      guard let (queue, lock) = self.lock(of: token), let until = self.queues[queue]?.machine.renew(lock, now: self.now) else {
        return .lockLost
      }
      times.append(.timestamp(until))
      self.counters.locksRenewed += 1
      self.perform([], in: queue)
    }
    return .ok(["expirations": .array(times)])
  }

  private func receive(_ numbers: [Int64], from queue: String) -> ServiceBusAnswer {
    var messages: [AMQPValue] = []
    for number in numbers {
      let handout = self.queues[queue]?.machine.takeDeferred(for: Machine.Consumer(0), now: self.now) {
        self.sequence($0) == number
      }
      guard let handout, let lock = handout.lock else { return .notFound }
      let token = AMQPUUID.random()
      self.requestedLocks[token] = (queue, lock)
      let payload = handout.content.encoded(for: handout, now: self.now, rules: QueueRules(), manners: self.manners)
      messages.append(.map(["message": .binary(payload), "lock-token": .uuid(token)]))
      self.perform([], in: queue)
    }
    return .ok(["messages": .list(messages)])
  }

  private func dispose(_ tokens: [AMQPUUID], _ disposition: ServiceBusRequest.Disposition) -> ServiceBusAnswer {
    let held = tokens.map { self.lock(of: $0) }
    guard held.allSatisfy({ $0 != nil }) else { return .lockLost }
    for (token, found) in zip(tokens, held) {
      guard let found else { continue }
      let verdict: Machine.Verdict
      var deadLetter: (reason: String, description: String?)?
      switch disposition {
      case .completed: verdict = .consumed
      case .abandoned: verdict = .released
      case .deferred: verdict = .deferred
      case .deadLettered(let reason, let description):
        verdict = .rejected
        deadLetter = reason.map { ($0, description) }
      }
      self.requestedLocks[token] = nil
      if let key = self.lockTokens.removeValue(forKey: token) { self.handed[key] = nil }
      if verdict == .consumed { self.queues[found.queue]?.consumed += 1 }
      let actions =
        self.queues[found.queue]?.machine.settle(found.lock, as: verdict, now: self.now) { message in
          if let deadLetter { message.deadLetter = deadLetter }
        } ?? []
      self.perform(actions, in: found.queue)
    }
    return .ok()
  }

  // MARK: Later

  /// When a message wants to be there, if that is still to come.
  func scheduledTime(of message: BrokerMessage) -> Int64? {
    guard self.product == .azureServiceBus, let at = message.messageAnnotations["x-opt-scheduled-enqueue-time"]?.integer,
      at > self.now
    else { return nil }
    return at
  }

  /// - Returns: the sequence number it has until then.
  func schedule(_ message: BrokerMessage, into queue: String, at time: Int64) -> Int64 {
    self.lastSequence += 1
    let number = self.lastSequence
    var waiting = message
    waiting.annotate("x-opt-sequence-number", .long(number))
    let cancel = self.after(max(0, time - self.now)) { core in
      guard core.scheduled.removeValue(forKey: number) != nil else { return }
      _ = core.put(message, into: queue, isSent: true)
    }
    self.scheduled[number] = ScheduledMessage(message: waiting, queue: queue, cancel: cancel)
    self.changed()
    return number
  }

  // MARK: Idleness

  // Milliseconds, as Microsoft documents them for Azure Service Bus ("AMQP errors in Azure Service Bus": links idle for ten minutes,
  // connections without links for five, those that never had one for one). For Service Bus for Windows Server no document was found
  // that names any: that its times are Azure's is an assumption.
  private static let linkIdleness: Int64 = 600_000
  private static let connectionIdleness: Int64 = 300_000
  private static let firstLink: Int64 = 60_000

  /// Links that nothing moves on are detached after ten minutes; a connection without links is closed after five, one that has
  /// never had a link after one.
  func watchIdleness(of connection: ServerConnection) {
    let number = connection.number
    self.clients[number]?.alarms.removeValue(forKey: "idle")?()
    let links = self.links.filter { $0.key.connection == number }
    let bare = self.clients[number]?.hasAttached == true ? BrokerCore.connectionIdleness : BrokerCore.firstLink
    let due = links.values.map { $0.lastUse + BrokerCore.linkIdleness }.min() ?? self.now + bare
    self.clients[number]?.alarms["idle"] = self.after(max(1, due - self.now)) { $0.endIdle(number) }
  }

  private func endIdle(_ number: Int) {
    guard let connection = self.clients[number]?.connection else { return }
    let links = self.links.filter { $0.key.connection == number }
    guard !links.isEmpty else {
      let isBare = self.clients[number]?.hasAttached != true
      connection.close(
        AMQPCondition(
          AMQPCondition.connectionForced,
          text:
            "The connection was inactive for more than the allowed \(isBare ? Self.firstLink : Self.connectionIdleness) milliseconds"
        ))
      return self.markUnflushed(number)
    }
    for (key, link) in links where link.lastUse + BrokerCore.linkIdleness <= self.now {
      self.detach(
        key,
        AMQPCondition(AMQPCondition.linkDetachForced, text: "The link was inactive for more than the allowed 600000 milliseconds")
      )
    }
    self.watchIdleness(of: connection)
  }
}
