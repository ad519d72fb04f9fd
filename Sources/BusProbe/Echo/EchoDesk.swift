// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import NIOConcurrencyHelpers
import TjenestebussClient

/// Hands echoes that come on our own reply queue to those who wait for them, as its ``EchoBook`` says.
///
/// A message that is no echo at all is never accepted: it does not belong to us, and goes back when the link closes.
final class EchoDesk: Sendable {
  private struct State {
    var book = EchoBook()
    var lastWait = 0
    var lastDelivery = 0
    var waiting: [EchoBook.Wait: AsyncStream<PingEcho>.Continuation] = [:]
    var kept: [EchoBook.Delivery: AMQPDelivery] = [:]
  }

  static let credit = 100

  private let subject: String
  private let clock = ContinuousClock()
  private let state: NIOLockedValueBox<State>

  init(subject: String, limits: EchoBook.Limits = EchoBook.Limits()) {
    self.subject = subject
    self.state = NIOLockedValueBox(State(book: EchoBook(limits: limits)))
  }

  /// Waits for the echoes of pings that `body` sends, or has sent by others.
  ///
  /// - Parameters:
  ///   - body: gets each echo once, in the order they come; the sequence ends when all have come, when the time is up, or when the task is
  ///     cancelled.
  /// - Throws: `tooMuch`, `awaitedAlready`: then `body` was not called.
  func withEchoes<Result>(
    of messageIDs: [String], within time: Duration, _ body: (AsyncStream<PingEcho>) async -> Result
  ) async throws(EchoError) -> Result {
    let (echoes, continuation) = AsyncStream.makeStream(of: PingEcho.self)
    let until = self.clock.now + time
    let wait = self.state.withLockedValue { state in
      state.lastWait += 1
      state.waiting[state.lastWait] = continuation
      return state.lastWait
    }
    defer { self.leave(wait) }
    if let refusal = self.take(.announced(wait, messageIDs, until: until)) { throw refusal }
    return await withTaskGroup(of: Void.self) { group in
      group.addTask {
        do { try await self.clock.sleep(until: until) } catch { return }
        self.take(.timePassed)
      }
      defer { group.cancelAll() }
      return await body(echoes)
    }
  }

  private func leave(_ wait: EchoBook.Wait) {
    self.take(.givenUp(wait))
    self.state.withLockedValue { $0.waiting.removeValue(forKey: wait) }?.finish()
  }

  /// Deals with what came on the reply queue.
  func take(_ deliveries: [AMQPDelivery]) {
    for delivery in deliveries {
      guard let amqp = try? delivery.message(), let message = try? HealthMessage(reading: amqp),
        let echo = PingEcho(message, subject: self.subject)
      else { continue }
      self.take(echo, by: delivery)
    }
  }

  /// - Parameter delivery: nil in tests that have no bus.
  func take(_ echo: PingEcho, by delivery: AMQPDelivery?) {
    let number = self.state.withLockedValue { state in
      state.lastDelivery += 1
      state.kept[state.lastDelivery] = delivery
      return state.lastDelivery
    }
    self.take(.came(echo, number))
  }

  /// The link is gone: what was kept went back with it.
  func linkEnded() {
    self.take(.linkEnded)
    self.state.withLockedValue { $0.kept = [:] }
  }

  /// Nothing more comes for anybody.
  func endWaits() { self.take(.closing) }

  /// How many pings are waited for.
  var awaited: Int { self.state.withLockedValue { $0.book.awaited } }

  @discardableResult
  private func take(_ event: EchoBook.Event) -> EchoError? {
    var refusal: EchoError?
    var accepted: [AMQPDelivery] = []
    // In the lock, so that echoes come in the order of the book's actions; a continuation's yield waits for nobody.
    self.state.withLockedValue { state in
      for action in state.book.take(event, at: self.clock.now) {
        switch action {
        case .refuse(_, let error): refusal = error
        case .hand(let echo, let wait): state.waiting[wait]?.yield(echo)
        case .end(let wait): state.waiting[wait]?.finish()
        case .accept(let delivery): if let delivery = state.kept.removeValue(forKey: delivery) { accepted.append(delivery) }
        case .keep: break
        }
      }
    }
    for delivery in accepted { try? delivery.accept() }
    return refusal
  }
}

/// Echoes by our own receiver on the reply queue.
struct OwnEchoes: EchoSource {
  let desk: EchoDesk
  let replyQueue: String

  func echo(
    of messageID: String, sentWithin limit: Duration, within timeout: Duration, sends: () async -> Bool
  ) async -> EchoArrival {
    do throws(EchoError) {
      return try await self.desk.withEchoes(of: [messageID], within: limit + timeout) { echoes in
        guard await sends() else { return .notAwaited }
        return await echoes.first(within: timeout).map { .came($0) } ?? .noneInTime
      }
    } catch {
      return .failed(error)
    }
  }
}

extension AsyncStream where Element: Sendable {
  /// Nil when none came in time, or the sequence has ended.
  func first(within timeout: Duration) async -> Element? {
    await withTaskGroup(of: Element?.self) { group in
      group.addTask {
        for await element in self { return element }
        return nil
      }
      group.addTask {
        try? await ContinuousClock().sleep(for: timeout)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
  }
}
