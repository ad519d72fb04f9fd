// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Logging

extension TjenestebussClient {
  /// The longest an echo is worth waiting for; the ping dies within a minute anyway.
  private static let echoTimeout: Duration = .seconds(10)

  // MARK: Answering

  /// Swallows a ping or an echo: answers a ping that wants to be, brings an echo to whoever waits for it.
  func swallowPing(_ received: ReceivedMessage) async {
    self.board.change { $0.counters.pings += 1 }
    let message = received.message
    if PingForm.role(of: message, subject: self.configuration.pingSubject) == .echo {
      let original = message.properties[PingForm.PropertyName.originalMessageID] ?? message.correlationID
      if let original { self.answers.arrives(.message(received), to: original, from: message.from) }
      return
    }
    // A ping of our own that has come back to us needs no echo.
    if self.answers.arrives(.message(received), to: message.messageID, from: message.from) == .awaited { return }
    let answer = PingAnswer(
      to: message, replyTo: received.replyTo, kind: received.kind, bus: received.bus, buses: self.buses,
      subject: self.configuration.pingSubject, answersPings: self.configuration.answersPings)
    guard case .answer(let queue, let bus) = answer else { return }
    let echo = PingForm.echo(
      of: message, readFrom: received.queue, product: self.configuration.product,
      productVersion: self.configuration.productVersion, copyAge: await self.routes.copyAge(of: message.to),
      hears: self.hearers(of: received.queue))
    let result = await self.sendPing(echo, toQueue: queue, on: bus, within: Self.echoTimeout)
    if result.isAccepted {
      self.board.change { $0.counters.echoes += 1 }
    } else {
      // The prober sees that no echo came; here it is a line for whoever looks why.
      self.logger.notice(
        "a ping's echo was not accepted",
        metadata: [
          LogKey.bus.rawValue: "\(bus)", LogKey.queue.rawValue: "\(queue)",
          LogKey.messageID.rawValue: "\(message.messageID.prefix(100))", LogKey.error.rawValue: "\(result.outcome.code)",
        ])
    }
  }

  /// The buses on which the queue is received from now.
  private func hearers(of queue: String) -> [String] {
    Set(self.status.receivers.filter { $0.queue == queue && $0.state == .receiving }.map(\.bus.text)).sorted()
  }

  // MARK: Asking

  /// Sends a ping to a party's asynchronous queue, where the register says it is, and waits for its system's echo.
  ///
  /// The echo comes to this process's reply queue where there is one, else to the sender's own asynchronous queue, which this
  /// client must then receive from. A system without this library does not answer, and may report an error.
  ///
  /// - Parameters:
  ///   - own: who asks; nil for the first served HER-ID.
  ///   - timeout: for all of it, at most a minute is worth while: the ping dies then.
  /// - Throws: ``TjenestebussError`` when there is nobody to ask as, or the register does not tell a queue; `CancellationError`.
  public func ping(_ herID: HerID, from own: HerID? = nil, timeout: Duration) async throws -> PingResult {
    guard let own = own ?? self.configuration.serve.herIDs.first else {
      throw TjenestebussError.settingInvalid(name: "serve.herIDs", problem: "is empty: say as which HER-ID to ask")
    }
    let route: Route
    do {
      route = try await self.routes.route(to: herID, kind: .asynchronous, buses: self.buses, lookUp: .cached)
    } catch let error as CancellationError {
      throw error
    } catch {
      throw TjenestebussError.routeNotFound(herID, .asynchronous, .init(error))
    }
    return try await self.ping(herID, from: own, queue: route.address.queue, bus: route.bus, timeout)
  }

  /// Sends a ping to a HER-ID of our own on **each** configured bus, and reports what came back: what a vendor's system starts to
  /// see whether it is reached on both buses before and after a move.
  ///
  /// The ping has come back when this client has read it from the queue, or another process of ours has and its echo has come.
  /// No counterparty sees anything of it.
  ///
  /// - Parameter timeout: for each bus; they are asked at once.
  /// - Throws: ``TjenestebussError`` `ownQueueUnknown`; `CancellationError`.
  public func pingSelf(_ herID: HerID, timeout: Duration = .seconds(15)) async throws -> [PingResult] {
    let queue = try await self.queueName(of: herID, kind: .asynchronous)
    return try await withThrowingTaskGroup(of: PingResult.self) { group in
      for bus in self.buses {
        group.addTask { try await self.ping(herID, from: herID, queue: queue, bus: bus.name, timeout) }
      }
      return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.bus < $1.bus }
    }
  }

  private func ping(
    _ herID: HerID, from own: HerID, queue: String, bus: BusName, _ timeout: Duration
  ) async throws -> PingResult {
    var replyQueue = self.configuration.serve.replyQueue
    if replyQueue == nil { replyQueue = try await self.queueName(of: own, kind: .asynchronous) }
    let request = PingForm.request(
      from: own, to: herID, replyTo: replyQueue, subject: self.configuration.pingSubject, timeToLive: timeout)
    let begun = self.clock.now
    var result = PingResult(herID: herID, messageID: request.messageID, bus: bus, queue: queue)
    guard let answer = self.answers.ask(request.messageID, of: herID) else { return result }
    defer { self.answers.close(request.messageID) }
    result.outcome = await self.sendPing(request, toQueue: queue, on: bus, within: timeout).outcome
    switch result.outcome {
    case .accepted, .unknown:
      switch try await AnswerDesk.wait(for: answer, until: begun + timeout) {
      case .message(let received)?:
        result.roundTrip = self.clock.now - begun
        result.answeredBy = PingResult.System(received.message, ownProduct: self.configuration)
      case .refused(let report)?:
        result.problem = PingResult.refused(report)
      case nil: break
      }
    case .rejected, .released, .modified, .notSent: break
    }
    if result.problem == nil {
      result.problem =
        PingProblem(
          of: result, isOwn: herID == own, receiver: self.status[bus, queue], timeout: timeout,
          dialect: self.dialect(of: bus)
        ).explanation
    }
    return result
  }
}

extension SendResult.Outcome {
  /// The code a log line names.
  var code: String {
    self == .accepted ? "-" : TjenestebussError.notAccepted(messageID: "", outcome: self).stableCode
  }
}
