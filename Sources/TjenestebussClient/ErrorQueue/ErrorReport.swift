// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel

/// A message read from an error queue: somebody could not take a message of ours.
///
/// Read with tolerance, since it is never answered: older systems send a copy of the original without its body, systems of 2026
/// set no content type, SOAP faults have a form of their own. What is not there is nil; only the properties, and a SOAP fault's
/// header, are read.
public struct ErrorReport: Sendable, Hashable, CustomStringConvertible {
  /// What a SOAP 1.2 fault (`AMQP_SOAP_FAULT`) says, as far as it could be read: an encrypted one cannot.
  public struct SOAPFault: Sendable, Hashable {
    public var code: String?
    public var reason: String?
    /// The id of the message it is about, by the dialogue's own header.
    public var messageID: String?
  }

  public var messageID: String?
  /// Who reports.
  public var from: HerID?
  /// Who is told.
  public var to: HerID?
  public var subject: String?
  /// The message that was not taken.
  public var originalMessageID: String?
  public var correlationID: String?
  /// One of the known conditions; nil for none, or another one: see ``conditionText``.
  public var condition: TransportErrorCondition?
  public var conditionText: String?
  /// The reporter's words. Somebody else's text: not to be logged unread.
  public var text: String?
  public var data: [String]
  /// When the reporter had received the original, by its own clock.
  public var receivedAt: MessageTimestamp?
  /// When the report was written.
  public var reportedAt: MessageTimestamp?
  /// The subject says that the body is a SOAP fault.
  public var soapFault: SOAPFault?

  /// The bus and queue it was read from.
  public var bus: BusName
  public var queue: String

  /// Condition and ids; never the reporter's words.
  public var description: String {
    "error report \(self.condition?.rawValue ?? (self.soapFault == nil ? "without a known condition" : "SOAP fault")) "
      + "about message \(self.originalMessageID ?? "of unknown id") from \(self.from.map(\.description) ?? "unknown")"
  }

  public init(reading message: AMQPMessage, bus: BusName, queue: String) {
    let own = message.applicationProperties
    typealias Name = ErrorMessage.PropertyName
    func text(_ name: String) -> String? { own[name]?.plainText.flatMap { $0.isEmpty ? nil : $0 } }
    let facts = FaultyMessage(message)
    self.messageID = facts.messageID
    self.from = facts.from
    self.to = facts.to
    self.subject = facts.subject
    self.correlationID = message.properties.correlationID?.description
    self.conditionText = text(Name.condition)
    self.condition = self.conditionText.flatMap { TransportErrorCondition(rawValue: $0) }
    self.text = text(Name.description)
    self.data = (text(Name.data) ?? "").split(separator: ";").map { $0.trimmingBlanks }.filter { !$0.isEmpty }
    self.receivedAt = text(Name.receivedAt).flatMap { MessageTimestamp($0) ?? MessageTimestamp(invariantDotNet: $0) }
    self.reportedAt = text(HealthMessage.PropertyName.timestamp).flatMap { MessageTimestamp($0) }
    self.soapFault = facts.subject == ErrorMessage.soapFaultSubject ? SOAPFault(message.body.bytes ?? []) : nil
    self.originalMessageID = text(Name.originalMessageID) ?? self.soapFault?.messageID
    self.bus = bus
    self.queue = queue
  }
}

extension ErrorReport.SOAPFault {
  /// Whatever can be read; a body that is no XML gives a fault that says nothing.
  init(_ body: [UInt8]) {
    guard let root = try? XMLDocumentReader.read(body) else { return }
    let fault = root.descendant("Fault")
    self.code = fault?.child("Code")?.value("Value") ?? fault?.value("faultcode")
    self.reason = fault?.child("Reason")?.value("Text") ?? fault?.value("faultstring")
    self.messageID = root.descendant("messageId")?.text.trimmed
  }
}

extension XMLNode {
  /// The first element of this name, the node itself included, in document order.
  fileprivate func descendant(_ name: String) -> XMLNode? {
    if self.name == name { return self }
    for child in self.children {
      if let found = child.descendant(name) { return found }
    }
    return nil
  }
}

extension MessageTimestamp {
  /// Reads `MM/dd/yyyy HH:mm:ss`, as .NET writes a date of no culture: the sector's systems do in `receiverTimeStamp`.
  /// Taken as UTC, since no zone stands in it.
  init?(invariantDotNet text: String) {
    let parts = text.split(separator: " ")
    guard parts.count == 2 else { return nil }
    let date = parts[0].split(separator: "/")
    guard date.count == 3, date[0].count == 2, date[1].count == 2, date[2].count == 4 else { return nil }
    self.init("\(date[2])-\(date[0])-\(date[1])T\(parts[1])Z")
  }
}
