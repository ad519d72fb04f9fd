// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What a sync found, party by party where it matters.
public struct SyncReport: Sendable, Hashable {
  /// Parties that were not in the cache before.
  public var added: [HerID] = []
  /// Parties whose entry had changed since it was read last, without anybody having told: where it differs.
  public var changed: [RecordDifference] = []
  /// Parties whose row in the cache was damaged: what they were is not known, and what they are stands there now.
  public var mended: [HerID] = []
  /// As they were.
  public var confirmed = 0
  /// The cache had a later reading.
  public var keptNewer: [HerID] = []
  /// Parties that were to be read and could not be. Their rows are as they were.
  public var failures: [PartyFailure] = []
  /// In the cache, but not in an export that came in whole. Their rows are aged and kept, for whoever asks what they were.
  public var missing: [HerID] = []

  public init() {}

  public var readCount: Int { self.added.count + self.changed.count + self.mended.count + self.confirmed + self.keptNewer.count }
  /// Whether the cache now agrees with the register as far as it was asked.
  public var isWhole: Bool { self.failures.isEmpty }

  /// Takes in what another sync found.
  public mutating func add(_ other: SyncReport) {
    self.added += other.added
    self.changed += other.changed
    self.mended += other.mended
    self.confirmed += other.confirmed
    self.keptNewer += other.keptNewer
    self.failures += other.failures
    self.missing += other.missing
  }
}

/// How far a sync has come.
public struct SyncProgress: Sendable, Hashable {
  public var done: Int
  /// Nil when nobody knows, as with an export.
  public var total: Int?
  public var failed: Int

  public init(done: Int, total: Int?, failed: Int) {
    self.done = done
    self.total = total
    self.failed = failed
  }
}
