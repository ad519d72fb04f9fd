// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration

/// What the rehearsal reads of `bus-migrator status --json`.
struct MigratorStatus: Sendable {
  var summary: PuljeSummary

  private struct Answer: Decodable { var puljer: [PuljeSummary] }

  /// - Returns: nil when the pulje is not there yet.
  init?(json: Data) throws {
    guard let summary = try JSONDecoder().decode(Answer.self, from: json).puljer.first else { return nil }
    self.summary = summary
  }

  /// The group that holds `herID`.
  func group(of herID: HerID) -> GroupSummary? {
    self.summary.groups.first { $0.members.contains { $0.herID == herID } }
  }

  /// One line: how many HER-IDs stand where.
  var line: String {
    var counts: [GroupPhase: Int] = [:]
    for group in self.summary.groups { counts[group.phase, default: 0] += group.members.count }
    let parts = GroupPhase.allCases.compactMap { phase in counts[phase].map { "\(phase.rawValue) \($0)" } }
    return "\(self.summary.phase.rawValue): " + parts.joined(separator: ", ")
  }
}
