// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import Disclosure
import Migration

/// Evidence from the buses' lists of connections and from the register of collaboration protocols.
public struct GatheredEvidence: EvidencePort {
  /// What a survey of profiles and agreements gave.
  public typealias Endpoints = @Sendable (Plan) async throws -> (endpoints: [PlanEvidence.LeftEndpoint], notLookedAt: [String])

  private let connections: [BusName: ManagementConnections]
  private let endpoints: Endpoints?

  /// - Parameters:
  ///   - connections: of each bus whose management interface is configured.
  ///   - endpoints: nil where no register of collaboration protocols is configured.
  public init(connections: [BusName: ManagementConnections], endpoints: Endpoints?) {
    self.connections = connections
    self.endpoints = endpoints
  }

  public func evidence(of plan: Plan, request: PuljeRequest) async -> PlanEvidence {
    var evidence = PlanEvidence(sightings: request.libraries)
    for bus in [plan.source, plan.target] {
      guard let connections = self.connections[bus] else { continue }
      do {
        evidence.sightings += Self.sightings(try await connections.connections(), plan, request)
      } catch {
        evidence.notLookedAt.append("connections of \(bus): [\(error.stableCode)] \(error.explanation.seen)")
      }
    }
    guard let endpoints else { return evidence }
    do {
      let found = try await endpoints(plan)
      evidence.endpoints = found.endpoints
      evidence.notLookedAt += found.notLookedAt
    } catch let error as any ExplainedError {
      evidence.notLookedAt.append("profiles and agreements: [\(error.stableCode)] \(error.explanation.seen)")
    } catch {
      evidence.notLookedAt.append("profiles and agreements: the question was given up")
    }
    return evidence
  }

  /// A connection is a party's when it receives from one of the party's queues, or logged in as the party's own user.
  static func sightings(
    _ connections: [ManagementConnections.Connection], _ plan: Plan, _ request: PuljeRequest
  ) -> [LibrarySighting] {
    var owners: [String: [HerID]] = [:]
    for member in plan.groups.flatMap(\.members) {
      for isAfter in [false, true] {
        for queue in Set([member].queues(after: isAfter).map(\.address.queue)) { owners[queue, default: []].append(member.herID) }
      }
    }
    let users = Dictionary(grouping: request.parties.filter { $0.busUser != nil }, by: { $0.busUser ?? "" })
    return connections.flatMap { connection -> [LibrarySighting] in
      // Ourselves, looking into a party's queue with the login of its organisation.
      if connection.product == OrganisationProbes.product { return [] }
      let byQueue = connection.queues.flatMap { owners[$0] ?? [] }
      let byUser = connection.user.flatMap { users[$0] }?.map(\.herID) ?? []
      return Set(byQueue + byUser).sorted().map { herID in
        LibrarySighting(
          herID: herID, library: connection.product ?? "an unnamed library", version: connection.version, wire: connection.wire,
          source: .connection)
      }
    }
  }
}
