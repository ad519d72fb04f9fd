// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The whole register in one answer.
public protocol PartyExporting: Sendable {
  /// Reads all parties, and hands them over in batches while the answer comes in; the answer waits while `take` works.
  ///
  /// A party that cannot be read is a ``PartyResult/unreadable(_:)`` in its batch. What was handed over is to be believed only
  /// when the export came to its end: a packed answer proves that it is undamaged by its last bytes, and what is missing from an
  /// export that failed says nothing.
  ///
  /// - Throws: what `take` throws; the `register…` cases of ``AddressRegistryError`` when the answer cannot be had to its end;
  ///   `CancellationError`.
  func export(_ take: @Sendable ([PartyResult]) async throws -> Void) async throws -> PartyExportEnd
}

/// What is known when an export has come in to its last byte.
public struct PartyExportEnd: Sendable, Hashable {
  /// From where ``PartyEventReading`` goes on; nil when the register did not say.
  public var lastEventID: String?
  /// How many parties came, unreadable ones among them.
  public var parties: Int
  public var unreadable: Int
  /// How many of the unreadable ones did not even show their HER-ID. A damaged one can hide others behind it.
  public var unnamed: Int

  /// Whether a party that did not come is not in the register (as an active one): every one that came could be named.
  public var provesAbsence: Bool { self.unnamed == 0 }

  public init(lastEventID: String?, parties: Int, unreadable: Int, unnamed: Int = 0) {
    self.lastEventID = lastEventID
    self.parties = parties
    self.unreadable = unreadable
    self.unnamed = unnamed
  }
}
