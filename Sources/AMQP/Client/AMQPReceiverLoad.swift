// SPDX-License-Identifier: Apache-2.0

/// Where the deliveries of one receiver of an ``AMQPClient`` are: an unsettled delivery may be with a handler, behind those that
/// are, or held after a failure, and only the first is the handlers' to end.
public struct AMQPReceiverLoad: Sendable, Hashable {
  /// Which receiver, as ``AMQPClientState/subject`` names it.
  public var subject: AMQPClientState.Subject
  /// The generation of its link; nil while it is not attached.
  public var epoch: AMQPEpoch?
  /// Arrived, and no handler has begun them.
  public var waiting: Int
  /// With a handler. Nil where only the statistics tell: what was taken and is not settled.
  public var atWork: Int?
  /// Since when the oldest of those is there.
  public var oldestAtWork: Duration?
  /// Held after a failure, to be handed back when their delay is over.
  public var held: Int

  public init(
    subject: AMQPClientState.Subject, epoch: AMQPEpoch? = nil, waiting: Int = 0, atWork: Int? = nil,
    oldestAtWork: Duration? = nil, held: Int = 0
  ) {
    self.subject = subject
    self.epoch = epoch
    self.waiting = waiting
    self.atWork = atWork
    self.oldestAtWork = oldestAtWork
    self.held = held
  }
}
