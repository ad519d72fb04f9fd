// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

@testable import AMQP

/// A bus of queues that lives for one test: it gives out what was put in, takes back what was not settled, and does to links
/// and connections what the test says.
final class PlayedBus: ServerDelegate {
  /// What the test may see, and wait for.
  struct Sight: Sendable {
    var connections = 0
    var connectionsEver = 0
    /// Connections whose client said Close.
    var closedInOrder = 0
    /// Links that clients receive on, by address.
    var receivers: [String: Int] = [:]
    /// Links that clients send on, by address.
    var senders: [String: Int] = [:]
    var attachesEver = 0
    var sessionsEver = 0
    var waiting: [String: Int] = [:]
    var unsettled = 0
    var outcomes: [AMQPOutcome?] = []
    /// How deliveries were settled that the bus had taken back.
    var withdrawnOutcomes: [AMQPOutcome?] = []
    /// How often a message was handed out.
    var givenEver = 0
    /// Messages that came from clients, with the address they were sent to.
    var arrived: [(address: String, message: AMQPMessage)] = []
    func count(_ outcome: AMQPOutcome) -> Int { self.outcomes.count { $0 == outcome } }
  }

  struct Manners: Sendable {
    var login: @Sendable (Int) -> Bool = { _ in true }
    /// The condition to refuse an address with, given how often it was attached before; nil to accept.
    var refusal: @Sendable (String, Int) -> AMQPCondition? = { _, _ in nil }
    /// Whether messages get an outcome.
    var answers = true
    /// Credit for senders.
    var credit = 100
    /// Whether attaches are answered.
    var answersAttach = true
    var idleTimeoutMilliseconds: UInt32 = 60_000
    var properties: AMQPMap = [:]
    /// Called for each message that came from a client; what it returns is put in the queue that is named.
    var respond: @Sendable (String, AMQPMessage) -> (queue: String, message: AMQPMessage)? = { _, _ in nil }
  }

  private struct Link {
    var address: String
    var role: LinkRole
    var session: SessionID
    var credit = 0
    /// What was taken back on it: it gets nothing before that is settled as accepted, as RabbitMQ 4.3 has it.
    var locks: Set<DeliveryID> = []
  }

  /// A message in a queue, by its place in it.
  private struct Waiting {
    var payload: [UInt8]
    var place: Int
  }

  private struct Held {
    var message: Waiting
    var address: String
    var link: LinkID
    /// In the order of handing out.
    var number: Int
  }

  private var manners: Manners
  private var connections: [Int: ServerConnection] = [:]
  private var links: [Int: [LinkID: Link]] = [:]
  private var held: [Int: [DeliveryID: Held]] = [:]
  private var queues: [String: [Waiting]] = [:]
  private var lastPlace = 0
  private var attaches: [String: Int] = [:]
  private var sessions: Set<String> = []
  private var sight = Sight()
  private var watchers: [(isMet: @Sendable (Sight) -> Bool, met: OneShot<Sight>)] = []
  private var logins = 0

  init(_ manners: Manners) { self.manners = manners }

  // MARK: ServerDelegate

  func login(_ credentials: ServerCredentials, on connection: ServerConnection) -> Bool {
    self.logins += 1
    return self.manners.login(self.logins)
  }

  func opened(_ connection: ServerConnection, _ open: PeerOpen) {
    self.connections[connection.number] = connection
    self.sight.connectionsEver += 1
    self.look()
  }

  func attached(_ link: LinkID, _ session: SessionID, role: LinkRole, _ attach: PeerAttach, on connection: ServerConnection) {
    let address = (role == .sender ? attach.source : attach.target) ?? ""
    let before = self.attaches[address, default: 0]
    self.attaches[address] = before + 1
    self.sight.attachesEver += 1
    self.sessions.insert("\(connection.number) \(session)")
    guard self.manners.answersAttach else {
      self.look()
      return
    }
    if let refusal = self.manners.refusal(address, before) {
      connection.refuse(link, refusal)
    } else {
      connection.accept(link)
      self.links[connection.number, default: [:]][link] = Link(address: address, role: role, session: session)
      if role == .receiver { connection.grant(self.manners.credit, on: link) }
    }
    self.look()
  }

  func detached(_ link: LinkID, on connection: ServerConnection) { self.forget(link, connection) }

  func ended(_ session: SessionID, on connection: ServerConnection) {
    for (link, state) in self.links[connection.number] ?? [:] where state.session == session { self.forget(link, connection) }
  }

  func credited(_ link: LinkID, credit: Int, drain: Bool, on connection: ServerConnection) {
    self.links[connection.number]?[link]?.credit = credit
    self.give()
    self.look()
    guard drain else { return }
    connection.drained(link)
    self.links[connection.number]?[link]?.credit = 0
  }

  func delivered(_ transfer: IncomingTransfer, _ link: LinkID, on connection: ServerConnection) {
    guard let state = self.links[connection.number]?[link] else { return }
    let message = try? AMQPMessage(decoding: transfer.payload)
    if let message {
      self.sight.arrived.append((state.address, message))
      if let (queue, answer) = self.manners.respond(state.address, message) {
        self.add(answer.encoded(), to: queue)
      }
    }
    if self.manners.answers {
      if !transfer.settled { connection.settle(transfer.delivery, .accepted) }
      connection.grant(1, on: link)
    }
    self.give()
    self.look()
  }

  func disposed(
    _ delivery: DeliveryID, _ link: LinkID, _ outcome: AMQPOutcome?, settled: Bool, on connection: ServerConnection
  ) {
    connection.settle(delivery)
    if self.links[connection.number]?[link]?.locks.contains(delivery) == true {
      self.sight.withdrawnOutcomes.append(outcome)
      if outcome == .accepted { self.links[connection.number]?[link]?.locks.remove(delivery) }
      self.give()
      self.look()
      return
    }
    guard let held = self.held[connection.number]?.removeValue(forKey: delivery) else { return }
    self.sight.outcomes.append(outcome)
    switch outcome {
    case .released, .modified(_, undeliverableHere: false): self.returned(held)
    default: break
    }
    self.give()
    self.look()
  }

  func closed(_ connection: ServerConnection) {
    for link in self.links[connection.number] ?? [:] { self.forget(link.key, connection) }
    self.connections[connection.number] = nil
    self.links[connection.number] = nil
    if connection.hasClientClosed { self.sight.closedInOrder += 1 }
    self.look()
  }

  // MARK: Doing

  private func forget(_ link: LinkID, _ connection: ServerConnection) {
    self.links[connection.number]?[link] = nil
    for (delivery, held) in self.held[connection.number] ?? [:] where held.link == link {
      self.held[connection.number]?[delivery] = nil
      self.returned(held)
    }
    self.give()
    self.look()
  }

  private func add(_ payload: [UInt8], to queue: String) {
    self.lastPlace += 1
    self.queues[queue, default: []].append(Waiting(payload: payload, place: self.lastPlace))
  }

  /// It takes its place in the queue again.
  private func returned(_ held: Held) {
    let queue = self.queues[held.address] ?? []
    let index = queue.firstIndex { $0.place > held.message.place } ?? queue.endIndex
    self.queues[held.address, default: []].insert(held.message, at: index)
  }

  private func give() {
    for (number, connection) in self.connections {
      for (link, state) in self.links[number] ?? [:] where state.role == .sender && state.credit > 0 && state.locks.isEmpty {
        var credit = state.credit
        while credit > 0, let message = self.queues[state.address]?.first {
          guard let delivery = connection.send(message.payload, on: link, settled: false) else { break }
          self.queues[state.address]?.removeFirst()
          self.held[number, default: [:]][delivery] = Held(
            message: message, address: state.address, link: link, number: self.sight.givenEver)
          self.sight.givenEver += 1
          credit -= 1
        }
        self.links[number]?[link]?.credit = credit
      }
      connection.flush()
    }
  }

  private func look() {
    self.sight.connections = self.connections.count
    let all = self.links.values.flatMap(\.values)
    self.sight.receivers = Dictionary(grouping: all.filter { $0.role == .sender }, by: \.address).mapValues(\.count)
    self.sight.senders = Dictionary(grouping: all.filter { $0.role == .receiver }, by: \.address).mapValues(\.count)
    self.sight.waiting = self.queues.mapValues(\.count)
    self.sight.unsettled = self.held.values.reduce(0) { $0 + $1.count }
    self.sight.sessionsEver = self.sessions.count
    let sight = self.sight
    self.watchers.removeAll { watcher in
      guard watcher.isMet(sight) else { return false }
      watcher.met.fulfil(sight)
      return true
    }
  }

  fileprivate func watch(_ isMet: @escaping @Sendable (Sight) -> Bool, _ met: OneShot<Sight>) {
    self.watchers.append((isMet, met))
    self.look()
  }

  fileprivate func put(_ messages: [AMQPMessage], in queue: String) {
    for message in messages { self.add(message.encoded(), to: queue) }
    self.give()
    self.look()
  }

  fileprivate func change(_ change: (inout Manners) -> Void) { change(&self.manners) }

  fileprivate func eachConnection(_ body: (ServerConnection) -> Void) {
    for connection in self.connections.values {
      body(connection)
      connection.flush()
    }
  }

  /// Takes the oldest delivery of an address back: it is the first of its queue again.
  fileprivate func withdraw(_ address: String) {
    for (number, connection) in self.connections {
      let held = (self.held[number] ?? [:]).filter { $0.value.address == address }
      guard let (delivery, first) = held.min(by: { $0.value.number < $1.value.number }) else { continue }
      self.held[number]?[delivery] = nil
      self.links[number]?[first.link]?.locks.insert(delivery)
      self.returned(first)
      connection.withdraw(delivery)
      connection.flush()
      self.look()
      return
    }
  }

  fileprivate func detach(_ address: String, _ condition: AMQPCondition?) {
    for (number, connection) in self.connections {
      for (link, state) in self.links[number] ?? [:] where state.address == address {
        self.forget(link, connection)
        connection.detach(link, condition)
      }
      connection.flush()
    }
  }

  fileprivate func endSessions(of address: String, _ condition: AMQPCondition?) {
    for (number, connection) in self.connections {
      for (link, state) in self.links[number] ?? [:] where state.address == address {
        self.forget(link, connection)
        connection.endSession(state.session, condition)
      }
      connection.flush()
    }
  }
}

/// A ``PlayedBus``, as tests speak to it.
struct PlayedBusHandle: Sendable {
  private let bus: NIOLoopBound<PlayedBus>
  private let eventLoop: any EventLoop
  let port: Int

  /// Runs a bus on a free port for the time of `body`.
  static func run<Result: Sendable>(
    _ manners: PlayedBus.Manners = PlayedBus.Manners(), _ body: (PlayedBusHandle) async throws -> Result
  ) async throws -> Result {
    let eventLoop = NIOSingletons.posixEventLoopGroup.any()
    let made = try await eventLoop.submit {
      let bus = PlayedBus(manners)
      return (NIOLoopBound(bus, eventLoop: eventLoop), NIOLoopBound<any ServerDelegate>(bus, eventLoop: eventLoop))
    }.get()
    let settings = AMQPServer.Settings(
      containerID: "played", idleTimeoutMilliseconds: manners.idleTimeoutMilliseconds, properties: manners.properties)
    let server = try await AMQPServer.bind(host: "127.0.0.1", port: 0, on: eventLoop, settings: settings, delegate: made.1)
    let handle = PlayedBusHandle(bus: made.0, eventLoop: eventLoop, port: server.port)
    do {
      let result = try await body(handle)
      await server.close()
      return result
    } catch {
      await server.close()
      throw error
    }
  }

  var connection: AMQPConnectionConfiguration {
    AMQPConnectionConfiguration(
      host: "127.0.0.1", port: self.port, encryption: .none, login: .anonymous, containerID: "test")
  }

  /// Quick recovery, and deadlines that only guard against hanging.
  func configuration(separate: Bool = true) -> AMQPClientConfiguration {
    var configuration = AMQPClientConfiguration(
      endpoints: [self.connection],
      recovery: AMQPRecoveryPolicy(AMQPBackOff(initial: .milliseconds(5), maximum: .milliseconds(50))))
    configuration.recovery.attemptsPerMinute = 1_000
    configuration.separatesReceiving = separate
    configuration.operationTimeout = .seconds(60)
    configuration.shutdownDeadline = .seconds(20)
    return configuration
  }

  /// Waits until what is seen is as `isMet` says.
  @discardableResult
  func see(_ isMet: @escaping @Sendable (PlayedBus.Sight) -> Bool) async throws -> PlayedBus.Sight {
    let met = OneShot<PlayedBus.Sight>()
    self.eventLoop.execute { self.bus.value.watch(isMet, met) }
    return try await met.wait()
  }

  var sight: PlayedBus.Sight { get async throws { try await self.see { _ in true } } }

  func put(_ ids: [String], in queue: String, group: String? = nil, deliveryCount: UInt32 = 0) async throws {
    let messages = ids.map { id in
      AMQPMessage(
        header: AMQPHeader(durable: true, deliveryCount: deliveryCount),
        properties: AMQPProperties(messageID: .string(id), groupID: group), body: .data([1]))
    }
    try await self.eventLoop.submit { self.bus.value.put(messages, in: queue) }.get()
  }

  func change(_ change: @escaping @Sendable (inout PlayedBus.Manners) -> Void) async throws {
    try await self.eventLoop.submit { self.bus.value.change(change) }.get()
  }

  func cut() async throws { try await self.eventLoop.submit { self.bus.value.eachConnection { $0.cut() } }.get() }

  func close(_ condition: AMQPCondition?) async throws {
    try await self.eventLoop.submit { self.bus.value.eachConnection { $0.close(condition) } }.get()
  }

  func withdraw(_ address: String) async throws { try await self.eventLoop.submit { self.bus.value.withdraw(address) }.get() }

  func detach(_ address: String, _ condition: AMQPCondition? = nil) async throws {
    try await self.eventLoop.submit { self.bus.value.detach(address, condition) }.get()
  }

  func endSessions(of address: String, _ condition: AMQPCondition? = nil) async throws {
    try await self.eventLoop.submit { self.bus.value.endSessions(of: address, condition) }.get()
  }
}
