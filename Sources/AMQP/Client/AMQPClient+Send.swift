// SPDX-License-Identifier: Apache-2.0

extension AMQPClient {
  /// Sends a message to an address by a sender that is kept for the next one.
  ///
  /// - Parameters:
  ///   - checks: what the message is checked for first; by default all for which a bus is known to end link or session.
  ///   - timeout: for connection, attach, credit and outcome together; nil for the configuration's operation timeout.
  /// - Returns: what became of it; ``AMQPOutcome/unknown(_:)`` when link or connection broke under it, when no outcome came
  ///   in time, or when the task was cancelled after it had left. It is never sent again by itself.
  /// - Throws: ``AMQPError`` when it is certain that the message did not leave: `noCredit`, `connectTimedOut`,
  ///   `attachTimedOut`, `notFound`, `unauthorized`, `messageTooLarge`, `sendTooSlow`, `cancelled`, `clientStopped`.
  public func send(
    _ message: AMQPMessage, to address: String, checks: AMQPSendChecks = .standard, within timeout: Duration? = nil
  ) async throws(AMQPError) -> AMQPOutcome {
    let deadline = ContinuousClock.now + (timeout ?? self.configuration.operationTimeout)
    let work = try self.begin(on: address)
    defer { self.finished(work) }
    while true {
      let keeper = try self.senderKeeper(to: address)
      let attached: SenderKeeper.Attached
      do {
        attached = try await keeper.sender(until: deadline) { self.start { await keeper.attach() } }
      } catch {
        // Closed to make room for another between the look-up and now.
        guard error.code == .linkClosed, ContinuousClock.now < deadline, !Task.isCancelled else { throw error }
        continue
      }
      do {
        let outcome = try await attached.sender.send(message, checks: checks, within: deadline - .now)
        if case .unknown(.lost(let error)) = outcome { keeper.lost(attached, error) }
        return outcome
      } catch {
        // It certainly did not leave. Where that is because the link is gone, the next link may take it.
        guard error.meansLinkIsGone else { throw error }
        keeper.lost(attached, error)
        guard ContinuousClock.now < deadline, !Task.isCancelled else { throw error }
      }
    }
  }
}
