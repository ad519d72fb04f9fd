// SPDX-License-Identifier: Apache-2.0

/// Where and how an ``AMQPClient`` connects, comes back and leaves.
public struct AMQPClientConfiguration: Sendable, CustomStringConvertible {
  /// The same bus at one or more places. The first is tried first; after a failure the next in turn; after a connection that
  /// stood for a stable while, the first again.
  public var endpoints: [AMQPConnectionConfiguration]
  public var recovery: AMQPRecoveryPolicy
  /// Whether sending and receiving have a connection each: a bus that holds up publishers (alarm, flow control) holds up
  /// their whole connection, and must not hold up receivers. Default true. The receiving one is made when first needed.
  public var separatesReceiving: Bool
  /// For leaving in all: work under way, hand-back, detach, close. Default 10 s. Then connections are cut; sends that are in
  /// flight end as unknown.
  public var shutdownDeadline: Duration
  /// For a call that states no deadline of its own: connection, attach, credit and outcome together. Default 30 s.
  public var operationTimeout: Duration
  /// Senders kept attached at once; the one unused for longest makes room. Default 40: RabbitMQ 4 allows 64 sessions a
  /// connection, and every link has one.
  public var maximumSenders: Int

  public init(
    endpoints: [AMQPConnectionConfiguration], recovery: AMQPRecoveryPolicy = AMQPRecoveryPolicy(),
    separatesReceiving: Bool = true, shutdownDeadline: Duration = .seconds(10), operationTimeout: Duration? = nil,
    maximumSenders: Int = 40
  ) {
    self.endpoints = endpoints
    self.recovery = recovery
    self.separatesReceiving = separatesReceiving
    self.shutdownDeadline = shutdownDeadline
    self.operationTimeout = operationTimeout ?? endpoints.first?.operationTimeout ?? .seconds(30)
    self.maximumSenders = maximumSenders
  }

  /// One endpoint, and defaults for the rest.
  public init(_ endpoint: AMQPConnectionConfiguration, recovery: AMQPRecoveryPolicy = AMQPRecoveryPolicy()) {
    self.init(endpoints: [endpoint], recovery: recovery)
  }

  /// The endpoints' schemes, hosts and ports; never a login.
  public var description: String { self.endpoints.map(\.description).joined(separator: ", ") }

  /// - Throws: ``AMQPError`` `configurationInvalid`: what is wrong with it, before anything is tried.
  func validate() throws(AMQPError) {
    func refuse(_ seen: String) -> AMQPError {
      AMQPError(.configurationInvalid, .connection, .local, tried: "use a client of \(self)", seen: seen)
    }
    if self.endpoints.isEmpty { throw refuse("no endpoint is configured") }
    for endpoint in self.endpoints { try endpoint.validate() }
    if let problem = self.recovery.problem { throw refuse(problem) }
    if self.shutdownDeadline <= .zero { throw refuse("the shutdown deadline is not greater than zero") }
    if self.operationTimeout <= .zero { throw refuse("the operation timeout is not greater than zero") }
    if self.maximumSenders < 1 { throw refuse("maximumSenders below 1") }
  }

  /// The endpoint's configuration for one use; the receiving connection has a name of its own.
  func endpoint(_ index: Int, for use: AMQPConnectionUse) -> AMQPConnectionConfiguration? {
    guard self.endpoints.indices.contains(index) else { return nil }
    var endpoint = self.endpoints[index]
    if use == .receiving { endpoint.containerID += "-receiving" }
    return endpoint
  }
}

/// What a connection of an ``AMQPClient`` is for.
public enum AMQPConnectionUse: String, Sendable, Hashable, CaseIterable {
  /// Senders; and receivers too, where the configuration does not separate them.
  case sending
  case receiving
}
