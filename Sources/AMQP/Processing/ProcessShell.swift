// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOConcurrencyHelpers
import NIOCore

/// Carries out what ``ProcessMachine`` decides: starts handlers, keeps delays, settles.
///
/// Events come from any task or event loop; they are taken one at a time under the lock, and acted on after it.
final class ProcessShell<Key: Hashable & Sendable>: Sendable {
  typealias Machine = ProcessMachine<Key>

  /// A handler's run, for the task that owns the handlers to start.
  struct Start: Sendable {
    let ticket: Machine.Ticket
    let run: Int
    let delivery: AMQPDelivery
    let cancelled: OneShot<Void>
    /// To be called when the bus says that the lock on it is lost: as good as taken back.
    let lockLost: @Sendable () -> Void
  }

  private struct Held: Sendable {
    let delivery: AMQPDelivery
    let messageID: AMQPMessageID?
    let cancelled = OneShot<Void>()
  }

  private struct State {
    var machine: Machine
    var held: [Machine.Ticket: Held] = [:]
    var timers: [Machine.Ticket: Scheduled<Void>] = [:]
    /// Handed back when everything else is done: released earlier, they would make room, and come again at once.
    var unbegun: [AMQPDelivery] = []
    var lastTicket: Machine.Ticket = 0
    var counts = AMQPProcessCounts()
    var stopError: (any Error)?
    var stopTimers: [Scheduled<Void>] = []
    var knowsModified = false
  }

  let starts: AsyncStream<Start>
  private let newStarts: AsyncStream<Start>.Continuation
  private let policy: AMQPProcessPolicy
  private let key: @Sendable (AMQPDelivery) -> Key?
  private let deadlines: DeadlineKeeper
  private let address: String
  private let logger: Logger
  private let state: NIOLockedValueBox<State>

  init(
    _ address: String, maximumConcurrent: Int, policy: AMQPProcessPolicy, key: @escaping @Sendable (AMQPDelivery) -> Key?,
    deadlines: DeadlineKeeper, logger: Logger
  ) {
    self.address = address
    self.policy = policy
    self.key = key
    self.deadlines = deadlines
    self.logger = logger
    (self.starts, self.newStarts) = AsyncStream.makeStream()
    let machine = Machine(
      .init(
        maximumConcurrent: maximumConcurrent, retriesAtOnce: policy.retriesAtOnce, retryDelay: policy.retryDelay,
        poisonLimit: policy.poisonLimit, reportedFrom: policy.brokerDeliveryLimit.map { max($0 * 3 / 4, 1) }))
    self.state = NIOLockedValueBox(State(machine: machine))
  }

  var counts: AMQPProcessCounts { self.state.withLockedValue { $0.counts } }
  var stopError: (any Error)? { self.state.withLockedValue { $0.stopError } }

  // MARK: Events

  func take(_ event: ReceiverKeeper.Event) {
    switch event {
    case .attached(let receiver):
      let peer = receiver.connection.peer
      // RabbitMQ 3 ends the session over `modified`.
      let knows = !(peer.product == "RabbitMQ" && peer.version?.hasPrefix("3.") == true)
      self.state.withLockedValue { $0.knowsModified = knows }
    case .lost(let epoch): self.event { $0.linkLost(generation: epoch) }
    }
  }

  func arrived(_ batch: [AMQPDelivery]) {
    for delivery in batch {
      let facts = DeliveryFacts(delivery)
      let key = self.key(delivery)
      let ticket = self.state.withLockedValue { state in
        state.lastTicket += 1
        state.held[state.lastTicket] = Held(delivery: delivery, messageID: facts.messageID)
        return state.lastTicket
      }
      delivery.onWithdrawn { [weak self] in self?.event { $0.withdrawn(ticket) } }
      self.event {
        $0.arrived(ticket, key: key, generation: delivery.epoch, earlierDeliveries: facts.earlierDeliveries)
      }
    }
  }

  func finished(_ start: Start, _ result: Result<Void, any Error>) {
    switch result {
    case .success: self.event { $0.finished(start.ticket, run: start.run, .success) }
    case .failure(let error):
      let reaction: Machine.Reaction =
        switch self.policy.reaction(error, start.delivery) {
        case .retryNow: .retryNow
        case .retryLater(let delay): .delay(delay ?? self.policy.retryDelay)
        case .deadLetter(let reason): .deadLetter(reason)
        case .stop: .stop
        }
      if reaction == .stop { self.state.withLockedValue { if $0.stopError == nil { $0.stopError = error } } }
      self.event { $0.finished(start.ticket, run: start.run, .failure(reaction)) }
    }
  }

  /// Starts nothing more; handlers at work have until `deadline`, then until `grace` after their cancellation.
  func stop(within deadline: Duration, grace: Duration) {
    let isFirst = self.state.withLockedValue { $0.stopTimers.isEmpty }
    guard isFirst else { return }
    let timers = [
      self.deadlines.after(deadline) { [weak self] in self?.event { $0.deadlinePassed() } },
      self.deadlines.after(deadline + grace) { [weak self] in self?.event { $0.graceOver() } },
    ]
    self.state.withLockedValue { $0.stopTimers += timers }
    self.event { $0.stop() }
  }

  /// The task is cancelled: handlers are, by their tasks, at once.
  func cancel(grace: Duration) {
    self.event { $0.deadlinePassed() }
    let timer = self.deadlines.after(grace) { [weak self] in self?.event { $0.graceOver() } }
    self.state.withLockedValue { $0.stopTimers.append(timer) }
  }

  /// Every handler has ended: whatever was never started is handed back.
  func close() {
    self.event { $0.graceOver() }
    let (unbegun, timers) = self.state.withLockedValue { state in
      defer {
        state.unbegun = []
        state.timers = [:]
        state.stopTimers = []
      }
      return (state.unbegun, Array(state.timers.values) + state.stopTimers)
    }
    for timer in timers { timer.cancel() }
    for delivery in unbegun { try? delivery.release() }
  }

  // MARK: Actions

  private func event(_ event: (inout Machine) -> [Machine.Action]) {
    // Actions are carried out under no lock, but settling the same delivery twice is not possible: the machine says it once.
    let actions = self.state.withLockedValue { event(&$0.machine) }
    for action in actions { self.carryOut(action) }
  }

  private func carryOut(_ action: Machine.Action) {
    switch action {
    case .start(let ticket, let run):
      guard let held = self.state.withLockedValue({ $0.held[ticket] }) else { return }
      if run > 1 { self.count { $0.retriedAtOnce += 1 } }
      let lockLost: @Sendable () -> Void = { [weak self] in self?.event { $0.withdrawn(ticket) } }
      self.newStarts.yield(
        Start(ticket: ticket, run: run, delivery: held.delivery, cancelled: held.cancelled, lockLost: lockLost))
    case .hold(let ticket, let delay):
      let timer = self.deadlines.after(delay) { [weak self] in self?.event { $0.holdOver(ticket) } }
      self.state.withLockedValue { if $0.held[ticket] != nil { $0.timers[ticket] = timer } else { timer.cancel() } }
    case .cancel(let ticket): self.state.withLockedValue { $0.held[ticket] }?.cancelled.fulfil(())
    case .settle(let ticket, let settlement): if let held = self.forget(ticket) { self.settle(held, settlement) }
    case .forget(let ticket, let wasHandled):
      guard let held = self.forget(ticket), wasHandled else { return }
      self.count { $0.settlementsLost += 1 }
      self.policy.report(.settlementLost(held.messageID))
    case .reportNearLimit(let ticket, let deliveries):
      self.count { $0.nearDeliveryLimit += 1 }
      let id = self.state.withLockedValue { $0.held[ticket]?.messageID }
      self.logger.warning("a message is near its delivery limit", metadata: self.metadata)
      self.policy.report(.nearDeliveryLimit(id, deliveries: deliveries))
    case .done: self.newStarts.finish()
    }
  }

  private func forget(_ ticket: Machine.Ticket) -> Held? {
    self.state.withLockedValue { state in
      state.timers.removeValue(forKey: ticket)?.cancel()
      return state.held.removeValue(forKey: ticket)
    }
  }

  private func settle(_ held: Held, _ settlement: Machine.Settlement) {
    let knowsModified = self.state.withLockedValue { $0.knowsModified }
    let disposition: AMQPDisposition
    switch settlement {
    case .accept: disposition = .accepted
    case .deadLetter(let reason):
      switch self.policy.deadLettering {
      case .modified where knowsModified: disposition = .modified(deliveryFailed: true, undeliverableHere: true)
      case .modified, .rejected: disposition = .rejected(reason)
      }
    case .handBackFailed: disposition = knowsModified ? .modified(deliveryFailed: true, undeliverableHere: false) : .released
    case .unlock: disposition = .released
    case .handBackUnbegun:
      let isStopping = self.state.withLockedValue { state in
        state.counts.handedBackUnbegun += 1
        guard state.machine.isStopping else { return false }
        state.unbegun.append(held.delivery)
        return true
      }
      if isStopping { return }
      disposition = .released
    }
    do throws(AMQPError) {
      try held.delivery.settle(as: disposition)
      self.tell(settlement, held.messageID)
    } catch {
      guard error.code == .deliveryWithdrawn else {
        self.count { $0.settlementsLost += 1 }
        self.policy.report(.settlementLost(held.messageID))
        return
      }
      self.count { $0.withdrawn += 1 }
      self.logger.warning("the bus took a message back that was not settled in time", metadata: self.metadata)
      self.policy.report(.withdrawn(held.messageID))
    }
  }

  private func tell(_ settlement: Machine.Settlement, _ id: AMQPMessageID?) {
    switch settlement {
    case .accept: self.count { $0.accepted += 1 }
    case .deadLetter(let reason):
      self.count { $0.deadLettered += 1 }
      self.logger.warning("a message is dead-lettered", metadata: self.metadata)
      self.policy.report(.deadLettered(id, reason))
    case .handBackFailed:
      self.count { $0.handedBack += 1 }
      self.policy.report(.handedBack(id))
    case .handBackUnbegun, .unlock: break
    }
  }

  private var metadata: Logger.Metadata { [LogKey.address.rawValue: "\(self.address)"] }

  private func count(_ change: (inout AMQPProcessCounts) -> Void) { self.state.withLockedValue { change(&$0.counts) } }
}
