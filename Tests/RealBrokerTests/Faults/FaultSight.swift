// SPDX-License-Identifier: Apache-2.0

import BusProbe
import Foundation

/// What was said of a fault: by the ladder itself, or by the pinger's program in its JSON.
struct FaultSight: Sendable {
  struct Step: Sendable, Decodable {
    var code: Int
    var finding: String
    var verdict: String
    var owner: String?
    var seen: String
  }
  var steps: [Step]

  init(_ report: ProbeReport) {
    self.steps = report.steps.map {
      Step(
        code: $0.code.rawValue, finding: $0.finding.rawValue, verdict: $0.verdict.rawValue, owner: $0.owner?.rawValue,
        seen: $0.seen(.nb))
    }
  }

  private struct Object: Decodable { var steps: [Step] }

  /// - Parameter json: what `bus-pinger --format json --language nb` prints.
  init(json: String) throws { self.steps = try JSONDecoder().decode(Object.self, from: Data(json.utf8)).steps }

  var firstFailure: Step? { self.steps.first { $0.verdict == "failed" } }

  /// All steps on one line each.
  var text: String { self.steps.map { "\($0.code) \($0.verdict) \($0.finding): \($0.seen)" }.joined(separator: "\n") }
}
