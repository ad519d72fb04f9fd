// SPDX-License-Identifier: Apache-2.0

import AMQP

/// How things stand in a broker at one moment. No content of any message is in it.
public struct BrokerSnapshot: Sendable, Hashable {
  public struct Queue: Sendable, Hashable {
    public var name: String
    /// All messages, locked ones too.
    public var depth: Int
    /// Handed to a consumer and not settled yet.
    public var locked: Int
    public var consumers: Int
    public var isPaused: Bool
    /// Messages that came to this queue since it was declared, dead letters too.
    public var arrived: Int
    /// Messages that a consumer has accepted, or took settled.
    public var consumed: Int
    /// Laid aside by a consumer, to be asked for by number (Azure Service Bus). Among ``depth``.
    public var deferred = 0
    /// Waiting for the time that their sender named (Azure Service Bus). Not among ``depth``.
    public var scheduled = 0
  }

  public struct Connection: Sendable, Hashable {
    /// In order of connecting.
    public var number: Int
    public var user: String
    /// What the client calls itself.
    public var containerID: String
    public var links: Int
    /// What the client says of itself; nil when it does not.
    public var product: String?
    public var version: String?
    /// Queues that it receives from, by name.
    public var receivesFrom: [String] = []
  }

  /// By name.
  public var queues: [String: Queue]
  /// Those that have opened, in order of connecting.
  public var connections: [Connection]
  public var counters: BrokerCounters

  /// All messages of the queue; 0 when there is no such queue.
  public func depth(of queue: String) -> Int { self.queues[queue]?.depth ?? 0 }
  public func consumers(of queue: String) -> Int { self.queues[queue]?.consumers ?? 0 }
}

/// What has happened since the broker was started.
public struct BrokerCounters: Sendable, Hashable {
  /// Messages that senders handed over and that were answered `accepted`, or settled beforehand.
  public var accepted = 0
  /// Messages given back or refused: released, rejected.
  public var refused = 0
  /// Messages that came and are left without any outcome: what RabbitMQ 3 does when a queue is full.
  public var leftUnanswered = 0
  /// Messages answered `accepted` that no queue took: what RabbitMQ 3 does with the unroutable.
  public var acceptedAndLost = 0
  /// Messages sent to consumers, each delivery counted.
  public var delivered = 0
  public var deadLettered = 0
  /// Messages that died where no dead-letter queue was.
  public var diedWithoutTrace = 0
  /// By ``InMemoryBroker/dropNext(_:to:)``.
  public var droppedOnPurpose = 0
  /// By ``InMemoryBroker/duplicateNext(_:to:)``: copies made.
  public var duplicatedOnPurpose = 0
  /// Messages taken back from consumers that held them too long.
  public var locksLost = 0
  /// Locks that consumers had renewed (Azure Service Bus).
  public var locksRenewed = 0
  public var loginsRefused = 0
  public var attachesRefused = 0
  /// Sessions and connections that the broker ended because of what the client did.
  public var clientFaults = 0
}

extension BrokerCore {
  func snapshot() -> BrokerSnapshot {
    let scheduled = Dictionary(grouping: self.scheduled.values, by: \.queue).mapValues(\.count)
    return BrokerSnapshot(
      queues: Dictionary(
        uniqueKeysWithValues: self.queues.map { name, queue in
          (
            name,
            BrokerSnapshot.Queue(
              name: name, depth: queue.machine.depth, locked: queue.machine.lockedCount,
              consumers: queue.machine.consumerCount, isPaused: queue.machine.isPaused, arrived: queue.arrived,
              consumed: queue.consumed, deferred: queue.machine.deferredCount, scheduled: scheduled[name] ?? 0)
          )
        }),
      connections: self.clients.sorted { $0.key < $1.key }.compactMap { number, client in
        client.containerID.map { containerID in
          let links = self.links.filter { $0.key.connection == number && !$0.value.isDetached }
          let queues = links.values.compactMap { link in
            if case .outgoing(let queue, _, _) = link.use { queue } else { nil }
          }
          return BrokerSnapshot.Connection(
            number: number, user: client.user, containerID: containerID, links: links.count, product: client.product,
            version: client.version, receivesFrom: Set(queues).sorted())
        }
      },
      counters: self.counters)
  }
}
