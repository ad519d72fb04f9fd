// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration

/// What the daemon has told of all puljer, folded from its events: `GET /v1/live`.
struct WatchPicture: Sendable {
  struct Group: Sendable, Hashable {
    var wave: Int?
    var herIDs: [HerID]
    /// How it stands. While somebody only looks, how it stood before: what comes of the look is told after it.
    private(set) var glance: GroupGlance

    init(wave: Int?, herIDs: [HerID], glance: GroupGlance) {
      self.wave = wave
      self.herIDs = herIDs
      self.glance = glance
    }

    private static let looking: Set<String> = ["look", "measure", "peek"]

    mutating func take(_ glance: GroupGlance) {
      let isSame = glance.phase == self.glance.phase && glance.since == self.glance.since
      if isSame, self.glance.wait != nil, let doing = glance.doing, Self.looking.contains(doing) { return }
      self.glance = glance
    }
  }

  struct Pulje: Sendable, Hashable {
    var told: BoardPicture.Pulje
    /// In the order of the plan.
    var groups: [Group]
    /// Groups by their name, as places in ``groups``.
    var places: [GroupID: Int]
  }

  private struct Board: Decodable {
    struct Line: Decodable {
      struct Party: Decodable { var herID: HerID }

      var pulje: PuljeName
      var id: GroupID
      var wave: Int?
      var parties: [Party]
      var glance: GroupGlance

      enum Key: String, CodingKey { case pulje, id, wave, parties }

      init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        self.pulje = try fields.decode(PuljeName.self, forKey: .pulje)
        self.id = try fields.decode(GroupID.self, forKey: .id)
        self.wave = try fields.decodeIfPresent(Int.self, forKey: .wave)
        self.parties = try fields.decode([Party].self, forKey: .parties)
        self.glance = try GroupGlance(from: decoder)
      }
    }

    var sequence: Int64
    var line: BoardPicture.Line
    var puljer: [BoardPicture.Pulje]
    var alerts: [BoardAlert]
    var groups: [Line]
  }

  private struct Place: Decodable {
    var pulje: PuljeName
    var id: GroupID
  }

  /// The last event that is known here.
  private(set) var sequence: Int64?
  private(set) var line = BoardPicture.Line(stop: nil, closedBuses: [:])
  private(set) var puljer: [Pulje] = []
  private(set) var alerts: [BoardAlert] = []

  /// Takes in what was told. What this program does not know is passed over: a later daemon may tell more.
  ///
  /// - Throws: what cannot be read; then the picture is to be begun anew.
  mutating func take(_ name: String, id: Int64?, _ data: [UInt8]) throws {
    let decoder = JSONDecoder()
    let data = Data(data)
    switch name {
    case "board": try self.begin(decoder.decode(Board.self, from: data))
    case "line": self.line = try decoder.decode(BoardPicture.Line.self, from: data)
    case "pulje":
      let told = try decoder.decode(BoardPicture.Pulje.self, from: data)
      if let place = self.puljer.firstIndex(where: { $0.told.name == told.name }) { self.puljer[place].told = told }
    case "group":
      let where_ = try decoder.decode(Place.self, from: data)
      let glance = try decoder.decode(GroupGlance.self, from: data)
      guard let pulje = self.puljer.firstIndex(where: { $0.told.name == where_.pulje }),
        let place = self.puljer[pulje].places[where_.id]
      else { break }
      self.puljer[pulje].groups[place].take(glance)
    case "alert":
      let alert = try decoder.decode(BoardAlert.self, from: data)
      self.alerts.removeAll { $0.id == alert.id }
      if alert.endedAt == nil { self.alerts.append(alert) }
    default: break
    }
    if let id { self.sequence = id }
  }

  private mutating func begin(_ board: Board) {
    self.sequence = board.sequence
    self.line = board.line
    self.alerts = board.alerts
    var groups: [PuljeName: [Board.Line]] = [:]
    for line in board.groups { groups[line.pulje, default: []].append(line) }
    self.puljer = board.puljer.map { told in
      let lines = groups[told.name] ?? []
      return Pulje(
        told: told,
        groups: lines.map { Group(wave: $0.wave, herIDs: $0.parties.map(\.herID), glance: $0.glance) },
        places: Dictionary(lines.enumerated().map { ($0.element.id, $0.offset) }) { first, _ in first })
    }
  }
}
