// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Logging
import Testing

@testable import TjenestebussClient

@Suite("What follows a try at sending")
struct SendFollowUpTests {
  private func error(_ code: AMQPError.Code, _ condition: String? = nil) -> AMQPError {
    AMQPError(code, .link, .remote, condition: condition.map { AMQPCondition($0) }, tried: "send", seen: "")
  }

  @Test("Given back, missing, closed, not permitted: the party may have moved")
  func lookUpAnew() {
    #expect(SendFollowUp(after: .released) == .lookUpAnew)
    #expect(SendFollowUp(after: self.error(.notFound)) == .lookUpAnew)
    #expect(SendFollowUp(after: self.error(.unauthorized)) == .lookUpAnew)
    #expect(SendFollowUp(after: self.error(.linkRefused, "com.microsoft:entity-disabled")) == .lookUpAnew)
    #expect(SendFollowUp(after: self.error(.linkDetached, "amqp:resource-deleted")) == .lookUpAnew)
  }

  @Test("Unknown is never followed by another try, whatever the reason")
  func unknownIsDone() {
    for reason: AMQPOutcome.UnknownReason in [.timedOut, .cancelled, .settledWithoutOutcome, .lost(self.error(.notFound))] {
      #expect(SendFollowUp(after: .unknown(reason)) == .done)
    }
    #expect(SendFollowUp(after: .accepted) == .done)
    #expect(SendFollowUp(after: .rejected(AMQPCondition("amqp:not-found"))) == .done)
    #expect(SendFollowUp(after: .modified(deliveryFailed: true, undeliverableHere: true)) == .done)
    for code: AMQPError.Code in [.noCredit, .connectTimedOut, .loginRefused, .cancelled, .messageTooLarge, .linkDetached] {
      #expect(SendFollowUp(after: self.error(code)) == .done)
    }
  }

  @Test("The register is asked by force once in the interval for each party")
  func limit() throws {
    let a = try Fixture.herID(1)
    let b = try Fixture.herID(2)
    var limit = ForcedRefreshLimit(interval: .seconds(10))
    let asked = [(a, 0), (a, 9), (b, 9), (a, 10), (a, 19)].map { limit.mayAsk($0.0, at: .seconds($0.1)) }
    #expect(asked == [true, false, true, true, false])
  }
}

@Suite("Configuration")
struct ConfigurationTests {
  @Test("Buses have names of their own, and hosts of their own, whatever their case")
  func buses() {
    #expect(throws: TjenestebussError.noBus) { try TjenestebussConfiguration(buses: []).validate() }
    #expect(throws: TjenestebussError.busTwice("a")) {
      try TjenestebussConfiguration(buses: [Fixture.endpoint("a", host: "x"), Fixture.endpoint("a", host: "y")]).validate()
    }
    #expect(throws: TjenestebussError.hostOnSeveralBuses(host: "x", ["a", "b"])) {
      try TjenestebussConfiguration(buses: [Fixture.endpoint("b", host: "X"), Fixture.endpoint("a", host: "x")]).validate()
    }
    #expect(throws: Never.self) {
      try TjenestebussConfiguration(buses: [Fixture.endpoint("a", host: "x"), Fixture.endpoint("b", host: "y")]).validate()
    }
  }

  @Test("Settings that cannot work are refused by name")
  func settings() {
    let buses = [Fixture.endpoint("a", host: "x")]
    for configuration in [
      TjenestebussConfiguration(buses: buses, sendTimeout: .zero),
      TjenestebussConfiguration(buses: buses, concurrencyPerQueue: 0),
      TjenestebussConfiguration(buses: buses, missingQueueRetry: .zero), TjenestebussConfiguration(buses: buses, pingSubject: ""),
      TjenestebussConfiguration(buses: buses, redeliveryDelay: .seconds(-1)),
    ] {
      let error = #expect(throws: TjenestebussError.self) { try configuration.validate() }
      #expect(error?.stableCode == "TB-205")
    }
  }

  @Test("Link addresses follow the dialect and the connection string's exchange, not the register's path")
  func addresses() {
    #expect(Fixture.endpoint("a", host: "x").sendingAddress(ofQueue: "1_async").text == "/queues/1_async")
    #expect(Fixture.endpoint("a", host: "x", path: "E").sendingAddress(ofQueue: "1_async").text == "/exchanges/E/1_async")
    let v1 = Fixture.endpoint("a", dialect: .rabbitMQ3, host: "x", path: "E")
    #expect(v1.sendingAddress(ofQueue: "1_async").text == "/exchange/E/1_async")
    #expect(v1.receivingAddress(ofQueue: "1_async").text == "/amq/queue/1_async")
    let sb = Fixture.endpoint("a", dialect: .serviceBusWindowsServer, host: "x", path: "ns")
    #expect(sb.sendingAddress(ofQueue: "1_async").text == "ns/1_async")
  }

  @Test("An endpoint's description, and its AMQP configuration's, hold no password")
  func redaction() {
    let endpoint = BusEndpoint(
      bus: Bus(name: "a", dialect: .rabbitMQ3, hosts: ["x"], path: ""),
      connection: BusConnectionString(host: "h", user: "u", password: Secret("Sup3rS3cret")), virtualHost: "v")
    let amqp = endpoint.amqpConfiguration(role: "send")
    for text in ["\(endpoint)", String(reflecting: endpoint), "\(amqp)", String(reflecting: amqp)] {
      #expect(!text.contains("Sup3rS3cret"))
    }
    #expect(amqp.virtualHost == "vhost:v")
    #expect(amqp.encryption == .tls(authorities: []))
  }
}

@Suite("Sending without a bus")
struct SendWithoutBusTests {
  @Test("A party that is nowhere, a message that cannot be sent, a bus that is not there: not sent, and why")
  func notSent() async throws {
    let routes = LaidDownRoutes()
    let client = try TjenestebussClient(TjenestebussConfiguration(buses: [Fixture.endpoint("a", host: "x")]), routes: routes)
    let message = try Fixture.message()
    let nowhere = await client.send(message)
    #expect(nowhere.route == nil)
    guard case .notSent(.routeNotFound(message.to, .asynchronous, _)) = nowhere.outcome else {
      Issue.record("\(nowhere.outcome)")
      return
    }
    #expect(throws: TjenestebussError.self) { try nowhere.requireAccepted() }

    let empty = await client.send(try Fixture.message(id: ""))
    #expect(empty.outcome == .notSent(.messageUnsendable(field: "message id", problem: "is empty")))

    let elsewhere = await client.send(message, toQueue: "q", on: "b")
    #expect(elsewhere.outcome == .notSent(.busUnknown("b")))
  }

  @Test("A cancelled task's message is not sent")
  func cancelled() async throws {
    let routes = LaidDownRoutes()
    let message = try Fixture.message()
    try routes.lay(message.to, cached: "x/p/200_async")
    let client = try TjenestebussClient(TjenestebussConfiguration(buses: [Fixture.endpoint("a", host: "x")]), routes: routes)
    let task = Task { await client.send(message) }
    task.cancel()
    let result = await task.value
    guard case .notSent(.notSent(message.to, let cause)) = result.outcome else {
      Issue.record("\(result.outcome)")
      return
    }
    #expect(cause.code == "AMQP-405")
    #expect(routes.lookUps == [.cached])
  }

  @Test("After leaving, a send is refused as stopping")
  func stopping() async throws {
    let client = try TjenestebussClient(
      TjenestebussConfiguration(buses: [Fixture.endpoint("a", host: "x")]), routes: LaidDownRoutes())
    try await client.withClient { _ in }
    let result = await client.send(try Fixture.message())
    #expect(result.outcome == .notSent(.stopping))
  }
}
