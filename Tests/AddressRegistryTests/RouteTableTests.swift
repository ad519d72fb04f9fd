// SPDX-License-Identifier: Apache-2.0

import BusModel
import Computing
import Testing

@testable import AddressRegistry

@Suite("The table of routes says what a decision from the record would say, or nothing", .serialized, .computing)
struct RouteTableTests {
  private func entry(_ record: PartyRecord, readAt: RegistryInstant = start) -> RegistryEntry {
    RegistryEntry(record: record, source: .soap, readAt: readAt, version: 1)
  }

  private func decided(_ record: PartyRecord, _ kind: QueueKind) -> CachedRoute? {
    guard let decision = try? RouteDecision.decide(self.entry(record), kind: kind, buses: bothBuses, now: start) else {
      return nil
    }
    let address = decision.address
    return CachedRoute(
      site: QueueSite(bus: decision.bus.name, host: address.host, path: address.path), queue: address.queue, readAt: start)
  }

  @Test("whatever happened in whatever order, it agrees with the records", arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
  func model(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var table = RouteTable(buses: bothBuses)
    var records: [HerID: PartyRecord] = [:]
    // Few numbers, close together and far apart, so that places collide, grow and are given back.
    let numbers = (0..<1_500).map { _ in
      Bool.random(using: &random) ? Int32.random(in: 1...4_000, using: &random) : Int32.random(in: 1...Int32.max, using: &random)
    }
    for step in 0..<6_000 {
      let number = try #require(numbers.randomElement(using: &random))
      let herID = her(number)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        let record = Self.record(number, &random)
        records[herID] = record
        if Bool.random(using: &random) {
          table.put(self.entry(record))
        } else {
          // From the bytes of the cache, without the record.
          try RecordContent.bytes(of: record).withUnsafeBytes { try table.put(herID, readAt: start, content: $0) }
        }
      case 6..<9:
        records[herID] = nil
        table.remove(herID)
      default:
        if step % 2_000 == 9 {
          records = [:]
          table.removeAll()
        }
      }
      let asked = try #require(numbers.randomElement(using: &random))
      let kind = try #require(QueueKind.allCases.randomElement(using: &random))
      let right = records[her(asked)].flatMap { self.decided($0, kind) }
      if table.route(her(asked), kind) != right { Issue.record("HER-ID \(asked), \(kind), after step \(step)") }
    }
    for number in Set(numbers) {
      #expect(table.route(her(number), .asynchronous) == records[her(number)].flatMap { self.decided($0, .asynchronous) })
    }
    #expect(table.count == records.values.count { record in QueueKind.inRegister.contains { self.decided(record, $0) != nil } })
  }

  /// Whole ones, and every way of leading nowhere.
  private static func record(_ number: Int32, _ random: inout SeededGenerator) -> PartyRecord {
    let host = ["sb.test.nhn.no", "SB.nhn.no", "tb.test.nhn.no", "elsewhere.example.no"].randomElement(using: &random) ?? ""
    var record = party(number, active: Int.random(in: 0..<8, using: &random) > 0, addresses: queues(of: number, host: host))
    switch Int.random(in: 0..<10, using: &random) {
    case 0: record.addresses = []
    case 1: record.addresses.removeFirst()
    case 2: record.addresses[0].text = "no address at all"
    case 3: record.addresses.append(record.addresses[0])
    case 4: record.addresses.append(queues(of: number &+ 1)[0])
    case 5:
      record.addresses[1].text =
        ["\(host)/", "/x", "\(host)/a b/q", "\(host)/kø/kø", "\(host)/q\u{A0}q", "\(host)/DigitalDialog/ø"].randomElement(
          using: &random) ?? ""
    case 6: record.addresses.insert(.init(typeCode: "E_SB_OTHER", text: "\(host)/a/b", inherited: false), at: 0)
    default: break
    }
    return record
  }

  @Test("a bus that two configurations claim leads nowhere here; the decision says why")
  func claimedTwice() {
    var table = RouteTable(buses: bothBuses + [serviceBus])
    table.put(self.entry(party(1)))
    #expect(table.route(her(1), .asynchronous) == nil)
    #expect(table.count == 0)
  }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { self.state = seed }

  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = self.state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
