// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// From a configuration to an open connection: TCP, TLS, SASL, Open.
struct ConnectionOpening {
  private let configuration: AMQPConnectionConfiguration
  private let group: any EventLoopGroup
  private let logger: Logger

  init(_ configuration: AMQPConnectionConfiguration, on group: (any EventLoopGroup)?, logger: Logger) {
    self.configuration = configuration
    self.group = group ?? NIOSingletons.posixEventLoopGroup
    self.logger = logger
  }

  private var tried: String { "connect to \(self.configuration)" }

  func open() async throws(AMQPError) -> AMQPConnection {
    try self.configuration.validate()
    let tls = try self.tlsContext()
    let eventLoop = self.group.any()
    let settings = self.engineSettings()
    let name = self.configuration.description
    let host = self.configuration.host
    let bootstrap = ClientBootstrap(group: eventLoop)
      .connectTimeout(TimeAmount(self.configuration.connectTimeout))
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.allowRemoteHalfClosure, value: true)

    let made = OneShot<(NIOLoopBound<ConnectionCore>, OneShot<Result<AMQPPeer, AMQPError>>, OneShot<AMQPError>)>()
    let channel: any Channel
    do {
      channel = try await bootstrap.connect(host: host, port: self.configuration.port) { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls { try channel.pipeline.syncOperations.addHandler(Self.tlsHandler(tls, host: host)) }
          let engine = ProtonEngine(settings)
          let core = ConnectionCore(name: name, engine: engine, eventLoop: channel.eventLoop)
          let handler = EngineHandler(engine: engine, owner: core)
          core.start(handler)
          try channel.pipeline.syncOperations.addHandler(handler)
          made.fulfil((NIOLoopBound(core, eventLoop: channel.eventLoop), core.opened, core.closed))
          return channel
        }
      }
    } catch {
      throw ConnectionFailure.error(error, tried: self.tried)
    }
    guard let (core, opened, closed) = made.current else {
      throw AMQPError(.unreachable, .connection, .local, tried: self.tried, seen: "the channel was not set up")
    }
    let late = AMQPError(
      .connectTimedOut, .connection, .local, tried: self.tried,
      seen: "TCP connected, but no AMQP connection was open after \(self.configuration.connectTimeout)")
    let timer = channel.eventLoop.scheduleTask(in: TimeAmount(self.configuration.connectTimeout)) { core.value.abort(late) }
    defer { timer.cancel() }
    do {
      let peer = try await opened.wait().get()
      self.logger.debug(
        "connected",
        metadata: [
          LogKey.peer.rawValue: "\(peer.product ?? peer.containerID) \(peer.version ?? "")", LogKey.endpoint.rawValue: "\(name)",
        ])
      return AMQPConnection(self.configuration, peer: peer, core: core, ended: closed, eventLoop: channel.eventLoop)
    } catch let error as AMQPError {
      throw AMQPError(error.code, error.scope, error.origin, condition: error.condition, tried: self.tried, seen: error.seen)
    } catch {
      channel.eventLoop.execute { core.value.abort() }
      throw AMQPError(.cancelled, .connection, .local, tried: self.tried, seen: "the task was cancelled")
    }
  }

  private func engineSettings() -> ProtonEngine.Settings {
    var settings = ProtonEngine.Settings(containerID: self.configuration.containerID)
    settings.hostname = self.configuration.virtualHost ?? self.configuration.host
    settings.idleTimeoutMilliseconds = UInt32(clamping: self.configuration.idleTimeout.milliseconds)
    settings.maxFrameSize = self.configuration.maximumFrameSize
    settings.maxMessageSize = self.configuration.maximumMessageSize
    settings.properties = self.configuration.properties
    switch self.configuration.login {
    case .anonymous: settings.login = .anonymous
    case .plain(let user, let password):
      settings.login = password.withPlainText { .plain(user: user, password: $0) }
    }
    return settings
  }

  private func tlsContext() throws(AMQPError) -> NIOSSLContext? {
    guard case .tls(let authorities) = self.configuration.encryption else { return nil }
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    tls.certificateVerification = .fullVerification
    do {
      if !authorities.isEmpty {
        tls.trustRoots = .certificates(try authorities.flatMap { try NIOSSLCertificate.fromPEMFile($0) })
      }
      return try NIOSSLContext(configuration: tls)
    } catch {
      throw AMQPError(
        .configurationInvalid, .connection, .local, tried: self.tried,
        seen: "the authorities file \(authorities.joined(separator: ", ")) cannot be read: \(error)")
    }
  }

  private static func tlsHandler(_ context: NIOSSLContext, host: String) throws -> NIOSSLClientHandler {
    // Server name indication takes no IP addresses; the name check then is against the certificate's IP names.
    let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
    return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
  }
}

extension Duration {
  /// Whole milliseconds, rounded towards zero.
  var milliseconds: Int64 {
    self.components.seconds * 1_000 + self.components.attoseconds / 1_000_000_000_000_000
  }
}
