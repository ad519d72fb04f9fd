// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Which bus and queue a message for a party goes to, and how old that knowledge is.
public struct Route: Sendable, Hashable, CustomStringConvertible {
  public var herID: HerID
  public var kind: QueueKind
  public var bus: BusName
  public var address: QueueAddress
  /// The age of the register's entry when it was looked up.
  public var age: Duration
  /// Why a look-up gave an entry older than it wanted: an error code and what was seen; nil when it is fresh.
  public var staleBecause: String?

  public init(
    herID: HerID, kind: QueueKind, bus: BusName, address: QueueAddress, age: Duration = .zero, staleBecause: String? = nil
  ) {
    self.herID = herID
    self.kind = kind
    self.bus = bus
    self.address = address
    self.age = age
    self.staleBecause = staleBecause
  }

  /// Whether both lead to the same place, whatever their age.
  func leadsWhere(_ other: Route) -> Bool { self.bus == other.bus && self.address == other.address }

  public var description: String { "\(self.address) on \(self.bus), known for \(self.age)" }
}
