// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Follows a history event by event and says what in it breaks an invariant. It keeps its own accounts and believes nothing that
/// the reducer worked out but the phases, so that a fault in the reducer is seen.
public struct HistoryWatch: Sendable {
  struct PartyFacts {
    var before: RecordHash
    var after: RecordHash
    var lastRead: RecordHash?
    /// An intent was kept, or an answer came, since the entry was last read.
    var isOpen = false
  }

  struct GroupFacts {
    var members: [HerID]
    var policy: Unchanging<Policy>
    var direction = Direction.forward
    var enteredAt = Instant(milliseconds: 0)
    var enteredStart = 0
    var readableLooks = 0
    var lastLookIsReadable = false
    var exceptionUntil: Instant?
    /// The drain in the present direction has begun.
    var isDraining = false
    /// Of the newest forwarding order in the present direction.
    var order: ForwardingOrder?
    var wasOrdered = false
    /// The last look before a write at buses and way back, and whether it let one begin.
    var checkedAt: Instant?
    var isChecked = false
    /// Hooks that have assented where the group stands, and the last refusal is of another.
    var assents: [StepHook: Instant] = [:]
    /// Entries written in the present direction, or that may be.
    var written: Set<HerID> = []
    /// Declared, and not shown to be gone, with the queue that it carries from.
    var shovels: [String: QueueAddress] = [:]
    var runs: [QueueAddress: Runs] = [:]
  }

  /// Who has carried from a queue, by what each told.
  struct Runs: Sendable {
    var newest = ""
    var received: [String: Int64] = [:]
    /// Told of more once after another had begun to carry: the last word of one that ended.
    var late: Set<String> = []
  }

  var parties: [PuljeName: [HerID: PartyFacts]] = [:]
  var groups: [Roster.Key: GroupFacts] = [:]
  private var operations: Set<OperationID> = []
  private var started: Set<PuljeName> = []
  private var highestFence: Int64 = 0
  private var starts = 0
  private var isStopped = false
  /// Whether a look that is too old to write on is made anew, wherever a group stands. Programs before form 7 wrote the rest of a group on
  /// what was seen before its first write, and their histories stay good.
  private var looksAgain: Bool

  /// - Parameter isOfThisProgram: nothing of the history was written by an earlier one.
  public init(isOfThisProgram: Bool = false) { self.looksAgain = isOfThisProgram }

  /// The daemon has been started: known by the start itself, not by what the history says of it.
  public mutating func restarted() {
    self.starts += 1
    for key in self.groups.keys { self.groups[key]?.assents = [:] }
  }

  /// Where the event's group stood before it; nil for events of no group.
  public static func phase(before event: MigrationEvent, in state: MigrationState) -> GroupPhase? {
    guard case .group(let pulje, let group, _) = event else { return nil }
    return state.puljer[pulje]?.groups[group]?.phase
  }

  /// - Parameters:
  ///   - phase: what ``phase(before:in:)`` gave before the event was folded in.
  ///   - state: after it was folded in.
  public mutating func take(
    _ event: MigrationEvent, at now: Instant, fence: Int64, from phase: GroupPhase?, state: MigrationState
  ) -> [Breach] {
    var breaches: [Breach] = []
    if fence < self.highestFence {
      breaches.append(Breach(.oneWriter, "\(event.kind) by token \(fence) after \(self.highestFence)"))
    }
    self.highestFence = max(self.highestFence, fence)
    switch event {
    case .puljeSealed(let plan, _): breaches += self.sealed(plan, state)
    case .puljeStarted(let name, _):
      if !self.started.insert(name).inserted { breaches.append(Breach(.approvedIsExecuted, "\(name) is started twice")) }
    case .lineStopped: self.isStopped = true
    case .lineReleased: self.isStopped = false
    case .puljePaused, .puljeResumed, .daemonStarted, .busClosed, .commanded, .environmentNamed: break
    case .group(let name, let group, let event):
      let key = Roster.Key(pulje: name, group: group)
      guard let after = state.puljer[name]?.groups[group], let phase, self.groups[key] != nil else {
        return breaches + [Breach(.unknownStops, "\(event.kind) of \(group), which is in no sealed plan")]
      }
      breaches += self.group(event, key, at: now, from: phase, to: after.phase)
    }
    return breaches
  }

  private mutating func sealed(_ plan: Plan, _ state: MigrationState) -> [Breach] {
    var breaches: [Breach] = []
    for pulje in state.ordered where pulje.name != plan.name {
      for herID in plan.herIDs {
        guard let group = pulje.group(of: herID).flatMap({ pulje.groups[$0] }), !group.phase.isClosed else { continue }
        breaches.append(Breach(.closure, "HER-ID \(herID) of \(plan.name) is in \(pulje.name), which is open"))
      }
    }
    var groupByAddress: [QueueAddress: GroupID] = [:]
    let policy = Unchanging(plan.policy)
    for group in plan.groups {
      for queue in group.members.queues(after: false) {
        if let other = groupByAddress.updateValue(group.id, forKey: queue.address), other != group.id {
          breaches.append(Breach(.closure, "\(queue.address) is shared by \(other) and \(group.id)"))
        }
      }
      self.groups[Roster.Key(pulje: plan.name, group: group.id)] = GroupFacts(
        members: group.members.map(\.herID), policy: policy)
      for member in group.members {
        self.parties[plan.name, default: [:]][member.herID] = PartyFacts(before: member.before.hash, after: member.after.hash)
      }
    }
    if let waves = plan.waves, waves.flatMap(\.self).sorted() != plan.groups.map(\.id).sorted() {
      breaches.append(Breach(.closure, "the waves do not hold every group once"))
    }
    return breaches
  }

  private mutating func group(
    _ event: GroupEvent, _ key: Roster.Key, at now: Instant, from phase: GroupPhase, to next: GroupPhase
  ) -> [Breach] {
    var breaches = self.attestation(event, key, at: now, from: phase, to: next)
    defer { if next != phase { self.groups[key]?.assents = [:] } }
    switch event {
    case .stepHookAnswered(let step, let answer, _):
      self.groups[key]?.assents[step] = answer.isAssent ? now : nil
    case .watchBegan: breaches += self.assented(.drained, event, key, at: now)
    case .preflightPassed, .preflightFailed, .restChecked: breaches += self.checked(event, key, at: now)
    case .intentRecorded(let operation, let herID, let direction, let base, let goal):
      breaches += self.intent(operation, herID, direction, base, goal, key)
      if direction == .forward { breaches += self.wayBack(herID, key, at: now) }
    case .writeReturned(_, let herID, _): self.party(key, herID) { $0.isOpen = true }
    case .readAsGoal(let herID, let found), .readAsBase(let herID, let found, _):
      if case .readAsBase = event {
        self.groups[key]?.written.remove(herID)
      } else if self.groups[key]?.direction == .forward {
        self.groups[key]?.written.insert(herID)
      }
      self.wasRead(key, herID, found)
    case .conflictFound(let herID, let record): self.wasRead(key, herID, record.hash)
    case .drainBegan:
      self.groups[key]?.isDraining = true
      for herID in self.groups[key]?.members ?? [] {
        guard let facts = self.parties[key.pulje]?[herID], facts.isOpen || facts.lastRead != self.goal(facts, key) else {
          continue
        }
        breaches.append(Breach(.watermarkAfterFence, "the drain of \(key.group) begins before HER-ID \(herID) reads as written"))
      }
    case .looked(let readings):
      let readable = !readings.isEmpty && readings.allSatisfy(\.isReadable)
      self.groups[key]?.lastLookIsReadable = readable
      if readable { self.groups[key]?.readableLooks += 1 }
    case .lateArrival: self.groups[key]?.readableLooks = 0
    case .waived(_, _, let until): self.groups[key]?.exceptionUntil = until
    case .rollBackStarted:
      self.groups[key]?.direction = .back
      self.groups[key]?.readableLooks = 0
      self.groups[key]?.exceptionUntil = nil
      self.groups[key]?.isDraining = false
      self.groups[key]?.order = nil
      self.groups[key]?.written = []
    case .excepted(let exception):
      let facts = self.groups[key]
      let needed = facts?.direction == .back ? 1 : facts?.policy.value.approvals ?? 1
      if Set(exception.by.map { $0.lowercased() }).count < needed || exception.until <= now {
        breaches.append(
          Breach(.approvedIsExecuted, "an exception for \(exception.what) of \(key.group) by \(exception.by.count) people"))
      }
    case .forwardingApproved, .forwardingPaused, .forwardingResumed, .forwardingEnded, .forwarded, .forwardingStopped:
      breaches += self.forwarding(event, key)
    case .pinged, .drained, .accepted, .retired, .removalApproved:
      breaches += self.evidence(event, key, at: now)
      if case .accepted = event { breaches += self.assented(.accept, event, key, at: now) }
      if case .removalApproved = event { breaches += self.assented(.removal, event, key, at: now) }
    case .shovelIntended(let shovel):
      if self.groups[key]?.order == nil {
        breaches.append(Breach(.approvedIsExecuted, "\(shovel.name) of \(key.group) is declared, and nobody ordered it"))
      }
      self.groups[key]?.shovels["\(shovel.node) \(shovel.name)"] = shovel.from
    case .shovelGone(let node, let name): self.groups[key]?.shovels["\(node) \(name)"] = nil
    case .restored:
      for herID in self.groups[key]?.members ?? [] {
        guard let facts = self.parties[key.pulje]?[herID], facts.lastRead != facts.before else { continue }
        breaches.append(Breach(.exactReturn, "\(key.group) is restored while HER-ID \(herID) does not read as before"))
      }
    default: break
    }
    return breaches
  }

  /// I-13: a step that a program may veto is taken when it has assented, no longer ago than a day and since the last start.
  private func assented(_ point: HookPoint, _ event: GroupEvent, _ key: Roster.Key, at now: Instant) -> [Breach] {
    guard let facts = self.groups[key] else { return [] }
    for step in facts.policy.value.hooks(at: point) {
      if let at = facts.assents[step], now.since(at) <= facts.policy.value.drainedLife { continue }
      return [Breach(.approvedIsExecuted, "\(event.kind) of \(key.group) without the assent of \(step.hook)")]
    }
    return []
  }

  /// I-10: what was seen of buses and way back before a write, and what it lets begin.
  private mutating func checked(_ event: GroupEvent, _ key: Roster.Key, at now: Instant) -> [Breach] {
    self.groups[key]?.checkedAt = now
    switch event {
    case .preflightPassed(let report):
      self.groups[key]?.isChecked = true
      guard let broken = report.wayBackObstacle else { return [] }
      return [Breach(.reverseIsOpen, "\(key.group) passes its pre-flight without a way back: \(broken)")]
    case .restChecked(let report, let wayBack):
      self.looksAgain = true
      self.groups[key]?.isChecked = true
      if self.groups[key]?.written.isEmpty ?? true {
        return [Breach(.reverseIsOpen, "\(key.group) goes on as if it were half moved, and nothing of it is")]
      }
      // Told is what was seen.
      guard (report.wayBackObstacle == nil) != (wayBack == nil) else { return [] }
      return [Breach(.reverseIsOpen, "\(key.group): of its way back something else is told than was seen")]
    default:
      self.groups[key]?.isChecked = false
      return []
    }
  }

  /// I-10: the first of a group's entries is written while the way back stands, by a look no older than READY and ARMED live; each other
  /// one after a look as young, which found the target bus standing and told what of the way back did not.
  private mutating func wayBack(_ herID: HerID, _ key: Roster.Key, at now: Instant) -> [Breach] {
    guard let facts = self.groups[key] else { return [] }
    self.groups[key]?.written.insert(herID)
    guard facts.isChecked, let checkedAt = facts.checkedAt else {
      return [Breach(.reverseIsOpen, "an intent for HER-ID \(herID) after a look that did not pass")]
    }
    if !self.looksAgain { return [] }
    let policy = facts.policy.value
    let life = facts.written.isEmpty ? policy.readyLife * 2 : policy.readyLife
    let age = now.since(checkedAt)
    guard age > life else { return [] }
    return [Breach(.reverseIsOpen, "an intent for HER-ID \(herID) on a look at its way back that is \(age) old")]
  }

  /// I-13 and I-9: nothing is carried that nobody ordered, nor before every entry read back as written.
  private mutating func forwarding(_ event: GroupEvent, _ key: Roster.Key) -> [Breach] {
    guard let facts = self.groups[key] else { return [] }
    switch event {
    case .forwardingApproved(let order):
      self.groups[key]?.order = order
      self.groups[key]?.wasOrdered = true
      var breaches: [Breach] = []
      if !facts.isDraining {
        breaches.append(Breach(.watermarkAfterFence, "forwarding for \(key.group) is ordered before its drain has begun"))
      }
      let people = Set(order.approvals.map { $0.lowercased() }).count
      let needed = facts.direction == .back ? 1 : facts.policy.value.approvals
      if facts.policy.value.leftovers != .forward || people < needed || self.isStopped {
        breaches.append(Breach(.approvedIsExecuted, "forwarding for \(key.group) is ordered by \(people) people"))
      }
      if order.queues.contains(where: { $0 == .synchronous || $0 == .synchronousReply }) {
        breaches.append(Breach(.approvedIsExecuted, "forwarding for \(key.group) takes synchronous messages"))
      }
      return breaches
    case .forwarded(let queue, let count) where facts.wasOrdered: return self.carried(queue, count, key)
    case .forwarded(let queue, _), .forwardingStopped(let queue, _, _):
      // The last word on the way forward may come when the group has turned back.
      return facts.wasOrdered ? [] : [Breach(.approvedIsExecuted, "\(queue) is forwarded, and nobody ordered it")]
    case .forwardingEnded:
      self.groups[key]?.order = nil
      return []
    default: return facts.order == nil ? [Breach(.approvedIsExecuted, "\(event.kind) of \(key.group) without an order")] : []
    }
  }

  /// I-8: one at a time carries from a queue, else its senders' messages overtake each other. One that has ended may tell its last word when
  /// the next has begun; it does not go on.
  private mutating func carried(_ queue: QueueAddress, _ count: ForwardingCount, _ key: Roster.Key) -> [Breach] {
    guard let facts = self.groups[key] else { return [] }
    var runs = facts.runs[queue] ?? Runs()
    defer { self.groups[key]?.runs[queue] = runs }
    let before = runs.received[count.run]
    runs.received[count.run] = max(count.received, before ?? 0)
    let isBesideShovel = facts.shovels.values.contains(queue)
    guard let before else {
      runs.newest = count.run
      guard isBesideShovel, count.received > 0 else { return [] }
      return [Breach(.orderKept, "\(queue) is carried from by run \(count.run) beside a shovel")]
    }
    guard count.run != runs.newest || isBesideShovel, count.received > before else { return [] }
    if runs.late.insert(count.run).inserted { return [] }
    let other = isBesideShovel ? "a shovel" : "run \(runs.newest)"
    return [Breach(.orderKept, "\(queue) is carried from by run \(count.run) beside \(other)")]
  }

  private mutating func intent(
    _ operation: OperationID, _ herID: HerID, _ direction: Direction, _ base: RecordHash, _ goal: RecordHash, _ key: Roster.Key
  ) -> [Breach] {
    var breaches: [Breach] = []
    if self.isStopped { breaches.append(Breach(.stopWorks, "an intent for HER-ID \(herID) while the line is stopped")) }
    if !self.operations.insert(operation).inserted {
      breaches.append(Breach(.durableIntentFirst, "\(operation) is kept twice"))
    }
    guard let facts = self.parties[key.pulje]?[herID] else {
      return breaches + [Breach(.approvedIsExecuted, "an intent for HER-ID \(herID), which is in no sealed plan")]
    }
    let expected = direction == .forward ? (facts.before, facts.after) : (facts.after, facts.before)
    if (base, goal) != expected {
      breaches.append(Breach(.approvedIsExecuted, "the intent for HER-ID \(herID) is not what was sealed"))
    }
    self.party(key, herID) { $0.isOpen = true }
    return breaches
  }

  /// I-11: whatever leads on from a starred phase finds it young, and entered since the last start.
  private mutating func attestation(
    _ event: GroupEvent, _ key: Roster.Key, at now: Instant, from phase: GroupPhase, to next: GroupPhase
  ) -> [Breach] {
    defer {
      if next != phase || Self.renews(event) {
        self.groups[key]?.enteredAt = now
        self.groups[key]?.enteredStart = self.starts
      }
    }
    guard next != phase, next != phase.lastFact, next != phase.fallback, let facts = self.groups[key],
      let life = facts.policy.value.life(of: phase), Self.rests(event)
    else { return [] }
    if facts.enteredStart != self.starts {
      return [
        Breach(
          .attestationsExpire, "\(key.group) goes from \(phase.rawValue) to \(next.rawValue) on what was seen before the start")
      ]
    }
    let age = now.since(facts.enteredAt)
    guard age > life || age.milliseconds < 0 else { return [] }
    return [Breach(.attestationsExpire, "\(key.group) goes from \(phase.rawValue), \(age) old, to \(next.rawValue)")]
  }

  private static func renews(_ event: GroupEvent) -> Bool {
    switch event {
    case .preflightPassed, .pinged: true
    default: false
    }
  }

  /// Events that trust the phase they leave. A conflict, a late arrival or a person's turning back do not.
  private static func rests(_ event: GroupEvent) -> Bool {
    switch event {
    case .armed, .intentRecorded, .drainBegan, .drained, .watchBegan, .restored, .accepted: true
    default: false
    }
  }

  private func goal(_ facts: PartyFacts, _ key: Roster.Key) -> RecordHash {
    self.groups[key]?.direction == .back ? facts.before : facts.after
  }

  private mutating func wasRead(_ key: Roster.Key, _ herID: HerID, _ found: RecordHash) {
    self.party(key, herID) { facts in
      facts.lastRead = found
      facts.isOpen = false
    }
  }

  private mutating func party(_ key: Roster.Key, _ herID: HerID, _ change: (inout PartyFacts) -> Void) {
    guard var facts = self.parties[key.pulje]?[herID] else { return }
    change(&facts)
    self.parties[key.pulje]?[herID] = facts
  }
}

extension HistoryWatch {
  /// I-14: what the step rests on was really seen.
  fileprivate func evidence(_ event: GroupEvent, _ key: Roster.Key, at now: Instant) -> [Breach] {
    guard let facts = self.groups[key] else { return [] }
    let isExcepted = facts.exceptionUntil.map { $0 > now } ?? false
    if !facts.shovels.isEmpty, event.kind != "pinged" {
      return [Breach(.silenceIsNotSuccess, "\(event.kind) of \(key.group) while a shovel may carry")]
    }
    switch event {
    case .pinged(let reports):
      for herID in facts.members {
        let report = reports.first { $0.herID == herID }
        if report?.findings.result(of: .accepted) != .passed {
          return [Breach(.silenceIsNotSuccess, "\(key.group) counts as verified without an accepted ping of HER-ID \(herID)")]
        }
      }
    case .drained:
      if !isExcepted, !facts.lastLookIsReadable || facts.readableLooks < facts.policy.value.minimumLooks {
        return [Breach(.silenceIsNotSuccess, "\(key.group) counts as drained after \(facts.readableLooks) readable looks")]
      }
    case .accepted, .retired, .removalApproved:
      if !facts.lastLookIsReadable {
        return [Breach(.silenceIsNotSuccess, "\(event.kind) of \(key.group) on counters that could not be read")]
      }
    default: break
    }
    return []
  }

  /// I-15: groups that neither do anything nor say what they wait for, in whose hands, and until when.
  ///
  /// - Parameters:
  ///   - wake: when the engine looks again by itself; nil when only news moves it.
  ///   - next: what ``MigrationState/next(now:)`` says.
  public static func inTheDark(
    _ next: [(pulje: PuljeName, group: GroupID, next: GroupNext)], now: Instant, wake: Instant?, isBusy: (Roster.Key) -> Bool
  ) -> [Breach] {
    next.compactMap { pulje, group, next in
      guard case .wait(let reason) = next, !isBusy(Roster.Key(pulje: pulje, group: group)) else { return nil }
      if reason.isWordless { return Breach(.nothingInTheDark, "\(group) waits without words") }
      if reason.since > now + .hours(24) { return Breach(.nothingInTheDark, "\(group) waits since the future") }
      if reason.clears == .itself {
        guard let until = reason.until else { return Breach(.nothingInTheDark, "\(group) waits for itself without end") }
        if wake.map({ $0 > until }) ?? true {
          return Breach(.nothingInTheDark, "\(group) is to be looked at again \(until), and nobody will")
        }
      }
      return nil
    }
  }
}
