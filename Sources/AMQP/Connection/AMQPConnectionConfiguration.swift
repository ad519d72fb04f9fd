// SPDX-License-Identifier: Apache-2.0

import Disclosure
import NIOCore
import NIOSSL

/// Where and how to connect.
public struct AMQPConnectionConfiguration: Sendable, CustomStringConvertible {
  /// Encryption of the connection.
  public enum Encryption: Sendable, Hashable {
    /// Plain TCP. A password is sent over it only to this machine itself, unless
    /// ``AMQPConnectionConfiguration/allowsPasswordInClear`` says otherwise.
    case none
    /// TLS 1.2 or later; chain and name of the server's certificate are verified.
    ///
    /// `authorities`: PEM files of authorities to trust instead of the system's; empty for the system's. `identity`: this
    /// client's own certificate, where the bus wants one. Files are read anew for every connection.
    case tls(authorities: [String] = [], identity: AMQPClientIdentity? = nil)

    var identity: AMQPClientIdentity? { if case .tls(_, let identity) = self { identity } else { nil } }
  }

  public var host: String
  public var port: Int
  public var encryption: Encryption
  /// Who logs in, and how.
  public var credentials: AMQPCredentials
  /// What the Open frame calls the host; nil for ``host``. RabbitMQ takes `vhost:NAME` here.
  public var virtualHost: String?
  /// This process's name at the peer; should be unique among clients.
  public var containerID: String
  /// Told to the peer in the Open frame: product, version.
  public var properties: AMQPMap
  /// The connection counts as dead when nothing came for this long. The peer is asked for a heartbeat within half of it.
  /// At least 2 s: RabbitMQ refuses to be asked for more than one a second. Default 60 s.
  public var idleTimeout: Duration
  /// The largest frame we take. At least 512. Default 64 KiB.
  public var maximumFrameSize: UInt32
  /// The largest message we take; a larger one is rejected. Default 64 MiB.
  public var maximumMessageSize: Int
  /// From the first packet to the open connection. Default 15 s: a bus takes 3 s to refuse a password.
  public var connectTimeout: Duration
  /// For attach, send and detach where the call states none. Default 30 s.
  public var operationTimeout: Duration
  /// Whether a password may be sent unencrypted to another machine. Default false.
  public var allowsPasswordInClear: Bool
  /// How much is read into memory of what a peer sends, when a message is decoded.
  public var decodingLimits = AMQPDecodingLimits()
  /// Metrics, spans and the frame trace. Default none.
  public var observability = AMQPObservability.none
  /// A receiver without credit, on which nothing is unsettled either, cannot move by itself. After this long its link is ended
  /// with `linkStalled`, so that whoever recovers attaches again. Default 60 s.
  public var stalledLinkTimeout: Duration
  /// A receiver that has credit and has heard nothing for this long is ended with `linkQuiet`, so that whoever recovers
  /// attaches again: RabbitMQ 3 does not tell a receiver that its queue was deleted. Nil for never. Default 10 minutes.
  public var quietLinkTimeout: Duration?
  /// The most links at a time; fewer where the peer allows fewer. Default 200.
  public var maximumLinks: Int

  public init(
    host: String, port: Int? = nil, encryption: Encryption = .tls(), login: AMQPLogin, containerID: String,
    virtualHost: String? = nil, properties: AMQPMap = [:], idleTimeout: Duration = .seconds(60),
    maximumFrameSize: UInt32 = 65_536, maximumMessageSize: Int = 64 << 20, connectTimeout: Duration = .seconds(15),
    operationTimeout: Duration = .seconds(30), allowsPasswordInClear: Bool = false,
    stalledLinkTimeout: Duration = .seconds(60), quietLinkTimeout: Duration? = .seconds(600), maximumLinks: Int = 200
  ) {
    self.host = host
    self.port = port ?? (encryption == .none ? 5672 : 5671)
    self.encryption = encryption
    self.credentials = .login(login)
    self.containerID = containerID
    self.virtualHost = virtualHost
    self.properties = properties
    self.idleTimeout = idleTimeout
    self.maximumFrameSize = maximumFrameSize
    self.maximumMessageSize = maximumMessageSize
    self.connectTimeout = connectTimeout
    self.operationTimeout = operationTimeout
    self.allowsPasswordInClear = allowsPasswordInClear
    self.stalledLinkTimeout = stalledLinkTimeout
    self.quietLinkTimeout = quietLinkTimeout
    self.maximumLinks = maximumLinks
  }

  /// Scheme, host and port; never the login.
  public var description: String { "\(self.encryption == .none ? "amqp" : "amqps")://\(self.host):\(self.port)" }

  /// What is wrong with it, before anything is tried.
  func validate() throws(AMQPError) {
    func refuse(_ seen: String) -> AMQPError {
      AMQPError(.configurationInvalid, .connection, .local, tried: "connect to \(self)", seen: seen)
    }
    if self.host.isEmpty { throw refuse("the host is empty") }
    if !(1...65_535).contains(self.port) { throw refuse("port \(self.port) does not exist") }
    if self.idleTimeout < .seconds(2) { throw refuse("an idle timeout below 2 s, which RabbitMQ refuses without a word") }
    if self.maximumFrameSize < 512 { throw refuse("a maximum frame size below 512") }
    if self.stalledLinkTimeout <= .zero || self.quietLinkTimeout.map({ $0 <= .zero }) == true {
      throw refuse("a time-out of links that is not above zero")
    }
    if self.maximumLinks < 1 { throw refuse("no links are allowed") }
    if self.containerID.isEmpty { throw refuse("the container id is empty") }
    if case .login(let login) = self.credentials { try self.validate(login) }
  }

  /// Whether `login` can go over a connection of this kind.
  func validate(_ login: AMQPLogin) throws(AMQPError) {
    func refuse(_ seen: String) -> AMQPError {
      AMQPError(.configurationInvalid, .connection, .local, tried: "log in at \(self)", seen: seen)
    }
    switch login {
    case .plain(let user, let password):
      if user.isEmpty || password.isEmpty { throw refuse("user or password is empty") }
      // A zero byte ends user or password in the mechanism's own form (RFC 4616).
      if user.utf8.contains(0) || password.withPlainText({ $0.utf8.contains(0) }) {
        throw refuse("user or password holds a zero byte")
      }
      if self.encryption == .none, !self.isThisMachine, !self.allowsPasswordInClear {
        throw refuse("a password would be sent unencrypted to another machine; use amqps")
      }
    case .external:
      if self.encryption.identity == nil {
        throw refuse("EXTERNAL logs in by the client certificate, and none is configured")
      }
    case .anonymous: break
    }
  }

  var watchdogLimits: ConnectionCore.Watchdog.Limits {
    .init(
      stalled: TimeAmount(self.stalledLinkTimeout), quiet: self.quietLinkTimeout.map { TimeAmount($0) },
      idle: TimeAmount(self.idleTimeout))
  }

  private var isThisMachine: Bool {
    self.host == "localhost" || self.host == "::1" || self.host.hasPrefix("127.")
  }
}
