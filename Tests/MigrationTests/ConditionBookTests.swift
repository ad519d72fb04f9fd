// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("One alert when a condition starts, one when it ends")
struct ConditionBookTests {
  private let start = Instant(milliseconds: 1_000_000)

  private func condition(_ group: Int32?, _ weight: StandingCondition.Weight = .alarm, code: String = "MIG-413")
    -> StandingCondition
  {
    StandingCondition(
      .init(code: code, pulje: Fixture.name_("pulje-1"), group: group.map { GroupID(Fixture.herID($0)) }), weight: weight,
      since: self.start,
      seen: "seen")
  }

  @Test("an alarm is told at once, once, and its end once it has been gone for a minute")
  func alarm() {
    var book = ConditionBook()
    #expect(book.observe(.init(conditions: [self.condition(1)]), now: self.start).map(\.kind) == [.began])
    #expect(book.observe(.init(conditions: [self.condition(1)]), now: self.start + .hours(1)) == [])
    #expect(book.observe(.init(), now: self.start + .hours(2)) == [])
    #expect(book.nextDue == self.start + .hours(2) + .minutes(1))
    let ended = book.observe(.init(), now: self.start + .hours(2) + .minutes(1))
    #expect(ended.map(\.kind) == [.ended])
    #expect(ended.first?.ended == self.start + .hours(2))
    #expect(ended.first?.since == self.start)
    #expect(book.entries.isEmpty && book.nextDue == nil)
  }

  @Test("what clears itself is told when it has lasted; what goes before is told to nobody")
  func settling() {
    var book = ConditionBook()
    #expect(book.observe(.init(conditions: [self.condition(1, .person)]), now: self.start) == [])
    #expect(book.nextDue == self.start + .minutes(1))
    #expect(book.observe(.init(), now: self.start + .seconds(30)) == [])
    #expect(book.entries.isEmpty)
    let seen = self.start + .minutes(2)
    _ = book.observe(.init(conditions: [self.condition(1, .person), self.condition(2, .warning)]), now: seen)
    #expect(
      book.observe(.init(conditions: [self.condition(1, .person), self.condition(2, .warning)]), now: seen + .minutes(1)).map(
        \.weight) == [.person])
    // While it is looked again nobody knows: it lasts.
    let group = GroupID(Fixture.herID(2))
    let acting = StandingConditions(
      conditions: [self.condition(1, .person)], acting: [.init(code: "", pulje: Fixture.name_("pulje-1"), group: group)])
    #expect(book.observe(acting, now: seen + .minutes(10)) == [])
    let told = book.observe(
      .init(conditions: [self.condition(1, .person), self.condition(2, .warning)]), now: seen + .minutes(30))
    #expect(told.map(\.groups) == [[group]])
    #expect(told.first?.since == seen)
  }

  @Test("gone for a moment, as after a restart when all is proven anew, is not gone")
  func flicker() {
    var book = ConditionBook()
    _ = book.observe(.init(conditions: [self.condition(1)]), now: self.start)
    #expect(book.observe(.init(), now: self.start + .seconds(10)) == [])
    var again = self.condition(1)
    again.since = self.start + .seconds(20)
    #expect(book.observe(.init(conditions: [again]), now: self.start + .seconds(20)) == [])
    #expect(book.nextDue == nil)
    _ = book.observe(.init(), now: self.start + .hours(1))
    #expect(book.observe(.init(), now: self.start + .hours(1) + .minutes(1)).first?.since == self.start)
  }

  @Test("kept and read again it knows what was told")
  func restarted() {
    var book = ConditionBook()
    _ = book.observe(.init(conditions: [self.condition(1)]), now: self.start)
    var again = ConditionBook(entries: Array(book.entries.values))
    #expect(again == book)
    #expect(again.observe(.init(conditions: [self.condition(1)]), now: self.start + .hours(1)) == [])
  }

  @Test("what befalls two hundred groups at once is one alert that names them all")
  func many() {
    var book = ConditionBook()
    let told = book.observe(.init(conditions: (1...200).map { self.condition($0) }), now: self.start)
    #expect(told.count == 1)
    #expect(told.first?.groups.count == 200)
    #expect(told.first?.seen == "seen (and 199 more groups)")
    // One of them ends alone.
    _ = book.observe(.init(conditions: (2...200).map { self.condition($0) }), now: self.start + .hours(1))
    let ended = book.observe(.init(conditions: (2...200).map { self.condition($0) }), now: self.start + .hours(1) + .minutes(1))
    #expect(ended.map(\.groups) == [[GroupID(Fixture.herID(1))]])
  }

  @Test("an id is the same for the same change and no other's")
  func identities() {
    func told(_ groups: ClosedRange<Int32>, at now: Instant) -> ConditionBook.Change? {
      var book = ConditionBook()
      return book.observe(.init(conditions: groups.map { self.condition($0) }), now: now).first
    }
    #expect(told(1...2, at: self.start)?.id == told(1...2, at: self.start)?.id)
    #expect(told(1...2, at: self.start)?.id != told(1...3, at: self.start)?.id)
    #expect(told(1...2, at: self.start)?.id != told(1...2, at: self.start + .seconds(1))?.id)
    var book = ConditionBook()
    let began = book.observe(.init(conditions: [self.condition(1)]), now: self.start)
    _ = book.observe(.init(), now: self.start + .hours(1))
    let ended = book.observe(.init(), now: self.start + .hours(2))
    #expect(began.first?.id != ended.first?.id)
  }

  @Test(
    "whatever comes and goes: a beginning before each end, an end for each beginning, and in the end nothing is left standing",
    arguments: 0..<40)
  func anything(seed: Int) {
    var random = SplitMix(seed: UInt64(seed))
    var book = ConditionBook()
    var now = self.start
    var open: Set<StandingCondition.Key> = []
    func take(_ changes: [ConditionBook.Change]) {
      for change in changes {
        for group in change.groups {
          let key = StandingCondition.Key(code: change.code, pulje: change.pulje, group: group)
          if change.kind == .began {
            #expect(open.insert(key).inserted, "told twice")
          } else {
            #expect(open.remove(key) != nil, "an end without a beginning")
          }
        }
      }
    }
    for _ in 0..<200 {
      let weights = StandingCondition.Weight.allCases
      let standing = (1...6).filter { _ in Bool.random(using: &random) }.map { group in
        self.condition(Int32(group), weights[group % weights.count])
      }
      take(book.observe(.init(conditions: standing), now: now))
      if Bool.random(using: &random) { book = ConditionBook(entries: Array(book.entries.values)) }
      now = now + .seconds(Int64.random(in: 0...90, using: &random))
    }
    _ = book.observe(.init(), now: now).map { take([$0]) }
    take(book.observe(.init(), now: now + .minutes(5)))
    #expect(open.isEmpty && book.entries.isEmpty)
  }
}
