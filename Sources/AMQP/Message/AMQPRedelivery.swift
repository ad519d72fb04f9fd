// SPDX-License-Identifier: Apache-2.0

/// What a bus tells of earlier deliveries of a message, and of its lock and place in the queue.
///
/// What a bus does not tell is nil or zero. RabbitMQ 3 tells ``firstAcquirer`` only, and so do classic queues of RabbitMQ 4.0.
public struct AMQPRedelivery: Sendable, Hashable {
  /// Deliveries that failed before this one (header).
  public var deliveryCount: UInt32
  /// `x-delivery-count`, quorum queues of RabbitMQ 4: in 4.0 every time it was given back counts, in 4.3 the failed ones.
  public var countedReturns: UInt64?
  /// Whether nobody had it before, as far as the bus tells (header): false also where it does not tell.
  public var firstAcquirer: Bool
  /// How often it was handed out before, for whatever reason it came back: `x-acquired-count`, quorum queues of RabbitMQ 4.3.
  public var acquiredCount: UInt64?
  /// Until when it is ours alone, in milliseconds since 1970: `x-opt-locked-until`, Service Bus.
  public var lockedUntil: Int64?
  /// When the bus took it in, in milliseconds since 1970: `x-opt-enqueued-time`, Service Bus.
  public var enqueuedTime: Int64?
  /// Its number in the queue: `x-opt-sequence-number`, Service Bus.
  public var sequenceNumber: Int64?

  /// Whether a count says that it was handed out before.
  public var isRedelivered: Bool { self.attemptsTowardsLimit > 0 || (self.acquiredCount ?? 0) > 0 }

  /// Deliveries before this one that count towards the queue's delivery limit. On RabbitMQ 4.0 a released one does; on 4.3 only
  /// those that failed, however often it was handed out.
  public var attemptsTowardsLimit: UInt64 { max(UInt64(self.deliveryCount), self.countedReturns ?? 0) }

  /// Whether few deliveries are left before a quorum queue drops or dead-letters the message.
  ///
  /// - Parameters:
  ///   - limit: the queue's delivery limit; RabbitMQ's default is 20, Service Bus's maximum delivery count 10.
  ///   - margin: how many deliveries may be left for it to be near, this one not counted.
  public func isNearDeliveryLimit(of limit: Int = 20, margin: Int = 3) -> Bool {
    Int(clamping: self.attemptsTowardsLimit) >= limit - margin
  }

  init(_ header: AMQPHeader?, _ annotations: AMQPMap) {
    self.deliveryCount = header?.deliveryCount ?? 0
    self.firstAcquirer = header?.firstAcquirer ?? false
    self.countedReturns = annotations["x-delivery-count"]?.integer.flatMap { UInt64(exactly: $0) }
    self.acquiredCount = annotations["x-acquired-count"]?.integer.flatMap { UInt64(exactly: $0) }
    self.lockedUntil = annotations["x-opt-locked-until"]?.integer
    self.enqueuedTime = annotations["x-opt-enqueued-time"]?.integer
    self.sequenceNumber = annotations["x-opt-sequence-number"]?.integer
  }
}

extension AMQPMessage {
  /// What the bus tells of earlier deliveries.
  public var redelivery: AMQPRedelivery { AMQPRedelivery(self.header, self.messageAnnotations) }
}

extension AMQPDelivery {
  /// What the bus tells of earlier deliveries. Reads header and annotations only, not the message.
  ///
  /// - Throws: `messageMalformed`.
  public func redelivery() throws(AMQPError) -> AMQPRedelivery { try self.carriage().redelivery }

  /// Whether and why it was dead-lettered; nil when it was not. Reads no body.
  ///
  /// - Throws: `messageMalformed`.
  public func deadLetter() throws(AMQPError) -> AMQPDeadLetter? { try self.carriage().deadLetter }

  private func carriage() throws(AMQPError) -> AMQPMessage {
    do {
      return try AMQPMessage(decodingBeforeBody: self.payload)
    } catch {
      throw AMQPError(
        .messageMalformed, .delivery, .remote, tried: "read the annotations of a message of \(self.address)",
        seen: String(describing: error))
    }
  }
}
