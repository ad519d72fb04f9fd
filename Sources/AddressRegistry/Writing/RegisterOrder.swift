// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A change to the register with all that is needed to judge it: what every entry that it touches was read as, and what each
/// shall be afterwards. Made durable as a whole, it also holds the way back.
public struct RegisterOrder: Sendable, Hashable, Codable {
  /// One entry that the change touches, or could touch.
  public struct Entry: Sendable, Hashable, Codable {
    /// As it was read; its hash is what the change is based on (invariant I-5).
    public var basis: PartyRecord
    public var goal: PartyRecord

    public init(basis: PartyRecord, goal: PartyRecord) {
      self.basis = basis
      self.goal = goal
    }

    /// Whether the change leaves it as it is.
    var isUntouched: Bool { self.basis.hash == self.goal.hash }
  }

  public var herID: HerID
  public var change: RegisterChange
  public var operationID: OperationID
  /// The party itself first, then those that follow it.
  public var entries: [Entry]

  /// - Parameter entries: the party's own entry among them.
  public init(herID: HerID, change: RegisterChange, operationID: OperationID, entries: [Entry]) {
    self.herID = herID
    self.change = change
    self.operationID = operationID
    self.entries = entries
  }

  /// Works out what each entry shall be.
  ///
  /// - Parameters:
  ///   - family: as they were read: the party, for the organisation's queue its parent, and all below it. Those that the
  ///     change cannot touch are left out of the order.
  ///   - buses: those that the change names.
  /// - Throws: ``AddressRegistryError`` `registerConfigurationInvalid` when the party or its parent is not in the family, the bus
  ///   is not configured, or an address is unreadable: what cannot be worked out is not ordered.
  public init(
    _ change: RegisterChange, of herID: HerID, family: [PartyRecord], buses: [Bus], operationID: OperationID
  ) throws(AddressRegistryError) {
    let goals = try RegisterGoals(family: family, buses: buses).goals(of: change, for: herID)
    self.init(
      herID: herID, change: change, operationID: operationID,
      entries: goals.map { Entry(basis: $0.basis, goal: $0.goal) })
  }

  /// What the writer is told.
  public var write: RegisterWrite {
    RegisterWrite(
      herID: self.herID, change: self.change, operationID: self.operationID,
      expectedAddresses: self.entries.first { $0.goal.herID == self.herID }?.goal.addresses)
  }

  /// Parties whose entries are written by themselves; the others follow the one they inherit from.
  var written: [HerID] {
    self.entries.filter { !$0.isUntouched && ($0.basis.herID == self.herID || !Self.onlyFollows($0)) }.map(\.basis.herID)
  }

  /// The orders that bring every entry back to exactly what it was, own entries first: the general update of each that was
  /// changed itself. Entries that inherit their queues follow, and are watched in the order of the one they inherit from.
  ///
  /// - Parameter operationID: gives each order its id.
  public func wayBack(_ operationID: (HerID) -> OperationID) -> [RegisterOrder] {
    let written = self.entries.filter { entry in
      !entry.isUntouched && (entry.basis.herID == self.herID || !Self.onlyFollows(entry))
    }
    return written.map { entry in
      let followers = self.entries.filter { other in
        other.basis.herID != entry.basis.herID && !other.isUntouched && Self.onlyFollows(other)
          && self.nearestWritten(above: other, among: written) == entry.basis.herID
      }
      return RegisterOrder(
        herID: entry.basis.herID, change: .replaceAddresses(entry.basis.addresses),
        operationID: operationID(entry.basis.herID),
        entries: ([entry] + followers).map { Entry(basis: $0.goal, goal: $0.basis) })
    }
  }

  /// Whether all queue addresses of the entry are inherited, before and after.
  private static func onlyFollows(_ entry: Entry) -> Bool {
    [entry.basis, entry.goal].allSatisfy { $0.addresses.allSatisfy { $0.inherited || $0.queueKind == nil } }
  }

  private func nearestWritten(above entry: Entry, among written: [Entry]) -> HerID? {
    var next = entry.basis.parent
    for _ in 0..<self.entries.count {
      guard let herID = next else { return nil }
      if written.contains(where: { $0.basis.herID == herID }) { return herID }
      next = self.entries.first { $0.basis.herID == herID }?.basis.parent
    }
    return nil
  }
}
