// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe
import Disclosure
import Migration

/// The buses through ``BusProbe``: one long-lived probe each. Whoever made the probes runs them.
///
/// What sends is the bus's own login, as every sender of the sector has one: a ping comes from our HER-ID, and its answer to our queue. What
/// looks into a party's queue, counts it or peeks at it, is the login of the queue's organisation where one is configured. Pre-flight tries
/// both, since both are needed later.
public struct ProbedBuses: BusPort {
  private let probes: [BusName: BusProbe]
  private let organisations: OrganisationProbes?

  /// - Parameter organisations: logins of organisations; nil where there are none.
  public init(_ probes: [BusProbe], organisations: OrganisationProbes? = nil) {
    self.probes = Dictionary(probes.map { ($0.endpoint.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.organisations = organisations
  }

  /// The reading of `queues` on `bus`, each with the login that its organisation has there; nil where the bus is not configured.
  private func readings(of queues: [GroupQueue], on bus: BusName) async -> [DepthReading]? {
    guard let probe = self.probes[bus] else { return nil }
    // Where nothing is counted over a connection, whose it is makes no difference.
    guard let organisations, probe.countsByLogin else { return await probe.depths(queues.map(\.address.queue)) }
    let byLogin = Dictionary(grouping: queues) { organisations.login(for: $0.address, on: bus) }
    var readings: [DepthReading] = []
    for (login, queues) in byLogin {
      let names = queues.map(\.address.queue)
      if let login {
        // Asked with another's rights instead, the bus would say that we may not look.
        readings += await organisations.with(login) { await $0.depths(names) } ?? names.map { Self.closing($0) }
      } else {
        readings += await probe.depths(names)
      }
    }
    return readings
  }

  private static func closing(_ queue: String) -> DepthReading {
    DepthReading(
      queue: queue, way: nil, readAt: SystemRegistryClock().now, value: .unreadable(.connectionsClosing))
  }

  /// What lies on one queue, with the login that its organisation has on the bus; nil where the bus is not configured.
  public func sightings(of queue: QueueAddress, on bus: BusName, atMost bound: Int) async -> SightingReading? {
    guard let probe = self.probes[bus] else { return nil }
    if let organisations, let login = organisations.login(for: queue, on: bus) {
      return await organisations.with(login) { await $0.sightings(of: queue.queue, atMost: bound) }
        ?? SightingReading(
          queue: queue.queue, way: nil, readAt: SystemRegistryClock().now,
          value: .unreadable(.connectionsClosing))
    }
    return await probe.sightings(of: queue.queue, atMost: bound)
  }

  /// How long one queue is, with the login that its organisation has on the bus; nil where the bus is not configured.
  public func depth(of queue: QueueAddress, on bus: BusName) async -> DepthReading? {
    // Which kind of queue it is changes nothing of the reading.
    await self.readings(of: [GroupQueue(address: queue, kind: .asynchronous)], on: bus)?.first
  }

  /// How a bus speaks; nil where it is not configured.
  public func dialect(of bus: BusName) -> Dialect? { self.probes[bus]?.endpoint.dialect }

  // MARK: pre-flight

  public func preflight(
    source: BusName, sourceQueues: [GroupQueue], target: BusName, targetQueues: [GroupQueue]
  ) async -> [Finding<PreflightCheck>] {
    // Of the target it is not tried: a link on a queue there, though it takes nothing, would be a listener to who counts them.
    async let sourceSeen = self.queues(sourceQueues, on: source, triesReading: true)
    async let targetSeen = self.queues(targetQueues, on: target, triesReading: false)
    let (left, gone) = (await sourceSeen, await targetSeen)
    var findings = [
      Self.reached(.sourceBus, source, left), Self.reached(.targetBus, target, gone),
      Self.exist(.sourceQueues, left, dialect: self.probes[source]?.endpoint.dialect),
      Self.exist(.targetQueues, gone, dialect: self.probes[target]?.endpoint.dialect), Self.consumed(gone),
    ]
    findings.append(self.control(target, gone))
    return findings
  }

  private enum Seen {
    case queues([(queue: GroupQueue, preflight: QueuePreflight)])
    case notReached(String)
  }

  private func queues(_ queues: [GroupQueue], on bus: BusName, triesReading: Bool) async -> Seen {
    guard let probe = self.probes[bus] else { return .notReached("bus \(bus) is not configured") }
    // Only those the register names must exist.
    let named = queues.filter { QueueKind.inRegister.contains($0.kind) }
    let found: [QueuePreflight]
    do { found = try await probe.preflight(named.map(\.address.queue)) } catch { return .notReached(Self.words(error)) }
    // The way back ends where an organisation's login does (I-10).
    let there = Set(found.filter { $0.existence == .exists }.map(\.queue))
    let read = triesReading ? named.filter { there.contains($0.address.queue) } : []
    if let refused = await self.organisations?.refusals(of: queues, reading: read, on: bus).first {
      return .notReached(refused)
    }
    return .queues(named.compactMap { queue in found.first { $0.queue == queue.address.queue }.map { (queue, $0) } })
  }

  private static func reached(_ check: PreflightCheck, _ bus: BusName, _ seen: Seen) -> Finding<PreflightCheck> {
    switch seen {
    case .queues: Finding(check, .passed, seen: "logged in at \(bus)")
    case .notReached(let words): Finding(check, .failed, seen: words)
    }
  }

  private static func exist(_ check: PreflightCheck, _ seen: Seen, dialect: Dialect?) -> Finding<PreflightCheck> {
    guard case .queues(let queues) = seen else { return Finding(check, .failed, seen: "the bus was not reached") }
    for (queue, preflight) in queues {
      if let refused = preflight.sendingRefused {
        return Finding(check, .failed, seen: "\(queue.address): [\(refused.stableCode)] \(refused.explanation.seen)")
      }
      switch preflight.existence {
      case .exists: continue
      case .missing: return Finding(check, .failed, seen: "\(queue.address) is not there")
      case .notKnown(let because):
        // Service Bus refuses the attach to what is not there, and let this one through.
        let isService = dialect == .serviceBusWindowsServer || dialect == .azureServiceBus
        if !isService { return Finding(check, .failed, seen: "\(queue.address): \(because)") }
      }
    }
    if queues.isEmpty { return Finding(check, .failed, seen: "no queue was looked at") }
    return Finding(check, .passed, seen: queues.map(\.queue.address.queue).joined(separator: ", "))
  }

  private static func consumed(_ seen: Seen) -> Finding<PreflightCheck> {
    let check = PreflightCheck.targetConsumer
    guard case .queues(let queues) = seen else { return Finding(check, .failed, seen: "the bus was not reached") }
    let asynchronous = queues.filter { $0.queue.kind == .asynchronous }
    for (queue, preflight) in asynchronous.isEmpty ? queues : asynchronous {
      guard let consumers = preflight.consumers else {
        return Finding(check, .impossible, seen: "\(queue.address): the bus does not tell who listens")
      }
      if consumers == 0 { return Finding(check, .failed, seen: "\(queue.address): nobody listens") }
    }
    return Finding(check, .passed, seen: "somebody listens on every asynchronous queue")
  }

  /// The control is a send, and pre-flight sends nothing: the dialect says what it would give, and the ping makes it.
  private func control(_ bus: BusName, _ seen: Seen) -> Finding<PreflightCheck> {
    let check = PreflightCheck.negativeControl
    guard let dialect = self.probes[bus]?.endpoint.dialect, case .queues = seen else {
      return Finding(check, .impossible, seen: "the bus was not reached")
    }
    switch dialect.capabilities.unroutableMessage {
    case .refusesAttach, .releases:
      return Finding(check, .passed, seen: "\(dialect.rawValue) tells what it cannot route; the ping shows it")
    case .acceptsAndLoses, .declaresQueue:
      return Finding(check, .impossible, seen: "\(dialect.rawValue) accepts what it cannot route: accepted alone proves nothing")
    }
  }

  // MARK: ping

  public func ping(_ herID: HerID, on bus: BusName, queues: [GroupQueue]) async -> PingReport {
    func failed(_ words: String) -> PingReport {
      PingReport(herID: herID, bus: bus, findings: [Finding(.accepted, .failed, seen: words)])
    }
    guard let probe = self.probes[bus] else { return failed("bus \(bus) is not configured") }
    guard let queue = queues.first(where: { $0.kind == .asynchronous }) ?? queues.first else {
      return failed("the register names no queue")
    }
    // A ping that nobody fetches would lie there, or end among the dead letters, and be taken for mail when the queue is drained.
    if let consumers = await self.depth(of: queue.address, on: bus)?.count?.consumers, consumers == 0 {
      let words = "nobody listens on \(queue.address.queue)"
      return PingReport(
        herID: herID, bus: bus,
        findings: [Finding(.consumer, .failed, seen: words), Finding(.accepted, .failed, seen: "not sent, since \(words)")])
    }
    do {
      return Self.report(try await probe.ping(herID, queue: queue.address.queue), herID, bus)
    } catch { return failed(Self.words(error)) }
  }

  static func report(_ verdict: PingVerdict, _ herID: HerID, _ bus: BusName) -> PingReport {
    let judgement = verdict.judgement
    func seen(_ code: ProbeCode) -> String { judgement.steps.first { $0.code == code }?.seen(.en) ?? "not run" }
    let failure = judgement.steps.first { $0.verdict == .failed && $0.code <= .outcome }
    let acceptedSeen = failure.map { "\($0.code.stableCode) \($0.seen(.en))" } ?? seen(.outcome)
    // What is not known whether it was accepted is not accepted; of the rest, what could not be seen is told to be that.
    let findings: [Finding<PingCheck>] = [
      Finding(.accepted, judgement.isAccepted ? .passed : .failed, seen: acceptedSeen),
      Finding(.negativeControl, Self.result(judgement.evidence[.negativeControl]), seen: seen(.negativeControl)),
      Finding(.consumer, Self.result(judgement.evidence[.consumer]), seen: seen(.arrival)),
      Finding(.depthFalls, Self.result(judgement.evidence[.depthFalls]), seen: seen(.arrival)),
      Finding(.echo, Self.result(judgement.evidence[.echo]), seen: seen(.echo)),
    ]
    // Only our own library answers pings so far.
    return PingReport(
      herID: herID, bus: bus, findings: findings, library: judgement.echo.map { _ in "TjenestebussClient" },
      libraryVersion: judgement.echo?.libraryVersion,
      acceptedAfter: judgement.isAccepted ? verdict.observation.pingMilliseconds.flatMap(Self.whole) : nil,
      answeredAfter: judgement.echo == nil ? nil : verdict.observation.echoMilliseconds.flatMap(Self.whole))
  }

  private static func whole(_ milliseconds: Double) -> Int64? { Int64(exactly: milliseconds.rounded()) }

  private static func result<Check>(_ state: ProbeEvidence.State?) -> Finding<Check>.Result {
    switch state {
    case .shows: .passed
    case .denies: .failed
    case .silent, nil: .impossible
    }
  }

  // MARK: counters

  public func look(at queues: [GroupQueue], on bus: BusName) async -> [QueueReading] {
    guard let depths = await self.readings(of: queues, on: bus) else {
      return queues.map {
        QueueReading(address: $0.address, kind: $0.kind, count: .unreadable("bus \(bus) is not configured"))
      }
    }
    return queues.map { queue in
      let value = depths.first { $0.queue == queue.address.queue }?.value
      return QueueReading(address: queue.address, kind: queue.kind, count: Self.count(value))
    }
  }

  static func count(_ value: DepthReading.Value?) -> QueueReading.Count {
    switch value {
    case .counted(let count):
      .counted(
        depth: Int64(count.messages), arrivals: count.arrivals.map(Int64.init), consumers: count.consumers.map(Int64.init),
        figures: count.figures)
    case .missing: .absent
    case .unreadable(let error): .unreadable("[\(error.stableCode)] \(error.explanation.seen)")
    case nil: .unreadable("no reading was made")
    }
  }

  // MARK: messages

  public func peek(at queues: [GroupQueue], on bus: BusName) async -> [QueueSightings] {
    var found: [QueueSightings] = []
    for queue in queues {
      let reading = await self.sightings(of: queue.address, on: bus, atMost: QueueSightings.most)
      let (sightings, isWhole): ([MessageSighting], Bool) =
        switch reading?.value {
        case .seen(let sightings): (sightings, reading?.hasMore == false)
        case .missing: ([], true)
        case .unreadable, nil: ([], false)
        }
      found.append(QueueSightings(queue: queue.address, sightings: sightings, isWhole: isWhole))
    }
    return found
  }

  private static func words(_ error: any Error) -> String {
    guard let error = error as? any ExplainedError else { return "the connection was given up" }
    return "[\(error.stableCode)] \(error.explanation.seen)"
  }
}
