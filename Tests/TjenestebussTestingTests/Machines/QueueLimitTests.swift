// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TjenestebussTesting

private typealias Machine = QueueMachine<String>
private typealias Bench = QueueBench
private let one = Machine.Consumer(1)

@Suite("A queue's delivery limit and times")
struct QueueLimitTests {
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
}
