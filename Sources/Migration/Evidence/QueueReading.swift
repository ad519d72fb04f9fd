// SPDX-License-Identifier: Apache-2.0

import BusModel

/// One look at one queue's counters. Never a look at its messages.
public struct QueueReading: Sendable, Hashable, Codable {
  public enum Count: Sendable, Hashable, Codable {
    /// - Parameters:
    ///   - depth: messages there: ready, locked, deferred and scheduled, as far as the dialect tells.
    ///   - arrivals: all that ever came in, where the dialect tells; else a message taken between two looks goes unseen.
    ///   - consumers: receivers attached, where the dialect tells.
    case counted(depth: Int64, arrivals: Int64?, consumers: Int64?)
    /// The bus says there is no such queue.
    case absent
    /// Could not be read, and why: counts as not drained (decision Q5).
    case unreadable(String)
  }

  public var address: QueueAddress
  public var kind: QueueKind
  public var count: Count

  public init(address: QueueAddress, kind: QueueKind, count: Count) {
    self.address = address
    self.kind = kind
    self.count = count
  }

  public var depth: Int64? {
    if case .counted(let depth, _, _) = self.count { depth } else { nil }
  }

  public var arrivals: Int64? {
    if case .counted(_, let arrivals, _) = self.count { arrivals } else { nil }
  }

  /// Whether the reading says what a drain-check must know: counted, or a queue that need not exist is not there.
  public var isReadable: Bool {
    switch self.count {
    case .counted: true
    case .absent: !QueueKind.inRegister.contains(self.kind)
    case .unreadable: false
    }
  }

  /// A queue that the register names has gone: mail may have gone with it (I-7).
  public var isMissing: Bool { self.count == .absent && QueueKind.inRegister.contains(self.kind) }
}
