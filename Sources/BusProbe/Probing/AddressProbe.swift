// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import TjenestebussClient

/// Pings one queue of one party over an open connection. It never receives from the party's queue, nor attaches a receiver to
/// it: that would take patients' messages.
struct AddressProbe: Sendable {
  enum Listening: Sendable {
    case no
    case from(any EchoSource, by: EchoReader)
    /// Our own receiver could not be opened.
    case failed(AMQPError, by: EchoReader)
    case daemonUnable(EchoError, isShared: Bool)
  }

  let connection: AMQPConnection
  let endpoint: BusEndpoint
  let counting: (any QueueCounting)?
  let listening: Listening
  let settings: ProbeSettings
  private let clock = ContinuousClock()

  init(
    connection: AMQPConnection, endpoint: BusEndpoint, counting: (any QueueCounting)?, listening: Listening,
    settings: ProbeSettings
  ) {
    self.connection = connection
    self.endpoint = endpoint
    self.counting = counting
    self.listening = listening
    self.settings = settings
  }

  /// - Parameters:
  ///   - notSent: why only attach and count; nil to ping.
  func observe(
    _ herID: HerID, queue: String, notSent: PingObservation.ReasonNotSent? = nil
  ) async -> PingObservation {
    let address = self.endpoint.sendingAddress(ofQueue: queue).text
    var seen = PingObservation(dialect: self.endpoint.dialect, linkAddress: address, messageID: UniqueID.random())
    seen.timeout = self.settings.timeout
    seen.virtualHost = self.endpoint.virtualHost
    seen.sessions = self.connection.peer.maximumSessions
    seen.before = await self.counting?.read(queue)
    let reason = notSent ?? PingCaution.reason(seen.before?.count)
    if let reason { seen.reasonNotSent = reason }
    let sends = reason == nil

    let begun = self.clock.now
    do throws(AMQPError) {
      let sender = try await self.connection.openSender(to: address, within: self.settings.timeout)
      seen.attachMilliseconds = self.milliseconds(since: begun)
      if sends { await self.ping(herID, queue, by: sender, &seen) }
      await self.close(sender)
    } catch {
      seen.attachMilliseconds = self.milliseconds(since: begun)
      seen.attachFailure = error
    }
    if sends, seen.attachFailure == nil {
      // What was not accepted needs no control to be believed.
      if seen.ping == .outcome(.accepted) { await self.control(&seen) }
      await self.count(queue, &seen)
    }
    return seen
  }

  private func ping(_ herID: HerID, _ queue: String, by sender: AMQPSender, _ seen: inout PingObservation) async {
    switch self.listening {
    case .from(let source, let reader):
      seen.echoReader = reader
      var sent = self.clock.now
      let arrival = await source.echo(
        of: seen.messageID, sentWithin: self.settings.timeout, within: self.settings.echoTimeout
      ) {
        sent = self.clock.now
        await self.send(herID, queue, replyTo: source.replyQueue, by: sender, &seen)
        return seen.ping == .outcome(.accepted)
      }
      switch arrival {
      case .came(let echo): seen.echo = .came(echo)
      case .noneInTime:
        // Who no longer heard has not heard that there was no answer.
        seen.echo =
          self.connection.closedReason.map { .notListening($0) } ?? .noneInTime(self.settings.echoTimeout)
      case .notAwaited: seen.echo = .notAwaited
      case .failed(let error):
        guard seen.ping == .notTried else {
          seen.echo = .lost(error)
          break
        }
        // It could not be announced: an answer to it would be nobody's.
        seen.echo = .daemonUnable(error, isShared: true)
        await self.send(herID, queue, replyTo: nil, by: sender, &seen)
        return
      }
      seen.echoMilliseconds = self.milliseconds(since: sent)
    case .no: seen.echo = .noReplyQueue
    case .failed(let error, let reader):
      seen.echo = .notListening(error)
      seen.echoReader = reader
    case .daemonUnable(let error, let isShared): seen.echo = .daemonUnable(error, isShared: isShared)
    }
    if seen.ping == .notTried { await self.send(herID, queue, replyTo: nil, by: sender, &seen) }
  }

  private func send(
    _ herID: HerID, _ queue: String, replyTo: String?, by sender: AMQPSender, _ seen: inout PingObservation
  ) async {
    let ping = PingForm.request(
      from: self.settings.ownHerID, to: herID, replyTo: replyTo, subject: self.settings.pingSubject,
      timeToLive: self.settings.timeToLive, messageID: seen.messageID)
    let begun = self.clock.now
    seen.messageBytes = (try? ping.amqpMessage(toQueue: queue, enqueued: .now))?.encoded().count
    seen.ping = await self.outcome(of: ping, to: queue, by: sender)
    seen.pingMilliseconds = self.milliseconds(since: begun)
  }

  private func outcome(of message: HealthMessage, to queue: String, by sender: AMQPSender) async -> PingObservation.Sending {
    // Our own ping is always sendable; should it not be, nothing was tried.
    guard let amqp = try? message.amqpMessage(toQueue: queue, enqueued: .now) else { return .notTried }
    do throws(AMQPError) {
      return .outcome(try await sender.send(amqp, within: self.settings.timeout))
    } catch {
      return .notSent(error)
    }
  }

  /// The same message to a queue that cannot exist.
  private func control(_ seen: inout PingObservation) async {
    // Where the bus would make the queue, the control would leave one behind.
    guard self.endpoint.dialect.capabilities.missingQueueForSender != .declaresQueue else { return }
    let queue = "tjenestebuss-probe-\(UniqueID.random())"
    let message = PingForm.request(
      from: self.settings.ownHerID, to: self.settings.ownHerID, replyTo: nil, subject: self.settings.pingSubject,
      timeToLive: .seconds(1))
    let begun = self.clock.now
    do throws(AMQPError) {
      let sender = try await self.connection.openSender(
        to: self.endpoint.sendingAddress(ofQueue: queue).text, within: self.settings.timeout)
      seen.control = await self.outcome(of: message, to: queue, by: sender)
      await self.close(sender)
    } catch {
      seen.control = .notSent(error)
    }
    seen.controlMilliseconds = self.milliseconds(since: begun)
  }

  private func count(_ queue: String, _ seen: inout PingObservation) async {
    guard let counting = self.counting, seen.before?.value != .missing else { return }
    if self.settings.waitsForLateCounts, counting.lag > .zero {
      // A count of before the ping says nothing about it. Bounded, and ended by a cancellation.
      try? await self.clock.sleep(for: counting.lag)
    }
    seen.after = await counting.read(queue)
  }

  private func close(_ sender: AMQPSender) async {
    await sender.close(within: self.endpoint.dialect.capabilities.answersCloseOfLink ? .seconds(3) : .milliseconds(200))
  }

  private func milliseconds(since begun: ContinuousClock.Instant) -> Double { (self.clock.now - begun).inMilliseconds }
}

extension Duration {
  /// With fractions, for showing.
  var inMilliseconds: Double {
    Double(self.components.seconds) * 1_000 + Double(self.components.attoseconds) / 1e15
  }
}
