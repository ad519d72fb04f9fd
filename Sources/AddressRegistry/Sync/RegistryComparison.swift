// SPDX-License-Identifier: Apache-2.0

import BusModel
import NIOConcurrencyHelpers

/// Compares cached entries with what the register says now, and what was written with what is there. Changes nothing.
public struct RegistryComparison: Sendable {
  /// What a pulje has written for a party, and what that was based on.
  public struct Written: Sendable, Hashable {
    public var before: PartyRecord
    public var after: PartyRecord

    public init(before: PartyRecord, after: PartyRecord) {
      self.before = before
      self.after = after
    }
  }

  public struct Result: Sendable, Hashable {
    public var compared = 0
    /// The register says something else than the cache, and nobody has told.
    public var silent: [RecordDifference] = []
    /// Entries that were written and are now neither what was written nor what they were before: where they differ from
    /// what was written.
    public var foreign: [RecordDifference] = []
    /// The register knows them no more.
    public var gone: [HerID] = []
    /// Parties that could not be read, and so were not compared.
    public var failures: [PartyFailure] = []

    public init() {}

    /// Whether everything was compared, and nothing differs.
    public var isAgreed: Bool { self.silent.isEmpty && self.foreign.isEmpty && self.gone.isEmpty && self.failures.isEmpty }
  }

  private let register: any AddressRegisterReading
  private let concurrency: Int
  private let progress: @Sendable (SyncProgress) -> Void

  public init(
    register: any AddressRegisterReading, concurrency: Int = 16, progress: @escaping @Sendable (SyncProgress) -> Void = { _ in }
  ) {
    self.register = register
    self.concurrency = max(concurrency, 1)
    self.progress = progress
  }

  /// - Parameter written: by party; those that are not among `entries` are not asked about.
  /// - Throws: `CancellationError`.
  public func compare(_ entries: [RegistryEntry], written: [HerID: Written] = [:]) async throws -> Result {
    let desk = NIOLockedValueBox(Result())
    try await QuestionLanes.forEach(entries, concurrency: self.concurrency) { entry, place in
      let answer = try await self.ask(entry.record.herID)
      desk.withLockedValue { result in
        Self.judge(entry, answer, written[entry.record.herID], place: place, &result)
        self.progress(
          SyncProgress(
            done: result.compared + result.failures.count, total: entries.count, failed: result.failures.count))
      }
    }
    var result = desk.withLockedValue { $0 }
    result.silent.sort { $0.herID < $1.herID }
    result.foreign.sort { $0.herID < $1.herID }
    result.gone.sort()
    result.failures.sort { ($0.herID?.value ?? 0) < ($1.herID?.value ?? 0) }
    return result
  }

  private func ask(_ herID: HerID) async throws -> Swift.Result<PartyRecord, AddressRegistryError> {
    do { return .success(try await self.register.party(herID)) } catch let error as AddressRegistryError {
      return .failure(error)
    }
  }

  private static func judge(
    _ entry: RegistryEntry, _ answer: Swift.Result<PartyRecord, AddressRegistryError>, _ written: Written?, place: Int,
    _ result: inout Result
  ) {
    let herID = entry.record.herID
    switch answer {
    case .failure(.partyUnknown(_, askedRegister: true)):
      result.compared += 1
      result.gone.append(herID)
    case .failure(let error):
      result.failures.append(PartyFailure(herID: herID, place: place, error: error))
    case .success(let now):
      result.compared += 1
      if let difference = RecordDifference(from: entry.record, to: now) { result.silent.append(difference) }
      guard let written else { return }
      if case .foreignChange(let difference) = ThreeWayVerdict.judge(before: written.before, written: written.after, now: now) {
        result.foreign.append(difference)
      }
    }
  }
}
