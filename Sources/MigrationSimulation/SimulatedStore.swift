// SPDX-License-Identifier: Apache-2.0

import Migration

/// The event store in memory: the rows that are durable, their chain, and the heads that were kept outside.
struct SimulatedStore {
  struct Row {
    var event: MigrationEvent
    var at: Instant
    var fence: Int64
  }

  enum Failure {
    /// Not kept, and the writer is told so.
    case notKept
    /// Kept, and the writer is told it was not.
    case keptUnsaid
  }

  enum Answer { case kept, fenced, failed }

  private(set) var rows: [Row] = []
  private(set) var digests: [UInt64] = []
  /// Operations whose intent is durable.
  private(set) var intents: Set<OperationID> = []
  /// What the durable rows fold to: what the next start loads.
  private(set) var folded = MigrationState()
  private(set) var newestFence: Int64 = 0
  /// Rows up to here and their digest, kept outside.
  private(set) var anchors: [(count: Int, digest: UInt64)] = []
  var failures: [Failure] = []
  var isFull = false
  /// A newer program has written a row that this one does not know.
  var holdsUnknownRow = false
  var ignoresFences = false

  init() {
    self.rows.reserveCapacity(1_024)
    self.digests.reserveCapacity(1_024)
  }

  mutating func takeFence() -> Int64 {
    self.newestFence += 1
    return self.newestFence
  }

  mutating func append(
    _ events: [MigrationEvent], at now: Instant, fence: Int64, each: (MigrationEvent, GroupPhase?, MigrationState) -> Void
  ) -> Answer {
    if fence != self.newestFence, !self.ignoresFences { return .fenced }
    if self.isFull { return .failed }
    let failure = self.failures.isEmpty ? nil : self.failures.removeFirst()
    if case .notKept = failure { return .failed }
    for event in events {
      let phase = HistoryWatch.phase(before: event, in: self.folded)
      _ = self.folded.apply(event, at: now)
      self.rows.append(Row(event: event, at: now, fence: fence))
      self.digests.append(Self.digest(after: self.digests.last ?? 0, self.rows[self.rows.count - 1]))
      if case .group(_, _, .intentRecorded(let operation, _, _, _, _)) = event { self.intents.insert(operation) }
      each(event, phase, self.folded)
    }
    return failure == nil ? .kept : .failed
  }

  mutating func anchor() { self.anchors.append((self.rows.count, self.digests.last ?? 0)) }

  /// Sabotage: the end of the history is cut off.
  mutating func cutOff(_ count: Int) {
    self.rows.removeLast(min(count, self.rows.count))
    self.digests.removeLast(self.digests.count - self.rows.count)
    self.folded = MigrationState()
    self.intents = []
    for row in self.rows {
      _ = self.folded.apply(row.event, at: row.at)
      if case .group(_, _, .intentRecorded(let operation, _, _, _, _)) = row.event { self.intents.insert(operation) }
    }
  }

  /// The first head kept outside that the history does not go through.
  func brokenAnchor() -> Int? {
    var digest: UInt64 = 0
    var next = 0
    for (index, row) in self.rows.enumerated() {
      digest = Self.digest(after: digest, row)
      while next < self.anchors.count, self.anchors[next].count == index + 1 {
        if self.anchors[next].digest != digest { return self.anchors[next].count }
        next += 1
      }
      if next < self.anchors.count, self.anchors[next].count <= index { return self.anchors[next].count }
    }
    return next < self.anchors.count ? self.anchors[next].count : nil
  }

  private static func digest(after digest: UInt64, _ row: Row) -> UInt64 {
    var value = digest ^ 0xCBF2_9CE4_8422_2325
    func mix(_ next: UInt64) { value = (value ^ next) &* 0x0000_0100_0000_01B3 }
    if case .group(_, _, let event) = row.event {
      for byte in "group.".utf8 { mix(UInt64(byte)) }
      for byte in event.kind.utf8 { mix(UInt64(byte)) }
    } else {
      for byte in row.event.kind.utf8 { mix(UInt64(byte)) }
    }
    mix(UInt64(bitPattern: row.at.milliseconds))
    mix(UInt64(bitPattern: row.fence))
    return value
  }
}
