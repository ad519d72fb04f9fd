// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Which way the group goes. A roll-back is the same ladder with the roles swapped.
public enum Direction: String, Sendable, Hashable, Codable, CaseIterable {
  case forward, back
}

/// Names one write to the register: pulje, HER-ID, direction, number. Unique for all time, since a pulje's name is.
public struct OperationID: Sendable, Hashable, Codable, CustomStringConvertible {
  public let text: String
  init(pulje: PuljeName, herID: HerID, direction: Direction, number: Int) {
    self.text = "\(pulje)/\(herID)/\(direction.rawValue)/\(number)"
  }
  /// An operation that no pulje has: what comes late, or from elsewhere.
  package static func stray(_ herID: HerID) -> OperationID { OperationID(text: "stray/\(herID)") }
  private init(text: String) { self.text = text }
  public init(from decoder: any Decoder) throws { self.text = try decoder.singleValueContainer().decode(String.self) }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.text)
  }
  public var description: String { self.text }
}

/// What the register's answer to a write was. None of them is proof: the read-back is.
public enum WriteOutcome: Sendable, Hashable, Codable {
  /// The register answered that it has done it.
  case answered
  /// No answer, or one we cannot read: done or not.
  case unknown(String)
  /// The register answered that it would not.
  case refused(String)
  /// A person does it by hand from these instructions; the read-back will tell when.
  case handedOver(String)
  /// It was sent, and the register's log shows that somebody else changed the entry between our look and our write, which may have
  /// taken that change away. What the entry read afterwards stands with it: the goal, or, where reads lag, what it was before. A person looks before anything goes on (I-5).
  indirect case overwrote(found: PartyRecord, seen: String)
}

/// One party of a group on its way.
public struct Member: Sendable, Hashable, Codable {
  /// How far this party's register entry has come in the present direction.
  public enum Writing: Sendable, Hashable, Codable {
    case untouched
    /// The intent is durable; the call may or may not have been made.
    case intent(OperationID)
    /// The call was made, or may have been.
    case unknown(OperationID?)
    /// Read back as it should be.
    case atGoal
    /// Read back as neither before nor after.
    indirect case conflict(PartyRecord)
  }

  private let planned: Unchanging<Plan.Member>
  public var plan: Plan.Member { _read { yield self.planned.value } }
  /// Of the record before and after, worked out once: they are compared at every reading.
  public let beforeHash: RecordHash
  public let afterHash: RecordHash
  public internal(set) var writing: Writing = .untouched
  /// Intents ever written for this party, both ways: numbers the operations.
  public internal(set) var intents: Int = 0
  /// Writes in this direction that read back as not done; for a party that inherits, reads that lag behind the parent.
  public internal(set) var failedTries: Int = 0
  /// A person was asked to make the open write by hand.
  public internal(set) var handedOver: Bool = false
  /// Whether the entry was read and found at its goal since the last start of the daemon (I-11).
  public internal(set) var recordProven: Bool = false
  public internal(set) var lastReadAt: Instant?
  public internal(set) var lastReadHash: RecordHash?
  public internal(set) var lastOutcome: WriteOutcome?

  init(_ plan: Plan.Member) {
    self.planned = Unchanging(plan)
    self.beforeHash = plan.before.hash
    self.afterHash = plan.after.hash
  }

  public var herID: HerID { self.plan.herID }

  /// The record a write in `direction` starts from.
  public func base(_ direction: Direction) -> PartyRecord { direction == .forward ? self.plan.before : self.plan.after }
  /// The record a write in `direction` leads to.
  public func goal(_ direction: Direction) -> PartyRecord { direction == .forward ? self.plan.after : self.plan.before }

  package func baseHash(_ direction: Direction) -> RecordHash { direction == .forward ? self.beforeHash : self.afterHash }
  func goalHash(_ direction: Direction) -> RecordHash { direction == .forward ? self.afterHash : self.beforeHash }

  var isUnresolved: Bool {
    switch self.writing {
    case .intent, .unknown: true
    default: false
    }
  }

  var isInConflict: Bool { if case .conflict = self.writing { true } else { false } }

  /// Why this party is in conflict; nil when it is not.
  var conflictWords: String? {
    guard case .conflict(let found) = self.writing else { return nil }
    guard case .overwrote(let then, let seen)? = self.lastOutcome, found.hash == then.hash else {
      return "HER-ID \(self.herID) reads as neither before nor after; it is never written over"
    }
    return "HER-ID \(self.herID): \(seen). Settle with them what shall hold, then resume the party, or roll it back"
  }
}
