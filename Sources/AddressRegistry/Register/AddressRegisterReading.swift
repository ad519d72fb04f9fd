// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The address register (AR), read. ``SOAPAddressRegister`` speaks to the real one.
public protocol AddressRegisterReading: Sendable {
  /// The party's entry as the register has it now: never from a cache, so that it can serve as read-back after a write.
  ///
  /// ``RegistrySync`` and ``RegistryComparison`` call it on the event loops that all connections of the process share: it waits
  /// by `await` and never by blocking its thread.
  ///
  /// - Throws: ``AddressRegistryError`` `partyUnknown` when the register says there is no such HER-ID,
  ///   and the `register…` cases when it could not be asked or did not answer in a readable way. No error means
  ///   that the party is absent but `partyUnknown`. `CancellationError` when the calling task was cancelled.
  func party(_ herID: HerID) async throws -> PartyRecord
}
