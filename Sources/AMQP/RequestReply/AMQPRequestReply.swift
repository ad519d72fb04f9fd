// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// Requests to a node that answers on a link beside: RabbitMQ 4's `/management`, Azure's `$management` and `$cbs`.
///
/// Any number of requests may be under way: answers are told apart by correlation id.
public final class AMQPRequestReply: Sendable {
  private typealias Answer = OneShot<Result<AMQPMessage, AMQPError>>

  private struct State {
    var machine = RequestReplyMachine()
    var answers: [RequestReplyMachine.RequestID: Answer] = [:]
    var lastNumber: UInt64 = 0
    var lost: AMQPError?
  }

  /// The node asked.
  public let node: String
  /// What requests name as the address of their answers.
  public let replyTo: String
  private let sender: AMQPSender
  private let receiver: AMQPReceiver
  private let state = NIOLockedValueBox(State())

  init(node: String, replyTo: String, sender: AMQPSender, receiver: AMQPReceiver) {
    self.node = node
    self.replyTo = replyTo
    self.sender = sender
    self.receiver = receiver
  }

  /// Answers that came too late, and answers to nothing that was asked here.
  public var strayAnswers: (late: Int, unknown: Int) {
    self.state.withLockedValue { ($0.machine.lateAnswers, $0.machine.unknownAnswers) }
  }

  /// Sends `request` with a message id and reply-to of its own, and waits for the answer that names that id.
  ///
  /// - Parameter timeout: for the whole of it; mandatory.
  /// - Throws: ``AMQPError``: `answerMissing` when it left and no answer came, by time or by loss of the links: whether it was
  ///   carried out is not known. `cancelled`. Anything else: it did not leave.
  public func request(_ request: AMQPMessage, within timeout: Duration) async throws(AMQPError) -> AMQPMessage {
    let answer = Answer()
    let begun: (id: RequestReplyMachine.RequestID, number: UInt64)? = try self.begin(answer)
    guard let (id, number) = begun else {
      throw AMQPError(.linkRefused, .link, .local, tried: "ask \(self.node)", seen: "the correlation is in use")
    }
    var request = request
    request.properties.messageID = .ulong(number)
    request.properties.replyTo = self.replyTo
    let timer = self.sender.after(timeout) { [weak self] in self?.end(id, seen: "no answer in \(timeout)") { $0.timedOut(id) } }
    defer { timer.cancel() }
    do {
      // Counted as handed over before it is: what is not known must not pass for not sent.
      self.state.withLockedValue { $0.machine.handedOver(id) }
      // A node's requests have a form of their own: a value as body, and no header.
      _ = try await self.sender.send(request, checks: .none, within: timeout)
    } catch {
      self.end(id, seen: error.seen) { $0.notSent(id, error) }
    }
    do {
      return try await answer.wait().get()
    } catch let error as AMQPError {
      throw error
    } catch {
      self.end(id, seen: "the task was cancelled") { $0.cancelled(id) }
      throw AMQPError(
        .cancelled, .link, .local, tried: "ask \(self.node)",
        seen: "the task was cancelled; whether the request was carried out is not known")
    }
  }

  private func begin(_ answer: Answer) throws(AMQPError) -> (RequestReplyMachine.RequestID, UInt64)? {
    let begun = self.state.withLockedValue { state -> Result<(RequestReplyMachine.RequestID, UInt64)?, AMQPError> in
      if let lost = state.lost { return .failure(lost) }
      state.lastNumber += 1
      guard let id = state.machine.begin(.ulong(state.lastNumber), epoch: 0) else { return .success(nil) }
      state.answers[id] = answer
      return .success((id, state.lastNumber))
    }
    return try begun.get()
  }

  private func end(
    _ id: RequestReplyMachine.RequestID, seen: String,
    _ event: (inout RequestReplyMachine) -> RequestReplyMachine.Ending?
  ) {
    let (ending, answer) = self.state.withLockedValue { state in
      let ending = event(&state.machine)
      return (ending, ending == nil ? nil : state.answers.removeValue(forKey: id))
    }
    if let ending { answer?.fulfil(.failure(self.error(ending, seen))) }
  }

  private func error(_ ending: RequestReplyMachine.Ending, _ seen: String) -> AMQPError {
    switch ending {
    case .lost(let error, wasHandedOver: false): error
    // How far it goes, and the bus's own words, are those of the loss.
    case .lost(let error, wasHandedOver: true):
      AMQPError(
        .answerMissing, error.scope, error.origin, condition: error.condition, tried: "ask \(self.node)",
        seen: "\(seen); whether the request was carried out is not known")
    case .answered, .timedOut, .cancelled:
      AMQPError(
        .answerMissing, .link, .local, tried: "ask \(self.node)",
        seen: "\(seen); whether the request was carried out is not known")
    }
  }

  /// Hands answers to those who wait. Ends when the link does.
  func readAnswers() async {
    do {
      for try await delivery in self.receiver {
        // Theirs or nobody's: an answer that nobody waits for is of no use to anybody.
        try? delivery.accept()
        guard let message = try? delivery.message() else { continue }
        let answer = self.state.withLockedValue { state -> Answer? in
          guard let id = state.machine.answered(message.properties.correlationID, epoch: 0) else { return nil }
          return state.answers.removeValue(forKey: id)
        }
        answer?.fulfil(.success(message))
      }
      self.lost(AMQPError(.linkClosed, .link, .local, tried: "ask \(self.node)", seen: "the links were closed"))
    } catch let error {
      self.lost(error)
    }
  }

  private func lost(_ error: AMQPError) {
    let ended = self.state.withLockedValue { state in
      state.lost = error
      return state.machine.linksLost(error, epoch: 0).map { ($0.1, state.answers.removeValue(forKey: $0.0)) }
    }
    for (ending, answer) in ended { answer?.fulfil(.failure(self.error(ending, error.seen))) }
  }
}
