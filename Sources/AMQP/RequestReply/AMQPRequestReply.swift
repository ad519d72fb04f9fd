// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import Synchronization

/// Requests to a node that answers, such as RabbitMQ 4's `/management`: a pair of links of one name on one session.
///
/// One request at a time on the wire is not required: answers are told apart by correlation id.
public final class AMQPRequestReply: Sendable {
  /// The node asked.
  public let node: String
  private let sender: AMQPSender
  private let receiver: AMQPReceiver
  private let waiting = NIOLockedValueBox<[UInt64: OneShot<Result<AMQPMessage, AMQPError>>]>([:])
  private let lastNumber = Atomic<UInt64>(0)

  init(node: String, sender: AMQPSender, receiver: AMQPReceiver) {
    self.node = node
    self.sender = sender
    self.receiver = receiver
  }

  /// Sends `request` with a message id and reply-to of its own, and waits for the answer that names that id.
  ///
  /// - Parameter timeout: for the whole of it; mandatory.
  /// - Throws: ``AMQPError``; a time-out says nothing of whether the request was carried out.
  public func request(_ request: AMQPMessage, within timeout: Duration) async throws(AMQPError) -> AMQPMessage {
    let number = self.lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
    var request = request
    request.properties.messageID = .ulong(number)
    request.properties.replyTo = "$me"
    let answer = OneShot<Result<AMQPMessage, AMQPError>>()
    self.waiting.withLockedValue { $0[number] = answer }
    defer { _ = self.waiting.withLockedValue { $0.removeValue(forKey: number) } }
    let late = AMQPError(
      .noCredit, .link, .local, tried: "ask \(self.node)", seen: "no answer in \(timeout)")
    let timer = self.sender.after(timeout) { answer.fulfil(.failure(late)) }
    defer { timer.cancel() }
    _ = try await self.sender.send(request, checks: AMQPSendChecks(body: .anyKind, header: false), within: timeout)
    do {
      return try await answer.wait().get()
    } catch let error as AMQPError {
      throw error
    } catch {
      throw AMQPError(.cancelled, .link, .local, tried: "ask \(self.node)", seen: "the task was cancelled")
    }
  }

  /// Hands answers to those who wait. Ends when the link does.
  func readAnswers() async {
    do {
      for try await delivery in self.receiver {
        try? delivery.accept()
        guard let message = try? delivery.message(), case .ulong(let number)? = message.properties.correlationID else { continue }
        self.waiting.withLockedValue { $0[number] }?.fulfil(.success(message))
      }
    } catch let error {
      for answer in self.waiting.withLockedValue({ Array($0.values) }) { answer.fulfil(.failure(error)) }
    }
  }
}

extension AMQPConnection {
  /// A request/reply pair for the time of `body`.
  ///
  /// - Parameter node: target of the requests and source of the answers.
  public func withRequestReply<Result: Sendable>(
    to node: String, within timeout: Duration? = nil, _ body: @Sendable (AMQPRequestReply) async throws -> Result
  ) async throws -> Result {
    let name = "\(self.configuration.containerID)/pair/\(UInt64.random(in: .min ... .max))"
    let paired: AMQPMap = ["paired": true]
    // The node settles nothing on the request link: it is pre-settled, as RabbitMQ demands.
    let attached = try await self.attach(
      [
        .init(role: .sender, name: name, source: node, target: node, presettled: true, properties: paired),
        .init(role: .receiver, name: name, source: node, target: node, window: 10, properties: paired),
      ], within: timeout)
    let sender = AMQPSender(attached[0], address: node, presettled: true, connection: self)
    let receiver = AMQPReceiver(attached[1], address: node, buffer: attached[1].buffer ?? ReceiverBuffer(), connection: self)
    let pair = AMQPRequestReply(node: node, sender: sender, receiver: receiver)
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
