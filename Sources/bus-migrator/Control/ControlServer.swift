// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Foundation
import Hummingbird
import Logging
import Migration
import MigrationEngine
import MigrationStore
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
  let clock: any MigrationClock
  let socket: String
  let database: String
  let startedAt: Instant
  let logger: Logger
  /// The socket that systemd made; nil to make one.
  var handedOver: HandedOverSocket?
  let readiness: DaemonReadiness

  func run() async throws {
    if self.handedOver == nil { try ControlSocket.clear(self.socket) }
    let router = Router(context: ControlContext.self)
    router.add(middleware: ControlGate(door: .login))
    router.add(middleware: RecoveredGate(readiness: self.readiness, socket: self.socket))
    router.get("/v1/status") { request, _ in
      let (name, form) = (request.uri.queryParameters["pulje"], request.uri.queryParameters["form"])
      return await ControlAnswer.of(form == "text" ? "text/plain; charset=utf-8" : "application/json") {
        let status = try await self.status(of: name.map { try PuljeArgument.name(String($0)) })
        return form == "text" ? Data(StatusText.text(status).utf8) : try ControlAPI.encode(status)
      }
    }
    router.get("/v1/report") { request, _ in
      let name = request.uri.queryParameters["pulje"].map { String($0) }
      return await ControlAnswer.of { try await self.report(name) }
    }
    self.addDrain(router)
    self.echoes.add(to: router)
    router.post("/v1/command") { request, context in
      await ControlAnswer.of {
        guard let asker = context.asker else { throw CommandLineError.notAllowed(who: "somebody", roles: "any") }
        let body = try await request.body.collect(upTo: CommandControl.largestBody)
        let key = request.headers.first { $0.name.canonicalName == CommandControl.keyHeader.lowercased() }?.value
        return try await self.commands.carryOut(Data(body.readableBytesView), asker: asker, key: key)
      }
    }
    var quiet = self.logger
    quiet.logLevel = .error
    let (socket, isMade, readiness) = (self.socket, self.handedOver == nil, self.readiness)
    let listener = ControlListener(
      place: self.handedOver.map { .handedOver($0) } ?? .made(path: socket), responder: router.buildResponder(), logger: quiet,
      onReady: {
        if isMade { ControlSocket.restrict(socket) }
        readiness.listens()
      })
    let server = OrderlyService(listener, within: .seconds(10), logger: quiet)
    try await withGracefulShutdownHandler {
      try await server.run()
    } onGracefulShutdown: {
      self.echoes.end()
    }
    if isMade { ControlSocket.remove(socket) }
  }

  private func addDrain(_ router: Router<ControlContext>) {
    @Sendable func query(_ request: Request) throws -> DrainControl.Query {
      let parameters = request.uri.queryParameters
      return try DrainControl.Query(
        pulje: parameters["pulje"].map { String($0) }, herIDs: parameters["her-id"].map { String($0) })
    }
    router.get("/v1/drain") { request, _ in
      let parameters = request.uri.queryParameters
      let after = parameters["after"].flatMap { Int64(String($0)) }
      let patience = parameters["patience"].flatMap { Int64(String($0)) } ?? 0
      return await ControlAnswer.of {
        let query = try query(request)
        return try await self.drain.status(query, after: after, patience: .milliseconds(max(0, patience))) {
          try await self.status(of: query.pulje)
        }
      }
    }
    router.get("/v1/drain/explain") { request, _ in await ControlAnswer.of { try await self.drain.explain(try query(request)) } }
    router.get("/v1/drain/forwarding") { request, _ in
      await ControlAnswer.of { try await self.drain.forwarding(try query(request)) }
    }
    router.post("/v1/drain/trial") { request, _ in
      await ControlAnswer.of {
        let body = Data(try await request.body.collect(upTo: 1 << 20).readableBytesView)
        let question = try ControlAPI.read(ControlAPI.TrialQuestion.self, "the question", body)
        return try await self.drain.trial(question)
      }
    }
    router.get("/v1/drain/bus") { request, _ in
      let name = request.uri.queryParameters["name"].map { String($0).removingPercentEncoding ?? String($0) }
      return await ControlAnswer.of { try await self.drain.bus(name) }
    }
  }

  private func status(of pulje: PuljeName?) async throws -> MigrationStatus {
    let (state, head) = await self.engine.snapshot()
    let daemon = MigrationStatus.Daemon(
      processID: ProcessInfo.processInfo.processIdentifier, version: TjenestebussVersion.current, startedAt: self.startedAt,
      database: self.database, starts: state.starts)
    return MigrationStatus(state, head: head, now: self.clock.now, daemon: daemon, pulje: pulje)
  }

  private func report(_ name: String?) async throws -> Data {
    let (state, head) = await self.engine.snapshot()
    let now = self.clock.now
    let pulje = try state.pulje(meant: try name.map(PuljeArgument.name))
    guard let found = state.puljer[pulje] else {
      throw Refusal(.unknownPulje, tried: "report on \(pulje)", seen: "no pulje of that name")
    }
    return try ControlAPI.encode(PuljeReport(PuljeSummary(found, stop: state.stop, now: now), now: now, auditHead: head.hash))
  }
}
