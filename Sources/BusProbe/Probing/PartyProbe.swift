// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import Disclosure
import Logging
import NIOCore
import TjenestebussClient

/// The whole ladder for one party, from the number that was typed to the answer of its system. Stops at the first rung that
/// failed.
public struct PartyProbe: Sendable {
  /// A bus as the probe may use it.
  public struct BusAccess: Sendable {
    public var endpoint: BusEndpoint
    /// Our own queue on this bus, to which answers go; nil to ask for none.
    public var replyQueue: String?
    /// Whether others read that queue too: then it is read through the daemon or not at all, since we would take others' echoes.
    public var isReplyQueueShared: Bool
    /// Nil for AMQP `/management` where the dialect has it, else none.
    public var counting: (any QueueCounting)?

    public init(
      endpoint: BusEndpoint, replyQueue: String? = nil, isReplyQueueShared: Bool = false, counting: (any QueueCounting)? = nil
    ) {
      self.endpoint = endpoint
      self.replyQueue = replyQueue
      self.isReplyQueueShared = isReplyQueueShared
      self.counting = counting
    }
  }

  /// What to do for one party.
  public struct Climb: Sendable {
    /// Which of the party's queues.
    public var kind = QueueKind.asynchronous
    /// Whether a ping is sent; where not, only attach and count: nothing is written to the party's queue.
    public var sending = Sending.asConfigured
    /// The last rung to climb.
    public var through = ProbeCode.echo
    /// The address to go to, instead of what cache and register say: they are not asked then.
    public var address: QueueAddress?
    /// Whether to wait until the party may be pinged again, at most for the ration's interval; else no ping is sent then.
    public var waitsToPing = false
    /// Whether to look at the party's queue on the other buses too (rung 33).
    public var looksAtOtherBuses = false

    /// What people have told: ``ProbeEvidence/selfPing`` and ``ProbeEvidence/vendorConfirms``. Stronger than what is on record.
    public var told: [ProbeEvidence: ProbeEvidence.State] = [:]
    /// The same on record, of each party and bus.
    public var recorded: [HerID: [BusName: [ProbeEvidence: ProbeEvidence.State]]] = [:]

    public enum Sending: Sendable, Hashable {
      /// Unless ``ProbeSettings/sendsOnlyWhenTold``.
      case asConfigured
      case yes
      case no
    }

    public init() {}
  }

  let buses: [BusAccess]
  private let cache: AddressCache?
  private let register: (any AddressRegisterReading)?
  let settings: ProbeSettings
  private let ration: PingRation?
  let echoes: (any EchoService)?
  let logger: Logger
  /// Where many parties share a connection.
  private var lines: BusLines?
  let clock = ContinuousClock()
  let wallClock = SystemRegistryClock()

  /// - Parameters:
  ///   - cache: opened for reading; nil to ask the register alone.
  ///   - register: nil to go by the cache alone.
  ///   - ration: what keeps parties from being pinged too often; nil only where nothing real is pinged.
  ///   - echoes: who reads our reply queues for us; nil to read them ourselves.
  public init(
    buses: [BusAccess], cache: AddressCache?, register: (any AddressRegisterReading)?, settings: ProbeSettings,
    ration: PingRation? = nil, echoes: (any EchoService)? = nil,
    logger: Logger = Logger(label: "bus-probe", factory: { _ in SwiftLogNoOpLogHandler() })
  ) {
    self.buses = buses
    self.cache = cache
    self.register = register
    self.settings = settings
    self.ration = ration
    self.echoes = echoes
    self.logger = logger
  }

  /// For many parties: the probe that `body` gets climbs from names to the open connection once for each bus, shows that in every
  /// party's report, and keeps one connection a bus until `body` has ended.
  public func withSharedConnections<Result>(_ body: (PartyProbe) async throws -> Result) async rethrows -> Result {
    let lines = BusLines()
    var shared = self
    shared.lines = lines
    do {
      let result = try await body(shared)
      await lines.close()
      return result
    } catch {
      await lines.close()
      throw error
    }
  }

  /// Climbs the ladder.
  ///
  /// - Parameters:
  ///   - target: the HER-ID as it was typed.
  ///   - sends: false to attach and count only: nothing is written to the party's queue.
  ///   - last: the last rung to climb.
  public func run(
    _ target: String, kind: QueueKind = .asynchronous, sends: Bool = true, through last: ProbeCode = .echo
  ) async -> ProbeReport {
    var climb = Climb()
    climb.kind = kind
    climb.sending = sends ? .asConfigured : .no
    climb.through = last
    return await self.run(target, climb)
  }

  /// Climbs the ladder.
  public func run(_ target: String, _ climb: Climb) async -> ProbeReport {
    var report = ProbeReport(target: target, kind: climb.kind, steps: [])
    report.shown = climb.told
    let herID: HerID
    do throws(BusModelError) { herID = try HerID(text: target) } catch {
      report.steps.append(ProbeStep(.inputMalformed, [.typed: .text(String(target.prefix(40)))]))
      return report
    }
    report.steps.append(ProbeStep(.inputGood, [.herID: "\(herID)"]))
    if climb.through > .input { await self.go(herID, climb, &report) }
    report.steps = report.steps.filter { $0.code <= climb.through || $0.code == .otherBus }.sorted { $0.code < $1.code }
    return report
  }

  private func go(_ herID: HerID, _ climb: Climb, _ report: inout ProbeReport) async {
    guard let (access, address) = await self.decide(herID, climb, &report) else { return }
    report.bus = access.endpoint.name
    report.address = address
    report.shown.merge(climb.recorded[herID]?[access.endpoint.name] ?? [:]) { told, _ in told }
    guard climb.through > .decision, report.firstFailure == nil else { return }
    if let lines, climb.through >= .begin {
      let line = await lines.line(access.endpoint.name) { await self.line(access) }
      report.steps += line.steps
      if let connection = line.connection {
        await self.ping(connection, access, herID, address.queue, climb, line.listening, &report)
      }
    } else if await self.network(access.endpoint, climb.through, &report), climb.through > .encryption,
      let connection = await self.open(access, &report)
    {
      if climb.through >= .begin { await self.ping(connection, access, herID, address.queue, climb, nil, &report) }
      await connection.close()
    }
    if climb.looksAtOtherBuses {
      report.steps += await self.otherBuses(than: access, queue: address.queue)
    }
  }

  // MARK: Registry

  private func decide(
    _ herID: HerID, _ climb: Climb, _ report: inout ProbeReport
  ) async -> (access: BusAccess, address: QueueAddress)? {
    if let address = climb.address { return self.given(address, &report) }
    let judged = await self.askRegistry(herID, climb.kind)
    report.steps += judged.steps
    guard let decision = judged.decision, let access = self.buses.first(where: { $0.endpoint.name == decision.bus.name }) else {
      return nil
    }
    let path = access.endpoint.connection.path
    if decision.address.path != path, !path.isEmpty {
      // Instead of the plain "decided": one step a rung.
      report.steps.removeAll { $0.code == .decision && $0.verdict == .ok }
      if report[.decision] == nil {
        report.steps.append(
          ProbeStep(.pathDiffers, [.address: "\(decision.address)", .bus: "\(decision.bus.name)", .path: .text(path)]))
      }
    }
    return (access, decision.address)
  }

  private func given(_ address: QueueAddress, _ report: inout ProbeReport) -> (BusAccess, QueueAddress)? {
    let holders = self.buses.filter { $0.endpoint.bus.holds(address) }
    let names = (holders.isEmpty ? self.buses : holders).map(\.endpoint.name.text).joined(separator: ", ")
    guard let access = holders.first, holders.count == 1 else {
      report.steps.append(
        ProbeStep(
          holders.isEmpty ? .addressOnNoBus : .addressOnSeveralBuses, [.address: "\(address)", .buses: .text(names)]))
      return nil
    }
    report.steps.append(ProbeStep(.addressGiven, [.bus: "\(access.endpoint.name)", .address: "\(address)"]))
    return (access, address)
  }

  private func askRegistry(_ herID: HerID, _ kind: QueueKind) async -> RegistryJudgement {
    var begun = self.clock.now
    let cached = await self.askCache(herID)
    let cacheTime = (self.clock.now - begun).inMilliseconds
    begun = self.clock.now
    let live = await self.askRegister(herID)
    let registerTime = (self.clock.now - begun).inMilliseconds
    return RegistryJudgement(
      herID, kind: kind, buses: self.buses.map(\.endpoint.bus), cache: cached,
      cacheMilliseconds: self.cache == nil ? nil : cacheTime, register: live,
      registerMilliseconds: self.register == nil ? nil : registerTime, now: self.wallClock.now,
      cacheMaximumAge: self.settings.cacheMaximumAge)
  }

  private func askCache(_ herID: HerID) async -> RegistryJudgement.Look<RegistryEntry> {
    guard let cache else { return .notConfigured }
    do {
      return try await cache.party(herID).map { .found($0) } ?? .none
    } catch {
      return .failed(error as? any ExplainedError ?? AddressRegistryError.cacheUnusable(path: cache.path, seen: "cancelled"))
    }
  }

  private func askRegister(_ herID: HerID) async -> RegistryJudgement.Look<RegistryEntry> {
    guard let register else { return .notConfigured }
    let asked = self.wallClock.now
    do {
      return .found(RegistryEntry(record: try await register.party(herID), source: .soap, readAt: asked, version: 1))
    } catch AddressRegistryError.partyUnknown {
      return .none
    } catch {
      return .failed(
        error as? any ExplainedError ?? AddressRegistryError.registerConnectionLost(url: "the register", seen: "cancelled"))
    }
  }

  // MARK: Network

  /// - Returns: false when a rung failed.
  func network(_ endpoint: BusEndpoint, _ last: ProbeCode, _ report: inout ProbeReport) async -> Bool {
    let host = endpoint.connection.host
    let port = endpoint.connection.port
    var begun = self.clock.now
    let found = await NameLookUp.addresses(
      of: host, port: port, servers: self.settings.nameServers?.compactMap(NameServerQuestion.server))
    report.steps.append(NetworkJudgement.names(found, host: host, milliseconds: (self.clock.now - begun).inMilliseconds))
    guard case .found(let addresses) = found, last > .names else { return false }

    report.steps.append(NetworkJudgement.reach(await self.knock(addresses, host: host), port: port))
    guard report.firstFailure == nil, last > .reach else { return false }

    guard endpoint.connection.encrypted else {
      report.steps.append(ProbeStep(.notEncrypted))
      return true
    }
    begun = self.clock.now
    let look = await CertificateLook.look(
      host: host, port: port, authorities: endpoint.authorities, within: self.settings.timeout)
    let taken = (self.clock.now - begun).inMilliseconds
    var spoken: ProtocolLook.Spoken?
    if case .failed(let error, _) = look, error.code == .notTLS || NetworkJudgement.isCut(error) {
      spoken = await ProtocolLook.look(host: host, port: port, within: .seconds(3))
    }
    report.steps.append(
      NetworkJudgement.certificate(
        look, spoken: spoken, nowSeconds: self.nowSeconds, warningDays: self.settings.certificateWarningDays,
        timeout: self.settings.timeout, milliseconds: taken))
    return report.firstFailure == nil
  }

  private var nowSeconds: Int64 { self.wallClock.now.millisecondsSinceEpoch / 1_000 }

  /// All addresses at once: each that does not answer would cost its whole time.
  private func knock(
    _ addresses: [SocketAddress], host: String
  ) async -> [(address: String, answer: PortReach.Answer, milliseconds: Double)] {
    let limit = min(self.settings.timeout, .seconds(5))
    return await withTaskGroup(of: (Int, PortReach.Answer, Double).self) { tasks in
      for (index, address) in addresses.enumerated() {
        tasks.addTask {
          let begun = self.clock.now
          let answer = await PortReach.knock(address, within: limit)
          return (index, answer, (self.clock.now - begun).inMilliseconds)
        }
      }
      var answers: [(Int, PortReach.Answer, Double)] = []
      for await answer in tasks { answers.append(answer) }
      return answers.sorted { $0.0 < $1.0 }.map { (addresses[$0.0].ipAddress ?? host, $0.1, $0.2) }
    }
  }

  // MARK: AMQP

  func configuration(_ endpoint: BusEndpoint) -> AMQPConnectionConfiguration {
    var configuration = endpoint.amqpConfiguration(
      role: "pinger", product: "bus-pinger", operationTimeout: self.settings.timeout)
    configuration.connectTimeout = self.settings.timeout
    return configuration
  }

  /// - Returns: nil when a rung failed.
  func open(_ access: BusAccess, _ report: inout ProbeReport) async -> AMQPConnection? {
    let login = ConnectionJudgement.Login(access.endpoint, timeout: self.settings.timeout)
    let begun = self.clock.now
    let connection: AMQPConnection
    do throws(AMQPError) {
      connection = try await AMQPConnection.open(self.configuration(access.endpoint), logger: self.logger)
    } catch {
      let taken = (self.clock.now - begun).inMilliseconds
      if NetworkJudgement.isEncryption(error) {
        // TLS 1.3 tells of some faults only after its handshake: they are encryption's all the same.
        report.steps.removeAll { $0.code == .encryption }
        report.steps.append(NetworkJudgement.encryption(error, nowSeconds: self.nowSeconds, milliseconds: taken))
        return nil
      }
      report.steps += ConnectionJudgement.failed(
        error, login, spoken: await self.spoken(access.endpoint, after: error),
        second: await self.secondTry(access.endpoint, after: error), milliseconds: taken)
      return nil
    }
    report.steps += ConnectionJudgement.opened(
      connection.peer, login, milliseconds: (self.clock.now - begun).inMilliseconds)
    return connection
  }

  /// - Parameter shared: who listens on the reply queue of a shared connection; nil to listen for this party alone.
  private func ping(
    _ connection: AMQPConnection, _ access: BusAccess, _ herID: HerID, _ queue: String, _ climb: Climb,
    _ shared: AddressProbe.Listening?, _ report: inout ProbeReport
  ) async {
    let judged = await self.judge(connection, access, herID, queue, climb, shared)
    // A bus that answered Open and closed right after, as RabbitMQ 3 does over a virtual host, has not opened.
    if judged.steps.contains(where: { $0.code == .open }) { report.steps.removeAll { $0.code == .open } }
    report.steps += judged.steps
    report.echo = judged.echo
    report.shown.merge(judged.evidence) { _, seen in seen }
  }

  /// What the port speaks, where the login did not get as far as its mechanisms.
  private func spoken(_ endpoint: BusEndpoint, after error: AMQPError) async -> ProtocolLook.Spoken? {
    guard error.opening?.isLoggedIn != true, error.opening?.offeredMechanisms.isEmpty ?? true,
      !endpoint.connection.encrypted, error.code != .credentialsUnavailable, error.code != .configurationInvalid
    else { return nil }
    return await ProtocolLook.look(
      host: endpoint.connection.host, port: endpoint.connection.port, within: min(self.settings.timeout, .seconds(6)))
  }

  /// A bus that cuts the connection without a word, as RabbitMQ 4 does for a virtual host it will not give: is it that?
  private func secondTry(_ endpoint: BusEndpoint, after error: AMQPError) async -> ConnectionJudgement.SecondTry {
    guard ConnectionJudgement.isSilentCut(error), endpoint.virtualHost != nil else { return .none }
    var other = endpoint
    other.virtualHost = nil
    do throws(AMQPError) {
      let connection = try await AMQPConnection.open(self.configuration(other), logger: self.logger)
      await connection.close()
      return .opensWithoutVirtualHost
    } catch {
      return .failsWithoutVirtualHost(error)
    }
  }

  /// Whether a ping may go, and the leave for it; else why not.
  private func leave(_ herID: HerID, _ climb: Climb) async -> Result<PingRation.Permit?, NotSent> {
    guard climb.through >= .credit else { return .failure(NotSent(.notWanted)) }
    switch climb.sending {
    case .no: return .failure(NotSent(.notWanted))
    case .asConfigured where self.settings.sendsOnlyWhenTold: return .failure(NotSent(.notAllowed))
    case .asConfigured, .yes: break
    }
    guard let ration else { return .success(nil) }
    var answer = await ration.ask(herID, waitingForPlace: self.settings.timeout)
    if climb.waitsToPing, case .failure(.pingedLately(let after)) = answer {
      try? await self.clock.sleep(for: after)
      if !Task.isCancelled { answer = await ration.ask(herID, waitingForPlace: self.settings.timeout) }
    }
    return answer.map { $0 }.mapError { NotSent(.pingedLately($0.value)) }
  }

  private struct NotSent: Error {
    let reason: PingObservation.ReasonNotSent
    init(_ reason: PingObservation.ReasonNotSent) { self.reason = reason }
  }

  private func judge(
    _ connection: AMQPConnection, _ access: BusAccess, _ herID: HerID, _ queue: String, _ climb: Climb,
    _ shared: AddressProbe.Listening?
  ) async -> PingJudgement {
    switch await self.leave(herID, climb) {
    case .failure(let notSent):
      return await self.observe(connection, access, herID, queue, notSent: notSent.reason, .no)
    case .success(let permit):
      // The leave is given back when the ping is over, however it ends.
      defer { withExtendedLifetime(permit) {} }
      guard climb.through >= .echo else { return await self.observe(connection, access, herID, queue, notSent: nil, .no) }
      if let shared { return await self.observe(connection, access, herID, queue, notSent: nil, shared) }
      switch await self.way(access) {
      case .others(let listening): return await self.observe(connection, access, herID, queue, notSent: nil, listening)
      case .ourselves(let replyQueue, let reader):
        return await self.pingWithEcho(connection, access, herID, queue, replyQueue, reader)
      }
    }
  }

  func observe(
    _ connection: AMQPConnection, _ access: BusAccess, _ herID: HerID, _ queue: String,
    notSent: PingObservation.ReasonNotSent?, _ listening: AddressProbe.Listening
  ) async -> PingJudgement {
    let dialect = access.endpoint.dialect
    let own = self.waysToCount(dialect, connection)
    let probe = AddressProbe(
      connection: connection, endpoint: access.endpoint, counting: access.counting ?? OwnWays.ranked(own, dialect),
      listening: listening, settings: self.settings)
    var seen = await probe.observe(herID, queue: queue, notSent: notSent)
    seen.rationPlace = self.ration?.place
    return PingJudgement(seen)
  }

  /// Without those that attach to the party's queue, be it for copies: a prober never does.
  func waysToCount(_ dialect: Dialect, _ connection: AMQPConnection) -> [any QueueCounting] {
    OwnWays.counting(dialect, timeout: self.settings.timeout) { connection }.filter { $0.way != .browse }
  }
}
