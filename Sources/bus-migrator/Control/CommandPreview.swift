// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// What a command would come to, worked out on a copy of the state: nobody is asked for anything that changes, and nothing is written.
struct CommandPreview: Codable, Sendable, Hashable {
  /// What whoever gives the command should know first. A kind is stable; its words are for people.
  struct Warning: Codable, Sendable, Hashable {
    enum Kind: String, Codable, Sendable, Hashable, CaseIterable {
      /// A group that was meant would stay as it is.
      case leftOut = "left-out"
      /// The party's mail may not be fetched where it goes back to, or the way back is not shown to stand.
      case wayBack = "way-back"
      case lineStopped = "line-stopped"
      case paused
      /// There is nothing that takes it back.
      case forGood = "for-good"
    }

    var kind: Kind
    var text: String
  }

  /// What groups would do next, or wait for.
  struct Afterwards: Codable, Sendable, Hashable {
    var pulje: PuljeName
    var groups: Int
    /// In a word; nil where they would wait or be done.
    var doing: String?
    var wait: WaitReason.Code?
    var text: String?
  }

  /// Lists for people end somewhere.
  static let most = 20

  /// Groups that would change, or that it would hold or let go.
  var groups: Int
  /// The parties in these groups, in order.
  var herIDs: [HerID]
  /// Those among them that the command does not name: they share queues with one that it names.
  var alongside: [HerID]
  var warnings: [Warning]
  var afterwards: [Afterwards]

  /// - Parameter named: the parties that the command names; empty where it names none.
  init(
    of events: [MigrationEvent], by inputs: [MigrationInput], named: [HerID], _ state: MigrationState, now: Instant
  ) {
    var after = state
    for event in events { _ = after.apply(event, at: now) }
    let concerned = Self.concerned(events, after)
    var herIDs: Set<HerID> = []
    for (name, groups) in concerned {
      for group in groups { herIDs.formUnion(after.puljer[name]?.groups[group]?.members.map(\.herID) ?? []) }
    }
    self.groups = concerned.values.reduce(0) { $0 + $1.count }
    self.herIDs = herIDs.sorted()
    self.alongside = named.isEmpty ? [] : herIDs.subtracting(named).sorted()
    self.warnings = Self.standing(inputs, after, concerned) + Self.leftOut(inputs, concerned, state, now: now)
    self.warnings += Self.ways(inputs, concerned, state, now: now)
    self.afterwards = Self.afterwards(concerned, after, now: now)
  }

  private typealias Concerned = [PuljeName: Set<GroupID>]

  private static func concerned(_ events: [MigrationEvent], _ after: MigrationState) -> Concerned {
    var concerned: Concerned = [:]
    func takeAll(_ name: PuljeName) {
      concerned[name, default: []].formUnion(after.puljer[name]?.groups.filter { !$0.phase.isClosed }.map(\.id) ?? [])
    }
    for event in events {
      switch event {
      case .puljeSealed(let plan, _): takeAll(plan.name)
      case .puljeStarted(let name, _), .puljePaused(let name, _, _), .puljeResumed(let name, _): takeAll(name)
      case .group(let name, let group, _): concerned[name, default: []].insert(group)
      case .lineStopped, .lineReleased: for pulje in after.ordered where pulje.startedAt != nil { takeAll(pulje.name) }
      case .busClosed, .daemonStarted, .commanded, .environmentNamed: break
      }
    }
    return concerned
  }

  /// What would keep it from going on, and what nobody can take back.
  private static func standing(_ inputs: [MigrationInput], _ after: MigrationState, _ concerned: Concerned) -> [Warning] {
    var warnings: [Warning] = []
    var isBrake = false
    for input in inputs {
      switch input {
      case .stopTheLine, .pause: isBrake = true
      case .approveRemoval, .closeBus:
        let words = "There is no way back afterwards: nothing takes this back."
        if !warnings.contains(where: { $0.kind == .forGood }) { warnings.append(Warning(kind: .forGood, text: words)) }
      default: break
      }
    }
    guard !isBrake, !concerned.isEmpty else { return warnings }
    if let stop = after.stop {
      let words = "The line is stopped by \(stop.by) (\(stop.why)): no entry is written before two people release it."
      warnings.append(Warning(kind: .lineStopped, text: words))
    }
    for name in concerned.keys.sorted(by: { $0.text < $1.text }) {
      guard let pause = after.puljer[name]?.pause else { continue }
      let words = "Pulje \(name) is paused by \(pause.by) (\(pause.why)): it goes no further forward before it is resumed."
      warnings.append(Warning(kind: .paused, text: words))
    }
    return warnings
  }

  /// Groups that were meant and of which nothing would come, each with the answer it would give alone.
  private static func leftOut(
    _ inputs: [MigrationInput], _ concerned: Concerned, _ state: MigrationState, now: Instant
  ) -> [Warning] {
    var lines: [Warning] = []
    var unsaid = 0
    func add(_ group: GroupState, _ words: () -> String) {
      guard lines.count < Self.most else { return unsaid += 1 }
      let parties = group.members.map(\.herID.description).joined(separator: ", ")
      lines.append(Warning(kind: .leftOut, text: "Not with it: HER-ID \(parties), \(group.phase.rawValue)\(words())"))
    }
    for input in inputs {
      switch input {
      case .rollBack(let name, let herIDs, let by, let why):
        guard let pulje = state.puljer[name] else { continue }
        let meant = herIDs.map { Set($0.compactMap(pulje.group(of:))) }
        for group in pulje.groups where meant?.contains(group.id) ?? true && !(concerned[name]?.contains(group.id) ?? false) {
          add(group) {
            guard let herID = group.members.first?.herID,
              case .refused(let refusal) = state.decide(.rollBack(name, herIDs: [herID], by: by, why: why), now: now)
            else { return "" }
            return " [\(refusal.stableCode)]: \(refusal.seen)"
          }
        }
      case .accept(let name, _):
        guard let pulje = state.puljer[name] else { continue }
        for group in pulje.groups where !group.phase.isClosed && !(concerned[name]?.contains(group.id) ?? false) {
          add(group) { group.quarantine.map { ", quarantined by \($0.by): \($0.why)" } ?? "" }
        }
      default: break
      }
    }
    return lines + Self.rest(unsaid, .leftOut, "more stay as they are")
  }

  /// What would meet those who go back.
  private static func ways(
    _ inputs: [MigrationInput], _ concerned: Concerned, _ state: MigrationState, now: Instant
  ) -> [Warning] {
    guard inputs.contains(where: { if case .rollBack = $0 { true } else { false } }) else { return [] }
    var lines: [Warning] = []
    var unsaid = 0
    for (name, groups) in concerned.sorted(by: { $0.key.text < $1.key.text }) {
      guard let pulje = state.puljer[name] else { continue }
      for group in PuljeSummary(pulje, stop: state.stop, now: now).groups where groups.contains(group.id) {
        let parties = group.members.map(\.herID.description).joined(separator: ", ")
        for reason in group.wayBack.reasons where reason.code != .lineStopped {
          guard lines.count < Self.most else {
            unsaid += 1
            continue
          }
          lines.append(Warning(kind: .wayBack, text: "HER-ID \(parties) [\(reason.code.rawValue)]: \(reason.seen)"))
        }
      }
    }
    return lines + Self.rest(unsaid, .wayBack, "more reasons for care on the way back")
  }

  private static func rest(_ count: Int, _ kind: Warning.Kind, _ words: String) -> [Warning] {
    count == 0 ? [] : [Warning(kind: kind, text: "\(count) \(words): see the status")]
  }

  private static func afterwards(_ concerned: Concerned, _ after: MigrationState, now: Instant) -> [Afterwards] {
    concerned.sorted { $0.key.text < $1.key.text }.flatMap { name, groups -> [Afterwards] in
      guard let pulje = after.puljer[name] else { return [] }
      var lines: [Afterwards] = []
      for group in PuljeSummary(pulje, stop: after.stop, now: now).groups where groups.contains(group.id) {
        guard group.doing != nil || group.wait != nil else { continue }
        if let place = lines.firstIndex(where: { $0.doing == group.doing && $0.wait == group.wait?.code }) {
          lines[place].groups += 1
        } else {
          lines.append(
            Afterwards(pulje: name, groups: 1, doing: group.doing, wait: group.wait?.code, text: group.waitEnds?.text))
        }
      }
      return lines
    }
  }
}
