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
    /// Nil for AMQP `/management` where the dialect has it, else none.
    public var counting: (any QueueCounting)?

    public init(endpoint: BusEndpoint, replyQueue: String? = nil, counting: (any QueueCounting)? = nil) {
      self.endpoint = endpoint
      self.replyQueue = replyQueue
      self.counting = counting
    }
  }

  private let buses: [BusAccess]
  private let cache: AddressCache?
  private let register: (any AddressRegisterReading)?
  private let settings: ProbeSettings
  private let logger: Logger
  private let clock = ContinuousClock()
  private let wallClock = SystemRegistryClock()

  /// - Parameters:
  ///   - cache: opened for reading; nil to ask the register alone.
  ///   - register: nil to go by the cache alone.
  public init(
    buses: [BusAccess], cache: AddressCache?, register: (any AddressRegisterReading)?, settings: ProbeSettings,
    logger: Logger = Logger(label: "bus-probe", factory: { _ in SwiftLogNoOpLogHandler() })
  ) {
    self.buses = buses
    self.cache = cache
    self.register = register
    self.settings = settings
    self.logger = logger
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
    var report = ProbeReport(target: target, kind: kind, steps: [])
    let herID: HerID
    do throws(BusModelError) { herID = try HerID(text: target) } catch {
      report.steps.append(ProbeStep(.inputMalformed, seen: "\"\(target.prefix(40))\""))
      return report
    }
    report.steps.append(ProbeStep(.inputGood, seen: "HER-ID \(herID)"))
    if last > .input { await self.climb(herID, kind, sends && last >= .transfer, last, &report) }
    report.steps = report.steps.filter { $0.code <= last }.sorted { $0.code < $1.code }
    return report
  }

  private func climb(
    _ herID: HerID, _ kind: QueueKind, _ sends: Bool, _ last: ProbeCode, _ report: inout ProbeReport
  ) async {
    let judged = await self.askRegistry(herID, kind)
    report.steps += judged.steps
    guard let decision = judged.decision, let access = self.buses.first(where: { $0.endpoint.name == decision.bus.name }) else {
      return
    }
    report.bus = decision.bus.name
    report.address = decision.address
    if decision.address.path != access.endpoint.connection.path, !access.endpoint.connection.path.isEmpty {
      // Instead of the plain "decided": one step a rung.
      report.steps.removeAll { $0.code == .decision && $0.verdict == .ok }
      if report[.decision] == nil {
        report.steps.append(
          ProbeStep(
            .pathDiffers,
            seen: "\(decision.address) on \(decision.bus.name); our connection string has /\(access.endpoint.connection.path)"))
      }
    }
    guard last > .decision, report.firstFailure == nil, await self.network(access.endpoint, last, &report) else { return }
    guard last > .encryption else { return }
    await self.connected(access, herID, decision.address.queue, sends, last, &report)
  }

  // MARK: Registry

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
  private func network(_ endpoint: BusEndpoint, _ last: ProbeCode, _ report: inout ProbeReport) async -> Bool {
    let host = endpoint.connection.host
    let port = endpoint.connection.port
    var begun = self.clock.now
    let found = await NameLookUp.addresses(of: host, port: port)
    report.steps.append(NetworkJudgement.names(found, host: host, milliseconds: (self.clock.now - begun).inMilliseconds))
    guard case .found(let addresses) = found, last > .names else { return false }

    var answers: [(address: String, answer: PortReach.Answer, milliseconds: Double)] = []
    for address in addresses {
      begun = self.clock.now
      let answer = await PortReach.knock(address, within: .seconds(5))
      answers.append((address.ipAddress ?? host, answer, (self.clock.now - begun).inMilliseconds))
    }
    report.steps.append(NetworkJudgement.reach(answers, port: port))
    guard report.firstFailure == nil, last > .reach else { return false }

    guard endpoint.connection.encrypted else {
      report.steps.append(ProbeStep(.notEncrypted, seen: "amqp://"))
      return true
    }
    begun = self.clock.now
    let look = await CertificateLook.look(
      host: host, port: port, authorities: endpoint.authorities, within: self.settings.timeout)
    report.steps.append(
      NetworkJudgement.certificate(
        look, nowSeconds: self.wallClock.now.millisecondsSinceEpoch / 1_000, warningDays: self.settings.certificateWarningDays,
        milliseconds: (self.clock.now - begun).inMilliseconds))
    return report.firstFailure == nil
  }

  // MARK: AMQP

  private func connected(
    _ access: BusAccess, _ herID: HerID, _ queue: String, _ sends: Bool, _ last: ProbeCode, _ report: inout ProbeReport
  ) async {
    var configuration = access.endpoint.amqpConfiguration(
      role: "pinger", product: "bus-pinger", operationTimeout: self.settings.timeout)
    configuration.connectTimeout = self.settings.timeout
    let begun = self.clock.now
    let connection: AMQPConnection
    do throws(AMQPError) {
      connection = try await AMQPConnection.open(configuration, logger: self.logger)
    } catch {
      // A login that is refused has a rung of its own; all else is the open's.
      let isLogin = [.loginRefused, .mechanismNotOffered, .loginUnavailable, .credentialsUnavailable].contains(error.code)
      if !isLogin, error.origin == .remote {
        report.steps.append(ProbeStep(.loggedIn, seen: "as \(access.endpoint.connection.user)"))
      }
      report.steps.append(
        ProbeStep(isLogin ? .login : .open, error: error, milliseconds: (self.clock.now - begun).inMilliseconds))
      return
    }
    let peer = connection.peer
    let offered = peer.mechanisms.joined(separator: ", ")
    report.steps.append(
      ProbeStep(.loggedIn, seen: "as \(access.endpoint.connection.user), SASL PLAIN; the bus offers \(offered)"))
    report.steps.append(
      ProbeStep(
        .opened, seen: "\(peer.product ?? peer.containerID) \(peer.version ?? "")".trimmingSpaces,
        milliseconds: (self.clock.now - begun).inMilliseconds))
    if last >= .attach { report.steps += await self.ping(connection, access, herID, queue, sends) }
    await connection.close()
  }

  private func ping(
    _ connection: AMQPConnection, _ access: BusAccess, _ herID: HerID, _ queue: String, _ sends: Bool
  ) async -> [ProbeStep] {
    let dialect = access.endpoint.dialect
    let own = OwnWays.counting(dialect, timeout: self.settings.timeout) { connection }
    let counting = access.counting ?? OwnWays.ranked(own, dialect)
    func observe(_ listening: AddressProbe.Listening) async -> [ProbeStep] {
      let probe = AddressProbe(
        connection: connection, endpoint: access.endpoint, counting: counting, listening: listening, settings: self.settings)
      return PingJudgement(await probe.observe(herID, queue: queue, sends: sends)).steps
    }
    guard sends, let replyQueue = access.replyQueue else { return await observe(.no) }
    let receiver: AMQPReceiver
    do throws(AMQPError) {
      receiver = try await connection.openReceiver(
        from: access.endpoint.receivingAddress(ofQueue: replyQueue).text, credit: EchoDesk.credit, within: self.settings.timeout)
    } catch {
      return await observe(.failed(error))
    }
    let desk = EchoDesk(subject: self.settings.pingSubject)
    return await withTaskGroup(of: Void.self) { group in
      group.addTask {
        while let batch = try? await receiver.nextBatch() { desk.take(batch) }
      }
      let steps = await observe(.at(desk, replyTo: replyQueue))
      group.cancelAll()
      // What was kept for other probers goes back with the link.
      await receiver.close(within: access.endpoint.dialect.capabilities.answersCloseOfLink ? .seconds(3) : .milliseconds(200))
      return steps
    }
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    self.last == " " ? String(self.dropLast()) : self
  }
}
