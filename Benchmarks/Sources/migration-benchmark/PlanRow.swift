// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Migration
import MigrationEngine
import Synchronization

/// What `bus-migrator plan` does between its question and the sealed plan with its findings, through the product's register adapter and
/// cache file. Register and buses answer at once; a real register's rate comes on top (row `limited`).
enum PlanRow {
  static func measure(folder: URL) async throws {
    var each: [Double] = []
    for size in [500, 5_000, 50_000] {
      let (seconds, parties) = try await Self.seconds(parties: size, folder: folder)
      each.append(seconds / Double(parties) * 1e6)
      let line = "\(MigrationBenchmark.text(seconds)), \(Int(seconds / Double(parties) * 1e6)) us a party"
      if size == 5_000 {
        MigrationBenchmark.report("plan of a pulje of \(parties) in a register of 50,000", line, aim: "10 s", met: seconds < 10)
      } else {
        MigrationBenchmark.note("plan of a pulje of \(parties): \(line)")
      }
    }
    MigrationBenchmark.report(
      "plan's cost per party from 500 to 50,000 parties, register and pulje alike",
      each.map { "\(Int($0))" }.joined(separator: ", ") + " us", aim: "flat", met: each[2] < each[0] * 1.5)
  }

  /// For the row that says how the cost grows, the register is as large as the pulje; for the one in the middle it has 50,000.
  private static func seconds(parties: Int, folder: URL) async throws -> (Double, Int) {
    let population = Population(count: parties == 5_000 ? 50_000 : parties)
    let file = folder.appendingPathComponent("cache-\(UUID().uuidString).sqlite").path
    defer { for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file + ending) } }
    let now = SystemRegistryClock().now
    let cache = try await AddressCache.open(path: file, access: .readWrite, environment: "benchmark")
    _ = try await cache.importParties(population.records, readAt: now, now: now)
    guard var request = try population.requests(of: parties, policy: Self.policy).first else { throw Fault.wrong("no pulje") }
    // What vendors say of their systems, and one connection seen of each party.
    request.libraries = (0..<12).map {
      LibrarySighting(
        herID: nil, vendor: "Leverandør \($0)", library: "TjenestebussClient", version: "0.3.1", source: .vendorList)
    }
    let register = RegistryRegister(reader: MemoryReader(population.records), writer: Unwritten(), cache: cache)
    let maker = PlanMaker(register: register, buses: Population.buses, evidence: MemoryEvidence())
    let asked = request
    let (seconds, survey) = try await MigrationBenchmark.time {
      let survey = try await maker.survey(asked, open: [:], now: SystemMigrationClock().now)
      guard survey.plan.isClear, survey.plan.hash.count == 64 else {
        throw Fault.wrong("the plan: \(survey.plan.obstacles.prefix(3).map(\.seen))")
      }
      return survey
    }
    let reports = try await MigrationBenchmark.time {
      try await GroupPreflight(buses: MemoryWorld([])).reports(survey.plan)
    }
    let (rest, _) = await MigrationBenchmark.time {
      let vendors = VendorConfiguration.all(survey.plan, target: Population.target)
      let estimate = PlanEstimate(survey.plan, start: SystemMigrationClock().now)
      precondition(!vendors.isEmpty && estimate.waves.count == 1 && reports.result.count == survey.plan.groups.count)
    }
    try await cache.close()
    return (seconds + reports.seconds + rest, survey.plan.herIDs.count)
  }

  private static var policy: Policy {
    var policy = Population.policy
    policy.libraries = LibraryPolicy(
      minimum: [LibraryPolicy.Minimum(library: "TjenestebussClient", version: "0.3.0", from: nil)], updatedWithinDays: nil)
    return policy
  }

  private struct MemoryReader: AddressRegisterReading {
    let records: [HerID: PartyRecord]
    init(_ records: [PartyRecord]) {
      self.records = Dictionary(records.map { ($0.herID, $0) }, uniquingKeysWith: { first, _ in first })
    }
    func party(_ herID: HerID) async throws -> PartyRecord {
      guard let record = self.records[herID] else { throw AddressRegistryError.partyUnknown(herID, askedRegister: true) }
      return record
    }
  }

  private struct Unwritten: AddressRegisterWriting {
    func perform(_ write: RegisterWrite) async -> RegisterWriteOutcome { preconditionFailure("a plan writes nothing") }
  }

  /// A connection of each party, as the management interface would list them.
  private struct MemoryEvidence: EvidencePort {
    func evidence(of plan: Plan, request: PuljeRequest) async -> PlanEvidence {
      PlanEvidence(
        sightings: plan.herIDs.map {
          LibrarySighting(herID: $0, library: "TjenestebussClient", version: "0.3.1", wire: "AMQP 1-0", source: .connection)
        })
    }
  }
}
