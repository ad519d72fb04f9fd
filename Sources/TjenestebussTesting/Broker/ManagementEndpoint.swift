// SPDX-License-Identifier: Apache-2.0

import AMQP
import Disclosure
import Foundation
import Hummingbird
import Logging
import NIOCore
import OrderlyService

/// RabbitMQ's HTTP management, as far as counting goes: `GET /api/queues`, `/api/queues/VHOST`, `/api/queues/VHOST/NAME`,
/// and who is connected: `/api/vhosts/VHOST/connections`, `/api/consumers/VHOST`; who asks: `/api/whoami`, to which every user has the
/// tag `monitoring`; by HTTP Basic. Unlike RabbitMQ's it is never late.
struct ManagementEndpoint: Sendable {
  let port: Int
  private let serving: Task<Void, any Error>

  struct QueueDescription: ResponseEncodable, Codable, Sendable {
    let name: String
    let vhost: String
    let durable: Bool
    let state: String
    let messages: Int
    let messages_ready: Int
    let messages_unacknowledged: Int
    let consumers: Int
  }

  /// A client that says nothing of itself has an empty list for its properties, as with RabbitMQ.
  struct ConnectionDescription: ResponseEncodable, Codable, Sendable {
    let name: String
    let vhost: String
    let user: String
    let `protocol`: String
    let container_id: String
    let client_properties: [String: String]
  }

  struct QueuePage: ResponseEncodable, Codable, Sendable {
    let items: [QueueDescription]
    let item_count: Int
    let page: Int
    let page_count: Int
    let page_size: Int
    let total_count: Int
  }

  struct UserDescription: ResponseEncodable, Codable, Sendable { let tags: [String] }

  /// With the connection's name, as RabbitMQ 3 tells it.
  struct ConsumerDescription: ResponseEncodable, Codable, Sendable {
    struct Queue: Codable, Sendable {
      let name: String
      let vhost: String
    }
    struct Channel: Codable, Sendable { let connection_name: String }
    let queue: Queue
    let channel_details: Channel
  }

  /// Listens; returns when the port is known.
  static func start(
    _ configuration: InMemoryBroker.Configuration, port: Int, snapshot: @escaping @Sendable () async throws -> BrokerSnapshot
  ) async throws -> ManagementEndpoint {
    let (host, virtualHost) = (configuration.host, configuration.virtualHost)
    let router = Router()
    if configuration.dialect == .serviceBusWindowsServer {
      router.add(middleware: EntityDesk(configuration, snapshot: snapshot))
    }
    router.add(middleware: BasicLogin(users: configuration.users))
    let all: @Sendable () async throws -> [QueueDescription] = {
      try await snapshot().queues.values.sorted { $0.name < $1.name }.map { QueueDescription($0, virtualHost) }
    }
    router.get("api/queues") { _, _ in try await all() }
    router.get("api/queues/:vhost") { request, context -> Response in
      guard try decoded("vhost", context) == virtualHost else { throw HTTPError(.notFound) }
      let queues = try await all()
      guard let page = request.uri.queryParameters.get("page", as: Int.self) else {
        return try queues.response(from: request, context: context)
      }
      let size = request.uri.queryParameters.get("page_size", as: Int.self) ?? 100
      guard page > 0, (1...500).contains(size), page == 1 || (page - 1) * size < queues.count else {
        throw HTTPError(.badRequest)
      }
      let items = Array(queues.dropFirst((page - 1) * size).prefix(size))
      return try QueuePage(
        items: items, item_count: items.count, page: page, page_count: max(1, (queues.count + size - 1) / size),
        page_size: size, total_count: queues.count
      ).response(from: request, context: context)
    }
    router.get("api/queues/:vhost/:name") { _, context in
      let name = try decoded("name", context)
      guard try decoded("vhost", context) == virtualHost, let queue = try await all().first(where: { $0.name == name })
      else { throw HTTPError(.notFound) }
      return queue
    }
    router.get("api/vhosts/:vhost/connections") { _, context in
      guard try decoded("vhost", context) == virtualHost else { throw HTTPError(.notFound) }
      return try await snapshot().connections.map { ConnectionDescription($0, virtualHost) }
    }
    router.get("api/whoami") { _, _ in UserDescription(tags: ["monitoring"]) }
    router.get("api/consumers/:vhost") { _, context in
      guard try decoded("vhost", context) == virtualHost else { throw HTTPError(.notFound) }
      return try await snapshot().connections.flatMap { connection in
        connection.receivesFrom.map { queue in
          ConsumerDescription(
            queue: .init(name: queue, vhost: virtualHost),
            channel_details: .init(connection_name: "connection \(connection.number)"))
        }
      }
    }
    let bound = OneShot<Int?>()
    let silent = Logger(label: "in-memory-broker.management", factory: { _ in SwiftLogNoOpLogHandler() })
    let application = OrderlyService(
      Application(
        router: router, configuration: ApplicationConfiguration(address: .hostname(host, port: port), serverName: nil),
        onServerRunning: { channel in bound.fulfil(channel.localAddress?.port) }, logger: silent),
      logger: silent)
    // Unstructured: the broker is an object with start() and stop(), and stop() cancels this and waits for its end.
    let serving = Task {
      defer { bound.fulfil(nil) }
      try await application.run()
    }
    guard let port = try await bound.wait() else {
      let seen: String
      do {
        try await serving.value
        seen = "it ended at once"
      } catch { seen = String(describing: error) }
      throw InMemoryBrokerError(.managementNotStarted, tried: "listen on \(host):\(port)", seen: seen)
    }
    return ManagementEndpoint(port: port, serving: serving)
  }

  func stop() async {
    self.serving.cancel()
    _ = await self.serving.result
  }

  private static func decoded(_ name: String, _ context: BasicRequestContext) throws -> String {
    guard let text = PercentEncoding.decoded(try context.parameters.require(name)) else { throw HTTPError(.badRequest) }
    return text
  }
}

extension ManagementEndpoint.ConnectionDescription {
  fileprivate init(_ connection: BrokerSnapshot.Connection, _ virtualHost: String) {
    var properties: [String: String] = [:]
    properties["product"] = connection.product
    properties["version"] = connection.version
    self.init(
      name: "connection \(connection.number)", vhost: virtualHost, user: connection.user, protocol: "AMQP 1-0",
      container_id: connection.containerID, client_properties: properties)
  }
}

extension ManagementEndpoint.QueueDescription {
  fileprivate init(_ queue: BrokerSnapshot.Queue, _ virtualHost: String) {
    self.init(
      name: queue.name, vhost: virtualHost, durable: true, state: "running", messages: queue.depth,
      messages_ready: queue.depth - queue.locked, messages_unacknowledged: queue.locked, consumers: queue.consumers)
  }
}

/// HTTP Basic by the broker's own users.
private struct BasicLogin: RouterMiddleware {
  let users: [BrokerUser]

  func handle(
    _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    guard let value = request.headers[.authorization], value.hasPrefix("Basic "),
      let bytes = Data(base64Encoded: String(value.dropFirst(6))), let text = String(validating: bytes, as: UTF8.self),
      let colon = text.firstIndex(of: ":"), let user = self.users.first(where: { $0.name == text[..<colon] }),
      user.password.withPlainText({ $0 == text[text.index(after: colon)...] })
    else {
      var response = Response(status: .unauthorized)
      response.headers[.wwwAuthenticate] = "Basic realm=\"in-memory broker\""
      return response
    }
    return try await next(request, context)
  }
}
