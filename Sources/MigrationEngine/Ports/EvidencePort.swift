// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Finds out about a plan's parties what their register entries do not tell. Reads only.
public protocol EvidencePort: Sendable {
  /// Never fails as a whole: what could not be looked at is named in the answer.
  ///
  /// - Parameter request: with the parties of its organisations.
  func evidence(of plan: Plan, request: PuljeRequest) async -> PlanEvidence
}

public struct NoEvidence: EvidencePort {
  public init() {}
  public func evidence(of plan: Plan, request: PuljeRequest) async -> PlanEvidence { PlanEvidence() }
}

/// A plan, and what was found beside it.
public struct PlanSurvey: Sendable {
  public var plan: Plan
  public var findings: [PlanFinding]
}
