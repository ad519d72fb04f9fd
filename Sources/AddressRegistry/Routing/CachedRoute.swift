// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Where messages for a party go, as last read: all that sending needs, and nothing else.
public struct CachedRoute: Sendable, Hashable {
  private let site: QueueSite
  private let queue: String
  /// When the register was asked for it.
  public let readAt: RegistryInstant

  init(site: QueueSite, queue: String, readAt: RegistryInstant) {
    self.site = site
    self.queue = queue
    self.readAt = readAt
  }

  public var bus: BusName { self.site.bus }
  public var address: QueueAddress {
    QueueAddress(lowerCaseHost: self.site.host, path: self.site.path, queue: self.queue)
  }

  public static func == (one: CachedRoute, other: CachedRoute) -> Bool {
    one.readAt == other.readAt && one.bus == other.bus && one.address == other.address
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(self.bus)
    hasher.combine(self.address)
    hasher.combine(self.readAt)
  }
}

/// What stands before the queue in an address, and the bus it is on. A reference, since thousands of routes share each: a look-up
/// counts one reference up where four texts would be counted up, and the table is a third as large.
final class QueueSite: Sendable {
  let bus: BusName
  /// Lower case.
  let host: String
  let path: String

  init(bus: BusName, host: String, path: String) {
    self.bus = bus
    self.host = host
    self.path = path
  }
}
