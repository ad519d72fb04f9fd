// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Carries an order out so that nothing is overwritten that nobody read, nothing is sent that is not durable, and nothing is
/// believed that was not read back (invariants I-2, I-5).
///
/// The register has no compare-and-set: between our look and our write somebody else can still write. That window is a
/// fraction of a second; what came of it shows in the read-back as a conflict, unless our write covered the other's change whole.
/// That the register's change log tells: with it read before and after, the answer is ``RegisterWriteResult/overwrote(_:_:)``.
public struct CheckedRegisterWriter: Sendable {
  public struct Settings: Sendable, Hashable {
    /// Waits between readings after a write, since reads can lag behind writes; the last one repeats. Default 0.2 to 5 s.
    public var waits: [Duration]
    /// How long to wait in all for a write to show, the readings' own time not counted. Default 60 s.
    public var showsWithin: Duration
    /// How many entries are read at once. Default 4.
    public var readers: Int
    /// How many entries one write makes in the log of a party. Default 1; more than that since we looked is another's hand.
    public var logEntriesPerWrite: Int

    public init(
      waits: [Duration] = [.milliseconds(200), .milliseconds(500), .seconds(1), .seconds(2), .seconds(5)],
      showsWithin: Duration = .seconds(60), readers: Int = 4, logEntriesPerWrite: Int = 1
    ) {
      self.waits = waits
      self.showsWithin = showsWithin
      self.readers = max(1, readers)
      self.logEntriesPerWrite = max(1, logEntriesPerWrite)
    }
  }

  private let reader: any AddressRegisterReading
  private let writer: any AddressRegisterWriting
  private let changes: (any ChangeReading)?
  private let settings: Settings
  private let sleep: @Sendable (Duration) async throws -> Void

  /// - Parameters:
  ///   - changes: the register's change log, read around writes; nil where it may not be read.
  ///   - sleep: waits; tests hand in their own.
  public init(
    reader: any AddressRegisterReading, writer: any AddressRegisterWriting, changes: (any ChangeReading)? = nil,
    settings: Settings = Settings(),
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    self.reader = reader
    self.writer = writer
    self.changes = changes
    self.settings = settings
    self.sleep = sleep
  }

  /// Reads every entry and compares it with what the order is based on, has the caller make the intent durable, writes once, and
  /// reads back until the entries are what they should be or the time is up.
  ///
  /// - Parameter intent: called once, right before the write, and only when there is one; when it throws, nothing is sent.
  /// - Throws: what `intent` throws; `CancellationError` before anything was sent. Afterwards a cancelled call is
  ///   ``RegisterWriteResult/unknown(_:_:)``.
  public func carryOut(
    _ order: RegisterOrder, intent: @Sendable (RegisterOrder) async throws -> Void
  ) async throws -> RegisterWriteResult {
    // The log before the entry: what is in neither came after both.
    let log = await self.log(of: order)
    let before = await self.read(order)
    try Task.checkCancellation()
    if before.isReached { return .applied(before.applied(wasSent: false)) }
    if let error = before.firstError { return .notApplied(error) }
    if before.hasOther { return .conflict(before.entries, wasSent: false) }
    // A write of ours that came half way earlier: the same write again could do more than is missing.
    guard before.isAsBefore else { return .partlyApplied(before.entries) }
    try await intent(order)
    try Task.checkCancellation()
    let outcome = await self.writer.perform(order.write)
    let result = await self.result(of: outcome, order)
    // Where reads lag behind writes the log may tell what the entry does not show yet.
    let read: AppliedOrder
    switch result {
    case .applied(let applied): read = applied
    case .unknown(_, let entries): read = AppliedOrder(records: entries.compactMap(\.record), wasSent: true, outOfOrder: [])
    case .notApplied, .conflict, .overwrote, .partlyApplied, .toBeDoneByHand: return result
    }
    guard !log.isEmpty else { return result }
    let now = await self.log(of: order)
    // One write of ours is one entry in a party's log. More than one: somebody else's hand was there too since we looked.
    let foreign = order.written.flatMap { herID -> [RegisterLogEntry] in
      guard let before = log[herID], let after = now[herID] else { return [] }
      let new = Self.added(after, since: before)
      return new.count > self.settings.logEntriesPerWrite ? new : []
    }
    return foreign.isEmpty ? result : .overwrote(foreign, read)
  }

  private func result(of outcome: RegisterWriteOutcome, _ order: RegisterOrder) async -> RegisterWriteResult {
    switch outcome {
    case .notSent(let error): return .notApplied(error)
    case .toBeDoneByHand(let instruction): return .toBeDoneByHand(instruction)
    case .acknowledged:
      return self.judged(await self.watch(order), order) {
        .unknown(
          .registerWriteUnconfirmed(order.herID, seen: "the register said it is done, but the entries read as before"), $0)
      }
    // Said no: what shows now is not going to change by this write, so one look is enough, unless it did something after all.
    case .refused(let error):
      return self.judged(await self.read(order), order) { _ in .notApplied(error) }
    case .unknown(let error):
      return self.judged(await self.watch(order), order) { .unknown(error, $0) }
    }
  }

  /// The logs of the parties whose entries the order writes, where they can be read. Those that follow have no write of their own.
  private func log(of order: RegisterOrder) async -> [HerID: [RegisterLogEntry]] {
    guard let changes else { return [:] }
    return await withTaskGroup(of: (HerID, [RegisterLogEntry]?).self) { group in
      var found: [HerID: [RegisterLogEntry]] = [:]
      var next = order.written.makeIterator()
      func ask() {
        guard let herID = next.next() else { return }
        group.addTask { (herID, try? await changes.changeLog(herID)) }
      }
      for _ in 0..<self.settings.readers { ask() }
      while let (herID, log) = await group.next() {
        found[herID] = log
        ask()
      }
      return found
    }
  }

  /// A log that shows only the last so many entries can have lost some at its other end.
  private static func added(_ now: [RegisterLogEntry], since before: [RegisterLogEntry]) -> [RegisterLogEntry] {
    var known = before.reduce(into: [RegisterLogEntry: Int]()) { $0[$1, default: 0] += 1 }
    return now.filter { entry in
      guard let count = known[entry], count > 0 else { return true }
      known[entry] = count - 1
      return false
    }
  }

  /// Reads the entries and says what became of the order: after a person did it, or after a restart with the intent written
  /// and nothing known.
  public func verify(_ order: RegisterOrder) async -> RegisterWriteResult {
    self.judged(await self.watch(order, once: true), order) {
      .unknown(.registerWriteUnconfirmed(order.herID, seen: "the entries read as before"), $0)
    }
  }

  private func judged(
    _ reading: OrderReading, _ order: RegisterOrder, asBefore: ([EntryReading]) -> RegisterWriteResult
  ) -> RegisterWriteResult {
    if reading.isReached { return .applied(reading.applied(wasSent: true)) }
    if reading.hasOther { return .conflict(reading.entries, wasSent: true) }
    if let error = reading.firstError { return .unknown(error, reading.entries) }
    if reading.isAsBefore { return asBefore(reading.entries) }
    return .partlyApplied(reading.entries)
  }

  /// Reads until all entries are what they should be, or the time is up.
  private func watch(_ order: RegisterOrder, once: Bool = false) async -> OrderReading {
    var waits = self.settings.waits.makeIterator()
    var wait = waits.next() ?? .seconds(1)
    var waited = Duration.zero
    while true {
      let reading = await self.read(order)
      guard !once, !reading.isReached, waited < self.settings.showsWithin, !Task.isCancelled else { return reading }
      do { try await self.sleep(wait) } catch { return reading }
      waited += max(wait, .milliseconds(1))
      wait = waits.next() ?? wait
    }
  }

  private func read(_ order: RegisterOrder) async -> OrderReading {
    let count = order.entries.count
    let readings = await withTaskGroup(
      of: (Int, Result<PartyRecord, AddressRegistryError>).self, returning: [Int: Result<PartyRecord, AddressRegistryError>].self
    ) { group in
      var found: [Int: Result<PartyRecord, AddressRegistryError>] = [:]
      var next = 0
      func start() {
        guard next < count else { return }
        let (index, herID) = (next, order.entries[next].basis.herID)
        group.addTask { (index, await self.read(herID)) }
        next += 1
      }
      for _ in 0..<self.settings.readers { start() }
      while let (index, reading) = await group.next() {
        found[index] = reading
        start()
      }
      return found
    }
    return OrderReading(
      order,
      order.entries.indices.map { index in
        readings[index]
          ?? .failure(.registerWriteUnconfirmed(order.entries[index].basis.herID, seen: "the entry was not read"))
      })
  }

  private func read(_ herID: HerID) async -> Result<PartyRecord, AddressRegistryError> {
    do { return .success(try await self.reader.party(herID)) } catch let error as AddressRegistryError {
      return .failure(error)
    } catch {
      return .failure(.registerWriteUnconfirmed(herID, seen: "the caller gave up while the entry was read"))
    }
  }
}
