// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import NIOConcurrencyHelpers
import TjenestebussClient

/// Hands echoes that come on our own reply queue to those who wait for them.
///
/// What is not awaited here may be awaited by another prober on the same queue: such echoes are kept unsettled and go back
/// when the link closes; the oldest are let go when there are many, since an echo is worth a minute at most. A message that is
/// no echo at all is never accepted: it does not belong to us, and goes back as well.
final class EchoDesk: Sendable {
  private enum Expected {
    case nobodyWaits
    case waiting(CheckedContinuation<PingEcho?, Never>)
    case came(PingEcho)
  }

  private struct State {
    var expected: [String: Expected] = [:]
    var kept: [AMQPDelivery] = []
  }

  /// How many echoes of others are kept unsettled; below the credit, so that our own still come.
  static let keptLimit = 20
  static let credit = 100

  private let subject: String
  private let state = NIOLockedValueBox(State())

  init(subject: String) { self.subject = subject }

  /// Announces that an echo of this ping is wanted: to be called before the ping is sent.
  func expect(_ messageID: String) {
    self.state.withLockedValue { $0.expected[messageID] = .nobodyWaits }
  }

  /// No echo of this ping is wanted any more.
  func forget(_ messageID: String) {
    let expected = self.state.withLockedValue { $0.expected.removeValue(forKey: messageID) }
    if case .waiting(let continuation) = expected { continuation.resume(returning: nil) }
  }

  /// The echo of a ping that was announced; nil when none came in time.
  func echo(of messageID: String, within timeout: Duration) async -> PingEcho? {
    await withTaskGroup(of: PingEcho?.self) { group in
      group.addTask { await self.wait(for: messageID) }
      group.addTask {
        try? await ContinuousClock().sleep(for: timeout)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
  }

  private func wait(for messageID: String) async -> PingEcho? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now: PingEcho?? = self.state.withLockedValue { state in
          switch state.expected[messageID] {
          case .came(let echo): return .some(echo)
          case .nobodyWaits where !Task.isCancelled:
            state.expected[messageID] = .waiting(continuation)
            return nil
          case .nobodyWaits, .waiting, nil: return .some(nil)
          }
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      self.forget(messageID)
    }
  }

  /// Deals with what came on the reply queue.
  func take(_ deliveries: [AMQPDelivery]) {
    for delivery in deliveries {
      guard let amqp = try? delivery.message(), let message = try? HealthMessage(reading: amqp),
        let echo = PingEcho(message, subject: self.subject)
      else { continue }
      if self.fulfil(echo) { try? delivery.accept() } else { self.keep(delivery) }
    }
  }

  /// - Returns: whether it was awaited here.
  func fulfil(_ echo: PingEcho) -> Bool {
    let (isOurs, waiter) = self.state.withLockedValue { state -> (Bool, CheckedContinuation<PingEcho?, Never>?) in
      switch state.expected[echo.originalMessageID] {
      case nil: return (false, nil)
      case .waiting(let continuation):
        state.expected[echo.originalMessageID] = .came(echo)
        return (true, continuation)
      case .nobodyWaits, .came:
        state.expected[echo.originalMessageID] = .came(echo)
        return (true, nil)
      }
    }
    waiter?.resume(returning: echo)
    return isOurs
  }

  private func keep(_ delivery: AMQPDelivery) {
    let surplus = self.state.withLockedValue { state -> AMQPDelivery? in
      state.kept.append(delivery)
      return state.kept.count > Self.keptLimit ? state.kept.removeFirst() : nil
    }
    try? surplus?.accept()
  }

  /// The link is gone: what was kept went back with it.
  func linkEnded() { self.state.withLockedValue { $0.kept = [] } }
}
