// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("The light for the way back")
struct WayBackTests {
  private func light(_ walk: GroupWalk, at now: Instant? = nil) -> WayBack {
    WayBack(walk.group, context: walk.context, now: now ?? walk.now)
  }

  private func codes(_ back: WayBack) -> [WayBack.Reason.Code] { back.reasons.map(\.code) }

  @Test("in every phase: none before the cut and on the way back, red when removed, else lit and as open as a roll-back is")
  func phases() {
    for phase in GroupPhase.allCases {
      let walk = GroupWalk.standing(in: phase)
      let back = self.light(walk)
      let opens = walk.group.decide(.rollBack(by: "x", why: "y"), in: walk.context, now: walk.now).refusal == nil
      #expect(back.isOpen == opens, "\(phase)")
      switch phase {
      case .known, .planned, .ready, .armed, .withdrawn, .restored: #expect(back.light == .none, "\(phase)")
      case .removed: #expect(back.light == .red && back.code == "MIG-212")
      case .conflict: #expect(back.light == .yellow && self.codes(back) == [.entryNotAsExpected])
      default: #expect(phase.isGoingBack ? back.light == .none : back.light == .green, "\(phase) \(back)")
      }
    }
  }

  @Test("nobody listens on the source bus: open, and yellow with that reason")
  func nobodyListens() {
    let walk = GroupWalk.standing(in: .observing)
    var look = Fixture.look()
    look[0].count = .counted(depth: 0, arrivals: nil, consumers: 0)
    walk.send(.looked(look))
    #expect(self.light(walk).light == .yellow)
    #expect(self.codes(self.light(walk)) == [.nobodyListens])
    look[0].count = .counted(depth: 0, arrivals: nil, consumers: nil)
    walk.send(.looked(look))
    #expect(self.codes(self.light(walk)) == [.listeningNotKnown])
  }

  @Test("not proven for 24 hours is yellow; at 24 hours it still is proven; a clock set back proves nothing")
  func proof() throws {
    let walk = GroupWalk.standing(in: .observing)
    let last = try #require(walk.group.drain.lastReadableAt)
    #expect(self.light(walk, at: last + .hours(24)).light == .green)
    #expect(self.codes(self.light(walk, at: last + .hours(24) + .milliseconds(1))) == [.notProven])
    #expect(self.codes(self.light(walk, at: last + .milliseconds(-1))) == [.notProven])
  }

  @Test("a source queue that is gone is red, and a stopped line is said")
  func gone() {
    let walk = GroupWalk.standing(in: .observing)
    walk.send(.looked(Fixture.look(missing: true)))
    #expect(self.light(walk).light == .red)
    #expect(self.codes(self.light(walk)).contains(.queueGone))
    let stopped = GroupWalk.standing(in: .observing)
    stopped.context.stop = Note(by: "Kari", why: "odd", at: stopped.now)
    #expect(self.light(stopped).light == .yellow && self.codes(self.light(stopped)) == [.lineStopped])
  }

  @Test("a plan without a queue to go back to is red")
  func noRecord() throws {
    var plan = Fixture.plan([200])
    plan.groups[0].members[0].before.addresses.removeAll { $0.queueKind != nil }
    let walk = GroupWalk.standing(in: .cutIntent)
    var group = GroupState(plan.groups[0], at: walk.now)
    group.phase = .cutApplied
    let back = WayBack(group, context: walk.context, now: walk.now)
    #expect(back.light == .red && self.codes(back).contains(.recordNotHeld))
  }
}
