// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

@Suite("Faulty messages and error reports, against brokers in memory", .timeLimit(.minutes(5)))
struct InMemoryErrorTests {
  /// From our counterpart, lacking its content type.
  private func lackingContentType(_ change: (inout AMQPMessage) -> Void = { _ in }) throws -> AMQPMessage {
    var message = try Fixture.incoming(id: "bad").amqpMessage(toQueue: "200_async", enqueued: .now)
    message.properties.contentType = nil
    change(&message)
    return message
  }

  private let nobody = MessageHandlers(messages: { _ in Issue.record("no handler is to see it") }, errorReports: { _ in })

  @Test("A message that lacks a field: its sender is told on its error queue, on the bus where it is now; then it is accepted")
  func headerCheck() async throws {
    try await TwoBuses.withClient { client, buses in
      try buses.routes.lay(try Fixture.herID(100), .error, cached: "tb/NHN/100_error")
      try await client.whileServing(self.nobody) {
        try await TwoBuses.put(try self.lackingContentType(), into: "200_async", of: buses.source)
        let error = try await TwoBuses.take(from: "100_error", of: buses.target)
        let health = try HealthMessage(reading: error)
        #expect(health.from.value == 200)
        #expect(health.to.value == 100)
        #expect(health.properties["originalMessageId"] == "bad")
        #expect(health.properties["errorCondition"] == "transport:invalid-field-value")
        #expect(health.properties["errorConditionData"] == "content-type;")
        try await buses.source.waitUntil("the bad one is gone") { $0.queues["200_async"]?.depth == 0 }
        await client.wait { $0.counters.errorsSent == 1 }
      }
      #expect(try await buses.source.depth(of: "200_async/$DeadLetterQueue") == 0, "accepted, not dead-lettered")
      #expect(client.status.counters.malformed == 1)
    }
  }

  @Test("What the application refuses with a transport error is told too, with its condition, text and data")
  func refusedByTheApplication() async throws {
    try await TwoBuses.withClient { client, buses in
      let handlers = MessageHandlers(
        messages: { _ in throw ReportError(.unsupportedMessage, text: "unknown function", data: ["subject"]) },
        errorReports: { _ in })
      try await client.whileServing(handlers) {
        try await TwoBuses.put(
          try Fixture.incoming(id: "m").amqpMessage(toQueue: "q", enqueued: .now), into: "200_async", of: buses.target)
        let error = try HealthMessage(reading: try await TwoBuses.take(from: "100_error", of: buses.source))
        #expect(error.properties["errorCondition"] == "transport:unsupported-message")
        #expect(error.properties["errorDescription"] == "unknown function")
        #expect(error.correlationID == "m")
        try await buses.target.waitUntil("the refused one is gone") { $0.queues["200_async"]?.depth == 0 }
      }
      #expect(try await buses.target.depth(of: "200_dl") == 0)
    }
  }

  @Test("Nothing is sent about an error, or to nobody; such messages are dead-lettered and counted")
  func neverAboutErrors() async throws {
    try await TwoBuses.withClient { client, buses in
      try await client.whileServing(self.nobody) {
        try await TwoBuses.put(
          try self.lackingContentType { $0.properties.subject = "AMQP_SOAP_FAULT" }, into: "200_async", of: buses.target)
        try await TwoBuses.put(
          try self.lackingContentType { $0.applicationProperties["errorCondition"] = "transport:internal-error" },
          into: "200_async", of: buses.target)
        try await TwoBuses.put(
          try self.lackingContentType { $0.applicationProperties["fromHerId"] = "0" }, into: "200_async", of: buses.target)
        try await buses.target.waitUntil("three dead letters") { $0.queues["200_dl"]?.depth == 3 }
        await client.wait { $0.counters.errorsNotSent == 3 }
      }
      for broker in [buses.source, buses.target] { #expect(try await broker.depth(of: "100_error") == 0) }
    }
  }

  @Test("A report on the error queue that lacks every field is a report all the same: taken, and answered by nobody")
  func reportsAreTaken() async throws {
    try await TwoBuses.withClient { client, buses in
      let got = Shared<[ErrorReport]>([])
      let handlers = MessageHandlers(messages: { _ in }, errorReports: { report in got.withLock { $0.append(report) } })
      try await client.whileServing(handlers) {
        try await TwoBuses.put(
          AMQPMessage(
            applicationProperties: ["fromHerId": "100", "originalMessageId": "m", "errorCondition": "transport:internal-error"],
            body: .data([1])), into: "200_error", of: buses.source)
        await client.wait { $0.counters.errorReportsReceived == 1 }
        #expect(got.withLock { $0.map(\.condition) } == [.internalError])
        #expect(got.withLock { $0.map(\.originalMessageID) } == ["m"])
      }
      #expect(client.status.counters.malformed == 0)
      for broker in [buses.source, buses.target] {
        #expect(try await broker.depth(of: "100_error") == 0)
        #expect(try await broker.depth(of: "200_error") == 0)
      }
    }
  }

  @Test("A handler of reports that throws gets the report again, and can never cause an error about an error")
  func reportHandlerThrows() async throws {
    try await TwoBuses.withClient { client, buses in
      let count = Shared(0)
      let handlers = MessageHandlers(
        messages: { _ in },
        errorReports: { _ in
          let number = count.withLock { count in
            count += 1
            return count
          }
          if number == 1 { throw TryAgain(after: .zero) }
          throw ReportError(.internalError, text: "x")
        })
      try await client.whileServing(handlers) {
        try await TwoBuses.put(
          AMQPMessage(applicationProperties: ["fromHerId": "100"], body: .data([1])), into: "200_error", of: buses.target)
        try await buses.target.waitUntil("a dead letter") { $0.queues["200_dl"]?.depth == 1 }
      }
      #expect(count.withLock { $0 } == 2)
      for broker in [buses.source, buses.target] { #expect(try await broker.depth(of: "100_error") == 0) }
    }
  }

  @Test("The sender's error queue does not exist: the faulty message is dead-lettered, it does not vanish")
  func senderOutOfReach() async throws {
    try await TwoBuses.withClient { client, buses in
      _ = try await buses.source.delete("100_error")
      try await client.whileServing(self.nobody) {
        try await TwoBuses.put(try self.lackingContentType(), into: "200_async", of: buses.target)
        try await buses.target.waitUntil("a dead letter") { $0.queues["200_dl"]?.depth == 1 }
        await client.wait { $0.counters.errorsNotSent == 1 }
      }
    }
  }

  @Test("No outcome is known for the error message: the faulty message is kept, and accepted only when the bus has taken one")
  func errorMessageUnknown() async throws {
    try await TwoBuses.withClient { client, buses in
      try await buses.source.holdOutcomes()
      try await client.whileServing(self.nobody) {
        try await TwoBuses.put(try self.lackingContentType(), into: "200_async", of: buses.target)
        try await buses.source.waitUntil("the error message is there") { $0.queues["100_error"]?.depth == 1 }
        #expect(try await buses.target.depth(of: "200_async") == 1, "kept while nothing is known")
        try await buses.source.cutAllConnections()
        try await buses.source.releaseOutcomes()
        try await buses.target.waitUntil("the bad one is gone") { $0.queues["200_async"]?.depth == 0 }
      }
      #expect(client.status.counters.errorsSent == 1)
      #expect(try await buses.target.depth(of: "200_dl") == 0)
    }
  }

  @Test("A storm of faulty messages from one sender: so many errors in a minute, the rest dead-lettered")
  func storm() async throws {
    try await TwoBuses.withClient {
      $0.errorReportsPerMinute = 2
    } _: { client, buses in
      try await client.whileServing(self.nobody) {
        for _ in 0..<5 { try await TwoBuses.put(try self.lackingContentType(), into: "200_async", of: buses.target) }
        await client.wait { $0.counters.errorsSent + $0.counters.errorsNotSent == 5 }
      }
      #expect(client.status.counters.errorsSent >= 2)
      #expect(try await buses.target.depth(of: "200_dl") == client.status.counters.errorsNotSent)
      #expect(client.status.counters.errorsNotSent >= 1)
    }
  }

  @Test("An error queue without a handler for its reports is refused, before anything is received")
  func nobodyTakesReports() async throws {
    try await TwoBuses.withClient { client, _ in
      await #expect(throws: TjenestebussError.nobodyTakesErrorReports) {
        try await client.serve(MessageHandlers(messages: { _ in }))
      }
      await #expect(throws: TjenestebussError.nobodyTakesErrorReports) {
        try await client.receive(from: [OwnQueue(name: "200_error", kind: .error)]) { _ in }
      }
    }
  }
}
