// SPDX-License-Identifier: Apache-2.0

import BusModel
import Crypto

/// What people have been told of, so that each condition is told once when it begins and once when it ends, over restarts too.
///
/// A value: what stands goes in, what is to be told comes out. What comes and goes again while the engine looks once more is not told: a condition
/// has to last, and to be gone, for ``settling``.
public struct ConditionBook: Sendable, Hashable, Codable {
  /// A condition that began or ended, for one group or for several of one pulje at once.
  public struct Change: Sendable, Hashable, Codable, Identifiable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable { case began, ended }

    /// The same for the same change, whoever works it out again: a receiver can tell what it has been told before.
    public var id: String
    public var kind: Kind
    public var code: String
    public var pulje: PuljeName?
    /// Which groups; empty where it is the pulje's or everybody's.
    public var groups: [GroupID]
    public var weight: StandingCondition.Weight
    public var since: Instant
    /// When it was told to have ended; nil while it stands.
    public var ended: Instant?
    public var seen: String

    public var subject: StandingCondition.Subject { StandingCondition.Subject(code: self.code, pulje: self.pulje) }
  }

  public struct Entry: Sendable, Hashable, Codable {
    public var condition: StandingCondition
    /// When it was first seen to stand.
    public var seenAt: Instant
    public var toldAt: Instant?
    /// When it was first seen to be gone; nil while it stands.
    public var goneAt: Instant?
  }

  public private(set) var entries: [StandingCondition.Key: Entry]
  /// For how long a condition has to last, or to be gone, before that is told. An alarm is told at once.
  public var settling: TimeSpan
  /// For how long something that may clear itself has to last.
  public var patience: TimeSpan

  public static let usualPatience = TimeSpan.minutes(30)

  public init(entries: [Entry] = [], settling: TimeSpan = .minutes(1), patience: TimeSpan = ConditionBook.usualPatience) {
    self.entries = Dictionary(entries.map { ($0.condition.key, $0) }, uniquingKeysWith: { $1 })
    self.settling = settling
    self.patience = patience
  }

  /// Takes in all that stands now.
  ///
  /// - Returns: what is to be told, alarms first.
  public mutating func observe(_ standing: StandingConditions, now: Instant) -> [Change] {
    let present = Dictionary(standing.conditions.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
    for (key, condition) in present {
      if self.entries[key] == nil { self.entries[key] = Entry(condition: condition, seenAt: now) }
      self.entries[key]?.goneAt = nil
      // Since when it stands may move with a restart, when all is proven anew: for people it is one condition.
      let since = self.entries[key].map { min($0.condition.since, condition.since) } ?? condition.since
      self.entries[key]?.condition = condition
      // What may clear itself is told since it was first seen; its wait may be as old as the phase it is part of.
      let seenAt = self.entries[key]?.seenAt ?? now
      self.entries[key]?.condition.since = condition.weight == .warning ? seenAt : since
    }
    for key in self.entries.keys where present[key] == nil && self.entries[key]?.goneAt == nil && !standing.isOpen(key) {
      self.entries[key]?.goneAt = now
    }
    return self.told(.ended, now: now) + self.told(.began, now: now)
  }

  private mutating func told(_ kind: Change.Kind, now: Instant) -> [Change] {
    let due = self.entries.values.filter { self.due($0, kind).map { $0 <= now } ?? false }.sorted {
      $0.condition.key < $1.condition.key
    }
    var changes: [Change] = []
    for (subject, entries) in Dictionary(grouping: due, by: \.condition.key.subject) {
      changes.append(Self.change(kind, subject, entries))
      for entry in entries {
        if kind == .began { self.entries[entry.condition.key]?.toldAt = now } else { self.entries[entry.condition.key] = nil }
      }
    }
    // What went before anybody was told of it is forgotten.
    if kind == .ended {
      for (key, entry) in self.entries where entry.toldAt == nil && entry.goneAt != nil { self.entries[key] = nil }
    }
    return changes.sorted { ($1.weight, $0.subject) < ($0.weight, $1.subject) }
  }

  /// What has been told and stands, as it would be told now: for somebody who was not there to be told.
  public var standing: [Change] {
    let told = self.entries.values.filter { $0.toldAt != nil && $0.goneAt == nil }.sorted { $0.condition.key < $1.condition.key }
    return Dictionary(grouping: told, by: \.condition.key.subject).map { Self.change(.began, $0, $1) }.sorted {
      ($1.weight, $0.subject) < ($0.weight, $1.subject)
    }
  }

  private static func change(_ kind: Change.Kind, _ subject: StandingCondition.Subject, _ entries: [Entry]) -> Change {
    let first = entries[0].condition
    var change = Change(
      id: "", kind: kind, code: subject.code, pulje: subject.pulje, groups: entries.compactMap(\.condition.key.group),
      weight: entries.map(\.condition.weight).max() ?? first.weight, since: entries.map(\.condition.since).min() ?? first.since,
      ended: kind == .ended ? entries.compactMap(\.goneAt).max() : nil,
      seen: StandingConditions.seen(first.seen, of: entries.count))
    change.id = Self.identity(change, entries)
    return change
  }

  /// When the entry's beginning or end is to be told; nil when it is not, or was.
  private func due(_ entry: Entry, _ kind: Change.Kind) -> Instant? {
    switch kind {
    case .began:
      guard entry.toldAt == nil, entry.goneAt == nil else { return nil }
      switch entry.condition.weight {
      case .alarm: return entry.seenAt
      case .person: return entry.seenAt + self.settling
      case .warning: return entry.seenAt + self.patience
      }
    case .ended: return entry.toldAt == nil ? nil : entry.goneAt.map { $0 + self.settling }
    }
  }

  /// When it should be shown what stands again; nil while only news can bring something to tell.
  public var nextDue: Instant? {
    self.entries.values.flatMap { entry in Change.Kind.allCases.compactMap { self.due(entry, $0) } }.min()
  }

  private static func identity(_ change: Change, _ entries: [Entry]) -> String {
    var hash = SHA256()
    for part in [change.kind.rawValue, change.code, change.pulje?.text ?? ""] {
      hash.update(data: Array("\(part.utf8.count):\(part)".utf8))
    }
    for entry in entries {
      hash.update(data: Array("\(entry.condition.key.group.map(\.description) ?? "-")@\(entry.seenAt.milliseconds);".utf8))
    }
    return hash.finalize().prefix(16).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }
}
