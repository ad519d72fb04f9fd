// SPDX-License-Identifier: Apache-2.0

import BusModel
import Logging
import ServiceLifecycle

extension TjenestebussClient {
  /// Does it all, until the task is cancelled or shut down gracefully: sends, receives for the configured HER-IDs, answers pings,
  /// tells senders of faulty messages, reads answers and the register's events.
  ///
  /// Leaving ends the receiving first, so that handlers under way can still send.
  ///
  /// - Throws: as ``serve(_:)``. May be called once, and not beside ``run()``.
  public func run(_ handlers: MessageHandlers) async throws {
    // Detached on purpose: what sends must outlive what receives. Cancelled and awaited below, whatever happens.
    let sending = Task.detached { await self.run() }
    let result: Result<Void, any Error>
    do { result = .success(try await self.serve(handlers)) } catch { result = .failure(error) }
    sending.cancel()
    await sending.value
    try result.get()
  }

  /// Receives from the configured queues of the configured HER-IDs (``TjenestebussConfiguration/serve``) on all buses, as
  /// ``receive(for:kinds:_:)``, until the task is cancelled or shut down gracefully. ``run()`` must run too.
  ///
  /// When the register cannot tell the queues yet, that is shown in ``status``, logged, and tried again: a system that starts
  /// while the register is away receives as soon as it is back.
  ///
  /// - Throws: ``TjenestebussError``: `nothingToReceive`, `nobodyTakesErrorReports`.
  public func serve(_ handlers: MessageHandlers) async throws {
    let serve = self.configuration.serve
    guard !serve.herIDs.isEmpty, !serve.kinds.isEmpty else { throw TjenestebussError.nothingToReceive }
    if serve.kinds.contains(.error), handlers.errorReports == nil { throw TjenestebussError.nobodyTakesErrorReports }
    guard let queues = await self.queuesOnceKnown(serve) else { return }
    try await self.receive(from: queues, handlers)
  }

  /// - Returns: nil when we are to stop first.
  private func queuesOnceKnown(_ serve: ServeConfiguration) async -> [OwnQueue]? {
    defer { self.board.change { $0.waitingForRegister = nil } }
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      do {
        return try await cancelWhenGracefulShutdown { try await self.queues(of: serve.herIDs, kinds: serve.kinds) }
      } catch let error as TjenestebussError {
        if self.status.waitingForRegister == nil {
          self.logger.error(
            "the register does not tell our own queues; trying again", metadata: [LogKey.error.rawValue: "\(error.stableCode)"])
        }
        self.board.change { $0.waitingForRegister = error }
        let wait = self.configuration.missingQueueRetry
        do { try await cancelWhenGracefulShutdown { try await ContinuousClock().sleep(for: wait) } } catch { return nil }
      } catch {
        return nil
      }
    }
    return nil
  }
}
