// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Makes a plan from a request and the register as it reads now. It has nothing that it could write through.
public struct PlanMaker: Sendable {
  private let register: any RegisterReading
  private let buses: [Bus]
  private let pace: CallPace
  private let evidence: any EvidencePort

  public init(
    register: any RegisterReading, buses: [Bus], pace: CallPace = CallPace(), evidence: any EvidencePort = NoEvidence()
  ) {
    self.evidence = evidence
    self.register = register
    self.buses = buses
    self.pace = pace
  }

  /// The plan with what was found beside it. What the policy's `blocks` names is an obstacle in it.
  ///
  /// - Parameters:
  ///   - open: parties that open puljer hold.
  ///   - now: by whose day libraries are too old.
  ///   - seen: libraries that parties were seen to run before, from ``MigrationState/librariesSeen``.
  /// - Throws: as ``plan(_:open:)``.
  public func survey(
    _ request: PuljeRequest, open: [HerID: PuljeName], now: Instant, seen: [LibrarySighting] = []
  ) async throws -> PlanSurvey {
    let known = try await self.knownParties()
    var plan = try await self.plan(request, open: open, known: known)
    let (expanded, leftOut) = request.expanded(by: known, source: self.buses.first { $0.name == request.source })
    var evidence = await self.evidence.evidence(of: plan, request: expanded)
    evidence.sightings += seen
    let findings = PlanFinding.find(
      plan, request: expanded, leftOut: leftOut, evidence: evidence, today: OsloTime.reading(at: now).date)
    for finding in findings where request.policy.blocks?.contains(finding.code) == true {
      plan.obstacles.append(
        Obstacle(.findingBlocks, herID: finding.herID, others: finding.others, seen: "\(finding.stableCode): \(finding.seen)"))
    }
    return PlanSurvey(plan: plan, findings: findings)
  }

  /// - Parameter open: parties that open puljer hold.
  /// - Throws: ``EngineError`` `registerUnreadable`. A party that the register says it does not know is an obstacle in the
  ///   plan, not an error.
  public func plan(_ request: PuljeRequest, open: [HerID: PuljeName]) async throws -> Plan {
    try await self.plan(request, open: open, known: try await self.knownParties())
  }

  private func plan(_ asked: PuljeRequest, open: [HerID: PuljeName], known: [PartyRecord]) async throws -> Plan {
    let source = self.buses.first { $0.name == asked.source }
    let request = asked.expanded(by: known, source: source).request
    var fresh: [HerID: PartyRecord] = [:]
    var absent: Set<HerID> = []
    var wanted = Set(request.parties.map(\.herID))
    let joining = Set(request.parties.filter(\.joinsOrganisation).map(\.herID))
    var isBelowRead = request.scope != .servicesBelow
    // Each round reads those that hang together with what was read: parents, and who shares a queue. A register that goes on
    // for ever does not keep us: sixteen rounds are more than any organisation is deep.
    for _ in 0..<16 {
      let unread = wanted.subtracting(fresh.keys).subtracting(absent).sorted()
      if unread.isEmpty { break }
      for herID in unread {
        try await self.pace.read()
        do throws(RegisterReadError) { fresh[herID] = try await self.register.read(herID) } catch {
          switch error {
          case .unknownParty: absent.insert(herID)
          case .failed(let seen): throw EngineError.registerUnreadable(herID, seen: seen)
          }
        }
      }
      if !isBelowRead {
        isBelowRead = true
        try await self.addServicesBelow(request, &fresh)
      }
      wanted = Self.neighbours(of: fresh, among: known)
      wanted.formUnion(joining.compactMap { fresh[$0]?.parent })
    }
    let records = known.filter { fresh[$0.herID] == nil && !absent.contains($0.herID) } + fresh.values
    return Planner(buses: self.buses, records: records, open: open, offer: self.register.offer).plan(request)
  }

  /// Whoever stands below a party that is moved goes along with it, known to our cache or not.
  private func addServicesBelow(_ request: PuljeRequest, _ fresh: inout [HerID: PartyRecord]) async throws {
    var covered: Set<HerID> = []
    // Whoever stands highest first: its answer holds those below.
    let parties = request.parties.compactMap { fresh[$0.herID] }.sorted {
      ($0.parent == nil ? 0 : 1) < ($1.parent == nil ? 0 : 1)
    }
    for party in parties where !covered.contains(party.herID) {
      try await self.pace.read()
      do throws(RegisterReadError) {
        for record in try await self.register.below(party) {
          covered.insert(record.herID)
          if fresh[record.herID] == nil { fresh[record.herID] = record }
        }
      } catch {
        let seen = if case .failed(let words) = error { words } else { "the register says it does not know it" }
        throw EngineError.registerUnreadable(party.herID, seen: "what stands below it: \(seen)")
      }
    }
  }

  private func knownParties() async throws -> [PartyRecord] {
    do throws(RegisterReadError) { return try await self.register.known() } catch {
      if case .failed(let seen) = error { throw EngineError.registerUnreadable(nil, seen: seen) }
      return []
    }
  }

  /// Parents from whom something is inherited, and everybody known to hold one of the same queue addresses.
  private static func neighbours(of fresh: [HerID: PartyRecord], among known: [PartyRecord]) -> Set<HerID> {
    var found: Set<HerID> = []
    var addresses: Set<String> = []
    for record in fresh.values {
      let queues = record.addresses.filter { $0.queueKind != nil }
      addresses.formUnion(queues.map { $0.text.lowercased() })
      if let parent = record.parent, queues.contains(where: \.inherited) { found.insert(parent) }
    }
    for record in known
    where record.addresses.contains(where: { $0.queueKind != nil && addresses.contains($0.text.lowercased()) }) {
      found.insert(record.herID)
    }
    return found
  }
}
