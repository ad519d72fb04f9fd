// SPDX-License-Identifier: Apache-2.0

/// What the peer said of itself when the connection was opened.
public struct AMQPPeer: Sendable, Hashable {
  public var containerID: String
  /// "RabbitMQ", where the peer states it.
  public var product: String?
  public var version: String?
  public var idleTimeout: Duration
  public var maximumFrameSize: UInt32
  /// How many sessions it allows at a time on this connection.
  public var maximumSessions: Int
  /// The SASL mechanisms it offered, in its order.
  public var mechanisms: [String] = []

  /// RabbitMQ 3 ends a session over `modified` and over a drain, answers no Detach, and may fall silent with the connection open.
  var isRabbitMQ3: Bool { self.product == "RabbitMQ" && self.version?.hasPrefix("3.") == true }

  init(_ open: PeerOpen) {
    self.containerID = open.containerID
    self.product = open.properties["product"]?.text
    self.version = open.properties["version"]?.text
    self.idleTimeout = .milliseconds(Int64(open.idleTimeoutMilliseconds))
    self.maximumFrameSize = open.maxFrameSize
    self.maximumSessions = Int(open.channelMax) + 1
  }
}
