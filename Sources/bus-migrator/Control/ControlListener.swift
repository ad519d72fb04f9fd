// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import HummingbirdCore
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// Serves HTTP on a Unix socket: one that it makes itself, or one that systemd made.
///
/// Hummingbird's own application can only listen on what it makes, and takes in whoever comes: here there is room for so many, and for so many of
/// one user (``ConnectionRoom``). Whoever is one too many is told so and sent away at once.
struct ControlListener<Responder: HTTPResponder>: Service where Responder.Context == ControlContext {
  enum Place: Sendable, Hashable {
    case made(path: String)
    case handedOver(HandedOverSocket)
  }

  let place: Place
  let responder: Responder
  var room = ConnectionRoom()
  /// A connection on which nothing is asked for so long is closed.
  var idleLimit = TimeAmount.seconds(60)
  let logger: Logger
  /// Called when connections are taken.
  let onReady: @Sendable () async -> Void

  private typealias Connection = HTTP1Channel.Value

  /// Ends when it is shut down gracefully, with what was asked answered. Not to be cancelled: run it in an ``OrderlyService``.
  func run() async throws {
    let guests = Guests(self.room)
    let http = self.http()
    let server = try await self.bind(http)
    await withGracefulShutdownHandler {
      await self.onReady()
      await withDiscardingTaskGroup { group in
        // Its end is the listening socket's end: what was taken in is served by then.
        try? await server.executeThenClose { connections in
          for try await connection in connections {
            group.addTask { await self.serve(connection, http, guests) }
          }
        }
      }
    } onGracefulShutdown: {
      server.channel.close(promise: nil)
      guests.quiesce()
    }
  }

  private func serve(_ connection: Connection, _ http: HTTP1Channel, _ guests: Guests) async {
    let user = await SocketUser.of(connection.channel)
    guard guests.arrived(connection.channel, user) else {
      self.logger.warning("the control socket is full: a connection was sent away")
      return await Self.sendAway(connection)
    }
    await http.handle(value: connection, logger: self.logger)
    guests.left(connection.channel, user)
  }

  private static func sendAway(_ connection: Connection) async {
    try? await connection.executeThenClose { _, outbound in
      try await outbound.write(
        .head(
          HTTPResponse(status: .serviceUnavailable, headerFields: [.connection: "close", .contentLength: "0", .retryAfter: "5"])))
      try await outbound.write(.end(nil))
    }
  }

  private func bind(_ http: HTTP1Channel) async throws -> NIOAsyncChannel<Connection, Never> {
    let logger = self.logger
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 256)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
    let initialize: @Sendable (any Channel) -> EventLoopFuture<Connection> = { channel in
      http.setup(channel: channel, logger: logger)
    }
    switch self.place {
    case .made(let path): return try await bootstrap.bind(unixDomainSocketPath: path, childChannelInitializer: initialize)
    case .handedOver(let socket): return try await bootstrap.bind(socket.descriptor, childChannelInitializer: initialize)
    }
  }

  private func http() -> HTTP1Channel {
    let (responder, logger) = (self.responder, self.logger)
    return HTTP1Channel(
      responder: { (request, writer: consuming ResponseWriter, channel) in
        let context = ControlContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
        let response: Response
        do { response = try await responder.respond(to: request, context: context) } catch let error as HTTPError {
          response = Response(status: error.status)
        } catch let error as HTTPParserError {
          // The listener's to answer, with the connection's end.
          throw error
        } catch {
          logger.error("a request on the socket ended by an error that nobody answered")
          response = Response(status: .internalServerError)
        }
        try await writer.write(response: response.head, body: response.body)
      }, configuration: HTTP1Channel.Configuration(idleTimeout: self.idleLimit))
  }
}

/// The connections that were let in.
private final class Guests: Sendable {
  private struct State {
    var room: ConnectionRoom
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isQuiescing = false
  }

  private let state: NIOLockedValueBox<State>

  init(_ room: ConnectionRoom) { self.state = NIOLockedValueBox(State(room: room)) }

  func arrived(_ channel: any Channel, _ user: ConnectionRoom.User) -> Bool {
    let (isIn, isQuiescing) = self.state.withLockedValue { state in
      let isIn = state.room.arrived(user)
      if isIn { state.channels[ObjectIdentifier(channel)] = channel }
      return (isIn, state.isQuiescing)
    }
    if isIn, isQuiescing { Self.quiesce(channel) }
    return isIn
  }

  func left(_ channel: any Channel, _ user: ConnectionRoom.User) {
    self.state.withLockedValue { state in
      state.room.left(user)
      state.channels[ObjectIdentifier(channel)] = nil
    }
  }

  /// Each ends once what was asked on it is answered.
  func quiesce() {
    let channels = self.state.withLockedValue { state in
      state.isQuiescing = true
      return state.channels.values
    }
    for channel in channels { Self.quiesce(channel) }
  }

  private static func quiesce(_ channel: any Channel) {
    channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
  }
}
