// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import TjenestebussTesting

/// Made-up parties in the shapes of the real register, all of them to be moved, and puljer of whole families of them.
struct Population {
  static let source = Bus(name: "servicebus", dialect: .serviceBusWindowsServer, hosts: ["sb.test.nhn.no"], path: "DigitalDialog")
  static let target = Bus(
    name: "tjenestebuss", dialect: .rabbitMQ4AddressV2, hosts: ["tb.test.nhn.no"], path: "NHNTESTServiceBus")
  static let buses = [Self.source, Self.target]

  /// All of the register, each family together: an organisation before those below it.
  let records: [PartyRecord]
  /// Those with queues, in the same order.
  private let movable: [PartyRecord]

  init(count: Int) {
    self.records = RegisterPopulation(count: count, movedPercent: 0).records().map { record in
      var record = record
      (record.active, record.valid, record.futureAddresses) = (true, true, [])
      return record
    }
    self.movable = self.records.filter { $0.addresses.contains { $0.queueKind != nil } }
  }

  /// Puljer of about `parties` each, no family split, as many as the register gives.
  func requests(of parties: Int, policy: Policy) throws -> [PuljeRequest] {
    var puljer: [[PartyRecord]] = [[]]
    for record in self.movable {
      if puljer[puljer.count - 1].count >= parties, record.parent == nil { puljer.append([]) }
      puljer[puljer.count - 1].append(record)
    }
    return try puljer.enumerated().map { index, records in
      guard let name = PuljeName("pulje-\(index + 1)") else { throw Fault.wrong("a pulje's name") }
      return PuljeRequest(
        name: name, source: Self.source.name, target: Self.target.name,
        parties: records.enumerated().map { place, record in
          PuljeRequest.Party(herID: record.herID, vendor: "Leverandør \(place / 100 % 12)", listens: .both)
        }, policy: policy)
    }
  }

  /// Shorter than in life, so that a history has as many looks as wanted and no more.
  static var policy: Policy {
    var policy = Policy()
    policy.quietPeriod = .hours(1)
    return policy
  }
}

enum Fault: Error {
  case wrong(String)
}
