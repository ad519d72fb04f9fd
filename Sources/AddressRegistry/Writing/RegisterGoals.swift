// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What a change makes of the entries it touches; no IO.
///
/// The register's own rules are not public: this is what the operations are for. Where the register does otherwise, the
/// read-back shows a conflict, and nothing is taken for done.
struct RegisterGoals {
  private let records: [HerID: PartyRecord]
  private let order: [HerID]
  private let buses: [Bus]

  init(family: [PartyRecord], buses: [Bus]) {
    self.records = Dictionary(family.map { ($0.herID, $0) }) { first, _ in first }
    self.order = family.map(\.herID)
    self.buses = buses
  }

  func goals(
    of change: RegisterChange, for herID: HerID
  ) throws(AddressRegistryError) -> [(basis: PartyRecord, goal: PartyRecord)] {
    guard let party = self.records[herID] else {
      throw .registerConfigurationInvalid("HER-ID \(herID) is not among the entries that were read")
    }
    let below = self.below(herID)
    var goals: [HerID: PartyRecord] = [:]
    switch change {
    case .switchToBus(let name):
      goals[herID] = try self.moved(party, to: name)
    case .switchToBusWithServicesBelow(let name):
      goals[herID] = try self.moved(party, to: name)
      for child in below where child.addresses.contains(where: { $0.queueKind != nil && !$0.inherited }) {
        var moved = try self.moved(child, to: name, keepingFlags: true)
        for (index, address) in child.addresses.enumerated() where address.inherited { moved.addresses[index] = address }
        goals[child.herID] = moved
      }
    case .useOrganisationQueue:
      guard let parent = party.parent.flatMap({ self.records[$0] }) else {
        throw .registerConfigurationInvalid("the organisation above HER-ID \(herID) is not among the entries that were read")
      }
      goals[herID] = party.inheritingQueues(of: parent)
    case .replaceAddresses(let addresses):
      goals[herID] = party
      goals[herID]?.addresses = addresses
    }
    // Top down: what is inherited follows what it is inherited from.
    for child in below {
      guard let parent = child.parent.flatMap({ goals[$0] }) else { continue }
      let present = goals[child.herID] ?? child
      let followed = Self.following(present, parent)
      if followed != present || goals[child.herID] != nil { goals[child.herID] = followed }
    }
    return ([party] + below).compactMap { record in goals[record.herID].map { (basis: record, goal: $0) } }
  }

  /// All below, nearest first.
  private func below(_ herID: HerID) -> [PartyRecord] {
    var found: [PartyRecord] = []
    var seen: Set<HerID> = [herID]
    var level = [herID]
    while !level.isEmpty {
      let above = Set(level)
      level = self.order.filter { child in
        guard let parent = self.records[child]?.parent, above.contains(parent) else { return false }
        return seen.insert(child).inserted
      }
      found += level.compactMap { self.records[$0] }
    }
    return found
  }

  private func moved(
    _ record: PartyRecord, to name: BusName, keepingFlags: Bool = false
  ) throws(AddressRegistryError) -> PartyRecord {
    guard let bus = self.buses.first(where: { $0.name == name }) else {
      throw .registerConfigurationInvalid("bus \(name) is not configured")
    }
    var moved: PartyRecord
    do { moved = try record.moved(to: bus) } catch {
      throw .registerConfigurationInvalid("HER-ID \(record.herID) cannot be moved: \(error.explanation.seen)")
    }
    // Whoever is switched by its own number has queue addresses of its own from then on.
    if !keepingFlags {
      for index in moved.addresses.indices where moved.addresses[index].queueKind != nil {
        moved.addresses[index].inherited = false
      }
    }
    return moved
  }

  /// The child with what it inherits as the parent has it now.
  private static func following(_ child: PartyRecord, _ parent: PartyRecord) -> PartyRecord {
    var child = child
    child.addresses = child.addresses.compactMap { address in
      guard address.inherited, let kind = address.queueKind else { return address }
      guard let source = parent.addresses.first(where: { $0.queueKind == kind }) else { return nil }
      return PartyRecord.Address(typeCode: address.typeCode, text: source.text, inherited: true)
    }
    return child
  }
}
