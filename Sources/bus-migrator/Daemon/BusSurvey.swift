// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe
import Disclosure
import Migration
import MigrationEngine

/// Looks at a whole bus before it is closed: who the registry says is on it, who is connected, what lies there. Reads only.
struct BusSurvey: Sendable {
  let cache: AddressCache?
  /// What lists a bus's queues, by bus.
  let probes: [BusName: BusProbe]
  let connections: [BusName: ManagementConnections]
  let buses: [Bus]
  /// Users that this daemon itself logs in as, by bus.
  let ownUsers: [BusName: String]
  /// Buses whose management interface is configured, whatever it tells.
  var managed: Set<BusName> = []
  /// Users of organisations that this daemon logs in as too, by bus.
  var lentUsers: [BusName: Set<String>] = [:]
  var clock: any MigrationClock = SystemMigrationClock()

  private static let shown = 10

  /// - Parameter census: the bus's queues, where they were just listed; nil to ask for those that hold anything.
  func look(at bus: Bus, census: CensusReading? = nil) async -> BusClosing {
    var closing = BusClosing(
      bus: bus.name, lookedAt: self.clock.now, parties: 0, comparedAt: nil,
      remaining: .notReadable("no registry cache is configured"),
      connections: .notReadable("no management interface is configured for this bus"),
      filledQueues: .notReadable("no management interface is configured for this bus"))
    if let cache {
      do { try await Self.read(cache, bus, into: &closing) } catch { closing.remaining = .notReadable(Self.words(error)) }
    }
    guard let management = self.connections[bus.name] else {
      guard self.managed.contains(bus.name) else { return closing }
      closing.connections = .notReadable("a \(bus.dialect.rawValue) tells nobody who is connected to it; its administrator knows")
      let probe = self.probes[bus.name]
      var seen = census
      if seen == nil, let probe, probe.listsQueues { seen = await probe.census() }
      closing.filledQueues =
        switch seen?.value {
        case .listed?: Self.filled(seen?.occupied ?? [])
        case .unreadable(let error)?, .notPossible(let error)?: .notReadable(Self.words(error))
        case nil: .notReadable("a \(bus.dialect.rawValue) does not list its queues")
        }
      return closing
    }
    do {
      let others = try await management.connections().filter { !self.isOurs($0, bus.name) }
      closing.connections = Self.count(others.map { "\($0.name)\($0.user.map { " of \($0)" } ?? "")" })
    } catch { closing.connections = .notReadable(Self.words(error)) }
    if let queues = census?.occupied {
      // One look, not two of different times.
      closing.filledQueues = Self.filled(queues)
      return closing
    }
    do {
      closing.filledQueues = Self.count(try await management.messages().filled.map { "\($0.key): \($0.value)" }.sorted())
    } catch {
      closing.filledQueues = .notReadable(Self.words(error))
    }
    return closing
  }

  /// Every queue with anything in it or anyone on it, and whose it is.
  ///
  /// - Parameter state: the plans of all puljer.
  func drain(of bus: Bus, state: MigrationState) async -> BusDrain {
    let census: CensusReading =
      if let probe = self.probes[bus.name] { await probe.census() } else {
        CensusReading(
          way: nil, readAt: SystemRegistryClock().now, value: .notPossible(.censusNotPossible(bus.name, bus.dialect)),
          tellsConsumers: false)
      }
    // Without the copy the plans still tell of their parties; that the copy is missing stands among the obstacles.
    let closing = await self.look(at: bus, census: census)
    let records = (try? await self.cache?.parties())?.map(\.record) ?? []
    let owners = QueueOwners(of: bus, records: records, state: state)
    var known: [DepthReading] = []
    if census.queues == nil, let probe = self.probes[bus.name] { known = await probe.depths(owners.queues) }
    return BusDrain(
      bus, census: census, known: known, closing: closing, owners: owners, state: state, now: self.clock.now)
  }

  private static func read(_ cache: AddressCache, _ bus: Bus, into closing: inout BusClosing) async throws {
    let entries = try await cache.parties()
    let remaining = entries.map(\.record).filter { record in
      record.addresses.contains { address in
        guard address.queueKind != nil else { return false }
        // An address that cannot be read may name any bus.
        return (try? QueueAddress(text: address.text)).map { bus.holds($0) } ?? true
      }
    }
    closing.parties = entries.count
    closing.remaining = Self.count(remaining.map(\.herID).sorted().map { "HER-ID \($0)" })
    // One that found differences is made again: whether the copy was put right since, only the next one shows.
    if let last = try await cache.lastComparison(), last.isAgreed {
      closing.comparedAt = Instant(milliseconds: last.endedAt.millisecondsSinceEpoch)
    }
  }

  /// By user and by what our connections call themselves: another program with our user is not passed over, nor an organisation's own system.
  func isOurs(_ connection: ManagementConnections.Connection, _ bus: BusName) -> Bool {
    guard let user = connection.user else { return false }
    if user == self.ownUsers[bus], connection.product == "tjenestebuss" { return true }
    return connection.product == OrganisationProbes.product
      && (user == self.ownUsers[bus] || self.lentUsers[bus]?.contains(user) == true)
  }

  private static func filled(_ queues: [DepthReading]) -> BusClosing.Count {
    let uncounted = queues.filter { if case .unreadable = $0.value { true } else { false } }
    if let first = uncounted.first {
      return .notReadable("\(uncounted.count) queues that could not be counted, \(first.queue) among them")
    }
    return self.count(
      queues.compactMap { reading in
        guard let count = reading.count else { return nil }
        let figures = count.figures
        let dead = (figures?.deadLettered ?? 0) + (figures?.transferDeadLettered ?? 0)
        let all = max(Int64(count.messages), figures?.lying ?? 0) + dead
        return all > 0 ? "\(reading.queue): \(all)" : nil
      })
  }

  private static func count(_ names: [String]) -> BusClosing.Count {
    .counted(names.count, names: Array(names.prefix(Self.shown)))
  }

  private static func words(_ error: any Error) -> String {
    guard let error = error as? any ExplainedError else { return String("\(error)".prefix(200)) }
    return "[\(error.stableCode)] \(error.explanation.seen)"
  }
}
