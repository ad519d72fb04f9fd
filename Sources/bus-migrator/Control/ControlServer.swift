// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Foundation
import Hummingbird
import Logging
import Migration
import MigrationEngine
import MigrationStore
import NIOConcurrencyHelpers
import OrderlyService
import ServiceLifecycle
import TjenestebussClient

/// The control interface: HTTP on a Unix socket. Any command is taken at any time once the history is recovered; before that, whoever asks is told
/// that the daemon is reading it.
struct ControlServer: Service {
  let engine: MigrationEngine
  let commands: CommandControl
  let drain: DrainControl
  let echoes: EchoControl
  let dashboard: Dashboard
  let metrics: MetricsControl
  let reports: ReportControl
  let clock: any MigrationClock
  let socket: String
  let database: String
  let environment: String?
  let startedAt: Instant
  let logger: Logger
  /// The socket that systemd made; nil to make one.
  var handedOver: HandedOverSocket?
  let readiness: DaemonReadiness
  /// One for all doors.
  private let bodies = BodyBudget()

  /// Over TCP; nil for none.
  var api: (settings: MigratorConfiguration.API, access: APIAccess)?

  func run() async throws {
    if self.handedOver == nil { try ControlSocket.clear(self.socket) }
    var quiet = self.logger
    quiet.logLevel = .error
    let (socket, isMade, readiness) = (self.socket, self.handedOver == nil, self.readiness)
    // Ready when all of them are open: nobody who was told so is turned away at the other one.
    let shut = NIOLockedValueBox(self.api == nil ? 1 : 2)
    let opened: @Sendable () -> Void = {
      let isLast = shut.withLockedValue { count in
        count -= 1
        return count == 0
      }
      if isLast { readiness.listens() }
    }
    let listener = ControlListener(
      place: self.handedOver.map { .handedOver($0) } ?? .made(path: socket), responder: self.router(.login).buildResponder(),
      logger: quiet,
      onReady: {
        if isMade { ControlSocket.restrict(socket) }
        opened()
      })
    let local = OrderlyService(listener, within: .seconds(10), logger: quiet)
    let (logger, serving) = (quiet, self.remote(quiet, opened))
    let remote = serving.map { OrderlyService($0, within: .seconds(10), logger: logger) }
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await local.run() }
        if let remote { group.addTask { try await remote.run() } }
        // Both end with the daemon. What cannot listen ends it: it was asked for.
        do { try await group.waitForAll() } catch {
          group.cancelAll()
          throw error
        }
      }
    } onGracefulShutdown: {
      self.echoes.end()
    }
    if isMade { ControlSocket.remove(socket) }
  }

  private func remote(
    _ quiet: Logger, _ opened: @escaping @Sendable () -> Void
  ) -> ControlListener<RouterResponder<ControlContext>>? {
    guard let (settings, access) = self.api else { return nil }
    var room = ConnectionRoom()
    // Root comes by the socket.
    room.keptForRoot = 0
    let logger = self.logger
    return ControlListener(
      place: .tcp(host: settings.host, port: settings.port, tls: { access.tls }),
      responder: self.router(.token(access, self.clock)).buildResponder(), room: room, logger: quiet,
      onReady: {
        logger.info("takes commands over TCP with TLS", metadata: [LogKey.socket.rawValue: "\(settings.listen)"])
        opened()
      })
  }

  /// What is asked and how it is answered, the same for whoever comes in by one of the doors.
  func router(_ door: ControlGate.Door) -> Router<ControlContext> {
    let router = Router(context: ControlContext.self)
    self.dashboard.guards(router, door)
    router.add(middleware: ControlGate(door: door))
    router.add(middleware: RecoveredGate(readiness: self.readiness, socket: self.socket))
    router.on(.health) { _, _ in ControlAnswer.health(self.readiness, environment: self.environment) }
    router.on(.status) { request, asker in
      let form = try Self.form(request, asker)
      let query = try DrainControl.Query(request)
      return await ControlAnswer.of(form == "text" ? "text/plain; charset=utf-8" : "application/json") {
        if let own = try await self.own(query, asker) { return own }
        let status = try await self.status(of: query.pulje)
        return form == "text" ? Data(StatusText.text(status).utf8) : try ControlAPI.encode(status)
      }
    }
    router.on(.report) { request, asker in
      let query = try DrainControl.Query(request)
      return await ControlAnswer.of {
        if let own = try await self.own(query, asker) { return own }
        return try await self.report(query.pulje)
      }
    }
    self.addDrain(router)
    self.echoes.add(to: router)
    self.dashboard.add(to: router)
    self.metrics.add(to: router)
    self.reports.add(to: router)
    router.on(.command) { request, asker in
      let key = request.headers.first { $0.name.canonicalName == CommandControl.keyHeader.lowercased() }?.value
      return try await self.bodies.withBody(of: request, upTo: ControlRoute.command.largestBody(for: asker) ?? 0) { body in
        await ControlAnswer.of {
          try await self.commands.carryOut(
            Data(body.readableBytesView), asker: asker, key: key, isBrief: request.word("answer") == "brief")
        }
      }
    }
    return router
  }

  private func addDrain(_ router: Router<ControlContext>) {
    router.on(.drain) { request, asker in
      let query = try DrainControl.Query(request)
      let after = try request.number("after")
      let patience = try request.number("patience") ?? 0
      guard (0...DrainControl.longestPatience.milliseconds).contains(patience), after ?? 0 >= 0 else {
        throw CommandLineError.argumentWrong(
          name: "patience and after", seen: "\(patience), \(after ?? 0)",
          wanted: "0 to \(DrainControl.longestPatience.milliseconds) milliseconds, and an event's number")
      }
      // How long such a wait lasts would tell a vendor when something happens to others.
      guard !asker.isVendorOnly || after == nil && patience == 0 else {
        throw CommandLineError.argumentWrong(
          name: "patience and after", seen: "a vendor's token", wanted: "neither: GET /v1/live tells what becomes of your parties"
        )
      }
      return await ControlAnswer.of {
        if let own = try await self.own(query, asker) { return own }
        return try await self.drain.status(query, after: after, patience: .milliseconds(patience)) {
          try await self.status(of: query.pulje)
        }
      }
    }
    router.on(.explainDrain) { request, _ in
      let query = try DrainControl.Query(request)
      return await ControlAnswer.of { try await self.drain.explain(query) }
    }
    router.on(.forwarding) { request, _ in
      let query = try DrainControl.Query(request)
      return await ControlAnswer.of { try await self.drain.forwarding(query) }
    }
    router.on(.forwardingTrial) { request, asker in
      return try await self.bodies.withBody(of: request, upTo: ControlRoute.forwardingTrial.largestBody(for: asker) ?? 0) {
        body in
        let question = try ControlAPI.read(ControlAPI.TrialQuestion.self, "the question", Data(body.readableBytesView))
        return await ControlAnswer.of { try await self.drain.trial(question) }
      }
    }
    router.on(.busDrain) { request, _ in
      let name = request.word("name")
      return await ControlAnswer.of { try await self.drain.bus(name) }
    }
  }

  /// What a vendor gets in place of what everybody else does; nil for everybody else.
  private func own(_ query: DrainControl.Query, _ asker: ControlAsker) async throws -> Data? {
    guard asker.isVendorOnly, let vendor = asker.vendor else { return nil }
    let (state, _) = await self.engine.snapshot()
    return try ControlAPI.encode(
      VendorView(state, vendor: vendor, pulje: query.pulje, herIDs: query.herIDs, now: self.clock.now))
  }

  private static func form(_ request: Request, _ asker: ControlAsker) throws -> String? {
    let form = request.word("form")
    guard form == nil || form == "text" && !asker.isVendorOnly else {
      throw CommandLineError.argumentWrong(
        name: "form", seen: String((form ?? "").prefix(20)), wanted: "text, or nothing for JSON")
    }
    return form
  }

  private func status(of pulje: PuljeName?) async throws -> MigrationStatus {
    let (state, head) = await self.engine.snapshot()
    let daemon = MigrationStatus.Daemon(
      processID: ProcessInfo.processInfo.processIdentifier, version: TjenestebussVersion.current, startedAt: self.startedAt,
      database: self.database, starts: state.starts)
    return MigrationStatus(state, head: head, now: self.clock.now, daemon: daemon, pulje: pulje)
  }

  private func report(_ name: PuljeName?) async throws -> Data {
    let (state, head) = await self.engine.snapshot()
    let now = self.clock.now
    let pulje = try state.pulje(meant: name)
    guard let found = state.puljer[pulje] else {
      throw Refusal(.unknownPulje, tried: "report on \(pulje)", seen: "no pulje of that name")
    }
    return try ControlAPI.encode(PuljeReport(PuljeSummary(found, stop: state.stop, now: now), now: now, auditHead: head.hash))
  }
}
