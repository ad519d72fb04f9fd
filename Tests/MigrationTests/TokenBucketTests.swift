// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Migration

@Suite("So many calls in so long")
struct TokenBucketTests {
  private func rate(_ text: String) throws -> TokenBucket.Rate { try #require(TokenBucket.Rate(text: text)) }

  @Test("a rate is a whole number of calls in a second, minute, hour or day; nothing else is one")
  func rates() throws {
    #expect(try self.rate("10/s").interval == 100_000)
    #expect(try self.rate("300/m").burst == 5)
    #expect(try self.rate("5000/h").burst == 1)
    for text in ["", "10", "0/s", "-1/s", "10/", "/s", "10/fortnight", "1/s/s", "2000000/s", "300/5m", "10/10s", "5/99999999d"] {
      #expect(TokenBucket.Rate(text: text) == nil, "\(text)")
    }
  }

  @Test("the burst goes at once, then one after the other; in any second no more than the rate and its burst")
  func spacing() throws {
    var bucket = TokenBucket(try self.rate("10/s"))
    let given = (0..<40).map { _ in bucket.take(at: Fixture.start).since(Fixture.start).milliseconds }
    #expect(given.prefix(10).allSatisfy { $0 == 0 })
    #expect(given.dropFirst(10).elementsEqual((1...30).map { Int64($0) * 100 }))
  }

  @Test("what is saved up in a pause is the burst and no more")
  func pause() throws {
    var bucket = TokenBucket(try self.rate("2/s"))
    for _ in 0..<10 { _ = bucket.take(at: Fixture.start) }
    let later = Fixture.start + .hours(1)
    let given = (0..<4).map { _ in bucket.take(at: later).since(later).milliseconds }
    #expect(given == [0, 0, 500, 1_000])
  }

  @Test("a write that costs three calls keeps the next ones waiting for three")
  func cost() throws {
    var bucket = TokenBucket(try self.rate("1/s"))
    #expect(bucket.take(3, at: Fixture.start) == Fixture.start)
    #expect(bucket.take(at: Fixture.start) == Fixture.start + .seconds(3))
    #expect(bucket.take(at: Fixture.start) == Fixture.start + .seconds(4))
  }

  @Test("a clock that is set back keeps nobody waiting longer than they would have")
  func setBack() throws {
    var bucket = TokenBucket(try self.rate("1/s"))
    for _ in 0..<3 { _ = bucket.take(at: Fixture.start) }
    let back = Fixture.start + .milliseconds(-3_600_000)
    #expect(bucket.take(at: back) == back + .seconds(3))
  }

  @Test("random draws: never before now, in order, never more than burst + rate in a span", arguments: 0..<20)
  func model(seed: UInt64) throws {
    var random = SplitMix(seed)
    let rate = try #require(TokenBucket.Rate(calls: Int64(1 + random.next() % 20), per: .seconds(1)))
    var bucket = TokenBucket(rate)
    var now = Fixture.start
    var given: [Instant] = []
    for _ in 0..<200 {
      now = now + .milliseconds(Int64(random.next() % 300))
      let at = bucket.take(at: now)
      #expect(at >= now && at >= (given.last ?? at))
      given.append(at)
    }
    for (index, first) in given.enumerated() {
      let inSecond = given[index...].prefix { $0.since(first) < .seconds(1) }.count
      #expect(Int64(inSecond) <= rate.calls + rate.burst)
    }
  }

  private struct SplitMix {
    var state: UInt64
    init(_ seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
    mutating func next() -> UInt64 {
      self.state &+= 0x9E37_79B9_7F4A_7C15
      var z = self.state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }
}
