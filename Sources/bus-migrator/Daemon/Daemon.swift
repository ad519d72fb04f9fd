// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusProbe
import Foundation
import Logging
import Migration
import MigrationEngine
import MigrationStore
import NIOConcurrencyHelpers
import ServiceLifecycle
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The daemon: store, probes, engine and control interface, started and stopped in order.
struct Daemon {
  let configuration: MigratorConfiguration
  /// Reads the configuration once more, for a reload.
  let reread: @Sendable () throws -> MigratorConfiguration
  let logLevel: SharedLogLevel
  let logger: Logger
  let environment: [String: String]

  /// Runs until SIGTERM or SIGINT; a write on the wire is finished and its answer kept before it returns.
  func run() async throws {
    // Whatever is made from here on, socket and database included, is for this user only.
    umask(0o077)
    let clock = SystemMigrationClock()
    let crash = try RehearsalCrash.from(environment: self.environment)
    let notify = ServiceNotify(environment: self.environment)
    let store = try await SQLiteEventStore.open(path: self.configuration.database, at: clock.now)
    do {
      let handedOver = try HandedOverSocket.find(environment: self.environment)
      if handedOver == nil { try ControlSocket.clear(self.configuration.socket) }
      try await RegisterHTTP.withClient(extraRootsFile: self.configuration.register.extraRootsFile) { http in
        let world = try await World.open(self.configuration, http: http, logger: self.logger)
        try await self.serve(world, store: store, clock: clock, crash: crash, notify: notify, handedOver: handedOver)
        try? await world.cache?.close()
      }
    } catch {
      await store.close()
      throw error
    }
    await store.close()
  }

  private func serve(
    _ world: World, store: SQLiteEventStore, clock: SystemMigrationClock, crash: RehearsalCrash?, notify: ServiceNotify,
    handedOver: HandedOverSocket?
  ) async throws {
    var settings = self.configuration.settings
    settings.heartbeat = notify.watchdogMilliseconds.map { .milliseconds(max(1, $0 / 2)) }
    let pace = CallPace(self.configuration.rates, clock: clock)
    // The forwarding is made after the engine that tells it of news.
    let forwarding = NIOLockedValueBox<ForwardingService?>(nil)
    let news = EngineNews { forwarding.withLockedValue { $0 }?.stateMayHaveChanged() }
    let buses = WatchedBuses(
      world.buses,
      watches: Dictionary(world.probes.map { ($0.endpoint.name, $0) }, uniquingKeysWith: { first, _ in first }), clock: clock)
    let hooks = ProgramHooks(programs: self.configuration.hooks)
    let engine = MigrationEngine(
      ports: MigrationEngine.Ports(
        store: store, register: world.register, buses: buses, clock: clock,
        notifier: LogNotifier(logger: self.logger), crashPoints: crash.map { $0 as any CrashPoints } ?? NoCrashPoints(),
        observer: Observers([DaemonObserver(notify: notify), world.owners, news]), pace: pace,
        hooks: hooks),
      settings: settings, environment: self.configuration.environment.text)
    let carriers = ForwardingCarriers(
      buses: self.configuration.buses, counting: world.buses, owners: world.owners,
      journalPath: self.configuration.database + ".forwarding",
      shovels: ShovelCarriers(
        sides: world.shovelSides, owner: try ShovelCarriers.owner(besideDatabase: self.configuration.database),
        history: EngineShovelHistory(engine: engine, news: news), clock: clock, notifier: LogNotifier(logger: self.logger),
        settings: { engine.settings }, logger: self.logger), logger: self.logger)
    let service = ForwardingService(engine: engine, port: carriers)
    forwarding.withLockedValue { $0 = service }
    let trails = DepthTrails(engine: engine, news: news, clock: clock)
    let survey = world.survey(self.configuration)
    let echoes = EchoControl(world.probes)
    let readiness = DaemonReadiness {
      self.logger.info("takes commands", metadata: [LogKey.socket.rawValue: "\(handedOver?.path ?? self.configuration.socket)"])
      notify.tell("READY=1")
    }
    let api = self.configuration.api.map { (settings: $0, access: APIAccess($0)) }
    let dashboard = Dashboard(
      engine: engine,
      room: BoardRoom(engine: engine, news: news, trails: trails, environment: self.configuration.environment.text, clock: clock),
      trails: trails, clock: clock)
    let untold = NIOLockedValueBox<[String: Int]>([:])
    let metrics = MetricsControl(
      news: news, clock: clock, environment: self.configuration.environment.text, startedAt: clock.now,
      untold: { untold.withLockedValue { $0 } },
      isRecovered: { readiness.isRecovered }
    ) {
      let snapshot = await engine.snapshot()
      return (snapshot.state, snapshot.head.sequence)
    }
    let reportMaker = ReportMaker(database: self.configuration.database, environment: self.configuration.environment.text)
    let printer = ReportPrinter.find()
    let control = ControlServer(
      engine: engine,
      commands: CommandControl(
        engine: engine,
        planMaker: PlanMaker(
          register: world.register, buses: self.configuration.busValues, pace: pace, evidence: world.evidence),
        survey: survey, retrySetAside: { service.retrySetAside(of: Set($0)) }, clock: clock),
      drain: DrainControl(
        engine: engine, news: news, trails: trails, survey: survey, buses: world.buses, journal: carriers, clock: clock),
      echoes: echoes,
      dashboard: dashboard,
      metrics: metrics,
      reports: ReportControl(
        maker: reportMaker, shelf: self.configuration.reports.map { ReportShelf(folder: $0.folder) }, printer: printer,
        clock: clock,
        state: { await engine.snapshot().state }),
      clock: clock,
      socket: self.configuration.socket, database: self.configuration.database,
      environment: self.configuration.environment.text, startedAt: clock.now, logger: self.logger,
      handedOver: handedOver, readiness: readiness, api: api)
    // Stopped in reverse: no new commands, then the engine finishes, then the connections close.
    var services: [any Service] = world.probes.map { ProbeService(probe: $0, logger: self.logger) }
    services.append(OrganisationService(organisations: world.organisations))
    if let at = self.configuration.register.compareAt, let cache = world.cache {
      services.append(
        NightlyCompare(
          at: at, cache: cache, register: world.reader, written: { await engine.snapshot().state.written },
          notifier: LogNotifier(logger: self.logger), clock: clock))
    }
    services.append(
      HeadAnchor(
        file: self.configuration.heads.file, interval: self.configuration.heads.interval,
        head: {
          let head = await engine.snapshot().head
          return head == .empty ? nil : head
        }, notifier: LogNotifier(logger: self.logger), clock: clock))
    // After the probes, whose connections it asks over.
    services.append(WatchService(buses: buses))
    if let socket = self.configuration.echoSocket {
      services.append(EchoServer(echoes: echoes, socket: socket, logger: self.logger))
    }
    if let reports = self.configuration.reports {
      services.append(
        ReportKeeper(
          settings: reports,
          maker: reportMaker,
          state: { await engine.snapshot().state }, news: news, notifier: LogNotifier(logger: self.logger),
          printer: printer, clock: clock))
    }
    services.append(metrics)
    let telling = TellingSettings(self.configuration.tell)
    services.append(
      TellingDaemon(
        settings: telling, environment: self.configuration.environment.text, path: self.configuration.database + ".telling",
        news: news,
        clock: clock, notifier: LogNotifier(logger: self.logger),
        onWaiting: { waiting in untold.withLockedValue { $0 = waiting } }
      ) { readiness.isRecovered ? await engine.snapshot().state : nil })
    services.append(EngineService(engine: engine, control: control, readiness: readiness, notify: notify))
    // Stopped before the engine, which takes its last word.
    services.append(ForwardingDaemonService(service: service, carriers: carriers, trails: trails))
    services.append(
      PolicyReload(
        started: self.configuration, read: self.reread,
        take: { fresh in
          var settings = fresh.settings
          settings.heartbeat = engine.settings.heartbeat
          engine.adopt(settings)
          await pace.adopt(fresh.rates)
          hooks.adopt(fresh.hooks)
          telling.adopt(fresh.tell)
          if let settings = fresh.api { api?.access.adopt(settings) }
          self.logLevel.set(fresh.logLevel)
        }, notify: notify, notifier: LogNotifier(logger: self.logger), clock: clock))
    // Stopped first: who watches is let go, so that nothing is waited for.
    services.append(dashboard)
    var quiet = self.logger
    quiet.logLevel = .error
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
    try await group.run()
  }
}

/// Engine and control interface together. The interface answers at once; what it says of puljer it says once the history is recovered.
struct EngineService: Service {
  let engine: MigrationEngine
  let control: ControlServer
  let readiness: DaemonReadiness
  let notify: ServiceNotify

  func run() async throws {
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await self.engine.run(onReady: { self.readiness.recovered() }) }
        group.addTask { try await self.control.run() }
        // The engine's end ends the control interface; a failure of either ends both.
        try await group.next()
        self.engine.stop()
        try await group.waitForAll()
      }
    } onGracefulShutdown: {
      self.readiness.stopping()
      self.notify.tell("STOPPING=1")
      self.engine.stop()
    }
  }
}

/// What is carried over, and the trails that are shown. Nothing is on its way when it has ended.
struct ForwardingDaemonService: Service {
  let service: ForwardingService
  let carriers: ForwardingCarriers
  let trails: DepthTrails

  func run() async throws {
    await withGracefulShutdownHandler {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await self.trails.run() }
        group.addTask { await self.carriers.keepShovels() }
        await self.service.run()
        group.cancelAll()
      }
    } onGracefulShutdown: {
      self.service.stop()
    }
    await self.carriers.close()
    try? await gracefulShutdown()
  }
}

/// The watch over the queues that groups look at, one for each bus.
struct WatchService: Service {
  let buses: WatchedBuses

  func run() async throws {
    await cancelWhenGracefulShutdown { await self.buses.run() }
    try? await gracefulShutdown()
  }
}

/// Connections with logins of organisations, which come and go as they are needed; closed when nobody asks over them any more.
struct OrganisationService: Service {
  let organisations: OrganisationProbes

  func run() async throws {
    try? await gracefulShutdown()
    await self.organisations.close()
  }
}

/// A probe's connection. A refused login ends the connection, not the daemon: every check then says so, and puljer wait.
struct ProbeService: Service {
  let probe: BusProbe
  let logger: Logger

  func run() async throws {
    do { try await self.probe.run() } catch {
      self.logger.error("\(error)", metadata: [LogKey.bus.rawValue: "\(self.probe.endpoint.name)"])
    }
    try? await gracefulShutdown()
  }
}
