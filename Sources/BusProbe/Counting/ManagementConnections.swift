// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import NIOCore

/// Who is connected to a RabbitMQ, by its management interface: which library, which version, which protocol, on which queues.
public struct ManagementConnections: Sendable {
  /// One connection. What the bus does not tell is nil.
  public struct Connection: Sendable, Hashable {
    public var name: String
    public var user: String?
    /// As the bus names it: `AMQP 1-0`, `AMQP 0-9-1`.
    public var wire: String?
    public var product: String?
    public var version: String?
    /// Queues that it receives from, as far as the bus tells.
    public var queues: [String]

    public init(name: String, user: String?, wire: String?, product: String?, version: String?, queues: [String]) {
      self.name = name
      self.user = user
      self.wire = wire
      self.product = product
      self.version = version
      self.queues = queues
    }
  }

  private let management: ManagementHTTPCounting

  public init(_ management: ManagementHTTPCounting) { self.management = management }

  /// The connections of the virtual host.
  ///
  /// - Throws: ``ProbeError`` `countingRefused`, `countingUnreachable`, `countingUnreadable`; `connectionsHidden` where the bus would
  ///   show the user's own connections only, without saying so.
  public func connections() async throws(ProbeError) -> [Connection] {
    let tags = try Self.tags(await self.management.get("/api/whoami"))
    guard !Self.seeingTags.isDisjoint(with: tags) else {
      throw .connectionsHidden(url: self.management.base + "/api/whoami", tags: tags)
    }
    let host = LinkAddress.percentEncoded(self.management.virtualHost)
    let connections = try await self.management.get("/api/vhosts/\(host)/connections")
    let consumers = try await self.management.get("/api/consumers/\(host)")
    return await self.withSessions(try Self.read(connections: connections, consumers: consumers))
  }

  /// Tags of users who are shown everybody's connections (RabbitMQ, management plugin, "Permissions").
  private static let seeingTags: Set<String> = ["monitoring", "administrator"]

  /// A user's tags: a list, before RabbitMQ 3.9 a text with commas.
  static func tags(_ answer: Data) throws(ProbeError) -> [String] {
    struct User: Decodable {
      var tags: [String]
      private enum CodingKeys: String, CodingKey { case tags }
      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let list = try? container.decode([String].self, forKey: .tags) {
          self.tags = list
        } else {
          self.tags = try container.decode(String.self, forKey: .tags).split(separator: ",").map(String.init)
        }
      }
    }
    guard let user = try? JSONDecoder().decode(User.self, from: answer) else {
      throw .countingUnreadable(way: .managementHTTP, seen: "it does not say what the user may see")
    }
    return user.tags
  }

  /// How many connections are asked for their sessions, and how many times in vain before the rest is not asked.
  private static let askedForSessions = 5_000
  private static let inVain = 3

  /// RabbitMQ 3 tells the connection with each consumer. RabbitMQ 4 does not; from 4.1 on it tells the links of each connection, which
  /// 4.0 does not either: there a connection's queues stay unknown.
  private func withSessions(_ connections: [Connection]) async -> [Connection] {
    var connections = connections
    var inVain = 0
    for index in connections.indices.prefix(Self.askedForSessions) where connections[index].queues.isEmpty {
      guard inVain < Self.inVain, !Task.isCancelled else { break }
      let name = LinkAddress.percentEncoded(connections[index].name)
      if let answer = try? await self.management.get("/api/connections/\(name)/sessions"),
        let queues = Self.queues(sessions: answer)
      {
        connections[index].queues = queues
        inVain = 0
      } else {
        inVain += 1
      }
    }
    return connections
  }

  private struct Session: Decodable {
    struct Link: Decodable {
      var queueName: String?
      var sourceAddress: String?
      private enum CodingKeys: String, CodingKey {
        case queueName = "queue_name"
        case sourceAddress = "source_address"
      }
    }
    var outgoing: [Link]?
    private enum CodingKeys: String, CodingKey { case outgoing = "outgoing_links" }
  }

  /// The queues that a connection's links come from; nil when the answer is of another form.
  static func queues(sessions answer: Data) -> [String]? {
    guard let sessions = try? JSONDecoder().decode([Session].self, from: answer) else { return nil }
    let names = sessions.flatMap { $0.outgoing ?? [] }.compactMap { link -> String? in
      link.queueName
        ?? link.sourceAddress.flatMap { address in
          address.split(separator: "/").last.map { String($0).removingPercentEncoding ?? String($0) }
        }
    }
    return Set(names).sorted()
  }

  /// How many messages lie on the virtual host's queues, by queue; those that are empty are left out.
  public func messages() async throws(ProbeError) -> (queues: Int, filled: [String: Int]) {
    let host = LinkAddress.percentEncoded(self.management.virtualHost)
    return try Self.messages(await self.management.get("/api/queues/\(host)?disable_stats=true&enable_queue_totals=true"))
  }

  private struct Row: Decodable {
    struct Properties: Decodable {
      var product: String?
      var version: String?
    }
    var name: String
    var user: String?
    var `protocol`: String?
    var clientProperties: Properties?

    private enum CodingKeys: String, CodingKey {
      case name, user
      case `protocol` = "protocol"
      case clientProperties = "client_properties"
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      self.name = try container.decode(String.self, forKey: .name)
      // What is empty comes as an empty list where it would be an object, and vendors write what they like: neither stops the rest.
      self.user = try? container.decodeIfPresent(String.self, forKey: .user)
      self.protocol = try? container.decodeIfPresent(String.self, forKey: .protocol)
      self.clientProperties = try? container.decodeIfPresent(Properties.self, forKey: .clientProperties)
    }
  }

  private struct Consumer: Decodable {
    struct Queue: Decodable { var name: String }
    struct Channel: Decodable {
      var connectionName: String?
      private enum CodingKeys: String, CodingKey { case connectionName = "connection_name" }
    }
    var queue: Queue
    var connection: String?

    private enum CodingKeys: String, CodingKey {
      case queue
      case channel = "channel_details"
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      self.queue = try container.decode(Queue.self, forKey: .queue)
      self.connection = (try? container.decodeIfPresent(Channel.self, forKey: .channel))?.connectionName
    }
  }

  static func read(connections: Data, consumers: Data) throws(ProbeError) -> [Connection] {
    guard let rows = try? JSONDecoder().decode([Row].self, from: connections),
      let attached = try? JSONDecoder().decode([Consumer].self, from: consumers)
    else { throw .countingUnreadable(way: .managementHTTP, seen: "the answer is not the JSON it should be") }
    let queues = Dictionary(grouping: attached.filter { $0.connection != nil }, by: { $0.connection ?? "" })
    return rows.map { row in
      Connection(
        name: row.name, user: row.user, wire: row.protocol, product: row.clientProperties?.product,
        version: row.clientProperties?.version, queues: Set(queues[row.name]?.map(\.queue.name) ?? []).sorted())
    }
  }

  private struct Queue: Decodable {
    var name: String
    var messages: Int?
  }

  static func messages(_ answer: Data) throws(ProbeError) -> (queues: Int, filled: [String: Int]) {
    guard let rows = try? JSONDecoder().decode([Queue].self, from: answer) else {
      throw .countingUnreadable(way: .managementHTTP, seen: "the answer is not the JSON it should be")
    }
    var filled: [String: Int] = [:]
    for row in rows {
      guard let messages = row.messages else {
        throw .countingUnreadable(way: .managementHTTP, seen: "queue \(row.name.prefix(100)) has no number of messages")
      }
      if messages != 0 { filled[row.name] = messages }
    }
    return (rows.count, filled)
  }
}
