// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Hooks before the cut, gates before the acceptance.
extension GroupState {
  /// The first hook of the policy that has not assented.
  func unassented(_ policy: Policy) -> String? {
    policy.hooks?.first { self.hookAnswers[$0]?.isAssent != true }
  }

  /// Before the cut, and before it is begun anew when no write of it took.
  var asksHooks: Bool { self.phase == .ready || self.phase == .cutIntent && self.isUnwritten }

  func decideHookAnswered(_ hook: String, _ answer: HookAnswer, _ retryAt: Instant, _ context: GroupContext) -> Outcome {
    let tried = "take the answer of hook \(hook.prefix(80))"
    guard self.asksHooks else { return self.refuse(.notInThisPhase, tried) }
    guard context.policy.hooks?.contains(hook) == true else {
      return self.refuse(.nothingDue, tried, "the pulje does not ask it")
    }
    if let refusal = self.forwardRefusal(tried, context) { return refusal }
    return .events([.hookAnswered(hook: hook, answer: answer, retryAt: retryAt)])
  }

  func decideMeasured(_ readings: [QueueReading], _ pings: [PingReport], _ context: GroupContext) -> Outcome {
    let tried = "measure the target bus"
    guard self.phase == .observing else { return self.refuse(.notInThisPhase, tried) }
    guard context.policy.gates != nil else { return self.refuse(.nothingDue, tried, "the pulje has no gates") }
    return .events([.measured(readings: readings, pings: pings)])
  }

  /// What the gates say; empty where the pulje has none.
  public func gateFindings(_ policy: Policy, now: Instant) -> [GateFinding] {
    policy.gates.map { self.gates.judge($0, now: now) } ?? []
  }

  func gateRefusal(_ tried: String, _ context: GroupContext, _ now: Instant) -> Outcome? {
    let findings = self.gateFindings(context.policy, now: now)
    func words(_ verdict: GateFinding.Verdict) -> String? {
      let found = findings.filter { $0.verdict == verdict }.map { "\($0.gate.rawValue): \($0.seen)" }
      return found.isEmpty ? nil : found.joined(separator: "; ")
    }
    if let failed = words(.fail) { return self.refuse(.gateFailed, tried, failed) }
    if let open = words(.inconclusive) { return self.refuse(.gateInconclusive, tried, open) }
    return nil
  }

  /// When the next measurement of a group that is watched is due; nil for never.
  func measureDue(_ context: GroupContext) -> Instant? {
    guard let gates = context.policy.gates else { return nil }
    return self.gates.lastAt.map { $0 + gates.measureInterval } ?? self.since
  }
}
