// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import Testing

@testable import MigrationEngine

@Suite("Which queues are carried: never two for one queue, and nothing the state does not ask for")
struct ForwardingRosterTests {
  private static let now = Instant(milliseconds: 1_800_000_000_000)

  private static func errand(_ number: Int, rate: Int? = nil) throws -> ForwardingErrand {
    var order = ForwardingOrder(approvals: ["Kari", "Ola"])
    order.ratePerSecond = rate
    let name = "\(number)_async"
    return ForwardingErrand(
      pulje: try #require(PuljeName("p")), group: GroupID(try #require(HerID(Int32(number)))), from: "a", to: "b",
      route: try JSONDecoder().decode(
        ForwardingWork.Route.self,
        from: Data(#"{"kind":"async","from":"a.example/NHN/\#(name)","to":"b.example/NHN/\#(name)"}"#.utf8)), order: order)
  }

  private static func wanted(_ errands: [ForwardingErrand]) -> [ForwardingErrand.Key: ForwardingErrand] {
    Dictionary(uniqueKeysWithValues: errands.map { ($0.key, $0) })
  }

  @Test("what is asked for is begun once; when it is not any more it is cancelled once")
  func once() throws {
    var roster = ForwardingRoster(settings: EngineSettings(), most: 8)
    let errand = try Self.errand(1)
    #expect(roster.turn(wanted: Self.wanted([errand]), now: Self.now).begin.map(\.errand) == [errand])
    #expect(roster.turn(wanted: Self.wanted([errand]), now: Self.now).begin.isEmpty)
    #expect(roster.turn(wanted: [:], now: Self.now).cancel == [errand.key])
    #expect(roster.turn(wanted: [:], now: Self.now).cancel.isEmpty && !roster.isIdle)
    // Asked for again while the old run still ends: it is begun only when that has.
    #expect(roster.turn(wanted: Self.wanted([errand]), now: Self.now).begin.isEmpty)
    roster.ended(errand, .cancelled, now: Self.now, fraction: 0)
    #expect(roster.turn(wanted: Self.wanted([errand]), now: Self.now).begin.map(\.errand) == [errand])
  }

  @Test("a changed order ends the run under way first; what failed by itself waits longer each time")
  func changed() throws {
    var roster = ForwardingRoster(settings: EngineSettings(), most: 8)
    let (slow, fast) = (try Self.errand(1, rate: 5), try Self.errand(1))
    _ = roster.turn(wanted: Self.wanted([slow]), now: Self.now)
    let turn = roster.turn(wanted: Self.wanted([fast]), now: Self.now)
    #expect(turn.cancel == [slow.key] && turn.begin.isEmpty)
    roster.ended(slow, .cancelled, now: Self.now, fraction: 0)
    #expect(roster.turn(wanted: Self.wanted([fast]), now: Self.now).begin.map(\.errand) == [fast])
    roster.ended(fast, .interrupted(code: "FWD-104", seen: ""), now: Self.now, fraction: 0)
    let cool = roster.turn(wanted: Self.wanted([fast]), now: Self.now)
    let first = try #require(cool.wake)
    #expect(cool.begin.isEmpty && first > Self.now)
    #expect(roster.turn(wanted: Self.wanted([fast]), now: first).begin.map(\.errand) == [fast])
    roster.ended(fast, .interrupted(code: "FWD-104", seen: ""), now: first, fraction: 0)
    let second = try #require(roster.turn(wanted: Self.wanted([fast]), now: first).wake)
    #expect(second.since(first) > first.since(Self.now))
    // Whoever asks for it to be tried again does not wait.
    roster.tryAgain([fast.key])
    let again = roster.turn(wanted: Self.wanted([fast]), now: first)
    #expect(again.begin.map(\.retriesSetAside) == [true])
  }

  @Test("whatever happens: one run a queue, no more than the bound, and only what is asked for is begun")
  func model() throws {
    let errands = try (1...6).flatMap { [try Self.errand($0), try Self.errand($0, rate: 9)] }
    for seed in UInt64(1)...200 {
      var random = SplitMix(seed)
      var roster = ForwardingRoster(settings: EngineSettings(), most: 3)
      var running: [ForwardingErrand.Key: ForwardingErrand] = [:]
      var wanted: [ForwardingErrand.Key: ForwardingErrand] = [:]
      var now = Self.now
      for _ in 0..<60 {
        now = now + .milliseconds(Int64(random.below(4_000)))
        switch random.below(4) {
        case 0:
          if let errand = running.values.sorted(by: { "\($0.key)" < "\($1.key)" }).first {
            running[errand.key] = nil
            let ends: [ForwardingEnd] = [.cancelled, .stopped(code: "x", seen: ""), .interrupted(code: "y", seen: "")]
            roster.ended(errand, ends[random.below(3)], now: now, fraction: 0.5)
          }
        case 1: roster.tryAgain([errands[random.below(errands.count)].key])
        default:
          wanted = [:]
          for errand in errands where random.below(2) == 0 { wanted[errand.key] = errand }
        }
        let turn = roster.turn(wanted: wanted, now: now)
        for key in turn.cancel { #expect(running[key] != nil) }
        for (errand, _) in turn.begin {
          #expect(running[errand.key] == nil, "two for \(errand.key), seed \(seed)")
          #expect(wanted[errand.key] == errand, "nobody asked for \(errand.key), seed \(seed)")
          running[errand.key] = errand
        }
        #expect(running.count <= 3 && Set(running.keys) == roster.keys, "seed \(seed)")
      }
    }
  }

  private struct SplitMix {
    var state: UInt64
    init(_ seed: UInt64) { self.state = seed }
    mutating func below(_ bound: Int) -> Int {
      self.state &+= 0x9E37_79B9_7F4A_7C15
      var z = self.state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return Int((z ^ (z >> 31)) % UInt64(bound))
    }
  }
}
