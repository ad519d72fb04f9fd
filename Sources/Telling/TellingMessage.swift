// SPDX-License-Identifier: Apache-2.0

import Migration

/// One thing that people are told: what began or ended, what it means, what to do, and where to look. The form is stable; times are
/// milliseconds since 1970 UTC.
public struct TellingMessage: Sendable, Hashable, Codable, Identifiable {
  public var schema = "bus-migrator/telling/1"
  /// The same however often it is sent: a receiver that has it already may throw it away.
  public var id: String
  /// Test, qa, production: as the configuration names it.
  public var environment: String?
  /// `began` or `ended`.
  public var kind: ConditionBook.Change.Kind
  public var code: String
  public var weight: StandingCondition.Weight
  public var pulje: PuljeName?
  public var groups: [GroupID]
  public var since: Instant
  public var ended: Instant?
  public var seen: String
  public var meaning: String
  public var next: String
  /// Where it can be looked at; nil where no dashboard's address is configured.
  public var link: String?

  public init(_ change: ConditionBook.Change, environment: String?, dashboard: String?) {
    let entry = CodeBook.entry(change.code)
    self.id = change.id
    self.environment = environment
    self.kind = change.kind
    self.code = change.code
    self.weight = change.weight
    self.pulje = change.pulje
    self.groups = change.groups
    self.since = change.since
    self.ended = change.ended
    self.seen = change.seen
    self.meaning = entry?.meaning ?? ""
    self.next = entry?.next ?? ""
    self.link = dashboard.map { base in
      var place = change.pulje.map { ["pulje=\($0.text)"] } ?? []
      place.append("code=\(change.code)")
      if change.groups.count == 1 { place.append("group=\(change.groups[0].lowest)") }
      return (base.hasSuffix("/") ? base : base + "/") + "#" + place.joined(separator: "&")
    }
  }

  /// Whom it is about, in a few words.
  public var about: String {
    let pulje = self.pulje.map { "pulje \($0)" } ?? "all puljer"
    switch self.groups.count {
    case 0: return pulje
    case 1: return "\(pulje), \(self.groups[0])"
    default: return "\(pulje), \(self.groups.count) groups"
    }
  }

  /// The first line of all that a person reads.
  public var headline: String {
    let environment = self.environment.map { "[\($0)] " } ?? ""
    switch self.kind {
    case .began: return "\(environment)\(self.code) \(self.about): \(self.weight == .person ? "somebody is needed" : "begun")"
    case .ended: return "\(environment)\(self.code) \(self.about): over"
    }
  }

  /// The whole of it, for a person.
  public var text: String {
    var lines = [self.headline, "", "What:    \(self.seen)", "Since:   \(self.since)"]
    if let ended { lines.append("Until:   \(ended)") }
    if self.groups.count > 1 {
      let shown = self.groups.prefix(20).map(\.description).joined(separator: ", ")
      lines.append("Groups:  \(shown)\(self.groups.count > 20 ? " and \(self.groups.count - 20) more" : "")")
    }
    if self.kind == .began {
      if !self.meaning.isEmpty { lines.append("Means:   \(self.meaning)") }
      if !self.next.isEmpty { lines.append("Do:      \(self.next)") }
    }
    if let link { lines.append("Look at: \(link)") }
    lines.append("Code:    bus-migrator explain \(self.code)")
    return lines.joined(separator: "\n") + "\n"
  }
}
