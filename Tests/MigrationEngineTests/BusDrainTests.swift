// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe
import Migration
import Testing

@testable import MigrationEngine

@Suite("A whole bus: whose each queue is, and what keeps it from being switched off")
struct BusDrainTests {
  private static let now = Instant(milliseconds: 1_800_000_000_000)
  private static let bus = Bus(name: "a", dialect: .rabbitMQ3, hosts: ["a.example"], path: "NHN")

  private static func reading(_ queue: String, _ messages: Int, consumers: Int?) -> DepthReading {
    DepthReading(
      queue: queue, way: .managementHTTP, readAt: RegistryInstant(millisecondsSinceEpoch: Self.now.milliseconds),
      value: .counted(QueueCount(messages: messages, includesUnsettled: true, consumers: consumers)))
  }

  private static func census(_ value: CensusReading.Value) -> CensusReading {
    CensusReading(
      way: .managementHTTP, readAt: RegistryInstant(millisecondsSinceEpoch: Self.now.milliseconds), value: value,
      tellsConsumers: true)
  }

  private static func closing(_ filled: Int = 0) -> BusClosing {
    BusClosing(
      bus: "a", lookedAt: Self.now, parties: 3, comparedAt: Self.now, remaining: .counted(0, names: []),
      connections: .counted(0, names: []), filledQueues: .counted(filled, names: []))
  }

  @Test("worst first: not known, then what nobody fetches, then the rest; empty queues that nobody is on are left out")
  func queues() throws {
    let owners = QueueOwners(of: Self.bus, records: [try Scene.record(100), try Scene.record(200)], state: MigrationState())
    let unread = DepthReading(
      queue: "900_async", way: nil, readAt: RegistryInstant(millisecondsSinceEpoch: 0),
      value: .unreadable(.countNotYet(way: .managementHTTP)))
    let drain = BusDrain(
      Self.bus,
      census: Self.census(
        .listed([
          Self.reading("100_sync", 0, consumers: 0), Self.reading("100_error", 0, consumers: 2),
          Self.reading("100_async", 7, consumers: 1), Self.reading("200_async", 3, consumers: 0), unread,
          Self.reading("200_dl", 1, consumers: 0), Self.reading("amq.gen-x", 2, consumers: 1),
        ])), closing: Self.closing(4), owners: owners, state: MigrationState(), now: Self.now)
    #expect(drain.queues.map(\.name) == ["900_async", "200_async", "200_dl", "100_async", "amq.gen-x", "100_error"])
    #expect(drain.queuesInAll == 7)
    let byName = Dictionary(uniqueKeysWithValues: drain.queues.map { ($0.name, $0) })
    #expect(byName["200_async"]?.owners.first?.name == "Party 200" && byName["200_async"]?.owners.first?.by == .register)
    // The register never names this one; its sister tells whose it is.
    #expect(byName["200_dl"]?.owners.first?.herID == HerID(200))
    #expect(byName["900_async"]?.owners.first?.by == .name && byName["amq.gen-x"]?.owners.isEmpty == true)
    #expect(drain.obstacles.contains { $0.hasPrefix("queues that somebody listens on: 3") })
    #expect(drain.obstacles.contains { $0.contains("not known whether anything lies there: 1") })
    // Each of them by name, with whose it is and what ends it.
    for queue in drain.queues {
      #expect(drain.obstacles.contains { $0.hasPrefix("queue \(queue.name): ") }, "\(drain.obstacles)")
    }
    let stranded = drain.obstacles.first { $0.hasPrefix("queue 200_async: ") }
    #expect(stranded?.contains("3 messages. Whose: HER-ID 200 Party 200") == true && stranded?.contains("in no pulje") == true)
    #expect(drain.obstacles.contains { $0.hasPrefix("queue amq.gen-x: ") && $0.contains("nobody known here") })
    #expect(drain.countedAt == Self.now)
    let text = BusDrainText.text(drain)
    #expect(text.contains("counted for this answer, at \(Self.now)") && text.contains("queue 100_error: 2 listen"))
    #expect(text.contains("NOBODY FETCHES") && text.contains("nobody known") && text.contains("(by its name only)"))
  }

  @Test("a bus that cannot be listed is not free; one with nothing on it is")
  func obstacles() {
    let owners = QueueOwners(of: Self.bus, records: [], state: MigrationState())
    let unlisted = BusDrain(
      Self.bus, census: Self.census(.notPossible(.censusNotPossible("a", .activeMQ))), closing: Self.closing(), owners: owners,
      state: MigrationState(), now: Self.now)
    #expect(unlisted.queuesInAll == nil && unlisted.obstacles.contains { $0.hasPrefix("its queues cannot be listed") })
    // Where the bus lists nothing, what registry and plans name is counted one by one.
    let named = BusDrain(
      Self.bus, census: Self.census(.notPossible(.censusNotPossible("a", .activeMQ))),
      known: [Self.reading("100_async", 2, consumers: 0), Self.reading("100_sync", 0, consumers: 0)], closing: Self.closing(),
      owners: owners, state: MigrationState(), now: Self.now)
    #expect(named.queues.map(\.name) == ["100_async"] && named.queuesInAll == nil)
    #expect(named.obstacles.contains { $0.hasPrefix("queue 100_async: 2 messages") })
    let free = BusDrain(
      Self.bus, census: Self.census(.listed([Self.reading("100_async", 0, consumers: 0)])), closing: Self.closing(),
      owners: owners, state: MigrationState(), now: Self.now)
    #expect(free.obstacles.isEmpty && BusDrainText.text(free).contains("nothing stands between now and switching it off"))
  }
}
