// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationEngine

/// Everything that a board shows, at one event of the history. A value: of two of them ``changes(since:)`` tells what is to be told.
struct BoardPicture: Sendable, Hashable {
  /// What is said of all puljer together.
  struct Line: Sendable, Hashable, Codable {
    /// Stop-the-line; nil while the line runs.
    var stop: Note?
    /// Buses that were closed for good, by name.
    var closedBuses: [String: Note]
  }

  struct Pulje: Sendable, Hashable, Codable {
    var name: PuljeName
    var phase: PuljePhase
    var source: BusName
    var target: BusName
    var planHash: String
    var sealedBy: String
    var sealedAt: Instant
    var startedAt: Instant?
    var approvals: [String]
    /// How many different people a step forward takes.
    var approvalsNeeded: Int
    var paused: Note?
    /// Parties of each wave, the first one first; nil for a pulje without waves.
    var waves: [Int]?
    /// The wave that may be cut over, from 1.
    var openWave: Int?
    /// What lay on each bus at the last looks, in all.
    var depths: [Depth]
    /// Late messages by class and sender: the most first.
    var late: [GroupGlance.Late]
    /// What the policy says of times, for those who say how long it may take.
    var quietPeriod: TimeSpan
    var watchPeriod: TimeSpan
    var lookInterval: TimeSpan
    /// Groups are cut over in windows only.
    var hasWindows: Bool
  }

  struct Depth: Sendable, Hashable, Codable {
    var bus: BusName
    var at: Instant
    /// nil: nothing could be read.
    var count: Int64?
  }

  /// What stays as it was sealed.
  struct GroupPlan: Sendable, Hashable, Codable {
    struct Party: Sendable, Hashable, Codable {
      var herID: HerID
      var name: String
      var vendor: String
    }

    var wave: Int?
    var parties: [Party]
  }

  struct Group: Sendable, Hashable {
    var id: GroupID
    var plan: GroupPlan
    var glance: GroupGlance
  }

  /// The last event that it knows of.
  var sequence: Int64
  var now: Instant
  var line: Line
  /// In order of their sealing.
  var puljer: [Pulje]
  /// By pulje, each in the order of its plan.
  var groups: [PuljeName: [Group]]
  var alerts: [BoardAlert]

  /// What has changed since `earlier`: what to tell somebody who knows that one. Nil where it is told by a whole picture only, since there are
  /// other puljer or groups.
  ///
  /// - Parameter places: of groups that may differ; nil for all.
  func changes(since earlier: BoardPicture, places: [PuljeName: [Int]]? = nil) -> [BoardChange]? {
    guard self.puljer.map(\.name) == earlier.puljer.map(\.name) else { return nil }
    var changes: [BoardChange] = []
    if self.line != earlier.line { changes.append(.line(self.line)) }
    for (now, before) in zip(self.puljer, earlier.puljer) where now != before { changes.append(.pulje(now)) }
    for pulje in self.puljer.map(\.name) {
      guard let now = self.groups[pulje], let before = earlier.groups[pulje], now.count == before.count else { return nil }
      let asked = places.map { $0[pulje] ?? [] } ?? Array(now.indices)
      for place in asked where now[place].glance != before[place].glance {
        changes.append(.group(pulje: pulje, now[place].id, now[place].glance))
      }
    }
    let ended = earlier.alerts.filter { alert in !self.alerts.contains { $0.id == alert.id } }
    for alert in self.alerts where !earlier.alerts.contains(alert) { changes.append(.alert(alert)) }
    for alert in ended {
      var alert = alert
      alert.endedAt = self.now
      changes.append(.alert(alert))
    }
    return changes
  }
}

/// What is told of a change. Each says how it is now, not what is added: told twice it is the same.
enum BoardChange: Sendable, Hashable {
  case line(BoardPicture.Line)
  case pulje(BoardPicture.Pulje)
  case group(pulje: PuljeName, GroupID, GroupGlance)
  case alert(BoardAlert)

  var event: String {
    switch self {
    case .line: "line"
    case .pulje: "pulje"
    case .group: "group"
    case .alert: "alert"
    }
  }
}
