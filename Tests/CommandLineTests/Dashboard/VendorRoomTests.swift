// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import NIOCore
import Testing

@testable import bus_migrator

@Suite("Vendors who watch")
struct VendorRoomTests {
  private static let start = Instant(milliseconds: 1_770_000_000_000)

  private func started() throws -> (state: MigrationState, plan: Plan) {
    let records = [try Stage.record(200), try Stage.record(300)]
    let request = PuljeRequest(
      name: try #require(PuljeName("pulje-1")), source: "a", target: "b",
      parties: records.map { PuljeRequest.Party(herID: $0.herID, vendor: "Alfa", listens: .both) }, policy: Policy())
    let plan = Planner(buses: Stage.buses, records: records).plan(request)
    var state = MigrationState()
    try self.carryOut(.begin(plan, planHash: nil, approvals: ["Kari", "Ola"]), on: &state)
    return (state, plan)
  }

  private func carryOut(_ input: MigrationInput, on state: inout MigrationState) throws {
    switch state.decide(input, now: Self.start) {
    case .refused(let refusal): throw refusal
    case .events(let events):
      for event in events {
        let isKnown = state.apply(event, at: Self.start)
        #expect(isKnown)
      }
    }
  }

  /// How many chunks wait for him.
  private func count(_ listener: LiveListener) async -> Int {
    listener.end()
    return await listener.chunks.reduce(0) { count, _ in count + 1 }
  }

  @Test("who comes between a change and its telling has seen it, and the one before him is told it all the same")
  func betweenChangeAndTelling() async throws {
    var (state, plan) = try self.started()
    var room = VendorRoom()
    let (first, second) = (LiveListener {}, LiveListener {})
    var isTold = room.join(1, vendor: "Alfa", first, state, now: Self.start)
    #expect(isTold)
    try self.carryOut(.quarantine(plan.name, herID: try HerID(text: "200"), by: "Kari", why: "asked"), on: &state)
    isTold = room.join(2, vendor: "Alfa", second, state, now: Self.start)
    #expect(isTold)
    for seconds in [3, 6] {
      let behind = room.tell(state, sequence: 9, beat: .minutes(1), now: Self.start + .seconds(Int64(seconds)))
      #expect(behind.isEmpty)
    }
    #expect(await self.count(first) == 2)
    #expect(await self.count(second) == 1)
  }
}
