// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Foundation

/// A configuration as it stands in a file: `config/tjenestebuss-client.example.yaml` explains each field.
///
/// It is decoded by whatever decoder the vendor's system has for its own files (YAML, JSON, property lists): the library brings
/// none. Unknown keys are refused, so that a misspelling is seen. Then ``configuration(folder:machine:)`` makes the configuration.
public struct ClientSettings: Sendable, Decodable {
  /// What the EPJ calls itself.
  public struct System: Sendable, Decodable {
    public var name: String
    public var version: String?

    enum CodingKeys: String, CodingKey, CaseIterable { case name, version }

    public init(from decoder: any Decoder) throws {
      let fields = try decoder.strict(CodingKeys.self)
      self.name = try fields.decode(String.self, forKey: .name)
      self.version = try fields.decodeIfPresent(String.self, forKey: .version)
    }
  }

  public struct BusSettings: Sendable, Decodable {
    public var name: String
    /// Left out: the bus is asked for it when it is connected to.
    public var dialect: Dialect?
    public var hosts: [String]?
    public var path: String?
    public var connectionString: Secret?
    public var connectionStringFile: String?
    public var authorities: [String]?
    public var virtualHost: String?
    public var allowPasswordInClear: Bool?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case name, dialect, hosts, path, authorities
      case connectionString = "connection-string"
      case connectionStringFile = "connection-string-file"
      case virtualHost = "virtual-host"
      case allowPasswordInClear = "allow-password-in-clear"
    }

    public init(from decoder: any Decoder) throws {
      let fields = try decoder.strict(CodingKeys.self)
      self.name = try fields.decode(String.self, forKey: .name)
      self.dialect = try fields.decodeIfPresent(Dialect.self, forKey: .dialect)
      self.hosts = try fields.decodeIfPresent([String].self, forKey: .hosts)
      self.path = try fields.decodeIfPresent(String.self, forKey: .path)
      self.connectionString = try fields.decodeIfPresent(String.self, forKey: .connectionString).map { Secret($0) }
      self.connectionStringFile = try fields.decodeIfPresent(String.self, forKey: .connectionStringFile)
      self.authorities = try fields.decodeIfPresent([String].self, forKey: .authorities)
      self.virtualHost = try fields.decodeIfPresent(String.self, forKey: .virtualHost)
      self.allowPasswordInClear = try fields.decodeIfPresent(Bool.self, forKey: .allowPasswordInClear)
    }
  }

  public struct Serve: Sendable, Decodable {
    public struct Events: Sendable, Decodable {
      public var bus: String
      public var queue: String

      enum CodingKeys: String, CodingKey, CaseIterable { case bus, queue }

      public init(from decoder: any Decoder) throws {
        let fields = try decoder.strict(CodingKeys.self)
        self.bus = try fields.decode(String.self, forKey: .bus)
        self.queue = try fields.decode(String.self, forKey: .queue)
      }
    }

    public var herIDs: [HerID]
    public var queues: [QueueKind]?
    public var replyQueue: String?
    public var replyQueues: [String: String]?
    public var concurrency: [String: Int]?
    public var orderedByConversation: Bool?
    public var registryEvents: Events?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case queues, concurrency
      case herIDs = "her-ids"
      case replyQueue = "reply-queue"
      case replyQueues = "reply-queues"
      case orderedByConversation = "ordered-by-conversation"
      case registryEvents = "registry-events"
    }

    public init(from decoder: any Decoder) throws {
      let fields = try decoder.strict(CodingKeys.self)
      self.herIDs = try fields.decode([HerID].self, forKey: .herIDs)
      self.queues = try fields.decodeIfPresent([QueueKind].self, forKey: .queues)
      self.replyQueue = try fields.decodeIfPresent(String.self, forKey: .replyQueue)
      self.replyQueues = try fields.decodeIfPresent([String: String].self, forKey: .replyQueues)
      self.concurrency = try fields.decodeIfPresent([String: Int].self, forKey: .concurrency)
      self.orderedByConversation = try fields.decodeIfPresent(Bool.self, forKey: .orderedByConversation)
      self.registryEvents = try fields.decodeIfPresent(Events.self, forKey: .registryEvents)
    }
  }

  public struct Behaviour: Sendable, Decodable {
    public var sendTimeoutSeconds: Double?
    public var callTimeoutSeconds: Double?
    public var redeliveryDelaySeconds: Double?
    public var longestRedeliveryDelaySeconds: Double?
    public var poisonLimit: Int?
    public var rememberDuplicates: Int?
    public var errorReportsPerMinute: Int?
    public var lateReplies: LateReplies?
    public var answerPings: Bool?
    public var pingSubject: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case sendTimeoutSeconds = "send-timeout-seconds"
      case callTimeoutSeconds = "call-timeout-seconds"
      case redeliveryDelaySeconds = "redelivery-delay-seconds"
      case longestRedeliveryDelaySeconds = "longest-redelivery-delay-seconds"
      case poisonLimit = "poison-limit"
      case rememberDuplicates = "remember-duplicates"
      case errorReportsPerMinute = "error-reports-per-minute"
      case lateReplies = "late-replies"
      case answerPings = "answer-pings"
      case pingSubject = "ping-subject"
    }

    public init(from decoder: any Decoder) throws {
      let fields = try decoder.strict(CodingKeys.self)
      self.sendTimeoutSeconds = try fields.decodeIfPresent(Double.self, forKey: .sendTimeoutSeconds)
      self.callTimeoutSeconds = try fields.decodeIfPresent(Double.self, forKey: .callTimeoutSeconds)
      self.redeliveryDelaySeconds = try fields.decodeIfPresent(Double.self, forKey: .redeliveryDelaySeconds)
      self.longestRedeliveryDelaySeconds = try fields.decodeIfPresent(Double.self, forKey: .longestRedeliveryDelaySeconds)
      self.poisonLimit = try fields.decodeIfPresent(Int.self, forKey: .poisonLimit)
      self.rememberDuplicates = try fields.decodeIfPresent(Int.self, forKey: .rememberDuplicates)
      self.errorReportsPerMinute = try fields.decodeIfPresent(Int.self, forKey: .errorReportsPerMinute)
      self.lateReplies = try fields.decodeIfPresent(LateReplies.self, forKey: .lateReplies)
      self.answerPings = try fields.decodeIfPresent(Bool.self, forKey: .answerPings)
      self.pingSubject = try fields.decodeIfPresent(String.self, forKey: .pingSubject)
    }
  }

  public var system: System
  public var buses: [BusSettings]
  public var serve: Serve?
  public var behaviour: Behaviour?

  enum CodingKeys: String, CodingKey, CaseIterable { case system, buses, serve, behaviour }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strict(CodingKeys.self)
    self.system = try fields.decode(System.self, forKey: .system)
    self.buses = try fields.decode([BusSettings].self, forKey: .buses)
    self.serve = try fields.decodeIfPresent(Serve.self, forKey: .serve)
    self.behaviour = try fields.decodeIfPresent(Behaviour.self, forKey: .behaviour)
  }
}

extension Decoder {
  /// A keyed container that holds no other keys than these.
  fileprivate func strict<Keys: CodingKey & CaseIterable>(_ keys: Keys.Type) throws -> KeyedDecodingContainer<Keys> {
    let known = Set(Keys.allCases.map(\.stringValue))
    if let stranger = try self.container(keyedBy: AnyKey.self).allKeys.first(where: { !known.contains($0.stringValue) }) {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: self.codingPath,
          debugDescription: "unknown key \"\(stranger.stringValue)\"; known are \(known.sorted().joined(separator: ", "))"))
    }
    return try self.container(keyedBy: Keys.self)
  }
}

private struct AnyKey: CodingKey {
  var stringValue: String
  var intValue: Int?
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) {
    self.stringValue = String(intValue)
    self.intValue = intValue
  }
}
