// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Hooks at other points than the cut: those that can keep the group where it is, and the one that is told of a roll-back.
extension GroupState {
  /// The point at which the group stands now; nil for none.
  func hookPoint(_ policy: Policy, now: Instant) -> HookPoint? {
    switch self.phase {
    case .drained: .drained
    case .observing: self.watchSince.map { now >= $0 + policy.watchPeriod } ?? false ? .accept : nil
    case .retired: now >= self.since + policy.keepsSource ? .removal : nil
    default: nil
    }
  }

  private func answer(of step: StepHook) -> StepAnswer? { self.stepAnswers.first { $0.step == step } }

  /// The first hook at the group's point that does not assent now; nil when all do, or there is none.
  func unassentedStep(_ policy: Policy, now: Instant) -> StepHook? {
    guard policy.stepHooks != nil, let point = self.hookPoint(policy, now: now) else { return nil }
    return policy.hooks(at: point).first { self.answer(of: $0)?.assents(now: now, policy: policy) != true }
  }

  /// What is to be done about the hooks at the group's point; nil when all assent, or there is none.
  ///
  /// - Parameters:
  ///   - wake: when something else is due.
  func hookStep(_ policy: Policy, now: Instant, wake: Instant) -> GroupNext? {
    guard let step = self.unassentedStep(policy, now: now) else { return nil }
    guard let answer = self.answer(of: step), !answer.answer.isAssent, answer.at <= now, now < answer.retryAt else {
      return .act(.stepHook(step))
    }
    let seen = "\(step.point.rawValue): the hook \(step.hook) \(answer.answer.words)"
    return .wait(WaitReason(.hookNotAssented, since: self.since, until: min(answer.retryAt, wake), seen: seen))
  }

  /// When the first assent at the group's point lapses; nil when nobody was asked.
  func assentsLapse(_ policy: Policy, now: Instant) -> Instant? {
    guard policy.stepHooks != nil, let point = self.hookPoint(policy, now: now) else { return nil }
    let assents = self.stepAnswers.filter { $0.step.point == point && $0.answer.isAssent }
    return assents.map { $0.at + policy.drainedLife + .milliseconds(1) }.min()
  }

  /// Who is still to be told that the group goes back, and may be now: nothing of the way back waits for it.
  func untold(_ next: GroupNext, _ policy: Policy, now: Instant) -> StepHook? {
    guard self.direction == .back, policy.stepHooks != nil else { return nil }
    if case .act = next { return nil }
    // The program may take its time; what is due sooner comes first.
    if case .wait(let reason) = next, let until = reason.until, until < now + .minutes(1) { return nil }
    return policy.hooks(at: .rollBack).first { step in
      guard let answer = self.answer(of: step) else { return true }
      return !answer.isTold && (now >= answer.retryAt || now < answer.at)
    }
  }

  /// Somebody has to be told once more, whatever the group waits for, and when it is back already as well.
  func orTellingIsDue(_ next: GroupNext, _ policy: Policy, _ now: Instant) -> GroupNext {
    guard self.direction == .back, policy.stepHooks != nil else { return next }
    let due = self.stepAnswers.filter { $0.step.point == .rollBack && !$0.isTold && now < $0.retryAt }
    guard let first = due.min(by: { $0.retryAt < $1.retryAt }) else { return next }
    switch next {
    case .act: return next
    case .wait(var reason):
      reason.until = min(first.retryAt, reason.until ?? first.retryAt)
      return .wait(reason)
    case .done:
      let seen = "roll-back: the hook \(first.step.hook) \(first.answer.words)"
      return .wait(WaitReason(.hookNotAssented, since: self.since, until: first.retryAt, seen: seen))
    }
  }

  func hookRefusal(_ tried: String, _ point: HookPoint, _ context: GroupContext, _ now: Instant) -> Outcome? {
    let missing = context.policy.hooks(at: point).first { self.answer(of: $0)?.assents(now: now, policy: context.policy) != true }
    guard let missing else { return nil }
    return self.refuse(
      .hookNotAssented, tried, "\(missing.hook) \(self.answer(of: missing)?.answer.words ?? "was not asked yet")")
  }

  func decideStepHook(
    _ step: StepHook, _ answer: HookAnswer, _ retryAt: Instant, _ context: GroupContext, _ now: Instant
  ) -> Outcome {
    let tried = "take the answer of hook \(step.hook.prefix(80))"
    let isDue = step.point == .rollBack ? self.direction == .back : self.hookPoint(context.policy, now: now) == step.point
    guard isDue else { return self.refuse(.notInThisPhase, tried) }
    guard context.policy.stepHooks?.contains(step) == true else {
      return self.refuse(.nothingDue, tried, "the pulje does not ask it")
    }
    // For days nobody may decide: it is not asked every other minute.
    let pause = step.point == .drained ? context.policy.lookInterval : context.policy.watchLookInterval
    let retryAt = answer.isAssent || step.point == .rollBack ? retryAt : max(retryAt, now + pause)
    return .events([.stepHookAnswered(step: step, answer: answer, retryAt: retryAt)])
  }

  mutating func note(_ answer: HookAnswer, of step: StepHook, retryAt: Instant, at now: Instant) {
    let before = self.answer(of: step)?.refusals ?? 0
    self.stepAnswers.removeAll { $0.step == step }
    let refusals = answer.isAssent ? 0 : before + 1
    self.stepAnswers.append(StepAnswer(step: step, answer: answer, at: now, retryAt: retryAt, refusals: refusals))
  }

  /// What was assented to is what was seen then. Who was told of the way back stays told.
  mutating func forgetAssents() {
    if self.stepAnswers.contains(where: { $0.step.point.canVeto }) { self.stepAnswers.removeAll { $0.step.point.canVeto } }
  }

  /// All answers that count now, by name; those of other points than the cut with the point before it.
  var allHookAnswers: [String: HookAnswer] {
    var answers = self.hookAnswers
    for answer in self.stepAnswers { answers["\(answer.step.point.rawValue)/\(answer.step.hook)"] = answer.answer }
    return answers
  }
}
