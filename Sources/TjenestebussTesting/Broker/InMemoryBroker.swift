// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import AMQP
import BusModel
import Disclosure
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle

/// An AMQP 1.0 broker in memory that listens on loopback, for tests and rehearsals. Clients of any make can talk to it.
///
/// ```swift
/// try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, path: "NHNTESTServiceBus", queues: ["93238_async"])) {
///   broker in
///   try await AMQPConnection.withConnection(broker.clientConfiguration()) { ... }
/// }
/// ```
///
/// It follows its dialect in what a client can see: address forms, what a refused link costs, what becomes of the unroutable,
/// dead letters, outcomes. It keeps nothing over a restart, knows no transactions, and has one virtual host.
public final class InMemoryBroker: Service {
  public let configuration: Configuration
  private let gate = LoopGate()
  private let state = NIOLockedValueBox(State.new)
  /// Whether it came up; known once.
  private let outcome = OneShot<Bool>()

  struct Running: Sendable {
    let core: NIOLoopBound<BrokerCore>
    let settings: AMQPServer.Settings
    let port: Int
    /// Nil while connections are refused.
    var server: AMQPServer?
    var management: ManagementEndpoint?
  }

  private enum State {
    case new, starting, stopped
    case running(Running)
  }

  public init(_ configuration: Configuration) {
    self.configuration = configuration
  }

  // MARK: Life

  /// Listens.
  ///
  /// - Throws: ``InMemoryBrokerError``: `portTaken`, `tlsFilesUnusable`, `managementNotStarted`, `alreadyStarted`.
  public func start() async throws {
    let mayStart = self.state.withLockedValue { state in
      guard case .new = state else { return false }
      state = .starting
      return true
    }
    guard mayStart else {
      throw InMemoryBrokerError(.alreadyStarted, tried: "start the in-memory broker", seen: "it was started before")
    }
    do {
      let running = try await self.bringUp()
      self.state.withLockedValue { $0 = .running(running) }
      self.outcome.fulfil(true)
    } catch {
      self.outcome.fulfil(false)
      self.state.withLockedValue { $0 = .stopped }
      await self.gate.shutDown()
      throw error
    }
  }

  private func bringUp() async throws -> Running {
    let configuration = self.configuration
    let gate = self.gate
    let eventLoop = gate.eventLoop
    let settings = try self.serverSettings()
    let core = try await eventLoop.submit { NIOLoopBound(BrokerCore(configuration, on: gate), eventLoop: eventLoop) }.get()
    let server = try await InMemoryBroker.listen(configuration.host, configuration.port, settings, core, eventLoop)
    var running = Running(core: core, settings: settings, port: server.port, server: server)
    if let port = configuration.managementPort {
      do {
        running.management = try await ManagementEndpoint.start(
          configuration, port: port
        ) { try await gate.submit { core.value.snapshot() } }
      } catch {
        await server.close()
        throw error
      }
    }
    return running
  }

  private static func listen(
    _ host: String, _ port: Int, _ settings: AMQPServer.Settings, _ core: NIOLoopBound<BrokerCore>, _ eventLoop: any EventLoop
  ) async throws -> AMQPServer {
    let delegate = try await eventLoop.submit { NIOLoopBound<any ServerDelegate>(core.value, eventLoop: eventLoop) }.get()
    do {
      return try await AMQPServer.bind(host: host, port: port, on: eventLoop, settings: settings, delegate: delegate)
    } catch {
      throw InMemoryBrokerError(.portTaken, tried: "listen on \(host):\(port)", seen: String(describing: error))
    }
  }

  private func serverSettings() throws -> AMQPServer.Settings {
    let configuration = self.configuration
    let manners = BrokerManners(configuration.product)
    var tls: NIOSSLContext?
    if let files = configuration.tls {
      do {
        var server = TLSConfiguration.makeServerConfiguration(
          certificateChain: try NIOSSLCertificate.fromPEMFile(files.certificateChain).map { .certificate($0) },
          privateKey: .privateKey(try NIOSSLPrivateKey(file: files.privateKey, format: .pem)))
        server.minimumTLSVersion = .tlsv12
        if let authority = files.clientAuthority {
          server.trustRoots = .file(authority)
          server.certificateVerification = .optionalVerification
        }
        tls = try NIOSSLContext(configuration: server)
      } catch {
        throw InMemoryBrokerError(
          .tlsFilesUnusable, tried: "read \(files.certificateChain) and \(files.privateKey)", seen: String(describing: error))
      }
    }
    let introduction = manners.introduction
    let idle = configuration.idleTimeout.map { Int64($0 / .milliseconds(1)) } ?? Int64(introduction.idleTimeoutMilliseconds)
    var settings = AMQPServer.Settings(
      containerID: "in-memory-broker",
      mechanisms: manners.mechanisms(anonymousUser: configuration.anonymousUser, isEncrypted: tls != nil),
      // Proton tells half of it.
      idleTimeoutMilliseconds: UInt32(clamping: idle * 2), maximumFrameSize: introduction.maximumFrameSize,
      properties: configuration.product.openProperties, tls: tls)
    settings.channelMax = introduction.channelMax
    settings.detachesWithoutClosing = configuration.product == .rabbitMQ310
    return settings
  }

  /// Closes all connections as a broker does that is shut down in order, and stops listening. Idempotent.
  public func stop() async {
    let running: Running? = self.state.withLockedValue { state in
      defer { state = .stopped }
      if case .running(let running) = state { return running }
      return nil
    }
    guard let running else { return }
    await self.gate.shutDown {
      await running.management?.stop()
      await running.server?.close()
      try? await self.gate.submit {
        running.core.value.closeForShutdown()
        for client in running.core.value.clients.values { client.connection.flush() }
        running.core.value.abandonWaiters()
      }
    }
  }

  /// Waits until ``run()``, in another task, listens.
  ///
  /// - Throws: `notRunning` when it could not, or has stopped; `CancellationError`.
  public func waitUntilRunning() async throws {
    _ = try await self.outcome.wait()
    _ = try self.requireRunning()
  }

  /// Starts, and stops when the task is cancelled or the service group shuts down.
  public func run() async throws {
    try await self.start()
    try? await gracefulShutdown()
    await self.stop()
  }

  /// A broker for the time of `body`.
  public static func withBroker<Result: Sendable>(
    _ configuration: Configuration, _ body: (InMemoryBroker) async throws -> Result
  ) async throws -> Result {
    let broker = InMemoryBroker(configuration)
    try await broker.start()
    do {
      let result = try await body(broker)
      await broker.stop()
      return result
    } catch {
      await broker.stop()
      throw error
    }
  }

  // MARK: Where it is

  /// The port it listens on; nil when it does not run.
  public var port: Int? { self.running?.port }

  /// The port of the HTTP management; nil when it does not run or was not asked for.
  public var managementPort: Int? { self.running?.management?.port }

  /// How a client of ours connects: by the first user, or as `user`.
  ///
  /// - Throws: `notRunning`.
  public func clientConfiguration(
    user: String? = nil, password: Secret? = nil, authorities: [String] = [], containerID: String = "test-client"
  ) throws -> AMQPConnectionConfiguration {
    let port = try self.requireRunning().port
    let known = self.configuration.users.first { user == nil || $0.name == user }
    let login: AMQPLogin =
      if let name = user ?? known?.name, let password = password ?? known?.password {
        .plain(user: name, password: password)
      } else {
        .anonymous
      }
    let isEncrypted = self.configuration.tls != nil
    return AMQPConnectionConfiguration(
      host: isEncrypted ? "localhost" : self.configuration.host, port: port,
      encryption: isEncrypted ? .tls(authorities: authorities) : .none, login: login, containerID: containerID)
  }

  /// The target a sender to `queue` attaches to.
  public func sendingAddress(_ queue: String) -> String {
    LinkAddress.sending(to: queue, path: self.configuration.path, dialect: self.configuration.dialect).text
  }

  /// The source a receiver of `queue` attaches to.
  public func receivingAddress(_ queue: String) -> String {
    LinkAddress.receiving(from: queue, path: self.configuration.path, dialect: self.configuration.dialect).text
  }

  // MARK: The loop

  private var running: Running? {
    self.state.withLockedValue { if case .running(let running) = $0 { running } else { nil } }
  }

  func requireRunning() throws -> Running {
    guard let running = self.running else {
      throw InMemoryBrokerError(.notRunning, tried: "speak to the in-memory broker", seen: "it does not run")
    }
    return running
  }

  func onLoop<Result: Sendable>(_ body: @escaping @Sendable (BrokerCore) throws -> Result) async throws -> Result {
    let core = try self.requireRunning().core
    do {
      return try await self.gate.submit { try body(core.value) }
    } catch is LoopGate.Closed {
      throw InMemoryBrokerError(.notRunning, tried: "speak to the in-memory broker", seen: "it was stopped meanwhile")
    }
  }

  /// Stops listening; connections that stand are not touched.
  func stopListening() async throws {
    let server: AMQPServer? = self.state.withLockedValue { state in
      guard case .running(var running) = state else { return nil }
      let server = running.server
      running.server = nil
      state = .running(running)
      return server
    }
    await server?.close()
  }

  func listenAgain() async throws {
    let running = try self.requireRunning()
    guard running.server == nil else { return }
    let server = try await InMemoryBroker.listen(
      self.configuration.host, running.port, running.settings, running.core, self.gate.eventLoop)
    let isKept = self.state.withLockedValue { state in
      guard case .running(var running) = state, running.server == nil else { return false }
      running.server = server
      state = .running(running)
      return true
    }
    if !isKept { await server.close() }
  }

  /// - Returns: what cancels it.
  func timer(after delay: Duration, _ work: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
    self.gate.after(delay, work)
  }
}
