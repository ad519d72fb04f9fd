// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What will happen, to whom, and what stands in the way. Sealed by its hash: what is approved is what is done (I-13).
public struct Plan: Sendable, Hashable, Codable {
  /// One member of a group.
  public struct Member: Sendable, Hashable, Codable {
    public var herID: HerID
    public var vendor: String
    public var startConfirmed: Bool
    /// The exact record to go back to.
    public var before: PartyRecord
    /// The record as it reads when the party has moved.
    public var after: PartyRecord
    /// Whether the register is written for this member. One that inherits all its queues is moved by moving its parent.
    public var isWritten: Bool
    /// The party above whose write moves this one along (scope `services-below`); it is written by itself only where that write left
    /// it out. Nil is not written, here and below, so that other plans keep their hash.
    public var movedBy: HerID?
    /// It gives up its own queues and inherits its organisation's.
    public var joinsOrganisation: Bool?

    public init(
      herID: HerID, vendor: String, startConfirmed: Bool, before: PartyRecord, after: PartyRecord, isWritten: Bool,
      movedBy: HerID? = nil, joinsOrganisation: Bool? = nil
    ) {
      self.herID = herID
      self.vendor = vendor
      self.startConfirmed = startConfirmed
      self.before = before
      self.after = after
      self.isWritten = isWritten
      self.movedBy = movedBy
      self.joinsOrganisation = joinsOrganisation
    }
  }

  /// Parties that share a queue address and so move together (I-3). Members stand with parents first.
  public struct Group: Sendable, Hashable, Codable {
    public var id: GroupID
    public var members: [Member]

    public init(id: GroupID, members: [Member]) {
      self.id = id
      self.members = members
    }
  }

  /// What people must do by hand, per vendor; the register does not do it.
  public struct ManualStep: Sendable, Hashable, Codable {
    public var vendor: String
    public var herIDs: [HerID]
    public var what: String
  }

  public var name: PuljeName
  public var source: BusName
  public var target: BusName
  public var policy: Policy
  public var groups: [Group]
  public var obstacles: [Obstacle]
  public var manualSteps: [ManualStep]
  /// The groups wave by wave, the first one the pilot; nil when all go at once. Nil is not written, so that plans from before there
  /// were waves keep their hash.
  public var waves: [[GroupID]]?

  /// What the buses were when this was planned: what a drain can show depends on it. Nil is not written, as above.
  public var sourceDialect: Dialect?
  public var targetDialect: Dialect?

  /// Who writes the register, where the daemon does not; nil when it does.
  public var writer: RegisterOffer.Writer?

  /// SHA-256 over the canonical form of all the above.
  public var hash: String { CanonicalJSON.sha256(of: self) }

  /// Whether the plan can be carried out.
  public var isClear: Bool { self.obstacles.isEmpty && !self.groups.isEmpty }

  public var herIDs: [HerID] { self.groups.flatMap { $0.members.map(\.herID) } }
}

/// A queue-sharing group, named after its lowest HER-ID.
public struct GroupID: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
  public let lowest: HerID
  public init(_ lowest: HerID) { self.lowest = lowest }
  public init(from decoder: any Decoder) throws { self.lowest = try HerID(from: decoder) }
  public func encode(to encoder: any Encoder) throws { try self.lowest.encode(to: encoder) }
  public static func < (lhs: GroupID, rhs: GroupID) -> Bool { lhs.lowest < rhs.lowest }
  public var description: String { "group-\(self.lowest)" }
}
