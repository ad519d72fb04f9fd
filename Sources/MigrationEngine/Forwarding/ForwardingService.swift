// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import NIOConcurrencyHelpers

/// Follows the state and has carried what standing orders ask for: nothing but the state says what is carried, so a pause, stop-the-line,
/// a quarantine, a conflict and the end of an order all stop it in the same way. After a start it goes on from what the state says.
public actor ForwardingService {
  private enum Message: Sendable {
    case stateChanged
    case counted(ForwardingErrand, ForwardingCount)
    case ended(ForwardingErrand, ForwardingEnd)
    case wake
    case tryAgain(Set<HerID>)
    case reportDue
    case reported
    case stop
  }

  private let engine: MigrationEngine
  private let port: any ForwardingPort
  private let reportInterval: TimeSpan
  private let inbox: AsyncStream<Message>
  private nonisolated let outlet: AsyncStream<Message>.Continuation
  /// A turn of the engine that was told and not yet looked at: many turns make one look.
  private nonisolated let isToldOfChange = NIOLockedValueBox(false)

  private var roster: ForwardingRoster
  private var tasks: [ForwardingErrand.Key: Task<Void, Never>] = [:]
  /// Not told yet, by run: a queue's next run must not take the last word of the one before.
  private var counts: [String: (errand: ForwardingErrand, count: ForwardingCount)] = [:]
  private var isLastWordDue = false
  private var stops: [(errand: ForwardingErrand, code: String, seen: String)] = []
  /// Queues whose stop is just being told.
  private var untold: Set<ForwardingErrand.Key> = []
  private var isReporting = false
  private var isReportDue = false
  private var isStopping = false

  /// - Parameters:
  ///   - most: queues carried at once at most.
  ///   - reportInterval: between two words to the history about the same queue.
  public init(
    engine: MigrationEngine, port: any ForwardingPort, most: Int = 64, reportInterval: TimeSpan = .seconds(5)
  ) {
    self.engine = engine
    self.port = port
    self.reportInterval = reportInterval
    self.roster = ForwardingRoster(settings: engine.settings, most: most)
    (self.inbox, self.outlet) = AsyncStream.makeStream(of: Message.self)
  }

  /// The engine has turned: what is to be carried may be another.
  public nonisolated func stateMayHaveChanged() {
    let wasTold = self.isToldOfChange.withLockedValue { isTold in
      defer { isTold = true }
      return isTold
    }
    if !wasTold { self.outlet.yield(.stateChanged) }
  }

  /// Begins the queues of these parties anew, and has what was set aside of them tried once more.
  public nonisolated func retrySetAside(of herIDs: Set<HerID>) { self.outlet.yield(.tryAgain(herIDs)) }

  /// Begins nothing more, ends what is under way, tells the history, then ``run()`` returns. Idempotent.
  public nonisolated func stop() { self.outlet.yield(.stop) }

  /// Works until ``stop()``. Cancelled, it ends at once.
  public func run() async {
    await withDiscardingTaskGroup { group in
      for await message in self.inbox {
        await self.take(message, &group)
        if self.isStopping, self.roster.isIdle, !self.isReporting, self.counts.isEmpty, self.stops.isEmpty { break }
      }
      group.cancelAll()
    }
    self.outlet.finish()
  }

  private func take(_ message: Message, _ group: inout DiscardingTaskGroup) async {
    let now = self.engine.ports.clock.now
    self.roster.settings = self.engine.settings
    switch message {
    case .stateChanged:
      self.isToldOfChange.withLockedValue { $0 = false }
      await self.turn(&group)
    case .wake: await self.turn(&group)
    case .tryAgain(let herIDs):
      self.roster.tryAgain(await self.engine.forwardingKeys(of: herIDs))
      await self.turn(&group)
    case .counted(let errand, let count):
      self.counts[count.run] = (errand, count)
      self.armReport(&group)
    case .ended(let errand, let end):
      self.tasks[errand.key] = nil
      self.roster.ended(errand, end, now: now, fraction: self.engine.ports.jitter.fraction())
      if case .stopped(let code, let seen) = end { self.stops.append((errand, code, seen)) }
      // Told at once: until it is known, the state asks for the same again.
      self.isLastWordDue = true
      self.report(&group)
      if self.stops.isEmpty, !self.isReporting { await self.turn(&group) }
    case .reportDue:
      self.isReportDue = false
      self.report(&group)
    case .reported:
      self.isReporting = false
      self.untold = []
      if self.isLastWordDue || self.isStopping { self.report(&group) }
      await self.turn(&group)
    case .stop:
      self.isStopping = true
      await self.turn(&group)
      self.report(&group)
    }
  }

  private func turn(_ group: inout DiscardingTaskGroup) async {
    let wanted = self.isStopping ? [:] : await self.engine.forwardingErrands()
    let now = self.engine.ports.clock.now
    // A queue that has stopped is not begun again before the history knows.
    let unknown = self.untold.union(self.stops.map(\.errand.key))
    let turn = self.roster.turn(wanted: wanted.filter { !unknown.contains($0.key) }, now: now)
    for key in turn.cancel { self.tasks[key]?.cancel() }
    for (errand, retriesSetAside) in turn.begin {
      let (port, outlet) = (self.port, self.outlet)
      let task = Task {
        let end = await port.carry(errand, retriesSetAside: retriesSetAside) { outlet.yield(.counted(errand, $0)) }
        outlet.yield(.ended(errand, end))
      }
      self.tasks[errand.key] = task
      // In the group for the sake of its end: cancelling the service cancels what it carries.
      group.addTask {
        await withTaskCancellationHandler {
          await task.value
        } onCancel: {
          task.cancel()
        }
      }
    }
    guard let wake = turn.wake else { return }
    let (clock, outlet) = (self.engine.ports.clock, self.outlet)
    group.addTask {
      guard (try? await clock.sleep(until: wake)) != nil else { return }
      outlet.yield(.wake)
    }
  }

  private func armReport(_ group: inout DiscardingTaskGroup) {
    guard !self.isReportDue else { return }
    self.isReportDue = true
    let (clock, outlet, due) = (self.engine.ports.clock, self.outlet, self.engine.ports.clock.now + self.reportInterval)
    group.addTask {
      guard (try? await clock.sleep(until: due)) != nil else { return }
      outlet.yield(.reportDue)
    }
  }

  /// One at a time, so that no word overtakes an earlier one.
  private func report(_ group: inout DiscardingTaskGroup) {
    guard !self.isReporting, !self.counts.isEmpty || !self.stops.isEmpty else { return }
    self.isReporting = true
    let (counts, stops) = (Array(self.counts.values), self.stops)
    self.counts = [:]
    self.stops = []
    self.isLastWordDue = false
    self.untold = Set(stops.map(\.errand.key))
    let (engine, outlet) = (self.engine, self.outlet)
    group.addTask {
      for (errand, count) in counts {
        // Refused when it is no news, or when nobody ordered it any more; nothing is lost by that, the journal has it.
        _ = try? await engine.submit(
          .group(errand.pulje, errand.group, .forwarded(errand.route.from, count)), actor: "forwarder")
      }
      for (errand, code, seen) in stops {
        _ = try? await engine.submit(
          .group(errand.pulje, errand.group, .forwardingStopped(errand.route.from, code: code, seen: seen)), actor: "forwarder")
      }
      outlet.yield(.reported)
    }
  }
}

extension MigrationEngine {
  /// What is to be carried now.
  func forwardingErrands() -> [ForwardingErrand.Key: ForwardingErrand] {
    self.state.forwardingErrands(now: self.ports.clock.now)
  }

  /// Of these parties' groups.
  func forwardingKeys(of herIDs: Set<HerID>) -> Set<ForwardingErrand.Key> {
    let groups = Set(
      self.state.ordered.flatMap { pulje in
        pulje.groups.filter { $0.members.contains { herIDs.contains($0.herID) } }.map {
          Roster.Key(pulje: pulje.name, group: $0.id)
        }
      })
    return Set(
      self.forwardingErrands().filter { groups.contains(Roster.Key(pulje: $0.value.pulje, group: $0.value.group)) }.keys)
  }
}
