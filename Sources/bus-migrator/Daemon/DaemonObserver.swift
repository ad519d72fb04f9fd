// SPDX-License-Identifier: Apache-2.0

import Migration
import MigrationEngine
import Synchronization

/// Turns the engine's loop into what systemd shows: the watchdog is fed by the loop itself, so a loop that is stuck is seen.
final class DaemonObserver: EngineObserver {
  private struct Said {
    var words = ""
    var at: Instant?
  }

  private let notify: ServiceNotify
  private let said = Mutex(Said())

  init(notify: ServiceNotify) { self.notify = notify }

  func turned(_ turn: EngineTurn, state: MigrationState) {
    if self.notify.watchdogMilliseconds != nil { self.notify.tell("WATCHDOG=1") }
    guard self.notify.isHeard else { return }
    // Every group's wait is worked out for it: while thousands move, once a second is enough. The last turn of a run always is one.
    let isDue = self.said.withLock { said in
      if turn.busy > 0, !turn.isStopping, let at = said.at, at <= turn.now, turn.now < at + .seconds(1) { return false }
      said.at = turn.now
      return true
    }
    guard isDue else { return }
    let words = Self.words(turn, state)
    let isNew = self.said.withLock { said in
      defer { said.words = words }
      return said.words != words
    }
    if isNew { self.notify.tell("STATUS=\(words)") }
  }

  /// One line: each open pulje, where its groups stand, and what they wait for.
  static func words(_ turn: EngineTurn, _ state: MigrationState) -> String {
    let open = state.ordered.filter(\.isOpen)
    if turn.isStopping { return "stopping; \(turn.busy) steps are being finished" }
    if open.isEmpty { return "no open pulje" }
    return open.map { pulje in
      let counts = pulje.groups.reduce(into: [GroupPhase: Int]()) { $0[$1.phase, default: 0] += 1 }
      let phases = GroupPhase.allCases.compactMap { phase in counts[phase].map { "\($0) \(phase.rawValue)" } }
      let waits = Self.waits(pulje, stop: state.stop, now: turn.now)
      return "\(pulje.name) \(pulje.phase(now: turn.now).rawValue): \(phases.joined(separator: ", "))\(waits)"
    }.joined(separator: "; ")
  }

  /// The two most common, with the time left where it is known.
  private static func waits(_ pulje: PuljeState, stop: Note?, now: Instant) -> String {
    let counts = WaitCounts(pulje, stop: stop, now: now).ordered
    guard !counts.isEmpty else { return "" }
    let words = counts.prefix(2).map { wait in
      let left = wait.until.map { ", \(Self.words(of: $0.since(now))) left" } ?? (wait.needsPerson ? ", a person" : "")
      return "\(wait.count) \(wait.code.shortWords) (\(wait.code.rawValue)\(left))"
    }
    return "; waits: \(words.joined(separator: ", "))\(counts.count > 2 ? " and \(counts.count - 2) more" : "")"
  }

  /// In its largest unit: a line that changed every second would say no more.
  static func words(of span: TimeSpan) -> String {
    let minutes = max(1, span.milliseconds / 60_000)
    return minutes < 120 ? "\(minutes) min" : minutes < 48 * 60 ? "\(minutes / 60) h" : "\(minutes / 1_440) d"
  }
}
