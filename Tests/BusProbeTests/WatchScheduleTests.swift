// SPDX-License-Identifier: Apache-2.0

import Computing
import Testing

@testable import BusProbe

@Suite("When queues are looked at", .serialized, .computing)
struct WatchScheduleTests {
  /// SplitMix64: the same numbers for the same seed.
  private struct Draws {
    var state: UInt64
    mutating func next() -> UInt64 {
      self.state &+= 0x9E37_79B9_7F4A_7C15
      var z = self.state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    mutating func share() -> Double { Double(self.next() >> 11) / Double(1 << 53) }
    mutating func below(_ limit: Int) -> Int { Int(self.next() % UInt64(limit)) }
  }

  @Test("A quiet queue is looked at rarer and rarer, to the bound; one that changed often again")
  func adapts() {
    var schedule = WatchSchedule(["q"], settings: .init(shortest: .seconds(5), longest: .seconds(45), growth: 2))
    #expect(schedule.next(at: .zero) == .ask(["q"]))
    #expect(schedule.next(at: .zero) == .idle, "nobody is asked twice at once")
    var now = Duration.zero
    for pause in [10, 20, 40, 45, 45] {
      schedule.answered("q", .same, at: now, draw: 0)
      #expect(schedule.next(at: now) == .wait(until: now + .seconds(pause)))
      now += .seconds(pause)
      #expect(schedule.next(at: now) == .ask(["q"]))
    }
    schedule.answered("q", .changed, at: now, draw: 0)
    #expect(schedule.next(at: now) == .wait(until: now + .seconds(5)))
    #expect(schedule.next(at: now + .seconds(5)) == .ask(["q"]))
    schedule.answered("q", .unreadable, at: now + .seconds(5), draw: 1)
    #expect(schedule.next(at: now + .seconds(5)) == .wait(until: now + .seconds(5) + .seconds(8)), "the draw takes a fifth")
  }

  @Test("Ten thousand queues: never more questions than the rate, and a change is seen within 60 s")
  func tenThousand() {
    let names = (0..<10_000).map { "q\($0)" }
    var draws = Draws(state: 1)
    var schedule = WatchSchedule(names)
    #expect(schedule.longestGap == .seconds(45))
    var asked: [String: Duration] = [:]
    var worst = Duration.zero
    var now = Duration.zero
    var window: [(at: Duration, count: Int)] = []
    while now < .seconds(150) {
      switch schedule.next(at: now) {
      case .idle: Issue.record("nothing to do")
      case .wait(let until):
        #expect(until > now)
        now = until
      case .ask(let batch):
        #expect(batch.count <= 100)
        window = window.filter { $0.at > now - .seconds(1) } + [(now, batch.count)]
        // A full allowance, and what comes in within the second.
        #expect(window.reduce(0) { $0 + $1.count } <= 250 + 100)
        for name in batch {
          if let before = asked[name] { worst = max(worst, now - before) }
          asked[name] = now
          // One in fifty is busy.
          schedule.answered(name, draws.below(50) == 0 ? .changed : .same, at: now, draw: draws.share())
        }
      }
    }
    #expect(asked.count == 10_000)
    #expect(worst <= .seconds(60), "\(worst)")
  }

  @Test("More queues than the rate allows: all get later alike, and the schedule says how late")
  func tooMany() {
    var schedule = WatchSchedule((0..<1_000).map { "q\($0)" }, settings: .init(rate: 10, batch: 10))
    #expect(schedule.longestGap == .seconds(100))
    var looks: [String: Int] = [:]
    var now = Duration.zero
    while now < .seconds(1_000) {
      switch schedule.next(at: now) {
      case .idle: Issue.record("nothing to do")
      case .wait(let until): now = until
      case .ask(let batch):
        for name in batch {
          looks[name, default: 0] += 1
          schedule.answered(name, .changed, at: now, draw: 0.5)
        }
      }
    }
    #expect(looks.count == 1_000)
    let (least, most) = (looks.values.min() ?? 0, looks.values.max() ?? 0)
    #expect(most - least <= 1, "\(least) to \(most) looks")
  }

  @Test("Random events: each queue is asked once at a time, none is forgotten, late answers change nothing", arguments: 0..<40)
  func anything(_ seed: Int) {
    var draws = Draws(state: UInt64(seed))
    let settings = WatchSchedule.Settings(
      shortest: .milliseconds(Int64(1 + draws.below(5_000))), longest: .seconds(10 + draws.below(50)),
      growth: 1 + draws.share(), spread: draws.share(), rate: Double(1 + draws.below(100)), batch: 1 + draws.below(20))
    var schedule = WatchSchedule(settings: settings)
    var watched: Set<String> = []
    var open: Set<String> = []
    var lastAsked: [String: Duration] = [:]
    var now = Duration.zero
    for _ in 0..<2_000 {
      let name = "q\(draws.below(30))"
      switch draws.below(10) {
      case 0:
        schedule.add(name, at: now)
        if watched.insert(name).inserted { lastAsked[name] = now }
      case 1:
        schedule.remove(name)
        watched.remove(name)
        open.remove(name)
        lastAsked[name] = nil
      case 2...4:
        // Perhaps to what nobody asked, or what is gone.
        schedule.answered(name, [.changed, .same, .unreadable][draws.below(3)], at: now, draw: draws.share())
        if open.remove(name) != nil { lastAsked[name] = now }
      default:
        switch schedule.next(at: now) {
        case .idle: #expect(open == watched)
        case .wait(let until):
          #expect(until > now)
          #expect(until <= now + schedule.longestGap + .seconds(Double(settings.batch) / settings.rate) + .milliseconds(1))
          now = draws.below(2) == 0 ? until : now + (until - now) * draws.share()
        case .ask(let batch):
          #expect(!batch.isEmpty && batch.count <= settings.batch)
          #expect(Set(batch).count == batch.count && open.isDisjoint(with: batch) && watched.isSuperset(of: batch))
          open.formUnion(batch)
        }
      }
      #expect(schedule.count == watched.count)
    }
    // At the end everything is asked about that is not being asked about already.
    let rest = watched.subtracting(open)
    var asked: Set<String> = []
    for _ in 0..<10_000 where asked != rest {
      switch schedule.next(at: now) {
      case .idle: break
      case .wait(let until): now = until
      case .ask(let batch): asked.formUnion(batch)
      }
    }
    #expect(asked == rest)
  }
}
