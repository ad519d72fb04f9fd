// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The register of collaboration protocols (CPPA), read.
public protocol CollaborationProtocolReading: Sendable {
  /// The party's profile; nil when it has none.
  ///
  /// - Throws: the `register…` and `token…` cases of ``AddressRegistryError``, `CancellationError`.
  func profile(_ herID: HerID) async throws -> CollaborationProtocol?

  /// The ids of the party's agreements.
  func agreementIDs(of herID: HerID) async throws -> [String]

  /// The agreement with this id; nil when there is none.
  func agreement(id: String) async throws -> CollaborationProtocol?
}

extension CollaborationProtocolRegister: CollaborationProtocolReading {}
