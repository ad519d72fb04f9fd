// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import NIOConcurrencyHelpers
import NIOCore

/// Service Bus for Windows Server by REST, as far as counting goes: `POST /NAMESPACE/$STS/OAuth/` for a token, and with it
/// `GET /NAMESPACE/QUEUE` and `GET /NAMESPACE/$Resources/Queues`. What is below `/api/` is left to others.
///
/// Made after Microsoft's documents, not after a real one. A queue that is not there is answered by an empty feed, as Azure does.
struct EntityDesk: RouterMiddleware {
  typealias Context = BasicRequestContext

  private let configuration: InMemoryBroker.Configuration
  private let snapshot: @Sendable () async throws -> BrokerSnapshot
  /// By token: whose, and until when.
  private let tokens = NIOLockedValueBox<[String: (user: BrokerUser, until: Int64)]>([:])
  private static let tokenLifetime: Int64 = 20 * 60_000

  init(_ configuration: InMemoryBroker.Configuration, snapshot: @escaping @Sendable () async throws -> BrokerSnapshot) {
    self.configuration = configuration
    self.snapshot = snapshot
  }

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    if request.uri.path.hasPrefix("/api/") { return try await next(request, context) }
    let prefix = self.configuration.path.isEmpty ? "/" : "/\(self.configuration.path)/"
    guard let path = PercentEncoding.decoded(request.uri.path), path.hasPrefix(prefix) else { return Response(status: .notFound) }
    let name = String(path.dropFirst(prefix.count))
    if request.method == .post, name == "$STS/OAuth/" { return try await self.token(request) }
    guard request.method == .get else { return Response(status: .methodNotAllowed) }
    guard let user = self.user(request) else { return Response(status: .unauthorized) }
    let queues = try await self.snapshot().queues
    if name == "$Resources/Queues" { return self.list(queues, for: user, request) }
    guard user.mayRead.contains(where: { $0.matches(name) }) else { return Response(status: .forbidden) }
    guard let queue = queues[name], !name.hasSuffix(Self.deadLetters) else { return Self.answer(Self.feed([])) }
    return Self.answer(Self.entry(queue, queues))
  }

  private func token(_ request: Request) async throws -> Response {
    let body = try await request.body.collect(upTo: 1 << 16)
    var form: [String: String] = [:]
    for pair in String(buffer: body).split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1).map { PercentEncoding.decoded(String($0)) ?? "" }
      if parts.count == 2 { form[parts[0]] = parts[1] }
    }
    guard form["grant_type"] == "authorization_code", form["scope"]?.isEmpty == false,
      let user = self.configuration.users.first(where: { $0.name == form["client_id"] }),
      user.password.withPlainText({ $0 == form["client_secret"] })
    else { return Response(status: .unauthorized) }
    let token = "net.windows.servicebus&token=\(UInt64.random(in: .min ... .max))"
    let until = self.configuration.clock.milliseconds + Self.tokenLifetime
    self.tokens.withLockedValue { $0[token] = (user, until) }
    return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: token)))
  }

  private func user(_ request: Request) -> BrokerUser? {
    guard let value = request.headers[.authorization], value.hasPrefix("WRAP access_token=\""), value.hasSuffix("\"") else {
      return nil
    }
    let token = String(value.dropFirst("WRAP access_token=\"".count).dropLast())
    guard let found = self.tokens.withLockedValue({ $0[token] }), found.until > self.configuration.clock.milliseconds else {
      return nil
    }
    return found.user
  }

  private func list(_ queues: [String: BrokerSnapshot.Queue], for user: BrokerUser, _ request: Request) -> Response {
    let skip = max(0, request.uri.queryParameters.get("$skip", as: Int.self) ?? 0)
    let top = min(100, max(1, request.uri.queryParameters.get("$top", as: Int.self) ?? 100))
    let all = queues.values.filter { !$0.name.hasSuffix(Self.deadLetters) }.sorted { $0.name < $1.name }
    return Self.answer(Self.feed(all.dropFirst(skip).prefix(top).map { Self.entry($0, queues) }))
  }

  // MARK: XML

  private static let deadLetters = "/$DeadLetterQueue"
  private static let serviceBus = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"
  private static let counts = "http://schemas.microsoft.com/netservices/2011/06/servicebus"

  private static func answer(_ xml: String) -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/atom+xml;charset=utf-8"], body: .init(byteBuffer: ByteBuffer(string: xml))
    )
  }

  private static func feed(_ entries: [String]) -> String {
    "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title type=\"text\">Queues</title>\(entries.joined())</feed>"
  }

  private static func entry(_ queue: BrokerSnapshot.Queue, _ queues: [String: BrokerSnapshot.Queue]) -> String {
    let dead = queues[queue.name + Self.deadLetters]?.depth ?? 0
    let name = queue.name.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    return """
      <entry xmlns="http://www.w3.org/2005/Atom"><title type="text">\(name)</title><content type="application/xml">\
      <QueueDescription xmlns="\(Self.serviceBus)" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">\
      <MessageCount>\(queue.depth + queue.scheduled + dead)</MessageCount>\
      <CountDetails xmlns:d2p1="\(Self.counts)">\
      <d2p1:ActiveMessageCount>\(queue.depth)</d2p1:ActiveMessageCount>\
      <d2p1:DeadLetterMessageCount>\(dead)</d2p1:DeadLetterMessageCount>\
      <d2p1:ScheduledMessageCount>\(queue.scheduled)</d2p1:ScheduledMessageCount>\
      <d2p1:TransferMessageCount>0</d2p1:TransferMessageCount>\
      <d2p1:TransferDeadLetterMessageCount>0</d2p1:TransferDeadLetterMessageCount>\
      </CountDetails></QueueDescription></content></entry>
      """
  }
}
