// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import NIOConcurrencyHelpers

/// Which organisation a queue is: as the register has it of the parties that name the queue. A queue that organisations share is that of
/// the organisation itself, where it is among them, else that of the lowest HER-ID: the same after every start.
public struct QueueOrganisationIndex: Sendable, Hashable {
  private struct Owner: Sendable, Hashable {
    var number: Int32
    var isService: Bool
    var herID: HerID

    func isBefore(_ other: Self) -> Bool {
      self.isService == other.isService ? self.herID < other.herID : !self.isService
    }
  }

  private var owners: [QueueAddress: Owner] = [:]

  public init() {}

  /// - Parameter plans: of two that have the same party with different organisations the first one counts.
  public init(_ plans: some Sequence<Plan>) { for plan in plans { self.add(plan.groups.flatMap(\.members)) } }

  public mutating func add(_ members: [Plan.Member]) {
    for member in members {
      // Only the entry as it was tells: a cut-over moves a party between buses, not between organisations.
      guard let number = member.before.organisationNumber else { continue }
      let owner = Owner(number: number, isService: member.before.kind != .organisation, herID: member.herID)
      for isAfter in [false, true] {
        for queue in [member].queues(after: isAfter).map(\.address) {
          if let known = self.owners[queue], !owner.isBefore(known) { continue }
          self.owners[queue] = owner
        }
      }
    }
  }

  /// nil where no plan has the queue, or the register does not say.
  public func organisation(of queue: QueueAddress) -> Int32? { self.owners[queue]?.number }
}

/// The organisations of the queues of all plans that are carried out or looked at. The engine brings it up to date in each turn, before
/// anything that the turn begins is asked of a bus.
public final class QueueOrganisations: EngineObserver {
  private struct Known: Sendable {
    var hashes: [PuljeName: String] = [:]
    var index = QueueOrganisationIndex()
  }

  private let known = NIOLockedValueBox(Known())

  public init() {}

  /// A plan that no history has yet.
  public func take(_ plan: Plan) { self.take(plan.groups.flatMap(\.members)) }

  package func take(_ members: [Plan.Member]) { self.known.withLockedValue { $0.index.add(members) } }

  public func turned(_ turn: EngineTurn, state: MigrationState) {
    let hashes = state.puljer.mapValues(\.planHash)
    guard hashes != self.known.withLockedValue({ $0.hashes }) else { return }
    // The one that was sealed last has read the register last; after a restart as before.
    let latestFirst = state.puljer.values.sorted { ($1.sealedAt, $1.name.text) < ($0.sealedAt, $0.name.text) }
    let index = QueueOrganisationIndex(latestFirst.map(\.plan))
    self.known.withLockedValue { $0 = Known(hashes: hashes, index: index) }
  }

  public func organisation(of queue: QueueAddress) -> Int32? { self.known.withLockedValue { $0.index.organisation(of: queue) } }
}
