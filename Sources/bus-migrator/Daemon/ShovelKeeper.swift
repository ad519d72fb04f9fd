// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Forwarding
import Logging
import Migration
import MigrationEngine

/// Takes shovels away until the bus shows that they are gone. It tries without end, at a pace that grows longer, and begins again after a
/// start with what the history says is left; only the daemon's end stops it, and then it says in words what stays.
actor ShovelKeeper {
  /// What stands between a shovel and our knowing that it is gone.
  private struct Left: Sendable {
    var recorded: MigrationState.RecordedShovel
    var failures = 0
    var due: Instant
    /// Not before this may it count as gone: a declaration whose answer we never had may still reach the node.
    var settledAt: Instant
    var told: String?
  }

  private struct Key: Hashable {
    var node: BusName
    var name: String
  }

  /// Within this a node has read whatever we had sent it before.
  static let settling = TimeSpan.seconds(30)

  /// No try takes longer.
  private static let longestTry = TimeSpan.minutes(10)

  private let carriers: [BusName: ShovelCarrier]
  private let history: any ShovelHistory
  private let settings: @Sendable () -> EngineSettings
  private let clock: any MigrationClock
  private let jitter: any JitterSource
  private let notifier: any Notifier
  private let logger: Logger

  private var left: [Key: Left] = [:]
  /// Declared in this run under an order, and watched by whoever declared it.
  private var atWork: Set<Key> = []
  /// Nodes that were not yet asked for shovels which the history does not know.
  private var unasked: [BusName: (failures: Int, due: Instant)]
  private let bell: AsyncStream<Void>
  private let ring: AsyncStream<Void>.Continuation

  init(
    carriers: [BusName: ShovelCarrier], history: any ShovelHistory,
    settings: @escaping @Sendable () -> EngineSettings = { EngineSettings() },
    clock: any MigrationClock = SystemMigrationClock(), jitter: any JitterSource = SystemJitter(),
    notifier: any Notifier = SilentNotifier(), logger: Logger
  ) {
    self.carriers = carriers
    self.history = history
    self.settings = settings
    self.clock = clock
    self.jitter = jitter
    self.notifier = notifier
    self.logger = logger
    let now = clock.now
    self.unasked = carriers.mapValues { _ in (0, now) }
    (self.bell, self.ring) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  }

  /// Works until cancelled.
  func run() async {
    let now = self.clock.now
    for recorded in await self.history.left() {
      let since = recorded.shovel.since ?? now
      self.keep(recorded, due: now, settledAt: since + Self.settling)
    }
    self.ring.yield()
    await withTaskGroup(of: Void.self) { group in
      for await _ in self.bell {
        if Task.isCancelled { break }
        await self.work()
        guard let due = self.nextDue else { continue }
        group.addTask { [clock, ring] in
          guard (try? await clock.sleep(until: due)) != nil else { return }
          ring.yield()
        }
      }
      group.cancelAll()
    }
    self.say()
  }

  // MARK: for those who declare

  /// It is declared under an order from here on: none of the sweep's business.
  func begins(_ recorded: MigrationState.RecordedShovel) { self.atWork.insert(Self.key(recorded)) }

  /// Takes it away, for as long as `patience`; after that it is gone on with for as long as the daemon lives.
  ///
  /// - Parameter isDeclared: the node has said that it declared it; else it may still come to stand.
  /// - Returns: whether the bus has shown that it is gone.
  func take(away recorded: MigrationState.RecordedShovel, isDeclared: Bool, patience: TimeSpan) async -> Bool {
    let now = self.clock.now
    let settledAt = isDeclared ? now : now + Self.settling
    // The first try is made here.
    self.keep(recorded, due: now + Self.longestTry, settledAt: settledAt)
    let key = Self.key(recorded)
    self.atWork.remove(key)
    let clock = self.clock
    // Bounded: a node that does not answer must not keep a pause, or the daemon's end, from coming.
    return await withTaskGroup(of: Bool?.self) { group in
      group.addTask { await self.attempt(key) }
      group.addTask {
        try? await clock.sleep(until: now + patience)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      for await last in group { if last == true { return true } }
      if first == nil, let left = self.left[key], left.told == nil {
        await self.tell(key, left, ShovelError.unreachable(tried: "", seen: "no answer within \(patience)"))
      }
      self.ring.yield()
      return first ?? false
    }
  }

  // MARK: the work

  private static func key(_ recorded: MigrationState.RecordedShovel) -> Key {
    Key(node: recorded.shovel.node, name: recorded.shovel.name)
  }

  private func keep(_ recorded: MigrationState.RecordedShovel, due: Instant, settledAt: Instant) {
    let key = Self.key(recorded)
    if self.left[key] == nil { self.left[key] = Left(recorded: recorded, due: due, settledAt: settledAt) }
  }

  private var nextDue: Instant? { (self.left.values.map(\.due) + self.unasked.values.map(\.due)).min() }

  private func work() async {
    let now = self.clock.now
    await withTaskGroup(of: Void.self) { group in
      for (key, left) in self.left where left.due <= now { group.addTask { _ = await self.attempt(key) } }
      for (node, sweep) in self.unasked where sweep.due <= now { group.addTask { await self.sweep(node) } }
    }
  }

  /// One try.
  ///
  /// - Returns: whether it is gone.
  private func attempt(_ key: Key) async -> Bool {
    guard var left = self.left[key] else { return true }
    // Not twice at once: the next is due when this one has ended.
    left.due = self.clock.now + Self.longestTry
    self.left[key] = left
    let failure: ShovelError?
    do throws(ShovelError) {
      guard let carrier = self.carriers[key.node] else {
        throw .unreachable(tried: "", seen: "no management interface of bus \(key.node) is configured, or no shovel-address")
      }
      try await carrier.end(key.name)
      failure = self.clock.now >= left.settledAt ? nil : .notRemoved(name: key.name)
    } catch { failure = error }
    guard let failure else {
      self.left[key] = nil
      await self.history.gone(left.recorded)
      self.logger.info("shovel \(key.name) is gone", metadata: [LogKey.bus.rawValue: "\(key.node)"])
      return true
    }
    let delay = self.settings().delay(failures: left.failures, fraction: self.jitter.fraction())
    left.failures += 1
    left.due = self.clock.now + delay
    if self.clock.now < left.settledAt { left.due = max(left.due, left.settledAt) }
    self.left[key]?.failures = left.failures
    self.left[key]?.due = left.due
    await self.tell(key, left, failure)
    return false
  }

  /// Once for each thing that is met, not for each try.
  private func tell(_ key: Key, _ left: Left, _ error: ShovelError) async {
    guard self.left[key]?.told != error.stableCode else { return }
    self.left[key]?.told = error.stableCode
    await self.history.stays(left.recorded, code: error.stableCode, seen: error.explanation.seen)
    self.logger.error(
      "shovel \(key.name) ought to be gone and is not known to be: \(error.explanation.seen)",
      metadata: [LogKey.bus.rawValue: "\(key.node)", LogKey.code.rawValue: "\(error.stableCode)"])
  }

  /// What carries our mark and stands in no history: a database that was put back from a copy does not know it.
  private func sweep(_ node: BusName) async {
    guard let carrier = self.carriers[node], let sweep = self.unasked[node] else { return }
    self.unasked[node]?.due = self.clock.now + Self.longestTry
    do throws(ShovelError) {
      for name in try await carrier.ours() {
        let key = Key(node: node, name: name)
        if self.atWork.contains(key) || self.left[key] != nil { continue }
        try await carrier.end(name)
        self.logger.warning(
          "removed shovel \(name), which stands in no history", metadata: [LogKey.bus.rawValue: "\(node)"])
      }
      self.unasked[node] = nil
    } catch {
      // A bus without the shovel plugins has none of ours.
      if case .refused(_, 404) = error {
        self.unasked[node] = nil
        return
      }
      if sweep.failures == 0 {
        self.notifier.notify(
          Notice(
            at: self.clock.now, weight: .warning, kind: "shovels.unknown", code: error.stableCode,
            words: "whether shovels that stand in no history are left on bus \(node) is not known, and is asked again: "
              + error.explanation.seen))
      }
      let delay = self.settings().delay(failures: sweep.failures, fraction: self.jitter.fraction())
      self.unasked[node] = (sweep.failures + 1, self.clock.now + delay)
    }
  }

  /// The daemon ends.
  private func say() {
    for left in self.left.values {
      let shovel = left.recorded.shovel
      self.notifier.notify(
        Notice(
          at: self.clock.now, weight: .alarm, kind: "shovels.stay", code: StandingShovel.stayingCode,
          words: "the daemon ends, and shovel \(shovel.name) on bus \(shovel.node) is not known to be gone: it may carry on from "
            + "\(shovel.from). The next start asks for it; by hand: rabbitmqctl delete_shovel -p \(shovel.virtualHost) "
            + "\(shovel.name)"))
    }
  }
}
