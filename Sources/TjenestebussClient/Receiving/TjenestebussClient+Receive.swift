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
  /// What the handlers do decides what becomes of a message: see ``MessageHandlers``. What needs no handler is done here, for
  /// which ``run()`` must run too: pings are answered; a message that lacks what receivers check is told to its sender's error
  /// queue, and accepted once the bus has taken that, or dead-lettered where the sender may not or cannot be told.
  ///
  /// **A message may come more than once**: after a lost connection, after a sender's second try, and from both buses. Copies of a
  /// message that was handled are accepted here, as far as this process remembers (``DuplicateSettings``); beyond that the
  /// message id is the key by which the handler must recognise it.
  ///
  /// Leaving gives back what no handler has begun, waits for handlers under way when it is graceful (at most the shutdown
  /// grace; a cancelled task cancels them at once), then closes the connections.
  ///
  /// - Throws: ``TjenestebussError``: `ownQueueUnknown` when the register cannot tell a queue, `nothingToReceive`,
  ///   `nobodyTakesErrorReports`; `CancellationError` only while looking up.
  public func receive(for herIDs: [HerID], kinds: Set<QueueKind>, _ handlers: MessageHandlers) async throws {
    try await self.receive(from: try await self.queues(of: herIDs, kinds: kinds), handlers)
  }

  /// As ``receive(for:kinds:_:)`` for one HER-ID, without its error queue.
  public func receive(
    for herID: HerID, kinds: Set<QueueKind> = [.asynchronous, .synchronous],
    handler: @Sendable @escaping (ReceivedMessage) async throws -> Void
  ) async throws {
    try await self.receive(for: [herID], kinds: kinds, MessageHandlers(messages: handler))
  }

  /// Receives from queues by name, on all configured buses.
  ///
  /// - Throws: ``TjenestebussError``: `nothingToReceive`, `nobodyTakesErrorReports`.
  public func receive(
    from queues: [OwnQueue], handler: @Sendable @escaping (ReceivedMessage) async throws -> Void
  ) async throws {
    try await self.receive(from: queues, MessageHandlers(messages: handler))
  }

  /// As ``receive(from:handler:)``, error reports included.
  public func receive(from queues: [OwnQueue], _ handlers: MessageHandlers) async throws {
    guard !queues.isEmpty else { throw TjenestebussError.nothingToReceive }
    if handlers.errorReports == nil, queues.contains(where: { $0.kind == .error }) {
      throw TjenestebussError.nobodyTakesErrorReports
    }
    await self.receive(
      self.configuration.buses.flatMap { endpoint in queues.map { Reception(endpoint, $0, handlers) } })
  }

  /// The queues of these kinds, by the register; one that is shared once.
  func queues(of herIDs: [HerID], kinds: Set<QueueKind>) async throws -> [OwnQueue] {
    var queues: [OwnQueue] = []
    for herID in herIDs {
      for kind in QueueKind.allCases where kinds.contains(kind) {
        let name = try await self.queueName(of: herID, kind: kind)
        if !queues.contains(where: { $0.name == name && $0.kind == kind }) {
          queues.append(OwnQueue(name: name, kind: kind, owner: herID))
        }
      }
    }
    return queues
  }

  /// One queue on one bus, and what receives from it.
  struct Reception: Sendable {
    let endpoint: BusEndpoint
    let queue: OwnQueue
    let run: @Sendable (TjenestebussClient, BusLane, OwnQueue) async -> Void

    init(
      endpoint: BusEndpoint, queue: OwnQueue, run: @escaping @Sendable (TjenestebussClient, BusLane, OwnQueue) async -> Void
    ) {
      self.endpoint = endpoint
      self.queue = queue
      self.run = run
    }

    init(_ endpoint: BusEndpoint, _ queue: OwnQueue, _ handlers: MessageHandlers) {
      self.init(endpoint: endpoint, queue: queue) { client, lane, queue in
        let intake = MessageIntake(client, endpoint, queue, handlers)
        await QueueReceiver(client: client, lane: lane, queue: queue, intake: intake).run()
      }
    }
  }

  func receive(_ receptions: [Reception]) async {
    var parts: [(lane: BusLane, receptions: ArraySlice<Reception>)] = []
    for endpoint in self.configuration.buses {
      let own = receptions.filter { $0.endpoint.name == endpoint.name }
      for first in stride(from: 0, to: own.count, by: Self.queuesPerConnection) {
        // A connection of its own: a bus that holds senders back (RabbitMQ's memory alarm) must not hold receiving back.
        let lane = BusLane(endpoint, role: "receive", configuration: self.configuration, on: self.group, logger: self.logger)
        parts.append((lane, own[first..<min(first + Self.queuesPerConnection, own.count)]))
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
        for reception in part.receptions {
          group.addTask { await reception.run(self, part.lane, reception.queue) }
        }
      }
    }
    connections.cancel()
    await connections.value
  }

  /// Reads this process's reply queue on all buses until cancelled; returns at once where there is none.
  func receiveReplies() async {
    guard let name = self.configuration.serve.replyQueue else { return }
    let queue = OwnQueue(name: name, kind: .synchronousReply, owner: self.configuration.serve.herIDs.first)
    let handlers = MessageHandlers(messages: { [weak self] in try self?.takeReply($0) })
    await self.receive(self.configuration.buses.map { Reception($0, queue, handlers) })
  }
}
