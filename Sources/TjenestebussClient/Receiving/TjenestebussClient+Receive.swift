// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import ServiceLifecycle

extension TjenestebussClient {
  /// RabbitMQ 4 allows 64 sessions a connection, and every link has its own.
  private static let queuesPerConnection = 40

  /// Receives from the queues of HER-IDs on all configured buses at once, until the task is cancelled or shut down
  /// gracefully.
  ///
  /// The queue names come from the register, never from the HER-ID: parties below an organisation share its queues. A
  /// queue that several of them share is received from once. A queue has the same name on every bus; where it does not exist
  /// on one of them, that is shown in ``status`` and tried again, and the others are received from meanwhile.
  ///
  /// What `handler` does decides what becomes of a message:
  ///
  /// - it returns: the message is accepted, and the bus forgets it;
  /// - it throws ``Refuse``: rejected; the bus dead-letters it;
  /// - it throws anything else: given back after the configuration's redelivery delay, to be delivered again.
  ///
  /// **A message may come more than once**: after a lost connection, after a sender's second try, and from both buses.
  /// The message id is the key by which the handler recognises it. A message that cannot be read is rejected and counted.
  /// Pings are answered here, for which ``run()`` must run too.
  ///
  /// Leaving gives back what no handler has begun, waits for handlers under way when it is graceful (at most the shutdown
  /// grace; a cancelled task cancels them at once), then closes the connections.
  ///
  /// - Throws: ``TjenestebussError``: `ownQueueUnknown` when the register cannot tell a queue, `nothingToReceive`;
  ///   `CancellationError` only while looking up.
  public func receive(
    for herIDs: [HerID], kinds: Set<QueueKind> = [.asynchronous, .synchronous, .error],
    handler: @Sendable @escaping (ReceivedMessage) async throws -> Void
  ) async throws {
    var queues: [OwnQueue] = []
    for herID in herIDs {
      for kind in QueueKind.allCases where kinds.contains(kind) {
        let queue = OwnQueue(name: try await self.queueName(of: herID, kind: kind), kind: kind)
        if !queues.contains(queue) { queues.append(queue) }
      }
    }
    try await self.receive(from: queues, handler: handler)
  }

  /// As ``receive(for:kinds:handler:)`` for one HER-ID.
  public func receive(
    for herID: HerID, kinds: Set<QueueKind> = [.asynchronous, .synchronous, .error],
    handler: @Sendable @escaping (ReceivedMessage) async throws -> Void
  ) async throws {
    try await self.receive(for: [herID], kinds: kinds, handler: handler)
  }

  /// Receives from queues by name, on all configured buses: for synchronous replies, whose queue the register does not hold.
  ///
  /// - Throws: ``TjenestebussError`` `nothingToReceive`.
  public func receive(
    from queues: [OwnQueue], handler: @Sendable @escaping (ReceivedMessage) async throws -> Void
  ) async throws {
    guard !queues.isEmpty else { throw TjenestebussError.nothingToReceive }
    var parts: [(lane: BusLane, queues: ArraySlice<OwnQueue>)] = []
    for endpoint in self.configuration.buses {
      for first in stride(from: 0, to: queues.count, by: Self.queuesPerConnection) {
        // A connection of its own: a bus that holds senders back (RabbitMQ's memory alarm) must not hold receiving back.
        let lane = BusLane(endpoint, role: "receive", configuration: self.configuration, on: self.group, logger: self.logger)
        parts.append((lane, queues[first..<min(first + Self.queuesPerConnection, queues.count)]))
      }
    }
    let lanes = parts.map(\.lane)
    // Detached on purpose: the connections must outlive our cancellation until the receivers have settled and detached.
    // They are cancelled and awaited below, whatever happens.
    let connections = Task.detached {
      await withDiscardingTaskGroup { group in
        for lane in lanes { group.addTask { await lane.run() } }
      }
    }
    await withDiscardingTaskGroup { group in
      for part in parts {
        for queue in part.queues {
          let receiver = QueueReceiver(client: self, lane: part.lane, queue: queue, handler: handler)
          group.addTask { await receiver.run() }
        }
      }
    }
    connections.cancel()
    await connections.value
  }
}
