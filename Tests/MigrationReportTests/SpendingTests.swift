// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration
@testable import MigrationReport
@testable import MigrationSimulation

@Suite("Working, waiting for time, waiting for a person: one definition")
struct SpendingTests {
  /// What the daemon's metrics count: looks at the state every so often, with nothing but the state.
  private static func watched(_ history: History, every span: TimeSpan) -> (TimeSpent, looks: Int) {
    var state = MigrationState()
    var book: SpendingBook?
    var looks = 0
    func look(at now: Instant) {
      guard let pulje = state.puljer[history.pulje] else { return }
      looks += 1
      guard book != nil else { return book = SpendingBook(pulje, stop: state.stop, now: now) }
      book?.look(pulje, stop: state.stop, now: now)
    }
    var at: Instant?
    for row in history.rows {
      while let last = at, last + span < row.at {
        at = last + span
        look(at: last + span)
      }
      let isApplied = state.apply(row.event, at: row.at)
      #expect(isApplied)
      at = row.at
      look(at: row.at)
    }
    while let last = at, last + span < history.now {
      at = last + span
      look(at: last + span)
    }
    look(at: history.now)
    return (book?.spent ?? TimeSpent(), looks)
  }

  @Test("what metrics count by looking is what the report works out of events, but for a look at each turn")
  func agree() throws {
    var history = try History()
    history.happens(.puljeSealed(plan: history.plan, by: "Kari"))
    history.happens(.puljeStarted(pulje: history.pulje, approvals: ["Kari", "Ola"]), after: .hours(3))
    try history.isCutOver(200)
    try history.isReached(200)
    history.happens(.puljePaused(pulje: history.pulje, by: "Ola", why: "lunch"), after: .minutes(1))
    history.happens(.puljeResumed(pulje: history.pulje, by: "Ola"), after: .minutes(30))
    try history.isCutOver(300)
    try history.isReached(300)
    try history.drains(200)
    try history.drains(300)
    try history.isWatched([200, 300], for: .days(15))
    let facts = try history.facts().times
    let (watched, looks) = Self.watched(history, every: .seconds(30))
    #expect(looks > 10_000)
    #expect(watched.working + watched.time + watched.person == facts.working + facts.waiting + facts.person)
    let turns = Int64(history.rows.count) * 30_000
    #expect(abs(watched.person - facts.person) <= turns, "\(watched.person) and \(facts.person)")
    #expect(abs(watched.working - facts.working) <= turns, "\(watched.working) and \(facts.working)")
    #expect(facts.person > TimeSpan.days(1).milliseconds)
  }

  @Test("a step counts as work for a minute; after that it waits for its turn, however often it is looked at")
  func longStep() throws {
    var history = try History([(200, "Bakken")])
    history.isSealedAndStarted()
    let begun = try history.facts().times
    history.now = history.now + .hours(1)
    let facts = try history.facts().times
    #expect(facts.working - begun.working == 60_000)
    #expect(facts.waiting - begun.waiting == TimeSpan.minutes(59).milliseconds)
    let (watched, _) = Self.watched(history, every: .seconds(20))
    #expect(watched.working == facts.working && watched.time == facts.waiting && watched.person == facts.person)
  }

  @Test("a clock that is set back counts for nothing")
  func setBack() throws {
    var history = try History([(200, "Bakken")])
    history.happens(.puljeSealed(plan: history.plan, by: "Kari"))
    var state = MigrationState()
    for row in history.rows {
      let isApplied = state.apply(row.event, at: row.at)
      #expect(isApplied)
    }
    let pulje = try #require(state.puljer[history.pulje])
    var book = SpendingBook(pulje, stop: nil, now: history.now)
    book.look(pulje, stop: nil, now: history.now + .seconds(10))
    book.look(pulje, stop: nil, now: history.now + .seconds(5))
    book.look(pulje, stop: nil, now: history.now + .seconds(7))
    #expect(book.spent.person == 12_000 && book.spent.working == 0 && book.spent.time == 0)
  }
}
