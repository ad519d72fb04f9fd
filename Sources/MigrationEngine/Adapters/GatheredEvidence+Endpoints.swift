// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Migration

extension GatheredEvidence {
  /// Which profiles and agreements will name the source bus when a plan's parties have moved: they are judged by the entries as they
  /// will read then.
  public static func endpoints(_ register: any CollaborationProtocolReading, buses: [Bus]) -> Endpoints {
    { plan in
      let members = plan.groups.flatMap(\.members)
      let records = Dictionary(members.map { ($0.herID, $0.after) }, uniquingKeysWith: { first, _ in first })
      let found = try await EndpointSurvey(register: register).findings(
        of: members.map(\.herID).sorted(), records: records, buses: buses)
      let left = found.stale.compactMap { stale -> PlanEvidence.LeftEndpoint? in
        // What names a third bus, or none, was wrong before the move: `registry endpoints` shows it.
        guard case .otherBus(plan.source, _) = stale.problem else { return nil }
        return PlanEvidence.LeftEndpoint(
          isAgreement: stale.document == .agreement, documentID: stale.documentID, herID: stale.herID,
          counterpart: stale.counterpart,
          address: stale.endpoint.text)
      }
      let failures = found.failures.map { failure in
        let what = failure.documentID.map { "agreement \($0)" } ?? "profile or list of agreements"
        return "\(what) of HER-ID \(failure.herID): [\(failure.error.stableCode)] \(failure.error.explanation.seen)"
      }
      return (left, failures)
    }
  }
}
