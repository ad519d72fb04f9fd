// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing

@testable import TjenestebussClient

@Suite("Error messages: form, rules, reading")
struct ErrorQueueTests {
  private func faulty(_ change: (inout AMQPMessage) -> Void = { _ in }) throws -> FaultyMessage {
    var message = try Fixture.incoming().amqpMessage(toQueue: "200_async", enqueued: .now)
    change(&message)
    return FaultyMessage(message)
  }

  private func report(_ message: AMQPMessage) -> ErrorReport { ErrorReport(reading: message, bus: "b", queue: "200_error") }

  @Test("All conditions of the sector, and one of them is temporary")
  func conditions() {
    #expect(TransportErrorCondition.allCases.count == 11)
    #expect(TransportErrorCondition.allCases.filter(\.isTemporary) == [.revokedCertificateOffline])
  }

  @Test("It has all five fields that receivers check, a body that is not empty, and nothing of the faulty message's body")
  func form() throws {
    let received = MessageTimestamp(secondsSinceEpoch: 1_763_700_100)
    let error = ErrorMessage.make(
      about: try self.faulty(), to: try Fixture.herID(100), own: try Fixture.herID(200),
      error: ReportError(.invalidFieldValue, text: "missing: subject", data: ["subject", "a;b"]), receivedAt: received,
      messageID: "e", timestamp: received)
    #expect(error.from.value == 200)
    #expect(error.to.value == 100)
    #expect(error.subject == "DIALOG_INNBYGGER_EKONTAKT")
    #expect(error.contentType == "text/plain")
    #expect(error.replyTo == nil)
    #expect(error.timeToLiveMilliseconds == nil)
    #expect(
      error.properties == [
        "originalMessageId": "6f1b7c1e-0000-4000-8000-000000000002", "receiverTimeStamp": "2025-11-21T04:41:40Z",
        "errorCondition": "transport:invalid-field-value", "errorDescription": "missing: subject",
        "errorConditionData": "subject;ab;",
      ])
    #expect(error.body == Array("transport:invalid-field-value".utf8))
    let wire = try error.amqpMessage(toQueue: "100_error", enqueued: received)
    #expect(throws: Never.self) { try HealthMessage(reading: wire) }
  }

  @Test("A faulty message without subject or receiver still gives a whole error message; its text is cut")
  func substitutes() throws {
    let facts = try self.faulty {
      $0.properties.subject = nil
      $0.properties.messageID = nil
      $0.applicationProperties["toHerId"] = nil
    }
    let error = ErrorMessage.make(
      about: facts, to: try Fixture.herID(100), own: try Fixture.herID(7),
      error: ReportError(.internalError, text: String(repeating: "x", count: 5_000)), receivedAt: .now)
    #expect(error.subject == "TRANSPORT_ERROR")
    #expect(error.from.value == 7)
    #expect(error.properties["errorDescription"]?.count == 1_000)
    #expect(error.properties["originalMessageId"] == nil)
    #expect(error.properties["errorConditionData"] == nil)
    #expect(throws: Never.self) { try error.checkSendable() }
  }

  @Test("Never an error about an error: nothing from an error or dead-letter queue, nothing that reports an error itself")
  func neverAboutErrors() throws {
    let ordinary = try self.faulty()
    #expect(ErrorAnswer(about: ordinary, readFrom: .asynchronous) == .tell(try Fixture.herID(100)))
    #expect(ErrorAnswer(about: ordinary, readFrom: .synchronous) == .tell(try Fixture.herID(100)))
    #expect(ErrorAnswer(about: ordinary, readFrom: .error) == .silent(.isAboutAnError))
    #expect(ErrorAnswer(about: ordinary, readFrom: .deadLetter) == .silent(.isAboutAnError))
    for facts in [
      try self.faulty { $0.properties.subject = "AMQP_SOAP_FAULT" },
      try self.faulty { $0.properties.subject = "TRANSPORT_ERROR" },
      try self.faulty { $0.applicationProperties["errorCondition"] = "transport:internal-error" },
      try self.faulty { $0.applicationProperties["errorDescription"] = "x" },
    ] {
      #expect(ErrorAnswer(about: facts, readFrom: .asynchronous) == .silent(.isAboutAnError))
    }
    // Our own error message, should it ever land in an asynchronous queue.
    let own = ErrorMessage.make(
      about: ordinary, to: try Fixture.herID(100), own: try Fixture.herID(200), error: ReportError(.internalError, text: "x"),
      receivedAt: .now)
    let facts = FaultyMessage(try own.amqpMessage(toQueue: "q", enqueued: .now))
    #expect(ErrorAnswer(about: facts, readFrom: .asynchronous) == .silent(.isAboutAnError))
  }

  @Test(
    "Nothing is sent when the sender is missing, malformed, zero or negative",
    arguments: [nil, "", "x", "0", "-100", "99999999999"])
  func noSender(text: String?) throws {
    let facts = try self.faulty { $0.applicationProperties["fromHerId"] = text.map { .string($0) } }
    #expect(ErrorAnswer(about: facts, readFrom: .asynchronous) == .silent(.senderUnknown))
  }

  @Test("One sender is sent so many errors in a minute and no more; another one its own; they come back with time")
  func rate() throws {
    let a = try Fixture.herID(1)
    let b = try Fixture.herID(2)
    var limit = ErrorRateLimit(perMinute: 3)
    let atOnce = (0..<5).map { _ in limit.maySend(to: a, at: .zero) }
    #expect(atOnce == [true, true, true, false, false])
    #expect(limit.maySend(to: b, at: .zero) == true)
    #expect(limit.maySend(to: a, at: .seconds(19)) == false)
    #expect(limit.maySend(to: a, at: .seconds(21)) == true)
    #expect(limit.maySend(to: a, at: .seconds(21)) == false)
    let later = (0..<4).map { _ in limit.maySend(to: a, at: .seconds(600)) }
    #expect(later == [true, true, true, false])
    var none = ErrorRateLimit(perMinute: 0)
    #expect(none.maySend(to: a, at: .seconds(600)) == false)
  }

  @Test("A storm from ten thousand senders is not answered without end")
  func manySenders() throws {
    var limit = ErrorRateLimit(perMinute: 1)
    for number in 1...10_000 {
      let may = limit.maySend(to: try Fixture.herID(Int32(number)), at: .zero)
      #expect(may)
    }
    #expect(limit.maySend(to: try Fixture.herID(20_000), at: .zero) == false)
    #expect(
      limit.maySend(to: try Fixture.herID(20_000), at: .seconds(61)) == true, "those whose bucket is full again are forgotten")
  }

  @Test("Our own error message is read as what it is")
  func readingOwn() throws {
    let received = MessageTimestamp(secondsSinceEpoch: 1_763_700_100)
    let error = ErrorMessage.make(
      about: try self.faulty(), to: try Fixture.herID(100), own: try Fixture.herID(200),
      error: ReportError(.expiredCertificate, text: "since May", data: ["serial", "issuer"]), receivedAt: received, messageID: "e"
    )
    let report = self.report(try error.amqpMessage(toQueue: "100_error", enqueued: .now))
    #expect(report.condition == .expiredCertificate)
    #expect(report.text == "since May")
    #expect(report.data == ["serial", "issuer"])
    #expect(report.originalMessageID == "6f1b7c1e-0000-4000-8000-000000000002")
    #expect(report.receivedAt == received)
    #expect(report.from?.value == 200)
    #expect(report.messageID == "e")
    #expect(!report.description.contains("since May"))
  }

  @Test("One of the sector's library: no content type, a date of .NET, items with semicolons, an empty body")
  func readingSector() {
    let report = self.report(
      AMQPMessage(
        properties: AMQPProperties(messageID: "6f1b7c1e00004000800000000000abcd", subject: "APPREC"),
        applicationProperties: [
          "fromHerId": .string("100"), "toHerId": .string("200"), "originalMessageId": .string("m"),
          "receiverTimeStamp": .string("11/21/2025 12:00:00"), "errorCondition": .string("transport:invalid-field-value"),
          "errorDescription": .string("One or more fields are missing"), "errorConditionData": .string("Label;ContentType;"),
        ], body: .data([])))
    #expect(report.originalMessageID == "m")
    #expect(report.condition == .invalidFieldValue)
    #expect(report.data == ["Label", "ContentType"])
    #expect(report.receivedAt == MessageTimestamp("2025-11-21T12:00:00Z"))
    #expect(report.soapFault == nil)
  }

  @Test("An older system's clone of our message, numbers for texts, an unknown condition, or nothing at all: still a report")
  func readingOld() throws {
    var clone = try Fixture.message(id: "m").amqpMessage(toQueue: "100_error", enqueued: .now)
    clone.messageAnnotations = ["x-opt-locked-until": .timestamp(0)]
    clone.applicationProperties["fromHerId"] = .int(100)
    clone.applicationProperties["originalMessageId"] = .string("m")
    clone.applicationProperties["errorCondition"] = .string("transport:something-else")
    clone.body = .absent
    let report = self.report(clone)
    #expect(report.originalMessageID == "m")
    #expect(report.condition == nil)
    #expect(report.conditionText == "transport:something-else")
    #expect(report.from?.value == 100)

    let bare = self.report(AMQPMessage(body: .absent))
    #expect(bare.from == nil)
    #expect(bare.originalMessageID == nil)
    #expect(bare.description == "error report without a known condition about message of unknown id from unknown")
  }

  @Test("A SOAP fault: code, reason and the id of the message it is about; one that cannot be read is a fault that says nothing")
  func soapFault() {
    let xml = """
      <s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>
      <d:messageId xmlns:d="http://www.kith.no/xmlstds/digitaldialog/2013-10-08"> m-1 </d:messageId></s:Header><s:Body><s:Fault>
      <s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang="no">ukjent</s:Text></s:Reason>
      </s:Fault></s:Body></s:Envelope>
      """
    let message = AMQPMessage(
      properties: AMQPProperties(messageID: "e", subject: "AMQP_SOAP_FAULT", contentType: "application/soap+xml"),
      body: .data(Array(xml.utf8)))
    let report = self.report(message)
    #expect(report.soapFault == ErrorReport.SOAPFault(code: "s:Sender", reason: "ukjent", messageID: "m-1"))
    #expect(report.originalMessageID == "m-1")
    var encrypted = message
    encrypted.body = .data([0x30, 0x82, 0xFF])
    #expect(self.report(encrypted).soapFault == ErrorReport.SOAPFault())
  }
}
