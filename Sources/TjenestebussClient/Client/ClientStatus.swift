// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import NIOConcurrencyHelpers

/// What the client is doing, bus by bus and queue by queue: enough to say in one sentence why nothing moves.
public struct ClientStatus: Sendable, Hashable {
  /// The sending connection of each bus, while ``TjenestebussClient/run()`` runs.
  public var sending: [BusName: AMQPClient.State] = [:]
  /// The queues that are received from, in no order.
  public var receivers: [Receiver] = []
  public var counters = Counters()

  /// One queue on one bus.
  public struct Receiver: Sendable, Hashable {
    public var bus: BusName
    public var queue: String
    public var kind: QueueKind
    public var state: ReceiverState
  }

  public enum ReceiverState: Sendable, Hashable {
    case connecting
    /// Attached, with credit granted: messages come as they arrive.
    case receiving
    /// The queue does not exist on this bus (yet, or any more). Not an error during a move; tried again after the wait.
    case queueMissing(retryIn: Duration)
    /// Tried again after the wait: no connection, no permission, link lost.
    case waiting(Duration, because: AMQPError)
    case stopped
  }

  public struct Counters: Sendable, Hashable {
    /// The handler returned and the message was accepted.
    public var handled = 0
    /// The handler threw; given back after the redelivery delay.
    public var released = 0
    /// The handler refused it for good.
    public var refused = 0
    /// Of a form that cannot be read; rejected.
    public var malformed = 0
    /// Pings swallowed.
    public var pings = 0
    /// Pings answered, with the echo accepted by the bus.
    public var echoes = 0
    /// Handled, but the link was lost before the bus could be told: they come again.
    public var settlementsLost = 0
  }

  public subscript(bus: BusName, queue: String) -> ReceiverState? {
    self.receivers.first { $0.bus == bus && $0.queue == queue }?.state
  }
}

/// Where the parts of the client write down how they are, and others read it.
final class StatusBoard: Sendable {
  private struct State {
    var status = ClientStatus()
    var observers: [UInt64: AsyncStream<ClientStatus>.Continuation] = [:]
    var lastObserver: UInt64 = 0
  }

  private let state = NIOLockedValueBox(State())

  var status: ClientStatus { self.state.withLockedValue { $0.status } }

  /// The status now and after every change; a slow reader gets the newest only.
  var changes: AsyncStream<ClientStatus> {
    let (stream, continuation) = AsyncStream.makeStream(of: ClientStatus.self, bufferingPolicy: .bufferingNewest(1))
    let id = self.state.withLockedValue { state in
      state.lastObserver += 1
      state.observers[state.lastObserver] = continuation
      continuation.yield(state.status)
      return state.lastObserver
    }
    continuation.onTermination = { [weak self] _ in _ = self?.state.withLockedValue { $0.observers.removeValue(forKey: id) } }
    return stream
  }

  func change(_ body: (inout ClientStatus) -> Void) {
    // Yielding under the lock keeps the order of changes; a continuation's yield calls nothing of ours.
    self.state.withLockedValue { state in
      body(&state.status)
      for observer in state.observers.values { observer.yield(state.status) }
    }
  }

  func set(_ receiver: ClientStatus.ReceiverState, bus: BusName, queue: String, kind: QueueKind) {
    self.change { status in
      if let index = status.receivers.firstIndex(where: { $0.bus == bus && $0.queue == queue && $0.kind == kind }) {
        status.receivers[index].state = receiver
      } else {
        status.receivers.append(.init(bus: bus, queue: queue, kind: kind, state: receiver))
      }
    }
  }

  func remove(bus: BusName, queue: String, kind: QueueKind) {
    self.change { status in status.receivers.removeAll { $0.bus == bus && $0.queue == queue && $0.kind == kind } }
  }
}
