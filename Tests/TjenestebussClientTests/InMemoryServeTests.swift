// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

@Suite("Serving: pings, changes, protection, failing handlers, against brokers in memory", .timeLimit(.minutes(5)))
struct InMemoryServeTests {
  private let handlers = MessageHandlers(messages: { _ in }, errorReports: { _ in })

  private func put(_ message: HealthMessage, into queue: String, of broker: InMemoryBroker) async throws {
    try await TwoBuses.put(try message.amqpMessage(toQueue: queue, enqueued: .now), into: queue, of: broker)
  }

  // MARK: Pings

  @Test("A ping to ourselves comes back on each bus, and the handler does not see it")
  func selfPing() async throws {
    try await TwoBuses.withClient { client, _ in
      let seen = Shared(0)
      try await client.whileServing(MessageHandlers(messages: { _ in seen.withLock { $0 += 1 } }, errorReports: { _ in })) {
        let results = try await client.pingSelf(try Fixture.herID(200), timeout: .seconds(50))
        #expect(results.map(\.bus) == ["servicebus", "tjenestebuss"])
        for result in results {
          #expect(result.outcome == .accepted)
          #expect(result.cameBack)
          #expect(result.problem == nil)
          #expect(
            result.answeredBy
              == PingResult.System(libraryVersion: TjenestebussVersion.current, product: "EPJ", productVersion: "4.2"))
        }
      }
      #expect(seen.withLock { $0 } == 0)
    }
  }

  @Test("Our queue is missing on one bus: the report says so of that bus, and the other one is well")
  func selfPingMissingQueue() async throws {
    try await TwoBuses.withClient { client, buses in
      _ = try await buses.target.delete("200_async")
      try await client.whileServing(self.handlers) {
        let results = try await client.pingSelf(try Fixture.herID(200), timeout: .seconds(50))
        #expect(results.map(\.cameBack) == [true, false])
        #expect(results.last?.problem?.owner == .bus)
        #expect(results.last.map { $0.outcome == .accepted } == false)
      }
    }
  }

  @Test("The bus takes the ping, but we do not receive: the report says that it is ours")
  func selfPingNotReceiving() async throws {
    try await TwoBuses.withClient { client, _ in
      let results = try await client.pingSelf(try Fixture.herID(200), timeout: .seconds(10))
      for result in results {
        #expect(!result.cameBack)
        #expect(result.problem?.owner == .caller)
      }
    }
  }

  @Test("A partner's system answers a ping with its library's and its own version; a silent one is the partner's")
  func partner() async throws {
    try await TwoBuses.withClient {
      $0.serve.replyQueue = "200_syncreply"
    } _: { client, buses in
      // The partner: another client, on the same buses.
      let partner = try TjenestebussClient(
        TjenestebussConfiguration(
          buses: client.configuration.buses, product: "Other EPJ", productVersion: "7",
          serve: ServeConfiguration(herIDs: [try Fixture.herID(100)])), routes: buses.routes)
      try await partner.withClient { partner in
        try await partner.whileServing(self.handlers) {
          let result = try await client.ping(try Fixture.herID(100), timeout: .seconds(50))
          #expect(result.bus == "servicebus")
          #expect(
            result.answeredBy
              == PingResult.System(libraryVersion: TjenestebussVersion.current, product: "Other EPJ", productVersion: "7"))
          #expect(result.problem == nil)
        }
      }
      let silent = try await client.ping(try Fixture.herID(100), timeout: .seconds(2))
      #expect(silent.outcome == .accepted)
      #expect(silent.problem?.owner == .party)
    }
  }

  // MARK: Changes of the register

  @Test("The register's events drop the party's cached address; other events, and unreadable ones, are taken and do nothing")
  func events() async throws {
    try await TwoBuses.withClient {
      $0.serve.registryEvents = RegistryEventQueue(bus: "tjenestebuss", queue: "events")
    } _: { client, buses in
      let party = try Fixture.herID(100)
      try buses.routes.lay(party, cached: "sb/NHN/100_async", register: "tb/NHN/100_async")
      for properties: AMQPMap in [
        ["eventName": "CpaCreated", "herId": "100"], ["eventName": "CommunicationPartyUpdated"],
        ["eventName": "CommunicationPartyUpdated", "herId": .int(100)],
      ] {
        try await TwoBuses.put(
          AMQPMessage(applicationProperties: properties, body: .data([1])), into: "events", of: buses.target)
      }
      try await buses.target.waitUntil("all events taken") { $0.queues["events"]?.depth == 0 }
      #expect(client.status.counters.addressesDropped == 1)
      #expect(buses.routes.forgotten == [party])
      let result = await client.send(try Fixture.answer(id: "m"))
      #expect(result.attempts.map(\.route.bus) == ["tjenestebuss"], "at once to where it is now")
    }
  }

  @Test("Any sequence of changes is a source")
  func sequence() async throws {
    let (changes, continuation) = AsyncStream.makeStream(of: AddressChange.self)
    try await TwoBuses.withClient(changes: [AddressChangeSequence(changes)]) { client, buses in
      continuation.yield(AddressChange(herID: try Fixture.herID(100)))
      await client.wait { $0.counters.addressesDropped == 1 }
      #expect(buses.routes.forgotten == [try Fixture.herID(100)])
      continuation.finish()
    }
  }

  // MARK: Protection

  @Test("What is sent is protected, what comes is opened; pings and error messages are left alone")
  func protection() async throws {
    try await TwoBuses.withClient(protection: Reversing()) { client, buses in
      let opened = Shared<[[UInt8]]>([])
      let handlers = MessageHandlers(
        messages: { received in opened.withLock { $0.append(received.message.body) } }, errorReports: { _ in })
      try await client.whileServing(handlers) {
        var message = try Fixture.answer(id: "m")
        message.body = [1, 2, 3]
        #expect(await client.send(message).outcome == .accepted)
        let wire = try await TwoBuses.take(from: "100_async", of: buses.source)
        #expect(wire.body.bytes == [3, 2, 1])
        #expect(wire.properties.contentType == ProtectedBody.signedAndEnveloped)

        var incoming = try Fixture.incoming(body: [6, 5, 4])
        incoming.contentType = ProtectedBody.signedAndEnveloped
        try await self.put(incoming, into: "200_async", of: buses.target)
        await client.wait { $0.counters.handled == 1 }
        #expect(opened.withLock { $0 } == [[4, 5, 6]])
        #expect(try await client.pingSelf(try Fixture.herID(200), timeout: .seconds(50)).allSatisfy(\.cameBack))

        // Not to be opened: the sender is told, in plain text.
        try await self.put(try Fixture.incoming(id: "plain", body: [9]), into: "200_async", of: buses.target)
        let error = try HealthMessage(reading: try await TwoBuses.take(from: "100_error", of: buses.source))
        #expect(error.properties["errorCondition"] == "transport:invalid-certificate")
        #expect(error.contentType == "text/plain")
        await client.wait { $0.counters.unopened == 1 && $0.counters.errorsSent == 1 }
      }
    }
  }

  @Test("A protection that fails on sending: nothing is sent, and why, without the body")
  func protectionFails() async throws {
    try await TwoBuses.withClient(protection: Reversing()) { client, buses in
      var message = try Fixture.answer(id: "m")
      message.body = []
      let result = await client.send(message)
      guard case .notSent(.notProtected(message.to, _)) = result.outcome else {
        Issue.record("\(result.outcome)")
        return
      }
      #expect(try await buses.source.depth(of: "100_async") == 0)
    }
  }

  @Test("A certificate that cannot be looked up now: nobody is told, the message is kept, also beyond the poison limit")
  func temporary() async throws {
    try await TwoBuses.withClient(protection: Reversing()) {
      $0.poisonLimit = 2
      // RabbitMQ 4.0 counts what is given back: slow enough for its limit not to be reached before anybody looks.
      $0.redeliveryDelay = .milliseconds(300)
    } _: { client, buses in
      try await client.whileServing(self.handlers) {
        try await self.put(try Fixture.incoming(id: "m", body: [0xFF]), into: "200_async", of: buses.target)
        await client.wait { $0.counters.released >= 4 }
        #expect(try await buses.target.depth(of: "200_async") == 1)
      }
      for broker in [buses.source, buses.target] { #expect(try await broker.depth(of: "100_error") == 0) }
      #expect(client.status.counters.poisonous == 0)
    }
  }

  // MARK: Failing handlers

  @Test("A message that fails again and again is told of near the limit, then dead-lettered; the others are handled meanwhile")
  func poison() async throws {
    try await TwoBuses.withClient {
      $0.poisonLimit = 7
    } _: { client, buses in
      struct Fails: Error {}
      let told = Shared<[RepeatedFailure]>([])
      let handlers = MessageHandlers(
        messages: { if $0.message.messageID == "poison" { throw Fails() } }, errorReports: { _ in },
        repeatedFailures: { failure in told.withLock { $0.append(failure) } })
      try await client.whileServing(handlers) {
        try await self.put(try Fixture.incoming(id: "poison"), into: "200_async", of: buses.target)
        try await self.put(try Fixture.incoming(id: "good"), into: "200_async", of: buses.target)
        await client.wait { $0.counters.poisonous == 1 && $0.counters.handled == 1 }
      }
      #expect(try await buses.target.messageIDs(in: "200_dl") == ["poison"])
      let attempts = told.withLock { $0.map(\.attempts) }
      #expect(attempts == [2, 3, 4, 5, 6, 7])
      #expect(told.withLock { $0.last?.isDeadLettered } == true)
      #expect(told.withLock { $0.first?.messageID } == "poison")
    }
  }

  @Test("Messages of one conversation are handled one after the other, however many may be in the handler at once")
  func ordered() async throws {
    try await TwoBuses.withClient {
      $0.serve.orderedByConversation = true
    } _: { client, buses in
      let atWork = Shared<[String: Int]>([:])
      let order = Shared<[String]>([])
      let handlers = MessageHandlers(
        messages: { received in
          let conversation = received.conversation
          let count = atWork.withLock { atWork in
            atWork[conversation, default: 0] += 1
            return atWork[conversation] ?? 0
          }
          #expect(count == 1)
          order.withLock { $0.append(received.message.messageID) }
          for _ in 0..<10 { await Task.yield() }
          atWork.withLock { $0[conversation, default: 1] -= 1 }
        }, errorReports: { _ in })
      for number in 0..<20 {
        try await self.put(
          try Fixture.incoming(id: "\(number % 2)-\(number)", correlationID: "c\(number % 2)"), into: "200_async",
          of: buses.target)
      }
      try await client.whileServing(handlers) { await client.wait { $0.counters.handled == 20 } }
      for conversation in ["0-", "1-"] {
        let own = order.withLock { $0.filter { $0.hasPrefix(conversation) }.compactMap { Int($0.dropFirst(2)) } }
        #expect(own == own.sorted())
      }
    }
  }

  // MARK: Running

  @Test("run(handlers) sends, receives and answers; leaving lets the handler under way send its answer")
  func run() async throws {
    try await TwoBuses.withClient { outer, buses in
      let client = try TjenestebussClient(outer.configuration, routes: buses.routes)
      let begun = OneShot<Bool>()
      let task = Task {
        try await client.run(
          MessageHandlers(
            messages: { received in
              begun.fulfil(true)
              let answer = try Fixture.answer(id: "answer")
              try await client.reply(to: received, with: answer).requireAccepted()
            }, errorReports: { _ in }))
      }
      try await self.put(try Fixture.incoming(), into: "200_async", of: buses.target)
      _ = try await begun.wait()
      await client.wait { $0.counters.handled == 1 }
      task.cancel()
      try await task.value
      #expect(try await buses.source.messageIDs(in: "100_async") == ["answer"])
      #expect(await client.send(try Fixture.answer(id: "later")).outcome == .notSent(.stopping))
    }
  }

  @Test("The register does not tell our queues yet: shown, tried again, and received from as soon as it does")
  func registerAway() async throws {
    try await TwoBuses.withClient {
      $0.serve.herIDs = [HerID(300)].compactMap(\.self)
      $0.serve.kinds = [.asynchronous]
    } _: { client, buses in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.serve(self.handlers) }
        await client.wait { $0.waitingForRegister != nil }
        try buses.routes.lay(try Fixture.herID(300), cached: "tb/NHN/200_async")
        await client.wait { $0["tjenestebuss", "200_async"] == .receiving }
        #expect(client.status.waitingForRegister == nil)
        group.cancelAll()
        try await group.waitForAll()
      }
    }
  }
}

/// A vendor's protection, such as it is: the body backwards.
private struct Reversing: MessageProtection {
  struct EmptyBody: Error {}

  func protect(_ message: HealthMessage) async throws -> ProtectedBody {
    if message.body.isEmpty { throw EmptyBody() }
    return ProtectedBody(message.body.reversed())
  }

  func unprotect(_ message: HealthMessage) async throws -> [UInt8] {
    if message.body == [0xFF] { throw ProtectionFailure(.revokedCertificateOffline, text: "the list cannot be had") }
    guard message.contentType == ProtectedBody.signedAndEnveloped else {
      throw ProtectionFailure(.invalidCertificate, text: "not protected")
    }
    return message.body.reversed()
  }
}
