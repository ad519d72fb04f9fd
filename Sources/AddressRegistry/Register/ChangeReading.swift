// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The register asked for what changed.
public protocol ChangeReading: Sendable {
  /// The party's change log, in the register's order.
  ///
  /// - Throws: ``AddressRegistryError`` `partyUnknown`, the `register…` cases, `CancellationError`.
  func changeLog(_ herID: HerID) async throws -> [RegisterLogEntry]

  /// When each of the parties was last changed, as the register writes it (an XML `dateTime`): another text than last time means
  /// that the entry is to be read anew. Parties that the register left out are not in the answer.
  ///
  /// - Throws: the `register…` cases, `CancellationError`.
  func lastChanges(of herIDs: [HerID]) async throws -> [HerID: String]
}

/// A change that the register wrote down.
public struct RegisterLogEntry: Sendable, Hashable {
  public struct Change: Sendable, Hashable {
    public var name: String
    public var oldValue: String?
    public var newValue: String?

    public init(name: String, oldValue: String?, newValue: String?) {
      self.name = name
      self.oldValue = oldValue
      self.newValue = newValue
    }
  }

  /// As the register writes it.
  public var time: String
  /// The user who changed it, as the register writes it.
  public var byUser: String?
  public var description: String?
  public var changes: [Change]

  public init(time: String, byUser: String?, description: String?, changes: [Change]) {
    self.time = time
    self.byUser = byUser
    self.description = description
    self.changes = changes
  }
}
