// SPDX-License-Identifier: Apache-2.0

import BusModel

/// How far each write of a pulje reaches beyond the party it is for: services below that go along, and parties that give up their own
/// queues for their organisation's. Pure.
struct WriteReach {
  /// Who is moved along, and by whose write.
  private(set) var movedBy: [HerID: HerID] = [:]
  /// What those that join their organisation's queue read afterwards.
  private(set) var joined: [HerID: PartyRecord] = [:]
  /// Parties that move together for it, whatever queues they have.
  private(set) var together: [(HerID, HerID)] = []
  private(set) var obstacles: [Obstacle] = []

  init(
    _ request: PuljeRequest, requested: [HerID: PuljeRequest.Party], records: [HerID: PartyRecord], target: Bus,
    offer: RegisterOffer
  ) {
    let joining = requested.values.filter(\.joinsOrganisation).map(\.herID).sorted()
    if request.scope == .servicesBelow {
      if !offer.servicesBelow {
        self.obstacles.append(Obstacle(.scopeNotOffered, seen: "scope: services-below"))
      }
      self.addServicesBelow(requested: requested, records: records, target: target)
    }
    for herID in joining {
      if !offer.organisationQueue {
        self.obstacles.append(Obstacle(.scopeNotOffered, herID: herID, seen: "organisation-queue of HER-ID \(herID)"))
      }
      self.join(herID, requested: requested, records: records, target: target)
    }
  }

  /// A service with queues of its own goes along with the highest party above it that is moved; what inherits follows anyhow.
  private mutating func addServicesBelow(
    requested: [HerID: PuljeRequest.Party], records: [HerID: PartyRecord], target: Bus
  ) {
    for record in records.values.sorted(by: { $0.herID < $1.herID }) where Self.ownsQueues(record) {
      var mover: HerID?
      var next = record.parent
      // Bounded: a register may hold a ring of parents.
      for _ in 0..<16 {
        guard let herID = next, herID != record.herID, let above = records[herID] else { break }
        if let party = requested[herID], !party.joinsOrganisation, Self.ownsQueues(above) { mover = herID }
        next = above.parent
      }
      guard let mover else { continue }
      // The write above would move the queues that it is about to give up, to where nobody has made any.
      if requested[record.herID]?.joinsOrganisation == true {
        self.obstacles.append(
          Obstacle(
            .joinerTakenAlong, herID: record.herID, others: [mover], seen: "the write for HER-ID \(mover) takes its queues along")
        )
        continue
      }
      // The write finds nothing to change there.
      if requested[record.herID] == nil, Self.isAll(record, on: target) { continue }
      self.movedBy[record.herID] = mover
      self.together.append((mover, record.herID))
    }
    // In a ring of parents each stands above the other: then nobody takes anybody along.
    let movedBy = self.movedBy
    self.movedBy = movedBy.filter { movedBy[$0.value] == nil }
  }

  private mutating func join(
    _ herID: HerID, requested: [HerID: PuljeRequest.Party], records: [HerID: PartyRecord], target: Bus
  ) {
    guard let record = records[herID], Self.ownsQueues(record) else { return }
    guard let organisation = record.parent.flatMap({ records[$0] }) else {
      self.obstacles.append(Obstacle(.noOrganisationQueue, herID: herID, seen: "no organisation above it is known"))
      return
    }
    let moves = requested[organisation.herID] != nil
    let offering = moves ? (try? organisation.moved(to: target)) ?? organisation : organisation
    guard Self.isAll(offering, on: target) else {
      let seen = "HER-ID \(organisation.herID) has no queues on \(target.name), and is not in the pulje either"
      self.obstacles.append(Obstacle(.noOrganisationQueue, herID: herID, others: [organisation.herID], seen: seen))
      return
    }
    self.joined[herID] = record.inheritingQueues(of: offering)
    if moves { self.together.append((organisation.herID, herID)) }
  }

  private static func ownsQueues(_ record: PartyRecord) -> Bool { record.queues.contains { !$0.inherited } }

  private static func isAll(_ record: PartyRecord, on bus: Bus) -> Bool {
    !record.queues.isEmpty
      && record.queues.allSatisfy { address in (try? QueueAddress(text: address.text)).map { bus.holds($0) } ?? false }
  }
}
