// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// What can be known of a message that cannot be taken: enough to tell its sender, and whether its sender may be told.
struct FaultyMessage: Sendable, Hashable {
  var messageID: String?
  /// Nil when missing, malformed, or not greater than zero.
  var from: HerID?
  var to: HerID?
  var subject: String?
  /// The message says itself that it reports an error.
  var isErrorReport: Bool

  init(_ message: AMQPMessage) {
    let own = message.applicationProperties
    typealias Name = HealthMessage.PropertyName
    self.messageID = (message.properties.messageID?.description).flatMap { $0.isEmpty ? nil : $0 }
    self.from = own[Name.from]?.plainText.flatMap { try? HerID(text: $0) }
    self.to = own[Name.to]?.plainText.flatMap { try? HerID(text: $0) }
    self.subject = message.properties.subject.flatMap { $0.isEmpty ? nil : $0 }
    self.isErrorReport =
      self.subject == ErrorMessage.soapFaultSubject || self.subject == ErrorMessage.substituteSubject
      || [ErrorMessage.PropertyName.condition, ErrorMessage.PropertyName.description].contains { own[$0] != nil }
  }
}

/// Whether the sender of a faulty message is told. Pure.
enum ErrorAnswer: Sendable, Hashable {
  case tell(HerID)
  case silent(Reason)

  enum Reason: String, Sendable, Hashable {
    /// An error about an error: two systems would answer each other for ever.
    case isAboutAnError = "it was read from an error queue, or reports an error itself"
    case senderUnknown = "it does not say from which HER-ID it comes"
  }

  init(about message: FaultyMessage, readFrom kind: QueueKind) {
    if kind == .error || kind == .deadLetter || message.isErrorReport {
      self = .silent(.isAboutAnError)
    } else if let from = message.from {
      self = .tell(from)
    } else {
      self = .silent(.senderUnknown)
    }
  }
}
