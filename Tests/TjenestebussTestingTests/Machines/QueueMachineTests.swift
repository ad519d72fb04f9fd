// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TjenestebussTesting

private typealias Machine = QueueMachine<String>
private let one = Machine.Consumer(1)
private let two = Machine.Consumer(2)

/// A machine and a record of what it wanted done.
private struct Bench {
  var machine: Machine
  var handouts: [Machine.Handout] = []
  var died: [String] = []
  var lost = 0
  var drained: [Machine.Consumer] = []
  var refused: [String] = []
  var now: Int64 = 0

  init(_ rules: QueueRules = QueueRules()) { self.machine = Machine(rules) }

  mutating func put(_ content: String, timeToLive: Int64? = nil, withheld: Bool = false) {
    switch self.machine.put(content, timeToLive: timeToLive, withheld: withheld, now: self.now) {
    case .queued(let actions): self.note(actions)
    case .full: self.refused.append(content)
    }
  }

  mutating func attach(_ consumer: Machine.Consumer, credit: Int = 0, settled: Bool = false) {
    self.machine.attach(consumer, takesSettled: settled)
    if credit > 0 { self.grant(credit, to: consumer) }
  }

  mutating func grant(_ credit: Int, to consumer: Machine.Consumer, drain: Bool = false) {
    self.note(self.machine.grant(credit, to: consumer, drain: drain))
  }

  mutating func settle(_ content: String, as verdict: Machine.Verdict) throws {
    let handout = try #require(self.handouts.last { $0.content == content })
    self.note(self.machine.settle(try #require(handout.lock), as: verdict, now: self.now))
  }

  mutating func detach(_ consumer: Machine.Consumer, counts: Bool = true) {
    self.note(self.machine.detach(consumer, counts: counts, now: self.now))
  }

  mutating func pass(_ milliseconds: Int64) {
    self.now += milliseconds
    self.note(self.machine.expire(now: self.now))
  }

  mutating func resume() { self.note(self.machine.resume()) }
  mutating func releaseWithheld() { self.note(self.machine.releaseWithheld()) }

  private mutating func note(_ actions: [Machine.Action]) {
    for action in actions {
      switch action {
      case .deliver(let handout): self.handouts.append(handout)
      case .drained(let consumer): self.drained.append(consumer)
      case .lockLost: self.lost += 1
      case .died(let content, let reason, _): self.died.append("\(content) \(reason.rawValue)")
      }
    }
  }

  /// What `consumer` was handed, in order.
  func handed(_ consumer: Machine.Consumer) -> [String] { self.handouts.filter { $0.consumer == consumer }.map(\.content) }
  var handed: [String] { self.handouts.map(\.content) }
}

@Suite("A queue's messages, consumers and locks")
struct QueueMachineTests {
  @Test("messages wait in order for a consumer")
  func order() {
    var bench = Bench()
    for text in ["a", "b", "c"] { bench.put(text) }
    #expect(bench.handed == [])
    bench.attach(one, credit: 10)
    #expect(bench.handed == ["a", "b", "c"])
    #expect(bench.machine.depth == 3)
    #expect(bench.machine.lockedCount == 3)
  }

  @Test("a waiting consumer gets a message as it comes")
  func atOnce() {
    var bench = Bench()
    bench.attach(one, credit: 1)
    bench.put("a")
    bench.put("b")
    #expect(bench.handed == ["a"])
    #expect(bench.machine.credit(of: one) == 0)
  }

  @Test("no more is handed out than there is credit", arguments: [0, 1, 2, 5, 7])
  func credit(_ credit: Int) {
    var bench = Bench()
    for n in 0..<5 { bench.put("\(n)") }
    bench.attach(one, credit: credit)
    #expect(bench.handed.count == min(5, credit))
    #expect(bench.machine.credit(of: one) == max(0, credit - 5))
  }

  @Test("consumers with credit take turns")
  func turns() {
    var bench = Bench()
    bench.attach(one, credit: 10)
    bench.attach(two, credit: 10)
    for n in 0..<6 { bench.put("\(n)") }
    #expect(bench.handed(one) == ["0", "2", "4"])
    #expect(bench.handed(two) == ["1", "3", "5"])
  }

  @Test("a consumer without credit is passed over")
  func passedOver() {
    var bench = Bench()
    bench.attach(one, credit: 1)
    bench.attach(two, credit: 3)
    for n in 0..<4 { bench.put("\(n)") }
    #expect(bench.handed(one) == ["0"])
    #expect(bench.handed(two) == ["1", "2", "3"])
  }

  @Test("accepted, a message is gone")
  func consumed() throws {
    var bench = Bench()
    bench.put("a")
    bench.attach(one, credit: 1)
    try bench.settle("a", as: .consumed)
    #expect(bench.machine.depth == 0)
    #expect(bench.machine.lockedCount == 0)
    bench.detach(one)
    #expect(bench.machine.depth == 0)
  }

  @Test("released, it comes again before what came after it")
  func released() throws {
    var bench = Bench()
    for text in ["a", "b", "c"] { bench.put(text) }
    bench.attach(one, credit: 1)
    try bench.settle("a", as: .released)
    bench.grant(3, to: one)
    #expect(bench.handed == ["a", "a", "b", "c"])
  }

  @Test("whatever the order of release, messages come again in their own order")
  func releasedInAnyOrder() throws {
    for seed in UInt64(0)..<20 {
      var random = Seeded(seed)
      var bench = Bench()
      let texts = (0..<10).map(String.init)
      for text in texts { bench.put(text) }
      bench.attach(one, credit: 6)
      for text in texts.prefix(6).shuffled(using: &random) { try bench.settle(text, as: .released) }
      bench.grant(10, to: one)
      #expect(bench.handed.dropFirst(6) == texts[...])
    }
  }

  @Test("a lost consumer's messages come back in order, and counted")
  func lost() {
    var bench = Bench()
    for text in ["a", "b", "c", "d"] { bench.put(text) }
    bench.attach(one, credit: 3)
    bench.detach(one)
    #expect(bench.machine.lockedCount == 0)
    #expect(bench.machine.consumerCount == 0)
    bench.attach(two, credit: 10)
    #expect(bench.handed(two) == ["a", "b", "c", "d"])
    #expect(bench.handouts.suffix(4).map(\.deliveryCount) == [1, 1, 1, 0])
    #expect(bench.handouts.suffix(4).map(\.isFirst) == [false, false, false, true])
  }

  @Test("an orderly detach gives back without counting")
  func detached() {
    var bench = Bench()
    bench.put("a")
    bench.attach(one, credit: 1)
    bench.detach(one, counts: false)
    bench.attach(two, credit: 1)
    #expect(bench.handouts.map(\.deliveryCount) == [0, 0])
    #expect(bench.handouts.map(\.isFirst) == [true, false])
  }

  @Test("what one consumer loses goes to another that waits")
  func handedOver() {
    var bench = Bench()
    bench.attach(one, credit: 2)
    bench.put("a")
    bench.put("b")
    bench.attach(two, credit: 5)
    bench.detach(one)
    #expect(bench.handed(two) == ["a", "b"])
  }

  @Test("rejected, it dies")
  func rejected() throws {
    var bench = Bench()
    bench.put("a")
    bench.attach(one, credit: 1)
    try bench.settle("a", as: .rejected)
    #expect(bench.died == ["a rejected"])
    #expect(bench.machine.depth == 0)
  }

  @Test("modified as undeliverable, it dies; as failed, it comes again counted; as neither, uncounted")
  func modified() throws {
    var bench = Bench()
    for text in ["a", "b", "c"] { bench.put(text) }
    bench.attach(one, credit: 3)
    try bench.settle("a", as: .modified(deliveryFailed: true, undeliverableHere: true))
    try bench.settle("b", as: .modified(deliveryFailed: true, undeliverableHere: false))
    try bench.settle("c", as: .modified(deliveryFailed: false, undeliverableHere: false))
    #expect(bench.died == ["a undeliverable"])
    bench.grant(5, to: one)
    #expect(bench.handouts.suffix(2).map(\.content) == ["b", "c"])
    #expect(bench.handouts.suffix(2).map(\.deliveryCount) == [1, 0])
  }

  @Test("a lock settles once; settled again, or after its consumer was lost, it does nothing")
  func settledTwice() throws {
    var bench = Bench()
    bench.put("a")
    bench.attach(one, credit: 1)
    let lock = try #require(bench.handouts[0].lock)
    bench.detach(one)
    #expect(bench.machine.settle(lock, as: .consumed, now: 0).isEmpty)
    #expect(bench.machine.depth == 1)
    bench.attach(two, credit: 1)
    #expect(bench.machine.settle(lock, as: .rejected, now: 0).isEmpty)
    #expect(bench.machine.lockedCount == 1)
    try bench.settle("a", as: .consumed)
    #expect(bench.machine.depth == 0)
  }

  @Test("a consumer that takes settled messages leaves none behind")
  func takesSettled() {
    var bench = Bench()
    bench.put("a")
    bench.attach(one, credit: 1, settled: true)
    #expect(bench.handouts[0].lock == nil)
    #expect(bench.machine.depth == 0)
  }

  // MARK: Delivery limit

  @Test("released over the limit, it dies; the limit is the returns it survives", arguments: [0, 1, 3, 20])
  func deliveryLimit(_ limit: Int) throws {
    var bench = Bench(QueueRules(deliveryLimit: limit, released: .limit))
    bench.put("a")
    bench.attach(one, credit: 100)
    for _ in 0..<limit { try bench.settle("a", as: .released) }
    #expect(bench.died == [])
    #expect(bench.handouts.count == limit + 1)
    #expect(bench.handouts.last?.deliveryCount == 0)
    try bench.settle("a", as: .released)
    #expect(bench.died == ["a delivery_limit"])
    #expect(bench.machine.depth == 0)
  }

  @Test("where a release counts as nothing, it is released for ever")
  func noLimitForRelease() throws {
    var bench = Bench(QueueRules(deliveryLimit: 2, released: .nothing))
    bench.put("a")
    bench.attach(one, credit: 100)
    for _ in 0..<50 { try bench.settle("a", as: .released) }
    #expect(bench.died == [])
    for _ in 0..<3 { try bench.settle("a", as: .modified(deliveryFailed: true, undeliverableHere: false)) }
    #expect(bench.died == ["a delivery_limit"])
  }

  @Test("lost connections count as the rules say")
  func lostCounting() {
    for (counting, isDead) in [(ReturnCounting.nothing, false), (.limit, true), (.deliveryCount, true)] {
      var bench = Bench(QueueRules(deliveryLimit: 1, lost: counting))
      bench.put("a")
      for number in 1...2 {
        bench.attach(Machine.Consumer(number), credit: 1)
        bench.detach(Machine.Consumer(number))
      }
      #expect((bench.died == ["a delivery_limit"]) == isDead)
    }
  }

  // MARK: Time

  @Test("a message dies at its time, not before")
  func expires() {
    var bench = Bench()
    bench.put("a", timeToLive: 100)
    #expect(bench.machine.nextExpiry() == 100)
    bench.pass(99)
    #expect(bench.died == [])
    bench.pass(1)
    #expect(bench.died == ["a expired"])
    #expect(bench.machine.depth == 0)
    #expect(bench.machine.nextExpiry() == nil)
  }

  private static let shorterTimes: [(Int64?, Int64?, Int64)] = [(50, 100, 50), (100, 50, 50), (nil, 70, 70), (70, nil, 70)]

  @Test("of message and queue the shorter time counts", arguments: shorterTimes)
  func shorterTime(_ message: Int64?, _ queue: Int64?, _ expected: Int64) {
    var bench = Bench(QueueRules(timeToLive: queue))
    bench.put("a", timeToLive: message)
    #expect(bench.machine.nextExpiry() == expected)
  }

  @Test("one that dies in the middle leaves its neighbours where they are")
  func expiresInTheMiddle() {
    var bench = Bench()
    bench.put("a")
    bench.put("b", timeToLive: 10)
    bench.put("c", timeToLive: 20)
    bench.pass(10)
    bench.attach(one, credit: 10)
    #expect(bench.handed == ["a", "c"])
    #expect(bench.died == ["b expired"])
  }

  @Test("locked, it lives; given back after its time, it dies")
  func lockedOutlives() throws {
    var bench = Bench()
    bench.put("a", timeToLive: 10)
    bench.attach(one, credit: 1)
    #expect(bench.handouts[0].expiresAt == 10)
    #expect(bench.machine.nextExpiry() == nil)
    bench.pass(50)
    #expect(bench.died == [])
    try bench.settle("a", as: .released)
    #expect(bench.died == ["a expired"])
  }

  @Test("given back before its time, it still dies at its time")
  func givenBackEarly() throws {
    var bench = Bench()
    bench.put("a", timeToLive: 10)
    bench.attach(one, credit: 1)
    _ = bench.machine.nextExpiry()
    try bench.settle("a", as: .released)
    #expect(bench.machine.nextExpiry() == 10)
    bench.pass(10)
    #expect(bench.died == ["a expired"])
  }

  @Test("accepted after its time, it was consumed all the same")
  func acceptedLate() throws {
    var bench = Bench()
    bench.put("a", timeToLive: 10)
    bench.attach(one, credit: 1)
    bench.pass(50)
    try bench.settle("a", as: .consumed)
    #expect(bench.died == [])
    #expect(bench.machine.depth == 0)
  }

  // MARK: Length, drain, pause, purge, faults

  @Test("a full queue takes nothing; locked messages count")
  func full() throws {
    var bench = Bench(QueueRules(maximumLength: 2))
    for text in ["a", "b", "c"] { bench.put(text) }
    #expect(bench.refused == ["c"])
    bench.attach(one, credit: 1)
    bench.put("d")
    #expect(bench.refused == ["c", "d"])
    try bench.settle("a", as: .consumed)
    bench.put("e")
    #expect(bench.machine.depth == 2)
  }

  @Test("drain hands out what there is and gives the rest of the credit back", arguments: [0, 1, 2, 3])
  func drain(_ count: Int) {
    var bench = Bench()
    for n in 0..<count { bench.put("\(n)") }
    bench.attach(one)
    bench.grant(2, to: one, drain: true)
    #expect(bench.handed.count == min(2, count))
    #expect(bench.drained == [one])
    #expect(bench.machine.credit(of: one) == 0)
    bench.put("later")
    #expect(!bench.handed.contains("later"))
  }

  @Test("paused, nothing goes out; resumed, all does")
  func paused() {
    var bench = Bench()
    bench.attach(one, credit: 10)
    bench.machine.pause()
    bench.put("a")
    bench.put("b")
    #expect(bench.handed == [])
    #expect(bench.machine.isPaused)
    bench.resume()
    #expect(bench.handed == ["a", "b"])
  }

  @Test("a purge removes what nobody holds")
  func purge() throws {
    var bench = Bench()
    for text in ["a", "b", "c"] { bench.put(text, timeToLive: 5) }
    bench.attach(one, credit: 1)
    #expect(bench.machine.purge() == 2)
    #expect(bench.machine.depth == 1)
    try bench.settle("a", as: .released)
    bench.grant(5, to: one)
    #expect(bench.handed == ["a", "a"])
  }

  @Test("withheld, it counts and is never handed out, until it is let go")
  func withheld() {
    var bench = Bench()
    bench.put("a", withheld: true)
    bench.put("b")
    bench.attach(one, credit: 10)
    #expect(bench.handed == ["b"])
    #expect(bench.machine.depth == 2)
    #expect(bench.machine.contents == ["a", "b"])
    bench.releaseWithheld()
    #expect(bench.handed == ["b", "a"])
  }

  @Test("a consumer that is not there gets nothing and breaks nothing")
  func unknownConsumer() {
    var bench = Bench()
    bench.put("a")
    bench.grant(5, to: two)
    bench.detach(two)
    #expect(bench.handed == [])
    #expect(bench.machine.depth == 1)
    #expect(bench.machine.credit(of: two) == nil)
  }

  @Test("whatever happens in whatever order, no message is lost, none is held twice, and credit is honoured", arguments: 0..<60)
  func anything(_ seed: UInt64) throws {
    var random = Seeded(seed)
    var bench = Bench(QueueRules(deliveryLimit: seed.isMultiple(of: 3) ? 3 : nil, released: .limit))
    var sent: Set<String> = []
    var consumed: Set<String> = []
    var open: [Machine.Handout] = []
    var seen = 0
    var nextConsumer = 1
    var attached: [Machine.Consumer] = []
    for step in 0..<600 {
      switch UInt64.random(in: 0..<100, using: &random) {
      case 0..<35:
        sent.insert("\(step)")
        bench.put("\(step)", timeToLive: Bool.random(using: &random) ? Int64.random(in: 1...200, using: &random) : nil)
      case 35..<42:
        attached.append(Machine.Consumer(nextConsumer))
        nextConsumer += 1
        bench.attach(attached[attached.count - 1])
      case 42..<55:
        guard let consumer = attached.randomElement(using: &random) else { continue }
        let credit = Int.random(in: 0...4, using: &random)
        let before = bench.handed(consumer).count
        bench.grant(credit, to: consumer, drain: Int.random(in: 0..<4, using: &random) == 0)
        #expect(bench.handed(consumer).count - before <= credit)
      case 55..<80:
        guard let index = open.indices.randomElement(using: &random) else { continue }
        let handout = open.remove(at: index)
        let verdicts: [Machine.Verdict] = [
          .consumed, .consumed, .released, .rejected, .modified(deliveryFailed: true, undeliverableHere: false),
          .modified(deliveryFailed: false, undeliverableHere: true),
        ]
        let verdict = try #require(verdicts.randomElement(using: &random))
        if verdict == .consumed { consumed.insert(handout.content) }
        try bench.settle(handout.content, as: verdict)
      case 80..<88:
        guard let consumer = attached.randomElement(using: &random) else { continue }
        attached.removeAll { $0 == consumer }
        open.removeAll { $0.consumer == consumer }
        bench.detach(consumer, counts: Bool.random(using: &random))
      case 88..<92: if bench.machine.isPaused { bench.resume() } else { bench.machine.pause() }
      default: bench.pass(Int64.random(in: 0...40, using: &random))
      }
      open += bench.handouts[seen...]
      seen = bench.handouts.count
      let died = Set(bench.died.map { String($0.prefix { $0 != " " }) })
      let here = Set(bench.machine.contents)
      #expect(Set(open.map(\.content)).count == open.count, "held by two at once")
      #expect(open.count == bench.machine.lockedCount)
      #expect(here.count == bench.machine.depth)
      #expect(here.union(died).union(consumed) == sent, "lost or made up")
      #expect(here.isDisjoint(with: consumed) && here.isDisjoint(with: died))
    }
  }
}

/// SplitMix64: the same seed gives the same run.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var z = self.state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
