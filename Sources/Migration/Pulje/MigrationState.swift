// SPDX-License-Identifier: Apache-2.0

import BusModel

/// All puljer: the fold over all events.
public struct MigrationState: Sendable, Hashable {
  public internal(set) var puljer: [PuljeName: PuljeState] = [:]
  /// How often the daemon has started on this history.
  public internal(set) var starts: Int = 0
  /// Which world this history is of; nil until a daemon that knows it has started on it.
  public internal(set) var environment: String?
  /// Stop-the-line: who, why, since when; nil while the line runs.
  public internal(set) var stop: Note?
  /// Buses that were closed for good: by whom, and when.
  public internal(set) var closedBuses: [BusName: Note] = [:]
  /// Commands whose idempotency keys are heeded.
  public internal(set) var commands = CommandBook()

  public init() {}

  /// In order of their sealing.
  public var ordered: [PuljeState] {
    if self.puljer.count < 2 { return Array(self.puljer.values) }
    return self.puljer.values.sorted { ($0.sealedAt, $0.name) < ($1.sealedAt, $1.name) }
  }

  /// Parties that an open pulje holds, group by group: a closed group is free while the rest of its pulje goes on.
  public var openParties: [HerID: PuljeName] {
    var open: [HerID: PuljeName] = [:]
    for pulje in self.puljer.values {
      for group in pulje.groups where !group.phase.isClosed {
        for member in group.members { open[member.herID] = pulje.name }
      }
    }
    return open
  }

  /// Folds one event in.
  ///
  /// - Returns: false when the event speaks of a pulje or group that this history does not have: the history is damaged, and
  ///   the reader must stop (I-16).
  public mutating func apply(_ event: MigrationEvent, at now: Instant) -> Bool {
    switch event {
    case .puljeSealed(let plan, let by):
      guard self.puljer[plan.name] == nil else { return false }
      self.puljer[plan.name] = PuljeState(plan: plan, by: by, at: now)
    case .puljeStarted(let name, let approvals):
      guard self.puljer[name] != nil else { return false }
      self.puljer[name]?.approvals = approvals
      self.puljer[name]?.startedAt = now
    case .puljePaused(let name, let by, let why):
      guard self.puljer[name] != nil else { return false }
      self.puljer[name]?.pause = Note(by: by, why: why, at: now)
    case .puljeResumed(let name, _):
      guard self.puljer[name] != nil else { return false }
      self.puljer[name]?.pause = nil
    case .group(let name, let group, let event):
      return self.puljer[name]?.apply(event, to: group, at: now) ?? false
    case .lineStopped(let by, let why): self.stop = Note(by: by, why: why, at: now)
    case .lineReleased: self.stop = nil
    case .busClosed(let closing, let by):
      self.closedBuses[closing.bus] = Note(by: by.joined(separator: ", "), why: "nobody is on it", at: now)
    case .environmentNamed(let name):
      // One history is of one world: named anew when there are puljer, two were mixed. Before that it was a slip of the pen.
      guard self.environment == nil || self.puljer.isEmpty else { return false }
      self.environment = name
    case .commanded(let record): self.commands.take(record, at: now)
    case .daemonStarted:
      self.starts += 1
      // The names by themselves: whoever walks the table itself holds it, and every group of every pulje would be copied.
      for name in Array(self.puljer.keys) { self.puljer[name]?.applyRestart(at: now) }
    }
    return true
  }
}
