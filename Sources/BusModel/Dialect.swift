// SPDX-License-Identifier: Apache-2.0

/// How a bus wants to be spoken to over AMQP 1.0, and what can be asked of it.
public enum Dialect: String, Sendable, Hashable, Codable, CaseIterable {
  /// Service Bus for Windows Server 1.1: PLAIN login, addresses `namespace/queue`.
  case serviceBusWindowsServer = "servicebus-windows-server"
  /// Azure Service Bus: addresses `queue`.
  case azureServiceBus = "azure-servicebus"
  /// RabbitMQ 3.x with the AMQP 1.0 plugin: address v1 only.
  case rabbitMQ3 = "rabbitmq-3"
  /// RabbitMQ 4.x spoken to with address v1 (refused by default from 4.3).
  case rabbitMQ4AddressV1 = "rabbitmq-4-v1"
  /// RabbitMQ 4.x with address v2.
  case rabbitMQ4AddressV2 = "rabbitmq-4-v2"
  /// ActiveMQ Classic: bare queue names.
  case activeMQ = "activemq"

  /// What can be asked of a bus of this dialect.
  public var capabilities: DialectCapabilities {
    switch self {
    case .serviceBusWindowsServer, .azureServiceBus:
      DialectCapabilities(
        missingQueueForSender: .refusesAttach, unroutableMessage: .refusesAttach, deadLetter: .subqueue("$DeadLetterQueue"),
        knowsModified: true, answersCloseOfLink: true, declaresQueueOnAttach: false,
        countsBy: self == .azureServiceBus ? [.peek] : [.entities], browses: self == .azureServiceBus,
        tellsArrivalTime: self == .azureServiceBus)
    case .rabbitMQ3:
      DialectCapabilities(
        missingQueueForSender: .acceptsAndLoses, unroutableMessage: .acceptsAndLoses, deadLetter: .ownQueue(suffix: "_dl"),
        knowsModified: false, answersCloseOfLink: false, declaresQueueOnAttach: true, countsBy: [.managementHTTP], browses: false,
        countsArrivals: true, tellsDeletedQueue: false, refusesSenderAtAttach: false, drains: false)
    case .rabbitMQ4AddressV1:
      DialectCapabilities(
        missingQueueForSender: .refusesAttach, unroutableMessage: .releases, deadLetter: .ownQueue(suffix: "_dl"),
        knowsModified: true, answersCloseOfLink: true, declaresQueueOnAttach: true, countsBy: [.managementAMQP, .managementHTTP],
        browses: false, statedMessageLimit: 16 << 20, mayWithdraw: true)
    case .rabbitMQ4AddressV2:
      DialectCapabilities(
        missingQueueForSender: .refusesAttach, unroutableMessage: .releases, deadLetter: .ownQueue(suffix: "_dl"),
        knowsModified: true, answersCloseOfLink: true, declaresQueueOnAttach: false,
        countsBy: [.managementAMQP, .managementHTTP],
        browses: false, statedMessageLimit: 16 << 20, mayWithdraw: true)
    case .activeMQ:
      DialectCapabilities(
        missingQueueForSender: .declaresQueue, unroutableMessage: .declaresQueue, deadLetter: .ownQueue(suffix: "_dl"),
        knowsModified: true, answersCloseOfLink: true, declaresQueueOnAttach: true,
        countsBy: [.statistics, .browse], browses: true, tellsDeletedQueue: false, logsInByCertificate: false)
    }
  }
}

/// What a dialect can and cannot do. Where a check is impossible the verdict says so; it is never passed silently.
public struct DialectCapabilities: Sendable, Hashable {
  /// What becomes of a sender, or a message, for which there is no queue.
  public enum MissingQueue: Sendable, Hashable {
    /// The attach is refused with an error.
    case refusesAttach
    /// The message comes back `released`.
    case releases
    /// The message is answered `accepted` and is lost: on this dialect `accepted` alone proves nothing.
    case acceptsAndLoses
    /// The queue is made on the spot.
    case declaresQueue
  }

  /// Where dead letters lie.
  public enum DeadLetter: Sendable, Hashable {
    /// A sub-queue below the queue itself.
    case subqueue(String)
    /// A queue of its own, named by suffix.
    case ownQueue(suffix: String)
  }

  /// A way to read a queue's depth, best first in ``countsBy``.
  public enum Counting: String, Sendable, Hashable, Codable {
    /// AMQP 1.0 `/management` GET /queues/NAME: exact, now.
    case managementAMQP
    /// HTTP management API: up to several seconds late.
    case managementHTTP
    /// Azure Service Bus: `com.microsoft:peek-message` at `QUEUE/$management`, in pages. Exact, but costs as much as the queue is long.
    case peek
    /// Service Bus for Windows Server: the queue's entry by REST (port 9355), which has every figure.
    case entities
    /// ActiveMQ: the statistics plugin, asked by message.
    case statistics
    /// ActiveMQ: copies of what lies there. As ``peek``; does not see what is handed out.
    case browse
  }

  /// A sender attached straight to a queue that does not exist.
  public var missingQueueForSender: MissingQueue
  /// A message to an exchange that routes to no queue.
  public var unroutableMessage: MissingQueue
  public var deadLetter: DeadLetter
  /// Whether a receiver may answer `modified`; where not, the session ends when it does.
  public var knowsModified: Bool
  /// Whether a Detach that closes a link is answered by one that closes it too. RabbitMQ 3 answers by one that does not (recorded:
  /// "detach by the client"), so the link is never closed at its end: its session is ended with it, and nothing is waited for.
  public var answersCloseOfLink: Bool
  /// Whether attaching a receiver by a bare or `/queue/` address creates the queue. We use addresses that do not.
  public var declaresQueueOnAttach: Bool
  public var countsBy: [Counting]
  /// Whether messages can be looked at without taking them.
  public var browses: Bool
  /// Whether a message that is looked at says by the bus's own clock when it came. Elsewhere its sender alone has written a time on it,
  /// by a clock that may be wrong.
  public var tellsArrivalTime: Bool
  /// Whether the management interface counts every message that ever came to a queue. RabbitMQ 4 counts those of AMQP 0-9-1 only (measured on
  /// 4.0.5 and 4.3.6): a figure that leaves out all of ours would say that nothing came.
  public var countsArrivals: Bool
  /// Whether a receiver is told when its queue is deleted. RabbitMQ 3 says nothing; ActiveMQ deletes no queue that is in use.
  public var tellsDeletedQueue: Bool
  /// Whether a sender without permission is refused at the attach; where not, its session is ended at the first message.
  public var refusesSenderAtAttach: Bool
  /// Whether a receiver may drain; where not, draining a short queue ends the session.
  public var drains: Bool
  /// The largest message the bus takes, in bytes, as it states at the attach; nil where it states none.
  public var statedMessageLimit: UInt64?
  /// Whether the bus may take back, on an open link, what a receiver holds too long: RabbitMQ from 4.3 on does.
  public var mayWithdraw: Bool
  /// Whether a client certificate can be the login (SASL EXTERNAL), where the bus is set up for it.
  public var logsInByCertificate: Bool

  public init(
    missingQueueForSender: MissingQueue, unroutableMessage: MissingQueue, deadLetter: DeadLetter, knowsModified: Bool,
    answersCloseOfLink: Bool, declaresQueueOnAttach: Bool, countsBy: [Counting], browses: Bool, tellsArrivalTime: Bool = false,
    countsArrivals: Bool = false,
    tellsDeletedQueue: Bool = true, refusesSenderAtAttach: Bool = true, drains: Bool = true, statedMessageLimit: UInt64? = nil,
    mayWithdraw: Bool = false,
    logsInByCertificate: Bool = true
  ) {
    self.missingQueueForSender = missingQueueForSender
    self.unroutableMessage = unroutableMessage
    self.deadLetter = deadLetter
    self.knowsModified = knowsModified
    self.answersCloseOfLink = answersCloseOfLink
    self.declaresQueueOnAttach = declaresQueueOnAttach
    self.countsBy = countsBy
    self.browses = browses
    self.tellsArrivalTime = tellsArrivalTime
    self.countsArrivals = countsArrivals
    self.tellsDeletedQueue = tellsDeletedQueue
    self.refusesSenderAtAttach = refusesSenderAtAttach
    self.drains = drains
    self.statedMessageLimit = statedMessageLimit
    self.mayWithdraw = mayWithdraw
    self.logsInByCertificate = logsInByCertificate
  }
}
