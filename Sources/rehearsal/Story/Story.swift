// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Who takes part in the rehearsal, and what happens to them: a pulje of twelve HER-IDs of three vendors, and one party
/// outside it.
struct Story: Sendable {
  /// One EPJ: a vendor's system that serves one or more HER-IDs.
  struct System: Sendable, Hashable {
    var name: String
    var vendor: String
    var herIDs: [HerID]
    /// How long it trusts an address it has looked up.
    var addressAge: Duration
    /// Whether it listens on the target bus from the start. One does not, as happens.
    var comesUpOnTarget: Bool
  }

  var pulje: String
  var systems: [System]
  var records: [PartyRecord]
  /// The HER-IDs to be moved.
  var members: [HerID]
  /// The one whose system does not come up on the target bus and is rolled back.
  var rolledBack: HerID
  /// The one whose addresses are stale for a while.
  var stale: HerID
  /// The one on whose error queue a message strands.
  var strands: HerID
  /// Queues that exist on both buses: every party's, and those of the ping.
  var queues: [String]

  /// The party that the migrator's pings come from, and its queue for the echoes.
  static let prober = herID(8_888)
  static let proberQueue = "8888_async"
  /// A party with a queue that nobody reads, for SABOTAGE=leave-one.
  static let deaf = herID(9_999)

  /// - Parameters:
  ///   - source: where all parties are at the beginning.
  ///   - staleFor: the address age of the one with stale addresses.
  ///   - everybodyComesUp: whether all systems listen on the target bus from the start.
  static func told(source: Bus, staleFor: Duration, everybodyComesUp: Bool = false) -> Story {
    let organisation = herID(1_000)
    let inheriting = [herID(1_001), herID(1_002)]
    let vendorB = [2_001, 2_002, 2_003, 2_004, 2_005].map(herID)
    let vendorC = [3_001, 3_002, 3_003, 3_004].map(herID)
    let outside = herID(5_000)
    var records = [record(organisation, "Nordlys legesenter", .organisation, queuesOf: organisation, on: source)]
    for service in inheriting {
      records.append(
        record(service, "Nordlys \(service)", .service, parent: organisation, inherited: true, queuesOf: organisation, on: source)
      )
    }
    for party in vendorB { records.append(record(party, "Fjord sykehus \(party)", .service, queuesOf: party, on: source)) }
    for party in vendorC {
      records.append(record(party, "Vidde legekontor \(party)", .organisation, queuesOf: party, on: source))
    }
    records.append(record(outside, "Helsenorge", .service, queuesOf: outside, on: source))
    records.append(record(deaf, "Uten mottaker", .service, queuesOf: deaf, on: source))
    let stale = herID(2_003)
    let rolledBack = herID(3_004)
    var systems = [
      System(
        name: "vendor-a/nordlys", vendor: "vendor-a", herIDs: [organisation] + inheriting, addressAge: .seconds(1),
        comesUpOnTarget: true)
    ]
    for party in vendorB {
      systems.append(
        System(
          name: "vendor-b/\(party)", vendor: "vendor-b", herIDs: [party], addressAge: party == stale ? staleFor : .seconds(1),
          comesUpOnTarget: true))
    }
    for party in vendorC {
      systems.append(
        System(
          name: "vendor-c/\(party)", vendor: "vendor-c", herIDs: [party], addressAge: .seconds(1),
          comesUpOnTarget: everybodyComesUp || party != rolledBack))
    }
    systems.append(
      System(name: "helsenorge/5000", vendor: "helsenorge", herIDs: [outside], addressAge: .seconds(1), comesUpOnTarget: true))
    let owners = [organisation] + vendorB + vendorC + [outside, deaf]
    let queues = owners.flatMap { owner in ["async", "sync", "error", "syncreply", "dl"].map { "\(owner)_\($0)" } }
    return Story(
      pulje: "pulje-1", systems: systems, records: records, members: [organisation] + inheriting + vendorB + vendorC,
      rolledBack: rolledBack, stale: stale, strands: vendorB[0], queues: queues + [proberQueue])
  }

  /// Everyone who is written to: all parties but the deaf one.
  var addressees: [HerID] { self.systems.flatMap(\.herIDs) }

  private static func record(
    _ herID: HerID, _ name: String, _ kind: PartyRecord.Kind, parent: HerID? = nil, inherited: Bool = false,
    queuesOf owner: HerID, on bus: Bus
  ) -> PartyRecord {
    let addresses = QueueKind.inRegister.compactMap { queueKind -> PartyRecord.Address? in
      guard let code = queueKind.registerCode, let address = bus.address(ofQueue: "\(owner)_\(queueKind.rawValue)") else {
        return nil
      }
      return PartyRecord.Address(typeCode: code, text: address.description, inherited: inherited)
    }
    return PartyRecord(herID: herID, name: name, kind: kind, parent: parent, active: true, valid: true, addresses: addresses)
  }
}

/// A HER-ID of the story. The numbers are constants of this file, all greater than zero.
private func herID(_ number: Int32) -> HerID {
  guard let herID = HerID(number) else { preconditionFailure("the story's HER-IDs are greater than zero") }
  return herID
}
