// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Something that did not go by itself, from when to when. What happened to several groups alike and at once is one incident of all of them.
public struct Incident: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    case hold
    case conflict
    case pingFailed = "ping-failed"
    case unknownOutcome = "unknown-outcome"
    case refusedWrite = "refused-write"
    case overwrote
    case readFailed = "read-failed"
    case countersUnreadable = "counters-unreadable"
    case lateArrival = "late-arrival"
    case staleSender = "stale-sender"
    case forwarderStopped = "forwarder-stopped"
    case shovelStays = "shovel-stays"
    case quarantine
    case hookRefused = "hook-refused"
    case paused
    case lineStopped = "line-stopped"
    case daemonStarted = "daemon-started"

    /// Whether it has no length: it happened, and that is all.
    public var isMoment: Bool {
      switch self {
      case .lateArrival, .daemonStarted, .refusedWrite, .overwrote, .hookRefused: true
      default: false
      }
    }
  }

  public var kind: Kind
  /// The stable code, where there is one.
  public var code: String?
  public var begin: Instant
  /// Nil while it lasts; equal to ``begin`` for what has no length.
  public var end: Instant?
  /// How many groups; zero for what concerns all of them.
  public var count: Int
  /// The first of them.
  public var groups: [GroupID]
  /// Of the first: what was seen, as the daemon noted it, or what a person gave as the reason.
  public var seen: String
  /// Who brought it about, where a person did.
  public var by: String?

  static let groupsNamed = 20
}

/// Incidents while they are being gathered: what is open, and what is over.
struct IncidentBook {
  struct Key: Hashable {
    var kind: Incident.Kind
    var group: GroupID?
    /// Tells several of one kind and group apart: a queue, a party, an operation.
    var detail: String = ""
  }

  private var open: [Key: Incident] = [:]
  private(set) var over: [Incident] = []

  mutating func begin(
    _ kind: Incident.Kind, _ group: GroupID?, detail: String = "", code: String? = nil, at: Instant, seen: String,
    by: String? = nil
  ) {
    let incident = Incident(
      kind: kind, code: code, begin: at, end: kind.isMoment ? at : nil, count: group == nil ? 0 : 1,
      groups: group.map { [$0] } ?? [],
      seen: seen, by: by)
    if kind.isMoment { return self.over.append(incident) }
    let key = Key(kind: kind, group: group, detail: detail)
    if let known = self.open[key] {
      // It goes on; another code is another incident.
      guard known.code != code else { return }
      self.end(kind, group, detail: detail, at: at)
    }
    self.open[key] = incident
  }

  mutating func end(_ kind: Incident.Kind, _ group: GroupID?, detail: String = "", at: Instant) {
    guard var incident = self.open.removeValue(forKey: Key(kind: kind, group: group, detail: detail)) else { return }
    incident.end = at
    self.over.append(incident)
  }

  /// All of a kind and group, whatever their detail.
  mutating func endAll(_ kind: Incident.Kind, _ group: GroupID?, at: Instant) {
    for key in self.open.keys.filter({ $0.kind == kind && $0.group == group }).sorted(by: { $0.detail < $1.detail }) {
      self.end(kind, group, detail: key.detail, at: at)
    }
  }

  /// In order of time; what is alike and fell in the same minute stands as one.
  var told: [Incident] {
    struct Alike: Hashable {
      var kind: Incident.Kind
      var code: String?
      var begin: Int64
      var end: Int64?
      var by: String?
    }
    let all = (self.over + self.open.values).sorted { one, other in
      (one.begin, one.kind.rawValue, one.groups.first?.lowest.value ?? 0, one.seen)
        < (other.begin, other.kind.rawValue, other.groups.first?.lowest.value ?? 0, other.seen)
    }
    var told: [Incident] = []
    var places: [Alike: Int] = [:]
    for incident in all {
      let alike = Alike(
        kind: incident.kind, code: incident.code, begin: incident.begin.milliseconds / 60_000,
        end: incident.end.map { $0.milliseconds / 60_000 }, by: incident.by)
      if incident.count > 0, let place = places[alike] {
        if !told[place].groups.contains(where: { $0 == incident.groups.first }) || incident.kind.isMoment {
          told[place].count += 1
        }
        if told[place].groups.count < Incident.groupsNamed, let group = incident.groups.first, !told[place].groups.contains(group)
        {
          told[place].groups.append(group)
        }
        told[place].end = incident.end.map { max($0, told[place].end ?? $0) }
      } else {
        places[alike] = told.count
        told.append(incident)
      }
    }
    return told
  }
}
