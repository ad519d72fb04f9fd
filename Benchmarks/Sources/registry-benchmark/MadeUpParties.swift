// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Parties in realistic shapes: hospitals whose hundreds of services inherit their queues, municipalities, one-doctor offices.
struct MadeUpParties {
  static let buses = [
    Bus(name: "servicebus", dialect: .serviceBusWindowsServer, hosts: ["sb.test.nhn.no"], path: "NHNTESTServiceBus"),
    Bus(name: "tjenestebuss", dialect: .rabbitMQ4AddressV2, hosts: ["tb.test.nhn.no"], path: "NHNTESTServiceBus"),
  ]

  let records: [PartyRecord]
  let herIDs: [HerID]
  let shuffledHerIDs: [HerID]

  init(count: Int) {
    var records: [PartyRecord] = []
    records.reserveCapacity(count)
    var next: Int32 = 1_000
    func add(_ name: String, _ kind: PartyRecord.Kind, parent: HerID?, queuesOf owner: Int32?) -> HerID? {
      next += 3
      guard let herID = HerID(next) else { return nil }
      let host = next % 5 == 0 ? "tb.test.nhn.no" : "sb.test.nhn.no"
      var addresses = [("E_SB_ASYNC", "async"), ("E_SB_SYNC", "sync"), ("E_SB_ERROR", "error")].map { code, suffix in
        PartyRecord.Address(
          typeCode: code, text: "\(owner == nil ? host : "sb.test.nhn.no")/NHNTESTServiceBus/\(owner ?? next)_\(suffix)",
          inherited: owner != nil)
      }
      addresses.append(.init(typeCode: "E_EDI", text: "\(next)@edi.example.no", inherited: false))
      records.append(
        PartyRecord(
          herID: herID, name: name, kind: kind, parent: parent, active: true, valid: kind != .organisation, addresses: addresses))
      return herID
    }
    var number = 0
    while records.count < count {
      number += 1
      switch number % 20 {
      case 0:
        let hospital = add("Oppdiktet sykehus \(number)", .organisation, parent: nil, queuesOf: nil)
        for service in 0..<300 where records.count < count {
          _ = add("Avdeling \(service)", .service, parent: hospital, queuesOf: hospital?.value)
        }
      case 1...4:
        let municipality = add("Oppdiktet kommune \(number)", .organisation, parent: nil, queuesOf: nil)
        for service in 0..<12 where records.count < count {
          _ = add("Tjeneste \(service)", .service, parent: municipality, queuesOf: service % 2 == 0 ? municipality?.value : nil)
        }
      default:
        let office = add("Oppdiktet legekontor \(number)", .organisation, parent: nil, queuesOf: nil)
        if records.count < count { _ = add("Fastlege", .person, parent: office, queuesOf: nil) }
      }
    }
    self.records = records
    self.herIDs = records.map(\.herID)
    // The same order in every run: steps by a number that has no divisor in common with the count.
    var step = records.count / 2 + 1
    while Self.divisor(step, records.count) != 1 { step += 1 }
    self.shuffledHerIDs = (0..<records.count).map { records[$0 * step % records.count].herID }
  }

  private static func divisor(_ one: Int, _ other: Int) -> Int { other == 0 ? one : Self.divisor(other, one % other) }
}
