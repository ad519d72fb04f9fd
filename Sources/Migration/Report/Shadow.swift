// SPDX-License-Identifier: Apache-2.0

import BusModel

/// One look at a pulje in shadow mode: what was read, and what is predicted of each group from it. Nothing was written, sent or moved.
public struct ShadowLook: Sendable, Hashable, Codable {
  public struct Prediction: Sendable, Hashable, Codable {
    public enum Question: String, Sendable, Hashable, Codable, CaseIterable {
      /// Nothing will stand in the plan's way for this group.
      case plan
      /// The checks before the cut will pass.
      case preflight
      /// The first ping after the cut will show that somebody receives.
      case ping
      /// The source queues will be drained within the quiet period and a day.
      case drained
      /// The group will not be rolled back, nor come into conflict.
      case stays
    }

    public var question: Question
    public var expected: Bool
    /// What it rests on.
    public var because: String
  }

  public struct Group: Sendable, Hashable, Codable {
    public var id: GroupID
    public var herIDs: [HerID]
    public var predictions: [Prediction]
  }

  public var schema = "bus-migrator/shadow/1"
  public var at: Instant
  public var pulje: PuljeName
  public var planHash: String
  public var groups: [Group]

  /// - Parameter preflights: made now, read only; a group without one could not be looked at.
  public init(_ survey: Plan, findings: [PlanFinding], preflights: [GroupID: PreflightReport], at now: Instant) {
    self.at = now
    self.pulje = survey.name
    self.planHash = survey.hash
    self.groups = survey.groups.map { group in
      Group(
        id: group.id, herIDs: group.members.map(\.herID),
        predictions: Self.predict(group, survey, findings, preflights[group.id]))
    }
  }

  private static func predict(
    _ group: Plan.Group, _ plan: Plan, _ findings: [PlanFinding], _ preflight: PreflightReport?
  ) -> [Prediction] {
    let herIDs = Set(group.members.map(\.herID))
    let obstacle = plan.obstacles.first { $0.herID.map(herIDs.contains) ?? true }
    var made = [
      Prediction(
        question: .plan, expected: obstacle == nil,
        because: obstacle.map { "\($0.stableCode) \($0.seen)" } ?? "the register reads as the plan needs it")
    ]
    guard let preflight else { return made }
    let confirmed = group.members.allSatisfy(\.startConfirmed)
    let stopped = preflight.obstacle(startConfirmed: confirmed, policy: plan.policy)
    made.append(
      Prediction(
        question: .preflight, expected: stopped == nil,
        because: stopped.map { "\($0.check.rawValue): \($0.seen)" } ?? "every check passes now"))
    let consumer = preflight.findings.result(of: .targetConsumer)
    made.append(
      Prediction(
        question: .ping, expected: consumer == .passed,
        because:
          "\(preflight.findings.seen(of: .targetConsumer))\(consumer == .passed ? "" : ": nothing shows that somebody will receive")"
      ))
    let backlog = preflight.baseline.filter { $0.kind != .deadLetter }.reduce(Int64(0)) { $0 + ($1.depth ?? 0) }
    let isReadable = !preflight.baseline.isEmpty && preflight.baseline.allSatisfy(\.isReadable)
    let isListening = preflight.baseline.contains { reading in
      reading.consumers.map { $0 > 0 } ?? false
    }
    let drains = isReadable && (backlog == 0 || isListening)
    made.append(
      Prediction(
        question: .drained, expected: drains,
        because: !isReadable
          ? "the source's counters cannot be read"
          : "\(backlog) messages on the source queues, \(isListening ? "somebody listens" : "nobody is seen to listen") there"))
    let blockers: Set<PlanFinding.Code> = [.noAMQP10, .libraryTooOld]
    let warned = findings.first { $0.herID.map(herIDs.contains) ?? false && blockers.contains($0.code) }
    made.append(
      Prediction(
        question: .stays, expected: stopped == nil && consumer == .passed && warned == nil,
        because: warned.map { "\($0.stableCode) \($0.seen)" }
          ?? (stopped == nil ? "nothing speaks against it" : "the pre-flight fails")))
    return made
  }
}

/// What became of predictions: right, wrong, or not to be seen yet.
public struct ShadowScore: Sendable, Hashable, Codable {
  public struct Miss: Sendable, Hashable, Codable {
    public var at: Instant
    public var group: GroupID
    public var question: ShadowLook.Prediction.Question
    public var expected: Bool
    public var because: String
    /// What happened instead.
    public var happened: String
  }

  public struct Tally: Sendable, Hashable, Codable {
    public var right = 0
    public var wrong = 0
    public var open = 0
  }

  public var schema = "bus-migrator/shadow-score/1"
  public var looks: Int
  public var from: Instant?
  public var to: Instant?
  /// By the question's name.
  public var tallies: [String: Tally]
  public var misses: [Miss]

  public var right: Int { self.tallies.values.reduce(0) { $0 + $1.right } }
  public var wrong: Int { self.tallies.values.reduce(0) { $0 + $1.wrong } }
  /// Hundredths of a percent of those that are decided; nil when none is.
  public var share: Int? { self.right + self.wrong == 0 ? nil : self.right * 10_000 / (self.right + self.wrong) }

  /// - Parameters:
  ///   - looks: in any order.
  ///   - pulje: as the history has it, where it was started since; without it, plan and pre-flight are scored by the next look.
  public init(_ looks: [ShadowLook], pulje: PuljeState?, now: Instant) {
    let ordered = looks.sorted { $0.at < $1.at }
    self.looks = ordered.count
    self.from = ordered.first?.at
    self.to = ordered.last?.at
    self.tallies = Dictionary(
      uniqueKeysWithValues: ShadowLook.Prediction.Question.allCases.map { ($0.rawValue, Tally()) })
    self.misses = []
    for (index, look) in ordered.enumerated() {
      let next = ordered.indices.contains(index + 1) ? ordered[index + 1] : nil
      for group in look.groups {
        for prediction in group.predictions {
          self.take(prediction, group, look, Self.outcome(prediction.question, group, look, next: next, pulje: pulje, now: now))
        }
      }
    }
  }

  private mutating func take(
    _ prediction: ShadowLook.Prediction, _ group: ShadowLook.Group, _ look: ShadowLook, _ outcome: (held: Bool, words: String)?
  ) {
    var tally = self.tallies[prediction.question.rawValue] ?? Tally()
    defer { self.tallies[prediction.question.rawValue] = tally }
    guard let outcome else {
      tally.open += 1
      return
    }
    if outcome.held == prediction.expected {
      tally.right += 1
    } else {
      tally.wrong += 1
      self.misses.append(
        Miss(
          at: look.at, group: group.id, question: prediction.question, expected: prediction.expected, because: prediction.because,
          happened: outcome.words))
    }
  }

  /// What happened, by the history where the pulje has come so far, else by the next look; nil when nothing has shown yet.
  private static func outcome(
    _ question: ShadowLook.Prediction.Question, _ group: ShadowLook.Group, _ look: ShadowLook, next: ShadowLook?,
    pulje: PuljeState?,
    now: Instant
  ) -> (held: Bool, words: String)? {
    if let state = pulje?.groups[group.id], let sealedAt = pulje?.sealedAt, sealedAt >= look.at {
      return Self.outcome(question, state, policy: pulje?.policy ?? Policy(), now: now)
    }
    guard question == .plan || question == .preflight,
      let later = next?.groups.first(where: { $0.id == group.id })?.predictions.first(where: { $0.question == question })
    else { return nil }
    return (later.expected, "at \(next?.at.description ?? ""): \(later.because)")
  }

  private static func outcome(
    _ question: ShadowLook.Prediction.Question, _ group: GroupState, policy: Policy, now: Instant
  ) -> (held: Bool, words: String)? {
    func entered(_ phase: GroupPhase) -> Instant? { group.history.first { $0.phase == phase }?.at }
    switch question {
    case .plan: return (true, "the plan was sealed")
    case .preflight:
      if let at = entered(.ready) { return (true, "passed at \(at)") }
      return group.preflightFailures > 0 ? (false, group.lastFailure ?? "it failed") : nil
    case .ping:
      if let at = entered(.verified) { return (true, "verified at \(at)") }
      return group.pingFailures > 0 ? (false, group.lastFailure ?? "it failed") : nil
    case .drained:
      guard let begun = entered(.draining) else { return nil }
      let due = policy.quietEnd(since: begun) + .days(1)
      if let at = entered(.drained) { return (at <= due, "drained at \(at), begun \(begun)") }
      return now > due ? (false, "not drained, begun \(begun)") : nil
    case .stays:
      if group.rollBack != nil || group.history.contains(where: { $0.phase == .conflict }) {
        return (false, group.rollBack.map { "rolled back by \($0.by): \($0.why)" } ?? "it came into conflict")
      }
      switch group.phase {
      case .accepted, .retired, .removed: return (true, "accepted by \(group.acceptedBy.joined(separator: ", "))")
      default: return nil
      }
    }
  }

  public var text: String {
    var lines = ["\(self.looks) looks\(self.from.map { ", from \($0)" } ?? "")\(self.to.map { " to \($0)" } ?? "")"]
    for question in ShadowLook.Prediction.Question.allCases {
      let tally = self.tallies[question.rawValue] ?? Tally()
      lines.append("  \(question.rawValue): \(tally.right) right, \(tally.wrong) wrong, \(tally.open) not to be seen yet")
    }
    if let share {
      lines.append("\(share / 100).\(share % 100 < 10 ? "0" : "")\(share % 100) % of those that are decided were right")
    }
    lines += self.misses.map { miss in
      "missed: \(miss.group) \(miss.question.rawValue), predicted \(miss.expected ? "yes" : "no") at \(miss.at) because \(miss.because); "
        + "happened: \(miss.happened)"
    }
    return lines.joined(separator: "\n")
  }
}
