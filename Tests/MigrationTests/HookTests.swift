// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("Programs that may veto a cut-over")
struct HookTests {
  private func walk() -> GroupWalk {
    let walk = GroupWalk.standing(in: .ready)
    walk.context.policy.hooks = ["change-board", "night-shift"]
    return walk
  }

  private func answer(_ walk: GroupWalk, _ hook: String, _ answer: HookAnswer) -> GroupState.Outcome {
    walk.send(.hookAnswered(hook, answer, retryAt: walk.now + .seconds(30)))
  }

  @Test("each is asked in turn; when all have assented the group goes on")
  func assent() {
    let walk = self.walk()
    for hook in ["change-board", "night-shift"] {
      #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.hook(hook)))
      #expect(walk.send(.advance).refusal?.code == .hookNotAssented)
      #expect(self.answer(walk, hook, .assented("CHG-7")).refusal == nil)
    }
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.advance))
    #expect(walk.send(.advance).refusal == nil)
  }

  @Test(
    "a veto and silence hold the cut-over back with what was said, until they are asked again",
    arguments: [
      HookAnswer.vetoed("freeze"), .silent("no answer within 30s"),
    ])
  func veto(said: HookAnswer) {
    let walk = self.walk()
    _ = self.answer(walk, "change-board", said)
    guard case .wait(let wait) = walk.group.next(in: walk.context, now: walk.now) else {
      Issue.record("it goes on")
      return
    }
    #expect(wait.code == .hookNotAssented && wait.until == walk.now + .seconds(30) && wait.seen.contains(said.words))
    #expect(walk.send(.advance).refusal?.code == .hookNotAssented)
    walk.now = walk.now + .seconds(30)
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.hook("change-board")))
  }

  @Test("assent is of the attestation: when that ends, or the daemon starts anew, everybody is asked again")
  func anew() {
    let walk = self.walk()
    for hook in ["change-board", "night-shift"] { _ = self.answer(walk, hook, .assented("")) }
    walk.now = walk.now + walk.policy.readyLife + .milliseconds(1)
    walk.step()
    #expect(walk.group.phase == .planned)
    walk.go(to: .ready)
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.hook("change-board")))
    _ = self.answer(walk, "change-board", .assented(""))
    walk.group.applyRestart(at: walk.now)
    #expect(walk.group.hookAnswers.isEmpty)
  }

  @Test("a cut of which no write took is not begun anew without them, when the pre-flight had to be made anew")
  func begunAnew() {
    let walk = self.walk()
    for hook in ["change-board", "night-shift"] { _ = self.answer(walk, hook, .assented("")) }
    walk.step()
    let first = walk.group.members[0].herID
    walk.send(.beginWrite(first, observed: walk.read(first)))
    if let operation = walk.openOperation { walk.send(.writeReturned(operation, .refused("the register is closed"))) }
    for _ in 0..<10 where !walk.group.isUnwritten { walk.step() }
    #expect(walk.group.phase == .cutIntent && walk.group.isUnwritten)
    walk.now = walk.now + .days(3)
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.preflight))
    walk.step()
    for hook in ["change-board", "night-shift"] {
      #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.hook(hook)))
      #expect(walk.send(.beginWrite(first, observed: walk.read(first))).refusal?.code == .hookNotAssented)
      _ = self.answer(walk, hook, .assented(""))
    }
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.write(first)))
    #expect(walk.send(.beginWrite(first, observed: walk.read(first))).refusal == nil)
  }

  @Test("nobody is asked while the pulje is paused, and an answer then is not taken")
  func paused() {
    let walk = self.walk()
    walk.context.pause = Note(by: "Kari", why: "lunch", at: walk.now)
    guard case .wait(let wait) = walk.group.next(in: walk.context, now: walk.now) else {
      Issue.record("it asks")
      return
    }
    #expect(wait.code == .paused)
    #expect(self.answer(walk, "change-board", .assented("")).refusal?.code == .paused)
    walk.context.pause = nil
    #expect(self.answer(walk, "other", .assented("")).refusal?.code == .nothingDue)
  }

  @Test("the errand asks with everything a program needs, and an answer that does not come is silence")
  func errand() throws {
    let walk = self.walk()
    let plan = Fixture.plan([200])
    var errand = Errand(.hook("change-board"), group: walk.group, plan: plan, settings: EngineSettings())
    guard case .call(.hook(let question)) = errand.begin() else {
      Issue.record("it does not ask")
      return
    }
    #expect(question.herIDs == [Fixture.herID(200)] && question.planHash == plan.hash && question.vendors == ["Beta"])
    guard
      case .bring(.hookAnswered("change-board", .silent(let words), let retryAt)) = errand.take(
        .noAnswer(within: .seconds(30)), at: walk.now, fraction: 0)
    else {
      Issue.record("silence is no silence")
      return
    }
    #expect(words == "no answer within 30s" && retryAt > walk.now)
  }
}
