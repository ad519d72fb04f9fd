// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Takes in a history event by event, and has the facts of one pulje at its end. Of a long history it keeps no more than of a short one, but for
/// what the report names one by one.
public struct ReportFold: Sendable {
  /// An event as the history holds it.
  public struct Row: Sendable {
    public var sequence: Int64
    public var hash: String
    public var at: Instant
    public var event: MigrationEvent

    public init(sequence: Int64, hash: String, at: Instant, event: MigrationEvent) {
      self.sequence = sequence
      self.hash = hash
      self.at = at
      self.event = event
    }
  }

  public let name: PuljeName
  /// What all events so far fold to.
  public private(set) var state = MigrationState()
  /// The first event that makes no sense after those before it; nothing is taken in after it.
  public private(set) var inconsistentAt: Int64?
  public private(set) var head = ReportFacts.Head(sequence: 0, hash: String(repeating: "0", count: 64))

  var events: Int64 = 0
  var firstAt: Instant?
  var lastAt: Instant?
  var sealedAt: Instant?
  var starts = 0
  var clockSteppedBack = 0
  var plots = ReportPlots()
  var commands: [ReportFacts.Command] = []
  var incidents = IncidentBook()
  var late = LateBook()
  var service = ServiceBook()
  var tracks: [GroupID: GroupTrack] = [:]
  /// How the groups' time was spent, since the plan was sealed.
  var spending: SpendingBook?
  var writes = 0
  var unknownOutcomes = 0
  var refusedWrites = 0
  var byHand = 0
  var pings = 0
  var failedPings = 0
  var looks = 0
  var unreadableLooks = 0
  var lateMessages: Int64 = 0
  var sourceDepths = DepthSum()
  var targetDepths = DepthSum()

  public init(of name: PuljeName) { self.name = name }

  public mutating func take(_ row: Row) {
    guard self.inconsistentAt == nil else { return }
    self.head = ReportFacts.Head(sequence: row.sequence, hash: row.hash)
    let isOurs = row.event.pulje == self.name || (row.event.pulje == nil && self.sealedAt != nil)
    if isOurs, let last = self.lastAt, row.at < last { self.clockSteppedBack += 1 }
    let before = isOurs ? self.standing(row.event) : nil
    if isOurs, let sealed = self.sealedAt, sealed <= row.at { self.reckon(row.event, until: row.at) }
    guard self.state.apply(row.event, at: row.at) else {
      self.inconsistentAt = row.sequence
      return
    }
    guard isOurs else { return }
    self.look(row.event, at: row.at)
    self.events += 1
    self.firstAt = self.firstAt ?? row.at
    self.lastAt = row.at
    switch row.event {
    case .puljeSealed(let plan, _):
      self.sealedAt = row.at
      for group in plan.groups { self.tracks[group.id] = GroupTrack() }
    case .puljePaused(_, let by, let why): self.incidents.begin(.paused, nil, code: "MIG-402", at: row.at, seen: why, by: by)
    case .puljeResumed: self.incidents.end(.paused, nil, at: row.at)
    case .lineStopped(let by, let why): self.incidents.begin(.lineStopped, nil, code: "MIG-417", at: row.at, seen: why, by: by)
    case .lineReleased: self.incidents.end(.lineStopped, nil, at: row.at)
    case .daemonStarted:
      self.starts += 1
      self.incidents.begin(.daemonStarted, nil, at: row.at, seen: "")
    case .group(_, let id, let event): self.take(event, of: id, at: row.at, before: before)
    case .commanded(let record):
      self.commands.append(
        ReportFacts.Command(
          at: row.at, verb: record.verb, by: record.by, giver: record.giver.description, role: record.role, reason: record.reason,
          status: record.status, parties: record.herIDs.count))
    case .puljeStarted, .busClosed, .environmentNamed: break
    }
  }

  // MARK: one group's event

  /// What stood before an event, of a group: only numbers, so that nothing of the group is held while it changes.
  struct Standing {
    var hold: Hold.Code?
    var isConflict: Bool
    var pingFailures: Int
    var readFailures: Int
    var isReadable: Bool
    var arrived: Int64
    var staleSince: Instant?
    var staleEnded: Instant?
    var direction: Direction
    var stops: [QueueAddress]
    var hasLooked: Bool
  }

  private func standing(_ event: MigrationEvent) -> Standing? {
    guard case .group(_, let id, _) = event, let group = self.state.puljer[self.name]?.groups[id] else { return nil }
    return Standing(group)
  }

  private mutating func take(_ event: GroupEvent, of id: GroupID, at: Instant, before: Standing?) {
    guard let pulje = self.state.puljer[self.name], let group = pulje.groups[id], let before else { return }
    let after = Standing(group)
    self.follow(before, after, group, event, at: at)
    self.tracks[id]?.take(event, phase: group.phase, at: at)
    switch event {
    case .preflightPassed(let report), .preflightFailed(let report, _, _):
      self.service.look(report.baseline, of: id, in: .before, at: at)
      self.depth(report.baseline, of: id, at: at, isSource: true)
    case .looked(let readings):
      self.looks += 1
      if !readings.allSatisfy(\.isReadable) { self.unreadableLooks += 1 }
      let isSource = group.direction == .forward
      if isSource { self.service.look(readings, of: id, in: .during, at: at) }
      self.arrivals(readings, of: id, at: at, isSource: isSource)
      self.depth(readings, of: id, at: at, isSource: isSource)
      let came = after.arrived - (after.direction == before.direction ? before.arrived : 0)
      self.late.count(came, at: at)
      self.lateMessages += max(0, came)
    case .measured(let readings, let pings):
      self.service.look(readings, of: id, in: .after, at: at)
      self.arrivals(readings, of: id, at: at, isSource: false)
      self.depth(readings, of: id, at: at, isSource: false)
      for ping in pings { self.take(ping, pulje.policy, at: at) }
    case .pinged(let reports):
      for ping in reports { self.take(ping, pulje.policy, at: at) }
    case .pingFailed(let reports, _, _):
      for ping in reports { self.take(ping, pulje.policy, at: at) }
      // A ping that was not even made is one that failed.
      if reports.isEmpty {
        self.pings += 1
        self.failedPings += 1
      }
    case .sighted(let queue, let sightings, _):
      let kind = group.drain.last.first { $0.address == queue }?.kind ?? .asynchronous
      let classifier = StrandedClassifier(group.drain, policy: pulje.policy, now: at)
      for message in sightings { self.late.take(message, classifier.classify(message, on: kind).0, on: queue, seenAt: at) }
    default: break
    }
  }

  private mutating func take(_ ping: PingReport, _ policy: Policy, at: Instant) {
    self.pings += 1
    if ping.shortcoming(policy: policy) != nil {
      self.failedPings += 1
      self.plots.accepted.miss(at: at)
    }
    if let accepted = ping.acceptedAfter {
      self.plots.accepted.take(accepted, at: at)
      self.service.latency(accepted)
    }
    if let answered = ping.answeredAfter { self.plots.answered.take(answered, at: at) }
  }

  private mutating func depth(_ readings: [QueueReading], of id: GroupID, at: Instant, isSource: Bool) {
    let counted = readings.filter { $0.kind != .deadLetter }
    let isReadable = !counted.isEmpty && counted.allSatisfy(\.isReadable)
    let lying = counted.reduce(Int64(0)) { $0 + ($1.lying ?? 0) }
    if isSource {
      if isReadable {
        self.plots.sourceDepth.take(self.sourceDepths.take(lying, of: id), at: at)
      } else {
        self.plots.sourceDepth.miss(at: at)
      }
    } else {
      if isReadable {
        self.plots.targetDepth.take(self.targetDepths.take(lying, of: id), at: at)
      } else {
        self.plots.targetDepth.miss(at: at)
      }
    }
  }

  private mutating func arrivals(_ readings: [QueueReading], of id: GroupID, at: Instant, isSource: Bool) {
    guard let came = self.service.came(readings, of: id, isSource: isSource) else { return }
    if isSource { self.plots.sourceArrivals.take(came, at: at) } else { self.plots.targetArrivals.take(came, at: at) }
  }

  // MARK: incidents

  private mutating func follow(_ before: Standing, _ after: Standing, _ group: GroupState, _ event: GroupEvent, at: Instant) {
    let id = group.id
    if after.hold != before.hold {
      self.incidents.end(.hold, id, at: at)
      if let hold = group.hold { self.incidents.begin(.hold, id, code: hold.code.rawValue, at: at, seen: hold.seen) }
    }
    if after.isConflict, !before.isConflict {
      var seen = "the entry reads as neither before nor after"
      if case .conflictFound(let herID, _) = event { seen = "HER-ID \(herID): \(seen)" }
      self.incidents.begin(.conflict, id, code: "MIG-413", at: at, seen: seen)
    } else if !after.isConflict, before.isConflict {
      self.incidents.end(.conflict, id, at: at)
    }
    if after.pingFailures > 0, before.pingFailures == 0 {
      self.incidents.begin(.pingFailed, id, at: at, seen: group.lastFailure ?? "")
    } else if after.pingFailures == 0, before.pingFailures > 0 {
      self.incidents.end(.pingFailed, id, at: at)
    }
    if after.readFailures > 0, before.readFailures == 0 {
      self.incidents.begin(.readFailed, id, at: at, seen: group.lastFailure ?? "")
    } else if after.readFailures == 0, before.readFailures > 0 {
      self.incidents.end(.readFailed, id, at: at)
    }
    if after.hasLooked, !after.isReadable, !before.hasLooked || before.isReadable {
      let seen = group.drain.last.lazy.compactMap { reading -> String? in
        switch reading.count {
        case .unreadable(let why): why
        case .absent where !reading.isReadable: "\(reading.address) is not there"
        default: nil
        }
      }.first
      self.incidents.begin(.countersUnreadable, id, code: "MIG-405", at: at, seen: seen ?? "")
    } else if before.hasLooked, !before.isReadable, after.isReadable || !after.hasLooked {
      self.incidents.end(.countersUnreadable, id, at: at)
    }
    if let since = after.staleSince, since != before.staleSince {
      let queues = group.drain.staleSender?.queues.map(\.description).joined(separator: ", ") ?? ""
      self.incidents.begin(.staleSender, id, code: StaleSender.code, at: at, seen: queues)
    }
    if after.staleSince == nil || (after.staleEnded != nil && before.staleEnded == nil) {
      self.incidents.end(.staleSender, id, at: at)
    }
    if after.stops.isEmpty, !before.stops.isEmpty { self.incidents.endAll(.forwarderStopped, id, at: at) }
    self.followOne(event, id, at: at)
  }

  private mutating func followOne(_ event: GroupEvent, _ id: GroupID, at: Instant) {
    switch event {
    case .intentRecorded: self.writes += 1
    case .writeReturned(let operation, let herID, let outcome):
      switch outcome {
      case .unknown(let seen):
        self.unknownOutcomes += 1
        self.incidents.begin(.unknownOutcome, id, detail: "\(herID)", at: at, seen: "\(operation): \(seen)")
      case .refused(let seen):
        self.refusedWrites += 1
        self.incidents.begin(.refusedWrite, id, at: at, seen: "\(operation): \(seen)")
      case .overwrote(_, let seen): self.incidents.begin(.overwrote, id, code: "MIG-413", at: at, seen: seen)
      case .handedOver: self.byHand += 1
      case .answered: break
      }
    case .readAsGoal(let herID, _), .readAsBase(let herID, _, _), .conflictFound(let herID, _):
      self.incidents.end(.unknownOutcome, id, detail: "\(herID)", at: at)
    case .lateArrival: self.incidents.begin(.lateArrival, id, at: at, seen: "")
    case .forwardingStopped(let queue, let code, let seen):
      self.incidents.begin(.forwarderStopped, id, detail: queue.description, code: code, at: at, seen: "\(queue): \(seen)")
    case .forwardingEnded: self.incidents.endAll(.forwarderStopped, id, at: at)
    case .shovelStays(let node, let name, let code, let seen):
      self.incidents.begin(.shovelStays, id, detail: "\(node) \(name)", code: code, at: at, seen: "\(name) (\(node)): \(seen)")
    case .shovelGone(let node, let name): self.incidents.end(.shovelStays, id, detail: "\(node) \(name)", at: at)
    case .quarantined(let by, let why): self.incidents.begin(.quarantine, id, code: "MIG-412", at: at, seen: why, by: by)
    case .readmitted: self.incidents.end(.quarantine, id, at: at)
    case .hookAnswered(let hook, let answer, _) where !answer.isAssent:
      self.incidents.begin(.hookRefused, id, code: "MIG-424", at: at, seen: "\(hook) \(answer.words)")
    case .stepHookAnswered(let step, let answer, _) where step.point.canVeto && !answer.isAssent:
      self.incidents.begin(
        .hookRefused, id, code: "MIG-424", at: at, seen: "\(step.point.rawValue): \(step.hook) \(answer.words)")
    default: break
    }
  }

  // MARK: time

  /// Adds up how the time since a group's last event was spent: before the event changes what the group stands in.
  /// Time goes on to `now`, with everything as it stood before `event`.
  private mutating func reckon(_ event: MigrationEvent, until now: Instant) {
    guard let pulje = self.state.puljer[self.name] else { return }
    self.spending?.advance(pulje, only: event.group, to: now)
  }

  private mutating func look(_ event: MigrationEvent, at now: Instant) {
    guard let pulje = self.state.puljer[self.name] else { return }
    guard self.spending != nil else {
      self.spending = SpendingBook(pulje, stop: self.state.stop, now: now)
      return
    }
    self.spending?.happened(pulje, only: event.group, stop: self.state.stop, now: now)
  }
}

extension MigrationEvent {
  /// Whom alone it befalls; nil where it is more than one group.
  fileprivate var group: GroupID? {
    guard case .group(_, let id, _) = self else { return nil }
    return id
  }
}

extension ReportFold.Standing {
  init(_ group: GroupState) {
    self.hold = group.hold?.code
    self.isConflict = group.phase == .conflict
    self.pingFailures = group.pingFailures
    self.readFailures = group.readFailures
    self.hasLooked = group.drain.looks > 0
    self.isReadable = group.drain.lastIsReadable
    self.arrived = group.drain.arrived
    self.staleSince = group.drain.staleSender?.since
    self.staleEnded = group.drain.staleSender?.endedAt
    self.direction = group.direction
    self.stops = group.forwarding?.stops.map(\.queue) ?? []
  }
}

/// What lies on a bus: the last figure of each group, and their sum.
struct DepthSum: Sendable {
  private var last: [GroupID: Int64] = [:]
  private(set) var sum: Int64 = 0

  mutating func take(_ depth: Int64, of group: GroupID) -> Int64 {
    self.sum += depth - (self.last.updateValue(depth, forKey: group) ?? 0)
    return self.sum
  }
}

/// What a group's events say that its state does not keep.
struct GroupTrack: Sendable {
  var startedAt: Instant?
  var appliedAt: Instant?
  var verifiedAt: Instant?
  var drainedAt: Instant?
  var acceptedAt: Instant?
  var retiredAt: Instant?
  var retiredBy: [String]?
  var restoredAt: Instant?

  mutating func take(_ event: GroupEvent, phase: GroupPhase, at: Instant) {
    switch event {
    case .intentRecorded(_, _, let direction, _, _) where direction == .forward: self.startedAt = self.startedAt ?? at
    case .readAsGoal where phase == .cutApplied: self.appliedAt = self.appliedAt ?? at
    case .pinged where phase == .verified: self.verifiedAt = self.verifiedAt ?? at
    // The last time counts: what came late made it begin anew.
    case .drained where phase == .drained: self.drainedAt = at
    case .accepted: self.acceptedAt = at
    case .retired(let by): (self.retiredAt, self.retiredBy) = (at, by)
    case .restored: self.restoredAt = at
    default: break
    }
  }
}
