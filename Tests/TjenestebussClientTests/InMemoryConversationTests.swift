// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

@Suite("Duplicates, answers and calls over two buses in memory", .timeLimit(.minutes(5)))
struct InMemoryConversationTests {
  private static let requestID = "question"

  private func put(_ message: HealthMessage, into queue: String, of broker: InMemoryBroker) async throws {
    try await TwoBuses.put(try message.amqpMessage(toQueue: queue, enqueued: .now), into: queue, of: broker)
  }

  // MARK: Duplicates

  @Test("One message by both buses: the handler sees it once, the copy is accepted and counted")
  func bothBuses() async throws {
    try await TwoBuses.withClient { client, buses in
      let seen = Shared<[String]>([])
      let handlers = MessageHandlers(
        messages: { received in seen.withLock { $0.append(received.message.messageID) } }, errorReports: { _ in })
      try await client.whileServing(handlers) {
        for broker in [buses.source, buses.target] {
          try await self.put(try Fixture.incoming(id: "m"), into: "200_async", of: broker)
        }
        await client.wait { $0.counters.handled == 1 && $0.counters.duplicates == 1 }
        for broker in [buses.source, buses.target] {
          try await broker.waitUntil("nothing left") { $0.queues["200_async"]?.depth == 0 }
        }
      }
      #expect(seen.withLock { $0 } == ["m"])
    }
  }

  @Test("The copy comes while the first is in its handler, and the first fails: the copy is handled, nothing is lost")
  func firstFails() async throws {
    try await TwoBuses.withClient {
      $0.redeliveryDelay = .seconds(60)
    } _: { client, buses in
      struct Fails: Error {}
      let begun = Shared<[BusName]>([])
      let goOn = OneShot<Bool>()
      let handlers = MessageHandlers(
        messages: { received in
          let number = begun.withLock { begun in
            begun.append(received.bus)
            return begun.count
          }
          guard number == 1 else { return }
          _ = try await goOn.wait()
          throw Fails()
        }, errorReports: { _ in })
      try await client.whileServing(handlers) {
        try await self.put(try Fixture.incoming(id: "m"), into: "200_async", of: buses.source)
        while begun.withLock({ $0.isEmpty }) { await Task.yield() }
        try await self.put(try Fixture.incoming(id: "m"), into: "200_async", of: buses.target)
        while client.duplicates?.waitingCount != 1 { await Task.yield() }
        goOn.fulfil(true)
        await client.wait { $0.counters.handled == 1 }
        #expect(begun.withLock { $0 } == ["servicebus", "tjenestebuss"])
        try await buses.target.waitUntil("handled there") { $0.queues["200_async"]?.depth == 0 }
      }
      // The first, held back until we left, is on its bus again.
      try await buses.source.waitUntil("given back") { $0.queues["200_async"]?.locked == 0 }
      #expect(try await buses.source.depth(of: "200_async") == 1)
    }
  }

  @Test("Switched off, every copy goes to the handler")
  func switchedOff() async throws {
    try await TwoBuses.withClient {
      $0.duplicates = nil
    } _: { client, buses in
      try await client.whileServing(MessageHandlers(messages: { _ in }, errorReports: { _ in })) {
        for broker in [buses.source, buses.target] {
          try await self.put(try Fixture.incoming(id: "m"), into: "200_async", of: broker)
        }
        await client.wait { $0.counters.handled == 2 }
      }
      #expect(client.status.counters.duplicates == 0)
    }
  }

  @Test("The link is lost after the handler has succeeded: the message comes again, and the handler is spared it")
  func settlementLost() async throws {
    try await TwoBuses.withClient { client, buses in
      let count = Shared(0)
      let handlers = MessageHandlers(
        messages: { _ in
          count.withLock { $0 += 1 }
          try await buses.target.cutAllConnections()
          for await status in client.statusChanges where status["tjenestebuss", "200_async"] != .receiving { break }
        }, errorReports: { _ in })
      try await client.whileServing(handlers) {
        try await self.put(try Fixture.incoming(id: "m"), into: "200_async", of: buses.target)
        await client.wait { $0.counters.duplicates == 1 }
        try await buses.target.waitUntil("accepted at last") { $0.queues["200_async"]?.depth == 0 }
      }
      #expect(count.withLock { $0 } == 1)
      #expect(client.status.counters.settlementsLost == 1)
    }
  }

  // MARK: A party that has moved

  @Test("RabbitMQ gives the message back as unroutable: looked up anew, and sent once more to the other bus with the same id")
  func released() async throws {
    try await TwoBuses.withClient { client, buses in
      _ = try await buses.target.delete("100_async")
      try buses.routes.lay(try Fixture.herID(100), cached: "tb/NHN/100_async", register: "sb/NHN/100_async")
      let result = await client.send(try Fixture.answer(id: "m"))
      #expect(result.outcome == .accepted)
      #expect(result.attempts.first?.outcome == .released)
      #expect(result.attempts.map(\.route.bus) == ["tjenestebuss", "servicebus"])
      #expect(buses.routes.lookUps == [.cached, .refreshed])
      #expect(try await buses.source.messageIDs(in: "100_async") == ["m"])
    }
  }

  @Test("Given back, and the register names the same place: the result stands, nothing is sent twice")
  func releasedAndNotMoved() async throws {
    try await TwoBuses.withClient { client, buses in
      _ = try await buses.target.delete("100_async")
      try buses.routes.lay(try Fixture.herID(100), cached: "tb/NHN/100_async")
      let first = await client.send(try Fixture.answer(id: "m1"))
      #expect(first.outcome == .released)
      #expect(first.attempts.count == 1)
      let second = await client.send(try Fixture.answer(id: "m2"))
      #expect(second.outcome == .released)
      #expect(buses.routes.lookUps == [.cached, .refreshed, .cached, .cached], "a second message asks the register no more")
    }
  }

  // MARK: Answers

  @Test(
    "A conversation that spans two buses: the question came by the source, its sender has moved, the answer goes to the target")
  func asynchronousAnswer() async throws {
    try await TwoBuses.withClient { client, buses in
      let header = ["X-MessageInfo-MsgId": "head-1", "X-MessageInfo-RefToConversation": "head-0"]
      let handlers = MessageHandlers(
        messages: { received in
          try buses.routes.lay(received.message.from, cached: "tb/NHN/100_async")
          let answer = HealthMessage(
            messageID: "answer", from: received.message.to, to: received.message.from, subject: "APPREC", timestamp: .now,
            replyTo: "200_async", body: [1])
          try await client.reply(to: received, with: answer).requireAccepted()
        }, errorReports: { _ in })
      try await client.whileServing(handlers) {
        try await self.put(
          try Fixture.incoming(id: Self.requestID, properties: header), into: "200_async", of: buses.source)
        let answer = try HealthMessage(reading: try await TwoBuses.take(from: "100_async", of: buses.target))
        #expect(answer.messageID == "answer")
        #expect(answer.correlationID == Self.requestID)
        #expect(answer.properties["X-MessageInfo-RefToParent"] == "head-1")
        #expect(answer.properties["X-MessageInfo-RefToConversation"] == "head-0")
        #expect(answer.replyTo == "200_async")
      }
    }
  }

  @Test(
    "What the answer says of its parent and correlation itself is kept; where the question has no header ids none are made up")
  func follow() throws {
    var answer = try Fixture.message()
    answer.correlationID = "own"
    answer.properties = ["X-MessageInfo-RefToParent": "own-parent"]
    answer.follow(try Fixture.incoming(properties: ["X-MessageInfo-MsgId": "head"]))
    #expect(answer.correlationID == "own")
    #expect(answer.properties == ["X-MessageInfo-RefToParent": "own-parent", "X-MessageInfo-RefToConversation": "head"])
    var plain = try Fixture.message()
    plain.follow(try Fixture.incoming(id: "m", correlationID: "c"))
    #expect(plain.correlationID == "c")
    #expect(plain.properties == [:])
  }

  private func synchronousRequest(_ bus: BusName, replyTo: String?) throws -> ReceivedMessage {
    ReceivedMessage(
      message: try Fixture.incoming(id: Self.requestID), bus: bus, queue: "200_sync", kind: .synchronous, replyTo: replyTo,
      deliveryCount: 0)
  }

  private func synchronousAnswer() throws -> HealthMessage { try Fixture.answer(id: "answer") }

  @Test(
    "A synchronous answer goes to reply-to on the bus the question came by, or where its full address says; the register is not asked"
  )
  func synchronousAnswers() async throws {
    try await TwoBuses.withClient { client, buses in
      let first = await client.reply(
        to: try self.synchronousRequest("tjenestebuss", replyTo: "100_syncreply"), with: try self.synchronousAnswer())
      #expect(first.outcome == .accepted)
      #expect(first.route?.bus == "tjenestebuss")
      let second = await client.reply(
        to: try self.synchronousRequest("tjenestebuss", replyTo: "sb/NHN/100_syncreply"), with: try self.synchronousAnswer())
      #expect(second.route?.bus == "servicebus")
      #expect(buses.routes.lookUps == [])
      let wire = try await TwoBuses.take(from: "100_syncreply", of: buses.target)
      #expect(wire.properties.replyTo == nil)
      #expect(wire.header?.timeToLive.map { $0 <= 15_000 } == true)
      #expect(wire.properties.correlationID == .string(Self.requestID))
    }
  }

  @Test("Its reply queue is not on that bus any more: the answer goes once more, with the same id, to where the sender lives now")
  func synchronousAnswerMoved() async throws {
    try await TwoBuses.withClient { client, buses in
      _ = try await buses.source.delete("100_syncreply")
      try buses.routes.lay(try Fixture.herID(100), .synchronous, cached: "sb/NHN/100_sync", register: "tb/NHN/100_sync")
      let result = await client.reply(
        to: try self.synchronousRequest("servicebus", replyTo: "100_syncreply"), with: try self.synchronousAnswer())
      #expect(result.outcome == .accepted)
      #expect(result.attempts.map(\.route.bus) == ["servicebus", "tjenestebuss"])
      #expect(buses.routes.lookUps == [.refreshed])
      #expect(try await buses.target.messageIDs(in: "100_syncreply") == ["answer"])
    }
  }

  @Test("An answer to somebody else, or to a question that names no reply queue, is not sent, and why")
  func unanswerable() async throws {
    try await TwoBuses.withClient { client, _ in
      let silent = await client.reply(
        to: try self.synchronousRequest("servicebus", replyTo: nil), with: try self.synchronousAnswer())
      #expect(silent.outcome == .notSent(.noReplyTo(messageID: Self.requestID)))
      let elsewhere = await client.reply(
        to: try self.synchronousRequest("servicebus", replyTo: "q"), with: try Fixture.incoming(id: "answer"))
      guard case .notSent(.messageUnsendable(field: "to", _)) = elsewhere.outcome else {
        Issue.record("\(elsewhere.outcome)")
        return
      }
    }
  }

  // MARK: Calls

  private func withCaller(
    callTimeout: Duration = .seconds(60), lateReplies: LateReplies = .accept,
    _ body: @Sendable @escaping (TjenestebussClient, TwoBuses) async throws -> Void
  ) async throws {
    try await TwoBuses.withClient {
      $0.serve.replyQueue = "200_syncreply"
      $0.callTimeout = callTimeout
      $0.lateReplies = lateReplies
    } _: { client, buses in
      await client.wait { status in
        status["servicebus", "200_syncreply"] == .receiving && status["tjenestebuss", "200_syncreply"] == .receiving
      }
      try await body(client, buses)
    }
  }

  /// From us to our counterpart.
  private func question() throws -> HealthMessage { try Fixture.answer(id: Self.requestID, subject: "QUESTION") }

  @Test("A call is answered, on another bus than it was asked on")
  func call() async throws {
    try await self.withCaller { client, buses in
      async let answered = client.call(try self.question())
      let asked = try await TwoBuses.take(from: "100_sync", of: buses.source)
      #expect(asked.properties.replyTo == "200_syncreply")
      #expect(asked.header?.timeToLive.map { $0 <= 60_000 } == true, "what is left of it")
      try await self.put(
        try Fixture.incoming(id: "answer", correlationID: asked.properties.correlationID?.description), into: "200_syncreply",
        of: buses.target)
      let answer = try await answered
      #expect(answer.message.messageID == "answer")
      #expect(answer.bus == "tjenestebuss")
      await client.wait { $0.counters.replies == 1 }
      try await buses.target.waitUntil("taken") { $0.queues["200_syncreply"]?.depth == 0 }
    }
  }

  @Test(
    "No answer in time: unknown whether it was acted on; the answer that comes late is counted and accepted, or dead-lettered",
    arguments: LateReplies.allCases)
  func timeout(_ late: LateReplies) async throws {
    try await self.withCaller(callTimeout: .seconds(8), lateReplies: late) { client, buses in
      let question = try self.question()
      let error = await #expect(throws: TjenestebussError.self) { try await client.call(question) }
      guard case .callTimedOut(Self.requestID, _, _) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(error?.explanation.meaning.contains("unknown") == true)
      try await self.put(try Fixture.incoming(id: "late", correlationID: Self.requestID), into: "200_syncreply", of: buses.target)
      await client.wait { $0.counters.repliesTooLate == 1 }
      try await buses.target.waitUntil("taken") {
        $0.queues["200_syncreply"]?.depth == 0 && $0.queues["200_dl"]?.depth == (late == .accept ? 0 : 1)
      }
    }
  }

  @Test("An answer from somebody else is no answer: dead-lettered, and the call goes on waiting for the right one")
  func fromAnother() async throws {
    try await self.withCaller { client, buses in
      async let answered = client.call(try self.question())
      _ = try await TwoBuses.take(from: "100_sync", of: buses.source)
      var wrong = try Fixture.incoming(id: "wrong", correlationID: Self.requestID)
      wrong.from = try Fixture.herID(666)
      try await self.put(wrong, into: "200_syncreply", of: buses.target)
      await client.wait { $0.counters.repliesFromOthers == 1 }
      try await self.put(
        try Fixture.incoming(id: "right", correlationID: Self.requestID), into: "200_syncreply", of: buses.target)
      let answer = try await answered
      #expect(answer.message.messageID == "right")
      #expect(try await buses.target.messageIDs(in: "200_dl") == ["wrong"])
    }
  }

  @Test("The party cannot take the request and says so on our error queue: the call ends at once")
  func refused() async throws {
    try await self.withCaller(callTimeout: .seconds(3_600)) { client, buses in
      try await client.whileServing(MessageHandlers(messages: { _ in }, errorReports: { _ in })) {
        async let answered = client.call(try self.question())
        _ = try await TwoBuses.take(from: "100_sync", of: buses.source)
        try await TwoBuses.put(
          AMQPMessage(
            applicationProperties: [
              "fromHerId": "100", "originalMessageId": .string(Self.requestID), "errorCondition": "transport:expired-certificate",
            ], body: .data([1])), into: "200_error", of: buses.target)
        do {
          _ = try await answered
          Issue.record("no error")
        } catch TjenestebussError.callRefused(let report) {
          #expect(report.condition == .expiredCertificate)
        }
      }
    }
  }

  @Test("A call without a reply queue, or with one that is nowhere, is not sent; one to a party without a queue neither")
  func notAsked() async throws {
    try await TwoBuses.withClient { client, _ in
      let question = try self.question()
      let error = await #expect(throws: TjenestebussError.self) { try await client.call(question) }
      #expect(error == .noReplyQueue)
    }
    try await TwoBuses.withClient {
      $0.serve.replyQueue = "nowhere"
    } _: { client, buses in
      await client.wait { status in
        status.receivers.count { if case .queueMissing = $0.state { true } else { false } } == 2
      }
      let question = try self.question()
      let error = await #expect(throws: TjenestebussError.self) { try await client.call(question) }
      #expect(error == .replyQueueNotReceived("nowhere"))
      #expect(try await buses.source.depth(of: "100_sync") == 0)
    }
    try await self.withCaller { client, buses in
      _ = try await buses.source.delete("100_sync")
      let question = try self.question()
      await #expect(throws: TjenestebussError.self) { try await client.call(question) }
    }
  }
}

extension Fixture {
  /// A message from us (200) to our counterpart (100).
  static func answer(id: String, subject: String = "APPREC") throws -> HealthMessage {
    HealthMessage(
      messageID: id, from: try herID(200), to: try herID(100), subject: subject, timestamp: MessageTimestamp.now, body: [1])
  }
}
