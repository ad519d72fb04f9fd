// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import Disclosure
import Forwarding
import Foundation
import Logging
import Migration
import MigrationEngine
import NIOConcurrencyHelpers
import TjenestebussClient

/// Carries what orders ask for, by our forwarder or by the target's shovels. One line (a connection to each bus) for all queues between the
/// same two that are taken from with the same login; one journal, beside the database, which a second process cannot open.
///
/// What is taken is taken with the login that the queue's organisation has on the bus, where it has one. It is sent with the bus's own, as
/// any sender sends to a party.
actor ForwardingCarriers: ForwardingPort {
  private struct Way: Hashable {
    var from: BusName
    var to: BusName
    /// With whose login it is taken; nil for the bus's own.
    var organisation: Int32?
  }

  private struct Line {
    var line: ForwardingLine
    var users = 0
  }

  private let buses: [BusName: MigratorConfiguration.BusEntry]
  private let counting: ProbedBuses
  private let owners: QueueOrganisations
  private let journalPath: String
  private nonisolated let shovels: ShovelCarriers
  private let logger: Logger
  private var lines: [Way: Line] = [:]
  private var journal: ForwardingJournal?
  private var opening: Task<Result<ForwardingJournal, ForwardingError>, Never>?

  /// Between two words about the same queue.
  private static let pause = Duration.milliseconds(500)

  init(
    buses: [MigratorConfiguration.BusEntry], counting: ProbedBuses, owners: QueueOrganisations, journalPath: String,
    shovels: ShovelCarriers, logger: Logger
  ) {
    self.buses = Dictionary(buses.map { ($0.endpoint.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.counting = counting
    self.owners = owners
    self.journalPath = journalPath
    self.shovels = shovels
    self.logger = logger
  }

  /// Takes shovels away that ought to be gone, until cancelled. Beside everything else: a bus that does not answer keeps nothing back but
  /// what the history says a shovel may still carry.
  nonisolated func keepShovels() async { await self.shovels.keeper.run() }

  /// Closes lines and journal. To be called when nothing is carried any more.
  func close() async {
    let lines = self.lines.values
    self.lines = [:]
    for line in lines { await line.line.close() }
    await self.journal?.close()
    self.journal = nil
  }

  func carry(
    _ errand: ForwardingErrand, retriesSetAside: Bool, report: @escaping @Sendable (ForwardingCount) -> Void
  ) async -> ForwardingEnd {
    switch errand.order.carrier {
    case .shovel: return await self.shovels.carry(errand, report: report)
    case .own: break
    }
    guard let from = self.buses[errand.from], let to = self.buses[errand.to] else {
      return .stopped(
        code: CommandLineError.wayNotConfigured(seen: "").stableCode, seen: "bus \(errand.from) or \(errand.to) is not configured"
      )
    }
    if let missing = await self.missing(errand) { return missing }
    let journal: ForwardingJournal
    do throws(ForwardingError) { journal = try await self.openJournal() } catch {
      return .stopped(code: error.stableCode, seen: error.explanation.seen)
    }
    let (way, line) = self.line(from, to.endpoint, self.owners.organisation(of: errand.route.from))
    let forwarder = Forwarder(
      line: line, sourceQueue: errand.route.from.queue, targetQueue: errand.route.to.queue,
      rules: errand.order.rules(for: errand.route.kind, retriesSetAside: retriesSetAside), journal: journal,
      sourceLinks: self.links(on: errand.route.from, errand.from), logger: self.logger)
    let end = await Self.run(forwarder, aside: { journal.setAside(of: forwarder.route) }, report: report)
    await self.leave(way, line)
    return end
  }

  /// Who listens on the queue, by the bus's own count; twice as old as any of its ways to count may be.
  private func links(on queue: QueueAddress, _ bus: BusName) -> SourceLinks? {
    let counting = self.counting
    guard counting.dialect(of: bus) != nil else { return nil }
    return SourceLinks(lag: Self.linksLag) {
      guard case .counted(let count)? = await counting.depth(of: queue, on: bus)?.value else { return nil }
      return count.consumers
    }
  }

  private static let linksLag = Duration.seconds(12)

  private static func run(
    _ forwarder: Forwarder, aside: @escaping @Sendable () -> [SetAside], report: @escaping @Sendable (ForwardingCount) -> Void
  ) async -> ForwardingEnd {
    let tally = ForwardingTally()
    let progress = forwarder.progress
    return await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for await _ in progress {
          // What comes in the meantime goes into the same word.
          guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
          report(tally.count(forwarder.counts, aside: aside()))
        }
      }
      defer { group.cancelAll() }
      do throws(ForwardingError) {
        let ended = try await forwarder.run()
        report(tally.count(ended.counts, aside: ended.setAside))
        switch ended.ending {
        case .asked, .idle, .counted: return .cancelled
        case .stopped(let error): return .stopped(code: error.stableCode, seen: error.explanation.seen)
        }
      } catch {
        return error.code == .queueInUse
          ? .interrupted(code: error.stableCode, seen: error.explanation.seen)
          : .stopped(code: error.stableCode, seen: error.explanation.seen)
      }
    }
  }

  /// A bus that accepts and loses what is sent to a queue that is not there is asked before anything is taken.
  private func missing(_ errand: ForwardingErrand) async -> ForwardingEnd? {
    guard let dialect = self.counting.dialect(of: errand.to),
      let depth = await self.counting.depth(of: errand.route.to, on: errand.to)
    else { return nil }
    let loses = dialect.capabilities.missingQueueForSender == .acceptsAndLoses
    switch depth.value {
    case .counted: return nil
    case .missing: return .stopped(code: "FWD-105", seen: "\(errand.route.to) is not there")
    case .unreadable(let error):
      guard loses else { return nil }
      return .interrupted(
        code: "FWD-106", seen: "whether \(errand.route.to) is there is not known: [\(error.stableCode)] \(error.explanation.seen)"
      )
    }
  }

  private func line(
    _ from: MigratorConfiguration.BusEntry, _ to: BusEndpoint, _ organisation: Int32?
  ) -> (Way, ForwardingLine) {
    let login = organisation.flatMap { from.organisations[$0] == nil ? nil : $0 }
    let way = Way(from: from.endpoint.name, to: to.name, organisation: login)
    if let line = self.lines[way]?.line {
      self.lines[way]?.users += 1
      return (way, line)
    }
    // A party's own system may say `tjenestebuss` of itself, and log in as we do here.
    let line = ForwardingLine(
      source: from.endpoint(for: login), target: to, product: login == nil ? "tjenestebuss" : OrganisationProbes.product,
      logger: self.logger)
    self.lines[way] = Line(line: line, users: 1)
    return (way, line)
  }

  /// An organisation's line goes with its last queue; the one of the buses' own logins stays for what comes.
  private func leave(_ way: Way, _ line: ForwardingLine) async {
    guard self.lines[way]?.line === line else { return }
    self.lines[way]?.users -= 1
    guard way.organisation != nil, self.lines[way]?.users == 0 else { return }
    self.lines[way] = nil
    await line.close()
  }

  private func openJournal() async throws(ForwardingError) -> ForwardingJournal {
    if let journal { return journal }
    let opening =
      self.opening
      ?? Task { [path = self.journalPath] in
        do throws(ForwardingError) { return .success(try await ForwardingJournal.open(at: path)) } catch {
          return .failure(error)
        }
      }
    self.opening = opening
    let result = await opening.value
    self.opening = nil
    let journal = try result.get()
    self.journal = journal
    return journal
  }
}

extension ForwardingCarriers: ForwardingRecords {
  func possibleDuplicates(_ ways: [RecordedWay]) async -> [ForwardingView.Duplicate]? {
    guard let journal = await self.journalIfThere() else { return self.hasJournal ? nil : [] }
    return ways.flatMap { way in
      journal.possibleDuplicates(of: way.name).map {
        ForwardingView.Duplicate(
          queue: way.queue, messageID: $0.messageID, reason: "\($0.reason)", at: Instant(milliseconds: $0.at))
      }
    }
  }

  func setAside(_ ways: [RecordedWay]) async -> [ForwardingView.SetAside]? {
    guard let journal = await self.journalIfThere() else { return self.hasJournal ? nil : [] }
    return ways.flatMap { way in
      journal.setAside(of: way.name).map {
        ForwardingView.SetAside(
          queue: way.queue, messageID: $0.messageID, reason: "\($0.reason)", seen: $0.seen, at: Instant(milliseconds: $0.at))
      }
    }
  }

  private var hasJournal: Bool { FileManager.default.fileExists(atPath: self.journalPath) }

  private func journalIfThere() async -> ForwardingJournal? {
    guard self.hasJournal else { return nil }
    return try? await self.openJournal()
  }
}

extension ForwardingOrder {
  /// The forwarder's rules for one run.
  func rules(for kind: QueueKind, retriesSetAside: Bool = false) -> ForwardingRules {
    var rules = ForwardingRules()
    rules.mode = self.mode == .strict ? .strict : .fast
    rules.window = self.window
    rules.rate = self.ratePerSecond
    rules.unknownAge = self.unknownAge == .aside ? .aside : .whole
    rules.retriesSetAside = retriesSetAside
    rules.deliveryLimit = self.deliveryLimit
    // No order names them; should one ever, none of their messages is sent.
    rules.leavesToExpire = kind == .synchronous || kind == .synchronousReply
    return rules
  }
}

/// A forwarder's figures in the ledger's words. What it holds set aside lies on the source still, so to the ledger it is taken and open while
/// it is held, and left alone when it was given back; by reason it is told as the journal has it. Totals only grow, as the ledger asks.
final class ForwardingTally: Sendable {
  private let run: String
  private let taken = NIOLockedValueBox<Int64>(0)

  init(run: String = UUID().uuidString) { self.run = run }

  /// - Parameter aside: all that the journal remembers of the queue.
  func count(_ counts: ForwardingCounts, aside: [SetAside] = []) -> ForwardingCount {
    let accepted = Int64(counts.accepted)
    let again = Int64(counts.settledAgain)
    let open = Int64(counts.onTheirWay + counts.held)
    let lost = Int64(counts.notReturned)
    let received = self.taken.withLockedValue { taken in
      taken = max(taken, accepted + again + open + lost)
      return taken
    }
    let reasons = Dictionary(grouping: aside) { "\($0.reason)" }.mapValues { Int64($0.count) }
    return ForwardingCount(
      run: self.run, received: received, accepted: accepted, leftAlone: received - accepted - again - open - lost,
      settledAgain: again,
      possibleDuplicates: min(Int64(counts.possibleDuplicates), accepted),
      aside: reasons, notReturned: lost)
  }
}
