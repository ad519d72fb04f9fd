// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration
@testable import MigrationReport

@Suite("The facts of a report")
struct ReportFactsTests {
  /// Both parties are moved, reached, drained and watched to the end.
  static func whole() throws -> History {
    var history = try History()
    history.happens(.daemonStarted)
    history.isSealedAndStarted()
    for herID in [200, 300] as [Int32] {
      try history.isCutOver(herID)
      try history.isReached(herID)
      try history.drains(herID)
    }
    return history
  }

  @Test("a pulje that went well: who, when, and what it rests on")
  func well() throws {
    var history = try Self.whole()
    let watched = history.now
    history.now = history.now + .days(15)
    let facts = try history.facts()
    #expect(facts.pulje.phase == .decision)
    #expect(facts.recommendation.verdict == .accept)
    #expect(facts.counts.moved == 2 && facts.counts.parties == 2 && facts.counts.writes == 2)
    #expect(facts.pulje.approvals == ["Kari", "Ola"])
    let first = facts.groups[0]
    let started = try #require(first.cutOverStartedAt)
    #expect(first.appliedAt == started + .seconds(5))
    #expect(first.verifiedAt == started + .seconds(25))
    #expect(facts.service.unprovenMedian == 25_000)
    #expect(facts.groups.allSatisfy { $0.watchUntil.map { $0 <= history.now } ?? false })
    #expect(facts.groups.last?.watchUntil == watched + .days(14))
    #expect(facts.service.before.arrivals == 120 && facts.service.before.countedFor == 2 * 3_600_000)
    #expect(facts.service.latencies == 2 && facts.service.latencyMedian == 12)
    #expect(facts.recommendation.reasons.first { $0.name == .entriesRead }?.figures == [2, 2])
    // What was not shown is among the doubts, though all went well.
    let doubts = Set(facts.recommendation.doubts.map(\.name))
    #expect(doubts.isSuperset(of: [.noGates, .noEcho, .counters, .replyQueues]))
    #expect(!doubts.contains(.noEnvironment))
    #expect(facts.incidents.isEmpty)
  }

  @Test("working, waiting for time, waiting for a person: every second is in one of them")
  func times() throws {
    var history = try History([(200, "Bakken")])
    history.happens(.puljeSealed(plan: history.plan, by: "Kari"))
    let sealed = history.now
    history.happens(.puljeStarted(pulje: history.pulje, approvals: ["Kari", "Ola"]), after: .hours(3))
    try history.isCutOver(200)
    try history.isReached(200)
    try history.drains(200)
    try history.isWatched([200], for: .days(16))
    let facts = try history.facts()
    #expect(facts.times.working + facts.times.waiting + facts.times.person == history.now.since(sealed).milliseconds)
    // Three hours until somebody started it, and two days since its watch is over.
    #expect(facts.times.person == TimeSpan.hours(51).milliseconds)
    #expect(facts.times.working < TimeSpan.minutes(10).milliseconds)
  }

  @Test("incidents have a begin, an end and a code; what still lasts has no end")
  func incidents() throws {
    var history = try History()
    history.isSealedAndStarted()
    try history.isCutOver(200, outcome: .unknown("time-out"))
    try history.group(
      200, .pingFailed(reports: [try history.ping(200, accepted: .failed)], seen: "nobody listens", retryAt: history.now))
    let held = history.now + .seconds(10)
    try history.group(200, .held(hold: Hold(.pingFailed, seen: "3 pings failed")))
    history.happens(.daemonStarted, after: .minutes(2))
    history.happens(.puljePaused(pulje: history.pulje, by: "Ola", why: "lunch"), after: .minutes(1))
    history.happens(.puljeResumed(pulje: history.pulje, by: "Ola"), after: .minutes(30))
    history.happens(
      .commanded(
        record: CommandRecord(
          by: ["Kari"], giver: .login(uid: 1_000, name: "kari"), role: "operator", verb: "resume", pulje: history.pulje,
          herIDs: [try #require(HerID(200))], reason: "the system is up", fingerprint: "f")), after: .minutes(1))
    try history.group(200, .released(by: "Kari"))
    try history.isReached(200)
    try history.group(200, .drainBegan)
    try history.group(200, .looked(readings: history.look(200, unreadable: true)), after: .minutes(5))
    let facts = try history.facts(later: .minutes(1))
    func incident(_ kind: Incident.Kind) -> Incident? { facts.incidents.first { $0.kind == kind } }
    let unknown = try #require(incident(.unknownOutcome))
    #expect(unknown.end == unknown.begin + .seconds(3))
    let hold = try #require(incident(.hold))
    #expect(hold.code == "MIG-303" && hold.begin == held && hold.end != nil && hold.seen == "3 pings failed")
    #expect(incident(.pingFailed)?.end != nil)
    let pause = try #require(incident(.paused))
    #expect(pause.end == pause.begin + .minutes(30) && pause.by == "Ola" && pause.seen == "lunch")
    #expect(incident(.countersUnreadable)?.end == nil && incident(.countersUnreadable)?.seen == "time-out")
    #expect(incident(.daemonStarted) != nil && facts.pulje.starts == 1)
    #expect(facts.commands.map(\.verb) == ["resume"] && facts.commands.first?.giver == "uid 1000 (kari)")
    #expect(facts.commands.first?.reason == "the system is up" && facts.commands.first?.parties == 1)
    #expect(facts.incidents.map(\.begin) == facts.incidents.map(\.begin).sorted())
    #expect(facts.recommendation.verdict == .wait)
    #expect(facts.counts.failedPings == 1 && facts.counts.unknownOutcomes == 1 && facts.counts.unreadableLooks == 1)
  }

  @Test("what hits many groups alike in one minute is one incident of all of them")
  func together() throws {
    let parties = (1...50).map { (herID: Int32(1_000 + $0), name: "Party \($0)") }
    var history = try History(parties)
    history.isSealedAndStarted()
    // The minute begins anew.
    history.now = Instant(milliseconds: history.now.milliseconds / 60_000 * 60_000)
    for party in parties {
      try history.group(
        party.herID, .held(hold: Hold(.queueMissing, seen: "\(party.herID)_async is gone")), after: .milliseconds(100))
    }
    let facts = try history.facts()
    let holds = facts.incidents.filter { $0.kind == .hold }
    #expect(holds.count == 1 && holds.first?.count == 50 && holds.first?.groups.count == Incident.groupsNamed)
    #expect(facts.recommendation.verdict == .doNotRollOut)
    #expect(facts.recommendation.reasons.first { $0.name == .held }?.figures == [50, 50])
  }

  @Test("late messages: counted by looks, told apart where they could be looked at, each once")
  func late() throws {
    var history = try History([(200, "Bakken")])
    history.isSealedAndStarted()
    try history.isCutOver(200)
    try history.isReached(200)
    try history.group(200, .drainBegan)
    let queue = history.look(200)[0].address
    try history.group(200, .looked(readings: history.look(200, arrivals: 160)), after: .minutes(5))
    try history.group(200, .looked(readings: history.look(200, depth: 3, arrivals: 163)), after: .minutes(5))
    var sightings: [MessageSighting] = []
    for number in 1...3 {
      var sighting = MessageSighting(state: .active, messageID: "message-\(number)")
      sighting.fromHerID = HerID(number == 3 ? 500 : 400)
      sighting.enqueuedAt = history.now.milliseconds
      sightings.append(sighting)
    }
    try history.group(200, .sighted(queue: queue, sightings: sightings, isWhole: true))
    // Seen again, they are no more than they were.
    try history.group(200, .looked(readings: history.look(200, depth: 3, arrivals: 163)), after: .minutes(5))
    try history.group(200, .sighted(queue: queue, sightings: sightings, isWhole: true))
    let facts = try history.facts()
    #expect(facts.counts.lateMessages == 3)
    #expect(facts.late.days.map(\.counted) == [3])
    #expect(facts.late.days.first?.byClass.values.reduce(0, +) == 3)
    #expect(facts.late.senders.map(\.count) == [2, 1])
    #expect(facts.late.senders.map(\.herID?.value) == [400, 500])
  }

  @Test("a clock that was set back is told, and makes no time of its own")
  func clock() throws {
    var history = try Self.whole()
    history.now = history.now + TimeSpan(milliseconds: -3_600_000)
    try history.group(200, .looked(readings: history.look(200, arrivals: 160)))
    let facts = try history.facts()
    #expect(facts.counts.clockSteppedBack == 1)
    #expect(facts.recommendation.doubts.contains { $0.name == .clockSteppedBack })
  }

  @Test("a pulje that is over is judged as it stood: that nobody looks any more is no lack")
  func over() throws {
    var history = try Self.whole()
    history.now = history.now + .days(14)
    for _ in 0..<6 {
      for herID in [200, 300] as [Int32] { try history.group(herID, .looked(readings: history.look(herID, arrivals: 160))) }
      history.now = history.now + .minutes(30)
    }
    for herID in [200, 300] as [Int32] { try history.group(herID, .accepted(by: ["Kari", "Ola"])) }
    let facts = try history.facts(later: .days(90))
    #expect(facts.recommendation.verdict == .nothingToDecide)
    #expect(facts.groups.allSatisfy { $0.acceptedAt != nil && $0.acceptedBy == ["Kari", "Ola"] })
    #expect(facts.groups.allSatisfy { $0.drain?.result == .drained })
  }

  @Test("a roll-back: who, why, and when it was over")
  func rollBack() throws {
    var history = try Self.whole()
    try history.group(300, .rollBackStarted(by: "Kari", why: "the vendor asks"))
    let turned = history.now
    try history.group(300, .restored, after: .minutes(4))
    let facts = try history.facts()
    let group = try #require(facts.groups.last)
    #expect(group.rollBack?.by == "Kari" && group.rollBack?.at == turned && group.restoredAt == turned + .minutes(4))
    #expect(group.forwardDrain?.looks == 5)
    #expect(facts.counts.restored == 1)
    #expect(facts.recommendation.doubts.contains { $0.name == .rolledBack })
  }

  @Test("nothing happened yet: nothing is measured, and it says so")
  func nothing() throws {
    var history = try History()
    history.happens(.puljeSealed(plan: history.plan, by: "Kari"))
    let facts = try history.facts(environment: nil)
    #expect(facts.plots.sourceDepth.isEmpty && facts.plots.accepted.isEmpty && facts.late.days.isEmpty)
    #expect(facts.recommendation.verdict == .wait)
    #expect(facts.recommendation.doubts.contains { $0.name == .noEnvironment })
    let page = try ReportDocument(facts).html(.nb)
    #expect(page.contains(ReportWord.depthNone.phrase[.nb]) && page.contains(ReportWord.latencyNone.phrase[.nb]))
    #expect(!page.contains("<svg"))
  }

  @Test("spans grow coarser as a history grows, and no figure is lost")
  func buckets() {
    var buckets = TimeBuckets()
    let start = Instant(milliseconds: 1_790_841_600_000)
    for minute in 0..<Int64(20_000) { buckets.take(minute % 7, at: start + .minutes(minute)) }
    #expect(buckets.buckets.count <= TimeBuckets.capacity)
    #expect(buckets.buckets.reduce(0) { $0 + $1.count } == 20_000)
    #expect(buckets.buckets.map(\.most).max() == 6)
    // A clock that is set back finds its span, or the first one.
    buckets.take(99, at: start + .minutes(5))
    buckets.take(98, at: Instant(milliseconds: 0))
    #expect(buckets.buckets.reduce(0) { $0 + $1.count } == 20_002)
    #expect(buckets.buckets.map(\.place) == buckets.buckets.map(\.place).sorted())
  }
}
