// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The whole register in one answer.
public protocol PartyExporting: Sendable {
  /// Reads all parties, and hands them over in batches while the answer comes in; the answer waits while `take` works.
  ///
  /// A party that cannot be read is a ``PartyResult/unreadable(_:)`` in its batch. What was handed over before an error
  /// came in whole and stays true; what is missing from an export that failed says nothing.
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

  public init(lastEventID: String?, parties: Int, unreadable: Int) {
    self.lastEventID = lastEventID
    self.parties = parties
    self.unreadable = unreadable
  }
}
