// SPDX-License-Identifier: Apache-2.0

import Migration

/// Events that stood long without a head kept outside: whoever wrote them anew in that time would not be found out (I-19).
public struct HeadGap: Sendable, Hashable, Codable {
  /// What is being done just when a head is due may take a few minutes.
  static let lateness = TimeSpan.minutes(10)

  /// The first event without one, and the one whose head was the next; or the last that was written without any: before the daemon was started anew, or of
  /// all.
  public var first: Int64
  public var last: Int64
  /// From the one to the other.
  public var span: TimeSpan

  /// Goes through a history once.
  struct Search {
    private typealias Place = (sequence: Int64, at: Instant)

    private let kept: Set<Int64>
    private let allowed: TimeSpan
    private var longest: HeadGap?
    private var open: Place?
    private var latest: Place?

    /// - Parameters:
    ///   - kept: numbers of the events whose heads are kept outside. None: nothing is looked for.
    ///   - interval: after how long at most the daemon writes a head for what has happened.
    init(_ kept: Set<Int64>, every interval: TimeSpan) {
      self.kept = kept
      self.allowed = TimeSpan(milliseconds: interval.milliseconds + HeadGap.lateness.milliseconds)
    }

    mutating func take(_ stored: StoredEvent) {
      // A daemon that died could keep none for what it did last; for what it did before, it should have. The time in which none ran counts for nobody.
      if stored.event == .daemonStarted { self.close() }
      let place = (stored.sequence, stored.at)
      self.latest = place
      self.open = self.open ?? place
      if self.kept.contains(stored.sequence) { self.close() }
    }

    /// At the end of the history.
    ///
    /// - Returns: the longest of all.
    mutating func end() -> HeadGap? {
      self.close()
      return self.longest
    }

    private mutating func close() {
      defer { self.open = nil }
      guard !self.kept.isEmpty, let open = self.open, let latest = self.latest else { return }
      let span = latest.at.since(open.at)
      guard span > self.allowed, span > self.longest?.span ?? .seconds(0) else { return }
      self.longest = HeadGap(first: open.sequence, last: latest.sequence, span: span)
    }
  }
}
