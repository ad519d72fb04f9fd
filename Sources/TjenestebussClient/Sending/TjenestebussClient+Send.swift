// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure

extension TjenestebussClient {
  /// Sends a message to the HER-ID in its `to`, to the bus and queue that the register names.
  ///
  /// When the bus gives the message back (`released`), or there is no such queue, or it is closed, the register is asked by
  /// force, and if the party has moved the message is sent once more, with the same message id: the first bus certainly did
  /// not take it. Nothing else is ever sent twice; ``SendResult/Outcome/unknown(_:)`` least of all.
  ///
  /// - Parameters:
  ///   - kind: which of the receiver's queues: asynchronous, synchronous or error. Synchronous replies go to
  ///     ``send(_:toQueue:on:within:)``, since the register does not hold their queue.
  ///   - timeout: for all of it together; nil for the configuration's.
  /// - Returns: what became of it. When the task is cancelled: `notSent` when it had not left, else `unknown`.
  public func send(
    _ message: HealthMessage, kind: QueueKind = .asynchronous, within timeout: Duration? = nil
  ) async -> SendResult {
    let deadline = self.clock.now + (timeout ?? self.configuration.sendTimeout)
    return await self.counted(message) {
      let first: Route
      do {
        first = try await self.routes.route(to: message.to, kind: kind, buses: self.buses, lookUp: .cached)
      } catch {
        return self.result(message, [], .notSent(.routeNotFound(message.to, kind, .init(error))))
      }
      let (outcome, followUp) = await self.attempt(message, first, deadline)
      var attempts = [SendResult.Attempt(route: first, outcome: outcome)]
      guard followUp == .lookUpAnew, let second = await self.movedRoute(from: first), self.clock.now < deadline else {
        return self.result(message, attempts, outcome)
      }
      let (secondOutcome, _) = await self.attempt(message, second, deadline)
      attempts.append(SendResult.Attempt(route: second, outcome: secondOutcome))
      return self.result(message, attempts, secondOutcome)
    }
  }

  /// Sends a message to a queue by name on a bus: a synchronous reply to the `reply-to` of its request, on the bus it came
  /// by. The register is not asked, and nothing is sent twice.
  public func send(
    _ message: HealthMessage, toQueue queue: String, on bus: BusName, within timeout: Duration? = nil
  ) async -> SendResult {
    let deadline = self.clock.now + (timeout ?? self.configuration.sendTimeout)
    return await self.counted(message) {
      guard let endpoint = self.configuration.endpoint(bus), let host = endpoint.bus.hosts.first else {
        return self.result(message, [], .notSent(.busUnknown(bus)))
      }
      let route = Route(
        herID: message.to, kind: .synchronousReply, bus: bus,
        address: QueueAddress(host: host, path: endpoint.bus.path, queue: queue))
      let (outcome, _) = await self.attempt(message, route, deadline)
      return self.result(message, [SendResult.Attempt(route: route, outcome: outcome)], outcome)
    }
  }

  private func counted(_ message: HealthMessage, _ body: () async -> SendResult) async -> SendResult {
    do throws(TjenestebussError) { try message.checkSendable() } catch { return self.result(message, [], .notSent(error)) }
    guard self.sends.begin() else { return self.result(message, [], .notSent(.stopping)) }
    defer { self.sends.end() }
    return await body()
  }

  /// One try on one route.
  private func attempt(
    _ message: HealthMessage, _ route: Route, _ deadline: ContinuousClock.Instant
  ) async -> (SendResult.Outcome, SendFollowUp) {
    guard let lane = self.lanes[route.bus] else { return (.notSent(.busUnknown(route.bus)), .done) }
    let amqp: AMQPMessage
    do throws(TjenestebussError) {
      amqp = try message.amqpMessage(toQueue: route.address.queue, enqueued: .now)
    } catch { return (.notSent(error), .done) }
    let address = lane.endpoint.sendingAddress(ofQueue: route.address.queue).text
    do throws(AMQPError) {
      let outcome = try await lane.client.send(amqp, to: address, within: max(.zero, deadline - self.clock.now))
      return (SendResult.Outcome(outcome), SendFollowUp(after: outcome))
    } catch {
      return (.notSent(.notSent(message.to, .init(error))), SendFollowUp(after: error))
    }
  }

  /// Where the party is now, when that is elsewhere than `route` says; nil when it has not moved or the register cannot tell.
  private func movedRoute(from route: Route) async -> Route? {
    let now = self.clock.now - self.start
    let mayAsk = self.forcedRefreshes.withLockedValue { $0.mayAsk(route.herID, at: now) }
    // Where the register was asked a moment ago for another message, the cache has its answer.
    let found = try? await self.routes.route(
      to: route.herID, kind: route.kind, buses: self.buses, lookUp: mayAsk ? .refreshed : .cached)
    guard let found, !found.leadsWhere(route) else { return nil }
    return found
  }

  private func result(
    _ message: HealthMessage, _ attempts: [SendResult.Attempt], _ outcome: SendResult.Outcome
  ) -> SendResult {
    let dialect = attempts.last.flatMap { self.configuration.endpoint($0.route.bus)?.dialect }
    return SendResult(
      messageID: message.messageID, outcome: outcome, attempts: attempts,
      acceptance: dialect.map { .init($0) } ?? .provesNothingOfTheQueue)
  }

  /// The short name of a HER-ID's queue, by the register: for `reply-to`.
  ///
  /// - Throws: ``TjenestebussError`` `ownQueueUnknown`; `CancellationError`.
  public func queueName(of herID: HerID, kind: QueueKind) async throws -> String {
    do {
      return try await self.routes.route(to: herID, kind: kind, buses: self.buses, lookUp: .cached).address.queue
    } catch let error as CancellationError {
      throw error
    } catch {
      throw TjenestebussError.ownQueueUnknown(herID, kind, .init(error))
    }
  }
}
