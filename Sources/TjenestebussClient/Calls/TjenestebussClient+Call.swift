// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Logging

extension TjenestebussClient {
  /// Asks a party and waits for its answer: a synchronous call.
  ///
  /// The request goes to the party's synchronous queue, with this process's reply queue
  /// (``ServeConfiguration/replyQueue``) as `reply-to`; ``run()`` reads that queue on all buses, since the party may answer on
  /// another one than it was asked on. The answer is known by its correlation id. The request's time to live becomes the timeout
  /// when it has none: an old question shall not be answered.
  ///
  /// - Parameter timeout: for all of it; nil for the configuration's call timeout (15 s).
  /// - Returns: the answer, opened by the ``MessageProtection`` where there is one.
  /// - Throws: ``TjenestebussError``: `callTimedOut`, which says nothing of whether the party acted on the request; `callRefused`
  ///   when the party's error report came instead (to an error queue that this client receives from); `noReplyQueue`;
  ///   `replyQueueNotReceived` when no bus lets us read the reply queue, so that no answer could come; why it was not sent.
  ///   `CancellationError`: the same as timed out.
  public func call(_ message: HealthMessage, timeout: Duration? = nil) async throws -> ReceivedMessage {
    guard let replyQueue = self.configuration.serve.replyQueue else { throw TjenestebussError.noReplyQueue }
    guard self.sends.begin() else { throw TjenestebussError.stopping }
    defer { self.sends.end() }
    let states = self.configuration.buses.map { self.board.status[$0.name, replyQueue] }
    if states.allSatisfy(\.isOutOfReach) { throw TjenestebussError.replyQueueNotReceived(replyQueue) }
    let timeout = timeout ?? self.configuration.callTimeout
    let deadline = self.clock.now + timeout
    var request = message
    request.replyTo = replyQueue
    if request.timeToLiveMilliseconds == nil { request.timeToLiveMilliseconds = max(timeout.wholeMilliseconds, 1) }
    let id = request.correlationID ?? request.messageID
    // Also known by its message id: error reports name that one.
    guard let answer = self.answers.ask(id, of: request.to) else {
      throw TjenestebussError.messageUnsendable(field: "correlation id", problem: "a call of the same id waits for its answer")
    }
    defer { self.answers.close(id) }
    let result = await self.send(request, kind: .synchronous, within: timeout)
    if case .unknown = result.outcome {} else { try result.requireAccepted() }
    switch try await AnswerDesk.wait(for: answer, until: deadline) {
    case .message(let received)?: return received
    case .refused(let report)?: throw TjenestebussError.callRefused(report)
    case nil: throw TjenestebussError.callTimedOut(messageID: request.messageID, after: timeout, asked: result.isAccepted)
    }
  }

  /// What the library's own receivers of the reply queue do with an answer.
  func takeReply(_ received: ReceivedMessage) throws {
    let message = received.message
    let arrival = self.answers.arrives(
      .message(received), to: message.correlationID ?? message.messageID, from: message.from)
    switch arrival {
    case .awaited: self.board.change { $0.counters.replies += 1 }
    case .late, .unknown, .fromAnother:
      self.board.change {
        if arrival == .fromAnother { $0.counters.repliesFromOthers += 1 } else { $0.counters.repliesTooLate += 1 }
      }
      self.logger.notice(
        "an answer came that nobody waits for",
        metadata: [
          LogKey.bus.rawValue: "\(received.bus)", LogKey.queue.rawValue: "\(received.queue)",
          LogKey.messageID.rawValue: "\(message.messageID.prefix(100))",
          LogKey.error.rawValue: arrival == .fromAnother ? "TB-508" : "TB-507",
        ])
      guard arrival != .fromAnother else {
        throw Refuse(condition: TransportErrorCondition.spoofingAttack.rawValue, text: "not from the party that was asked")
      }
      if self.configuration.lateReplies == .deadLetter {
        throw Refuse(condition: TransportErrorCondition.unsupportedMessage.rawValue, text: "the answer came too late")
      }
    }
  }
}

extension ClientStatus.ReceiverState? {
  /// Nothing can be read from it now.
  fileprivate var isOutOfReach: Bool {
    switch self {
    case .queueMissing, .waiting, .ended: true
    case nil, .connecting, .receiving: false
    }
  }
}

extension Duration {
  /// Rounded down, and cut to what 32 bits hold.
  var wholeMilliseconds: UInt32 { UInt32(clamping: Int64(self / .milliseconds(1))) }
}
