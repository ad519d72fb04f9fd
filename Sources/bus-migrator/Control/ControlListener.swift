// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import HummingbirdCore
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import ServiceLifecycle

/// Serves HTTP on a Unix socket, one that it makes itself or one that systemd made; or on a TCP port, with TLS.
///
/// Hummingbird's own application can only listen on what it makes, and takes in whoever comes: here there is room for so many, and for so many of
/// one user or address (``ConnectionRoom``). Whoever is one too many is told so and sent away at once, before anything is read or any
/// cryptography done for it.
struct ControlListener<Responder: HTTPResponder>: Service where Responder.Context == ControlContext {
  enum Place: Sendable {
    case made(path: String)
    case handedOver(HandedOverSocket)
    /// `tls` is asked for each connection.
    case tcp(host: String, port: Int, tls: @Sendable () -> NIOSSLContext)
  }

  let place: Place
  let responder: Responder
  var room = ConnectionRoom()
  var patience = RequestPatience.Limits()
  let logger: Logger
  /// Called when connections are taken.
  let onReady: @Sendable () async -> Void

  /// nil for who was sent away.
  private typealias Connection = HTTP1Channel.Value?

  /// Ends when it is shut down gracefully, with what was asked answered. Not to be cancelled: run it in an ``OrderlyService``.
  func run() async throws {
    let guests = ConnectionGuests(self.room)
    let http = self.http()
    let server = try await self.bind(http, guests)
    await withGracefulShutdownHandler {
      await self.onReady()
      await withDiscardingTaskGroup { group in
        // Its end is the listening socket's end: what was taken in is served by then.
        try? await server.executeThenClose { connections in
          for try await connection in connections {
            if let connection { group.addTask { await http.handle(value: connection, logger: self.logger) } }
          }
        }
      }
    } onGracefulShutdown: {
      server.channel.close(promise: nil)
      guests.quiesce()
    }
  }

  private func bind(_ http: HTTP1Channel, _ guests: ConnectionGuests) async throws -> NIOAsyncChannel<Connection, Never> {
    let (logger, patience) = (self.logger, self.patience)
    // Longer, and root would wait behind a crowd; shorter, and it would find no place to wait.
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 1_024)
      // At one go, so that a crowd does not keep whoever comes behind it waiting at the door.
      .serverChannelOption(.maxMessagesPerRead, value: 256)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
    @Sendable func takeIn(
      _ channel: any Channel, _ guest: ConnectionGuest, tls: (@Sendable () -> NIOSSLContext)?
    ) -> EventLoopFuture<Connection> {
      guard guests.arrived(channel, guest) else {
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(SendingAway(speaks: tls == nil))
          return nil
        }
      }
      return channel.eventLoop.makeCompletedFuture {
        if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls())) }
      }.flatMap { http.setup(channel: channel, logger: logger) }.map { connection in
        let operations = channel.pipeline.syncOperations
        // It fails where the channel is closed already. The connection is to be handled and ended all the same.
        if let decoder = try? operations.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self) {
          try? operations.addHandler(RequestPatience(patience), position: .after(decoder.handler))
        }
        return connection
      }
    }
    let local: @Sendable (any Channel) -> EventLoopFuture<Connection> = { channel in
      SocketUser.asked(of: channel).flatMap { takeIn(channel, ConnectionGuest($0), tls: nil) }
    }
    switch self.place {
    case .made(let path): return try await bootstrap.bind(unixDomainSocketPath: path, childChannelInitializer: local)
    case .handedOver(let socket): return try await bootstrap.bind(socket.descriptor, childChannelInitializer: local)
    case .tcp(let host, let port, let tls):
      let remote = bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      do {
        return try await remote.bind(host: host, port: port) { channel in
          takeIn(channel, .address(channel.remoteAddress?.ipAddress ?? ""), tls: tls)
        }
      } catch {
        throw CommandLineError.socketUnusable(path: "\(host):\(port)", seen: String("\(error)".prefix(200)))
      }
    }
  }

  private func http() -> HTTP1Channel {
    let (responder, logger) = (self.responder, self.logger)
    let limits = HTTP1Channel.Configuration.DecoderConfiguration(
      maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 16 << 10, maxHeaderFieldCount: 100)
    return HTTP1Channel(
      responder: { (request, writer: consuming ResponseWriter, channel) in
        let context = ControlContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
        let response: Response
        do { response = try await responder.respond(to: request, context: context) } catch let error as HTTPError {
          response = ControlAnswer.failure(error.status)
        } catch let error as HTTPParserError {
          // The listener's to answer, with the connection's end.
          throw error
        } catch {
          logger.error("a request on the socket ended by an error that nobody answered")
          response = ControlAnswer.failure(.internalServerError)
        }
        try await writer.write(response: response.head, body: response.body)
      }, configuration: HTTP1Channel.Configuration(httpDecoderConfiguration: limits))
  }
}

/// Tells whoever is one too many to come again, where that can be told without a handshake, and closes.
private final class SendingAway: ChannelInboundHandler, Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let speaks: Bool
  init(speaks: Bool) { self.speaks = speaks }

  func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { self.end(context) } }

  func channelActive(context: ChannelHandlerContext) {
    context.fireChannelActive()
    self.end(context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

  private func end(_ context: ChannelHandlerContext) {
    guard self.speaks else { return context.close(promise: nil) }
    let words = "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\nretry-after: 5\r\n\r\n"
    context.writeAndFlush(self.wrapOutboundOut(context.channel.allocator.buffer(string: words)), promise: nil)
    context.close(promise: nil)
  }
}
