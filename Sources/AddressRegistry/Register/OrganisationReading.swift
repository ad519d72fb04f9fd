// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The register asked for an organisation with all that stands below it, in one answer.
public protocol OrganisationReading: Sendable {
  /// The organisation's entry and those of its services and persons as the register has them now, never from a cache of ours.
  ///
  /// - Throws: ``AddressRegistryError`` `partyUnknown` when there is no such HER-ID or it is no organisation, and the
  ///   `register…` cases. `CancellationError`.
  func organisation(_ herID: HerID) async throws -> OrganisationEntry
}

/// An organisation and what stands below it.
public struct OrganisationEntry: Sendable, Hashable {
  public var organisation: PartyRecord
  /// Services first, then persons, each in the register's order.
  public var below: [PartyResult]

  public init(organisation: PartyRecord, below: [PartyResult]) {
    self.organisation = organisation
    self.below = below
  }
}
