// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@testable import Migration

@Suite("A whole bus is closed when nothing and nobody is on it")
struct BusClosingTests {
  private static let now = Fixture.start + .days(60)
  private static let two = ["Kari", "Ola"]

  private static func empty(_ bus: BusName = Fixture.source.name) -> BusClosing {
    BusClosing(
      bus: bus, lookedAt: Self.now + .minutes(-1), parties: 5, comparedAt: Self.now + .hours(-10),
      remaining: .counted(0, names: []),
      connections: .counted(0, names: []), filledQueues: .counted(0, names: []))
  }

  /// One pulje with a group that stands in `phase`.
  private func state(_ phase: GroupPhase?) -> MigrationState {
    var state = MigrationState()
    guard let phase else { return state }
    let plan = Fixture.plan([200])
    for event in state.decide(.begin(plan, planHash: nil, approvals: Self.two), now: Fixture.start).events {
      _ = state.apply(event, at: Fixture.start)
    }
    state.puljer[plan.name]?.groups[0] = GroupWalk.standing(in: phase).group
    return state
  }

  private func close(_ state: MigrationState, _ closing: BusClosing = Self.empty(), by: [String] = Self.two) -> Refusal.Code? {
    state.decide(.closeBus(closing, approvals: by), now: Self.now).refusal?.code
  }

  @Test("seen to be empty and signed by two it is closed, once; nobody moves to or from it any more")
  func closed() {
    var state = self.state(.removed)
    for event in state.decide(.closeBus(Self.empty(), approvals: Self.two), now: Self.now).events {
      let isKnown = state.apply(event, at: Self.now)
      #expect(isKnown && event.version == 3 && event.kind == "bus.closed")
    }
    #expect(state.closedBuses[Fixture.source.name]?.by == "Kari, Ola")
    #expect(self.close(state) == .pauseUnchanged)
    let plan = Fixture.plan([300], name: "pulje-2")
    #expect(state.decide(.seal(plan, by: "Kari"), now: Self.now).refusal?.code == .busClosed)
    #expect(state.decide(.begin(plan, planHash: nil, approvals: Self.two), now: Self.now).refusal?.code == .busClosed)
  }

  static let flips: [(String, @Sendable (inout BusClosing) -> Void)] = [
    ("parties still on it: 1 (HER-ID 200)", { $0.remaining = .counted(1, names: ["HER-ID 200"]) }),
    ("parties still on it: not readable", { $0.remaining = .notReadable("no cache") }),
    ("connections: 2", { $0.connections = .counted(2, names: ["x"]) }),
    ("connections: not readable", { $0.connections = .notReadable("no management") }),
    ("queues with messages: 1", { $0.filledQueues = .counted(1, names: ["200_dl: 4"]) }),
    ("queues with messages: not readable", { $0.filledQueues = .notReadable("away") }),
    ("it was looked at", { $0.lookedAt = BusClosingTests.now + .minutes(-16) }),
    ("it was looked at", { $0.lookedAt = BusClosingTests.now + .milliseconds(1) }),
    ("never compared", { $0.comparedAt = nil }), ("last compared", { $0.comparedAt = BusClosingTests.now + .hours(-49) }),
    ("no register entry is known", { $0.parties = 0 }),
  ]

  @Test("each condition matters: what is not seen keeps it open", arguments: flips.indices)
  func each(index: Int) {
    let (words, flip) = Self.flips[index]
    var closing = Self.empty()
    flip(&closing)
    #expect(closing.obstacles(now: Self.now).contains { $0.hasPrefix(words) || $0.contains(words) })
    #expect(self.close(self.state(nil), closing) == .busInUse)
  }

  @Test("one person is not enough, and one under two names is one")
  func signatures() {
    #expect(self.close(self.state(nil), by: ["Kari"]) == .tooFewApprovals)
    #expect(self.close(self.state(nil), by: ["Kari", "kari "]) == .tooFewApprovals)
  }

  @Test("no way back leads there, and nobody is under way: in each phase, for the source and for the target")
  func groups() {
    for phase in GroupPhase.allCases {
      let state = self.state(phase)
      let source: Refusal.Code? = [.removed, .withdrawn, .restored].contains(phase) ? nil : .busInUse
      #expect(self.close(state) == source, "\(phase)")
      let target: Refusal.Code? = [.removed, .withdrawn, .restored, .accepted, .retired].contains(phase) ? nil : .busInUse
      #expect(self.close(state, Self.empty(Fixture.target.name)) == target, "\(phase)")
      #expect(self.close(state, Self.empty(Fixture.third.name)) == nil, "\(phase)")
    }
  }

  @Test("the event's written form")
  func written() throws {
    let event = MigrationEvent.busClosed(closing: Self.empty(), by: Self.two)
    #expect(try JSONDecoder().decode(MigrationEvent.self, from: CanonicalJSON.encode(event)) == event)
    let text =
      #"{"busClosed":{"by":["Kari","Ola"],"closing":{"bus":"sb","comparedAt":1,"connections":{"counted":{"_0":0,"names":[]}},"filledQueues":{"notReadable":{"_0":"x"}},"lookedAt":2,"parties":3,"remaining":{"counted":{"_0":1,"names":["a"]}}}}}"#
    let read = try JSONDecoder().decode(MigrationEvent.self, from: Data(text.utf8))
    #expect(String(decoding: try CanonicalJSON.encode(read), as: UTF8.self) == text)
  }
}
