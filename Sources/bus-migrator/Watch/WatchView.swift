// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// What a watch shows at one moment, of people's screens and in JSON: `watch --json` writes one a line. Worst first.
struct WatchView: Codable, Sendable, Hashable {
  /// How far groups have come, each counted once.
  enum Stage: String, Codable, Sendable, Hashable, CaseIterable {
    /// Decided on, or waiting for nothing but that.
    case ready
    /// Drained, and watched.
    case watched
    /// Moved and answering; the bus that was left is being emptied.
    case emptying
    /// The entry is changed, or may be; no ping was answered yet.
    case cut
    case ahead
    /// On the way back, back, or taken out.
    case back
    /// Held, quarantined or in conflict.
    case held
  }

  struct Part: Codable, Sendable, Hashable {
    /// From 1; nil for the whole pulje.
    var wave: Int?
    var groups: Int
    var stages: [String: Int]
    var outlook: WatchOutlook
  }

  struct Attention: Codable, Sendable, Hashable {
    var code: String
    /// Groups that it is about; 0 for the whole pulje or line.
    var groups: Int
    /// The first few of the parties.
    var herIDs: [HerID]
    var weight: StandingCondition.Weight
    /// In words, as a message has them.
    var seen: String
  }

  struct Pulje: Codable, Sendable, Hashable {
    var name: PuljeName
    var phase: PuljePhase
    var source: BusName
    var target: BusName
    var paused: Note?
    var whole: Part
    /// Empty for a pulje without waves.
    var waves: [Part]
    /// The wave that may be cut over, from 1.
    var openWave: Int?
    var attention: [Attention]
  }

  var schema = "bus-migrator/watch/1"
  var now: Instant
  /// False: the daemon does not answer any more, and this is what it last told.
  var isLive: Bool
  /// Stop-the-line; nil while the line runs.
  var stop: Note?
  var puljer: [Pulje]

  /// - Parameter paces: by pulje, as measured.
  init(_ picture: WatchPicture, paces: [PuljeName: TimeSpan], isLive: Bool, now: Instant) {
    self.now = now
    self.isLive = isLive
    self.stop = picture.line.stop
    self.puljer = picture.puljer.map { pulje in
      let told = pulje.told
      let pace = WatchOutlook.Pace(
        quietPeriod: told.quietPeriod, watchPeriod: told.watchPeriod, lookInterval: told.lookInterval,
        hasWindows: told.hasWindows, perGroup: paces[told.name])
      let waves = (told.waves ?? []).indices.map { index in
        Self.part(pulje.groups.filter { $0.wave == index + 1 }, wave: index + 1, pace, now: now)
      }
      return Pulje(
        name: told.name, phase: told.phase, source: told.source, target: told.target, paused: told.paused,
        whole: Self.part(pulje.groups, wave: nil, pace, now: now), waves: waves, openWave: told.openWave,
        attention: Self.attention(picture.alerts.filter { $0.pulje == told.name }, pulje))
    }
    // In the order of their sealing where they are as bad as each other.
    self.puljer = self.puljer.enumerated().sorted {
      (Self.rank($0.element), $0.offset) < (Self.rank($1.element), $1.offset)
    }.map(\.element)
  }

  private static func rank(_ pulje: Pulje) -> Int { WatchOutlook.Kind.allCases.firstIndex(of: pulje.whole.outlook.kind) ?? 0 }

  private static func part(_ groups: [WatchPicture.Group], wave: Int?, _ pace: WatchOutlook.Pace, now: Instant) -> Part {
    var stages = Dictionary(uniqueKeysWithValues: Stage.allCases.map { ($0.rawValue, 0) })
    for group in groups { stages[Self.stage(group.glance).rawValue, default: 0] += 1 }
    return Part(wave: wave, groups: groups.count, stages: stages, outlook: WatchOutlook(of: groups, pace: pace, now: now))
  }

  static func stage(_ glance: GroupGlance) -> Stage {
    if glance.hold != nil || glance.isQuarantined { return .held }
    if glance.wait == .decision { return .ready }
    return switch glance.phase {
    case .conflict: .held
    case .known, .planned, .ready, .armed: .ahead
    case .cutIntent, .cutUnknown, .cutApplied: .cut
    case .verified, .draining: .emptying
    case .drained, .observing: .watched
    case .accepted, .retired, .removed: .ready
    case .backIntent, .backUnknown, .backApplied, .backVerified, .backDraining, .backDrained, .restored, .withdrawn: .back
    }
  }

  private static func attention(_ alerts: [BoardAlert], _ pulje: WatchPicture.Pulje) -> [Attention] {
    alerts.enumerated().sorted { ($1.element.weight, $0.offset) < ($0.element.weight, $1.offset) }.map(\.element).map { alert in
      let herIDs = alert.groups.flatMap { id in pulje.places[id].map { pulje.groups[$0].herIDs } ?? [] }
      return Attention(
        code: alert.code, groups: alert.count, herIDs: Array(herIDs.prefix(BoardAlert.groupsNamed)), weight: alert.weight,
        seen: alert.seen)
    }
  }

  /// What is looked at to say whether something has changed: times that only go on are left out.
  var gist: WatchView {
    var gist = self
    gist.now = Instant(milliseconds: 0)
    func still(_ part: inout Part) { (part.outlook.from, part.outlook.to) = (nil, nil) }
    for place in gist.puljer.indices {
      still(&gist.puljer[place].whole)
      for wave in gist.puljer[place].waves.indices { still(&gist.puljer[place].waves[wave]) }
    }
    return gist
  }
}
