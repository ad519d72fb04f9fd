// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("Programs that are asked after the cut, and told of a roll-back")
struct StepHookTests {
  private static let board = "change-board"

  private static func walk(_ points: HookPoint..., hooks: [String] = [board]) -> GroupWalk {
    var policy = Policy()
    policy.stepHooks = points.flatMap { point in hooks.map { StepHook(point, $0) } }
    policy.sourceKept = .days(2)
    return GroupWalk(policy: policy)
  }

  /// Carries out what comes but for hooks, until the group stands in `phase` and waits for one.
  private static func go(_ walk: GroupWalk, to phase: GroupPhase) {
    for _ in 0..<20_000 {
      if walk.group.phase == phase, case .act(.stepHook) = walk.group.next(in: walk.context, now: walk.now) { return }
      switch walk.group.phase {
      case .observing where walk.policy.hooks(at: .accept).isEmpty: walk.send(.accept(by: ["Kari", "Ola"]))
      case .accepted:
        walk.send(.looked(Fixture.look(deadLetters: 0)))
        walk.send(.retire(by: ["Kari", "Ola"]))
      case .retired:
        walk.now = walk.now + walk.policy.watchLookInterval
        walk.send(.looked(Fixture.look(deadLetters: 0)))
        continue
      default: break
      }
      walk.step()
    }
  }

  private func waits(_ walk: GroupWalk) -> WaitReason? {
    if case .wait(let reason) = walk.group.next(in: walk.context, now: walk.now) { reason } else { nil }
  }

  /// What the daemon asks, answered so.
  private func answer(_ walk: GroupWalk, _ answer: HookAnswer) {
    guard case .act(.stepHook(let step)) = walk.group.next(in: walk.context, now: walk.now) else {
      Issue.record("nothing is asked")
      return
    }
    walk.send(.stepHookAnswered(step, answer, retryAt: walk.now + .seconds(30)))
  }

  /// The step that the hook at `point` may veto.
  private func step(_ point: HookPoint, _ walk: GroupWalk) -> GroupState.Outcome {
    switch point {
    case .drained: walk.send(.advance)
    case .accept: walk.send(.accept(by: ["Kari", "Ola"]))
    default: walk.send(.approveRemoval(by: ["Kari", "Ola"]))
    }
  }

  private static let phases: [(HookPoint, GroupPhase)] = [(.drained, .drained), (.accept, .observing), (.removal, .retired)]

  @Test("no step without assent of every program, and silence is none; with it the step is taken", arguments: phases)
  func veto(point: HookPoint, phase: GroupPhase) throws {
    for said in [HookAnswer.vetoed("not today"), .silent("no answer within 30s")] {
      let walk = Self.walk(point, hooks: [Self.board, "duty"])
      Self.go(walk, to: phase)
      #expect(walk.group.phase == phase)
      #expect(self.step(point, walk).refusal?.code == .hookNotAssented)
      self.answer(walk, .assented("CHG-7"))
      #expect(self.step(point, walk).refusal?.code == .hookNotAssented)
      self.answer(walk, said)
      let refusal = try #require(self.step(point, walk).refusal)
      #expect(refusal.code == .hookNotAssented && refusal.seen.contains("duty \(said.words)"))
      let wait = try #require(self.waits(walk))
      #expect(wait.code == .hookNotAssented && wait.seen.contains(said.words) && wait.seen.hasPrefix(point.rawValue))
      // It is asked again by itself, and the counters are looked at meanwhile.
      var isAsked = false
      for _ in 0..<50 where !isAsked {
        walk.now = max(walk.now, self.waits(walk)?.until ?? walk.now)
        if case .act(.stepHook(StepHook(point, "duty"))) = walk.group.next(in: walk.context, now: walk.now) {
          isAsked = true
        } else {
          walk.send(.looked(Fixture.look(deadLetters: point == .removal ? 0 : 2)))
        }
      }
      #expect(isAsked)
      self.answer(walk, .assented("yes"))
      #expect(self.step(point, walk).refusal == nil && walk.group.phase != phase)
    }
  }

  @Test("an assent is of its day, of its phase and of this start", arguments: phases)
  func lapses(point: HookPoint, phase: GroupPhase) throws {
    let walk = Self.walk(point)
    Self.go(walk, to: phase)
    self.answer(walk, .assented("yes"))
    let asked = walk.now
    let step = StepHook(point, Self.board)
    #expect(walk.group.unassentedStep(walk.policy, now: asked + walk.policy.drainedLife) == nil)
    #expect(walk.group.unassentedStep(walk.policy, now: asked + walk.policy.drainedLife + .milliseconds(1)) == step)
    let answer = try #require(walk.group.stepAnswers.first)
    #expect(!answer.assents(now: asked + .milliseconds(-1), policy: walk.policy))
    if phase != .drained {
      // Nobody has decided: it is asked anew when the assent lapses, and the wait says so.
      for _ in 0..<10_000 {
        guard let until = self.waits(walk)?.until else { break }
        walk.now = until
        if case .act(.look) = walk.group.next(in: walk.context, now: walk.now) {
          walk.send(.looked(Fixture.look(deadLetters: point == .removal ? 0 : 2)))
        }
      }
      #expect(walk.now == asked + walk.policy.drainedLife + .milliseconds(1))
      #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.stepHook(step)))
      self.answer(walk, .assented("yes"))
    }
    walk.group.applyRestart(at: walk.now)
    #expect(walk.group.stepAnswers.isEmpty)
  }

  @Test("late mail while a program is waited for leads back to the drain, and its assent counts no more")
  func lateMail() {
    let walk = Self.walk(.drained)
    Self.go(walk, to: .drained)
    self.answer(walk, .assented("yes"))
    walk.send(.looked(Fixture.look(depth: 3)))
    #expect(walk.group.phase == .draining && walk.group.stepAnswers.isEmpty)
  }

  @Test("a roll-back is told and waits for nobody: a veto changes nothing, silence is told again, five times in all")
  func rollBack() throws {
    for said in [HookAnswer.assented("noted"), .vetoed("never"), .silent("no answer")] {
      let walk = Self.walk(.rollBack)
      walk.go(to: .observing)
      #expect(walk.group.stepAnswers.isEmpty)
      walk.send(.rollBack(by: "Kari", why: "asked"))
      var told: [GroupPhase] = []
      for _ in 0..<2_000 where walk.group.phase != .restored || told.isEmpty {
        if case .act(.stepHook(let step)) = walk.group.next(in: walk.context, now: walk.now) {
          told.append(walk.group.phase)
          #expect(step == StepHook(.rollBack, Self.board))
          walk.send(.stepHookAnswered(step, said, retryAt: walk.now + .minutes(2)))
        } else {
          walk.step()
        }
      }
      #expect(walk.group.phase == .restored)
      // Not before everything that could be done at once was done.
      #expect(told.first == .backDraining)
      if case .silent = said { #expect(told.count == StepAnswer.tellings) } else { #expect(told.count == 1) }
    }
  }

  @Test("one that gave no answer is told again when the group is back already, and while a person is waited for")
  func toldLater() throws {
    let step = StepHook(.rollBack, Self.board)
    let walk = Self.walk(.rollBack)
    walk.go(to: .observing)
    walk.send(.rollBack(by: "Kari", why: "asked"))
    for _ in 0..<50 {
      if case .act(.stepHook) = walk.group.next(in: walk.context, now: walk.now) { break }
      walk.step()
    }
    let retryAt = walk.now + .days(5)
    walk.send(.stepHookAnswered(step, .silent("no answer"), retryAt: retryAt))
    let stopped = Note(by: "Ola", why: "storm", at: walk.now)
    walk.go(to: .restored)
    #expect(walk.now < retryAt)
    let wait = try #require(self.waits(walk))
    #expect(wait.code == .hookNotAssented && wait.until == retryAt && wait.seen.contains("gave no answer"))
    walk.now = retryAt
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.stepHook(step)))
    walk.send(.stepHookAnswered(step, .assented(""), retryAt: walk.now))
    #expect(walk.group.next(in: walk.context, now: walk.now) == .done)

    let held = Self.walk(.rollBack)
    held.go(to: .observing)
    held.send(.rollBack(by: "Kari", why: "asked"))
    held.context.stop = stopped
    held.send(.stepHookAnswered(step, .silent("no answer"), retryAt: held.now + .minutes(7)))
    let line = try #require(self.waits(held))
    #expect(line.code == .lineStopped && line.until == held.now + .minutes(7))
  }

  @Test("what is due within a minute comes before the telling; a wait without end is the time for it")
  func comesSecond() {
    let walk = Self.walk(.rollBack)
    walk.go(to: .observing)
    walk.send(.rollBack(by: "Kari", why: "asked"))
    let herID = walk.group.members[0].herID
    walk.send(.beginWrite(herID, observed: walk.read(herID)))
    walk.send(.readFailed(herID, seen: "down", retryAt: walk.now + .seconds(59)))
    #expect(self.waits(walk)?.code == .retry)
    walk.send(.readFailed(herID, seen: "down", retryAt: walk.now + .seconds(60)))
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.stepHook(StepHook(.rollBack, Self.board))))
    let held = Self.walk(.rollBack)
    held.go(to: .observing)
    held.send(.rollBack(by: "Kari", why: "asked"))
    held.context.stop = Note(by: "Ola", why: "storm", at: held.now)
    #expect(held.group.next(in: held.context, now: held.now) == .act(.stepHook(StepHook(.rollBack, Self.board))))
  }

  @Test("an answer out of place is refused: another point, another program, a group that goes forward")
  func outOfPlace() {
    let walk = Self.walk(.drained, .rollBack)
    Self.go(walk, to: .drained)
    func code(_ point: HookPoint, _ hook: String) -> Refusal.Code? {
      walk.send(.stepHookAnswered(StepHook(point, hook), .assented(""), retryAt: walk.now)).refusal?.code
    }
    #expect(code(.accept, Self.board) == .notInThisPhase)
    #expect(code(.rollBack, Self.board) == .notInThisPhase)
    #expect(code(.drained, "other") == .nothingDue)
    #expect(code(.drained, Self.board) == nil)
  }

  @Test("what answers stand is in the status, with the point before the name")
  func status() {
    let walk = Self.walk(.drained)
    Self.go(walk, to: .drained)
    self.answer(walk, .vetoed("no"))
    #expect(walk.group.allHookAnswers == ["drained/change-board": .vetoed("no")])
  }

  @Test("the question says the point; an answer that is none is silence")
  func errand() throws {
    let walk = Self.walk(.accept)
    let step = StepHook(.accept, Self.board)
    var errand = Errand(.stepHook(step), group: walk.group, plan: Fixture.plan([200]), settings: EngineSettings())
    guard case .call(.hook(let question)) = errand.begin() else {
      Issue.record("it asks")
      return
    }
    #expect(question.point == .accept && question.hook == Self.board)
    guard
      case .bring(.stepHookAnswered(step, .silent, _)) = errand.take(.noAnswer(within: .seconds(30)), at: walk.now, fraction: 0)
    else {
      Issue.record("no answer is silence")
      return
    }
  }

  @Test("hooks at other points are written so that an older program stops at the plan; ill-made ones block it")
  func plan() {
    var policy = Policy()
    policy.stepHooks = [StepHook(.accept, "board")]
    let plan = Fixture.plan([200], policy: policy)
    #expect(plan.isClear && MigrationEvent.puljeSealed(plan: plan, by: "Kari").version == 7)
    for steps in [[], [StepHook(.accept, "")], [StepHook(.cut, "board")], [StepHook(.accept, "b"), StepHook(.accept, "b")]] {
      policy.stepHooks = steps
      #expect(!Fixture.plan([200], policy: policy).isClear, "\(steps)")
    }
  }

  @Test("I-13 on the history: a step without the assent it needs is a breach")
  func watched() throws {
    for (isAssented, isRestarted, broken) in [(true, false, false), (false, false, true), (true, true, true)] {
      let walk = Self.walk(.drained)
      Self.go(walk, to: .drained)
      var state = MigrationState()
      var watch = HistoryWatch(isOfThisProgram: true)
      let plan = Fixture.plan([200], policy: walk.policy)
      var breaches: [Breach] = []
      func happen(_ event: MigrationEvent) {
        let phase = HistoryWatch.phase(before: event, in: state)
        _ = state.apply(event, at: walk.now)
        breaches += watch.take(event, at: walk.now, fence: 1, from: phase, state: state)
      }
      func happen(_ event: GroupEvent) { happen(.group(pulje: plan.name, group: plan.groups[0].id, event: event)) }
      happen(.puljeSealed(plan: plan, by: "Kari"))
      happen(.puljeStarted(pulje: plan.name, approvals: ["Kari", "Ola"]))
      for event in walk.events { happen(event) }
      breaches = []
      let step = StepHook(.drained, Self.board)
      happen(.stepHookAnswered(step: step, answer: isAssented ? .assented("") : .vetoed(""), retryAt: walk.now))
      if isRestarted { watch.restarted() }
      happen(.watchBegan)
      #expect(breaches.contains { $0.invariant == .approvedIsExecuted } == broken)
    }
  }
}
