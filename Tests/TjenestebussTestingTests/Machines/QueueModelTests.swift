// SPDX-License-Identifier: Apache-2.0

import Computing
import Testing

@testable import TjenestebussTesting

private typealias Machine = QueueMachine<String>
private typealias Bench = QueueBench

@Suite("A queue under random orders", .serialized, .computing)
struct QueueModelTests {
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
