// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import Disclosure
import Migration

/// Probes that log in at a bus as one of the organisations on it, where it has given us a login of its own.
///
/// A connection is made when it is needed, serves all who ask for that organisation meanwhile, and is closed when nobody has for a while.
/// How many are in use at once follows from how many groups are worked on at once; of those that nobody uses, so many are kept.
public actor OrganisationProbes {
  /// A bus, and an organisation that logs in there.
  public struct Login: Sendable, Hashable {
    public var bus: BusName
    public var organisation: Int32

    public init(bus: BusName, organisation: Int32) {
      self.bus = bus
      self.organisation = organisation
    }
  }

  private struct Line {
    var probe: BusProbe
    var task: Task<Void, Never>
    var madeAt: Instant
    var users = 0
    /// Grows with each use: the smallest was left first.
    var lastUse: Int
    var closing: Task<Void, Never>?
  }

  /// What connections say they are that log in as an organisation: its own systems may say `tjenestebuss`.
  public static let product = "bus-migrator"

  /// How long a connection that nobody uses stays.
  static let idle = TimeSpan.minutes(2)
  /// The most connections that stay without a user. A look at all groups goes on from one organisation to the next: with fewer places than these are, each
  /// look would log every one of them in anew.
  static let mostIdle = 200

  private let logins: [Login: @Sendable () -> BusProbe]
  private let owners: QueueOrganisations
  private let clock: any MigrationClock
  private var lines: [Login: Line] = [:]
  private var uses = 0
  private var isClosed = false

  /// - Parameters:
  ///   - logins: what makes a probe of each login that is configured.
  ///   - owners: which organisation a queue is.
  public init(
    _ logins: [Login: @Sendable () -> BusProbe], owners: QueueOrganisations, clock: any MigrationClock = SystemMigrationClock()
  ) {
    self.logins = logins
    self.owners = owners
    self.clock = clock
  }

  /// The login with which a queue of a party is looked at and taken from; nil for the bus's own.
  public nonisolated func login(for queue: QueueAddress, on bus: BusName) -> Login? {
    self.owners.organisation(of: queue).map { Login(bus: bus, organisation: $0) }.flatMap { self.logins[$0] == nil ? nil : $0 }
  }

  /// Gives `body` the probe of a login. nil when there is none, or everything is being closed.
  public func with<Value: Sendable>(_ login: Login, _ body: @Sendable (BusProbe) async -> Value) async -> Value? {
    guard let probe = self.take(login) else { return nil }
    let value = await body(probe)
    self.leave(login, probe)
    return value
  }

  /// Open connections: those in use and those that are kept.
  var count: Int { self.lines.count }

  private func take(_ login: Login) -> BusProbe? {
    guard !self.isClosed, let make = self.logins[login] else { return nil }
    self.uses += 1
    if var line = self.lines[login], !self.isWorthAnotherTry(line) {
      line.users += 1
      line.lastUse = self.uses
      line.closing?.cancel()
      line.closing = nil
      self.lines[login] = line
      return line.probe
    }
    self.lines[login]?.closing?.cancel()
    let probe = make()
    // Of its own: it outlives whoever asked first, and ends in `leave` or `close`. A refused login ends it, and is each call's answer for a while.
    let task = Task { _ = try? await probe.run() }
    self.lines[login] = Line(probe: probe, task: task, madeAt: self.clock.now, users: 1, lastUse: self.uses)
    return probe
  }

  /// A login that was refused may have been mended on the bus since; it is not tried with every question, which would lock it there.
  private func isWorthAnotherTry(_ line: Line) -> Bool {
    line.probe.state?.phase == .ended && line.users == 0 && self.clock.now >= line.madeAt + Self.idle
  }

  private func leave(_ login: Login, _ probe: BusProbe) {
    guard var line = self.lines[login], line.probe === probe else { return }
    line.users -= 1
    if line.users == 0 {
      let (clock, until, use) = (self.clock, self.clock.now + Self.idle, line.lastUse)
      line.closing = Task { [weak self] in
        guard (try? await clock.sleep(until: until)) != nil else { return }
        await self?.closeIdle(login, lastUse: use)
      }
    }
    self.lines[login] = line
    // One that was refused has no connection, and is kept: it would be tried with every question.
    let idle = self.lines.filter { $0.value.users == 0 && $0.value.probe.state?.phase != .ended }
    if idle.count > Self.mostIdle, let first = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) {
      self.closeIdle(first.key, lastUse: first.value.lastUse)
    }
  }

  private func closeIdle(_ login: Login, lastUse: Int) {
    guard let line = self.lines[login], line.users == 0, line.lastUse == lastUse else { return }
    self.lines[login] = nil
    line.closing?.cancel()
    line.task.cancel()
  }

  /// Closes all; what is asked from now on has no answer here. May be called twice.
  public func close() async {
    self.isClosed = true
    let lines = self.lines.values
    self.lines = [:]
    for line in lines {
      line.closing?.cancel()
      line.task.cancel()
    }
    for line in lines { await line.task.value }
  }

  // MARK: what is asked as an organisation

  /// Logs in as every organisation that owns one of `queues`; the words of those that could not.
  ///
  /// - Parameter read: those of them that are there, and are to be read: what is stranded on one is taken with its login.
  func refusals(of queues: [GroupQueue], reading read: [GroupQueue], on bus: BusName) async -> [String] {
    var refusals: [String] = []
    for login in Set(queues.compactMap { self.login(for: $0.address, on: bus) }).sorted(by: { $0.organisation < $1.organisation })
    {
      let names = read.filter { self.login(for: $0.address, on: bus) == login }.map(\.address.queue)
      if let words = await self.refusal(login, reading: names) {
        refusals.append("as organisation \(login.organisation): \(words)")
      }
    }
    return refusals
  }

  /// Why this login does not get in, or may not read one of these queues; nil when it does, and may.
  public func refusal(_ login: Login, reading queues: [String] = []) async -> String? {
    let words: String?? = await self.with(login) { probe -> String? in
      do {
        guard let (queue, error) = try await probe.readingRefused(queues) else { return nil }
        return "\(queue): [\(error.stableCode)] \(error.explanation.seen)"
      } catch let error as any ExplainedError {
        return "[\(error.stableCode)] \(error.explanation.seen)"
      } catch { return "the connection was given up" }
    }
    return words ?? "connections are being closed"
  }

  /// Every login that is configured for a bus.
  public nonisolated func logins(at bus: BusName) -> [Login] {
    self.logins.keys.filter { $0.bus == bus }.sorted { $0.organisation < $1.organisation }
  }
}
