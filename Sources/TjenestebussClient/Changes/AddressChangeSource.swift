// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A party's entry in the address register has changed: what we remember of it is no longer to be trusted.
public struct AddressChange: Sendable, Hashable {
  public var herID: HerID
  /// What the register calls it, such as `CommunicationPartyUpdated`; for the log.
  public var event: String

  public init(herID: HerID, event: String = "CommunicationPartyUpdated") {
    self.herID = herID
    self.event = event
  }
}

/// Who tells that parties' entries in the register have changed. The client listens while it runs, and drops what it has cached
/// of the party at once: the next message asks the register.
///
/// The queue of NHN's own events is read by the client itself (``ServeConfiguration/registryEvents``). This port is for other
/// sources: a poll of the register's event feed, a database trigger, a test.
public protocol AddressChangeSource: Sendable {
  /// Calls `changed` for each change until the task is cancelled. Returns when there is nothing to come any more; that ends the
  /// source alone, not the client.
  func watch(_ changed: @Sendable (AddressChange) async -> Void) async
}

/// Any asynchronous sequence of changes as a source. An error of the sequence ends the source.
public struct AddressChangeSequence<Changes: AsyncSequence & Sendable>: AddressChangeSource
where Changes.Element == AddressChange {
  private let changes: Changes

  public init(_ changes: Changes) { self.changes = changes }

  public func watch(_ changed: @Sendable (AddressChange) async -> Void) async {
    do {
      for try await change in self.changes { await changed(change) }
    } catch {
      // What the sequence throws is its owner's to tell; the cache ages as without it.
    }
  }
}
