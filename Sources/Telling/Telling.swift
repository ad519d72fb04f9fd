// SPDX-License-Identifier: Apache-2.0

import Migration
import MigrationEngine
import Synchronization

/// Tells people what begins and what ends: looks at what stands whenever something has happened, keeps what is to be told, and tells it over each
/// channel until it has arrived.
public struct Telling: Sendable {
  public struct Settings: Sendable, Hashable {
    /// See ``ConditionBook/settling``.
    public var settling: TimeSpan
    /// For how long something that may clear itself has to last.
    public var patience: TimeSpan
    public var pace: RetryPace
    /// How far apart two looks are at least: while thousands of groups move, each of their steps is news.
    public var lookInterval: TimeSpan
    /// For how long it is kept what was told.
    public var kept: TimeSpan
    public var environment: String?
    /// The dashboard's address, for links.
    public var dashboard: String?

    public init(
      settling: TimeSpan = .minutes(1), patience: TimeSpan = ConditionBook.usualPatience, pace: RetryPace = RetryPace(),
      lookInterval: TimeSpan = .seconds(1), kept: TimeSpan = .days(30), environment: String? = nil, dashboard: String? = nil
    ) {
      self.settling = settling
      self.patience = patience
      self.pace = pace
      self.lookInterval = lookInterval
      self.kept = kept
      self.environment = environment
      self.dashboard = dashboard
    }
  }

  private let store: TellingStore
  private let channels: [any TellingChannel]
  private let settings: Settings
  private let state: @Sendable () async -> MigrationState?
  private let news: EngineNews
  private let clock: any MigrationClock
  private let jitter: any JitterSource
  private let notifier: any Notifier
  private let onWaiting: @Sendable ([String: Int]) -> Void

  /// - Parameters:
  ///   - state: all as it stands; nil while the history is being read.
  ///   - news: tells when something has happened.
  ///   - notifier: is told what cannot be told.
  ///   - onWaiting: is told how much waits over each channel, whenever that changes.
  public init(
    store: TellingStore, channels: [any TellingChannel], settings: Settings, news: EngineNews, clock: any MigrationClock,
    jitter: any JitterSource = SystemJitter(), notifier: any Notifier,
    onWaiting: @escaping @Sendable ([String: Int]) -> Void = { _ in },
    state: @escaping @Sendable () async -> MigrationState?
  ) {
    self.store = store
    self.channels = channels
    self.settings = settings
    self.news = news
    self.clock = clock
    self.jitter = jitter
    self.notifier = notifier
    self.onWaiting = onWaiting
    self.state = state
  }

  /// For so long what is on its way may still arrive when somebody else is to tell.
  static let farewell = TimeSpan.seconds(30)

  /// Tells until it is cancelled, or until `relieved` returns: then nothing new is begun, and what is on its way may arrive, for half a minute.
  /// What has not arrived is told by who tells next, under the same id.
  public func run(until relieved: (@Sendable () async -> Void)? = nil) async {
    let bells = self.channels.map { _ in AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }
    let relief = Relief()
    let mayBegin: @Sendable () -> Bool = { !relief.hasCome && !Task.isCancelled }
    await withTaskGroup(of: Bool.self) { group in
      for (channel, bell) in zip(self.channels, bells) {
        bell.continuation.yield()
        group.addTask {
          await self.deliver(over: channel, bell, mayBegin)
          return true
        }
      }
      group.addTask {
        await withTaskGroup(of: Void.self) { watch in
          watch.addTask { await self.look { for bell in bells { bell.continuation.yield() } } }
          if let relieved { watch.addTask { await relieved() } }
          await watch.next()
          watch.cancelAll()
        }
        relief.come()
        for bell in bells { bell.continuation.finish() }
        if !self.channels.isEmpty { try? await self.clock.sleep(until: self.clock.now + Self.farewell) }
        return false
      }
      var under = self.channels.count
      for await isDelivery in group {
        if isDelivery { under -= 1 }
        // All have arrived, or the time for it is up.
        if under == 0 || !isDelivery { group.cancelAll() }
      }
    }
  }

  // MARK: what is to be told

  private func look(ring: @Sendable () -> Void) async {
    var book: ConditionBook?
    var sequence: Int64 = -1
    var isUnusable = false
    var forgotAt: Instant?
    var isAdopted = false
    while !Task.isCancelled {
      sequence = self.news.sequence
      let now = self.clock.now
      do throws(TellingError) {
        // At the start, and every day that the daemon runs.
        if forgotAt.map({ now < $0 || now >= $0 + .days(1) }) ?? true {
          try await self.store.forget(before: now + .milliseconds(-self.settings.kept.milliseconds))
          forgotAt = now
        }
        if book == nil {
          book = ConditionBook(
            entries: try await self.store.entries(), settling: self.settings.settling, patience: self.settings.patience)
        }
        if !isAdopted, let book {
          try await self.adopt(book, now)
          isAdopted = true
          ring()
        }
        if let known = book, let state = await self.state() {
          var next = known
          let changes = next.observe(state.standingConditions(now: now), now: now)
          if next != known {
            try await self.keep(next, changes, now)
            book = next
          }
          if !changes.isEmpty { ring() }
        }
        isUnusable = false
      } catch {
        // Told once; what is to be told is worked out again from what stands.
        if !isUnusable { self.complain(.alarm, error) }
        isUnusable = true
      }
      await self.waitForNews(after: sequence, due: isUnusable ? nil : book?.nextDue)
    }
  }

  /// What stands already is told to who was not there when it began, and to nobody else again; killed between the two it is done once more, under
  /// the same ids.
  private func adopt(_ book: ConditionBook, _ now: Instant) async throws(TellingError) {
    let names = self.channels.map(\.name)
    let newcomers = Set(try await self.store.newcomers(among: names))
    if !newcomers.isEmpty { try await self.keep(book, book.standing, now, to: newcomers) }
    let reason = "it is in the configuration no more"
    let givenUp = try await self.store.adopt(names, reason: reason, at: now)
    for (channel, count) in givenUp.sorted(by: { $0.key < $1.key }) {
      self.complain(.warning, .givenUp(channel: channel, seen: "\(reason); \(count) messages waited"))
    }
    if !givenUp.isEmpty { self.onWaiting(try await self.store.waiting()) }
  }

  private func keep(
    _ book: ConditionBook, _ changes: [ConditionBook.Change], _ now: Instant, to only: Set<String>? = nil
  ) async throws(TellingError) {
    var messages: [(channel: String, message: TellingMessage)] = []
    for change in changes {
      let message = TellingMessage(change, environment: self.settings.environment, dashboard: self.settings.dashboard)
      for channel in self.channels where channel.lowest <= change.weight && only?.contains(channel.name) ?? true {
        messages.append((channel.name, message))
      }
    }
    try await self.store.keep(Array(book.entries.values), messages, at: now)
  }

  /// Until something has happened, something is due to be told, or it is time to look whether something lasts.
  private func waitForNews(after sequence: Int64, due: Instant?) async {
    let now = self.clock.now
    // What may clear itself counts from a time on, without any news.
    let look = min(due ?? now + .minutes(1), now + .minutes(1))
    await self.news.wait(after: sequence, within: max(.milliseconds(1), look.since(now)), clock: self.clock)
    try? await self.clock.sleep(until: now + self.settings.lookInterval)
  }

  // MARK: telling it

  private typealias Bell = (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)

  private func deliver(over channel: any TellingChannel, _ bell: Bell, _ mayBegin: @Sendable () -> Bool) async {
    await withDiscardingTaskGroup { group in
      // One sleeper for the earliest time: it looks again for all that is due later.
      var armed: Instant?
      for await _ in bell.stream {
        let next = await self.deliverDue(over: channel, mayBegin)
        if let waiting = try? await self.store.waiting() { self.onWaiting(waiting) }
        if !mayBegin() { break }
        if let at = armed, at <= self.clock.now { armed = nil }
        if let next, armed.map({ next < $0 }) ?? true {
          armed = next
          group.addTask { if (try? await self.clock.sleep(until: next)) != nil { bell.continuation.yield() } }
        }
      }
      group.cancelAll()
    }
  }

  /// - Returns: when to look again by itself; nil when only news brings more.
  private func deliverDue(over channel: any TellingChannel, _ mayBegin: @Sendable () -> Bool) async -> Instant? {
    do throws(TellingError) {
      while mayBegin() {
        let due = try await self.store.due(channel.name, most: channel.mostAtOnce, now: self.clock.now)
        guard !due.isEmpty else { return try await self.store.nextDue(channel.name) }
        let ids = due.map(\.message.id)
        do throws(TellingFailure) {
          try await channel.tell(due.map(\.message))
        } catch {
          if Task.isCancelled { return nil }
          return try await self.failed(due, over: channel, error)
        }
        try await self.store.ended(ids, over: channel.name, givenUp: nil, at: self.clock.now)
      }
      return nil
    } catch {
      self.complain(.warning, error)
      return self.clock.now + self.settings.pace.longest
    }
  }

  private func failed(
    _ due: [TellingStore.Pending], over channel: any TellingChannel, _ failure: TellingFailure
  ) async throws(TellingError) -> Instant? {
    let now = self.clock.now
    let (ids, attempts) = (due.map(\.message.id), (due.map(\.attempts).max() ?? 0) + 1)
    let next =
      failure.isFinal
      ? nil
      : self.settings.pace.next(
        attempts: attempts, toldFrom: due.map(\.toldFrom).min() ?? now, now: now, asked: failure.after,
        chance: self.jitter.fraction())
    guard let next else {
      self.complain(.alarm, .givenUp(channel: channel.name, seen: failure.seen))
      try await self.store.ended(ids, over: channel.name, givenUp: failure.seen, at: now)
      return now
    }
    // Once when it begins to fail: the next tries are quiet.
    if attempts == 1 { self.complain(.warning, .notDelivered(channel: channel.name, seen: failure.seen)) }
    try await self.store.failed(ids, over: channel.name, next: next)
    return next
  }

  private func complain(_ weight: Notice.Weight, _ error: TellingError) {
    self.notifier.notify(
      Notice(at: self.clock.now, weight: weight, kind: "telling.failed", code: error.stableCode, words: error.description))
  }
}

/// Whether somebody else is to tell from now on.
private final class Relief: Sendable {
  private let isHere = Mutex(false)
  var hasCome: Bool { self.isHere.withLock { $0 } }
  func come() { self.isHere.withLock { $0 = true } }
}
