// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TjenestebussTesting

/// A machine and a record of what it wanted done.
struct QueueBench {
  typealias Machine = QueueMachine<String>

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
