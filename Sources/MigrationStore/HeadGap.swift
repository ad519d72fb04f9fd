// SPDX-License-Identifier: Apache-2.0

import Migration

/// Events that stood long without a head kept outside: whoever wrote them anew in that time would not be found out (I-19).
public struct HeadGap: Sendable, Hashable, Codable {
  /// The heads are written every hour; what is being done just then may take a few minutes.
  static let allowed = TimeSpan.minutes(70)

  /// The first event without one, and the one whose head was the next.
  public var first: Int64
  public var last: Int64
  /// From the one to the other.
  public var span: TimeSpan

  /// Goes through a history once.
  struct Search {
    private let kept: Set<Int64>
    private(set) var longest: HeadGap?
    private var open: (sequence: Int64, at: Instant)?

    /// - Parameter kept: numbers of the events whose heads are kept outside. None: nothing is looked for.
    init(_ kept: Set<Int64>) { self.kept = kept }

    mutating func take(_ stored: StoredEvent) {
      // A daemon that died could keep none; what it left is under the next one's first head.
      if stored.event == .daemonStarted { self.open = nil }
      let open = self.open ?? (stored.sequence, stored.at)
      self.open = open
      guard self.kept.contains(stored.sequence) else { return }
      self.open = nil
      let span = stored.at.since(open.at)
      guard span > HeadGap.allowed, span > self.longest?.span ?? .seconds(0) else { return }
      self.longest = HeadGap(first: open.sequence, last: stored.sequence, span: span)
    }
  }
}
