// SPDX-License-Identifier: Apache-2.0

import AMQP

/// Making things go wrong. Each fault lasts until it is taken back or used up; nothing is drawn by lot.
extension InMemoryBroker {
  /// Cuts every TCP connection without a word; clients may come again at once.
  public func cutAllConnections() async throws { try await self.onLoop { $0.cutAll() } }

  /// Closes every connection with a Close frame: "amqp:connection:forced" is what a broker says that is shut down.
  public func closeAllConnections(
    _ condition: AMQPCondition? = AMQPCondition(AMQPCondition.connectionForced, text: "CONNECTION_FORCED")
  ) async throws {
    try await self.onLoop { $0.closeAll(condition) }
  }

  /// Closes every connection as an operator does by the management: RabbitMQ 3 ends the sessions only.
  public func closeAllConnectionsAsOperator(reason: String) async throws { try await self.onLoop { $0.closeByOperator(reason) } }

  /// RabbitMQ's memory alarm: what senders write is not taken in until it is over; receiving goes on.
  public func setMemoryAlarm(_ isOn: Bool) async throws { try await self.onLoop { $0.setAlarmed(isOn) } }

  /// Service Bus: an entity that is disabled refuses links, and detaches those that stand. - Throws: `unknownQueue`.
  public func setDisabled(_ isDisabled: Bool, _ queue: String) async throws {
    guard try await self.onLoop({ $0.setDisabled(isDisabled, queue) }) else {
      throw InMemoryBrokerError(.unknownQueue, tried: "disable '\(queue)'", seen: "there is none of that name")
    }
  }

  /// Ends every session that has links.
  public func endAllSessions(_ condition: AMQPCondition?) async throws {
    try await self.onLoop { $0.endAllSessions(condition) }
  }

  /// Stops listening: new connections are refused by the operating system. Those that stand live on.
  public func refuseNewConnections() async throws { try await self.stopListening() }

  /// Listens again, on the same port.
  public func acceptNewConnections() async throws { try await self.listenAgain() }

  /// Detaches the links of a queue, or all; with nil as condition as RabbitMQ 3.10 does it in mid-stream.
  public func detachLinks(of queue: String? = nil, _ condition: AMQPCondition? = nil) async throws {
    try await self.onLoop { $0.detachLinks(of: queue, condition) }
  }

  /// Takes messages in and does not answer their senders, until ``releaseOutcomes()``.
  public func holdOutcomes() async throws { try await self.onLoop { $0.faults.holdsOutcomes = true } }

  /// Gives all answers that were held back, and answers at once again.
  public func releaseOutcomes() async throws { try await self.onLoop { $0.releaseOutcomes() } }

  /// Answers the next messages `accepted` and loses them.
  public func dropNext(_ count: Int = 1, to queue: String? = nil) async throws {
    try await self.onLoop { $0.faults.order(.drop, count, at: queue) }
  }

  /// Takes the next messages in twice.
  public func duplicateNext(_ count: Int = 1, to queue: String? = nil) async throws {
    try await self.onLoop { $0.faults.order(.duplicate, count, at: queue) }
  }

  /// Takes the next messages in and never hands them out, until ``releaseWithheld()``: they count in the depth.
  public func withholdNext(_ count: Int = 1, to queue: String? = nil) async throws {
    try await self.onLoop { $0.faults.order(.withhold, count, at: queue) }
  }

  public func releaseWithheld() async throws { try await self.onLoop { $0.releaseWithheld() } }

  /// Grants senders no more credit than they have, until ``grantCredit()``.
  public func stopGrantingCredit() async throws { try await self.onLoop { $0.faults.grantsNoCredit = true } }

  public func grantCredit() async throws { try await self.onLoop { $0.grantCreditAgain() } }

  /// Hands nothing out from the queue, until ``resumeDeliveries(of:)``. - Throws: `unknownQueue`.
  public func pauseDeliveries(of queue: String) async throws { try await self.setPaused(true, queue) }

  public func resumeDeliveries(of queue: String) async throws { try await self.setPaused(false, queue) }

  private func setPaused(_ isPaused: Bool, _ queue: String) async throws {
    guard try await self.onLoop({ $0.setPaused(isPaused, queue) }) else {
      throw InMemoryBrokerError(.unknownQueue, tried: "pause queue '\(queue)'", seen: "there is none of that name")
    }
  }
}
