// SPDX-License-Identifier: Apache-2.0

import Migration
import MigrationEngine
import Synchronization

/// Turns the engine's loop into what systemd shows: the watchdog is fed by the loop itself, so a loop that is stuck is seen.
final class DaemonObserver: EngineObserver {
  private let notify: ServiceNotify
  private let lastWords = Mutex("")

  init(notify: ServiceNotify) { self.notify = notify }

  func turned(_ turn: EngineTurn, state: MigrationState) {
    if self.notify.watchdogMilliseconds != nil { self.notify.tell("WATCHDOG=1") }
    let words = Self.words(turn, state)
    let isNew = self.lastWords.withLock { last in
      defer { last = words }
      return last != words
    }
    if isNew { self.notify.tell("STATUS=\(words)") }
  }

  /// One line: each open pulje, where its groups stand.
  static func words(_ turn: EngineTurn, _ state: MigrationState) -> String {
    let open = state.ordered.filter(\.isOpen)
    if turn.isStopping { return "stopping; \(turn.busy) steps are being finished" }
    if open.isEmpty { return "no open pulje" }
    return open.map { pulje in
      let counts = pulje.groups.reduce(into: [GroupPhase: Int]()) { $0[$1.phase, default: 0] += 1 }
      let phases = GroupPhase.allCases.compactMap { phase in counts[phase].map { "\($0) \(phase.rawValue)" } }
      return "\(pulje.name) \(pulje.phase(now: turn.now).rawValue): \(phases.joined(separator: ", "))"
    }.joined(separator: "; ")
  }
}
