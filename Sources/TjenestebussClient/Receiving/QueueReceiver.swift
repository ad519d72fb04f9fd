// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Logging
import NIOConcurrencyHelpers
import ServiceLifecycle

/// What can happen while a delivery is judged.
private enum JudgingEvent: Sendable {
  case judged(DeliveryVerdict)
  case withdrawn(Bool)
}

/// Receives from one queue on one bus until the task is cancelled or shut down gracefully, attaching again whenever link,
/// session or connection is lost, and trying again now and then where the queue does not exist.
struct QueueReceiver<Intake: DeliveryIntake>: Sendable {
  let client: TjenestebussClient
  let lane: BusLane
  let queue: OwnQueue
  let intake: Intake

  private var bus: BusName { self.lane.endpoint.name }
  private var configuration: TjenestebussConfiguration { self.client.configuration }
  private var isStopping: Bool { Task.isCancelled || Task.isShuttingDownGracefully }

  /// Handlers outlive the link their message came by: a lost link is attached again at once, while they go on.
  private struct Work {
    let slots: HandlerSlots
    let order = ConversationOrder()
    let underWay = WorkUnderWay()
  }

  func run() async {
    await withDiscardingTaskGroup { group in
      let work = Work(slots: HandlerSlots(self.configuration.concurrency(of: self.queue.kind)))
      await self.receive(&group, work)
    }
    self.client.board.remove(bus: self.bus, queue: self.queue.name, kind: self.queue.kind)
  }

  private func receive(_ group: inout DiscardingTaskGroup, _ work: Work) async {
    var failures = 0
    while !self.isStopping {
      // While it is tried again its trouble stays on show: who asks in between must not take it for mended.
      if failures == 0 { self.set(.connecting) }
      let failure: AMQPError
      do {
        let receiver = try await self.attach()
        self.set(.receiving)
        failures = 0
        let lost = await self.handOut(receiver, &group, work)
        if lost == nil { await self.finish(&group, work) }
        // A bus that does not answer a Detach is not waited for; what was settled has gone out before it.
        await receiver.close(within: self.lane.endpoint.dialect.capabilities.answersDetach ? .seconds(3) : .milliseconds(200))
        guard let lost else { return }
        failure = lost
      } catch let error as AMQPError {
        failure = error
      } catch {
        break
      }
      if self.isStopping { break }
      let wait = self.waitAfter(failure, failures: failures)
      failures += 1
      self.set(failure.code == .notFound ? .queueMissing(retryIn: wait) : .waiting(wait, because: failure))
      if failures == 1 { self.log(failure, wait) }
      do { try await self.untilStopped { try await ContinuousClock().sleep(for: wait) } } catch { break }
    }
    await self.finish(&group, work)
  }

  /// A receiver on the connection there is, or on the next one to come.
  private func attach() async throws -> AMQPReceiver {
    let connection = try await self.untilStopped { try await self.lane.client.connection(within: .seconds(600)) }
    let address = self.lane.endpoint.receivingAddress(ofQueue: self.queue.name).text
    do {
      return try await self.untilStopped {
        try await connection.openReceiver(from: address, credit: self.configuration.concurrency(of: self.queue.kind) * 2)
      }
    } catch let error as AMQPError where error.code == .attachTimedOut {
      // RabbitMQ 3 can leave a connection open that answers no attach any more: only a new one helps.
      await connection.close(within: .milliseconds(200))
      throw error
    }
  }

  /// Lets handlers end: for the shutdown grace when we leave gracefully, then cancels them, and lets them settle.
  private func finish(_ group: inout DiscardingTaskGroup, _ work: Work) async {
    work.underWay.close()
    await work.underWay.waitForTheLast(within: self.configuration.shutdownGrace)
    group.cancelAll()
    // Shielded from our own cancellation, and bounded: a cancelled handler may need a moment to give its message back.
    await Task.detached { await work.underWay.waitForTheLast(within: .seconds(2)) }.value
  }

  /// Cancels `body` when we are to stop, be it gracefully.
  private func untilStopped<Value: Sendable>(_ body: @Sendable @escaping () async throws -> Value) async throws -> Value {
    try await cancelWhenGracefulShutdown(body)
  }

  private func waitAfter(_ failure: AMQPError, failures: Int) -> Duration {
    guard failure.isRetriable else { return self.configuration.missingQueueRetry * Double.random(in: 0.8...1.2) }
    let backOff = self.configuration.backOff
    return min(backOff.initial * (1 << min(failures, 16)), backOff.maximum) * Double.random(in: 0.5...1)
  }

  // MARK: Handing out

  /// Hands deliveries to handlers, so many at a time, until the link is lost or we are to stop.
  ///
  /// - Returns: why the link was lost; nil when we are to stop.
  private func handOut(_ receiver: AMQPReceiver, _ group: inout DiscardingTaskGroup, _ work: Work) async -> AMQPError? {
    while !self.isStopping {
      do {
        guard let batch = try await self.untilStopped({ try await receiver.nextBatch() }) else { break }
        for delivery in batch {
          // Not started and not to be started: given back at once, so that others may take it.
          guard !self.isStopping, work.underWay.begin() else {
            try? delivery.release()
            continue
          }
          let item = self.intake.read(delivery)
          let turn = self.intake.conversation(of: item).map { work.order.enter($0) }
          var holdsSlot = false
          // In order of arrival, and no more are begun than there are places. Where conversations are in order, each task waits
          // for its own turn instead: the credit bounds how many there are.
          if turn == nil, self.intake.needsPlace(item) {
            holdsSlot = await self.takeSlot(work)
            guard holdsSlot else {
              self.intake.abandon(item)
              try? delivery.release()
              work.underWay.end()
              continue
            }
          }
          group.addTask { [holdsSlot] in
            await self.deal(with: delivery, item, turn, HandlerPlace(work.slots, isHeld: holdsSlot), work)
            work.underWay.end()
          }
        }
      } catch let error as AMQPError {
        return error
      } catch {
        break
      }
    }
    return nil
  }

  private func takeSlot(_ work: Work) async -> Bool {
    if self.isStopping { return false }
    if work.slots.takeNow() { return true }
    // A slot that is given in the same moment in which we are told to stop must not be lost.
    let taken = NIOLockedValueBox(false)
    let got = try? await self.untilStopped {
      let got = await work.slots.take()
      taken.withLockedValue { $0 = got }
      return got
    }
    if got == nil, taken.withLockedValue({ $0 }) { work.slots.giveBack() }
    return got == true
  }

  /// Decides one delivery's end.
  private func deal(
    with delivery: AMQPDelivery, _ item: Intake.Item, _ turn: ConversationOrder.Turn?, _ place: HandlerPlace, _ work: Work
  ) async {
    self.note { $0.atWork += 1 }
    let verdict: DeliveryVerdict
    if let turn, await !turn.comes() {
      self.intake.abandon(item)
      verdict = .untouched
    } else {
      verdict = await self.judge(delivery, item, place)
    }
    place.giveBack()
    if let turn { work.order.leave(turn) }
    let disposition: AMQPDisposition
    switch verdict.end {
    case .accept:
      disposition = .accepted
      self.note {
        $0.atWork -= 1
        $0.failuresInARow = 0
      }
    case .reject(let condition):
      disposition = .rejected(condition)
      self.note { $0.atWork -= 1 }
    case .handBack(let delay, let failed):
      self.note {
        $0.atWork -= 1
        $0.held += 1
        if failed { $0.failuresInARow += 1 }
      }
      // Held back, so that a fault on our side does not burn the delivery limit; a stop ends the wait.
      if delay > .zero { try? await self.untilStopped { try await ContinuousClock().sleep(for: delay) } }
      let counts = failed && self.lane.endpoint.dialect.capabilities.knowsModified
      disposition = counts ? .modified(deliveryFailed: true, undeliverableHere: false) : .released
      self.note { $0.held -= 1 }
    }
    do throws(AMQPError) {
      try delivery.settle(as: disposition)
      if let count = verdict.count { self.client.board.change { count(&$0.counters) } }
    } catch {
      // The link is gone, or the bus has taken it back: it is delivered again.
      self.client.board.change {
        if error.code == .deliveryWithdrawn { $0.counters.withdrawn += 1 } else { $0.counters.settlementsLost += 1 }
      }
    }
  }

  /// Has it judged. When the bus takes the delivery back meanwhile (RabbitMQ 4.3 after its consumer timeout), the handler is
  /// cancelled: another one gets the message, and this link gets nothing more before it is settled here.
  private func judge(_ delivery: AMQPDelivery, _ item: Intake.Item, _ place: HandlerPlace) async -> DeliveryVerdict {
    await withTaskGroup(of: JudgingEvent.self) { group in
      group.addTask { .judged(await self.intake.judge(item, place)) }
      group.addTask { .withdrawn(await delivery.waitUntilWithdrawn()) }
      var verdict = DeliveryVerdict.untouched
      for await event in group {
        switch event {
        case .judged(let judged):
          verdict = judged
          group.cancelAll()
        case .withdrawn(let isWithdrawn): if isWithdrawn { group.cancelAll() }
        }
      }
      return verdict
    }
  }

  // MARK: Telling

  private func set(_ state: ClientStatus.ReceiverState) {
    self.client.board.set(state, bus: self.bus, queue: self.queue.name, kind: self.queue.kind)
  }

  private func note(_ change: (inout ClientStatus.Receiver) -> Void) {
    self.client.board.note(bus: self.bus, queue: self.queue.name, kind: self.queue.kind, change)
  }

  private func log(_ failure: AMQPError, _ wait: Duration) {
    var metadata = self.metadata(failure.stableCode)
    metadata[LogKey.waitMilliseconds.rawValue] = "\(wait.components.seconds * 1_000)"
    self.client.logger.notice("not receiving from this queue; trying again", metadata: metadata)
  }

  private func metadata(_ code: String) -> Logger.Metadata {
    [
      LogKey.bus.rawValue: "\(self.bus)", LogKey.queue.rawValue: "\(self.queue.name)", LogKey.error.rawValue: "\(code)",
    ]
  }
}
