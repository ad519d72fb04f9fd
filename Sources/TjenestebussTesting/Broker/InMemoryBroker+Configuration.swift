// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure

extension InMemoryBroker {
  /// What kind of broker it is, who may use it, and which queues it begins with.
  public struct Configuration: Sendable {
    /// How it wants to be spoken to, and what it does with what it is told.
    public var dialect: Dialect
    /// Which broker it plays; by default the one that is usual for the dialect, RabbitMQ 4.0 for both of RabbitMQ 4's.
    public var product: BrokerProduct
    /// Namespace on Service Bus, exchange on RabbitMQ: routes to every queue by its name. Case counts.
    public var path: String
    /// Default loopback.
    public var host: String
    /// Default 0: any free one.
    public var port: Int
    /// Nil, the default, for plain TCP.
    public var tls: BrokerTLS?
    /// Who may log in by PLAIN. Default: user guest, password guest, who may do everything.
    public var users: [BrokerUser]
    /// The user that a client without a name counts as; nil, the default, when such a client is turned away. On RabbitMQ 3 this
    /// is guest unless switched off.
    public var anonymousUser: String?
    public var queues: [BrokerQueue]
    /// RabbitMQ's `vhost:NAME` in the client's Open must name this one. Default "/".
    public var virtualHost: String
    /// In bytes, 0 for no limit; nil for the dialect's own.
    public var maximumMessageSize: UInt64?
    /// Credit a sender has at most; nil for the product's own, 170 with RabbitMQ 4.
    public var creditWindow: Int?
    /// The silence that clients are told to avoid; they count as gone after twice that. Nil for the product's own.
    public var idleTimeout: Duration?
    /// How long a refused login, or an Open that RabbitMQ does not like, waits for its end; nil for the product's own, 3 s with
    /// RabbitMQ.
    public var refusalDelay: Duration?
    /// Azure Service Bus: how long a consumer may hold a message. Default 60 s.
    public var lockDuration: Duration
    /// Where the HTTP management answers in RabbitMQ's form, and for Service Bus for Windows Server also in its own; 0 for any free
    /// port, nil, the default, for none.
    public var managementPort: Int?
    /// ActiveMQ: whether the statistics plugin is there. Default true.
    public var answersStatistics = true
    /// What time it is: for times to live.
    public var clock: any BrokerClock

    public init(
      dialect: Dialect, path: String = "", host: String = "127.0.0.1", port: Int = 0, tls: BrokerTLS? = nil,
      users: [BrokerUser] = [BrokerUser("guest", password: Secret("guest"))], anonymousUser: String? = nil,
      queues: [BrokerQueue] = [], virtualHost: String = "/", maximumMessageSize: UInt64? = nil, creditWindow: Int? = nil,
      idleTimeout: Duration? = nil, refusalDelay: Duration? = nil, lockDuration: Duration = .seconds(60),
      managementPort: Int? = nil,
      clock: any BrokerClock = SystemBrokerClock(), product: BrokerProduct? = nil
    ) {
      self.dialect = dialect
      self.product = product ?? BrokerProduct(for: dialect)
      self.refusalDelay = refusalDelay
      self.lockDuration = lockDuration
      self.path = path
      self.host = host
      self.port = port
      self.tls = tls
      self.users = users
      self.anonymousUser = anonymousUser
      self.queues = queues
      self.virtualHost = virtualHost
      self.maximumMessageSize = maximumMessageSize
      self.creditWindow = creditWindow
      self.idleTimeout = idleTimeout
      self.managementPort = managementPort
      self.clock = clock
    }
  }
}

/// The server's certificate and key, as PEM files.
public struct BrokerTLS: Sendable, Hashable {
  /// The server's certificate first.
  public var certificateChain: String
  public var privateKey: String
  /// Whose client certificates are taken: with one, a client may log in by EXTERNAL as its common name. Nil for nobody's.
  public var clientAuthority: String?

  public init(certificateChain: String, privateKey: String, clientAuthority: String? = nil) {
    self.clientAuthority = clientAuthority
    self.certificateChain = certificateChain
    self.privateKey = privateKey
  }
}

/// Who may use the broker, and for what.
public struct BrokerUser: Sendable, Hashable {
  public var name: String
  public var password: Secret
  /// Queues this user may receive from.
  public var mayRead: [NamePattern]
  /// What this user may send to: names of queues on Service Bus and ActiveMQ; on RabbitMQ, as there, names of exchanges, a
  /// queue's own address counting as `amq.default`.
  public var mayWrite: [NamePattern]
  /// RabbitMQ: queues and exchanges this user may declare and delete.
  public var mayConfigure: [NamePattern]
  /// RabbitMQ: whether this user may enter the virtual host.
  public var mayEnter: Bool
  /// RabbitMQ: whether this user may send messages with anybody's user-id.
  public var mayImpersonate: Bool

  public init(
    _ name: String, password: Secret, mayRead: [NamePattern] = ["*"], mayWrite: [NamePattern] = ["*"],
    mayConfigure: [NamePattern] = ["*"], mayEnter: Bool = true, mayImpersonate: Bool = false
  ) {
    self.mayConfigure = mayConfigure
    self.mayEnter = mayEnter
    self.mayImpersonate = mayImpersonate
    self.name = name
    self.password = password
    self.mayRead = mayRead
    self.mayWrite = mayWrite
  }
}

/// A queue to be declared.
public struct BrokerQueue: Sendable, Hashable, ExpressibleByStringLiteral {
  /// Where messages go that were not consumed.
  public enum DeadLetter: Sendable, Hashable {
    /// As the dialect has it: the sub-queue `NAME/$DeadLetterQueue`, or an own queue, which is declared too: `93238_dl` for
    /// `93238_async` and its like, `NAME_dl` for a queue of any other name.
    case automatic
    /// They are lost.
    case none
    case queue(String)
  }

  public enum DeliveryLimit: Sendable, Hashable {
    /// RabbitMQ 4: 20 returns of a quorum queue. Service Bus: 10 deliveries. RabbitMQ 3 and ActiveMQ: none.
    case dialect
    case none
    /// The most returns a message survives.
    case returns(Int)
  }

  /// RabbitMQ's kinds of queue; elsewhere they are alike.
  public enum Kind: String, Sendable, Hashable { case classic, quorum }

  public var name: String
  /// Default quorum.
  public var kind: Kind
  /// RabbitMQ 4.3: how long a consumer may hold a message; nil, the default, for the broker's own 30 min.
  public var consumerTimeout: Duration?
  /// The most messages it holds; nil, the default, for no limit.
  public var maximumLength: Int?
  /// How long a message may lie in it; nil, the default, for no limit.
  public var timeToLive: Duration?
  public var deliveryLimit: DeliveryLimit
  public var deadLetter: DeadLetter

  public init(
    _ name: String, kind: Kind = .quorum, maximumLength: Int? = nil, timeToLive: Duration? = nil,
    deliveryLimit: DeliveryLimit = .dialect, deadLetter: DeadLetter = .automatic, consumerTimeout: Duration? = nil
  ) {
    self.kind = kind
    self.consumerTimeout = consumerTimeout
    self.name = name
    self.maximumLength = maximumLength
    self.timeToLive = timeToLive
    self.deliveryLimit = deliveryLimit
    self.deadLetter = deadLetter
  }

  public init(stringLiteral value: String) { self.init(value) }
}

extension BrokerQueue {
  /// The name of the queue its dead letters go to; nil for none.
  func deadLetterQueue(_ dialect: Dialect) -> String? {
    switch (self.deadLetter, dialect.capabilities.deadLetter) {
    case (.none, _): return nil
    case (.queue(let name), _): return name
    case (.automatic, .subqueue(let sub)): return self.name.hasSuffix("/\(sub)") ? nil : "\(self.name)/\(sub)"
    case (.automatic, .ownQueue(let suffix)):
      if self.name.hasSuffix(suffix) { return nil }
      for kind in QueueKind.allCases where self.name.hasSuffix("_" + kind.rawValue) {
        return self.name.dropLast(kind.rawValue.count + 1) + suffix
      }
      return self.name + suffix
    }
  }

  /// As RabbitMQ's management tells them.
  var arguments: QueueArguments {
    var map: AMQPMap = ["x-queue-type": .string(self.kind.rawValue)]
    if let length = self.maximumLength { map["x-max-length"] = .long(Int64(length)) }
    if let lifetime = self.timeToLive { map["x-message-ttl"] = .long(Int64(lifetime / .milliseconds(1))) }
    return QueueArguments(map)
  }

  func rules(_ manners: BrokerManners, lockDuration: Duration) -> QueueRules {
    var rules = self.kind == .classic ? manners.classicRules : manners.rules
    switch manners.product {
    case .azureServiceBus, .serviceBusWindowsServer: rules.lockDuration = Int64(lockDuration / .milliseconds(1))
    case .rabbitMQ43 where self.kind == .quorum:
      rules.lockDuration = Int64((self.consumerTimeout ?? .seconds(1_800)) / .milliseconds(1))
      rules.lostLocksBlock = true
    case .rabbitMQ310, .rabbitMQ40, .rabbitMQ43, .activeMQ: break
    }
    rules.maximumLength = self.maximumLength
    rules.timeToLive = self.timeToLive.map { Int64($0 / .milliseconds(1)) }
    switch self.deliveryLimit {
    case .dialect: break
    case .none: rules.deliveryLimit = nil
    case .returns(let count): rules.deliveryLimit = count
    }
    return rules
  }
}
