// SPDX-License-Identifier: Apache-2.0

/// Where the daemon is killed: points of the history by name and number, drawn from a seed, in the order in which a pulje meets
/// them.
///
/// A life of the daemon begins with proving anew what was seen before (I-11), so a kill after a few points, wherever the pulje
/// stands, would only ever strike there. So each life is given a named point to die at, before or after a durable write or an
/// outside call of one kind, and with it the next thing that must come if that point does not come any more.
struct KillPlan: Sendable {
  /// A stretch of the story, and what is done in it.
  struct Stretch: Sendable {
    /// Of a hundred kills, how many.
    var share: Int
    /// Deeds, each with the highest number that is drawn.
    var deeds: [(name: String, upTo: Int)]
    /// One of these strikes when the drawn point does not come in this life any more.
    var last: (names: [String], upTo: Int)
  }

  static let stretches = [
    Stretch(share: 20, deeds: [("append", 12), ("read", 8), ("preflight", 8)], last: (["before-intent"], 1)),
    // Often the first intent or write of a life: a pulje has few, and each that is passed by is gone.
    Stretch(
      share: 30, deeds: [("intent", 1), ("write", 1), ("intent", 1), ("write", 1), ("read", 8), ("append", 12)],
      last: (["before-look", "after-look"], 15)),
    Stretch(
      share: 20, deeds: [("ping", 6), ("append", 10), ("intent", 1), ("write", 1)],
      last: (["before-look", "after-look", "before-ping", "after-ping"], 12)),
    Stretch(
      share: 30, deeds: [("look", 40), ("append", 10), ("read", 12), ("ping", 4), ("append", 20), ("look", 20)],
      last: (["before-look", "after-look"], 40)),
  ]

  /// Every point that a run with many kills should strike.
  static let names = ["append", "intent", "read", "write", "preflight", "ping", "look"].flatMap {
    ["before-\($0)", "after-\($0)"]
  }

  let kills: Int
  private var random: Seeded
  private(set) var drawn = 0
  /// What is still to be dealt of a stretch: each deed, before and after, before any comes again.
  private var dealt: (stretch: Int, points: [(name: String, upTo: Int)]) = (-1, [])

  init(kills: Int, seed: UInt64) {
    self.kills = kills
    self.random = Seeded(seed)
  }

  /// What the next life gets as `TJENESTEBUSS_CRASH_AT`; nil when all kills have been drawn.
  mutating func next() -> String? {
    guard self.drawn < self.kills else { return nil }
    let place = Self.stretch(self.drawn, of: self.kills)
    let stretch = Self.stretches[place]
    self.drawn += 1
    if self.dealt.stretch != place || self.dealt.points.isEmpty {
      let points = stretch.deeds.flatMap { deed in ["before", "after"].map { ("\($0)-\(deed.name)", deed.upTo) } }
      self.dealt = (place, points.shuffled(using: &self.random))
    }
    let point = self.dealt.points.removeLast()
    let number = Int.random(in: 1...point.upTo, using: &self.random)
    let last = stretch.last.names[Int.random(in: stretch.last.names.indices, using: &self.random)]
    return "\(point.name):\(number),\(last):\(Int.random(in: 1...stretch.last.upTo, using: &self.random))"
  }

  private static func stretch(_ index: Int, of kills: Int) -> Int {
    var rest = index * 100 / kills
    for (place, stretch) in self.stretches.enumerated() {
      if rest < stretch.share { return place }
      rest -= stretch.share
    }
    return self.stretches.count - 1
  }
}
