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
    await self.transmit(
      message, within: timeout,
      first: {
        do {
          return try await self.routes.route(to: message.to, kind: kind, buses: self.buses, lookUp: .cached)
        } catch {
          throw TjenestebussError.routeNotFound(message.to, kind, .init(error))
        }
      },
      moved: { await self.movedRoute(from: $0) })
  }

  /// Sends a message to a queue by name on a bus. The register is not asked, and nothing is sent twice; an answer to a message
  /// that came is better sent by ``reply(to:with:within:)``.
  public func send(
    _ message: HealthMessage, toQueue queue: String, on bus: BusName, within timeout: Duration? = nil
  ) async -> SendResult {
    await self.transmit(
      message, within: timeout, first: { try self.route(to: message.to, queue: queue, on: bus) }, moved: { _ in nil })
  }

  /// A message of the library's own (an error report), to which the vendor's protection has nothing to say.
  func sendAsIs(_ message: HealthMessage, kind: QueueKind) async -> SendResult {
    await self.transmit(
      message, within: nil, protected: false,
      first: {
        do {
          return try await self.routes.route(to: message.to, kind: kind, buses: self.buses, lookUp: .cached)
        } catch {
          throw TjenestebussError.routeNotFound(message.to, kind, .init(error))
        }
      },
      moved: { await self.movedRoute(from: $0) })
  }

  /// A ping or its echo, to a queue by name.
  func sendPing(_ message: HealthMessage, toQueue queue: String, on bus: BusName, within timeout: Duration) async -> SendResult {
    await self.transmit(
      message, within: timeout, protected: false, first: { try self.route(to: message.to, queue: queue, on: bus) },
      moved: { _ in nil })
  }

  /// Sends by the first route, and once more, with the same message id, by another one when the first bus certainly did not take
  /// the message and `moved` knows where else it may go.
  func transmit(
    _ message: HealthMessage, within timeout: Duration?, protected: Bool = true, first: () async throws -> Route,
    moved: (Route) async -> Route?
  ) async -> SendResult {
    let deadline = self.clock.now + (timeout ?? self.configuration.sendTimeout)
    do throws(TjenestebussError) { try message.checkSendable() } catch { return SendResult(notSent: message, error) }
    guard self.sends.begin() else { return SendResult(notSent: message, .stopping) }
    defer { self.sends.end() }
    let route: Route
    do { route = try await first() } catch {
      let why = (error as? TjenestebussError) ?? .routeNotFound(message.to, .asynchronous, .init(error))
      return SendResult(notSent: message, why)
    }
    var message = message
    if protected, let protection = self.protection {
      // Once: both attempts carry the same bytes.
      do {
        let body = try await protection.protect(message)
        message.body = body.bytes
        message.contentType = body.contentType
      } catch {
        return SendResult(notSent: message, .notProtected(message.to, .init(error)))
      }
    }
    let (outcome, followUp) = await self.attempt(message, route, deadline)
    var attempts = [SendResult.Attempt(route: route, outcome: outcome)]
    guard followUp == .lookUpAnew, self.clock.now < deadline, let second = await moved(route), self.clock.now < deadline else {
      return self.result(message, attempts, outcome)
    }
    let (secondOutcome, _) = await self.attempt(message, second, deadline)
    attempts.append(SendResult.Attempt(route: second, outcome: secondOutcome))
    return self.result(message, attempts, secondOutcome)
  }

  /// One try on one route.
  private func attempt(
    _ message: HealthMessage, _ route: Route, _ deadline: ContinuousClock.Instant
  ) async -> (SendResult.Outcome, SendFollowUp) {
    guard let lane = self.lanes[route.bus] else { return (.notSent(.busUnknown(route.bus)), .done) }
    var amqp: AMQPMessage
    do throws(TjenestebussError) {
      amqp = try message.amqpMessage(toQueue: route.address.queue, enqueued: .now)
    } catch { return (.notSent(error), .done) }
    if self.configuration.namesItself { amqp.nameSender(product: self.configuration.product) }
    let address: String
    do {
      let endpoint = try await lane.spoken(within: max(.zero, deadline - self.clock.now))
      address = endpoint.sendingAddress(ofQueue: route.address.queue).text
    } catch let error as TjenestebussError {
      return (.notSent(error), .done)
    } catch {
      return (.notSent(.notSent(message.to, .init(error))), .done)
    }
    do throws(AMQPError) {
      let outcome = try await lane.client.send(amqp, to: address, within: max(.zero, deadline - self.clock.now))
      return (SendResult.Outcome(outcome), SendFollowUp(after: outcome))
    } catch {
      return (.notSent(.notSent(message.to, .init(error))), SendFollowUp(after: error))
    }
  }

  /// Where the party is now, when that is elsewhere than `route` says; nil when it has not moved or the register cannot tell.
  private func movedRoute(from route: Route) async -> Route? {
    let found = try? await self.routes.route(
      to: route.herID, kind: route.kind, buses: self.buses, lookUp: self.lookUpByForce(route.herID))
    guard let found, !found.leadsWhere(route) else { return nil }
    return found
  }

  /// The register itself; where it was asked a moment ago for another message, the cache has its answer.
  func lookUpByForce(_ herID: HerID) -> RouteLookUp {
    let now = self.clock.now - self.start
    return self.forcedRefreshes.withLockedValue { $0.mayAsk(herID, at: now) } ? .refreshed : .cached
  }

  private func result(
    _ message: HealthMessage, _ attempts: [SendResult.Attempt], _ outcome: SendResult.Outcome
  ) -> SendResult {
    let dialect = attempts.last.flatMap { self.dialect(of: $0.route.bus) }
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

extension AMQPMessage {
  /// What the message says of its sender already is left as it is.
  fileprivate mutating func nameSender(product: String) {
    typealias Name = PingForm.PropertyName
    for (name, value) in [(Name.libraryVersion, TjenestebussVersion.current), (Name.product, product)]
    where self.applicationProperties[name] == nil {
      self.applicationProperties[name] = .string(value)
    }
  }
}
