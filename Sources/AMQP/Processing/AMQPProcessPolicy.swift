// SPDX-License-Identifier: Apache-2.0

/// What ``AMQPClient/process(from:maxConcurrent:orderedBy:policy:_:)`` does with deliveries whose handler fails, and when it
/// gives a message up.
///
/// Handing back is sparing, since RabbitMQ 4.0 to 4.2's quorum queues count it: after 20 deliveries the message is dropped or
/// dead-lettered. So little is fetched ahead, and what failed is held for ``retryDelay`` first, in its place in the window.
public struct AMQPProcessPolicy: Sendable {
  /// How a message is dead-lettered.
  public enum DeadLettering: Sendable, Hashable {
    /// `rejected` with the reason: every broker knows it.
    case rejected
    /// `modified` with undeliverable-here, where the broker knows it, else `rejected`.
    case modified
  }

  /// How many deliveries are fetched beyond those at work. Nil for as many as those; each may be given back once when it
  /// stops. Default nil.
  public var prefetch: Int?
  /// How often a handler is run again at once, when the reaction says so. Default 0.
  public var retriesAtOnce: Int
  /// How long a delivery whose handler failed is held before it is handed back. Default 60 s.
  public var retryDelay: Duration
  /// A message that the bus has delivered so often before is dead-lettered without its handler. Nil for never. Default 10.
  public var poisonLimit: Int?
  /// The limit at which the broker itself gives a message up; from three quarters of it on it is reported. Nil for none.
  /// Default 20, as RabbitMQ 4's quorum queues.
  public var brokerDeliveryLimit: Int?
  public var deadLettering: DeadLettering
  /// How long handlers at work may take when it stops; then they are cancelled. Nil for three quarters of the client's
  /// shutdown deadline.
  public var stopWithin: Duration?
  /// Decides what becomes of a delivery whose handler threw. By default ``AMQPProcessReaction/standard(_:)``.
  public var reaction: @Sendable (any Error, AMQPDelivery) -> AMQPProcessReaction
  /// Whether a delivery that is held after a failure holds back those of its key behind it: then all of them are handed back
  /// together, in their order, and come again in it. If not, it comes again behind them. Default true.
  public var failedKeepPlace: Bool
  /// About how long until an address that does not exist, or may not be read, is tried again, for ever. Nil to end with the error.
  /// Default nil.
  public var refusedRetry: Duration?
  /// Keeps the locks of deliveries at work from running out (Azure Service Bus). Default nil.
  public var lockRenewal: (any AMQPLockRenewing)?
  /// Told what happens besides success: must be quick.
  public var report: @Sendable (AMQPProcessEvent) -> Void

  public init(
    prefetch: Int? = nil, retriesAtOnce: Int = 0, retryDelay: Duration = .seconds(60), poisonLimit: Int? = 10,
    brokerDeliveryLimit: Int? = 20, deadLettering: DeadLettering = .rejected, stopWithin: Duration? = nil,
    failedKeepPlace: Bool = true, refusedRetry: Duration? = nil, lockRenewal: (any AMQPLockRenewing)? = nil,
    reaction: @escaping @Sendable (any Error, AMQPDelivery) -> AMQPProcessReaction = { error, _ in .standard(error) },
    report: @escaping @Sendable (AMQPProcessEvent) -> Void = { _ in }
  ) {
    self.prefetch = prefetch
    self.retriesAtOnce = retriesAtOnce
    self.retryDelay = retryDelay
    self.poisonLimit = poisonLimit
    self.brokerDeliveryLimit = brokerDeliveryLimit
    self.deadLettering = deadLettering
    self.stopWithin = stopWithin
    self.failedKeepPlace = failedKeepPlace
    self.refusedRetry = refusedRetry
    self.lockRenewal = lockRenewal
    self.reaction = reaction
    self.report = report
  }
}

/// What is to become of a delivery whose handler failed. A handler may throw one itself.
public enum AMQPProcessReaction: Error, Sendable, Hashable {
  /// The handler is run again at once, as often as the policy allows; then as ``retryLater(after:)``.
  case retryNow
  /// It is held, and then handed back to the bus. Nil for the policy's delay.
  case retryLater(after: Duration? = nil)
  /// It is given up: the bus keeps it with its dead letters, where it has any.
  case deadLetter(AMQPCondition)
  /// It is handed back and nothing more is started; `process` throws the error.
  case stop

  /// What the handler chose by throwing it; a message that cannot be decoded is dead-lettered; all else is tried later.
  public static func standard(_ error: any Error) -> AMQPProcessReaction {
    switch error {
    case let reaction as AMQPProcessReaction: reaction
    case let error as AMQPError where error.code == .messageMalformed:
      .deadLetter(AMQPCondition(AMQPCondition.decodeError, text: "[\(error.stableCode)] the message cannot be read"))
    default: .retryLater(after: nil)
    }
  }
}

/// What happened to a delivery besides success, or to the link they come by. Holds no content.
public enum AMQPProcessEvent: Sendable, Hashable {
  /// The bus has delivered it so often that it will soon give it up.
  case nearDeliveryLimit(AMQPMessageID?, deliveries: Int)
  /// It is dead-lettered.
  case deadLettered(AMQPMessageID?, AMQPCondition)
  /// Its handler failed, and it is handed back.
  case handedBack(AMQPMessageID?)
  /// The bus took it back because it was not settled in time; its handler was cancelled.
  case withdrawn(AMQPMessageID?)
  /// Handled, but its link was gone before the bus could be told: it comes again.
  case settlementLost(AMQPMessageID?)
  /// Its lock could not be renewed: the bus may give it to another. Where the bus says that it is lost, the handler is
  /// cancelled.
  case lockNotRenewed(AMQPMessageID?)
  /// The link that it receives by is attached, lost, refused, or tried again.
  case link(AMQPClientState)
}

/// How many deliveries ended how.
public struct AMQPProcessCounts: Sendable, Hashable {
  public var accepted = 0
  public var deadLettered = 0
  /// Handed back because their handler failed.
  public var handedBack = 0
  /// Handed back because they were not begun, or broken off at the end.
  public var handedBackUnbegun = 0
  public var retriedAtOnce = 0
  public var withdrawn = 0
  public var settlementsLost = 0
  public var nearDeliveryLimit = 0

  public init() {}
}
