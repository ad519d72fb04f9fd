// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Which parties and queues a process serves.
///
/// A user of the bus may have access to queues that are another process's, or nobody's, business: only what stands here is
/// received from.
public struct ServeConfiguration: Sendable, Hashable {
  /// Our HER-IDs. Their queues come from the register: a queue that several of them share is received from once.
  public var herIDs: [HerID]
  /// Which of their queues. Default: asynchronous, synchronous, error.
  public var kinds: Set<QueueKind>
  /// The queue that this process alone gets the answers to its synchronous calls and its pings on, by its short name, on every
  /// bus. The register does not hold it. Nil, the default: no synchronous calls.
  public var replyQueue: String?
  /// How many messages of one queue of this kind are in the handler at once, on each bus. Missing kinds: the configuration's
  /// ``TjenestebussConfiguration/concurrencyPerQueue``.
  public var concurrency: [QueueKind: Int]
  /// Whether messages of one conversation (``ReceivedMessage/conversation``) go to the handler one after the other, in the order
  /// in which they come by one queue on one bus. One that fails comes again **behind** those that came after it. Default false.
  public var orderedByConversation: Bool
  /// A queue of the register's events, that tells when a party's entry has changed. Nil, the default, for none.
  public var registryEvents: RegistryEventQueue?

  public init(
    herIDs: [HerID] = [], kinds: Set<QueueKind> = [.asynchronous, .synchronous, .error], replyQueue: String? = nil,
    concurrency: [QueueKind: Int] = [:], orderedByConversation: Bool = false, registryEvents: RegistryEventQueue? = nil
  ) {
    self.herIDs = herIDs
    self.kinds = kinds
    self.replyQueue = replyQueue
    self.concurrency = concurrency
    self.orderedByConversation = orderedByConversation
    self.registryEvents = registryEvents
  }
}

/// A queue on which the register's events come (NHN's ServiceBusManager makes it when a system subscribes).
public struct RegistryEventQueue: Sendable, Hashable {
  public var bus: BusName
  public var queue: String

  public init(bus: BusName, queue: String) {
    self.bus = bus
    self.queue = queue
  }
}
