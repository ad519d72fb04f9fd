// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded

@testable import AMQP

extension NIOAsyncTestingChannel: WritabilitySettable {}

/// A client's connection and the server it talks to, on one testing loop and without a socket: the time is what the test says, and
/// minutes of it pass at once.
struct StagedConnection: Sendable {
  let connection: AMQPConnection
  let loop: NIOAsyncTestingEventLoop
  private let parts: NIOLoopBound<Parts>

  private final class Parts {
    let server: ServerConnection
    let client: ConnectionCore
    let clientEnd = WireEnd()
    let serverEnd = WireEnd()
    /// Held weakly by its connection.
    let delegate: LoopbackServer

    init(_ configuration: AMQPConnectionConfiguration, _ manners: LoopbackServer.Manners, _ loop: NIOAsyncTestingEventLoop) {
      var settings = ProtonEngine.Settings(containerID: "staged")
      settings.isServer = true
      settings.idleTimeoutMilliseconds = manners.idleTimeoutMilliseconds
      self.delegate = LoopbackServer(manners)
      self.server = ServerConnection(number: 1, engine: ProtonEngine(settings), delegate: self.delegate)
      self.client = ConnectionCore(
        name: configuration.description, engine: ProtonEngine(ConnectionOpening.engineSettings(configuration)), eventLoop: loop,
        limits: configuration.watchdogLimits, maximumLinks: configuration.maximumLinks)
      self.clientEnd.other = self.serverEnd
      self.serverEnd.other = self.clientEnd
    }
  }

  /// Opens a connection for the time of `body`.
  static func run<Result: Sendable>(
    _ manners: LoopbackServer.Manners = LoopbackServer.Manners(),
    _ change: (inout AMQPConnectionConfiguration) -> Void = { _ in },
    _ body: (StagedConnection) async throws -> Result
  ) async throws -> Result {
    var configuration = AMQPConnectionConfiguration(
      host: "127.0.0.1", port: 1, encryption: .none, login: .anonymous, containerID: "test")
    // Whoever lets the time pass until something has happened shall not run into a deadline by it.
    configuration.operationTimeout = .seconds(1_000_000)
    change(&configuration)
    let loop = NIOAsyncTestingEventLoop()
    // Proton takes a time of 0 for none.
    await loop.advanceTime(by: .seconds(1_000))
    let (client, server) = (NIOAsyncTestingChannel(loop: loop), NIOAsyncTestingChannel(loop: loop))
    let staged = configuration
    let parts = try await loop.executeInContext {
      let parts = Parts(staged, manners, loop)
      let serverHandler = EngineHandler(engine: parts.server.engine, owner: parts.server)
      parts.server.handler = serverHandler
      try server.pipeline.syncOperations.addHandlers([parts.serverEnd, serverHandler])
      let clientHandler = EngineHandler(engine: parts.client.engine, owner: parts.client)
      try client.pipeline.syncOperations.addHandlers([parts.clientEnd, clientHandler])
      parts.client.start(clientHandler)
      return NIOLoopBound(parts, eventLoop: loop)
    }
    let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
    try await server.connect(to: address).get()
    try await client.connect(to: address).get()
    await loop.run()
    let (core, opened, closed) = try await loop.executeInContext {
      (NIOLoopBound(parts.value.client, eventLoop: loop), parts.value.client.opened, parts.value.client.closed)
    }
    let peer = try await opened.wait().get()
    let connection = AMQPConnection(configuration, peer: peer, core: core, ended: closed, eventLoop: loop)
    let stage = StagedConnection(connection: connection, loop: loop, parts: parts)
    do {
      let result = try await body(stage)
      await stage.end()
      return result
    } catch {
      await stage.end()
      throw error
    }
  }

  private func end() async {
    let parts = self.parts
    try? await self.loop.executeInContext {
      parts.value.clientEnd.room = nil
      parts.value.serverEnd.room = nil
    }
    async let closed: Void = self.connection.close()
    // Past every deadline that closing has.
    while self.connection.closedReason == nil {
      await Task.yield()
      await self.loop.advanceTime(by: .seconds(60))
    }
    await closed
    await self.loop.shutdownGracefully()
  }

  /// Lets the time pass.
  func pass(_ time: TimeAmount) async { await self.loop.advanceTime(by: time) }

  /// Lets the time pass, a little at a time, until `body` has come to its end.
  func passing<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    let isDone = NIOLockedValueBox(false)
    async let result = {
      defer { isDone.withLockedValue { $0 = true } }
      return try await body()
    }()
    while !isDone.withLockedValue({ $0 }) {
      await self.pass(.microseconds(100))
      await Task.yield()
    }
    return try await result
  }

  // MARK: The wire

  /// Nothing of what the client (or the server) writes arrives any more.
  func cut(fromClient: Bool) async throws {
    let parts = self.parts
    try await self.loop.executeInContext { (fromClient ? parts.value.clientEnd : parts.value.serverEnd).isCut = true }
  }

  /// The wire to the server takes so many bytes from now on, and is then full.
  func limitToServer(_ bytes: Int) async throws {
    let parts = self.parts
    try await self.loop.executeInContext { parts.value.clientEnd.room = bytes }
  }

  /// Lets so many more bytes through to the server.
  func allowToServer(_ bytes: Int) async throws {
    let parts = self.parts
    try await self.loop.executeInContext { parts.value.clientEnd.allow(bytes) }
    await self.loop.run()
  }

  /// Bytes that the client's end has carried.
  var bytesToServer: Int {
    get async throws {
      let parts = self.parts
      return try await self.loop.executeInContext { parts.value.clientEnd.carried }
    }
  }
}
