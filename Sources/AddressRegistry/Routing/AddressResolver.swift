// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure

/// The look-up that a client uses: from the cache while it is fresh, else from the register, else, when the register cannot
/// be asked, from the cache with its age shown.
///
/// Any number of callers that want one party at once cause one question to the register.
public final class AddressResolver: Sendable {
  public struct Settings: Sendable, Hashable {
    /// Up to this age a cached entry is used for sending without asking. Default one hour.
    public var maximumAge: Duration
    /// The same for planning, where a wrong address moves a party wrongly. Default five minutes.
    public var maximumAgeForPlanning: Duration
    /// How long the register's word that there is no such party is believed. Default one minute: parties do come into being.
    public var absenceLife: Duration
    /// Up to this age a cached entry is used when the register cannot be asked. Default 12 hours: the drain-check waits
    /// longer than that for senders with old addresses, and counts on it.
    public var staleLimit: Duration
    /// After a question to the register failed, the cache is used without asking again for this long. Default 30 seconds.
    public var retryAfter: Duration

    public init(
      maximumAge: Duration = .seconds(3_600), staleLimit: Duration = .seconds(12 * 3_600), retryAfter: Duration = .seconds(30),
      maximumAgeForPlanning: Duration = .seconds(300), absenceLife: Duration = .seconds(60)
    ) {
      self.maximumAge = maximumAge
      self.maximumAgeForPlanning = maximumAgeForPlanning
      self.absenceLife = absenceLife
      self.staleLimit = staleLimit
      self.retryAfter = retryAfter
    }
  }

  /// What the answer is for: how old it may be.
  public enum Use: Sendable, Hashable { case sending, planning }

  /// How a look-up treats the cache.
  public enum Policy: Sendable, Hashable {
    /// Use the cache while it is fresh. What everyday sending wants.
    case cacheWhileFresh
    /// Ask the register, after a message came back or a party is known to have moved. No stale answer: an error when the
    /// register cannot be asked. A question that was already under way when the caller came does not serve it.
    case refresh
    /// Whatever the cache holds, of any age; the register is not asked.
    case cacheOnly
  }

  /// Whether an answer is as good as the settings ask.
  public enum Freshness: Sendable, Hashable {
    case fresh
    /// Older than the maximum age, for this reason: an error code and what was seen.
    case stale(because: String)
  }

  public struct Answer: Sendable, Hashable {
    public var entry: RegistryEntry
    public var freshness: Freshness
    /// The entry's age when it was answered.
    public var age: Duration
  }

  private let cache: AddressCache
  private let register: (any AddressRegisterReading)?
  private let clock: any RegistryClock
  private let settings: Settings
  /// The maximum age once more: a duration counts in attoseconds, and to divide those takes as long as the look-up.
  private let maximumAgeMilliseconds: Int64
  private let flights = SingleFlight<HerID, RegistryEntry>()
  private let failures = RecentFailures()
  /// Parties of which the register said that they are not there.
  private let absences = RecentFailures()
  private let memory = RouteMemory()
  private let invalidations = Invalidations()

  /// - Parameters:
  ///   - cache: one that is open for writing keeps what the register says. With one for reading only, every look-up of an entry
  ///     that is not fresh asks the register.
  ///   - register: nil when there is none to ask: entries then grow stale and are said to be.
  public init(
    cache: AddressCache, register: (any AddressRegisterReading)?, clock: any RegistryClock = SystemRegistryClock(),
    settings: Settings = Settings()
  ) {
    self.cache = cache
    self.register = register
    self.clock = clock
    self.settings = settings
    self.maximumAgeMilliseconds = Int64(min(settings.maximumAge / .milliseconds(1), 1e15))
  }

  /// The party's entry.
  ///
  /// - Throws: ``AddressRegistryError``: `partyUnknown` when neither cache nor register has it, `tooStale` beyond the stale
  ///   limit, the register's own error when it had to answer and did not. `CancellationError` as soon as the calling task is
  ///   cancelled; a question that others wait for goes on.
  public func party(
    _ herID: HerID, policy: Policy = .cacheWhileFresh, for use: Use = .sending
  ) async throws -> Answer {
    switch policy {
    case .refresh:
      guard let register else {
        throw AddressRegistryError.registerConfigurationInvalid("no register is configured to ask about HER-ID \(herID)")
      }
      return self.answer(try await self.fetch(herID, from: register, joining: false, use), .fresh)
    case .cacheOnly:
      guard let entry = try await self.cache.party(herID) else {
        throw AddressRegistryError.partyUnknown(herID, askedRegister: false)
      }
      return self.answer(entry, self.isFresh(entry, use) ? .fresh : .stale(because: "the register was not asked"))
    case .cacheWhileFresh:
      return try await self.partyWhileFresh(herID, use)
    }
  }

  /// Which bus and queue a message of `kind` for the party goes to.
  ///
  /// - Throws: as ``party(_:policy:for:)`` and ``RouteDecision/decide(_:kind:buses:now:)``.
  public func route(
    _ herID: HerID, _ kind: QueueKind, buses: [Bus], policy: Policy = .cacheWhileFresh
  ) async throws -> (decision: RouteDecision, freshness: Freshness) {
    if let look = self.memory.lookIfDue(buses, now: self.clock.now) { await self.look(look) }
    let epoch = self.memory.epoch
    let answer = try await self.party(herID, policy: policy)
    if answer.freshness == .fresh, self.invalidations.allows(answer.entry) { self.memory.put(answer.entry, ifStill: epoch) }
    return (try RouteDecision.decide(answer.entry, kind: kind, buses: buses, now: self.clock.now), answer.freshness)
  }

  /// Where messages of `kind` for the party go, from memory alone: for the sending of every message. Neither waits nor allocates.
  ///
  /// - Returns: nil when it is not there or not fresh, or when the file has not been looked at for a quarter of a second, in which
  ///   time another process may have written it: ``route(_:_:buses:policy:)`` then has the answer, and brings it here.
  public func cachedRoute(_ herID: HerID, _ kind: QueueKind, buses: [Bus]) -> CachedRoute? {
    let now = self.clock.now
    let oldest = RegistryInstant(millisecondsSinceEpoch: now.millisecondsSinceEpoch - self.maximumAgeMilliseconds)
    return self.memory.route(herID, kind, buses, now: now, oldest: oldest)
  }

  /// How long ago the route was read.
  public func age(of route: CachedRoute) -> Duration { self.clock.now.since(route.readAt) }

  /// Brings every party of the cache into memory, so that ``cachedRoute(_:_:buses:)`` knows them all. One that is old is asked for
  /// anew when it is first needed. Look-ups may go on meanwhile.
  ///
  /// - Returns: how many parties lead somewhere.
  /// - Throws: ``AddressRegistryError`` `cacheRowDamaged`, `cacheCorrupt`: nothing is brought in then;
  ///   `registerConfigurationInvalid` when routes for other buses are being asked for: memory holds those of one list of buses.
  @discardableResult
  public func load(buses: [Bus]) async throws -> Int {
    self.memory.beginLoad(buses)
    let began = self.clock.now
    let table: RouteTable
    let change: Int64
    do { (table, change) = try await self.cache.routeTable(buses: buses) } catch {
      self.memory.loadFailed()
      throw error
    }
    let isTaken = self.memory.loaded(table, change: change, readAt: began) { self.invalidations.isNoted($0) }
    guard isTaken else {
      throw AddressRegistryError.registerConfigurationInvalid("one resolver was asked for routes of different lists of buses")
    }
    return self.memory.count
  }

  /// Follows what any process has written to the file since the last look. A file that cannot be read is looked at again by the
  /// look-up that needs it, which says what is wrong.
  private func look(_ look: RouteMemory.Look) async {
    let asked = self.clock.now
    do {
      guard let change = look.change else {
        return self.memory.looked(look, [], change: try await self.cache.lastChange(), at: asked) { _ in true }
      }
      let news = try await self.cache.changed(since: change, limit: 10_000)
      self.memory.looked(look, news.entries, change: news.change, at: asked) { self.invalidations.allows($0) }
    } catch {
      return
    }
  }

  /// The register has said that the party's entry changed: nothing that was read before now answers any more, fresh or stale.
  /// The next look-up asks the register; when that cannot be asked, the look-up fails rather than lead to where the party was.
  ///
  /// Kept in memory; where the cache may be written, its entry is aged too, so that a restart does not bring it back.
  public func invalidate(_ herID: HerID) async {
    let now = self.clock.now
    self.invalidations.note(herID, at: now)
    self.failures.clear(herID)
    self.absences.clear(herID)
    self.memory.remove(herID)
    guard self.cache.access == .readWrite else { return }
    // When that fails, the memory still holds; the entry is as old as it was for the next process.
    try? await self.cache.age(herID, readBefore: now)
  }

  private func partyWhileFresh(_ herID: HerID, _ use: Use) async throws -> Answer {
    var cached: RegistryEntry?
    var damage: (any Error)?
    do { cached = try await self.cache.party(herID) } catch let error as AddressRegistryError {
      // A damaged row is no answer; the register's is, and it replaces the row.
      guard case .cacheRowDamaged = error, self.register != nil else { throw error }
      damage = error
    }
    if let cached, self.isFresh(cached, use) { return self.answer(cached, .fresh) }
    guard let register else {
      guard let cached else { throw AddressRegistryError.partyUnknown(herID, askedRegister: false) }
      return try self.staleAnswer(cached, because: "no register is configured")
    }
    if self.absences.recent(herID, now: self.clock.now, within: self.settings.absenceLife) != nil {
      throw AddressRegistryError.partyUnknown(herID, askedRegister: true)
    }
    if let cached, let failure = self.failures.recent(herID, now: self.clock.now, within: self.settings.retryAfter) {
      return try self.staleAnswer(cached, because: failure)
    }
    // A question that was asked before the change must not answer one that comes after it.
    let mayJoin = cached.map { self.invalidations.allows($0) } ?? !self.invalidations.isNoted(herID)
    do {
      return self.answer(try await self.fetch(herID, from: register, joining: mayJoin, use), .fresh)
    } catch let error as AddressRegistryError {
      // The register's own "no such party" is an answer, not a failure to answer.
      if case .partyUnknown = error { throw error }
      guard let cached else { throw damage ?? error }
      return try self.staleAnswer(cached, because: error.staleReason)
    }
  }

  private func fetch(
    _ herID: HerID, from register: any AddressRegisterReading, joining: Bool, _ use: Use
  ) async throws -> RegistryEntry {
    try await self.flights.value(for: herID, joiningRunning: joining) { [self] in
      // Between the caller's look and here another flight may have landed: then the register was asked just now.
      if joining, let cached = try? await self.cache.party(herID), self.isFresh(cached, use) { return cached }
      let asked = clock.now
      do {
        let record = try await register.party(herID)
        failures.clear(herID)
        absences.clear(herID)
        guard cache.access == .readWrite else {
          return RegistryEntry(record: record, source: .soap, readAt: asked, version: 1)
        }
        return try await cache.save(record, source: .soap, readAt: asked, now: clock.now).entry
      } catch let error as AddressRegistryError {
        if case .partyUnknown(_, askedRegister: true) = error {
          absences.note(herID, at: asked, error.staleReason)
          memory.remove(herID)
          // What the cache has of it leads nowhere any more; it stays, for whoever asks what it was.
          if cache.access == .readWrite { try? await cache.age(herID, readBefore: asked) }
        } else {
          failures.note(herID, at: clock.now, error.staleReason)
        }
        throw error
      }
    }
  }

  private func isFresh(_ entry: RegistryEntry, _ use: Use) -> Bool {
    let age = entry.age(at: self.clock.now)
    let limit = use == .sending ? self.settings.maximumAge : self.settings.maximumAgeForPlanning
    return age >= .zero && age <= limit && self.invalidations.allows(entry)
  }

  private func answer(_ entry: RegistryEntry, _ freshness: Freshness) -> Answer {
    Answer(entry: entry, freshness: freshness, age: entry.age(at: self.clock.now))
  }

  private func staleAnswer(_ entry: RegistryEntry, because: String) throws(AddressRegistryError) -> Answer {
    let age = entry.age(at: self.clock.now)
    guard self.invalidations.allows(entry) else {
      throw .tooStale(
        entry.record.herID, age: age, limit: .zero, because: "the register told of a change since; asked anew: \(because)")
    }
    // Files are somebody's own word and have no register to be compared with: they grow stale, but never useless.
    guard self.register == nil || (age >= .zero && age <= self.settings.staleLimit) else {
      throw .tooStale(entry.record.herID, age: age, limit: self.settings.staleLimit, because: because)
    }
    return self.answer(entry, .stale(because: because))
  }
}

extension AddressRegistryError {
  /// Code and what was seen: short enough to stand beside an age.
  var staleReason: String { "\(self.stableCode): \(self.explanation.seen)" }
}
