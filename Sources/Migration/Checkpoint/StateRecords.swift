// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Takes the state's records one by one.
package protocol StateRecordWriting {
  mutating func write(_ record: some Encodable) throws
}

/// Gives the records back in the order in which they were written.
package protocol StateRecordReading {
  mutating func read<Record: Decodable>(_ type: Record.Type) throws -> Record
}

/// What a history folds to, as a row of records: one for the whole, one for each pulje and one for each of its groups. Small ones, so
/// that neither the writer nor the reader ever holds the whole of it twice.
///
/// The parties' entries stand in their groups alone: the plan's groups are made of them again, and share what they hold.
extension MigrationState {
  /// The version of what a history folds to, and of the records' form. Raised whenever a history that was folded by the program
  /// before could come out otherwise now: a state that was kept then is not taken over.
  public static let foldVersion = 8

  private struct Whole: Codable {
    struct ClosedBus: Codable {
      var bus: BusName
      var note: Note
    }

    var starts: Int
    var environment: String?
    var stop: Note?
    var closedBuses: [ClosedBus]
    var puljer: Int
    var commands: CommandBook
  }

  package func write(to records: inout some StateRecordWriting) throws {
    let puljer = self.ordered
    let closed = self.closedBuses.sorted { $0.key < $1.key }.map { Whole.ClosedBus(bus: $0.key, note: $0.value) }
    try records.write(
      Whole(
        starts: self.starts, environment: self.environment, stop: self.stop, closedBuses: closed, puljer: puljer.count,
        commands: self.commands))
    for pulje in puljer { try pulje.write(to: &records) }
  }

  /// - Throws: what `records` throws, and ``StateRecordFault`` where they do not hang together.
  package init(from records: inout some StateRecordReading) throws {
    let whole = try records.read(Whole.self)
    self.init()
    self.starts = whole.starts
    self.environment = whole.environment
    self.stop = whole.stop
    self.commands = whole.commands
    for closed in whole.closedBuses { self.closedBuses[closed.bus] = closed.note }
    for _ in 0..<whole.puljer {
      let pulje = try PuljeState(from: &records)
      guard self.puljer.updateValue(pulje, forKey: pulje.name) == nil else { throw StateRecordFault.twice(pulje.name.text) }
    }
  }
}

package enum StateRecordFault: Error {
  /// Two puljer, or two groups of one, have the same name.
  case twice(String)
}

extension PuljeState {
  private struct Record: Codable {
    /// Without its groups.
    var plan: Plan
    var planHash: String
    var sealedBy: String
    var sealedAt: Instant
    var approvals: [String]
    var startedAt: Instant?
    var pause: Note?
    var groups: Int
  }

  fileprivate func write(to records: inout some StateRecordWriting) throws {
    // Of two groups with one name the second has no state, and would be lost.
    guard self.plan.groups.count == self.groups.count else { throw StateRecordFault.twice(self.name.text) }
    var plan = self.plan
    plan.groups = []
    try records.write(
      Record(
        plan: plan, planHash: self.planHash, sealedBy: self.sealedBy, sealedAt: self.sealedAt, approvals: self.approvals,
        startedAt: self.startedAt, pause: self.pause, groups: self.groups.count))
    for group in self.groups { try records.write(group) }
  }

  fileprivate init(from records: inout some StateRecordReading) throws {
    let record = try records.read(Record.self)
    var groups: [GroupState] = []
    for _ in 0..<record.groups { groups.append(try records.read(GroupState.self)) }
    var plan = record.plan
    plan.groups = groups.map { Plan.Group(id: $0.id, members: $0.members.map(\.plan)) }
    let list = GroupList(groups)
    guard list.count == groups.count else { throw StateRecordFault.twice(plan.name.text) }
    self.init(plan: plan, planHash: record.planHash, by: record.sealedBy, at: record.sealedAt, groups: list)
    self.approvals = record.approvals
    self.startedAt = record.startedAt
    self.pause = record.pause
  }
}
