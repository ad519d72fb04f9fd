// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The message that tells a sender, on its error queue, that its message was not taken.
///
/// A new message, not a copy of the faulty one. It carries all five fields that receivers check, so that no receiver answers it
/// with an error of its own, and one data section that is not empty (RabbitMQ 3 ends the session over an empty one): the
/// condition. It holds nothing of the faulty message's body.
enum ErrorMessage {
  enum PropertyName {
    static let originalMessageID = "originalMessageId"
    static let receivedAt = "receiverTimeStamp"
    static let condition = "errorCondition"
    static let description = "errorDescription"
    static let data = "errorConditionData"
  }

  /// Subject of a SOAP fault in an error queue.
  static let soapFaultSubject = "AMQP_SOAP_FAULT"
  /// The subject when the faulty message has none: receivers check that there is one.
  static let substituteSubject = "TRANSPORT_ERROR"
  static let textLimit = 1_000

  /// - Parameters:
  ///   - own: our HER-ID, for a message that does not say to whom it is.
  static func make(
    about faulty: FaultyMessage, to sender: HerID, own: HerID, error: ReportError, receivedAt: MessageTimestamp,
    messageID: String = UniqueID.random(), timestamp: MessageTimestamp = .now
  ) -> HealthMessage {
    var properties = [
      PropertyName.receivedAt: receivedAt.description, PropertyName.condition: error.condition.rawValue,
      PropertyName.description: String(error.text.prefix(Self.textLimit)),
    ]
    if let original = faulty.messageID { properties[PropertyName.originalMessageID] = original }
    if !error.data.isEmpty {
      let items = error.data.map { $0.filter { $0 != ";" } + ";" }
      properties[PropertyName.data] = String(items.joined().prefix(Self.textLimit))
    }
    // Control characters would make our own message unsendable.
    let subject = faulty.subject.map { String($0.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }) } ?? ""
    return HealthMessage(
      messageID: messageID, from: faulty.to ?? own, to: sender, subject: subject.isEmpty ? Self.substituteSubject : subject,
      contentType: "text/plain", timestamp: timestamp, correlationID: faulty.messageID, properties: properties,
      body: Array(error.condition.rawValue.utf8))
  }
}
