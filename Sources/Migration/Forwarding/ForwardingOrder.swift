// SPDX-License-Identifier: Apache-2.0

import BusModel

/// How the stranded messages of one group are carried from the bus being left to the other, and who approved it.
///
/// It is not for synchronous messages: whoever asked does not wait any more when they would come.
public struct ForwardingOrder: Sendable, Hashable, Codable {
  public enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
    /// One message on its way at a time.
    case strict
    /// ``ForwardingOrder/window`` messages on their way; any outcome but `accepted` stops the queue.
    case fast
  }

  /// What is done with a message that has a time to live, of which nobody knows when it was enqueued.
  public enum UnknownAge: String, Sendable, Hashable, Codable, CaseIterable {
    /// Its whole time to live begins anew.
    case whole
    /// It is set aside and reported.
    case aside
  }

  /// Who carries.
  public enum Carrier: String, Sendable, Hashable, Codable, CaseIterable {
    /// The daemon's own forwarder.
    case own
    /// Shovels of the bus, declared and watched by the daemon. They drop what the target rejects, and may duplicate.
    case shovel
  }

  public var mode: Mode = .strict
  /// Messages on their way in ``Mode/fast``.
  public var window: Int = 1_000
  /// Nil for no limit.
  public var ratePerSecond: Int?
  public var unknownAge: UnknownAge = .aside
  /// Which of the party's queues: asynchronous and error, and dead letters when they are named.
  public var queues: [QueueKind] = [.asynchronous, .error]
  public var carrier: Carrier = .own
  /// How often the bus that is left hands a message out before it gives it up, where its queues differ from what is usual there.
  public var deliveryLimit: Int?
  public var approvals: [String]

  public init(approvals: [String]) { self.approvals = approvals }

  /// What is wrong with it, in words; nil when it can be carried out.
  var fault: String? {
    if self.queues.isEmpty { return "no queue is named" }
    if let kind = self.queues.first(where: { $0 == .synchronous || $0 == .synchronousReply }) {
      return "\(kind.rawValue) messages are left to expire: nobody waits for them any more"
    }
    if Set(self.queues).count != self.queues.count { return "a kind of queue is named twice" }
    if self.window < 1 { return "a window of \(self.window)" }
    if let rate = self.ratePerSecond, rate < 1 { return "\(rate) messages a second" }
    if let deliveryLimit, deliveryLimit < 1 { return "a delivery limit of \(deliveryLimit)" }
    return nil
  }
}
