// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// Login, Open, sessions and their ends.
extension BrokerCore {
  private var refusalDelay: Int64 {
    self.configuration.refusalDelay.map { Int64($0 / .milliseconds(1)) } ?? self.manners.refusalDelay
  }

  func login(_ credentials: ServerCredentials, on connection: ServerConnection, answer: @escaping (Bool) -> Void) {
    if self.login(credentials, on: connection) { return answer(true) }
    guard self.refusalDelay > 0, credentials != .none else { return answer(false) }
    _ = self.after(self.refusalDelay) { _ in answer(false) }
  }

  func login(_ credentials: ServerCredentials, on connection: ServerConnection) -> Bool {
    guard let user = self.user(for: credentials) else {
      self.counters.loginsRefused += 1
      self.changed()
      return false
    }
    var client = Client(connection: connection, user: user)
    let number = connection.number
    if self.product == .azureServiceBus, credentials == .anonymous, self.configuration.anonymousUser == nil {
      client.isKnown = false
      client.alarms["token"] = self.after(20_000) { $0.close(number, "no token was shown within 20 s") }
    }
    if let deadline = self.manners.openDeadline {
      client.alarms["open"] = self.after(deadline) { $0.clients[number]?.connection.cut() }
    }
    self.clients[number] = client
    return true
  }

  private func user(for credentials: ServerCredentials) -> String? {
    switch credentials {
    case .plain(let name, let password):
      let known = self.configuration.users.first { $0.name == name }
      return known?.password.withPlainText { $0 == password } == true ? name : nil
    // With Azure everyone may come so far, and shows a token afterwards.
    case .anonymous: return self.configuration.anonymousUser ?? (self.product == .azureServiceBus ? "anonymous" : nil)
    case .external(let name): return name.flatMap { name in self.configuration.users.first { $0.name == name }?.name }
    // RabbitMQ 4 refuses a client without a SASL layer, whoever may come anonymously.
    case .none: return self.manners.answersManagement ? nil : self.configuration.anonymousUser
    }
  }

  private func close(_ number: Int, _ text: String) {
    guard let connection = self.clients[number]?.connection else { return }
    connection.close(AMQPCondition(AMQPCondition.connectionForced, text: text))
    self.markUnflushed(number)
  }

  // MARK: Open

  func opening(_ open: ServerOpen, on connection: ServerConnection) -> ServerOpenVerdict {
    let number = connection.number
    self.clients[number]?.alarms.removeValue(forKey: "open")?()
    self.clients[number]?.hasOpened = true
    let introduction = self.manners.introduction
    if introduction.echoes {
      connection.engine.announce(maximumFrameSize: open.maximumFrameSize, channelMax: open.channelMax)
    }
    var isRefused = self.isRabbitMQ && (open.maximumFrameSize ?? .max) < 512
    if self.manners.refusesShortIdleTimeout, let idle = open.idleTimeoutMilliseconds, idle > 0, idle < 1_000 { isRefused = true }
    if self.isRabbitMQ {
      let user = self.clients[number]?.user
      let mayEnter = self.configuration.users.first { $0.name == user }?.mayEnter ?? true
      let isElsewhere = open.hostname.map { $0.hasPrefix("vhost:") && $0.dropFirst(6) != self.configuration.virtualHost } ?? false
      if !mayEnter || isElsewhere {
        // RabbitMQ 3 tells it when the first session begins.
        self.clients[number]?.isShutOut = true
        isRefused = isRefused || self.manners.answersManagement
      }
    }
    guard isRefused else { return .answered }
    self.counters.clientFaults += 1
    guard self.refusalDelay > 0 else {
      connection.cut()
      return .ignored
    }
    self.cut(number, after: self.refusalDelay)
    return .ignored
  }

  /// Cuts the connection when so many milliseconds are over.
  func cut(_ number: Int, after milliseconds: Int64) {
    guard self.clients[number]?.alarms["cut"] == nil else { return }
    self.clients[number]?.alarms["cut"] = self.after(milliseconds) { $0.clients[number]?.connection.cut() }
  }

  func opened(_ connection: ServerConnection, _ open: PeerOpen) {
    let number = connection.number
    self.clients[number]?.containerID = open.containerID
    if case .string(let product)? = open.properties["product"] { self.clients[number]?.product = product }
    if case .string(let version)? = open.properties["version"] { self.clients[number]?.version = version }
    // Proton is told the size to announce, and holds peers to it; RabbitMQ 3 does not.
    if self.manners.introduction.echoes { self.eventLoop.assumeIsolated().execute { connection.engine.toleratesLargeFrames() } }
    if self.product.isServiceBus { self.watchIdleness(of: connection) }
    self.changed()
  }

  func mayBegin(_ session: SessionID, on connection: ServerConnection) -> Bool {
    if self.clients[connection.number]?.isShutOut == true {
      self.counters.clientFaults += 1
      connection.close(AMQPCondition(AMQPCondition.unauthorizedAccess, text: "access to the vhost refused"))
      return false
    }
    guard let most = self.manners.mostSessions, connection.sessions.count >= most else { return true }
    self.counters.clientFaults += 1
    connection.close(AMQPCondition(AMQPCondition.framingError, text: "channel number beyond channel_max"))
    return false
  }

  func creditedStray(_ session: SessionID, on connection: ServerConnection) {
    guard self.refusedIn.contains(SessionKey(connection: connection.number, session: session)) else { return }
    self.end(session, on: connection, AMQPCondition("amqp:session:unattached-handle", text: "Unattached link handle"))
  }

  // MARK: Ends

  func closed(_ connection: ServerConnection) {
    for cancel in self.clients[connection.number]?.alarms.values ?? [:].values { cancel() }
    self.clients[connection.number] = nil
    self.refusedIn = self.refusedIn.filter { $0.connection != connection.number }
    self.forgetLinks(of: connection) { _ in true }
    self.faults.forget(connection: connection.number)
    self.changed()
  }

  func ended(_ session: SessionID, on connection: ServerConnection) {
    self.refusedIn.remove(SessionKey(connection: connection.number, session: session))
    self.forget(session, on: connection)
  }

  func detached(_ link: LinkID, on connection: ServerConnection) {
    let key = LinkKey(connection: connection.number, link: link)
    // RabbitMQ 3 leaves what the consumer holds with the session.
    if self.product == .rabbitMQ310, case .outgoing(let queue, let consumer, _)? = self.links[key]?.use,
      self.queues[queue]?.machine.retire(consumer) == true
    {
      self.links[key]?.isDetached = true
      return self.changed()
    }
    self.forget(key, counts: false)
    if self.product.isServiceBus { self.watchIdleness(of: connection) }
  }

  /// Ends a session for what the client did.
  func end(_ session: SessionID, on connection: ServerConnection, _ condition: AMQPCondition) {
    self.counters.clientFaults += 1
    connection.endSession(session, condition)
    self.markUnflushed(connection.number)
    self.forget(session, on: connection)
  }

  func forget(_ session: SessionID, on connection: ServerConnection) {
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
      for handed in self.handed.values where handed.link == key { handed.token.map { self.lockTokens[$0] = nil } }
      self.handed = self.handed.filter { $0.value.link != key }
      let actions = self.queues[queue]?.machine.detach(consumer, counts: counts, now: self.now) ?? []
      self.perform(actions, in: queue)
      self.receiverGone(from: queue)
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

  func setDisabled(_ isDisabled: Bool, _ queue: String) -> Bool {
    guard self.queues[queue] != nil else { return false }
    self.queues[queue]?.isDisabled = isDisabled
    if isDisabled { self.detachLinks(of: queue, AMQPCondition(BrokerCore.entityDisabled, text: "the entity is disabled")) }
    return true
  }

  static let entityDisabled = "com.microsoft:entity-disabled"
}
