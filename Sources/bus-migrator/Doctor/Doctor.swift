// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe
import Disclosure
import Foundation
import Logging
import Migration
import MigrationEngine
import MigrationReport
import MigrationStore
import NIOSSL
import TjenestebussClient

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Looks at a whole installation, step by step, and says what is wrong and whose it is. Changes nothing, sends no message, takes none.
struct Doctor {
  let place: PlaceOptions
  /// Where back-ups are kept.
  let backups: String
  let clock: any MigrationClock

  /// What the later steps need of the earlier ones.
  private struct Known {
    var environment: String
    var configuration: MigratorConfiguration?
    var state: MigrationState?
    var head: ChainHead?
  }

  /// In the order of ``DoctorStep``. A step that cannot be looked at says so; none keeps the others from being looked at.
  func findings() async -> [DoctorFinding] {
    let (first, root, configuration) = self.configurationStep()
    guard let root, let places = try? MigratorPlaces(root.mapping(), database: self.place.database, socket: self.place.socket)
    else {
      return [first]
    }
    var known = Known(environment: places.environment.text, configuration: configuration)
    var found = [first, self.filesStep(configuration), self.secretsStep(root)]
    // Before the history: a running daemon goes on, and writes heads of what was read too early to be in it.
    let heads = await self.lastHead(places)
    let (history, head, state) = await self.historyStep(places)
    (known.head, known.state) = (head, state)
    found.append(history)
    found.append(self.headsStep(places, heads, head))
    found.append(self.diskStep(places))
    found.append(self.backupsStep(known))
    found.append(await self.daemonStep(places))
    found += await self.unitSteps()
    found.append(await self.clockStep())
    found += await self.outsideSteps(known)
    found += self.interfaceSteps(root, configuration)
    found.append(self.tellingStep(configuration))
    found.append(self.reportsStep(places))
    found.append(self.pingsStep(configuration))
    found.append(self.retentionStep(places, known.state))
    return found
  }

  // MARK: on this machine

  private func configurationStep() -> (DoctorFinding, ConfigurationNode?, MigratorConfiguration?) {
    let file = self.place.source.file
    let root: ConfigurationNode
    do { root = try self.place.source.root() } catch { return (.wrong(.configuration, error), nil, nil) }
    do {
      let configuration = try self.place.configuration()
      let buses = configuration.buses.map { "\($0.endpoint.name)" }.joined(separator: ", ")
      return (.fine(.configuration, "\(file), environment \(configuration.environment), buses \(buses)"), root, configuration)
    } catch let error as CommandLineError where error.isOfCredentials {
      // The rest of the file may be right all the same, where who runs it is none whom the secrets are for.
      guard
        geteuid() != 0
          || ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"] == nil
            && error.explanation.seen.contains("CREDENTIALS_DIRECTORY")
      else { return (.wrong(.configuration, error), root, nil) }
      let next = "Run it as the daemon runs, with its credentials (docs/day-one.en.md, with_secrets); else mend what it says."
      return (.notice(.configuration, "\(file) is read, but not its secrets: \(error.explanation.seen)", next: next), root, nil)
    } catch { return (.wrong(.configuration, error), root, nil) }
  }

  private func filesStep(_ configuration: MigratorConfiguration?) -> DoctorFinding {
    guard let configuration else { return .skipped(.files, "the configuration could not be read whole") }
    let missing = ConfigurationFiles.missing(configuration)
    guard missing.isEmpty else {
      return .wrong(.files, missing.joined(separator: "; "), next: "Make them, or mend the path.", owner: .caller)
    }
    return .fine(.files, "all of them")
  }

  private func secretsStep(_ root: ConfigurationNode) -> DoctorFinding {
    let endings = [
      "password-file", "connection-string-file", "shovel-address-file", "key-file", "token-file", "secret-file", "private-key",
    ]
    let paths = ConfigurationValue.all(in: root).filter { value in endings.contains { value.key.hasSuffix(".\($0)") } }
      .map { value in
        // A value of the command line or the environment is meant from where we were started.
        Paths.absolute(value.value, besides: value.origin == .file ? root.file : FileManager.default.currentDirectoryPath + "/-")
      }
    var others: [(path: String, mode: Int)] = []
    var unseen: [String] = []
    for path in paths {
      // What a link leads to is what is read.
      let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
      guard let mode = (try? FileManager.default.attributesOfItem(atPath: target))?[.posixPermissions] as? Int else {
        unseen.append(path)
        continue
      }
      if mode & 0o077 != 0 { others.append((target, mode)) }
    }
    return DoctorJudgement.secrets(looked: paths.count - unseen.count, others: others, unseen: unseen)
  }

  private func historyStep(_ places: MigratorPlaces) async -> (DoctorFinding, ChainHead?, MigrationState?) {
    let history: LoadedHistory
    do { history = try await SQLiteEventReader.open(path: places.database).load() } catch StoreError.absent {
      return (.notice(.history, "none at \(places.database) yet", next: "The first start of the daemon makes it."), nil, nil)
    } catch let error as StoreError where !FileManager.default.isReadableFile(atPath: places.database) {
      let next = "Run it as root or as the daemon's user."
      return (.skipped(.history, "this user may not read it: [\(error.stableCode)]", next: next), nil, nil)
    } catch { return (.wrong(.history, error), nil, nil) }
    let theirs = history.state.environment
    if let theirs, theirs != places.environment.text, !history.state.puljer.isEmpty {
      let error = EngineError.otherEnvironment(history: theirs, configured: places.environment.text)
      return (.wrong(.history, error), history.head, history.state)
    }
    let open = history.state.ordered.filter(\.isOpen).count
    let seen = "\(history.head.sequence) events, \(history.state.puljer.count) puljer, \(open) of them open"
    return (.fine(.history, seen), history.head, history.state)
  }

  private func lastHead(_ places: MigratorPlaces) async -> Result<ChainHead?, any Error> {
    guard FileManager.default.fileExists(atPath: places.heads.file) else { return .success(nil) }
    do { return .success(try await HeadLine.heads(inFile: places.heads.file).last) } catch { return .failure(error) }
  }

  private func headsStep(_ places: MigratorPlaces, _ last: Result<ChainHead?, any Error>, _ head: ChainHead?) -> DoctorFinding {
    guard let head else { return .skipped(.heads, "there is no history to compare them with") }
    switch last {
    case .success(let last): return DoctorJudgement.heads(last: last, head: head, file: places.heads.file)
    case .failure(let error): return .wrong(.heads, error)
    }
  }

  private func diskStep(_ places: MigratorPlaces) -> DoctorFinding {
    let folder = URL(fileURLWithPath: places.database).deletingLastPathComponent().path
    let file = try? FileManager.default.attributesOfItem(atPath: places.database)
    guard let free = (try? FileManager.default.attributesOfFileSystem(forPath: folder))?[.systemFreeSize] as? NSNumber else {
      return .skipped(.disk, "\(folder) cannot be looked at")
    }
    return DoctorJudgement.disk(free: free.int64Value, history: (file?[.size] as? NSNumber)?.int64Value ?? 0)
  }

  private func backupsStep(_ known: Known) -> DoctorFinding {
    let manager = FileManager.default
    if manager.fileExists(atPath: self.backups), !manager.isReadableFile(atPath: self.backups) {
      return .skipped(.backups, "this user may not look into \(self.backups)", next: "Run it as root or as the daemon's user.")
    }
    let newest = ((try? manager.contentsOfDirectory(atPath: self.backups)) ?? []).sorted().reversed().lazy
      .filter { !$0.hasPrefix(".") }
      .compactMap { name in manager.contents(atPath: "\(self.backups)/\(name)/backup.json") }
      .compactMap { try? JSONDecoder().decode(HistoryBackup.self, from: $0) }.first
    return DoctorJudgement.backup(
      newest, environment: known.environment, head: known.head?.sequence, now: self.clock.now, folder: self.backups)
  }

  private func daemonStep(_ places: MigratorPlaces) async -> DoctorFinding {
    do {
      let reached = try await DaemonReached.at(self.place)
      guard let daemon = try await reached.client.status(of: nil).daemon else {
        return .fine(.daemon, "it answers on \(places.socket)")
      }
      guard daemon.version == TjenestebussVersion.current else {
        return .wrong(
          .daemon, "it is version \(daemon.version), this program \(TjenestebussVersion.current)",
          next: "systemctl restart bus-migrator, or install the same version.", owner: .host)
      }
      return .fine(
        .daemon, "version \(daemon.version), started \(daemon.startedAt), environment \(reached.environment ?? "not named")")
    } catch { return .wrong(.daemon, error) }
  }

  private func unitSteps() async -> [DoctorFinding] {
    guard FileManager.default.fileExists(atPath: "/run/systemd/system") else {
      return [.skipped(.units, "systemd does not run this machine")]
    }
    var found: [DoctorFinding] = []
    for unit in ["bus-migrator.service", "bus-migrator.socket", "bus-migrator-check.timer", "bus-migrator-backup.timer"] {
      found.append(
        DoctorJudgement.unit(
          unit, active: await Self.systemctl("is-active", unit), enabled: await Self.systemctl("is-enabled", unit)))
    }
    for unit in ["bus-migrator-check.service", "bus-migrator-backup.service"]
    where await Self.systemctl("is-failed", unit) == "failed" {
      found.append(DoctorJudgement.unit(unit, active: "failed", enabled: "started by its timer"))
    }
    return found
  }

  private static func systemctl(_ verb: String, _ unit: String) async -> String {
    await Self.word(of: "/usr/bin/systemctl", [verb, unit])
  }

  /// The first line that a program says within ten seconds.
  private static func word(of path: String, _ arguments: [String]) async -> String {
    await withTaskGroup(of: String?.self) { group in
      group.addTask {
        switch await ProgramRun.run(ProgramRun.Program(executable: path, arguments: arguments), input: Data(), environment: [:]) {
        case .ended(_, let line): line.isEmpty ? "not known" : line
        case .failed(let why): "not known: \(why)"
        }
      }
      group.addTask {
        try? await Task.sleep(for: .seconds(10))
        return nil
      }
      defer { group.cancelAll() }
      return await group.next().flatMap { $0 } ?? "not known: it said nothing for ten seconds"
    }
  }

  private func clockStep() async -> DoctorFinding {
    guard FileManager.default.fileExists(atPath: "/run/systemd/system") else {
      return .skipped(.clock, "systemd, which would know, does not run this machine")
    }
    return DoctorJudgement.clock(
      await Self.word(of: "/usr/bin/timedatectl", ["show", "--property=NTPSynchronized", "--value"]))
  }

  // MARK: what is outside

  private func outsideSteps(_ known: Known) async -> [DoctorFinding] {
    guard var configuration = known.configuration else {
      return [DoctorStep.register, .cache, .bus].map { .skipped($0, "the secrets could not be read") }
    }
    let cache = await Self.cacheStep(configuration)
    // Looked at already, and never written by who only looks.
    configuration.register.cache = nil
    do {
      return try await RegisterHTTP.withClient(extraRootsFile: configuration.register.extraRootsFile) { [configuration] http in
        let world = try await World.open(
          configuration, http: http, logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() })
        let found = OutsideFindings()
        try await world.withProbes {
          async let register = Self.registerStep(world, configuration.ownHerID)
          for (bus, probe) in zip(configuration.buses, world.probes) {
            await found.take(Self.busSteps(probe, replyQueue: bus.pingReplyQueue, world.organisations))
          }
          await found.takeFirst(await register)
        }
        return await found.all(after: cache)
      }
    } catch { return [.wrong(.register, error), cache] }
  }

  private static func registerStep(_ world: World, _ own: HerID) async -> DoctorFinding {
    do throws(RegisterReadError) {
      let record = try await world.register.read(own)
      return .fine(.register, "HER-ID \(own) is \(record.name)")
    } catch {
      switch error {
      case .unknownParty:
        return .wrong(
          .register, "it does not know our own HER-ID \(own)", next: "Mend ping.own-her-id, or have it registered.",
          owner: .caller)
      case .failed(let words):
        return .wrong(
          .register, words, next: "Check register.url, its login, and the way there through firewalls.", owner: .addressRegister)
      }
    }
  }

  private static func cacheStep(_ configuration: MigratorConfiguration) async -> DoctorFinding {
    guard let path = configuration.register.cache else {
      return .notice(.cache, "none is configured", next: "register.cache: without it a plan cannot find who shares a queue.")
    }
    do {
      let cache = try await AddressCache.open(path: path, access: .readOnly, environment: configuration.environment.text)
      let count = try await cache.verify()
      try? await cache.close()
      guard count > 0 else {
        return .notice(.cache, "\(path) is empty", next: "bus-migrator registry sync --execute, or registry import.")
      }
      return .fine(.cache, "\(count) parties")
    } catch { return .wrong(.cache, error) }
  }

  /// Nobody has it: what a bus says of it tells that it can be asked.
  private static let noQueue = "bus-migrator-doctor-no-such-queue"

  private static func busSteps(
    _ probe: BusProbe, replyQueue: String?, _ organisations: OrganisationProbes
  ) async -> [DoctorFinding] {
    let name = "\(probe.endpoint.name)"
    do { _ = try await probe.preflight([]) } catch { return [.wrong(.bus, error, about: name)] }
    var found: [DoctorFinding] = []
    var way = ""
    let reading = await probe.depth(Self.noQueue)
    switch reading.value {
    case .counted, .missing: way = reading.way.map { " (\($0))" } ?? ""
    case .unreadable(.countingNotPossible):
      found.append(
        .notice(
          .bus, "it lets us in, and has no way to be counted: nothing on it counts as drained unless a person answers for it",
          next: "Name its management in the configuration.", about: name))
    case .unreadable(let error): found.append(.wrong(.bus, error, about: name))
    }
    if let replyQueue { found += await Self.replyQueueSteps(probe, replyQueue, name) }
    // One after another: a bus is not to see a storm of logins from a look.
    let logins = organisations.logins(at: probe.endpoint.name)
    for login in logins {
      guard let words = await organisations.refusal(login) else { continue }
      found.append(
        .wrong(
          .bus, "organisation \(login.organisation): \(words)",
          next: "Ask the organisation for its login on this bus, and mend its connection string.", owner: .caller, about: name))
    }
    let others = logins.isEmpty ? "" : ", as ourselves and as \(logins.count) organisation\(logins.count == 1 ? "" : "s")"
    return found.isEmpty ? [.fine(.bus, "it lets us in\(others), and can be counted\(way)", about: name)] : found
  }

  private static func replyQueueSteps(_ probe: BusProbe, _ queue: String, _ name: String) async -> [DoctorFinding] {
    let missing = DoctorFinding.wrong(
      .bus, "the ping-reply-queue \(queue) is not there", next: "Have it made; nobody else may read it.", owner: .bus, about: name
    )
    // First by counting: ActiveMQ makes a queue that somebody attaches to.
    if case .missing = await probe.depth(queue).value { return [missing] }
    guard probe.endpoint.dialect != .activeMQ else { return [] }
    guard let seen = try? await probe.preflight([queue]).first else { return [] }
    if seen.existence == .missing { return [missing] }
    return seen.sendingRefused.map { [.wrong(.bus, $0, about: name)] } ?? []
  }

  // MARK: around it

  private func interfaceSteps(_ root: ConfigurationNode, _ configuration: MigratorConfiguration?) -> [DoctorFinding] {
    guard let api = configuration?.api else {
      return [
        configuration == nil ? .skipped(.interface, "the secrets could not be read") : .fine(.interface, "nothing listens on TCP")
      ]
    }
    var found = api.tokens.tokens.map { DoctorJudgement.expiry("the token of \($0.name)", at: $0.expires, now: self.clock.now) }
    if let path = try? root.mapping().optional("api")?.mapping().optional("certificate")?.absolutePath,
      let certificate = try? NIOSSLCertificate.fromPEMFile(path).first
    {
      let end = Instant(milliseconds: Int64(certificate.notValidAfter) * 1_000)
      found.append(DoctorJudgement.expiry("the certificate \(path)", at: end, now: self.clock.now))
    }
    return found
  }

  private func tellingStep(_ configuration: MigratorConfiguration?) -> DoctorFinding {
    guard let tell = configuration?.tell else { return .skipped(.telling, "the secrets could not be read") }
    if tell.isEmpty {
      return .notice(.telling, "nobody is", next: "tell: in the configuration (docs/monitoring.md), or an alert on the metrics.")
    }
    let dead = tell.programs.filter { !FileManager.default.isExecutableFile(atPath: $0.program.executable) }.map(
      \.program.executable)
    guard dead.isEmpty else {
      return .wrong(
        .telling, "\(dead.joined(separator: ", ")) cannot be run", next: "Check the path and its mode.", owner: .caller)
    }
    let names = tell.webhooks.map(\.name) + tell.mails.map(\.name) + tell.programs.map(\.name)
    return .fine(.telling, names.joined(separator: ", "))
  }

  private func reportsStep(_ places: MigratorPlaces) -> DoctorFinding {
    guard places.reports != nil else { return .fine(.reports, "none are written (reports: off)") }
    guard ReportPrinter.find() != nil else {
      return .notice(
        .reports, "weasyprint is not installed: HTML and JSON alone", next: "apt-get install weasyprint", owner: .host)
    }
    return .fine(.reports, "weasyprint is there")
  }

  private func retentionStep(_ places: MigratorPlaces, _ state: MigrationState?) -> DoctorFinding {
    guard let state else { return .skipped(.retention, "the history could not be read, or there is none") }
    let now = self.clock.now
    let ends = state.ordered.map { ReportMoment($0, now: now).flatMap { $0.isEnd ? $0.at : nil } }
    let ended = ends.contains(nil) ? nil : ends.compactMap { $0 }.max()
    return DoctorJudgement.retention(ended: ended, kept: places.historyKept, now: now)
  }

  private func pingsStep(_ configuration: MigratorConfiguration?) -> DoctorFinding {
    let folder = configuration?.pingStateFolder ?? "/run/tjenestebuss/pings"
    guard FileManager.default.fileExists(atPath: folder) else {
      return .notice(
        .pings, "\(folder) is not there: the daemon's and each user's pings are counted apart",
        next: "systemd-tmpfiles --create tjenestebuss.conf", owner: .host)
    }
    return .fine(.pings, "in \(folder)")
  }
}

/// Gathers what several tasks find.
private actor OutsideFindings {
  private var register: DoctorFinding?
  private var buses: [DoctorFinding] = []

  func take(_ findings: [DoctorFinding]) { self.buses += findings }
  func takeFirst(_ finding: DoctorFinding) { self.register = finding }
  func all(after cache: DoctorFinding) -> [DoctorFinding] { (self.register.map { [$0] } ?? []) + [cache] + self.buses }
}
