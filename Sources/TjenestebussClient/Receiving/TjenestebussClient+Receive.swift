// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import ServiceLifecycle

extension TjenestebussClient {
  /// Receives from the queues of HER-IDs on all configured buses at once, until the task is cancelled or shut down
  /// gracefully.
  ///
  /// The queue names come from the register, never from the HER-ID: parties below an organisation share its queues. A
  /// queue that several of them share is received from once. A queue has the same name on every bus; where it does not exist
  /// on one of them, that is shown in ``status`` and tried again, and the others are received from meanwhile.
  ///
  /// What the handlers do decides what becomes of a message: see ``MessageHandlers``. What needs no handler is done here: pings are answered; a message that lacks what receivers check is told to its sender's error
  /// queue, and accepted once the bus has taken that, or dead-lettered where the sender may not or cannot be told.
  ///
  /// **A message may come more than once**: after a lost connection, after a sender's second try, and from both buses. Copies of a
  /// message that was handled are accepted here, as far as this process remembers (``DuplicateSettings``); beyond that the
  /// message id is the key by which the handler must recognise it.
  ///
  /// ``run()`` must run too: it keeps the connections. When it ends, this returns.
  ///
  /// Leaving gives back what no handler has begun, and waits for handlers under way when it is graceful (at most the shutdown
  /// grace; a cancelled task cancels them at once).
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
      self.configuration.buses.flatMap { endpoint in queues.map { self.reception(endpoint, $0, handlers) } })
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

  private func reception(_ endpoint: BusEndpoint, _ queue: OwnQueue, _ handlers: MessageHandlers) -> Reception {
    Reception(endpoint, queue) { MessageIntake($0, $1, queue, handlers) }
  }

  func receive(_ receptions: [Reception]) async {
    await withDiscardingTaskGroup { group in
      for reception in receptions { group.addTask { await reception.run(self) } }
    }
  }

  /// Reads this process's reply queue on all buses until cancelled; returns at once where there is none.
  func receiveReplies() async {
    guard let name = self.configuration.serve.replyQueue else { return }
    let queue = OwnQueue(name: name, kind: .synchronousReply, owner: self.configuration.serve.herIDs.first)
    let handlers = MessageHandlers(messages: { [weak self] in try self?.takeReply($0) })
    await self.receive(self.configuration.buses.map { self.reception($0, queue, handlers) })
  }
}
