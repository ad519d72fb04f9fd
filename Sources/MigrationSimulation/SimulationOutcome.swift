// SPDX-License-Identifier: Apache-2.0

import Migration

/// What of the machine a history has reached: phases, events, refusals, holds, waits, faults.
public struct Coverage: Sendable, Hashable, Codable {
  public var phases: [String: Int] = [:]
  public var events: [String: Int] = [:]
  public var refusals: [String: Int] = [:]
  public var holds: [String: Int] = [:]
  public var waits: [String: Int] = [:]
  public var faults: [String: Int] = [:]
  public var situations: [String: Int] = [:]

  public init() {}

  public mutating func add(_ other: Coverage) {
    func merge(_ path: WritableKeyPath<Coverage, [String: Int]>) {
      self[keyPath: path].merge(other[keyPath: path], uniquingKeysWith: +)
    }
    merge(\.phases)
    merge(\.events)
    merge(\.refusals)
    merge(\.holds)
    merge(\.waits)
    merge(\.faults)
    merge(\.situations)
  }

  /// What no history has reached yet.
  public var missing: [String] {
    var missing: [String] = []
    // There are no shovels in the simulated world yet: tests of the core alone reach what they hold up (StandingShovelTests).
    let waits = WaitReason.Code.allCases.filter { $0 != .shovelStands }
    let guards = Refusal.Code.allCases.filter { $0 != .shovelStands }
    missing += GroupPhase.allCases.map(\.rawValue).filter { self.phases[$0] == nil }.map { "state \($0)" }
    missing += Hold.Code.allCases.map(\.rawValue).filter { self.holds[$0] == nil }.map { "hold \($0)" }
    missing += waits.map(\.rawValue).filter { self.waits[$0] == nil }.map { "wait \($0)" }
    missing += guards.map(\.rawValue).filter { self.refusals[$0] == nil }.map { "guard \($0)" }
    missing += (FaultKind.allCases.map(\.rawValue) + Trouble.allCases.map(\.rawValue)).filter { self.faults[$0] == nil }.map {
      "fault \($0)"
    }
    missing += Situation.allCases.map(\.rawValue).filter { self.situations[$0] == nil }.map { "situation \($0)" }
    return missing
  }
}

/// What one seed came to.
public struct SimulationOutcome: Sendable {
  public var seed: UInt64
  public var breaches: [Breach]
  public var ledger: MessageLedger
  public var coverage: Coverage
  /// Where each group stood at the end.
  public var phases: [GroupPhase]
  public var events: Int
  /// What happens at each point, by its name, the first time: the durable writes by their events, the outside calls by their kind.
  public var sites: [String: Int]
  /// Points at which a fault can strike: before and after every durable write and every outside call.
  public var points: Int
  public var starts: Int
  /// The history in words, when it was asked for.
  public var log: [String]
}

/// A fault at one point: before or after a durable write or an outside call.
public enum FaultKind: String, Sendable, Hashable, Codable, CaseIterable {
  case kill
  case powerCut = "power-cut"
  case diskFull = "disk-full-at-point"
  case ioErrorOnce = "io-error-once"
  case ioErrorOn = "io-error-from-then-on"
  case replyLost = "reply-lost"
}

/// What kind of history is played.
public struct SimulationSettings: Sendable {
  public var groups = 6
  public var senders = 200
  public var days: Int64 = 21
  /// Faults, troubles and clicks at random; else only those in ``strikes``, and everything is done as it should be.
  public var isStormy = true
  public var sabotage: Sabotage?
  /// Faults by the number of the point, from 1.
  public var strikes: [Int: FaultKind] = [:]
  /// In a calm history: this long after the start the first group is rolled back; nil for never.
  public var rollBackAfter: Int64?
  /// Ends the history as soon as this invariant was seen broken.
  public var stopsAt: Invariant?
  public var keepsLog = false

  public init() {}

  /// One group of three, one of one, few messages, forward and back: for faults at every point.
  public static func calm() -> SimulationSettings {
    var settings = SimulationSettings()
    settings.groups = 2
    settings.senders = 6
    settings.days = 8
    settings.isStormy = false
    settings.rollBackAfter = 3 * Stage.day
    return settings
  }
}
