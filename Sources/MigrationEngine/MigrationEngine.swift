// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationStore
import Synchronization

/// Carries out what the core decides: one loop that takes in news one at a time, makes what follows durable, and starts what is
/// to be done next. It moves when something happens or a time is due; it never polls.
///
/// Everything that is decided passes through the loop in order: decide, append, fold. Nothing is carried out before it is durable.
public actor MigrationEngine {
  enum Message: Sendable {
    case input(MigrationInput, actor: String, reply: CheckedContinuation<[MigrationEvent], any Error>)
    case command([MigrationInput], CommandRecord, reply: CheckedContinuation<CommandOutcome, any Error>)
    case finished(Roster.Key, wasRefused: Bool)
    /// What ends the engine came up while something was carried out.
    case failed(any Error)
    case wake
    case settingsChanged
    case stop
  }

  /// What the engine works with. Everything outside comes through these.
  public struct Ports: Sendable {
    public var store: any EventStore
    public var register: any RegisterPort
    public var buses: any BusPort
    public var clock: any MigrationClock
    public var jitter: any JitterSource
    public var notifier: any Notifier
    public var crashPoints: any CrashPoints
    public var observer: any EngineObserver
    /// Shared with whatever else asks the same servers.
    public var pace: CallPace
    public var hooks: any HookPort

    public init(
      store: any EventStore, register: any RegisterPort, buses: any BusPort, clock: any MigrationClock = SystemMigrationClock(),
      jitter: any JitterSource = SystemJitter(), notifier: any Notifier = SilentNotifier(),
      crashPoints: any CrashPoints = NoCrashPoints(), observer: any EngineObserver = NoObserver(), pace: CallPace = CallPace(),
      hooks: any HookPort = NoHooks()
    ) {
      self.store = store
      self.register = register
      self.buses = buses
      self.clock = clock
      self.jitter = jitter
      self.notifier = notifier
      self.crashPoints = crashPoints
      self.observer = observer
      self.pace = pace
      self.hooks = hooks
    }
  }

  nonisolated let ports: Ports
  private nonisolated let current: Mutex<EngineSettings>
  private nonisolated let inbox: AsyncStream<Message>
  nonisolated let outlet: AsyncStream<Message>.Continuation

  private(set) var state = MigrationState()
  private var head = ChainHead.empty
  /// The event up to which a checkpoint is kept, or was to be.
  private var checkpointAt: Int64 = 0
  private var isKeepingCheckpoint = false
  private var roster: Roster
  private var armedWake: Instant?
  private var isStopping = false
  private var hasRun = false
  private let environment: String?

  /// - Parameter environment: which world this is; a history of another is refused, and one of none is stamped with it. nil: not looked at.
  public init(ports: Ports, settings: EngineSettings = EngineSettings(), environment: String? = nil) {
    self.ports = ports
    self.environment = environment
    self.current = Mutex(settings)
    self.roster = Roster(settings: settings)
    (self.inbox, self.outlet) = AsyncStream.makeStream(of: Message.self)
  }

  // MARK: from outside

  /// What it works by now.
  public nonisolated var settings: EngineSettings { self.current.withLock { $0 } }

  /// Works by other settings from its next turn on. What is under way keeps the deadline that it was begun with.
  public nonisolated func adopt(_ settings: EngineSettings) {
    self.current.withLock { $0 = settings }
    self.outlet.yield(.settingsChanged)
  }

  /// Decides on `input`, makes the outcome durable, and gives the events.
  ///
  /// - Throws: ``Refusal`` when the answer is no and nothing has changed; ``StoreError`` when it could not be kept;
  ///   ``EngineError`` `notRunning`.
  @discardableResult
  public nonisolated func submit(_ input: MigrationInput, actor: String) async throws -> [MigrationEvent] {
    try await withCheckedThrowingContinuation { reply in
      switch self.outlet.yield(.input(input, actor: actor, reply: reply)) {
      case .enqueued: break
      default: reply.resume(throwing: EngineError.notRunning)
      }
    }
  }

  /// Decides on a person's command, all of it or nothing, and makes its record and what it brings about durable in one.
  ///
  /// - Returns: `done`, `already` or `repeated`; what is refused and a key that was used for another command are the caller's to say.
  /// - Throws: ``StoreError`` when it could not be kept; ``EngineError`` `notRunning`.
  public nonisolated func carryOut(_ inputs: [MigrationInput], as record: CommandRecord) async throws -> CommandOutcome {
    try await withCheckedThrowingContinuation { reply in
      switch self.outlet.yield(.command(inputs, record, reply: reply)) {
      case .enqueued: break
      default: reply.resume(throwing: EngineError.notRunning)
      }
    }
  }

  /// Starts nothing more, lets what is under way end (a write on the wire is finished and its answer kept), then ``run(onReady:)``
  /// returns. Bounded by the deadlines in the settings. Idempotent.
  public nonisolated func stop() { self.outlet.yield(.stop) }

  /// Everything as it stands, and where the history ends.
  public func snapshot() -> (state: MigrationState, head: ChainHead) { (self.state, self.head) }

  // MARK: the loop

  /// Recovers from the history, then works until ``stop()`` or a failure of the store.
  ///
  /// - Parameter onReady: called when the history is recovered and the engine takes commands.
  /// - Throws: ``StoreError``, or what a crash point threw. `CancellationError` is not thrown: cancelling ends the run at once,
  ///   as a crash would, and the next start resumes.
  public func run(onReady: @Sendable () async -> Void = {}) async throws {
    guard !self.hasRun else { throw EngineError.startedTwice }
    self.hasRun = true
    await self.ports.pace.begin()
    do {
      try await self.recover()
      await onReady()
      let failure = await withDiscardingTaskGroup { group in
        let failure = await self.loop(&group)
        // Before the group waits for its tasks: one of them may wait for an answer of the loop that has just ended.
        await self.turnAway()
        group.cancelAll()
        return failure
      }
      if let failure { throw failure }
    } catch {
      await self.turnAway()
      throw error
    }
  }

  private func recover() async throws {
    let history = try await self.ports.store.load()
    self.state = history.state
    self.head = history.head
    switch history.checkpoint {
    case .none: break
    case .used(let upTo): self.checkpointAt = upTo
    case .ignored(let why):
      // A new one soon, so that the next start need not say it again.
      self.checkpointAt = history.head.sequence - self.settings.checkpointInterval
      self.tell(.warning, "history.checkpoint-ignored", "the history was read from its first event; of the checkpoint: \(why)")
    }
    if let environment {
      if let theirs = self.state.environment, theirs != environment, !self.state.puljer.isEmpty {
        throw EngineError.otherEnvironment(history: theirs, configured: environment)
      }
      if self.state.environment != environment { try await self.keep([.environmentNamed(name: environment)], actor: "daemon") }
    }
    try await self.keep([.daemonStarted], actor: "daemon")
  }

  /// - Returns: what ended it; nil when it was stopped or cancelled.
  private func loop(_ group: inout DiscardingTaskGroup) async -> (any Error)? {
    self.startDueWork(&group)
    self.keepCheckpointWhenDue(&group)
    for await message in self.inbox {
      switch message {
      case .input(let input, let actor, let reply):
        do { try await self.answer(input, actor: actor, reply: reply) } catch { return error }
      case .command(let inputs, let record, let reply):
        do { try await self.answer(inputs, record, reply: reply) } catch { return error }
      case .finished(let key, let wasRefused):
        self.roster.finished(key, wasRefused: wasRefused, now: self.ports.clock.now)
      case .failed(let error): return error
      case .wake: self.armedWake = nil
      case .settingsChanged: self.roster.settings = self.settings
      case .stop:
        self.isStopping = true
        await self.ports.pace.stop()
      }
      if self.isStopping, self.roster.busy.isEmpty { return nil }
      if !self.isStopping {
        self.startDueWork(&group)
        self.keepCheckpointWhenDue(&group)
      }
    }
    return nil
  }

  /// Beside the work: no event waits for it. One that cannot be kept is told, and tried again after as many events.
  private func keepCheckpointWhenDue(_ group: inout DiscardingTaskGroup) {
    guard !self.isKeepingCheckpoint, self.head.sequence - self.checkpointAt >= self.settings.checkpointInterval else { return }
    self.isKeepingCheckpoint = true
    self.checkpointAt = self.head.sequence
    let (state, head) = (self.state, self.head)
    group.addTask {
      do { try await self.ports.store.keepCheckpoint(state, at: head) } catch is CancellationError {
        // The engine has stopped: a start reads on from the one before.
      } catch {
        await self.tell(.warning, "history.checkpoint-not-written", "\(error)")
      }
      await self.checkpointEnded()
    }
  }

  private func checkpointEnded() { self.isKeepingCheckpoint = false }

  private func tell(_ weight: Notice.Weight, _ kind: String, _ words: String) {
    self.ports.notifier.notify(Notice(at: self.ports.clock.now, weight: weight, kind: kind, words: words))
  }

  private func answer(
    _ input: MigrationInput, actor: String, reply: CheckedContinuation<[MigrationEvent], any Error>
  ) async throws {
    switch self.state.decide(input, now: self.ports.clock.now) {
    case .refused(let refusal): reply.resume(throwing: refusal)
    case .events(let events):
      do { try await self.keep(events, actor: actor) } catch {
        reply.resume(throwing: error)
        throw error
      }
      reply.resume(returning: events)
    }
  }

  private func answer(
    _ inputs: [MigrationInput], _ record: CommandRecord, reply: CheckedContinuation<CommandOutcome, any Error>
  ) async throws {
    let outcome = self.state.decide(inputs, as: record, now: self.ports.clock.now)
    let kept: [MigrationEvent] =
      switch outcome {
      case .done(let record, let events): [.commanded(record: record)] + events
      case .already(let record, let isKept): isKept ? [.commanded(record: record)] : []
      case .repeated, .keyReused, .refused: []
      }
    if !kept.isEmpty {
      do { try await self.keep(kept, actor: record.by.first.flatMap { $0.isEmpty ? nil : $0 } ?? "unnamed") } catch {
        reply.resume(throwing: error)
        throw error
      }
    }
    reply.resume(returning: outcome)
  }

  /// Durable first, folded after.
  private func keep(_ events: [MigrationEvent], actor: String) async throws {
    let now = self.ports.clock.now
    let deed: CrashPoint.Deed = events.contains(where: \.isIntent) ? .intent : .append
    try self.ports.crashPoints.reached(CrashPoint(moment: .before, deed: deed))
    self.head = try await self.ports.store.append(events, at: now, actor: actor)
    try self.ports.crashPoints.reached(CrashPoint(moment: .after, deed: deed))
    for event in events {
      guard self.state.apply(event, at: now) else {
        throw StoreError.inconsistent(path: "the running engine", sequence: self.head.sequence, kind: event.kind)
      }
      if let notice = Notice(event, state: self.state, at: now, actor: actor) { self.ports.notifier.notify(notice) }
    }
  }

  private func startDueWork(_ group: inout DiscardingTaskGroup) {
    let now = self.ports.clock.now
    let turn = self.roster.turn(self.state, now: now)
    for (key, action) in turn.begin { group.addTask { await self.carryOut(action, key) } }
    self.arm(turn.wake, now, &group)
    self.ports.observer.turned(
      EngineTurn(
        now: now, busy: self.roster.busy.count, nextWake: turn.wake, isStopping: self.isStopping,
        sequence: self.head.sequence), state: self.state)
  }

  /// One sleeper for the earliest time; a later one is not needed, since the earlier looks again.
  private func arm(_ wake: Instant?, _ now: Instant, _ group: inout DiscardingTaskGroup) {
    guard let wake else { return }
    if let armed = self.armedWake, armed <= wake, armed > now { return }
    self.armedWake = wake
    group.addTask {
      guard (try? await self.ports.clock.sleep(until: wake)) != nil else { return }
      self.outlet.yield(.wake)
    }
  }

  /// Answers everybody who still waits, once nothing is taken in any more.
  private func turnAway() async {
    self.outlet.finish()
    for await message in self.inbox {
      switch message {
      case .input(_, _, let reply): reply.resume(throwing: EngineError.notRunning)
      case .command(_, _, let reply): reply.resume(throwing: EngineError.notRunning)
      default: break
      }
    }
  }
}

extension MigrationEvent {
  var isIntent: Bool { if case .group(_, _, .intentRecorded) = self { true } else { false } }
}
