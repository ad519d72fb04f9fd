// SPDX-License-Identifier: Apache-2.0

extension AMQPConnection {
  /// A request/reply pair for the time of `body`.
  ///
  /// - Parameters:
  ///   - node: target of the requests and source of the answers.
  ///   - replyTo: nil for links paired as RabbitMQ 4's `/management` wants them (one name, property `paired`, requests settled,
  ///     reply-to `$me`). A name of this client's own choice for nodes that answer to the link with that target: Azure's
  ///     `$management` and `$cbs`.
  ///   - timeout: for the attaches; nil for the operation timeout.
  public func withRequestReply<Result: Sendable>(
    to node: String, replyTo: String? = nil, within timeout: Duration? = nil,
    _ body: @Sendable (AMQPRequestReply) async throws -> Result
  ) async throws -> Result {
    let name = "\(self.configuration.containerID)/pair/\(UInt64.random(in: .min ... .max))"
    let isPaired = replyTo == nil
    let properties: AMQPMap = isPaired ? ["paired": true] : [:]
    let attached = try await self.attach(
      [
        .init(
          role: .sender, name: isPaired ? name : "\(name)/requests", source: replyTo ?? node, target: node, presettled: isPaired,
          properties: properties),
        .init(
          role: .receiver, name: isPaired ? name : "\(name)/answers", source: node, target: replyTo ?? node, window: 10,
          properties: properties),
      ], within: timeout)
    let sender = AMQPSender(attached[0], address: node, presettled: isPaired, connection: self)
    let receiver = AMQPReceiver(attached[1], address: node, buffer: attached[1].buffer ?? ReceiverBuffer(), connection: self)
    let pair = AMQPRequestReply(node: node, replyTo: replyTo ?? "$me", sender: sender, receiver: receiver)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await pair.readAnswers() }
      do {
        let result = try await body(pair)
        group.cancelAll()
        await receiver.close()
        await sender.close()
        return result
      } catch {
        group.cancelAll()
        await receiver.close()
        await sender.close()
        throw error
      }
    }
  }
}
