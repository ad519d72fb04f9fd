// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Logging
import NIOConcurrencyHelpers
import NIOCore

/// The connections to one bus: one to send by, one to receive by, and a further one for every 40 queues beyond the first 40.
///
/// They are ``AMQPClient``s, which come back by themselves after every loss, and slowly, for ever, where the bus refuses us: a
/// password that the bus's directory refused for a minute does not stop a hospital's mail until somebody restarts it.
final class BusLane: Sendable {
  /// RabbitMQ 4 allows 64 sessions a connection, and every link has its own.
  static let queuesPerConnection = 40

  /// A queue's place on one of the connections.
  struct Place: Sendable {
    let client: AMQPClient
    /// Which of the client's connections it receives by.
    let use: AMQPConnectionUse
    fileprivate let index: Int
  }

  private struct State {
    /// Besides the first, whose receiving connection takes the first queues.
    var further: [AMQPClient] = []
    /// How many queues are received from, by each client.
    var queues = [0]
    var dialect: BusDialect
  }

  let endpoint: BusEndpoint
  /// Sends, and receives from the first queues.
  let client: AMQPClient
  private let configuration: TjenestebussConfiguration
  private let group: (any EventLoopGroup)?
  private let logger: Logger
  private let state: NIOLockedValueBox<State>
  private let newClients: AsyncStream<AMQPClient>
  private let added: AsyncStream<AMQPClient>.Continuation

  init(
    _ endpoint: BusEndpoint, configuration: TjenestebussConfiguration, on group: (any EventLoopGroup)?, logger: Logger
  ) {
    self.endpoint = endpoint
    self.configuration = configuration
    self.group = group
    self.logger = logger
    self.state = NIOLockedValueBox(State(dialect: endpoint.learnsDialect ? .unknown : .configured(endpoint.dialect)))
    (self.newClients, self.added) = AsyncStream.makeStream()
    self.client = AMQPClient(configuration.amqpClient(of: endpoint, role: "client"), on: group, logger: logger)
    self.added.yield(self.client)
  }

  /// All clients there are now.
  var clients: [AMQPClient] { [self.client] + self.state.withLockedValue { $0.further } }

  /// A place for one more queue, on a connection of the lane's that has room or on a new one.
  func takePlace() -> Place {
    let (place, isNew) = self.state.withLockedValue { state -> (Place, Bool) in
      if let index = state.queues.firstIndex(where: { $0 < Self.queuesPerConnection }) {
        state.queues[index] += 1
        return (self.place(index, state), false)
      }
      var configuration = self.configuration.amqpClient(of: self.endpoint, role: "receive-\(state.queues.count)")
      // It is for receiving only, so that one connection will do.
      configuration.separatesReceiving = false
      state.further.append(AMQPClient(configuration, on: self.group, logger: self.logger))
      state.queues.append(1)
      return (self.place(state.queues.count - 1, state), true)
    }
    if isNew { self.added.yield(place.client) }
    return place
  }

  private func place(_ index: Int, _ state: State) -> Place {
    index == 0
      ? Place(client: self.client, use: .receiving, index: 0)
      : Place(client: state.further[index - 1], use: .sending, index: index)
  }

  func giveBack(_ place: Place) { self.state.withLockedValue { $0.queues[place.index] -= 1 } }

  // MARK: Dialect

  var dialect: BusDialect { self.state.withLockedValue { $0.dialect } }

  /// What the bus says of itself when it is connected to. A bus may be another one after a restart.
  ///
  /// - Returns: the dialect, when that is news.
  func note(_ peer: AMQPPeer) -> BusDialect? {
    let now = BusDialect(
      configured: self.endpoint.learnsDialect ? nil : self.endpoint.dialect, product: peer.product, version: peer.version)
    return self.state.withLockedValue { state in
      // What was learnt by trying stands where the bus itself says nothing.
      guard now != state.dialect, now != .unknown else { return nil }
      state.dialect = now
      return now
    }
  }

  /// The endpoint as it is to be spoken to: waits for a connection where the dialect is not known yet.
  ///
  /// - Parameter queue: one of ours, which may be attached to where the bus does not say what it is; nil for none.
  /// - Throws: ``TjenestebussError`` `dialectUnknown` when it does not say; ``AMQPError`` when it cannot be connected to.
  func spoken(by use: AMQPConnectionUse = .sending, trying queue: String? = nil, within limit: Duration) async throws
    -> BusEndpoint
  {
    if let dialect = self.dialect.spoken { return self.endpoint.speaking(dialect) }
    let connection = try await self.client.connection(for: use, within: limit)
    if let dialect = self.note(connection.peer)?.spoken ?? self.dialect.spoken { return self.endpoint.speaking(dialect) }
    guard let queue, let dialect = try await Dialect.probe(connection, queue: queue, within: limit) else {
      throw TjenestebussError.dialectUnknown(self.endpoint.name, product: connection.peer.product)
    }
    self.state.withLockedValue { $0.dialect = .learnt(dialect) }
    return self.endpoint.speaking(dialect)
  }

  // MARK: Life

  /// Keeps the connections until ``shutdown(within:)``.
  func run() async {
    await withDiscardingTaskGroup { group in
      for await client in self.newClients {
        group.addTask {
          // What ends a client for good is told by its states, and logged there.
          try? await client.run()
        }
      }
    }
  }

  /// Has receivers hand back what they have not begun, waits for their handlers, and closes.
  func shutdown(within limit: Duration) async {
    self.added.finish()
    let clients = self.clients
    await withDiscardingTaskGroup { group in
      for client in clients { group.addTask { await client.shutdown(within: limit) } }
    }
  }
}

extension TjenestebussConfiguration {
  /// How the connections to a bus are kept.
  fileprivate func amqpClient(of endpoint: BusEndpoint, role: String) -> AMQPClientConfiguration {
    var recovery = AMQPRecoveryPolicy(self.backOff)
    recovery.refusedLoginRetry = self.refusedBusRetry
    // What the configuration asks for shall not be held up by the limit that is to catch what nobody asked for.
    recovery.attemptsPerMinute = max(30, Int(Duration.seconds(120) / self.missingQueueRetry))
    let places = ([endpoint.connection] + endpoint.alternatives).map { connection in
      var place = endpoint
      place.connection = connection
      return place.amqpConfiguration(
        role: role, product: self.product, operationTimeout: self.sendTimeout, observability: self.observability)
    }
    var configuration = AMQPClientConfiguration(endpoints: places, recovery: recovery)
    configuration.shutdownDeadline = self.shutdownDeadline
    return configuration
  }

  /// For leaving in all: handlers have their grace, then a moment to heed their cancellation, then the connections are closed.
  var shutdownDeadline: Duration { self.shutdownGrace + .seconds(6) }
}
