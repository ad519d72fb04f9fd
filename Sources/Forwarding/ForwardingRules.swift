// SPDX-License-Identifier: Apache-2.0

/// How stranded messages are carried from a source queue to a target queue.
public struct ForwardingRules: Sendable, Hashable, Codable {
  public enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
    /// One message on its way at a time: nothing overtakes anything, whatever the target answers.
    case strict
    /// ``ForwardingRules/window`` messages on their way; any outcome but `accepted` stops the queue.
    case fast
  }

  /// What is done with a message that has a time to live, of which nobody knows when it was enqueued.
  public enum UnknownAge: String, Sendable, Hashable, Codable, CaseIterable {
    /// Its whole time to live begins anew.
    case whole
    /// It is set aside and reported.
    case aside
  }

  public var mode: Mode = .strict
  /// Messages on their way in ``Mode/fast``.
  public var window: Int = 1_000
  /// Messages a second at most; nil for no limit.
  public var rate: Int?
  public var unknownAge: UnknownAge = .aside
  /// Count what would be carried, and carry nothing.
  public var isDryRun: Bool = false
  /// Whether the messages are of a synchronous queue: then none is sent, each is set aside and left to expire.
  public var leavesToExpire: Bool = false
  /// Whether what was set aside in earlier runs is tried again. Default false: it is held, and given back at the end.
  public var retriesSetAside: Bool = false
  /// The most messages that are held set aside at a time; one more stops the queue.
  public var heldLimit: Int = 200
  /// How often the source bus hands a message out before it drops or dead-letters it; nil for what its dialect does by default
  /// (RabbitMQ 4: 20, on quorum queues; Service Bus: 10). Three deliveries before that the queue stops.
  public var deliveryLimit: Int?

  public init() {}

  private enum CodingKeys: String, CodingKey {
    case mode, window, rate, unknownAge, isDryRun, leavesToExpire, retriesSetAside, heldLimit, deliveryLimit
  }

  /// What is not there has its default.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = ForwardingRules()
    self.mode = try values.decodeIfPresent(Mode.self, forKey: .mode) ?? defaults.mode
    self.window = try values.decodeIfPresent(Int.self, forKey: .window) ?? defaults.window
    self.rate = try values.decodeIfPresent(Int.self, forKey: .rate)
    self.unknownAge = try values.decodeIfPresent(UnknownAge.self, forKey: .unknownAge) ?? defaults.unknownAge
    self.isDryRun = try values.decodeIfPresent(Bool.self, forKey: .isDryRun) ?? defaults.isDryRun
    self.leavesToExpire = try values.decodeIfPresent(Bool.self, forKey: .leavesToExpire) ?? defaults.leavesToExpire
    self.retriesSetAside = try values.decodeIfPresent(Bool.self, forKey: .retriesSetAside) ?? defaults.retriesSetAside
    self.heldLimit = try values.decodeIfPresent(Int.self, forKey: .heldLimit) ?? defaults.heldLimit
    self.deliveryLimit = try values.decodeIfPresent(Int.self, forKey: .deliveryLimit)
  }

  /// What is wrong with them.
  var problem: String? {
    if self.window < 1 || self.window > 10_000 { return "a window of \(self.window) messages: 1 to 10000 can be on their way" }
    if let rate, rate < 1 { return "\(rate) messages a second" }
    if self.heldLimit < 0 || self.heldLimit > 10_000 { return "a limit of \(self.heldLimit) messages that are held: 0 to 10000" }
    if let deliveryLimit, deliveryLimit < 1 { return "a delivery limit of \(deliveryLimit)" }
    return nil
  }

  /// How many may be on their way.
  var effectiveWindow: Int { self.mode == .strict ? 1 : self.window }
}
