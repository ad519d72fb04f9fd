// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TjenestebussTesting

private typealias Machine = QueueMachine<String>
private typealias Bench = QueueBench
private let one = Machine.Consumer(1)
private let two = Machine.Consumer(2)

@Suite("A queue's length, drain, pause, purge and faults")
struct QueueUpkeepTests {
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
}
