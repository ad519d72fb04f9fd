// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// Requests whose answers come to one queue of this client's: reads that queue, and hands each answer to who waits for it.
/// Requests outlive a loss of the link: their answers are in the queue when it is attached again.
final class RequestDesk: Sendable {
  private typealias Answer = OneShot<Result<AMQPMessage, AMQPError>>

  private struct State {
    var machine = RequestReplyMachine()
    var answers: [RequestReplyMachine.RequestID: Answer] = [:]
    var ended: AMQPError?
  }

  let queue: String
  private let state = NIOLockedValueBox(State())

  init(_ queue: String) { self.queue = queue }

  var hasEnded: Bool { self.state.withLockedValue { $0.ended != nil } }
  var strayAnswers: (late: Int, unknown: Int) {
    self.state.withLockedValue { ($0.machine.lateAnswers, $0.machine.unknownAnswers) }
  }

  /// Reads answers until the client ends, or the queue cannot be read.
  func run(_ client: AMQPClient) async {
    do {
      try await client.withReceiver(from: self.queue, credit: 50) { deliveries in
        for try await delivery in deliveries {
          // One that nobody waits for is of no use to anybody: the queue is this client's alone.
          try? delivery.accept()
          if let message = try? delivery.message() { self.arrived(message) }
        }
      }
      self.end(.clientStopped("the client was stopped"))
    } catch {
      self.end((error as? AMQPError) ?? .clientStopped("the client was stopped"))
    }
  }

  private func arrived(_ message: AMQPMessage) {
    let answer = self.state.withLockedValue { state -> Answer? in
      guard let id = state.machine.answered(message.properties.correlationID, epoch: 0) else { return nil }
      return state.answers.removeValue(forKey: id)
    }
    answer?.fulfil(.success(message))
  }

  private func end(_ error: AMQPError) {
    let ended = self.state.withLockedValue { state in
      state.ended = error
      return state.machine.linksLost(error, epoch: 0).map { ($0.1, state.answers.removeValue(forKey: $0.0)) }
    }
    for (ending, answer) in ended { answer?.fulfil(.failure(self.error(ending, error.seen))) }
  }

  private func error(_ ending: RequestReplyMachine.Ending, _ seen: String) -> AMQPError {
    switch ending {
    case .lost(let error, wasHandedOver: false): error
    case .answered, .timedOut, .cancelled, .lost(_, wasHandedOver: true):
      AMQPError(
        .answerMissing, .delivery, .local, tried: "ask, with answers to \(self.queue)",
        seen: "\(seen); whether the request was carried out is not known")
    }
  }

  /// Waits for the answer to `correlation`, which `send` asks for.
  func answer(
    to correlation: AMQPMessageID, within timeout: Duration, _ deadlines: DeadlineKeeper,
    _ send: () async throws(AMQPError) -> AMQPOutcome
  ) async throws(AMQPError) -> AMQPMessage {
    let answer = Answer()
    let begun = self.state.withLockedValue { state -> Result<RequestReplyMachine.RequestID?, AMQPError> in
      if let reason = state.ended { return .failure(reason) }
      guard let id = state.machine.begin(correlation, epoch: 0) else { return .success(nil) }
      state.machine.handedOver(id)
      state.answers[id] = answer
      return .success(id)
    }
    guard let id = try begun.get() else {
      throw AMQPError(
        .messageNotSendable, .delivery, .local, tried: "ask, with answers to \(self.queue)",
        seen: "a request with this message id is under way: their answers could not be told apart")
    }
    let timer = deadlines.after(timeout) { [weak self] in self?.end(id, "no answer in \(timeout)") { $0.timedOut(id) } }
    defer { timer.cancel() }
    do {
      try self.check(try await send())
    } catch {
      self.end(id, error.seen) { $0.notSent(id, error) }
    }
    do {
      return try await answer.wait().get()
    } catch let error as AMQPError {
      throw error
    } catch {
      self.end(id, "cancelled") { $0.cancelled(id) }
      throw AMQPError(
        .cancelled, .delivery, .local, tried: "ask, with answers to \(self.queue)",
        seen: "the task was cancelled; whether the request was carried out is not known")
    }
  }

  /// A request that the bus refused gets no answer; one whose outcome is not known may.
  private func check(_ outcome: AMQPOutcome) throws(AMQPError) {
    switch outcome {
    case .accepted, .unknown: return
    case .rejected(let condition):
      throw AMQPError(
        .linkRefused, .delivery, .remote, condition: condition, tried: "send a request", seen: "the bus rejected it")
    case .released:
      throw AMQPError(.notFound, .delivery, .remote, tried: "send a request", seen: "the bus gave it back: no queue is behind it")
    case .modified:
      throw AMQPError(.linkRefused, .delivery, .remote, tried: "send a request", seen: "the bus gave it back, changed")
    }
  }

  private func end(
    _ id: RequestReplyMachine.RequestID, _ seen: String, _ event: (inout RequestReplyMachine) -> RequestReplyMachine.Ending?
  ) {
    let (ending, answer) = self.state.withLockedValue { state in
      let ending = event(&state.machine)
      return (ending, ending == nil ? nil : state.answers.removeValue(forKey: id))
    }
    if let ending { answer?.fulfil(.failure(self.error(ending, seen))) }
  }
}
