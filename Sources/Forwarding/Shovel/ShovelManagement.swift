// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import NIOCore

/// RabbitMQ's shovels through its management interface (`/api/parameters/shovel`, `/api/shovels`).
///
/// Of what the broker answers only names and states are read: it gives addresses with their passwords in clear.
public struct ShovelManagement: ShovelNode {
  /// A shovel that stands, as the broker shows it.
  public struct Standing: Sendable, Hashable {
    public var name: String
    /// `running`, `starting` or `terminated`.
    public var state: String
    /// nil while it is not running: then the broker does not tell.
    public var sourceQueue: String?

    public init(name: String, state: String, sourceQueue: String?) {
      self.name = name
      self.state = state
      self.sourceQueue = sourceQueue
    }
  }

  /// What one receiver of a queue has settled.
  public struct Settled: Sendable, Hashable {
    /// Names the receiver's channel: another one counts anew.
    public var receiver: String
    /// The user it is logged in as.
    public var user: String?
    public var count: Int64

    public init(receiver: String, user: String?, count: Int64) {
      self.receiver = receiver
      self.user = user
      self.count = count
    }
  }

  private let http: HTTPClient
  private let base: String
  private let authorization: Secret
  public let virtualHost: String
  private let timeout: Duration

  /// - Parameters:
  ///   - http: whoever made it shuts it down; it must verify certificates and follow no redirects.
  ///   - url: `http://host:15672` or `https://host:15671`; no user, no path.
  ///   - virtualHost: where shovels are declared and where the target's queues are.
  ///   - timeout: for each question.
  /// - Throws: ``ShovelError`` `addressInvalid`.
  public init(
    http: HTTPClient, url: String, user: String, password: Secret, virtualHost: String = "/", timeout: Duration = .seconds(20)
  ) throws(ShovelError) {
    guard let parsed = URL(string: url), let scheme = parsed.scheme, ["http", "https"].contains(scheme), parsed.host != nil,
      parsed.user == nil, parsed.password == nil, parsed.query == nil, ["", "/"].contains(parsed.path)
    else { throw .addressInvalid(problem: "the management interface's is not of the form http://host:port (not shown)") }
    self.http = http
    self.base = url.hasSuffix("/") ? String(url.dropLast()) : url
    self.authorization = password.withPlainText { Secret("Basic " + Data("\(user):\($0)".utf8).base64EncodedString()) }
    self.virtualHost = virtualHost
    self.timeout = timeout
  }

  /// Declares it, or puts it in the place of one of the same name.
  ///
  /// - Throws: ``ShovelError``. On `unreachable` it may stand all the same.
  public func declare(_ shovel: ShovelDefinition) async throws(ShovelError) {
    let tried = "declare shovel \(shovel.name)"
    let (status, _) = try await self.ask(.PUT, self.path(shovel.name), body: try shovel.body(), tried)
    guard status == 201 || status == 204 else { throw .refused(tried: tried, status: status) }
  }

  /// Removes it. One that is not there is removed.
  ///
  /// - Throws: ``ShovelError``. On `unreachable` it may stand still.
  public func remove(_ name: String) async throws(ShovelError) {
    let tried = "remove shovel \(name)"
    let (status, _) = try await self.ask(.DELETE, self.path(name), body: nil, tried)
    guard status == 204 || status == 404 else { throw .refused(tried: tried, status: status) }
  }

  /// The names of all shovels that are declared on the virtual host, running or not.
  public func declared() async throws(ShovelError) -> [String] {
    struct Row: Decodable { var name: String }
    return try await self.list("/api/parameters/shovel/\(self.host)", as: Row.self, "list shovels").map(\.name).sorted()
  }

  /// All shovels of the virtual host as they are doing.
  public func standing() async throws(ShovelError) -> [Standing] {
    struct Row: Decodable {
      var name: String
      var state: String
      var sourceQueue: String?
      private enum CodingKeys: String, CodingKey {
        case name, state
        case sourceQueue = "src_queue"
      }
    }
    return try await self.list("/api/shovels/\(self.host)", as: Row.self, "watch shovels")
      .map { Standing(name: $0.name, state: $0.state, sourceQueue: $0.sourceQueue) }.sorted { $0.name < $1.name }
  }

  /// Whether the bus has the queue.
  public func hasQueue(_ queue: String) async throws(ShovelError) -> Bool {
    let tried = "find queue \(queue)"
    let path = "/api/queues/\(self.host)/\(LinkAddress.percentEncoded(queue))?columns=name"
    let (status, _) = try await self.ask(.GET, path, body: nil, tried)
    switch status {
    case 200: return true
    case 404: return false
    default: throw .refused(tried: tried, status: status)
    }
  }

  public func settled(of queue: String) async throws(ShovelError) -> [Settled] {
    struct Queue: Decodable {
      struct Consumer: Decodable {
        struct Channel: Decodable {
          var name: String
          var user: String?
        }
        var channel: Channel
        private enum CodingKeys: String, CodingKey { case channel = "channel_details" }
      }
      var consumers: [Consumer]?
      private enum CodingKeys: String, CodingKey { case consumers = "consumer_details" }
    }
    struct Channel: Decodable {
      struct Statistics: Decodable { var ack: Int64? }
      var statistics: Statistics?
      private enum CodingKeys: String, CodingKey { case statistics = "message_stats" }
    }
    // The queue forgets what single receivers did as soon as they are idle; their channels do not.
    let tried = "count what was carried from \(queue)"
    let path = "/api/queues/\(self.host)/\(LinkAddress.percentEncoded(queue))"
    let (status, data) = try await self.ask(.GET, path, body: nil, tried)
    guard status == 200 else { throw .refused(tried: tried, status: status) }
    guard let found = try? JSONDecoder().decode(Queue.self, from: data) else { throw .answerUnreadable(tried: tried) }
    var settled: [String: Settled] = [:]
    for channel in (found.consumers ?? []).map(\.channel) where settled[channel.name] == nil {
      let path = "/api/channels/\(LinkAddress.percentEncoded(channel.name))"
      let (status, data) = try await self.ask(.GET, path, body: nil, tried)
      // It went meanwhile.
      if status == 404 { continue }
      guard status == 200 else { throw .refused(tried: tried, status: status) }
      guard let one = try? JSONDecoder().decode(Channel.self, from: data) else { throw .answerUnreadable(tried: tried) }
      settled[channel.name] = Settled(receiver: channel.name, user: channel.user, count: one.statistics?.ack ?? 0)
    }
    return settled.values.sorted { $0.receiver < $1.receiver }
  }

  private var host: String { LinkAddress.percentEncoded(self.virtualHost) }

  private func path(_ name: String) -> String {
    "/api/parameters/shovel/\(self.host)/\(LinkAddress.percentEncoded(name))"
  }

  private func list<Row: Decodable>(_ path: String, as: Row.Type, _ tried: String) async throws(ShovelError) -> [Row] {
    let (status, data) = try await self.ask(.GET, path, body: nil, tried)
    guard status == 200 else { throw .refused(tried: tried, status: status) }
    guard let rows = try? JSONDecoder().decode([Row].self, from: data) else { throw .answerUnreadable(tried: tried) }
    return rows
  }

  private enum Method: String { case GET, PUT, DELETE }

  private func ask(_ method: Method, _ path: String, body: Data?, _ tried: String) async throws(ShovelError) -> (Int, Data) {
    var request = HTTPClientRequest(url: self.base + path)
    request.method = .init(rawValue: method.rawValue)
    self.authorization.withPlainText { request.headers.add(name: "Authorization", value: $0) }
    if let body {
      request.headers.add(name: "content-type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: body))
    }
    do {
      let response = try await self.http.execute(request, timeout: TimeAmount(self.timeout))
      let data = Data(try await response.body.collect(upTo: 16 << 20).readableBytesView)
      return (Int(response.status.code), data)
    } catch {
      throw .unreachable(tried: tried, seen: String("\(error)".prefix(200)))
    }
  }
}
