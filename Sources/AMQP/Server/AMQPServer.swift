// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import NIOSSL

/// Listens for AMQP 1.0 clients and hands them to a ``ServerDelegate``: the server role, for the in-memory broker.
package final class AMQPServer: Sendable {
  package struct Settings: Sendable {
    package var containerID: String
    /// The SASL mechanisms offered, in order. Without SASL a client's login is `.none`.
    package var mechanisms: [String]
    package var idleTimeoutMilliseconds: UInt32
    package var maximumFrameSize: UInt32
    package var properties: AMQPMap
    package var tls: NIOSSLContext?
    /// The highest channel; nil for Proton's own.
    package var channelMax: UInt16?
    /// Whether a Detach is answered by one that does not close.
    package var detachesWithoutClosing = false

    package init(
      containerID: String, mechanisms: [String] = ["PLAIN", "ANONYMOUS"], idleTimeoutMilliseconds: UInt32 = 60_000,
      maximumFrameSize: UInt32 = 131_072, properties: AMQPMap = [:], tls: NIOSSLContext? = nil
    ) {
      self.containerID = containerID
      self.mechanisms = mechanisms
      self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
      self.maximumFrameSize = maximumFrameSize
      self.properties = properties
      self.tls = tls
    }
  }

  /// The port it listens on, also when 0 was asked for.
  package let port: Int
  private let channel: any Channel

  private init(channel: any Channel, port: Int) {
    self.channel = channel
    self.port = port
  }

  /// Listens on `host`. All connections live on `eventLoop`, the delegate's.
  package static func bind(
    host: String, port: Int, on eventLoop: any EventLoop, settings: Settings, delegate: NIOLoopBound<any ServerDelegate>
  ) async throws -> AMQPServer {
    let numbers = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: eventLoop)
    let channel = try await ServerBootstrap(group: eventLoop)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          numbers.value += 1
          var engineSettings = ProtonEngine.Settings(containerID: settings.containerID)
          engineSettings.isServer = true
          engineSettings.idleTimeoutMilliseconds = settings.idleTimeoutMilliseconds
          engineSettings.maxFrameSize = settings.maximumFrameSize
          engineSettings.properties = settings.properties
          engineSettings.detachesWithoutClosing = settings.detachesWithoutClosing
          let engine = ProtonEngine(engineSettings)
          engine.announce(channelMax: settings.channelMax)
          let connection = ServerConnection(number: numbers.value, engine: engine, delegate: delegate.value)
          let handler = EngineHandler(engine: engine, owner: connection)
          connection.handler = handler
          let operations = channel.pipeline.syncOperations
          if let tls = settings.tls { try operations.addHandler(NIOSSLServerHandler(context: tls)) }
          let decider = ServerLoginHandler.Decider(
            login: { connection.login($0, answer: $1) }, open: { connection.opening($0) })
          try operations.addHandler(ServerLoginHandler(mechanisms: settings.mechanisms, decider: decider))
          try operations.addHandler(handler)
        }
      }
      .bind(host: host, port: port).get()
    return AMQPServer(channel: channel, port: channel.localAddress?.port ?? port)
  }

  /// Stops listening. Connections that stand are the delegate's to close.
  package func close() async { try? await self.channel.close() }
}
