// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import NIOCore
import Testing
import TjenestebussTesting

@testable import BusProbe

@Suite("The whole bus, and watching it, at the in-memory broker", .timeLimit(.minutes(10)))
struct CensusAndWatchTests {
  private static let minute = Duration.seconds(60)

  @Test(
    "Every queue is listed, over several pages; those with anything in them or anyone on them are told",
    arguments: [Dialect.rabbitMQ3, .rabbitMQ4AddressV2, .serviceBusWindowsServer, .activeMQ])
  func census(_ dialect: Dialect) async throws {
    let names = (0..<1_203).map { "q\($0)" }
    let queues = names.map { BrokerQueue($0, deadLetter: dialect == .serviceBusWindowsServer ? .automatic : .none) }
    try await InMemoryBus.with(dialect, queues: queues) { bus in
      try await bus.send([InMemoryBus.message("m")], to: "q7")
      let receiver = try await bus.connection.openReceiver(from: bus.broker.receivingAddress("q9"), credit: 1)
      let listing: any BusCensus =
        if dialect == .activeMQ { StatisticsCounting(timeout: Self.minute) { bus.connection } } else { try bus.overHTTP() }
      let reading = await listing.census()
      #expect(reading.queues?.map(\.queue) == names.sorted())
      let occupied = reading.tellsConsumers ? ["q7", "q9"] : ["q7"]
      #expect(reading.occupied?.map(\.queue) == occupied)
      #expect(reading.queues?.first { $0.queue == "q7" }?.count?.messages == 1)
      await receiver.close()
    }
  }

  @Test("A bus that cannot be asked says so; one that does not answer is unreadable: neither is an empty bus")
  func notPossible() async throws {
    try await InMemoryBus.with(.azureServiceBus, queues: ["q"]) { bus in
      let port: Int = try #require(bus.broker.port)
      let probe = try ProbeFixture.busProbe(.azureServiceBus, port: port)
      try await probe.withProbe { probe in
        let reading = await probe.census()
        guard case .notPossible(let error) = reading.value else {
          Issue.record("\(reading)")
          return
        }
        #expect(error.stableCode == "PROBE-110")
        #expect(reading.occupied == nil)
        // This one shows its messages, and RabbitMQ does not.
        #expect(await probe.sightings(of: "q").sightings == [])
        #expect(await probe.depth("q").count?.messages == 0)
      }
    }
    try await InMemoryBus.with(.rabbitMQ4AddressV2, queues: ["q"]) { bus in
      let port: Int = try #require(bus.broker.port)
      let probe = try ProbeFixture.busProbe(.rabbitMQ4AddressV2, port: port)
      try await probe.withProbe { probe in
        guard case .unreadable(let error) = await probe.sightings(of: "q").value else {
          Issue.record("something was seen")
          return
        }
        #expect(error.stableCode == "PROBE-109")
      }
      let counting = try bus.overHTTP(password: "wrong")
      guard case .unreadable(let error) = await counting.census().value else {
        Issue.record("something was listed")
        return
      }
      #expect(error.stableCode == "PROBE-101")
    }
  }

  /// Changes as they were told, and a way to wait for one.
  private actor Told {
    private var changes: [QueueChange] = []
    private var waiting: [(isMet: @Sendable ([QueueChange]) -> Bool, met: OneShot<Void>)] = []

    func take(_ new: [QueueChange]) {
      self.changes += new
      let met = self.waiting.filter { $0.isMet(self.changes) }
      self.waiting.removeAll { $0.isMet(self.changes) }
      for waiter in met { waiter.met.fulfil(()) }
    }

    /// The test's time limit bounds it.
    func wait(until isMet: @Sendable @escaping ([QueueChange]) -> Bool) async throws {
      if isMet(self.changes) { return }
      let met = OneShot<Void>()
      self.waiting.append((isMet, met))
      try await met.wait()
    }

    var all: [QueueChange] { self.changes }
  }

  @Test("A watch tells the first look, then only what changed, and a bus that does not answer once", arguments: [true, false])
  func watch(wholeBus: Bool) async throws {
    let names = (0..<60).map { "q\($0)" }
    try await InMemoryBus.with(.rabbitMQ4AddressV2, queues: names.map { BrokerQueue($0, deadLetter: .none) }) { bus in
      let settings = WatchSchedule.Settings(
        shortest: .milliseconds(50), longest: .milliseconds(200), rate: wholeBus ? 10 : 2_000)
      let watch = QueueWatch(
        names + ["none"], counting: try bus.overHTTP(), wholeBus: wholeBus, settings: settings)
      let told = Told()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await watch.run { await told.take($0) } }
        try await told.wait { $0.count == 61 }
        let first = await told.all
        #expect(first.allSatisfy { $0.before == nil })
        #expect(first.first { $0.reading.queue == "none" }?.reading.value == .missing)
        try await bus.send([InMemoryBus.message("m")], to: "q42")
        try await told.wait { $0.count > 61 }
        let change = try #require(await told.all.last)
        #expect(change.reading.queue == "q42")
        #expect(change.reading.count?.messages == 1)
        guard case .counted(let before)? = change.before else {
          Issue.record("\(change)")
          return
        }
        #expect(before.messages == 0)
        group.cancelAll()
        try await group.waitForAll()
        #expect(await told.all.count == 62, "an unchanged queue was told")
      }
    }
  }
}
