// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// The checks before a cut for all groups of a plan, made read only and beforehand: what would happen if it were started now.
public struct GroupPreflight: Sendable {
  private let buses: any BusPort
  private let pace: CallPace
  private let settings: EngineSettings
  private let clock: any MigrationClock

  public init(
    buses: any BusPort, pace: CallPace = CallPace(), settings: EngineSettings = EngineSettings(),
    clock: any MigrationClock = SystemMigrationClock()
  ) {
    self.buses = buses
    self.pace = pace
    self.settings = settings
    self.clock = clock
  }

  /// A report for each group, so many at once as the settings say. A group that had no answer in time has every check failed with
  /// that reason.
  ///
  /// - Throws: `CancellationError`.
  public func reports(_ plan: Plan) async throws -> [GroupID: PreflightReport] {
    try await withThrowingTaskGroup(of: (GroupID, PreflightReport).self) { tasks in
      var reports: [GroupID: PreflightReport] = [:]
      var left = plan.groups[...]
      func next() {
        guard let group = left.popFirst() else { return }
        tasks.addTask { (group.id, try await self.report(group, plan)) }
      }
      for _ in 0..<max(1, self.settings.concurrentGroups) { next() }
      while let (id, report) = try await tasks.next() {
        reports[id] = report
        next()
      }
      return reports
    }
  }

  private func report(_ group: Plan.Group, _ plan: Plan) async throws -> PreflightReport {
    try await self.pace.ask([plan.source, plan.target])
    let (source, target) = (group.members.queues(after: false), group.members.queues(after: true))
    let buses = self.buses
    let report = await within(self.settings.probeDeadline, clock: self.clock) {
      async let findings = buses.preflight(source: plan.source, sourceQueues: source, target: plan.target, targetQueues: target)
      async let baseline = buses.look(at: source, on: plan.source)
      return PreflightReport(findings: await findings, baseline: await baseline)
    }
    try Task.checkCancellation()
    let late = "no answer within \(self.settings.probeDeadline)"
    return report ?? PreflightReport(findings: PreflightCheck.allCases.map { Finding($0, .failed, seen: late) }, baseline: [])
  }
}

extension PlanFinding {
  /// What the checks say now of each group that they would hold back; the way back is among them.
  public static func preflight(_ plan: Plan, _ reports: [GroupID: PreflightReport]) -> [PlanFinding] {
    plan.groups.compactMap { group in
      let confirmed = group.members.allSatisfy(\.startConfirmed)
      guard let report = reports[group.id], let found = report.obstacle(startConfirmed: confirmed, policy: plan.policy),
        let first = group.members.first
      else { return nil }
      return PlanFinding(
        .preflightFails, herID: first.herID, vendor: first.vendor, others: group.members.dropFirst().map(\.herID),
        seen: "\(found.check.rawValue): \(found.seen)")
    }
  }
}
