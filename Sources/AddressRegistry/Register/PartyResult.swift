// SPDX-License-Identifier: Apache-2.0

import BusModel

/// One party where many are read at once: a bad one is its own failure and never the end of the rest.
public enum PartyResult: Sendable, Hashable {
  case party(PartyRecord)
  case unreadable(PartyFailure)

  /// The party's number; nil when not even that could be read.
  public var herID: HerID? {
    switch self {
    case .party(let record): record.herID
    case .unreadable(let failure): failure.herID
    }
  }

  public var record: PartyRecord? {
    switch self {
    case .party(let record): record
    case .unreadable: nil
    }
  }

  public var failure: PartyFailure? {
    switch self {
    case .party: nil
    case .unreadable(let failure): failure
    }
  }
}

/// A party that the register gave, and that could not be read.
public struct PartyFailure: Error, Sendable, Hashable {
  /// Nil when not even the number could be read.
  public var herID: HerID?
  /// Where it stood in the answer, counted from 1.
  public var place: Int
  public var error: AddressRegistryError

  public init(herID: HerID?, place: Int, error: AddressRegistryError) {
    self.herID = herID
    self.place = place
    self.error = error
  }
}
