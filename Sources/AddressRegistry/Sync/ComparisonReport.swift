// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation

/// What a whole compare found, as it is kept and shown.
public struct ComparisonReport: Sendable, Hashable, Codable {
  public struct Failure: Sendable, Hashable, Codable {
    public var herID: HerID?
    public var code: String
    public var seen: String
  }

  /// How many of each kind are kept; the counts are of all.
  static let kept = 2_000

  public var begunAt: RegistryInstant
  public var endedAt: RegistryInstant
  public var compared: Int
  public var silentCount: Int
  public var foreignCount: Int
  public var goneCount: Int
  public var failureCount: Int
  /// The register says something else than the cache did, and nobody had told.
  public var silent: [RecordDifference]
  /// Entries that we wrote and somebody else has changed since.
  public var foreign: [RecordDifference]
  /// The register knows them no more.
  public var gone: [HerID]
  /// Not compared.
  public var failures: [Failure]

  public init(_ result: RegistryComparison.Result, begunAt: RegistryInstant, endedAt: RegistryInstant) {
    self.begunAt = begunAt
    self.endedAt = endedAt
    self.compared = result.compared
    (self.silentCount, self.foreignCount) = (result.silent.count, result.foreign.count)
    (self.goneCount, self.failureCount) = (result.gone.count, result.failures.count)
    self.silent = Array(result.silent.prefix(Self.kept))
    self.foreign = Array(result.foreign.prefix(Self.kept))
    self.gone = Array(result.gone.prefix(Self.kept))
    self.failures = result.failures.prefix(Self.kept).map {
      Failure(herID: $0.herID, code: $0.error.stableCode, seen: $0.error.explanation.seen)
    }
  }

  /// Whether everything was compared, and nothing differs.
  public var isAgreed: Bool { self.silentCount + self.foreignCount + self.goneCount + self.failureCount == 0 }
}

extension AddressCache {
  private static let comparisonMark = "last whole compare"

  /// What the last whole compare found, by whichever process; nil when there was none.
  ///
  /// - Throws: ``AddressRegistryError`` `cacheCorrupt` when it is not what was kept.
  public func lastComparison() async throws -> ComparisonReport? {
    guard let text = try await self.mark(Self.comparisonMark) else { return nil }
    do { return try JSONDecoder().decode(ComparisonReport.self, from: Data(text.utf8)) } catch {
      throw AddressRegistryError.cacheCorrupt(path: self.path, seen: "what the last compare found is of another form")
    }
  }

  /// Keeps what a whole compare found, in place of the one before.
  public func keep(_ report: ComparisonReport) async throws {
    try await self.setMark(Self.comparisonMark, String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
  }
}
