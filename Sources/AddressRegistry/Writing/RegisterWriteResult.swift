// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What became of an order, as the register's entries show it.
public enum RegisterWriteResult: Sendable, Hashable {
  /// Every entry was read and is what it should be.
  case applied(AppliedOrder)
  /// The register holds what it held: nothing was sent, or it said no and every entry was read to be as before.
  case notApplied(AddressRegistryError)
  /// It may have been done or not, or may still come: nothing may be written on top before it is known.
  case unknown(AddressRegistryError, [EntryReading])
  /// Some entry is neither what it was nor what it should be: somebody else writes there. Nothing is overwritten; a person looks.
  case conflict([EntryReading], wasSent: Bool)
  /// Every entry is what it should be, or does not show the write yet, but the register's log shows more than our one change since they were read: somebody else
  /// wrote between our look and our write, which then took that change away, or right after it. A person looks at what the log says.
  case overwrote([RegisterLogEntry], AppliedOrder)
  /// Some entries are what they should be, the others as before. Those are finished one by one, or all go back.
  case partlyApplied([EntryReading])
  /// A person has to do it; ``CheckedRegisterWriter/verify(_:)`` tells afterwards whether it was done.
  case toBeDoneByHand(ManualInstruction)
}

/// An order that was read to be done.
public struct AppliedOrder: Sendable, Hashable {
  /// As read back, in the order's order.
  public var records: [PartyRecord]
  /// False when it was so already, and nothing was sent.
  public var wasSent: Bool
  /// Entries whose addresses are the right ones in another order than the goal's. The order means nothing to senders, but an
  /// entry in here was not restored to the letter.
  public var outOfOrder: [HerID]

  public init(records: [PartyRecord], wasSent: Bool, outOfOrder: [HerID]) {
    self.records = records
    self.wasSent = wasSent
    self.outOfOrder = outOfOrder
  }
}

/// One entry as it was last read, against what the order knows of it.
public struct EntryReading: Sendable, Hashable {
  public enum State: Sendable, Hashable {
    /// What it should be.
    case reached
    /// What the order is based on.
    case asBefore
    /// Neither.
    case other
    case unreadable(AddressRegistryError)
  }

  public var herID: HerID
  public var state: State
  /// Nil when it could not be read.
  public var record: PartyRecord?

  public init(herID: HerID, state: State, record: PartyRecord?) {
    self.herID = herID
    self.state = state
    self.record = record
  }
}

/// All entries of an order, read.
struct OrderReading {
  var entries: [EntryReading]
  private let order: RegisterOrder

  init(_ order: RegisterOrder, _ readings: [Result<PartyRecord, AddressRegistryError>]) {
    self.order = order
    self.entries = zip(order.entries, readings).map { entry, reading in
      switch reading {
      case .failure(let error): EntryReading(herID: entry.basis.herID, state: .unreadable(error), record: nil)
      case .success(let record):
        EntryReading(
          herID: entry.basis.herID,
          state: record.hash == entry.goal.hash ? .reached : record.hash == entry.basis.hash ? .asBefore : .other,
          record: record)
      }
    }
  }

  var isReached: Bool { self.entries.allSatisfy { $0.state == .reached } }
  var hasOther: Bool { self.entries.contains { $0.state == .other } }

  var firstError: AddressRegistryError? {
    for entry in self.entries { if case .unreadable(let error) = entry.state { return error } }
    return nil
  }

  /// Whether no entry that the order would change has been changed. (Those it leaves alone are what they should be from the start.)
  var isAsBefore: Bool {
    zip(self.order.entries, self.entries).allSatisfy { $0.isUntouched ? $1.state == .reached : $1.state == .asBefore }
  }

  func applied(wasSent: Bool) -> AppliedOrder {
    AppliedOrder(
      records: self.entries.compactMap(\.record), wasSent: wasSent,
      outOfOrder: zip(self.order.entries, self.entries).filter { $0.goal.addresses != $1.record?.addresses }.map(\.1.herID))
  }
}
