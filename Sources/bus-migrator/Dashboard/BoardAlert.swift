// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// What people are told of as one (``StandingConditions/subjects``), as the board shows it.
struct BoardAlert: Sendable, Hashable, Codable {
  /// ``StandingCondition/Subject/id``: a message's link names the same.
  var id: String
  var pulje: PuljeName?
  /// A stable code, as docs/error-codes.md has them.
  var code: String
  var weight: StandingCondition.Weight
  /// Since when the first of them stands.
  var since: Instant
  /// Groups that it is about; 0 for the whole pulje or the whole line.
  var count: Int
  /// The first few of them; each group's own line says what stands with it.
  var groups: [GroupID]
  /// In words, as a message has them.
  var seen: String
  var endedAt: Instant?

  static let groupsNamed = 5

  init(_ standing: StandingConditions.Standing) {
    self.id = standing.subject.id
    self.pulje = standing.subject.pulje
    self.code = standing.subject.code
    self.weight = standing.weight
    self.since = standing.since
    self.count = standing.groups.count
    self.groups = Array(standing.groups.prefix(Self.groupsNamed))
    self.seen = standing.seen
  }
}
