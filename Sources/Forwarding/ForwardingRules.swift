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

  public init() {}
}
