// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Where a cached record was read from.
public enum RecordSource: String, Sendable, Hashable, Codable, CaseIterable {
  /// A file of parties that somebody wrote: as old as that somebody's knowledge.
  case file
  /// The register itself, over SOAP.
  case soap
  /// The register itself, over its REST interface.
  case rest

  /// Whether the register itself said it.
  public var isRegister: Bool { self != .file }
}

/// A party's record as the cache holds it.
public struct RegistryEntry: Sendable, Hashable, Codable {
  public var record: PartyRecord
  public var source: RecordSource
  /// The instant at which the source was asked: before the request left, so that the record is at least as new.
  public var readAt: RegistryInstant
  /// Counts from 1; grows by one each time a read brought another record than the one before.
  public var version: Int64
  /// The hash of the record's canonical form, as stored and checked.
  public var hash: RecordHash

  public init(record: PartyRecord, source: RecordSource, readAt: RegistryInstant, version: Int64) {
    self.record = record
    self.source = source
    self.readAt = readAt
    self.version = version
    self.hash = record.hash
  }

  /// Of a row whose seal vouches for the hash.
  init(record: PartyRecord, source: RecordSource, readAt: RegistryInstant, version: Int64, hash: RecordHash) {
    self.record = record
    self.source = source
    self.readAt = readAt
    self.version = version
    self.hash = hash
  }

  /// How old the entry is at `now`. Negative when the clock was set back after it was read; such an age proves nothing.
  public func age(at now: RegistryInstant) -> Duration { now.since(self.readAt) }
}
