// SPDX-License-Identifier: Apache-2.0

/// Where the answer to a request comes.
public enum AMQPReplyAddress: Sendable, Hashable {
  /// A queue that belongs to this client alone, in the address form of receivers. `replyTo` is what requests call it, where
  /// that differs; nil for the same.
  case queue(String, replyTo: String? = nil)
  /// The node answers on a link beside: RabbitMQ 4's `/management`. Attached for each request; for many at a time use
  /// ``AMQPConnection/withRequestReply(to:replyTo:within:_:)``.
  case paired
  /// The node answers on a link of ours that the request names: Azure Service Bus's `$management` and `$cbs`. Attached for
  /// each request, as with ``paired``.
  case ownLink
}

extension AMQPClient {
  /// Sends a request and waits for its answer: the message whose correlation id is the request's message id.
  ///
  /// - Parameters:
  ///   - message: gets a message id when it has none.
  ///   - checks: what it is checked for before it goes to a queue; requests to a paired node may have any body.
  ///   - timeout: for all of it; mandatory.
  /// - Throws: ``AMQPError``: `answerMissing` when no answer came in time: whether the request was carried out is not known,
  ///   and an answer that comes later is dropped. `cancelled`, of which the same is true. Anything else: it was not carried out.
  public func request(
    _ message: AMQPMessage, to address: String, replyTo: AMQPReplyAddress, checks: AMQPSendChecks = .standard,
    timeout: Duration
  ) async throws(AMQPError) -> AMQPMessage {
    switch replyTo {
    case .paired, .ownLink:
      let name: String? = replyTo == .paired ? nil : "answers-\(UInt64.random(in: .min ... .max))"
      let deadline = ContinuousClock.now + timeout
      let connection = try await self.connection(for: .sending, within: timeout)
      do {
        return try await connection.withRequestReply(to: address, replyTo: name, within: deadline - .now) { node in
          try await node.request(message, within: deadline - .now)
        }
      } catch let error as AMQPError {
        throw error
      } catch {
        throw AMQPError(.cancelled, .link, .local, tried: "ask \(address)", seen: "the task was cancelled")
      }
    case .queue(let queue, let name):
      var message = message
      let correlation = message.properties.messageID ?? .string("request-\(UInt64.random(in: .min ... .max))")
      message.properties.messageID = correlation
      message.properties.replyTo = name ?? queue
      let request = message
      return try await self.desk(queue).answer(to: correlation, within: timeout, self.deadlines) { () throws(AMQPError) in
        try await self.send(request, to: address, checks: checks, within: timeout)
      }
    }
  }
}
