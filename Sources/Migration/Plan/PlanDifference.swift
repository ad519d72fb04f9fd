// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation

/// What lies between a plan that was approved and the one that the world gives now, party by party: what was, what is.
public struct PlanDifference: Sendable, Hashable, Codable {
  public struct Line: Sendable, Hashable, Codable, CustomStringConvertible {
    /// nil when it is about the pulje.
    public var herID: HerID?
    public var what: String
    public var was: String?
    public var now: String?

    public var description: String {
      let whose = self.herID.map { "HER-ID \($0): " } ?? ""
      return "\(whose)\(self.what) was \(self.was ?? "not there"), is \(self.now ?? "not there")"
    }
  }

  public var lines: [Line]

  public init(was: Plan, now: Plan) {
    self.lines = []
    func pulje(_ what: String, _ old: String?, _ new: String?) {
      if old != new { self.lines.append(Line(herID: nil, what: what, was: old, now: new)) }
    }
    pulje("name", was.name.text, now.name.text)
    pulje("source bus", was.source.text, now.source.text)
    pulje("target bus", was.target.text, now.target.text)
    let (oldPolicy, newPolicy) = (Self.values(was.policy), Self.values(now.policy))
    for key in Set(oldPolicy.keys).union(newPolicy.keys).sorted() { pulje("policy \(key)", oldPolicy[key], newPolicy[key]) }
    let (old, new) = (Self.parties(was), Self.parties(now))
    for herID in Set(old.keys).union(new.keys).sorted() { self.lines += Self.lines(herID, old[herID], new[herID]) }
    self.lines += Self.lines("obstacle", was.obstacles.map(Self.words), now.obstacles.map(Self.words))
    self.lines += Self.lines("by hand", was.manualSteps.map(Self.words), now.manualSteps.map(Self.words))
  }

  /// For a person, the first of them when there are many.
  public var words: String {
    let shown = self.lines.prefix(20).map { "\n  \($0)" }.joined()
    return self.lines.count > 20 ? shown + "\n  and \(self.lines.count - 20) more" : shown
  }

  private struct Party {
    var member: Plan.Member
    var group: GroupID
    var wave: Int?
  }

  private static func parties(_ plan: Plan) -> [HerID: Party] {
    var waves: [GroupID: Int] = [:]
    for (index, groups) in (plan.waves ?? []).enumerated() { for group in groups { waves[group] = index + 1 } }
    let parties = plan.groups.flatMap { group in
      group.members.map { ($0.herID, Party(member: $0, group: group.id, wave: waves[group.id])) }
    }
    return Dictionary(parties, uniquingKeysWith: { first, _ in first })
  }

  private static func lines(_ herID: HerID, _ old: Party?, _ new: Party?) -> [Line] {
    guard let old, let new else {
      let there = "in the plan, \((old ?? new)?.member.before.name ?? "")"
      return [Line(herID: herID, what: "the party", was: old.map { _ in there }, now: new.map { _ in there })]
    }
    var lines: [Line] = []
    func line(_ what: String, _ was: String?, _ now: String?) {
      if was != now { lines.append(Line(herID: herID, what: what, was: was, now: now)) }
    }
    for difference in EntryDifference.between(old.member.before, new.member.before) {
      line("entry, \(difference.field)", difference.was, difference.now)
    }
    for difference in EntryDifference.between(old.member.after, new.member.after) {
      line("entry when moved, \(difference.field)", difference.was, difference.now)
    }
    line("vendor", old.member.vendor, new.member.vendor)
    line("start confirmed", String(old.member.startConfirmed), String(new.member.startConfirmed))
    line("written", String(old.member.isWritten), String(new.member.isWritten))
    line("group", old.group.description, new.group.description)
    line("wave", old.wave.map { "\($0)" }, new.wave.map { "\($0)" })
    return lines
  }

  /// What stands in one list and not in the other.
  private static func lines(_ what: String, _ old: [String], _ new: [String]) -> [Line] {
    let (before, after) = (Set(old), Set(new))
    return old.filter { !after.contains($0) }.map { Line(herID: nil, what: what, was: $0, now: nil) }
      + new.filter { !before.contains($0) }.map { Line(herID: nil, what: what, was: nil, now: $0) }
  }

  private static func words(_ obstacle: Obstacle) -> String { "\(obstacle.stableCode) \(obstacle.seen)" }

  private static func words(_ step: Plan.ManualStep) -> String {
    "\(step.vendor) (\(step.herIDs.map(\.description).joined(separator: ", "))): \(step.what)"
  }

  /// Every value of the policy by its name, as it is written.
  private static func values(_ policy: Policy) -> [String: String] {
    guard let data = try? CanonicalJSON.encode(policy),
      let object = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
    else { return [:] }
    return object.mapValues { value in
      let data = try? JSONSerialization.data(withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys])
      return data.map { String(decoding: $0, as: UTF8.self) } ?? "?"
    }
  }
}
