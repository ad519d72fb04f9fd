// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What the library does with a message that may be a ping. Pure.
enum PingAnswer: Hashable, Sendable {
  /// Not a ping: it is for the EPJ.
  case notAPing
  /// Swallowed without an answer, for this reason.
  case swallow(Reason)
  /// Swallowed, and answered to this queue of this bus.
  case answer(queue: String, bus: BusName)

  enum Reason: Hashable, Sendable {
    case isEcho
    case fromErrorQueue
    case noReplyTo
    case switchedOff
    /// `reply-to` is a full address that lies on no bus we know.
    case replyToOnNoBus
  }

  /// - Parameters:
  ///   - replyTo: `reply-to` as it came: a short queue name, or a full address.
  ///   - bus: the bus it came by; a short queue name is one of that bus.
  init(
    to message: HealthMessage, replyTo: String?, kind: QueueKind, bus: BusName, buses: [Bus], subject: String, answersPings: Bool
  ) {
    guard let role = PingForm.role(of: message, subject: subject) else {
      self = .notAPing
      return
    }
    if role == .echo {
      self = .swallow(.isEcho)
    } else if kind == .error || kind == .deadLetter {
      self = .swallow(.fromErrorQueue)
    } else if !answersPings {
      self = .swallow(.switchedOff)
    } else if let replyTo, !replyTo.isEmpty {
      guard replyTo.contains("/") else {
        self = .answer(queue: replyTo, bus: bus)
        return
      }
      if let address = try? QueueAddress(text: replyTo), let holder = buses.first(where: { $0.holds(address) }) {
        self = .answer(queue: address.queue, bus: holder.name)
      } else {
        self = .swallow(.replyToOnNoBus)
      }
    } else {
      self = .swallow(.noReplyTo)
    }
  }
}
