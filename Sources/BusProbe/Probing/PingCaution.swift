// SPDX-License-Identifier: Apache-2.0

/// When a ping would do harm, by what was read of the queue right before it. Pure.
enum PingCaution {
  /// - Returns: why no ping may go; nil when nothing is known against it.
  static func reason(_ count: QueueCount?) -> PingObservation.ReasonNotSent? {
    guard let count, let settings = count.settings else { return nil }
    // One more message, and the oldest is dropped: that may be a patient's.
    if count.isFull, !settings.refusesWhenFull { return .wouldPushOut(settings) }
    // Expired messages go on without their time to live: where nobody fetches, the ping would lie among the dead letters for good.
    if count.consumers == 0, let exchange = settings.deadLetterExchange { return .wouldStay(exchange: exchange) }
    return nil
  }
}
