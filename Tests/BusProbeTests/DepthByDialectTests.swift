// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Testing
import TjenestebussTesting

@testable import BusProbe

@Suite("Depth by dialect, at the in-memory broker", .timeLimit(.minutes(10)))
struct DepthByDialectTests {
  private static let minute = Duration.seconds(60)

  // MARK: Azure

  @Test("Azure: counted by peeking, with dead letters below the queue; what is locked counts, and nothing is taken")
  func azure() async throws {
    try await InMemoryBus.with(.azureServiceBus, queues: ["q", "empty"]) { bus in
      // A year from now; annotation keys are symbols.
      let year = SystemBrokerClock().milliseconds + 365 * 86_400_000
      let later = AMQPMap([.init(key: .symbol("x-opt-scheduled-enqueue-time"), value: .timestamp(year))])
      try await bus.send(
        (0..<5).map { InMemoryBus.message("m\($0)") } + [InMemoryBus.message("later", annotations: later)], to: "q")
      let receiver = try await bus.connection.openReceiver(from: "q", credit: 2)
      var held: [AMQPDelivery] = []
      while held.count < 2, let batch = try await receiver.nextBatch() { held += batch }
      try held[1].reject()
      try await bus.broker.waitUntil("a dead letter") { $0.depth(of: "q/$DeadLetterQueue") == 1 }
      let peeking = ServiceBusPeeking(timeout: Self.minute, pageSize: 2) { bus.connection }
      let counting = PeekCounting(peeking)
      let readings = await counting.read(["q", "empty", "none"])
      #expect(readings.map(\.way) == [.peek, .peek, .peek])
      // The rejected one's place was taken by a further one, which is held too.
      #expect(readings[0].count?.figures == QueueFigures(active: 4, deferred: 0, scheduled: 1, deadLettered: 1))
      #expect(readings[0].count?.messages == 5)
      #expect(readings[1].count?.messages == 0)
      #expect(readings[2].value == .missing)
      let dead = try #require(await peeking.look(at: "q/$DeadLetterQueue").sightings)
      #expect(dead.map(\.state) == [.deadLettered])
      #expect(dead.map(\.messageID) == ["m1"])
      await receiver.close()
      try await bus.broker.waitUntil("given back") { $0.queues["q"]?.locked == 0 }
      #expect(try await bus.broker.depth(of: "q") == 4)
    }
  }

  @Test("Azure: a bound is kept, the rest is said to be there, and is looked at from its number")
  func pages() async throws {
    try await InMemoryBus.with(.azureServiceBus, queues: ["q"]) { bus in
      try await bus.send((0..<7).map { InMemoryBus.message("m\($0)") }, to: "q")
      let peeking = ServiceBusPeeking(timeout: Self.minute, pageSize: 2) { bus.connection }
      let first = await peeking.look(at: "q", atMost: 5)
      #expect(first.sightings?.map(\.messageID) == (0..<5).map { "m\($0)" })
      #expect(first.hasMore)
      let rest = await peeking.look(at: "q", from: first.next, atMost: 5)
      #expect(rest.sightings?.map(\.messageID) == ["m5", "m6"])
      #expect(!rest.hasMore && rest.next == nil)
      let count = await PeekCounting(peeking, bound: 3).read("q").count
      #expect(count?.messages == 3)
      #expect(count?.isLowerBound == true)
      let exact = await PeekCounting(peeking, bound: 7).read("q").count
      #expect(exact?.messages == 7)
      #expect(exact?.isLowerBound == false)
    }
  }

  @Test("A sighting has the metadata, and nothing of the body")
  func metadata() async throws {
    try await InMemoryBus.with(.azureServiceBus, queues: ["q"]) { bus in
      let own: AMQPMap = [
        "fromHerId": "100", "toHerId": .int(200), "applicationTimeStamp": "2026-09-21T13:33:20Z", "X-SystemIdentifier": "EPJ 4",
        "tjenestebussVersion": "0.5",
      ]
      try await bus.send([InMemoryBus.message("m", properties: own), InMemoryBus.message("alien")], to: "q")
      let reading = await ServiceBusPeeking(timeout: Self.minute) { bus.connection }.look(at: "q")
      let seen = try #require(reading.sightings?.first)
      #expect(seen.fromHerID?.description == "100" && seen.toHerID?.description == "200")
      #expect(seen.sentAt == 1_789_997_600_000)
      #expect(seen.system == "EPJ 4" && seen.library == "TjenestebussClient" && seen.libraryVersion == "0.5")
      #expect(seen.subject == "APPREC" && seen.correlationID == "c" && seen.deliveryCount == 0)
      let came = try #require(seen.enqueuedAt)
      #expect(seen.expiresAt == came + 3_600_000)
      #expect(reading.sightings?.last?.fromHerID == nil)
      #expect(!"\(reading)".contains("patient"))
    }
  }

  // MARK: Service Bus for Windows Server

  @Test("Service Bus for Windows Server: every figure of the queue's entry; a queue that is not there is missing")
  func windowsServer() async throws {
    try await InMemoryBus.with(.serviceBusWindowsServer, queues: ["93238_async", "empty"]) { bus in
      try await bus.send((0..<4).map { InMemoryBus.message("m\($0)") }, to: "93238_async")
      let receiver = try await bus.connection.openReceiver(from: bus.broker.receivingAddress("93238_async"), credit: 1)
      let delivery = try #require(try await receiver.nextBatch()?.first)
      try delivery.reject()
      try await bus.broker.waitUntil("a dead letter") { $0.depth(of: "93238_async/$DeadLetterQueue") == 1 }
      let readings = await (try bus.overHTTP()).read(["93238_async", "empty", "none", "93238_async/$DeadLetterQueue"])
      #expect(
        readings[0].count
          == QueueCount(
            messages: 3, includesUnsettled: true, consumers: nil,
            figures: QueueFigures(active: 3, scheduled: 0, deadLettered: 1, transfer: 0, transferDeadLettered: 0)))
      #expect(readings[0].way == .entities)
      #expect(readings[1].count?.messages == 0)
      #expect(readings[2].value == .missing)
      #expect(readings[3].count?.messages == 1)
      await receiver.close()
    }
  }

  @Test("Service Bus for Windows Server: a wrong password is unreadable with its code, a token that is over is renewed")
  func tokens() async throws {
    let clock = VirtualClock()
    try await InMemoryBus.with(.serviceBusWindowsServer, queues: ["q"], change: { $0.clock = clock }) { bus in
      guard case .unreadable(let error) = await (try bus.overHTTP(password: "Sup3rS3cret")).read("q").value else {
        Issue.record("something was read")
        return
      }
      #expect(error.stableCode == "PROBE-101")
      #expect(!"\(error.explanation)".contains("Sup3rS3cret"))
      let counting = try bus.overHTTP()
      #expect(await counting.read("q").count?.messages == 0)
      clock.advance(by: .seconds(3_600))
      #expect(await counting.read("q").count?.messages == 0)
    }
  }

  @Test("An entry without its parts counts as a whole; what is no entry is unreadable, never zero")
  func entries() {
    func value(_ inner: String) -> DepthReading.Value {
      EntityCounting.value(
        of: Array("<entry xmlns='http://www.w3.org/2005/Atom'><title>q</title><content>\(inner)</content></entry>".utf8))
    }
    func messages(_ inner: String) -> Int? {
      if case .counted(let count) = value("<QueueDescription>\(inner)</QueueDescription>") { count.messages } else { nil }
    }
    #expect(messages("<MessageCount>7</MessageCount>") == 7)
    let parts = "<CountDetails><ActiveMessageCount>2</ActiveMessageCount><DeadLetterMessageCount>3</DeadLetterMessageCount>"
    #expect(messages("<MessageCount>9</MessageCount>\(parts)</CountDetails>") == 6, "what no part tells lies there too")
    #expect(messages("<MessageCount>5</MessageCount>\(parts)</CountDetails>") == 2)
    for odd in ["", "<MessageCount>x</MessageCount>", "<MessageCount>-1</MessageCount>"] { #expect(messages(odd) == nil) }
    #expect(EntityCounting.value(of: Array("<feed><title>Publicly Listed Services</title></feed>".utf8)) == .missing)
    for odd in ["", "<html/>", "<entry/>", "<entry><content><TopicDescription/></content></entry>"] {
      guard case .unreadable = EntityCounting.value(of: Array(odd.utf8)) else {
        Issue.record("\(odd)")
        continue
      }
    }
  }

  // MARK: ActiveMQ

  @Test("ActiveMQ: the statistics plugin has size, what is handed out and who listens; nothing is left behind on the bus")
  func statistics() async throws {
    try await InMemoryBus.with(.activeMQ, queues: ["q", "empty"]) { bus in
      try await bus.send((0..<3).map { InMemoryBus.message("m\($0)") }, to: "q")
      let before = Set(try await bus.broker.snapshot().queues.keys)
      let receiver = try await bus.connection.openReceiver(from: "q", credit: 1)
      _ = try #require(try await receiver.nextBatch()?.first)
      let readings = await StatisticsCounting(timeout: Self.minute) { bus.connection }.read(["q", "empty", "none"])
      #expect(
        readings.map(\.value) == [
          .counted(
            QueueCount(
              messages: 3, includesUnsettled: true, consumers: 1, arrivals: 3, figures: QueueFigures(active: 2, locked: 1))),
          .counted(
            QueueCount(
              messages: 0, includesUnsettled: true, consumers: 0, arrivals: 0, figures: QueueFigures(active: 0, locked: 0))),
          .missing,
        ])
      await receiver.close()
      try await bus.broker.waitUntil("only the queues of before") { Set($0.queues.keys) == before }
    }
  }

  @Test("ActiveMQ without the plugin, or without leave to ask it: counted by copies, which the reading says")
  func copies() async throws {
    let limited = BrokerUser("limited", password: Secret("guest"), mayWrite: ["q"])
    for hasPlugin in [false, true] {
      try await InMemoryBus.with(
        .activeMQ, queues: ["q"],
        change: {
          $0.answersStatistics = hasPlugin
          $0.users.append(limited)
        }, user: hasPlugin ? "limited" : "guest"
      ) { bus in
        try await bus.send((0..<3).map { InMemoryBus.message("m\($0)") }, to: "q")
        let ways: [any QueueCounting] = [
          // Silence is all that tells that there is no plugin.
          StatisticsCounting(timeout: hasPlugin ? Self.minute : .milliseconds(200)) { bus.connection },
          PeekCounting(CopyPeeking(timeout: Self.minute) { bus.connection }),
        ]
        let reading = await (try #require(RankedCounting(ways))).read("q")
        #expect(reading.way == .browse)
        #expect(reading.count?.messages == 3)
        #expect(reading.passedOver.map(\.way) == [.statistics])
        #expect(try await bus.broker.depth(of: "q") == 3, "a copy was taken for a message")
        let sightings = await CopyPeeking(timeout: Self.minute) { bus.connection }.look(at: "q", atMost: 2)
        #expect(sightings.sightings?.map(\.messageID) == ["m0", "m1"])
        #expect(sightings.hasMore)
      }
    }
  }

  // MARK: RabbitMQ

  @Test("RabbitMQ 4: what a receiver holds is in the count, by the two ways together")
  func held() async throws {
    try await InMemoryBus.with(.rabbitMQ4AddressV2, queues: ["q"]) { bus in
      try await bus.send([InMemoryBus.message("m")], to: "q")
      let receiver = try await bus.connection.openReceiver(from: bus.broker.receivingAddress("q"), credit: 1)
      _ = try #require(try await receiver.nextBatch()?.first)
      let alone = await ManagementAMQPCounting(timeout: Self.minute) { bus.connection }.read("q").count
      #expect(alone?.messages == 0)
      #expect(alone?.includesUnsettled == false)
      let own = OwnWays.counting(bus.dialect, timeout: Self.minute) { bus.connection }
      let both = await (try #require(OwnWays.ranked(own + [try bus.overHTTP()], bus.dialect))).read("q")
      #expect(both.way == .managementAMQP)
      #expect(both.count?.messages == 1)
      #expect(both.count?.figures == QueueFigures(active: 0, locked: 1))
      await receiver.close()
    }
  }

  @Test("RabbitMQ 4: a hundred queues are counted over one pair of links, and no question leaves without credit for its answer")
  func credit() async throws {
    let names = (0..<100).map { "q\($0)" }
    try await InMemoryBus.with(.rabbitMQ4AddressV2, queues: names.map { BrokerQueue($0, deadLetter: .none) }) { bus in
      let readings = await ManagementAMQPCounting(timeout: Self.minute) { bus.connection }.read(names)
      #expect(readings.map(\.queue) == names)
      #expect(readings.allSatisfy { $0.count?.messages == 0 })
      let faults = try await bus.broker.counters().clientFaults
      #expect(faults == 0, "the broker ended a session")
    }
  }

  @Test("RabbitMQ 4.3 without leave to look at one queue: that one is unreadable, the others are counted")
  func onePermission() async throws {
    let limited = BrokerUser("limited", password: Secret("guest"), mayConfigure: ["mine*"])
    let names = ["mine1", "theirs", "mine2", "mine3"]
    try await InMemoryBus.with(
      .rabbitMQ4AddressV2, queues: names.map { BrokerQueue($0) },
      change: {
        $0.product = .rabbitMQ43
        $0.users.append(limited)
      }, user: "limited"
    ) { bus in
      let readings = await ManagementAMQPCounting(timeout: Self.minute) { bus.connection }.read(names)
      #expect(readings.map { $0.count?.messages } == [0, nil, 0, 0])
      guard case .unreadable(let error) = readings[1].value else {
        Issue.record("what may not be seen was counted")
        return
      }
      #expect(error.stableCode == "PROBE-105")
    }
  }

  // MARK: Every dialect

  @Test("A way that the dialect names is there, over AMQP or over HTTP", arguments: Dialect.allCases)
  func named(_ dialect: Dialect) async throws {
    try await InMemoryBus.with(dialect, queues: ["q"]) { bus in
      var ways = OwnWays.counting(dialect, timeout: Self.minute) { bus.connection }.map(\.way)
      if dialect.capabilities.countsBy.contains(where: { $0 == .managementHTTP || $0 == .entities }) {
        ways.append(try bus.overHTTP().way)
      }
      #expect(Set(ways) == Set(dialect.capabilities.countsBy))
      #expect((OwnWays.peeking(dialect, timeout: Self.minute) { bus.connection } != nil) == dialect.capabilities.browses)
    }
  }
}
