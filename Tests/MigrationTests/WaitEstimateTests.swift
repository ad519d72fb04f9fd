// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("How long a wait may take")
struct WaitEstimateTests {
  private func estimate(_ walk: GroupWalk) throws -> WaitEstimate {
    guard case .wait(let wait) = walk.group.next(in: walk.context, now: walk.now) else {
      throw NoWait()
    }
    return WaitEstimate(wait, group: walk.group, context: walk.context, now: walk.now)
  }

  private struct NoWait: Error {}

  /// A group that drains, after a look with `depth`.
  private func draining(_ depths: [Int64]) -> GroupWalk {
    let walk = GroupWalk.standing(in: .draining)
    for depth in depths {
      walk.now = walk.now + walk.policy.lookInterval
      walk.send(.looked(Fixture.look(depth: depth)))
    }
    return walk
  }

  @Test("the quiet: at the end of the period with its working day, and of the looks that are still due")
  func quiet() throws {
    let walk = self.draining([0])
    let estimate = try self.estimate(walk)
    let since = try #require(walk.group.drain.quietSince)
    #expect(estimate.kind == .earliest && estimate.earliest == walk.policy.quietEnd(since: since))
  }

  @Test("messages that grow less: when they are gone at this pace; that do not: never by itself; one look: not known")
  func emptying() throws {
    let walk = self.draining([30, 20])
    let estimate = try self.estimate(walk)
    #expect(estimate.kind == .atThisPace)
    #expect(estimate.earliest == walk.now + walk.policy.lookInterval * 2)
    #expect(try self.estimate(self.draining([20, 20])).kind == .never)
    #expect(try self.estimate(self.draining([20, 30])).kind == .never)
    let first = GroupWalk.standing(in: .verified)
    first.send(.looked(Fixture.look(depth: 3)))
    #expect(try self.estimate(first).kind == .notKnown)
  }

  @Test("what needs a person says so, without a time")
  func person() throws {
    let walk = GroupWalk.standing(in: .planned)
    walk.context.pause = Note(by: "Kari", why: "lunch", at: walk.now)
    #expect(try self.estimate(walk).kind == .person)
    #expect(try self.estimate(walk).earliest == nil)
    let held = GroupWalk.standing(in: .conflict)
    #expect(try self.estimate(held).kind == .person)
  }

  @Test("a calendar that never opens again is said to be for ever; one that does says when")
  func calendar() throws {
    var policy = Policy()
    let day = OsloTime.reading(at: Fixture.start).date
    policy.calendar = CutoverCalendar(freezes: [.init(from: day, through: day.advanced(by: 2), why: "frys")])
    let walk = GroupWalk(policy: policy)
    walk.go(to: .planned)
    #expect(try self.estimate(walk).earliest == OsloTime.instant(day.advanced(by: 3), .midnight))
    policy.calendar = CutoverCalendar(freezes: [.init(from: day, through: day.advanced(by: 2_000), why: "frys")])
    let never = GroupWalk(policy: policy)
    never.go(to: .planned)
    #expect(try self.estimate(never).kind == .never)
  }

  @Test("every wait in every phase has an estimate with words, and none lies in the past")
  func whole() throws {
    for phase in GroupPhase.allCases {
      let walk = GroupWalk.standing(in: phase)
      for offset in [0, 1, 60_000, 3_600_000, 15 * 86_400_000] as [Int64] {
        let now = walk.now + .milliseconds(offset)
        guard case .wait(let wait) = walk.group.next(in: walk.context, now: now) else { continue }
        let estimate = WaitEstimate(wait, group: walk.group, context: walk.context, now: now)
        #expect(!estimate.words.isEmpty && !estimate.text.isEmpty)
        if estimate.kind == .earliest { #expect(estimate.earliest.map { $0 >= now } == true, "\(phase) \(wait.code)") }
      }
    }
  }
}
