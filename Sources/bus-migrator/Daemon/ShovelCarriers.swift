// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Forwarding
import Foundation
import Logging
import Migration
import MigrationEngine

/// The shovels of all buses on which they may run, as the configuration has them.
struct ShovelCarriers: Sendable {
  struct Side: Sendable {
    var dialect: Dialect
    var management: (any ShovelNode)?
    /// As a RabbitMQ 4 node reaches this bus.
    var address: Secret?
  }

  let sides: [BusName: Side]
  /// Tells our shovels from others': kept beside the database.
  let owner: String
  let history: any ShovelHistory
  let keeper: ShovelKeeper
  let clock: any MigrationClock
  let logger: Logger

  /// Between two looks at a shovel.
  private static let pause = TimeSpan.seconds(5)
  /// How long a pause, or the daemon's end, waits for the bus to show that a shovel is gone.
  private static let patience = TimeSpan.seconds(20)

  init(
    sides: [BusName: Side], owner: String, history: any ShovelHistory, clock: any MigrationClock = SystemMigrationClock(),
    jitter: any JitterSource = SystemJitter(), notifier: any Notifier = SilentNotifier(),
    settings: @escaping @Sendable () -> EngineSettings = { EngineSettings() }, logger: Logger
  ) {
    self.sides = sides
    self.owner = owner
    self.history = history
    self.clock = clock
    self.logger = logger
    var carriers: [BusName: ShovelCarrier] = [:]
    for (bus, side) in sides {
      guard let management = side.management, side.address != nil else { continue }
      carriers[bus] = ShovelCarrier(target: management, source: nil, owner: owner)
    }
    self.keeper = ShovelKeeper(
      carriers: carriers, history: history, settings: settings, clock: clock, jitter: jitter, notifier: notifier, logger: logger)
  }

  /// Carries one queue until cancelled: the shovel stands as long as this runs, and after that only where the history says so.
  func carry(_ errand: ForwardingErrand, report: @escaping @Sendable (ForwardingCount) -> Void) async -> ForwardingEnd {
    guard let from = self.sides[errand.from], let to = self.sides[errand.to], let management = to.management,
      let source = from.address, let target = to.address
    else {
      return .stopped(
        code: CommandLineError.wayNotConfigured(seen: "").stableCode,
        seen: "shovels need management on bus \(errand.to), and shovel-address on \(errand.from) and \(errand.to)")
    }
    let carrier = ShovelCarrier(target: management, source: from.management, owner: self.owner)
    do throws(ShovelError) {
      try ShovelWay.check(source: from.dialect, target: to.dialect)
    } catch { return .stopped(code: error.stableCode, seen: error.explanation.seen) }
    let shovel = ShovelDefinition(
      name: ShovelDefinition.name(
        owner: self.owner, source: errand.from.text, queue: errand.route.from.queue, target: errand.to.text),
      sourceQueue: errand.route.from.queue, targetQueue: errand.route.to.queue, source: source, target: target,
      rules: errand.order.rules(for: errand.route.kind))
    let recorded = MigrationState.RecordedShovel(
      pulje: errand.pulje, group: errand.group,
      shovel: StandingShovel(
        node: errand.to, name: shovel.name, virtualHost: management.virtualHost, from: errand.route.from, to: errand.route.to))
    // The intent before the effect: whatever happens to us from here on, the next start looks for it.
    do { try await self.history.intend(recorded) } catch {
      let seen = (error as? any ExplainedError).map { "[\($0.stableCode)] \($0.explanation.seen)" } ?? "\(error)"
      return Task.isCancelled ? .cancelled : .interrupted(code: StandingShovel.stayingCode, seen: seen)
    }
    await self.keeper.begins(recorded)
    let tally = ShovelTally(source: from.management, queue: errand.route.from.queue, address: source)
    let (end, isDeclared) = await self.watch(shovel, carrier, tally, report)
    // Whatever ended it, the shovel must not go on: not even when the daemon is told to stop. Of its own, since the caller may be
    // cancelled; bounded by its patience.
    let keeper = self.keeper
    let isGone = await Task {
      await keeper.take(away: recorded, isDeclared: isDeclared, patience: Self.patience)
    }.value
    if let count = await tally.count() { report(count) }
    if isGone { return end }
    // The history keeps the queue back until it is gone; nothing for a person to resume.
    if case .stopped = end { return end }
    return .interrupted(
      code: StandingShovel.stayingCode, seen: "shovel \(shovel.name) is not known to be gone and may still take from the queue")
  }

  /// - Returns: how it ended, and whether the node has said that the shovel is declared.
  private func watch(
    _ shovel: ShovelDefinition, _ carrier: ShovelCarrier, _ tally: ShovelTally,
    _ report: @escaping @Sendable (ForwardingCount) -> Void
  ) async -> (ForwardingEnd, Bool) {
    await tally.begin()
    do throws(ShovelError) { try await carrier.begin(shovel) } catch {
      // Only an answer that never came leaves it open what the node did.
      switch error {
      case .unreachable: return (.interrupted(code: error.stableCode, seen: error.explanation.seen), false)
      case .refused: return (.interrupted(code: error.stableCode, seen: error.explanation.seen), true)
      default: return (.stopped(code: error.stableCode, seen: error.explanation.seen), true)
      }
    }
    // The broker tells nobody of its own accord how a shovel is doing.
    var last = ""
    func tell(_ code: String, _ words: String) {
      if last != words { self.logger.warning("\(words)", metadata: [LogKey.code.rawValue: "\(code)"]) }
      last = words
    }
    while (try? await self.clock.sleep(until: self.clock.now + Self.pause)) != nil {
      let states: [String: String]
      do throws(ShovelError) { states = try await carrier.states() } catch {
        if Task.isCancelled { break }
        tell(error.stableCode, "how shovel \(shovel.name) is doing is not known: \(error.explanation.seen)")
        continue
      }
      guard let state = states[shovel.name] else {
        return (.stopped(code: "SHOVEL-008", seen: "somebody has removed shovel \(shovel.name)"), true)
      }
      if state == "running" { last = "" } else { tell("SHOVEL-008", "shovel \(shovel.name) is \(state)") }
      if let count = await tally.count() { report(count) }
    }
    return (.cancelled, true)
  }

  /// Reads the owner's mark beside the database, or makes it.
  static func owner(besideDatabase database: String) throws -> String {
    let path = database + ".shovels"
    if let data = FileManager.default.contents(atPath: path), let text = String(validating: data, as: UTF8.self) {
      let mark = text.trimmingCharacters(in: .whitespacesAndNewlines)
      if !mark.isEmpty, mark.allSatisfy({ $0.isLetter || $0.isNumber }) { return mark }
    }
    let mark = String(UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(12))
    guard FileManager.default.createFile(atPath: path, contents: Data((mark + "\n").utf8)) else {
      throw CommandLineError.fileUnwritable(path: path, seen: "it cannot be made")
    }
    return mark
  }
}
