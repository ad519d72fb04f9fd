// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Logging
import NIOConcurrencyHelpers
import ServiceLifecycle

/// Receives from one queue on one bus until the task is cancelled or shut down gracefully: ``AMQPClient`` attaches again whenever
/// link, session or connection is lost, and tries again now and then where the queue does not exist. Here it is written down how
/// the reception is.
struct Reception: Sendable {
  let endpoint: BusEndpoint
  let queue: OwnQueue
  private let process:
    @Sendable (TjenestebussClient, BusLane.Place, BusEndpoint, AMQPProcessPolicy) async throws -> AMQPProcessCounts

  /// - Parameter intake: what is done with the deliveries, given the endpoint as it is spoken to.
  init<Intake: DeliveryIntake>(
    _ endpoint: BusEndpoint, _ queue: OwnQueue, _ intake: @escaping @Sendable (TjenestebussClient, BusEndpoint) -> Intake
  ) {
    self.endpoint = endpoint
    self.queue = queue
    self.process = { client, place, endpoint, policy in
      let handler = ReceptionHandler(client: client, bus: endpoint.name, queue: queue, intake: intake(client, endpoint))
      return try await place.client.process(
        from: endpoint.receivingAddress(ofQueue: queue.name).text,
        maxConcurrent: client.configuration.concurrency(of: queue.kind), policy: policy, with: handler)
    }
  }

  func run(_ client: TjenestebussClient) async {
    guard let lane = client.lanes[self.endpoint.name] else { return }
    let place = lane.takePlace()
    defer { lane.giveBack(place) }
    let states = NIOLockedValueBox(ReceptionStates())
    @Sendable func tell(_ state: AMQPClientState) {
      // Under the lock, so that the board has them in their order.
      states.withLockedValue { states in
        states.note(state)
        if let state = states.state { self.set(state, client) }
      }
    }
    self.set(.connecting, client)
    defer { client.board.remove(bus: self.endpoint.name, queue: self.queue.name, kind: self.queue.kind) }
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for await state in place.client.states where state.subject == .connection(place.use) { tell(state) }
      }
      if let endpoint = await self.spoken(lane, place, client) {
        do {
          _ = try await self.process(client, place, endpoint, self.policy(client, place, endpoint, tell))
        } catch {
          await self.ended(error, client)
        }
      }
      group.cancelAll()
    }
  }

  /// The endpoint as it is to be spoken to, once that is known.
  ///
  /// - Returns: nil when we are to stop first.
  private func spoken(_ lane: BusLane, _ place: BusLane.Place, _ client: TjenestebussClient) async -> BusEndpoint? {
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      do {
        return try await cancelWhenGracefulShutdown {
          try await lane.spoken(by: .receiving, trying: self.queue.name, within: client.configuration.sendTimeout)
        }
      } catch let error as AMQPError where error.code == .clientStopped {
        return nil
      } catch {
        // The connection's own trouble is on show already.
        if let error = error as? TjenestebussError {
          self.set(.waiting(client.configuration.missingQueueRetry, because: error.asAMQPError), client)
        }
        let wait = client.configuration.missingQueueRetry
        do { try await cancelWhenGracefulShutdown { try await ContinuousClock().sleep(for: wait) } } catch { return nil }
      }
    }
    return nil
  }

  private func policy(
    _ client: TjenestebussClient, _ place: BusLane.Place, _ endpoint: BusEndpoint,
    _ tell: @escaping @Sendable (AMQPClientState) -> Void
  ) -> AMQPProcessPolicy {
    let configuration = client.configuration
    return AMQPProcessPolicy(
      retryDelay: configuration.redeliveryDelay, poisonLimit: nil, stopWithin: configuration.shutdownGrace,
      failedKeepPlace: false,
      refusedRetry: configuration.missingQueueRetry,
      lockRenewal: endpoint.dialect == .azureServiceBus ? AMQPServiceBusLockRenewal(place.client) : nil,
      report: { event in
        switch event {
        case .link(let state): tell(state)
        case .nearDeliveryLimit: client.board.change { $0.counters.nearDeliveryLimit += 1 }
        case .deadLettered, .handedBack, .withdrawn, .settlementLost, .lockNotRenewed: break
        }
      })
  }

  /// It ended by itself, and is not tried again: shown until we leave.
  private func ended(_ error: any Error, _ client: TjenestebussClient) async {
    guard let error = error as? AMQPError, error.code != .clientStopped, !Task.isCancelled else { return }
    client.logger.error(
      "not receiving from this queue any more",
      metadata: [
        LogKey.bus.rawValue: "\(self.endpoint.name)", LogKey.queue.rawValue: "\(self.queue.name)",
        LogKey.error.rawValue: "\(error.stableCode)",
      ])
    self.set(.ended(error), client)
    try? await gracefulShutdown()
  }

  private func set(_ state: ClientStatus.ReceiverState, _ client: TjenestebussClient) {
    client.board.set(state, bus: self.endpoint.name, queue: self.queue.name, kind: self.queue.kind)
  }
}

/// How a reception is, by the states of its link and of the connection that it is on. Pure.
struct ReceptionStates: Sendable {
  private var link: AMQPClientState?
  private var connection: AMQPClientState?

  mutating func note(_ state: AMQPClientState) {
    if case .connection = state.subject { self.connection = state } else { self.link = state }
  }

  /// While it is tried again its trouble stays on show: who asks in between must not take it for mended. Nil when there is nothing
  /// new to show.
  var state: ClientStatus.ReceiverState? {
    switch self.link?.phase {
    case .open: return .receiving
    // That it ends is shown by taking it away, or by its error.
    case .ended: return nil
    case .waiting: return self.trouble(self.link?.cause, self.link?.nextAttemptIn)
    case .connecting, nil:
      if let connection, connection.phase != .open, connection.cause != nil {
        return self.trouble(connection.cause, connection.nextAttemptIn)
      }
      return self.trouble(self.link?.cause, nil)
    }
  }

  private func trouble(_ cause: AMQPError?, _ wait: Duration?) -> ClientStatus.ReceiverState {
    guard let cause else { return .connecting }
    return cause.code == .notFound ? .queueMissing(retryIn: wait ?? .zero) : .waiting(wait ?? .zero, because: cause)
  }
}
