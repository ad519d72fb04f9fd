// SPDX-License-Identifier: Apache-2.0

import Migration

/// How the carrying of one queue ended.
public enum ForwardingEnd: Sendable, Hashable {
  /// It was cancelled, and what was on its way is settled or back on its queue.
  case cancelled
  /// It goes no further before a person has looked.
  case stopped(code: String, seen: String)
  /// A bus or a link failed; it is begun again by itself.
  case interrupted(code: String, seen: String)
}

/// Carries stranded messages, one queue at a time. The only port through which anything is taken from a party's queue.
public protocol ForwardingPort: Sendable {
  /// Carries one queue until it is cancelled, or cannot go on. Ends soon after it was cancelled, with nothing on its way.
  ///
  /// - Parameters:
  ///   - retriesSetAside: whether what earlier runs set aside is tried once more.
  ///   - report: takes totals of this run, some times a second at most; the last one before the return.
  func carry(
    _ errand: ForwardingErrand, retriesSetAside: Bool, report: @escaping @Sendable (ForwardingCount) -> Void
  ) async -> ForwardingEnd
}

/// Carries nothing.
public struct NoForwarding: ForwardingPort {
  public init() {}
  public func carry(
    _ errand: ForwardingErrand, retriesSetAside: Bool, report: @escaping @Sendable (ForwardingCount) -> Void
  ) async -> ForwardingEnd {
    .stopped(code: EngineError.nothingCarries.stableCode, seen: EngineError.nothingCarries.explanation.seen)
  }
}
