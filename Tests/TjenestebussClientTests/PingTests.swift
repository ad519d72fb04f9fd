// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import TjenestebussClient

@Suite("Ping")
struct PingTests {
  let buses = [
    Bus(name: "source", dialect: .rabbitMQ3, hosts: ["sb"], path: "E"),
    Bus(name: "target", dialect: .rabbitMQ4AddressV2, hosts: ["tb"], path: "E"),
  ]

  private func answer(
    _ message: HealthMessage, replyTo: String?, kind: QueueKind = .asynchronous, answersPings: Bool = true
  ) -> PingAnswer {
    PingAnswer(
      to: message, replyTo: replyTo, kind: kind, bus: "target", buses: self.buses, subject: PingForm.defaultSubject,
      answersPings: answersPings)
  }

  private func request(_ timeToLive: Duration = .seconds(60)) throws -> HealthMessage {
    PingForm.request(
      from: try Fixture.herID(1), to: try Fixture.herID(2), replyTo: "1_pingreply", timeToLive: timeToLive, messageID: "m")
  }

  @Test("A request has the five fields and dies within a minute, whatever was asked for")
  func requestForm() throws {
    let request = try self.request(.seconds(3_600))
    #expect(request.timeToLiveMilliseconds == 60_000)
    #expect(try self.request(.zero).timeToLiveMilliseconds == 1_000)
    #expect(!request.body.isEmpty, "RabbitMQ 3 ends the session over an empty payload")
    #expect(throws: Never.self) { try HealthMessage(reading: request.amqpMessage(toQueue: "2_async", enqueued: .now)) }
  }

  @Test("The echo tells version, queue and the request's id, goes the other way, and dies within a minute")
  func echoForm() throws {
    let echo = PingForm.echo(
      of: try self.request(.seconds(15)), readFrom: "2_async", product: "EPJ", productVersion: "4.2", messageID: "e")
    #expect(echo.from.value == 2)
    #expect(echo.to.value == 1)
    #expect(echo.correlationID == "m")
    #expect(echo.timeToLiveMilliseconds == 15_000)
    #expect(
      echo.properties
        == [
          "tjenestebussPing": "echo", "originalMessageId": "m", "tjenestebussVersion": TjenestebussVersion.current,
          "tjenestebussProduct": "EPJ", "tjenestebussProductVersion": "4.2", "tjenestebussQueue": "2_async",
        ])
    #expect(throws: Never.self) { try HealthMessage(reading: echo.amqpMessage(toQueue: "1_pingreply", enqueued: .now)) }
    let telling = PingForm.echo(
      of: try self.request(), readFrom: "2_async", product: "EPJ", copyAge: .milliseconds(61_900), hears: ["source", "target"])
    #expect(telling.properties["tjenestebussCacheAge"] == "61" && telling.properties["tjenestebussBuses"] == "source,target")
    // What is not known is not said: 0 would say that it was read just now.
    let silent = PingForm.echo(of: try self.request(), readFrom: "2_async", product: "EPJ", copyAge: .seconds(-1))
    #expect(silent.properties["tjenestebussCacheAge"] == nil && silent.properties["tjenestebussBuses"] == nil)
    var endless = try self.request()
    endless.timeToLiveMilliseconds = nil
    #expect(PingForm.echo(of: endless, readFrom: "q", product: "EPJ").timeToLiveMilliseconds == 60_000)
  }

  @Test("A request is answered to its reply queue: of the same bus, or where its full address lies")
  func answered() throws {
    #expect(self.answer(try self.request(), replyTo: "1_pingreply") == .answer(queue: "1_pingreply", bus: "target"))
    #expect(self.answer(try self.request(), replyTo: "SB/E/1_pingreply") == .answer(queue: "1_pingreply", bus: "source"))
    #expect(self.answer(try self.request(), replyTo: "elsewhere/E/q") == .swallow(.replyToOnNoBus))
    #expect(self.answer(try self.request(), replyTo: "/queues/q") == .swallow(.replyToOnNoBus))
    #expect(self.answer(try self.request(), replyTo: nil) == .swallow(.noReplyTo))
    #expect(self.answer(try self.request(), replyTo: "q", answersPings: false) == .swallow(.switchedOff))
  }

  @Test("Echoes are never answered, nor anything from an error queue: no two systems answer each other for ever")
  func neverAnswered() throws {
    let echo = PingForm.echo(of: try self.request(), readFrom: "2_async", product: "EPJ")
    #expect(self.answer(echo, replyTo: "q") == .swallow(.isEcho))
    #expect(self.answer(try self.request(), replyTo: "q", kind: .error) == .swallow(.fromErrorQueue))
    #expect(self.answer(try self.request(), replyTo: "q", kind: .deadLetter) == .swallow(.fromErrorQueue))
    var later = try self.request()
    later.properties["tjenestebussPing"] = "something-later"
    #expect(self.answer(later, replyTo: "q") == .swallow(.isEcho))
  }

  @Test("Other messages are for the EPJ, also those that only look alike")
  func notAPing() throws {
    var message = try self.request()
    message.subject = "DIALOG_INNBYGGER_TEST"
    #expect(self.answer(message, replyTo: "q") == .notAPing)
    var bare = try self.request()
    bare.properties = [:]
    #expect(self.answer(bare, replyTo: "q") == .answer(queue: "q", bus: "target"), "a ping without a role is a request")
  }

  @Test("Ids are UUIDs of version 4, all different")
  func ids() {
    #expect(UniqueID.text(high: .max, low: .max) == "ffffffff-ffff-4fff-bfff-ffffffffffff")
    #expect(UniqueID.text(high: 0, low: 0) == "00000000-0000-4000-8000-000000000000")
    #expect(Set((0..<1_000).map { _ in UniqueID.random() }).count == 1_000)
  }
}
