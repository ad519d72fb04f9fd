// SPDX-License-Identifier: Apache-2.0

/// What goes wrong on the way between a client and a bus, by order of a ``FaultProxy``.
///
/// `latency`, `timeout` and `slicing` last until ``FaultProxy/clear()``, for connections that stand and those to come. `byteLimit`
/// strikes once. The others befall the connections that stand at that moment; those to come are sound.
public enum NetworkFault: Sendable, Hashable, CustomStringConvertible {
  /// All comes so much later, and up to `jitter` more, drawn anew for each piece; order is kept.
  case latency(Duration, jitter: Duration = .zero)
  /// Both ends are closed at once, as by a device on the way that is restarted.
  case cut
  /// Nothing passes any more, closing neither, and neither end is told: a device on the way has forgotten the connection.
  case halfOpen
  /// The server's end is closed at once. The client's is closed so much later; what it sends until then is lost.
  case slowClose(Duration)
  /// Connections are accepted and nothing passes, until the fault is cleared; then all passes that was held back.
  case timeout
  /// Both ends are closed by a TCP reset.
  case reset
  /// All passes in pieces of so many bytes, with a pause after each.
  case slicing(bytes: Int, pause: Duration = .zero)
  /// So many bytes more pass, counted over all connections; then the connection that had the last one is closed at both ends.
  case byteLimit(Int)

  public var description: String {
    switch self {
    case .latency: "latency"
    case .cut: "cut"
    case .halfOpen: "half-open"
    case .slowClose: "slow close"
    case .timeout: "timeout"
    case .reset: "reset"
    case .slicing: "slicing"
    case .byteLimit: "byte limit"
    }
  }
}

/// Which way bytes go.
public struct ProxyDirections: OptionSet, Sendable, Hashable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  public static let toServer = ProxyDirections(rawValue: 1)
  public static let toClient = ProxyDirections(rawValue: 2)
  public static let both: ProxyDirections = [.toServer, .toClient]
}

/// What has passed through a ``FaultProxy``.
public struct ProxyStatistics: Sendable, Hashable {
  /// Connections that clients have made so far.
  public var connectionCount = 0
  /// Connections of which at least one end is open.
  public var openConnections = 0
  /// Written to the server, over all connections.
  public var bytesToServer = 0
  /// Written to clients, over all connections.
  public var bytesToClient = 0
  /// Byte limits that have struck.
  public var limitsStruck = 0

  public init() {}
}
