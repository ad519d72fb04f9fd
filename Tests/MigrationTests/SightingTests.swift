// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

/// What lies on a queue, by metadata: when it is looked for, what is made of it, and who is named.
@Suite("Looks at the messages themselves")
struct SightingTests {
  static let queue = QueueAddress(host: "sb.test.example", path: "NHN", queue: "200_async")

  /// In DRAINING, on a source bus that shows its messages, or on one that does not.
  static func walk(browses: Bool = true, _ phase: GroupPhase = .draining) -> GroupWalk {
    let walk = GroupWalk.standing(in: phase)
    walk.context.sourceDialect = browses ? .azureServiceBus : .rabbitMQ3
    walk.context.targetDialect = browses ? .rabbitMQ4AddressV2 : .azureServiceBus
    return walk
  }

  static func message(_ from: Int32?, _ came: Instant?, _ change: (inout MessageSighting) -> Void = { _ in }) -> MessageSighting {
    var message = MessageSighting(state: .active, sequenceNumber: 7, messageID: "m")
    message.fromHerID = from.map(Fixture.herID)
    message.enqueuedAt = came?.milliseconds
    change(&message)
    return message
  }

  static func sighted(_ messages: [MessageSighting], isWhole: Bool = true) -> GroupInput {
    .sighted([QueueSightings(queue: Self.queue, sightings: messages, isWhole: isWhole)])
  }

  private func isPeek(_ walk: GroupWalk) -> Bool { walk.group.next(in: walk.context, now: walk.now) == .act(.peek) }

  @Test("at once when something new lies there, and then once in a while; never on a bus that does not show it, nor for nothing")
  func due() {
    let walk = Self.walk()
    #expect(!self.isPeek(walk))
    walk.send(.looked(Fixture.look(depth: 1)))
    #expect(self.isPeek(walk))
    let blind = Self.walk(browses: false)
    blind.send(.looked(Fixture.look(depth: 1)))
    #expect(!self.isPeek(blind))
    walk.send(Self.sighted([Self.message(900, nil)]))
    #expect(!self.isPeek(walk))
    for look in 1...12 {
      walk.now = walk.now + walk.policy.lookInterval
      walk.send(.looked(Fixture.look(depth: 1)))
      #expect(self.isPeek(walk) == (look == 12), "\(look)")
    }
    walk.send(.looked(Fixture.look()))
    #expect(!self.isPeek(walk))
    walk.send(.looked(Fixture.look(depth: 1)))
    #expect(self.isPeek(walk))
    let dead = Self.walk()
    dead.send(.looked(Fixture.look(deadLetters: 3)))
    #expect(self.isPeek(dead))
  }

  @Test("the errand asks for the filled queues of the bus being left; what it is not shown it says so of")
  func errand() {
    let walk = Self.walk()
    walk.send(.looked(Fixture.look(depth: 1, deadLetters: 2)))
    var errand = Errand(.peek, group: walk.group, plan: Fixture.plan([200]), settings: EngineSettings())
    let queues = [GroupQueue(address: Self.queue, kind: .asynchronous)]
    let dead = GroupQueue(address: QueueAddress(host: "sb.test.example", path: "NHN", queue: "200_dl"), kind: .deadLetter)
    #expect(errand.begin() == .call(.peek(queues: queues + [dead], bus: Fixture.source.name)))
    let found = [QueueSightings(queue: Self.queue, sightings: [Self.message(900, nil)], isWhole: true)]
    #expect(errand.take(.sighted(found), at: walk.now, fraction: 0) == .bring(.sighted(found)))
    let nothing = (queues + [dead]).map { QueueSightings(queue: $0.address, sightings: [], isWhole: false) }
    #expect(errand.take(.noAnswer(within: .minutes(1)), at: walk.now, fraction: 0) == .bring(.sighted(nothing)))
  }

  @Test("a bounded number is kept; queues of others are passed over")
  func bounded() {
    let walk = Self.walk()
    let many = (0..<80).map { _ in Self.message(900, nil) }
    walk.send(Self.sighted(many))
    #expect(
      walk.group.drain.sighted.first?.sightings.count == QueueSightings.most && walk.group.drain.sighted.first?.isWhole == false)
    let other = QueueAddress(host: "sb.test.example", path: "NHN", queue: "999_async")
    let outcome = walk.send(.sighted([QueueSightings(queue: other, sightings: [], isWhole: true)]))
    #expect(outcome.refusal?.code == .nothingDue)
    walk.send(.looked(Fixture.look(depth: 1)))
    #expect(!walk.group.drain.sighted.isEmpty)
    walk.send(.looked(Fixture.look()))
    #expect(walk.group.drain.sighted.isEmpty)
  }

  @Test("how long copies of the address live is seen from what still comes, up to what is lawful; the quiet grows with it")
  func caches() throws {
    let walk = Self.walk()
    let watermark = try #require(walk.group.drain.watermark)
    let day = TimeSpan.hours(24)
    #expect(walk.policy.quietNeeded(seen: nil) == day && walk.policy.quietNeeded(seen: .hours(23)) == day)
    #expect(walk.policy.quietNeeded(seen: .hours(24)) == .milliseconds(day.milliseconds + 6 * 60_000))
    walk.send(Self.sighted([Self.message(900, watermark + .minutes(5))]))
    #expect(walk.group.drain.longestCacheSeen == nil && walk.group.drain.senders.isEmpty)
    walk.send(Self.sighted([Self.message(900, watermark + .hours(30)), Self.message(901, watermark + .hours(3))]))
    #expect(walk.group.drain.longestCacheSeen == .hours(30))
    #expect(walk.group.drain.senders.map(\.herID.value) == [900, 901])
    walk.send(Self.sighted([Self.message(900, watermark + .hours(48) + .minutes(5) + .milliseconds(1))]))
    #expect(walk.group.drain.longestCacheSeen == .hours(30))
    #expect(walk.group.drain.senders[0].suspectedAt != nil && walk.group.drain.senders[1].suspectedAt == nil)
    var declared = Policy()
    declared.declaredCaches = [DeclaredCache(vendor: "Alfa", life: .hours(40)), DeclaredCache(life: .hours(2))]
    #expect(declared.longestDeclaredCache == .hours(40))
    #expect(declared.quietNeeded(seen: .hours(41)) == .milliseconds(TimeSpan.hours(41).milliseconds + 360_000))
    #expect(declared.lawfulLateness == .milliseconds(2 * (TimeSpan.hours(40).milliseconds + 360_000)))
    declared.workdayInQuiet = false
    #expect(declared.quietEnd(since: Fixture.start) == Fixture.start + .hours(40) + .minutes(6))
    var short = Policy()
    short.quietPeriod = .hours(1)
    // A quiet of a day or more holds a working day, however it came to be so long.
    #expect(short.quietEnd(since: Fixture.start) == Fixture.start + .hours(1))
    short.declaredCaches = [DeclaredCache(life: .hours(24))]
    let friday = Instant(milliseconds: 1_770_400_800_000)
    #expect(short.quietEnd(since: friday) > friday + .hours(48))
  }

  @Test("a sender is blamed only when the entries were read after the suspicion, and it still came after that")
  func conviction() throws {
    let walk = Self.walk()
    let watermark = try #require(walk.group.drain.watermark)
    let late = watermark + .hours(49)
    walk.now = late
    walk.send(Self.sighted([Self.message(900, late)]))
    #expect(!walk.group.allRecordsProven)
    #expect(walk.group.drain.senders[0].suspectedAt == late.milliseconds)
    // Not read yet.
    walk.now = late + .minutes(10)
    walk.send(Self.sighted([Self.message(900, late + .minutes(9))]))
    #expect(!walk.group.drain.senders[0].isConvicted)
    walk.send(.readBack(walk.read(Fixture.herID(200)), retryAt: walk.retryAt))
    // What came before they were read may be the register's own doing.
    walk.now = late + .minutes(20)
    walk.send(Self.sighted([Self.message(900, late + .minutes(10))]))
    #expect(!walk.group.drain.senders[0].isConvicted && walk.group.allRecordsProven)
    walk.send(Self.sighted([Self.message(900, late + .minutes(11)), Self.message(901, late + .minutes(11))]))
    #expect(walk.group.drain.senders.map(\.isConvicted) == [true, false])
  }

  @Test("scheduled, deferred and dead messages blame nobody, and so does one without sender or time")
  func blameless() throws {
    let walk = Self.walk()
    let late = try #require(walk.group.drain.watermark) + .days(9)
    for state in [MessageSighting.State.deferred, .scheduled, .deadLettered] {
      walk.send(Self.sighted([Self.message(900, late) { $0.state = state }]))
    }
    walk.send(Self.sighted([Self.message(nil, late), Self.message(900, nil)]))
    #expect(walk.group.drain.senders.isEmpty)
    walk.send(Self.sighted([Self.message(900, late) { $0.state = .locked }]))
    #expect(walk.group.drain.senders.count == 1)
  }

  @Test("of very many senders the last are kept")
  func manySenders() throws {
    let walk = Self.walk()
    let watermark = try #require(walk.group.drain.watermark)
    for number in 0..<70 {
      walk.send(Self.sighted([Self.message(Int32(1_000 + number), watermark + .minutes(10 + Int64(number)))]))
    }
    #expect(walk.group.drain.senders.count == DrainLedger.sendersKept)
    #expect(walk.group.drain.senders.map(\.herID.value).min() == 1_006)
  }
}

/// People answer for a sender or a queue.
@Suite("Exceptions by name")
struct NamedExceptionTests {
  static func exception(
    _ what: DrainException.What = .queue(SightingTests.queue), by: [String] = ["Kari", "Ola"], why: String = "known",
    until: Instant
  ) -> GroupInput {
    .except(DrainException(by: by, what: what, why: why, until: until))
  }

  @Test("it takes as many people as a step forward does, a reason, an end to come, and something that is being left")
  func guards() {
    let walk = SightingTests.walk()
    let later = walk.now + .days(1)
    #expect(walk.send(Self.exception(by: ["Kari"], until: later)).refusal?.code == .tooFewApprovals)
    #expect(walk.send(Self.exception(why: "", until: later)).refusal?.code == .nobodyNamed)
    #expect(walk.send(Self.exception(until: walk.now)).refusal?.code == .untilPassed)
    let other = QueueAddress(host: "tb.test.example", path: "NHN", queue: "200_async")
    #expect(walk.send(Self.exception(.queue(other), until: later)).refusal?.code == .unknownParty)
    #expect(walk.send(Self.exception(until: later)).refusal == nil)
    #expect(walk.send(Self.exception(.sender(Fixture.herID(900)), until: later)).refusal == nil)
    let blind = SightingTests.walk(browses: false)
    #expect(blind.send(Self.exception(.sender(Fixture.herID(900)), until: later)).refusal?.code == .exceptionNotShown)
    blind.context.sourceDialect = nil
    #expect(blind.send(Self.exception(.sender(Fixture.herID(900)), until: later)).refusal?.code == .exceptionNotShown)
    let back = SightingTests.walk(.backDraining)
    var look = Fixture.look()
    look[0].address = other
    back.send(.looked(look))
    #expect(back.send(Self.exception(.queue(other), by: ["Kari"], until: back.now + .days(1))).refusal == nil)
    let early = SightingTests.walk(.verified)
    #expect(early.send(Self.exception(until: early.now + .days(1))).refusal?.code == .notInThisPhase)
  }

  @Test("what people answer for keeps nobody from DRAINED, and counts again when the time is over; the rest counts all the while")
  func queue() {
    let walk = SightingTests.walk()
    walk.send(.looked(Fixture.look(depth: 3)))
    walk.send(Self.exception(until: walk.now + .days(3)))
    func look(_ readings: [QueueReading], for span: TimeSpan) {
      let end = walk.now + span
      while walk.now < end {
        walk.now = walk.now + walk.policy.lookInterval
        walk.send(.looked(readings))
      }
    }
    look(Fixture.look(depth: 3), for: .hours(48))
    #expect(walk.group.phase == .drained)
    #expect(walk.group.drain.liveExceptions(now: walk.now).count == 1)
    walk.send(.advance)
    look(Fixture.look(depth: 2), for: .hours(23))
    #expect(walk.group.phase == .observing)
    look(Fixture.look(depth: 2), for: .hours(2))
    #expect(walk.group.phase == .draining && walk.group.drain.liveExceptions(now: walk.now).isEmpty)
    let other = SightingTests.walk()
    other.send(Self.exception(until: other.now + .days(9)))
    var readings = Fixture.look()
    readings[2].count = .counted(depth: 1, arrivals: nil, consumers: 1)
    other.send(.looked(readings))
    #expect(other.group.drain.shortcoming(now: other.now, policy: other.policy) == .messagesLeft)
  }

  @Test("dead letters and counted arrivals of a queue that people answer for count as little; those of others do")
  func deadLetters() {
    var ledger = DrainLedger()
    ledger.take(Fixture.look(arrivals: 7, deadLetters: 0), at: Fixture.start, longestGap: .hours(1))
    let dead = QueueAddress(host: "sb.test.example", path: "NHN", queue: "200_dl")
    let later = Fixture.start + .days(1)
    func except(_ queue: QueueAddress) {
      ledger.namedExceptions = [DrainException(by: ["Kari"], what: .queue(queue), why: "x", until: later)]
    }
    except(dead)
    #expect(!ledger.findsSomething(Fixture.look(arrivals: 7, deadLetters: 4), now: Fixture.start))
    #expect(ledger.findsSomething(Fixture.look(arrivals: 7, deadLetters: 4), now: later))
    var look = Fixture.look(arrivals: 7, deadLetters: 0)
    look[0].count = .counted(depth: 0, arrivals: 8, consumers: 1)
    #expect(ledger.findsSomething(look, now: Fixture.start))
    except(SightingTests.queue)
    #expect(!ledger.findsSomething(look, now: Fixture.start))
    look[0].count = .counted(depth: 0, arrivals: 7, consumers: 1, figures: QueueFigures(deadLettered: 1))
    #expect(!ledger.findsSomething(look, now: Fixture.start))
    ledger.namedExceptions = []
    #expect(ledger.findsSomething(look, now: Fixture.start))
  }

  @Test("the source queues of a retired party are not given up while an exception runs, nor before a whole quiet after it")
  func retirement() {
    let walk = GroupWalk.standing(in: .accepted)
    let end = walk.now + .days(2)
    walk.group.apply(
      .excepted(exception: DrainException(by: ["Kari", "Ola"], what: .queue(SightingTests.queue), why: "x", until: end)),
      at: walk.now,
      policy: walk.policy)
    walk.lookOn(for: .hours(47))
    #expect(walk.send(.retire(by: ["Kari", "Ola"])).refusal?.code == .gateInconclusive)
    walk.lookOn(for: .hours(20))
    #expect(walk.send(.retire(by: ["Kari", "Ola"])).refusal?.code == .gateInconclusive)
    walk.lookOn(for: .days(4))
    #expect(walk.send(.retire(by: ["Kari", "Ola"])).refusal == nil)
  }

  @Test("whose messages they are is looked for before the drain begins anew; the watch goes on when they are the named sender's")
  func sender() {
    let walk = SightingTests.walk(.observing)
    let since = walk.group.watchSince
    walk.send(Self.exception(.sender(Fixture.herID(900)), until: walk.now + .days(9)))
    let quiet = walk.group.drain.quietSince
    func look(_ depth: Int64) -> [String] {
      walk.now = walk.now + .minutes(1)
      return walk.send(.looked(Fixture.look(depth: depth))).events.map(\.kind)
    }
    #expect(look(1) == ["looked"])
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.peek))
    walk.send(SightingTests.sighted([SightingTests.message(900, nil)]))
    #expect(walk.group.phase == .observing && walk.group.watchSince == since && walk.group.drain.quietSince == quiet)
    #expect(look(1) == ["looked"])
    #expect(look(2) == ["looked"])
    let other = walk.send(SightingTests.sighted([SightingTests.message(900, nil), SightingTests.message(901, nil)]))
    #expect(other.events.map(\.kind) == ["sighted", "late-arrival"])
    #expect(walk.group.phase == .draining)
  }

  @Test("when it could not be looked at, nothing is known of it; when there is more than was looked at, the drain begins anew")
  func notSeen() {
    func seen(_ input: GroupInput) -> GroupWalk {
      let walk = SightingTests.walk(.observing)
      walk.send(Self.exception(.sender(Fixture.herID(900)), until: walk.now + .days(99)))
      walk.now = walk.now + .minutes(1)
      walk.send(.looked(Fixture.look(depth: 1)))
      #expect(walk.group.drain.shortcoming(now: walk.now, policy: walk.policy) == .sendersNotSeen)
      walk.send(input)
      return walk
    }
    #expect(seen(SightingTests.sighted([SightingTests.message(900, nil)], isWhole: false)).group.phase == .draining)
    let dark = seen(SightingTests.sighted([], isWhole: false))
    #expect(dark.group.phase == .observing && dark.group.drain.quietSince == nil)
    #expect(dark.group.drain.shortcoming(now: dark.now, policy: dark.policy) == .sendersNotSeen)
    // Nobody accepts on it.
    dark.now = (dark.group.watchSince ?? dark.now) + dark.policy.watchPeriod
    dark.send(.looked(Fixture.look(depth: 1)))
    dark.send(SightingTests.sighted([], isWhole: false))
    #expect(dark.send(.accept(by: ["Kari", "Ola"])).refusal?.code == .gateInconclusive)
    // And without an exception nobody waits for a closer look.
    let walk = SightingTests.walk(.observing)
    walk.now = walk.now + .minutes(1)
    #expect(walk.send(.looked(Fixture.look(depth: 1))).events.map(\.kind) == ["looked", "late-arrival"])
  }
}

/// An exception answers for what people had before them, and for nothing that came in its place.
@Suite("What an exception covers")
struct ExceptionCoverTests {
  private static func reading(
    _ depth: Int64, arrivals: Int64? = nil, consumers: Int64? = 1, _ figures: QueueFigures? = nil
  ) -> QueueReading {
    QueueReading(
      address: SightingTests.queue, kind: .asynchronous,
      count: .counted(depth: depth, arrivals: arrivals, consumers: consumers, figures: figures))
  }

  @Test("so many messages and dead letters, so many arrivals, and what receivers hold or not: more, or another count, ends it")
  func exceeded() throws {
    let cover = DrainException.Cover(messages: 3, deadLetters: 2, arrivals: 9)
    func words(_ reading: QueueReading, _ cover: DrainException.Cover = cover) -> String? { cover.exceeded(by: reading) }
    #expect(words(Self.reading(3, arrivals: 9, QueueFigures(deadLettered: 2))) == nil)
    #expect(words(Self.reading(0)) == nil)
    #expect(words(Self.reading(4))?.contains("4 messages lie there, it was made for 3") == true)
    #expect(words(Self.reading(3, QueueFigures(active: 3, locked: 1)))?.contains("4 messages") == true)
    #expect(words(Self.reading(3, QueueFigures(deadLettered: 2, transferDeadLettered: 1)))?.contains("3 dead letters") == true)
    #expect(words(Self.reading(3, arrivals: 11))?.contains("2 messages have come since") == true)
    #expect(words(Self.reading(3, arrivals: 8))?.contains("count anew") == true)
    #expect(words(Self.reading(3, arrivals: 11), DrainException.Cover(messages: 3)) == nil)
    let waiting = Self.reading(3, QueueFigures(active: 3))
    #expect(words(waiting)?.contains("what it holds is not counted") == true)
    #expect(words(waiting, DrainException.Cover(messages: 3, held: true)) == nil)
    var dark = Self.reading(9)
    dark.count = .unreadable("x")
    #expect(words(dark) == nil && DrainException.Cover(dark) == nil)
    let made = try #require(
      DrainException.Cover(Self.reading(1, arrivals: 4, QueueFigures(active: 1, locked: 1, deadLettered: 5))))
    #expect(made == DrainException.Cover(messages: 2, deadLetters: 5, arrivals: 4))
    #expect(try #require(DrainException.Cover(waiting)).held)
  }

  @Test("the last look before it is signed says what it covers; without one nobody can answer")
  func bound() {
    let walk = SightingTests.walk()
    walk.send(.looked(Fixture.look(depth: 3)))
    walk.send(NamedExceptionTests.exception(until: walk.now + .days(3)))
    #expect(walk.group.drain.namedExceptions.last?.covers == DrainException.Cover(messages: 3))
    walk.send(NamedExceptionTests.exception(.sender(Fixture.herID(900)), until: walk.now + .days(3)))
    #expect(walk.group.drain.namedExceptions.last?.covers == nil)
    var dark = Fixture.look()
    dark[0].count = .unreadable("time-out")
    walk.send(.looked(dark))
    let refusal = walk.send(NamedExceptionTests.exception(until: walk.now + .days(3))).refusal
    #expect(refusal?.code == .exceptionUnbound)
  }

  @Test("it ends at the look that shows more, with words, is told once, and stays ended")
  func ends() {
    let walk = SightingTests.walk()
    walk.send(.looked(Fixture.look(depth: 3)))
    walk.send(NamedExceptionTests.exception(until: walk.now + .days(3)))
    func look(_ depth: Int64) {
      walk.now = walk.now + walk.policy.lookInterval
      walk.send(.looked(Fixture.look(depth: depth)))
    }
    look(3)
    #expect(walk.group.drain.quietSince == walk.now && walk.group.drain.endedExceptions.isEmpty)
    look(4)
    let ended = walk.group.drain.namedExceptions.first
    #expect(ended?.until == walk.now && ended?.exceeded == "4 messages lie there, it was made for 3")
    #expect(walk.group.drain.endedExceptions == [ended].compactMap { $0 })
    #expect(walk.group.drain.shortcoming(now: walk.now, policy: walk.policy) == .messagesLeft)
    look(3)
    #expect(walk.group.drain.endedExceptions.isEmpty && walk.group.drain.liveExceptions(now: walk.now).isEmpty)
    #expect(walk.group.drain.shortcoming(now: walk.now, policy: walk.policy) == .messagesLeft)
  }

  @Test("one from before that was kept answers for whatever lies there, as it was signed")
  func earlier() {
    let walk = SightingTests.walk()
    let exception = DrainException(by: ["Kari", "Ola"], what: .queue(SightingTests.queue), why: "x", until: walk.now + .days(3))
    walk.group.apply(.excepted(exception: exception), at: walk.now, policy: walk.policy)
    walk.now = walk.now + walk.policy.lookInterval
    let looks = walk.group.drain.quietLooks
    walk.send(.looked(Fixture.look(depth: 7)))
    #expect(walk.group.drain.quietLooks == looks + 1 && walk.group.drain.liveExceptions(now: walk.now).count == 1)
  }

  @Test("a sender's messages are looked at after each look that counts any: what was seen before shows nothing of now")
  func eachLook() {
    let walk = SightingTests.walk()
    walk.send(NamedExceptionTests.exception(.sender(Fixture.herID(900)), until: walk.now + .days(9)))
    func look(_ depth: Int64, _ messages: [MessageSighting]?) {
      walk.now = walk.now + walk.policy.lookInterval
      walk.send(.looked(Fixture.look(depth: depth)))
      guard let messages else { return }
      #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.peek))
      walk.send(SightingTests.sighted(messages))
    }
    let his = SightingTests.message(900, nil)
    let (since, looks) = (walk.group.drain.quietSince, walk.group.drain.quietLooks)
    #expect(since != nil)
    look(1, [his])
    #expect(walk.group.drain.quietSince == since && walk.group.drain.quietLooks == looks + 1)
    look(1, [his])
    #expect(walk.group.drain.quietSince == since && walk.group.drain.quietLooks == looks + 2)
    #expect(walk.group.drain.longestGap == walk.policy.lookInterval && walk.group.drain.lateArrivals == 0)
    // Not looked at: whose it was nobody will know. The quiet begins with the next one that is.
    look(1, nil)
    #expect(walk.group.drain.quietSince == nil)
    look(1, [his])
    #expect(walk.group.drain.quietSince == walk.now && walk.group.drain.quietLooks == 1)
    // Another's: and when it has gone and his lies there still, the old quiet does not come back.
    look(1, [SightingTests.message(901, nil)])
    #expect(walk.group.drain.quietSince == nil && walk.group.drain.lateArrivals == 1)
    look(1, [his])
    #expect(walk.group.drain.quietSince == walk.now && walk.group.drain.quietLooks == 1)
    // Looked at, and then the clock is set back: that look came before.
    walk.now = walk.now + .hours(-1)
    walk.send(.looked(Fixture.look(depth: 1)))
    #expect(walk.group.drain.shortcoming(now: walk.now, policy: walk.policy) == .sendersNotSeen)
  }

  @Test("what only the closer look shows to be drained is drained then")
  func drained() {
    let walk = SightingTests.walk()
    walk.send(NamedExceptionTests.exception(.sender(Fixture.herID(900)), until: walk.now + .days(30)))
    for _ in 0..<2_000 where walk.group.phase == .draining {
      walk.now = walk.now + walk.policy.lookInterval
      #expect(walk.send(.looked(Fixture.look(depth: 1))).events.map(\.kind) == ["looked"])
      walk.send(SightingTests.sighted([SightingTests.message(900, nil)]))
    }
    #expect(walk.group.phase == .drained)
    #expect(walk.events.suffix(2).map(\.kind) == ["sighted", "drained"])
  }
}

/// People are told once when an exception has ended.
@Suite("The end of an exception")
struct ExceptionEndTests {
  @Test("it is told at the first look after its end, and at no other")
  func once() {
    var ledger = DrainLedger()
    let end = Fixture.start + .minutes(10)
    let exception = DrainException(by: ["Kari"], what: .queue(SightingTests.queue), why: "x", until: end)
    ledger.namedExceptions = [exception]
    for (minute, told) in [(5, false), (9, false), (10, true), (11, false), (20, false)] as [(Int64, Bool)] {
      ledger.take(Fixture.look(), at: Fixture.start + .minutes(minute), longestGap: .hours(1))
      #expect(ledger.endedExceptions == (told ? [exception] : []), "\(minute)")
    }
  }
}
