// SPDX-License-Identifier: Apache-2.0

import BusModel
import NIOConcurrencyHelpers

/// Brings the cache up to what the register says: party by party, by organisation, by events, or all of it from an export.
///
/// One bad party never stops the rest: it becomes a ``PartyFailure`` in the report and its row stays as it was. Rows are saved in
/// batches, each whole or not at all, so that a power cut leaves rows of the old reading and of the new one, and none between.
public struct RegistrySync: Sendable {
  /// Rows that are saved in one transaction: one write to the disk for so many.
  private static let batch = 500

  private let cache: AddressCache
  private let clock: any RegistryClock
  private let progress: @Sendable (SyncProgress) -> Void

  /// - Parameters:
  ///   - cache: open for writing.
  ///   - progress: told after each batch, and at the end; must be quick and must not block: it is called on an event loop.
  public init(
    cache: AddressCache, clock: any RegistryClock = SystemRegistryClock(),
    progress: @escaping @Sendable (SyncProgress) -> Void = { _ in }
  ) {
    self.cache = cache
    self.clock = clock
    self.progress = progress
  }

  /// Reads these parties one by one, so many at a time.
  ///
  /// - Parameter concurrency: questions under way at once. Default 16: a register is shared by the whole country.
  /// - Throws: ``AddressRegistryError`` when the cache cannot be written; `CancellationError`. What was saved before stays.
  public func parties(
    _ herIDs: [HerID], from register: any AddressRegisterReading, concurrency: Int = 16
  ) async throws -> SyncReport {
    let desk = NIOLockedValueBox(Tally(source: .soap, total: herIDs.count))
    try await QuestionLanes.forEach(herIDs, concurrency: concurrency) { herID, place in
      let reading = try await self.read(herID, place: place, from: register)
      let full = desk.withLockedValue { tally in
        tally.take(reading)
        return tally.waiting.count < Self.batch ? [] : tally.takeWaiting()
      }
      guard !full.isEmpty else { return }
      // Whoever completes a batch saves it; the other lanes ask on meanwhile. So no more than a batch a lane waits for the disk.
      let saved = try await self.cache.save(full, source: .soap, now: self.clock.now)
      desk.withLockedValue { tally in
        tally.note(saved)
        self.tell(tally)
      }
    }
    var tally = desk.withLockedValue { $0 }
    return try await self.end(&tally)
  }

  /// Reads the organisation and everything below it.
  ///
  /// - Throws: ``AddressRegistryError`` `partyUnknown` when there is no such organisation, the `register…` cases, and as
  ///   ``parties(_:from:concurrency:)``.
  public func organisation(_ herID: HerID, from register: any OrganisationReading) async throws -> SyncReport {
    let asked = self.clock.now
    let entry = try await register.organisation(herID)
    var tally = Tally(source: .soap, total: entry.below.count + 1)
    tally.take(Reading(result: .party(entry.organisation), readAt: asked))
    for result in entry.below { tally.take(Reading(result: result, readAt: asked)) }
    return try await self.end(&tally)
  }

  /// Reads the whole register from its export, and lists the parties of the cache that are not in it.
  ///
  /// Nothing is saved before the export has come to its end: only that proves a packed one undamaged. Until then what came is
  /// kept in memory, about 300 bytes a party.
  ///
  /// - Throws: as ``parties(_:from:concurrency:)``, and the `register…` cases when the export breaks off: the cache is as it was
  ///   then, and nobody is called missing.
  public func export(from register: any PartyExporting) async throws -> SyncReport {
    let asked = self.clock.now
    let desk = StagingDesk()
    let end = try await register.export { results in
      self.progress(await desk.take(results))
    }
    var tally = Tally(source: .rest, total: nil)
    let staged = await desk.staged
    tally.report.failures = staged.failures
    for place in 0..<staged.readable {
      tally.take(Reading(result: .party(try staged.record(place)), readAt: asked))
      if tally.waiting.count >= Self.batch { try await self.save(&tally) }
    }
    try await self.save(&tally)
    // A party of which not even the number could be read may be any of those that seem to be missing.
    if tally.report.failures.allSatisfy({ $0.herID != nil }) {
      let missing = try await self.cache.parties().filter {
        $0.source.isRegister && $0.readAt < asked && !staged.seen.contains($0.record.herID)
      }.map(\.record.herID)
      for herID in missing { try await self.cache.age(herID, readBefore: asked) }
      tally.report.missing = missing
    }
    if let event = end.lastEventID { try await self.cache.setMark(Self.eventMark, event) }
    return try await self.end(&tally)
  }

  /// Reads what has changed since the last time, by the register's events. Parties that an event names without their entry are
  /// read by their number.
  ///
  /// - Returns: the report, and whether events were missed, so that only a full reading is sure to be complete.
  public func events(
    from register: any PartyEventReading, reader: any AddressRegisterReading
  ) async throws -> (report: SyncReport, isSureToBeComplete: Bool) {
    let desk = TallyDesk(Tally(source: .rest, total: nil))
    let before = try await self.cache.mark(Self.eventMark)
    _ = try await register.allEvents(after: before) { page in
      let asked = self.clock.now
      try await desk.use { tally in
        tally.hasGap = tally.hasGap || !page.failures.isEmpty
        // Of several events of one party the last one counts.
        var latest: [HerID: PartyEvent] = [:]
        for event in page.events { latest[event.herID] = event }
        for (place, event) in latest.values.sorted(by: { $0.herID < $1.herID }).enumerated() {
          if case .party(let record)? = event.party {
            tally.take(Reading(result: .party(record), readAt: asked))
          } else {
            tally.take(try await self.read(event.herID, place: place + 1, from: reader))
          }
        }
        try await self.save(&tally)
        if let id = page.lastEventID { try await self.cache.setMark(Self.eventMark, id) }
      }
    }
    return try await desk.use { tally in (try await self.end(&tally), !tally.hasGap && before != nil) }
  }

  private static let eventMark = "party events"

  // MARK: -

  private struct Reading: Sendable {
    var result: PartyResult
    var readAt: RegistryInstant
  }

  private struct Tally: Sendable {
    let source: RecordSource
    let total: Int?
    var report = SyncReport()
    var waiting: [(record: PartyRecord, readAt: RegistryInstant)] = []
    var hasGap = false

    mutating func take(_ reading: Reading) {
      switch reading.result {
      case .party(let record): self.waiting.append((record, reading.readAt))
      case .unreadable(let failure): self.report.failures.append(failure)
      }
    }

    mutating func takeWaiting() -> [(record: PartyRecord, readAt: RegistryInstant)] {
      defer { self.waiting = [] }
      return self.waiting
    }

    mutating func note(_ saved: [AddressCache.Saved]) {
      for saved in saved {
        switch saved.outcome {
        case .added: self.report.added.append(saved.entry.record.herID)
        case .changed:
          // Without a difference: what stood there could not be read.
          if let difference = saved.difference {
            self.report.changed.append(difference)
          } else {
            self.report.mended.append(saved.entry.record.herID)
          }
        case .confirmed: self.report.confirmed += 1
        case .keptNewer: self.report.keptNewer.append(saved.entry.record.herID)
        }
      }
    }
  }

  /// A tally that a `@Sendable` closure, called by one task at a time, adds to.
  private actor TallyDesk {
    private var tally: Tally
    init(_ tally: Tally) { self.tally = tally }

    func use<Value: Sendable>(_ body: @Sendable (inout Tally) async throws -> Value) async throws -> Value {
      var tally = self.tally
      defer { self.tally = tally }
      return try await body(&tally)
    }
  }

  /// What has come of an export, until it has come whole.
  private actor StagingDesk {
    private(set) var staged = StagedParties()

    func take(_ results: [PartyResult]) -> SyncProgress {
      for result in results { self.staged.take(result) }
      return SyncProgress(done: self.staged.count, total: nil, failed: self.staged.failures.count)
    }
  }

  private func read(_ herID: HerID, place: Int, from register: any AddressRegisterReading) async throws -> Reading {
    let asked = self.clock.now
    do {
      return Reading(result: .party(try await register.party(herID)), readAt: asked)
    } catch let error as AddressRegistryError {
      return Reading(result: .unreadable(PartyFailure(herID: herID, place: place, error: error)), readAt: asked)
    }
  }

  private func save(_ tally: inout Tally) async throws {
    let readings = tally.takeWaiting()
    guard !readings.isEmpty else { return }
    tally.note(try await self.cache.save(readings, source: tally.source, now: self.clock.now))
    self.tell(tally)
  }

  private func end(_ tally: inout Tally) async throws -> SyncReport {
    try await self.save(&tally)
    tally.report.added.sort()
    tally.report.mended.sort()
    tally.report.changed.sort { $0.herID < $1.herID }
    tally.report.failures.sort { ($0.herID?.value ?? 0, $0.place) < ($1.herID?.value ?? 0, $1.place) }
    self.tell(tally)
    return tally.report
  }

  private func tell(_ tally: Tally) {
    self.progress(
      SyncProgress(
        done: tally.report.readCount + tally.report.failures.count, total: tally.total, failed: tally.report.failures.count))
  }
}
