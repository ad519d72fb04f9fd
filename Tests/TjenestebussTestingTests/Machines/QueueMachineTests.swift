// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TjenestebussTesting

private typealias Machine = QueueMachine<String>
private typealias Bench = QueueBench
private let one = Machine.Consumer(1)
private let two = Machine.Consumer(2)

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
}
