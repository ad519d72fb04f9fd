// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Which generation of a link something belongs to: never the same twice in one process.
///
/// A link that is attached again after a loss is of a new generation, and knows nothing of the deliveries of the old one.
public struct AMQPEpoch: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The number of the connection in this process, counted from 1.
  public let connection: UInt64
  /// The number of the link on its connection; 0 for the connection itself. Not consecutive.
  public let link: UInt64

  public init(connection: UInt64, link: UInt64) {
    self.connection = connection
    self.link = link
  }

  private static let lastConnection = Atomic<UInt64>(0)

  static func nextConnection() -> UInt64 { self.lastConnection.wrappingAdd(1, ordering: .relaxed).newValue }

  public static func < (lhs: AMQPEpoch, rhs: AMQPEpoch) -> Bool { (lhs.connection, lhs.link) < (rhs.connection, rhs.link) }

  public var description: String { "\(self.connection).\(self.link)" }
}
