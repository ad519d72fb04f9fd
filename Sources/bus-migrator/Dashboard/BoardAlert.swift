// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Something that a person must see to: one for a pulje and a code, however many groups it is about.
struct BoardAlert: Sendable, Hashable, Codable {
  /// The same while it stands.
  var id: String
  var pulje: PuljeName?
  /// A stable code, as docs/error-codes.md has them; `decision` and the like go by their wait's code.
  var code: String
  /// Since when the first of them stands.
  var since: Instant
  /// Groups that it is about; 0 for the whole pulje or the whole line.
  var count: Int
  /// The first few of them.
  var groups: [GroupID]
  /// What somebody wrote; nil where nobody did.
  var note: Note?
  var endedAt: Instant?

  static let groupsNamed = 5

  /// All that stand, the worst first: what stops everything, then what may lose mail or the way back, then what waits.
  static func all(line: BoardPicture.Line, puljer: [BoardPicture.Pulje], groups: [PuljeName: [BoardPicture.Group]])
    -> [BoardAlert]
  {
    var alerts: [BoardAlert] = []
    if let stop = line.stop {
      alerts.append(Self.whole(WaitReason.Code.lineStopped.rawValue, nil, since: stop.at, note: stop))
    }
    for pulje in puljer {
      if let paused = pulje.paused {
        alerts.append(Self.whole(WaitReason.Code.paused.rawValue, pulje.name, since: paused.at, note: paused))
      }
      alerts += Self.ofGroups(groups[pulje.name] ?? [], in: pulje)
    }
    return alerts.sorted { (Self.rank($0.code), $0.since, $0.id) < (Self.rank($1.code), $1.since, $1.id) }
  }

  private static func whole(_ code: String, _ pulje: PuljeName?, since: Instant, note: Note?) -> BoardAlert {
    BoardAlert(id: "\(pulje?.text ?? "")/\(code)", pulje: pulje, code: code, since: since, count: 0, groups: [], note: note)
  }

  private static func ofGroups(_ groups: [BoardPicture.Group], in pulje: BoardPicture.Pulje) -> [BoardAlert] {
    var found: [String: BoardAlert] = [:]
    func note(_ code: String, _ group: GroupID, since: Instant) {
      var alert = found[code] ?? Self.whole(code, pulje.name, since: since, note: nil)
      alert.since = min(alert.since, since)
      alert.count += 1
      if alert.groups.count < Self.groupsNamed { alert.groups.append(group) }
      found[code] = alert
    }
    for group in groups {
      let glance = group.glance
      if glance.hasStaleSender { note(StaleSender.code, group.id, since: glance.since) }
      if glance.hasStayingShovel { note(StandingShovel.stayingCode, group.id, since: glance.since) }
      if glance.light == .red, let reason = glance.reasons.first(where: \.closesTheWay) {
        note(reason.rawValue, group.id, since: glance.since)
      }
      guard glance.turn == .person, let wait = glance.wait else { continue }
      // What is said of the whole pulje, or of the whole line, is said once. The tail is no hurry: nobody is kept back by it.
      if wait == .paused || wait == .lineStopped || wait == .tail { continue }
      if wait == .held, let hold = glance.hold {
        note(hold.rawValue, group.id, since: glance.waitSince ?? glance.since)
      } else {
        note(wait.rawValue, group.id, since: glance.waitSince ?? glance.since)
      }
    }
    return found.values.sorted { $0.id < $1.id }
  }

  private static let urgent = [
    WaitReason.Code.lineStopped.rawValue, WaitReason.Code.conflict.rawValue, WaitReason.Code.conflictElsewhere.rawValue,
    WayBack.Reason.Code.queueGone.rawValue, WayBack.Reason.Code.recordNotHeld.rawValue, Hold.Code.queueMissing.rawValue,
    StandingShovel.stayingCode, StaleSender.code,
  ]

  private static func rank(_ code: String) -> Int { Self.urgent.firstIndex(of: code) ?? Self.urgent.count }
}

extension WayBack.Reason.Code {
  /// Whether with it there is no way back at all.
  fileprivate var closesTheWay: Bool {
    switch self {
    case .refused, .queueGone, .recordNotHeld: true
    default: false
    }
  }
}
