// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure

/// The look-up that a client uses: from the cache while it is fresh, else from the register, else, when the register cannot
/// be asked, from the cache with its age shown.
///
/// Any number of callers that want one party at once cause one question to the register.
public final class AddressResolver: Sendable {
  public struct Settings: Sendable, Hashable {
    /// Up to this age a cached entry is used without asking. Default one hour.
    public var maximumAge: Duration
    /// Up to this age a cached entry is used when the register cannot be asked. Default 12 hours: the drain-check waits
    /// longer than that for senders with old addresses, and counts on it.
    public var staleLimit: Duration
    /// After a question to the register failed, the cache is used without asking again for this long. Default 30 seconds.
    public var retryAfter: Duration

    public init(
      maximumAge: Duration = .seconds(3_600), staleLimit: Duration = .seconds(12 * 3_600), retryAfter: Duration = .seconds(30)
    ) {
      self.maximumAge = maximumAge
      self.staleLimit = staleLimit
      self.retryAfter = retryAfter
    }
  }

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
  private let flights = SingleFlight<HerID, RegistryEntry>()
  private let failures = RecentFailures()
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
  }

  /// The party's entry.
  ///
  /// - Throws: ``AddressRegistryError``: `partyUnknown` when neither cache nor register has it, `tooStale` beyond the stale
  ///   limit, the register's own error when it had to answer and did not. `CancellationError` as soon as the calling task is
  ///   cancelled; a question that others wait for goes on.
  public func party(_ herID: HerID, policy: Policy = .cacheWhileFresh) async throws -> Answer {
    switch policy {
    case .refresh:
      guard let register else {
        throw AddressRegistryError.registerConfigurationInvalid("no register is configured to ask about HER-ID \(herID)")
      }
      return self.answer(try await self.fetch(herID, from: register, joining: false), .fresh)
    case .cacheOnly:
      guard let entry = try await self.cache.party(herID) else {
        throw AddressRegistryError.partyUnknown(herID, askedRegister: false)
      }
      return self.answer(entry, self.isFresh(entry) ? .fresh : .stale(because: "the register was not asked"))
    case .cacheWhileFresh:
      return try await self.partyWhileFresh(herID)
    }
  }

  /// Which bus and queue a message of `kind` for the party goes to.
  ///
  /// - Throws: as ``party(_:policy:)`` and ``RouteDecision/decide(_:kind:buses:now:)``.
  public func route(
    _ herID: HerID, _ kind: QueueKind, buses: [Bus], policy: Policy = .cacheWhileFresh
  ) async throws -> (decision: RouteDecision, freshness: Freshness) {
    let answer = try await self.party(herID, policy: policy)
    return (try RouteDecision.decide(answer.entry, kind: kind, buses: buses, now: self.clock.now), answer.freshness)
  }

  /// The register has said that the party's entry changed: nothing that was read before now answers any more, fresh or stale.
  /// The next look-up asks the register; when that cannot be asked, the look-up fails rather than lead to where the party was.
  ///
  /// Kept in memory; where the cache may be written, its entry is aged too, so that a restart does not bring it back.
  public func invalidate(_ herID: HerID) async {
    let now = self.clock.now
    self.invalidations.note(herID, at: now)
    self.failures.clear(herID)
    guard self.cache.access == .readWrite else { return }
    // When that fails, the memory still holds; the entry is as old as it was for the next process.
    try? await self.cache.age(herID, readBefore: now)
  }

  private func partyWhileFresh(_ herID: HerID) async throws -> Answer {
    var cached: RegistryEntry?
    var damage: (any Error)?
    do { cached = try await self.cache.party(herID) } catch let error as AddressRegistryError {
      // A damaged row is no answer; the register's is, and it replaces the row.
      guard case .cacheRowDamaged = error, self.register != nil else { throw error }
      damage = error
    }
    if let cached, self.isFresh(cached) { return self.answer(cached, .fresh) }
    guard let register else {
      guard let cached else { throw AddressRegistryError.partyUnknown(herID, askedRegister: false) }
      return try self.staleAnswer(cached, because: "no register is configured")
    }
    if let cached, let failure = self.failures.recent(herID, now: self.clock.now, within: self.settings.retryAfter) {
      return try self.staleAnswer(cached, because: failure)
    }
    // A question that was asked before the change must not answer one that comes after it.
    let mayJoin = cached.map { self.invalidations.allows($0) } ?? !self.invalidations.isNoted(herID)
    do {
      return self.answer(try await self.fetch(herID, from: register, joining: mayJoin), .fresh)
    } catch let error as AddressRegistryError {
      // The register's own "no such party" is an answer, not a failure to answer.
      if case .partyUnknown = error { throw error }
      guard let cached else { throw damage ?? error }
      return try self.staleAnswer(cached, because: error.staleReason)
    }
  }

  private func fetch(
    _ herID: HerID, from register: any AddressRegisterReading, joining: Bool
  ) async throws -> RegistryEntry {
    try await self.flights.value(for: herID, joiningRunning: joining) { [self] in
      // Between the caller's look and here another flight may have landed: then the register was asked just now.
      if joining, let cached = try? await self.cache.party(herID), self.isFresh(cached) { return cached }
      let asked = clock.now
      do {
        let record = try await register.party(herID)
        failures.clear(herID)
        guard cache.access == .readWrite else {
          return RegistryEntry(record: record, source: .soap, readAt: asked, version: 1)
        }
        return try await cache.save(record, source: .soap, readAt: asked, now: clock.now).entry
      } catch let error as AddressRegistryError {
        failures.note(herID, at: clock.now, error.staleReason)
        throw error
      }
    }
  }

  private func isFresh(_ entry: RegistryEntry) -> Bool {
    let age = entry.age(at: self.clock.now)
    return age >= .zero && age <= self.settings.maximumAge && self.invalidations.allows(entry)
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
