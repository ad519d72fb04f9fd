// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Logging
import NIOConcurrencyHelpers
import NIOCore
import TjenestebussClient

/// Carries the messages of one queue to a queue of another bus.
///
/// ```swift
/// let journal = try await ForwardingJournal.open(at: "/var/lib/bus-migrator/forwarding.journal")
/// let forwarder = Forwarder(
///   source: servicebus, sourceQueue: "93238_async", target: tjenestebuss, targetQueue: "93238_async", rules: rules, journal: journal)
/// let report = try await forwarder.run(untilIdleFor: .seconds(30))
/// ```
///
/// A message is settled on the source only after the target has accepted it, and is noted in the journal before it leaves. The bare
/// message goes byte for byte as the source gave it, but for a user-id, which is made null; the header is new: durable, the priority
/// kept, the time to live what is left of it. Annotations stay behind. It works in any direction.
///
/// Lost links and connections are made anew, with a growing pause, as long as it runs. Cancelling the task that runs it stops it
/// gracefully: what is on its way is awaited for at most ``stopLimit``, what was taken and not sent is given back.
public final class Forwarder: Sendable {
  public let line: ForwardingLine
  public let sourceQueue: String
  public let targetQueue: String
  public let rules: ForwardingRules
  public let journal: ForwardingJournal
  /// How long outcomes are awaited when it is stopped. What has none by then is of unknown outcome.
  public let stopLimit: Duration
  let sourceLinks: SourceLinks?
  let logger: Logger
  private let shared = NIOLockedValueBox(Shared())
  private let ownsLine: Bool

  private struct Shared {
    var counts = ForwardingCounts()
    /// Of the run that goes on: nothing of an earlier one may come in.
    var inbox: Inbox<ForwardingInput>?
    var isPaused = false
    var watchers: [UInt64: AsyncStream<ForwardingCounts>.Continuation] = [:]
    var lastWatcher: UInt64 = 0
  }

  /// A forwarder on connections that others share.
  public init(
    line: ForwardingLine, sourceQueue: String, targetQueue: String, rules: ForwardingRules, journal: ForwardingJournal,
    stopLimit: Duration = .seconds(20), sourceLinks: SourceLinks? = nil,
    logger: Logger = Logger(label: "forwarding", factory: { _ in SwiftLogNoOpLogHandler() })
  ) {
    self.line = line
    self.sourceQueue = sourceQueue
    self.targetQueue = targetQueue
    self.rules = rules
    self.journal = journal
    self.stopLimit = stopLimit
    self.sourceLinks = sourceLinks
    self.logger = logger
    self.ownsLine = false
  }

  /// A forwarder with connections of its own, closed at the end of its run.
  public init(
    source: BusEndpoint, sourceQueue: String, target: BusEndpoint, targetQueue: String, rules: ForwardingRules,
    journal: ForwardingJournal, stopLimit: Duration = .seconds(20), sourceLinks: SourceLinks? = nil,
    logger: Logger = Logger(label: "forwarding", factory: { _ in SwiftLogNoOpLogHandler() })
  ) {
    self.line = ForwardingLine(source: source, target: target, logger: logger)
    self.sourceQueue = sourceQueue
    self.targetQueue = targetQueue
    self.rules = rules
    self.journal = journal
    self.stopLimit = stopLimit
    self.sourceLinks = sourceLinks
    self.logger = logger
    self.ownsLine = true
  }

  /// What the journal calls the way: source bus and queue, target bus and queue.
  public var route: String { "\(self.line.source.name)/\(self.sourceQueue) > \(self.line.target.name)/\(self.targetQueue)" }

  /// What it has done, and does.
  public var counts: ForwardingCounts { self.shared.withLockedValue { $0.counts } }

  /// ``counts`` as they change, a few times a second at most; ends with the run. A slow reader misses some, never the last.
  public var progress: AsyncStream<ForwardingCounts> {
    let (stream, continuation) = AsyncStream.makeStream(of: ForwardingCounts.self, bufferingPolicy: .bufferingNewest(1))
    let number = self.shared.withLockedValue { shared in
      shared.lastWatcher += 1
      shared.watchers[shared.lastWatcher] = continuation
      return shared.lastWatcher
    }
    continuation.onTermination = { [weak self] _ in self?.shared.withLockedValue { _ = $0.watchers.removeValue(forKey: number) } }
    return stream
  }

  public var isPaused: Bool { self.shared.withLockedValue { $0.isPaused } }

  /// Sends nothing more until ``resume()``. What is on its way is awaited; what was taken stays taken.
  public func pause() {
    self.shared.withLockedValue { shared in
      shared.isPaused = true
      return shared.inbox
    }?.put(.event(.paused))
  }

  public func resume() {
    self.shared.withLockedValue { shared in
      shared.isPaused = false
      return shared.inbox
    }?.put(.event(.resumed))
  }

  /// Asks the run that goes on to stop, as a cancellation does. Idempotent.
  public func stop() { self.shared.withLockedValue { $0.inbox }?.put(.stop) }

  /// Carries messages until the task is cancelled, ``stop()``, the queue stops with words, or nothing has come for `idle`.
  ///
  /// - Parameters:
  ///   - idle: ends when nothing has come for so long and nothing is open; nil to go on for ever.
  ///   - count: how many messages the source holds, for a dry run: the caller's counters say it.
  /// - Returns: how it ended. What went wrong after it began is in the ending.
  /// - Throws: ``ForwardingError`` when it did not begin: `rulesInvalid`, `queueInUse`, `notCountable`, `nearDeliveryLimit`.
  public func run(
    untilIdleFor idle: Duration? = nil, count: (@Sendable () async throws -> Int)? = nil
  ) async throws(ForwardingError) -> ForwardingReport {
    let tried = "forward \(self.route)"
    if let problem = self.rules.problem { throw ForwardingError(.rulesInvalid, tried: tried, seen: problem) }
    if self.rules.isDryRun { return try await self.dryRun(count, tried) }
    let queue = try self.journal.take(self.route)
    defer { self.journal.giveBack(queue) }
    try await self.journal.settled()
    if !self.rules.retriesSetAside,
      let near = self.journal.setAside(of: self.route).first(where: { $0.reason == .nearDeliveryLimit })
    {
      throw ForwardingError(
        .nearDeliveryLimit, tried: tried, seen: "an earlier run stopped at message \(near.messageID): \(near.seen)")
    }
    let inbox = Inbox<ForwardingInput>()
    self.shared.withLockedValue { $0.inbox = inbox }
    self.logger.info(
      "forwarding begins", metadata: [LogKey.route.rawValue: "\(self.route)", LogKey.mode.rawValue: "\(self.rules.mode)"])
    let run = ForwardingRun(self, inbox, queue: queue, idle: idle, tried: tried)
    let (ending, carrying) = await withTaskCancellationHandler {
      await withTaskExecutorPreference(LoopExecutor(self.line.eventLoop)) { await run.carry() }
    } onCancel: {
      inbox.put(.stop)
    }
    self.logger.info(
      "forwarding ended",
      metadata: [
        LogKey.route.rawValue: "\(self.route)", LogKey.ending.rawValue: "\(ending)",
        LogKey.accepted.rawValue: "\(self.counts.accepted)",
      ])
    if self.ownsLine { await self.line.close() }
    // Outside of the lock: finishing a stream calls its termination handler, which takes it.
    let (watchers, counts) = self.shared.withLockedValue { shared in
      defer { shared.watchers = [:] }
      shared.inbox = nil
      return (Array(shared.watchers.values), shared.counts)
    }
    for watcher in watchers {
      watcher.yield(counts)
      watcher.finish()
    }
    return ForwardingReport(
      ending: ending, counts: self.counts, setAside: self.journal.setAside(of: self.route), carrying: carrying)
  }

  private func dryRun(
    _ count: (@Sendable () async throws -> Int)?, _ tried: String
  ) async throws(ForwardingError) -> ForwardingReport {
    guard let count else { throw ForwardingError(.notCountable, tried: tried, seen: "no counter was given") }
    do {
      let messages = try await count()
      return ForwardingReport(
        ending: .counted(messages), counts: ForwardingCounts(), setAside: self.journal.setAside(of: self.route))
    } catch {
      throw ForwardingError(.notCountable, tried: tried, seen: "the counter failed: \(type(of: error))")
    }
  }

  func show(_ counts: ForwardingCounts, telling: Bool) {
    let watchers = self.shared.withLockedValue { shared in
      shared.counts = counts
      return telling ? Array(shared.watchers.values) : []
    }
    for watcher in watchers { watcher.yield(counts) }
  }
}
