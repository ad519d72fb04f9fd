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
  let planMaker: PlanMaker
  let survey: BusSurvey
  let drain: DrainControl
  let echoes: EchoControl
  /// Has what was set aside tried once more: who carries forgets nothing by itself.
  let retrySetAside: @Sendable ([HerID]) async -> Void
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
    router.add(middleware: ControlRightsGate())
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
        let body = try await request.body.collect(upTo: 16 << 20)
        return try await self.carryOut(Data(body.readableBytesView), giver: await context.giver())
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
        guard let question = try? JSONDecoder().decode(ControlAPI.TrialQuestion.self, from: body) else {
          throw CommandLineError.argumentWrong(
            name: "the question", seen: "\(body.count) bytes", wanted: "JSON as bus-migrator sends it")
        }
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

  // MARK: commands

  private func carryOut(_ body: Data, giver: DrainException.Giver?) async throws -> Data {
    guard var command = try? JSONDecoder().decode(ControlAPI.Command.self, from: body) else {
      throw CommandLineError.argumentWrong(
        name: "the command", seen: "\(body.count) bytes", wanted: "JSON as bus-migrator sends it")
    }
    // What the program says of its login counts for nothing.
    command.exception?.giver = giver
    if command.verb == .closeBus || command.verb == .checkBus { return try await self.close(command) }
    let by = command.by.first ?? ""
    var events: [MigrationEvent] = []
    var name = command.pulje
    for input in try await self.inputs(of: command) {
      if case .begin(let plan, _, _) = input { name = plan.name }
      events += try await self.engine.submit(input, actor: by.isEmpty ? "unnamed" : by)
    }
    if command.verb == .retrySetAside { await self.retrySetAside(command.herIDs ?? []) }
    let (state, _) = await self.engine.snapshot()
    let found = (try? state.pulje(meant: name)).flatMap { state.puljer[$0] }
    let summary = found.map { PuljeSummary($0, stop: state.stop, now: self.clock.now) }
    return try ControlAPI.encode(ControlAPI.CommandAnswer(events: events.map(\.kind), pulje: summary))
  }

  /// Looks at the bus, and closes it when that was asked for.
  private func close(_ command: ControlAPI.Command) async throws -> Data {
    guard let bus = self.survey.buses.first(where: { $0.name == command.bus }) else {
      throw CommandLineError.argumentWrong(
        name: "the bus", seen: command.bus?.text ?? "",
        wanted: "one of \(self.survey.buses.map(\.name.text).joined(separator: ", "))")
    }
    let closing = await self.survey.look(at: bus)
    var answer = ControlAPI.CommandAnswer(events: [], closing: closing, obstacles: closing.obstacles(now: self.clock.now))
    if command.verb == .closeBus {
      let events = try await self.engine.submit(
        .closeBus(closing, approvals: command.by), actor: command.by.first.flatMap { $0.isEmpty ? nil : $0 } ?? "unnamed")
      answer.events = events.map(\.kind)
    }
    return try ControlAPI.encode(answer)
  }

  private func inputs(of command: ControlAPI.Command) async throws -> [MigrationInput] {
    let (state, _) = await self.engine.snapshot()
    let by = command.by.first ?? ""
    if command.verb == .start {
      guard let request = command.request else {
        throw CommandLineError.argumentWrong(name: "the command", seen: "start", wanted: "the pulje along with it")
      }
      let plan = try await self.planMaker.survey(request, open: state.openParties, now: self.clock.now, seen: state.librariesSeen)
        .plan
      if let approved = command.approvedPlan, approved.hash != plan.hash {
        let seen =
          "approved \(approved.hash.prefix(12)), now \(plan.hash.prefix(12)):\(PlanDifference(was: approved, now: plan).words)"
        throw Refusal(.planChanged, tried: "start pulje \(plan.name)", seen: seen)
      }
      return [.begin(plan, planHash: command.planHash ?? command.approvedPlan?.hash, approvals: command.by)]
    }
    switch command.verb {
    case .stop: return [.stopTheLine(by: by, why: command.why)]
    case .release: return [.releaseTheLine(approvals: command.by)]
    default: break
    }
    let pulje = try state.pulje(meant: command.pulje)
    var herIDs = command.herIDs ?? []
    if let wave = command.wave {
      guard let found = state.puljer[pulje]?.herIDs(inWave: wave) else {
        throw CommandLineError.argumentWrong(name: "--wave", seen: "\(wave)", wanted: "one of the pulje's waves, from 1")
      }
      herIDs += found
    }
    func each(_ input: (HerID) -> MigrationInput) throws -> [MigrationInput] {
      guard !herIDs.isEmpty else {
        throw CommandLineError.argumentWrong(name: "--her-id", seen: "", wanted: "the party that is meant")
      }
      return herIDs.map(input)
    }
    switch command.verb {
    case .start, .stop, .release, .closeBus, .checkBus: return []
    case .retire: return try each { .retire(pulje, herID: $0, approvals: command.by) }
    case .approveRemoval: return try each { .approveRemoval(pulje, herID: $0, approvals: command.by) }
    case .signTest:
      guard let test = command.test else {
        throw CommandLineError.argumentWrong(name: "the command", seen: "sign-test", wanted: "the test along with it")
      }
      return try each { .signTest(pulje, herID: $0, test.item, passed: test.passed, by: by, seen: command.why) }
    case .pause: return [.pause(pulje, by: by, why: command.why)]
    case .resume: return herIDs.isEmpty ? [.resume(pulje, by: by)] : try each { .release(pulje, herID: $0, by: by) }
    case .rollback: return [.rollBack(pulje, herIDs: herIDs.isEmpty ? nil : herIDs, by: by, why: command.why)]
    case .accept: return [.accept(pulje, approvals: command.by)]
    case .waive:
      let until = command.until ?? self.clock.now
      return try each { .waive(pulje, herID: $0, by: by, why: command.why, until: until) }
    case .approveForwarding:
      guard let order = command.order else {
        throw CommandLineError.argumentWrong(name: "the command", seen: "approve-forwarding", wanted: "the order along with it")
      }
      return try each { .approveForwarding(pulje, herID: $0, order) }
    case .pauseForwarding: return try each { .pauseForwarding(pulje, herID: $0, by: by, why: command.why) }
    case .resumeForwarding: return try each { .resumeForwarding(pulje, herID: $0, by: by) }
    case .retrySetAside:
      // What has stopped goes on with it; what is at work is only begun anew.
      return try each { .resumeForwarding(pulje, herID: $0, by: by) }.filter { input in
        guard case .resumeForwarding(_, let herID, _) = input else { return true }
        return !state.groups(of: herID, in: pulje).contains { _, group in
          group.forwarding.map { $0.stands && $0.pause == nil && $0.stops.isEmpty } ?? false
        }
      }
    case .endForwarding: return try each { .endForwarding(pulje, herID: $0, by: by, why: command.why) }
    case .except:
      guard let exception = command.exception else {
        throw CommandLineError.argumentWrong(name: "the command", seen: "except", wanted: "the exception along with it")
      }
      return try each { .except(pulje, herID: $0, exception) }
    case .quarantine: return try each { .quarantine(pulje, herID: $0, by: by, why: command.why) }
    case .readmit: return try each { .readmit(pulje, herID: $0, by: by) }
    }
  }
}
