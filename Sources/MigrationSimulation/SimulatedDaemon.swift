// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// One life of the daemon: the core's own roster and errands, driven by the agenda.
final class SimulatedDaemon {
  enum Outstanding {
    case call(PortAnswer)
    case write(OperationID, PortAnswer)
  }

  struct Running {
    var key: Roster.Key
    var errand: Errand
    var outstanding: Outstanding?
  }

  enum Submission {
    case kept([MigrationEvent])
    case refused
    case died
  }

  let id: Int
  let fence: Int64
  let startedAt: Int64
  var state: MigrationState
  var roster: Roster
  var errands: [Int: Running] = [:]
  var nextErrand = 0
  var isAlive = true
  var isTurning = false
  var needsTurn = false
  var armed: Int64?
  /// What its forwarder has done, by queue.
  var carried: [QueueAddress: ForwardingCount] = [:]
  /// What a forwarder that hears nothing of pauses goes on with.
  var lastWork: [(pulje: PuljeName, group: GroupID, work: ForwardingWork)] = []

  init(id: Int, fence: Int64, state: MigrationState, settings: EngineSettings, now: Int64) {
    self.id = id
    self.fence = fence
    self.state = state
    self.roster = Roster(settings: settings)
    self.startedAt = now
  }
}

extension Simulation {
  func startDaemon() {
    if self.daemon != nil { return }
    if self.store.holdsUnknownRow, self.settings.sabotage != .skipUnknown {
      self.note("the daemon refuses to start: the history holds what it does not know")
      self.agenda.enter(.daemonStarts, at: self.now + Stage.hour)
      return
    }
    if self.store.isFull {
      self.agenda.enter(.daemonStarts, at: self.now + 10 * Stage.minute)
      return
    }
    if self.settings.sabotage == .cutHistory, self.daemons.count > 1 { self.store.cutOff(3) }
    let daemon = SimulatedDaemon(
      id: self.daemons.count, fence: self.store.takeFence(), state: self.store.folded, settings: self.engine, now: self.now)
    self.daemons.append(daemon)
    self.watch.restarted()
    self.note("daemon \(daemon.id) starts")
    // Sabotage: the start is not noted, so that what was attested before it still counts.
    if self.settings.sabotage != .oldAttestation || daemon.id == 0 {
      guard self.keep([.daemonStarted], daemon) else { return }
    }
    if self.isStorm { self.lateTask(daemon) }
    self.turn(daemon)
  }

  /// A task of the life before brings its pings: what it rests on has to be read again first.
  private func lateTask(_ daemon: SimulatedDaemon) {
    guard let pulje = daemon.state.puljer[self.stage.name] else { return }
    for group in pulje.groups where group.phase == .cutApplied || group.phase == .backApplied {
      _ = self.submit(.group(pulje.name, group.id, .pinged([], retryAt: self.clock)), daemon)
    }
  }

  func die(_ daemon: SimulatedDaemon) {
    guard daemon.isAlive else { return }
    daemon.isAlive = false
    daemon.errands = [:]
    self.note("daemon \(daemon.id) dies")
    let pause =
      self.settings.isStormy ? self.random.between(10_000, self.random.chance(1, in: 4) ? 2 * Stage.hour : 120_000) : 30_000
    self.agenda.enter(.daemonStarts, at: self.now + pause)
  }

  // MARK: faults at a point

  /// A point is reached; what strikes there.
  func strike(_ site: @autoclosure () -> String) -> FaultKind? {
    self.points += 1
    if !self.settings.isStormy, self.settings.strikes.isEmpty {
      let name = site()
      if self.outcome.sites[name] == nil { self.outcome.sites[name] = self.points }
    }
    var kind = self.settings.strikes[self.points]
    if self.isStorm, self.random.chance(1, in: 500) {
      kind = FaultKind.allCases[self.random.below(FaultKind.allCases.count)]
    }
    if let kind {
      self.outcome.coverage.faults[kind.rawValue, default: 0] += 1
      self.note("fault \(kind.rawValue) at point \(self.points)")
    }
    return kind
  }

  /// - Returns: whether the daemon lives on.
  private func survives(_ kind: FaultKind?, _ daemon: SimulatedDaemon) -> Bool {
    switch kind {
    case .kill:
      // Somebody starts another one while this one, cut off rather than dead, goes on.
      if self.settings.isStormy, self.random.chance(1, in: 3) {
        self.agenda.enter(.daemonDies(daemon.id), at: self.now + Stage.hour)
        self.startBeside(daemon)
        return true
      }
      self.die(daemon)
      return false
    case .powerCut:
      self.die(daemon)
      return false
    case .diskFull, .ioErrorOn:
      self.store.isFull = true
      self.agenda.enter(.troubleEnds(.diskFull), at: self.now + (kind == .diskFull ? Stage.hour : 10 * Stage.minute))
      return true
    case .ioErrorOnce:
      self.store.failures.append(.notKept)
      return true
    case .replyLost, nil: return true
    }
  }

  private func startBeside(_ daemon: SimulatedDaemon) {
    guard !self.store.isFull, !self.store.holdsUnknownRow, self.daemon?.id == daemon.id else { return }
    let second = SimulatedDaemon(
      id: self.daemons.count, fence: self.store.takeFence(), state: self.store.folded, settings: self.engine, now: self.now)
    self.daemons.append(second)
    self.watch.restarted()
    self.note("daemon \(second.id) starts beside daemon \(daemon.id)")
    if self.keep([.daemonStarted], second) { self.turn(second) }
  }

  // MARK: decide, keep, fold

  func submit(_ input: MigrationInput, _ daemon: SimulatedDaemon) -> SimulatedDaemon.Submission {
    guard daemon.isAlive else { return .died }
    switch daemon.state.decide(self.sabotaged(input, daemon), now: self.clock) {
    case .refused(let refusal):
      self.outcome.coverage.refusals[refusal.code.rawValue, default: 0] += 1
      return .refused
    case .events(let decided):
      let events = self.sabotaged(decided)
      return self.keep(events, daemon) ? .kept(events) : .died
    }
  }

  /// Durable first, folded after.
  func keep(_ events: [MigrationEvent], _ daemon: SimulatedDaemon) -> Bool {
    let before = self.strike("before \(Self.site(events))")
    if before == .replyLost { self.store.failures.append(.keptUnsaid) }
    guard self.survives(before, daemon) else { return false }
    let time = self.clock
    var breaches: [Breach] = []
    let rows = self.store.rows.count
    let answer = self.store.append(events, at: time, fence: daemon.fence) { event, phase, state in
      breaches += self.watch.take(event, at: time, fence: daemon.fence, from: phase, state: state)
    }
    if answer == .kept, self.store.holdsUnknownRow {
      self.breach(.unknownStops, "events are kept on a history that is not understood")
    }
    for breach in breaches { self.breach(breach) }
    if self.store.rows.count > rows { for event in events { self.happened(event) } }
    if answer != .kept {
      self.note("daemon \(daemon.id) could not keep its events: \(answer)")
      self.die(daemon)
      return false
    }
    for event in events {
      _ = daemon.state.apply(event, at: time)
      self.cover(event, daemon)
      if self.settings.sabotage == .deafToStop, case .lineStopped = event {
        _ = daemon.state.apply(.lineReleased(by: []), at: time)
      }
    }
    return self.survives(self.strike("after \(Self.site(events))"), daemon)
  }

  private static func site(_ events: [MigrationEvent]) -> String { events.map(\.kind).joined(separator: "+") }

  private static func site(_ outstanding: SimulatedDaemon.Outstanding) -> String {
    switch outstanding {
    case .call(let answer): String("\(answer)".prefix { $0 != "(" })
    case .write: "write"
    }
  }

  private static func site(_ call: PortCall) -> String {
    switch call {
    case .read: "read"
    case .preflight: "preflight"
    case .ping(_, let bus, _): "ping \(bus)"
    case .look(_, let bus): "look \(bus)"
    case .peek(_, let bus): "peek \(bus)"
    case .hook(let question): "hook \(question.point.rawValue) \(question.hook)"
    }
  }

  private static func place(_ key: Roster.Key, _ daemon: SimulatedDaemon) -> String {
    daemon.state.puljer[key.pulje]?.groups[key.group]?.phase.rawValue ?? "none"
  }

  private func cover(_ event: MigrationEvent, _ daemon: SimulatedDaemon) {
    self.outcome.coverage.events[event.kind, default: 0] += 1
    guard case .group(let name, let id, let groupEvent) = event, let group = daemon.state.puljer[name]?.groups[id] else {
      self.note(event.kind)
      return
    }
    self.note("\(id) \(event.kind) -> \(group.phase.rawValue)")
    self.outcome.coverage.phases[group.phase.rawValue, default: 0] += 1
    switch groupEvent {
    case .held(let hold), .preflightFailed(_, let hold, _): self.outcome.coverage.holds[hold.code.rawValue, default: 0] += 1
    default: break
    }
  }

  // MARK: turns and errands

  func turn(_ daemon: SimulatedDaemon) {
    guard daemon.isAlive else { return }
    daemon.needsTurn = true
    if daemon.isTurning { return }
    daemon.isTurning = true
    var wake: Instant?
    while daemon.needsTurn, daemon.isAlive {
      daemon.needsTurn = false
      let turn = daemon.roster.turn(daemon.state, now: self.clock)
      wake = turn.wake
      for (key, action) in turn.begin {
        guard daemon.isAlive else { break }
        self.begin(action, key, daemon)
      }
    }
    daemon.isTurning = false
    guard daemon.isAlive else { return }
    if self.settings.sabotage != .lostTimer { self.arm(daemon, wake) }
    self.turns += 1
    if self.turns.isMultiple(of: 32) { self.look(at: daemon) }
    self.anchor(daemon)
  }

  private func arm(_ daemon: SimulatedDaemon, _ wake: Instant?) {
    guard let wake else { return }
    let at = max(self.now + 1, wake.milliseconds - self.season.start - self.clockOffset)
    if let armed = daemon.armed, armed <= at, armed > self.now { return }
    daemon.armed = at
    self.agenda.enter(.wake(daemon: daemon.id), at: at)
  }

  /// I-15, and which waits there are.
  private func look(at daemon: SimulatedDaemon) {
    let wake = daemon.armed.map { Instant(milliseconds: self.season.start + $0 + self.clockOffset) }
    let next = daemon.state.next(now: self.clock)
    let dark = HistoryWatch.inTheDark(next, now: self.clock, wake: wake) { daemon.roster.busy[$0] != nil }
    for breach in dark { self.breach(breach) }
    for (_, _, next) in next {
      if case .wait(let reason) = next { self.outcome.coverage.waits[reason.code.rawValue, default: 0] += 1 }
    }
  }

  private func anchor(_ daemon: SimulatedDaemon) {
    guard self.now - self.lastAnchorAt >= Stage.hour - 1, daemon.fence == self.store.newestFence else { return }
    self.store.anchor()
    self.lastAnchorAt = self.now
  }

  private func begin(_ action: GroupAction, _ key: Roster.Key, _ daemon: SimulatedDaemon) {
    guard let pulje = daemon.state.puljer[key.pulje], let group = pulje.groups[key.group] else { return }
    let errand = Errand(action, group: group, of: pulje, settings: self.engine)
    let id = daemon.nextErrand
    daemon.nextErrand += 1
    daemon.errands[id] = SimulatedDaemon.Running(key: key, errand: errand)
    self.go(on: errand.begin(), id, daemon)
  }

  private func finish(_ id: Int, _ daemon: SimulatedDaemon, wasRefused: Bool) {
    guard let running = daemon.errands.removeValue(forKey: id) else { return }
    daemon.roster.finished(running.key, wasRefused: wasRefused, now: self.clock)
    self.turn(daemon)
  }

  private func go(on first: Errand.Step, _ id: Int, _ daemon: SimulatedDaemon) {
    var step = first
    while let running = daemon.errands[id] {
      let key = running.key
      switch step {
      case .ended:
        self.finish(id, daemon, wasRefused: false)
        return
      case .bring(let input):
        switch self.submit(.group(key.pulje, key.group, input), daemon) {
        case .refused:
          self.finish(id, daemon, wasRefused: true)
          return
        case .died: return
        case .kept(let events):
          step = running.errand.brought(events.compactMap { if case .group(_, _, let event) = $0 { event } else { nil } })
        }
      case .call(let call):
        let before = self.strike("before \(Self.place(key, daemon)) \(Self.site(call))")
        guard self.survives(before, daemon) else { return }
        let answer = self.answer(call, daemon)
        self.await(before == .replyLost ? .noAnswer(within: .minutes(2)) : answer, id, daemon, operation: nil)
        return
      case .write(let order):
        guard daemon.state.mayWrite(order.operation, in: key.pulje, group: key.group) else {
          self.finish(id, daemon, wasRefused: false)
          return
        }
        let before = self.strike("before \(order.direction.rawValue) write")
        guard self.survives(before, daemon) else { return }
        let answer = self.write(order)
        self.await(before == .replyLost ? .noAnswer(within: .minutes(1)) : answer, id, daemon, operation: order.operation)
        return
      }
    }
  }

  private func await(_ answer: PortAnswer, _ id: Int, _ daemon: SimulatedDaemon, operation: OperationID?) {
    daemon.errands[id]?.outstanding = operation.map { .write($0, answer) } ?? .call(answer)
    let span: Int64 = if case .noAnswer(let within) = answer { within.milliseconds } else { self.random.between(5, 4_000) }
    self.agenda.enter(.answer(daemon: daemon.id, errand: id), at: self.now + span)
  }

  func answered(_ daemon: SimulatedDaemon, _ id: Int) {
    guard daemon.isAlive, var running = daemon.errands[id], let outstanding = running.outstanding else { return }
    let after = self.strike("after \(Self.place(running.key, daemon)) \(Self.site(outstanding))")
    guard self.survives(after, daemon) else { return }
    let isLost = after == .replyLost
    switch outstanding {
    case .call(let answer):
      let taken = isLost ? PortAnswer.noAnswer(within: .minutes(2)) : answer
      if case .record(let record) = taken, daemon.fence == self.store.newestFence, self.settings.sabotage != .staleCache {
        self.register.cache[record.herID] = self.register.hash(of: record)
      }
      let step = running.errand.take(taken, at: self.clock, fraction: self.random.fraction())
      running.outstanding = nil
      daemon.errands[id] = running
      self.go(on: step, id, daemon)
    case .write(let operation, let answer):
      if !isLost, case .wrote(.overwrote(let found, _)) = answer, daemon.fence == self.store.newestFence {
        // The writer has read the entry to tell, and the cache has it.
        self.register.cache[found.herID] = self.register.hash(of: found)
        self.register.served[found.herID] = self.register.cache[found.herID]
      }
      let step = running.errand.wrote(operation, isLost ? .noAnswer(within: .minutes(1)) : answer)
      running.outstanding = nil
      daemon.errands[id] = running
      self.go(on: step, id, daemon)
    }
  }
}
