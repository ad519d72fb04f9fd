// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusModel
import Foundation
import Migration
import MigrationStore
import TjenestebussTesting

/// `rehearsal board-history`: a history of thousands of parties under way, in every state that a board has to show, for its tests and measurements.
///
/// Every event is the core's own: the same errands and decisions that the engine plays, against a world in which some parties do not answer, some
/// queues do not empty, and somebody else has changed an entry; appended through the product's store.
struct BoardHistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "board-history", abstract: "Writes a history of thousands of parties under way.", shouldDisplay: false)

  @Option(help: "The database that is made.")
  var database: String

  @Option(help: "How many parties, about: no family is split.")
  var parties = 5_000

  @Option(help: "What the first party calls itself.")
  var name: String?

  static let source = Bus(name: "sb", dialect: .serviceBusWindowsServer, hosts: ["sb.test.nhn.no"], path: "DigitalDialog")
  static let target = Bus(name: "tb", dialect: .rabbitMQ4AddressV2, hosts: ["tb.test.nhn.no"], path: "NHNTESTServiceBus")

  func run() async throws {
    let records = self.records()
    var policy = Policy()
    policy.gates = Gates()
    var request = PuljeRequest(
      name: try Self.named("pulje-1"), source: Self.source.name, target: Self.target.name,
      parties: records.filter { $0.addresses.contains { $0.queueKind != nil } }.enumerated().map { place, record in
        PuljeRequest.Party(herID: record.herID, vendor: "Leverandør \(place / 100 % 12)", listens: .both)
      }, policy: policy)
    request.waves = [1, 5, 20, 100, 1_000]
    let plan = Planner(buses: [Self.source, Self.target], records: records).plan(request)
    guard plan.isClear else { throw ValidationError("the plan has obstacles: \(plan.obstacles.prefix(3).map(\.seen))") }
    // Begun some hours ago, so that there is something behind it.
    let begun = Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)) + .hours(-6)
    let store = try await SQLiteEventStore.open(path: self.database, at: begun)
    _ = try await store.load()
    var play = BoardPlay(plan: plan, world: BoardWorld(records), now: begun)
    let head = try await play.carryOut { try await store.append($0, at: $1, actor: "daemon") }
    try await store.keepCheckpoint(play.state, at: head)
    await store.close()
    let counts =
      (play.state.puljer[plan.name]?.groups ?? nil)?.reduce(into: [:]) { $0[$1.phase.rawValue, default: 0] += 1 } ?? [:]
    print("\(plan.herIDs.count) parties in \(plan.groups.count) groups, \(head.sequence) events: \(counts)")
  }

  private func records() -> [PartyRecord] {
    // The register has parties without queues, too.
    var records: [PartyRecord] = []
    var movable = 0
    for var record in RegisterPopulation(count: self.parties * 2, movedPercent: 0).records() {
      if movable >= self.parties, record.parent == nil { break }
      (record.active, record.valid, record.futureAddresses) = (true, true, [])
      let isMovable = record.addresses.contains { $0.queueKind != nil }
      if let name, isMovable, movable == 0 { record.name = name }
      movable += isMovable ? 1 : 0
      records.append(record)
    }
    return records
  }

  private static func named(_ text: String) throws -> PuljeName {
    guard let name = PuljeName(text) else { throw ValidationError("\(text) is no pulje's name") }
    return name
  }
}
