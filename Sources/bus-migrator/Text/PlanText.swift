// SPDX-License-Identifier: Apache-2.0

import Migration

/// A plan for people.
enum PlanText {
  static func text(
    _ plan: Plan, _ findings: [PlanFinding], _ vendors: [VendorConfiguration], _ estimate: PlanEstimate
  ) -> String {
    var lines = [
      "pulje \(plan.name): \(plan.source) -> \(plan.target), \(plan.herIDs.count) parties in \(plan.groups.count) groups", "",
    ]
    for group in plan.groups {
      lines.append("\(group.id):")
      for member in group.members {
        let how = Self.how(member)
        lines.append(
          "  \(member.herID) \(member.before.name), \(member.vendor.isEmpty ? "vendor not named" : member.vendor): \(how)")
        for after in member.after.addresses where !member.before.addresses.contains(after) {
          let before = member.before.addresses.first { $0.typeCode == after.typeCode }?.text ?? "(none)"
          lines.append("    \(after.typeCode): \(before) -> \(after.text)")
        }
      }
    }
    if let writer = plan.writer { lines += ["", writer.words] }
    if !plan.manualSteps.isEmpty { lines += ["", "by hand:"] }
    for step in plan.manualSteps {
      lines.append("  \(step.vendor) (\(step.herIDs.map(\.description).joined(separator: ", "))): \(step.what)")
    }
    for vendor in vendors {
      lines += ["", "configuration, \(vendor.vendor.isEmpty ? "vendor not named" : vendor.vendor):"]
      lines += vendor.yaml.split(separator: "\n").map { "  \($0)" }
    }
    if !findings.isEmpty {
      lines += ["", "to know before approving:"]
      lines += findings.map { finding in
        let whose = finding.herID.map { " HER-ID \($0)" } ?? ""
        return "  [\(finding.stableCode)]\(whose): \(finding.seen). \(finding.explanation.meaning) \(finding.explanation.next)"
      }
    }
    if plan.obstacles.isEmpty {
      lines += ["", "nothing stands in the way"]
    } else {
      lines += ["", "stands in the way:"]
      lines += plan.obstacles.map { "  \($0.description)" }
    }
    if plan.isClear { lines += [""] + Self.times(estimate) }
    lines += ["", "plan hash \(plan.hash)"]
    return lines.joined(separator: "\n")
  }

  private static func how(_ member: Plan.Member) -> String {
    if !member.isWritten { return "moves with its parent" }
    if let mover = member.movedBy { return "taken along by the write for HER-ID \(mover)" }
    return member.joinsOrganisation == true ? "written: gives up its own queues for its organisation's" : "written"
  }

  private static func times(_ estimate: PlanEstimate) -> [String] {
    guard let moved = estimate.moved, let drained = estimate.drained, let decision = estimate.decision else {
      return ["no window for cut-overs opens within two years: see the calendar in the policy"]
    }
    let pace = estimate.pace
    var lines = [
      "started now, with nothing failing and nobody waited for, \(pace.concurrentWrites) entries at once in \(pace.write) each, at the "
        + "earliest:"
    ]
    if estimate.waves.count > 1 {
      lines += estimate.waves.map { "  wave \($0.number): \($0.groups) groups, \($0.begins) to \($0.ends)" }
    } else if let first = estimate.waves.first {
      lines.append("  cut-overs begin \(first.begins)")
    }
    return lines + ["  all moved        \(moved)", "  all drained      \(drained)", "  somebody decides \(decision)"]
  }
}
