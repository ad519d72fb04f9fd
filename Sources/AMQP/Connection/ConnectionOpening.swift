// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// From a configuration to an open connection: credentials, TCP, TLS, SASL, Open.
struct ConnectionOpening {
  /// A connection that is logged in.
  private struct Entered: Sendable {
    let core: NIOLoopBound<ConnectionCore>
    let opened: OneShot<Result<AMQPPeer, AMQPError>>
    let closed: OneShot<AMQPError>
    let mechanisms: [String]
  }

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
    let eventLoop = self.group.any()
    let login = try await self.login(eventLoop)
    let tls = try await self.tlsContext()
    let entered = OneShot<Result<Entered, AMQPError>>()
    let handler = OneShot<NIOLoopBound<ClientLoginHandler>>()
    let deadline = NIODeadline.now() + TimeAmount(self.configuration.connectTimeout)
    let channel = try await self.connect(eventLoop) { channel in
      try self.setUp(channel, login, tls, handler) { entered.fulfil($0) }
    }
    let timer = channel.eventLoop.scheduleTask(deadline: deadline) { self.end(handler.current, entered.current, self.late) }
    defer { timer.cancel() }
    do {
      let made = try await entered.wait().get()
      var peer = try await made.opened.wait().get()
      peer.mechanisms = made.mechanisms
      self.logger.debug(
        "connected",
        metadata: [
          LogKey.peer.rawValue: "\(peer.product ?? peer.containerID) \(peer.version ?? "")",
          LogKey.endpoint.rawValue: "\(self.configuration)",
        ])
      let observability = self.configuration.observability
      if let metrics = observability.metrics {
        let core = made.core
        MetricsReporter.start(metrics, every: observability.gaugeInterval, channel) { core.value.statistics() }
      }
      return AMQPConnection(self.configuration, peer: peer, core: made.core, ended: made.closed, eventLoop: channel.eventLoop)
    } catch var error as AMQPError {
      error.tried = self.tried
      if case .success(let made)? = entered.current {
        error.opening = AMQPError.Opening(offeredMechanisms: made.mechanisms, isLoggedIn: true)
      }
      throw error
    } catch {
      let cancelled = AMQPError(.cancelled, .connection, .local, tried: self.tried, seen: "the task was cancelled")
      channel.eventLoop.execute { self.end(handler.current, entered.current) { _ in cancelled } }
      throw cancelled
    }
  }

  private func late(_ awaited: String) -> AMQPError {
    AMQPError(
      .connectTimedOut, .connection, .local, tried: self.tried,
      seen: "TCP connected, but after \(self.configuration.connectTimeout) \(awaited) had not come")
  }

  /// Ends an opening that is under way, however far it has come. On the event loop.
  private func end(
    _ handler: NIOLoopBound<ClientLoginHandler>?, _ entered: Result<Entered, AMQPError>?, _ error: (String) -> AMQPError
  ) {
    switch entered {
    case .success(let made)?: made.core.value.abort(error("the server's Open"))
    case .failure?: break
    case nil: handler.map { $0.value.end(because: error($0.value.waiting)) }
    }
  }

  private func connect(
    _ eventLoop: any EventLoop, _ setUp: @escaping @Sendable (any Channel) throws -> Void
  ) async throws(AMQPError) -> any Channel {
    let bootstrap = ClientBootstrap(group: eventLoop)
      .connectTimeout(TimeAmount(self.configuration.connectTimeout))
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.allowRemoteHalfClosure, value: true)
    do {
      return try await bootstrap.connect(host: self.configuration.host, port: self.configuration.port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try setUp(channel)
          return channel
        }
      }
    } catch {
      throw ConnectionFailure.error(error, tried: self.tried)
    }
  }

  /// TLS, then the login; the engine comes when the login is done. On the event loop.
  private func setUp(
    _ channel: any Channel, _ login: AMQPLogin, _ tls: NIOSSLContext?, _ handler: OneShot<NIOLoopBound<ClientLoginHandler>>,
    _ entered: @escaping @Sendable (Result<Entered, AMQPError>) -> Void
  ) throws {
    let host = self.configuration.host
    let tlsHandler = try tls.map { try Self.tlsHandler($0, host: host) }
    let failure = TLSFailure(host: host, hasIdentity: self.configuration.encryption.identity != nil, now: 0)
    let settings = Self.engineSettings(self.configuration)
    let name = self.configuration.description
    let limits = self.configuration.watchdogLimits
    let maximumLinks = self.configuration.maximumLinks
    let logger = self.logger
    let loginHandler = ClientLoginHandler(
      login, hostname: host, containerID: self.configuration.containerID, tls: tlsHandler, failure: failure, tried: self.tried
    ) {
      result, context in
      entered(
        result.flatMap { mechanisms in
          let engine = ProtonEngine(settings)
          let core = ConnectionCore(
            name: name, engine: engine, eventLoop: context.eventLoop, limits: limits, maximumLinks: maximumLinks,
            logger: logger)
          let engineHandler = EngineHandler(engine: engine, owner: core)
          do {
            try context.pipeline.syncOperations.addHandler(engineHandler)
          } catch {
            return .failure(ConnectionFailure.error(error, tried: "use the connection to \(name)"))
          }
          core.start(engineHandler)
          engineHandler.pump()
          return .success(
            Entered(
              core: NIOLoopBound(core, eventLoop: context.eventLoop), opened: core.opened, closed: core.closed,
              mechanisms: mechanisms))
        })
    }
    if let tlsHandler { try channel.pipeline.syncOperations.addHandler(tlsHandler) }
    if self.configuration.observability.logsFrames, self.logger.logLevel <= .trace {
      try channel.pipeline.syncOperations.addHandler(FrameTraceHandler(self.logger, endpoint: name))
    }
    try channel.pipeline.syncOperations.addHandler(loginHandler)
    handler.fulfil(NIOLoopBound(loginHandler, eventLoop: channel.eventLoop))
  }

  private func login(_ eventLoop: any EventLoop) async throws(AMQPError) -> AMQPLogin {
    switch self.configuration.credentials {
    case .login(let login): return login
    case .provided(let provider):
      let login = try await CredentialRequest(provider: provider, eventLoop: eventLoop, tried: self.tried).login()
      try self.configuration.validate(login)
      return login
    }
  }

  static func engineSettings(_ configuration: AMQPConnectionConfiguration) -> ProtonEngine.Settings {
    var settings = ProtonEngine.Settings(containerID: configuration.containerID)
    settings.hostname = configuration.virtualHost ?? configuration.host
    settings.idleTimeoutMilliseconds = UInt32(clamping: configuration.idleTimeout.milliseconds)
    settings.maxFrameSize = configuration.maximumFrameSize
    settings.maxMessageSize = configuration.maximumMessageSize
    settings.properties = configuration.properties
    return settings
  }

  /// Reads files, so not on a thread that others wait for.
  private func tlsContext() async throws(AMQPError) -> NIOSSLContext? {
    guard case .tls(let authorities, let identity) = self.configuration.encryption else { return nil }
    let made: Result<NIOSSLContext, AMQPError>
    do {
      let tried = self.tried
      made = try await NIOSingletons.posixBlockingThreadPool.runIfActive {
        Self.tlsContext(authorities, identity, tried: tried)
      }
    } catch {
      throw AMQPError(.cancelled, .connection, .local, tried: self.tried, seen: "the task was cancelled")
    }
    return try made.get()
  }

  private static func tlsContext(
    _ authorities: [String], _ identity: AMQPClientIdentity?, tried: String
  ) -> Result<NIOSSLContext, AMQPError> {
    func invalid(_ seen: String) -> Result<NIOSSLContext, AMQPError> {
      .failure(AMQPError(.configurationInvalid, .connection, .local, tried: tried, seen: seen))
    }
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    tls.certificateVerification = .fullVerification
    do {
      if !authorities.isEmpty {
        tls.trustRoots = .certificates(try authorities.flatMap { try NIOSSLCertificate.fromPEMFile($0) })
      }
    } catch {
      return invalid("the authorities file \(authorities.joined(separator: ", ")) cannot be read: \(error)")
    }
    do {
      try identity?.apply(to: &tls)
    } catch {
      return invalid(error.what)
    }
    do {
      return .success(try NIOSSLContext(configuration: tls))
    } catch {
      return invalid(
        identity == nil
          ? "TLS cannot be set up: \(error)"
          : "the client certificate and its private key do not belong together, or are of no use")
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
